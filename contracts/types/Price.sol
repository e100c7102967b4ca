// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice How far an aggregate can be trusted. Ordered: a smaller value is a worse price.
/// `docs/spec/oracle.md` says which act accepts which status; `ActionPolicy` is that table.
enum PriceStatus {
    /// No quorum of fresh sources: there is a last known price, and nothing may be done on it.
    Stale,
    /// A quorum, but its price moved too far too fast and was not seen again yet, or the chain's sequencer is
    /// down or was until just now.
    Unconfirmed,
    /// A confirmed quorum, but sources were dropped as outliers or the members' spread is wide.
    Degraded,
    /// A confirmed quorum of agreeing sources.
    Valid
}

/// @notice One aggregate.
/// @param price WAD, quote units per 1.0 of base. Zero only if nothing was ever recorded.
/// @param confidence WAD, in units of the price: half-width of its uncertainty. Of an asset with sources, a whole
/// number of billionths of the price, rounded up.
/// @param publishedAt Unix seconds: the oldest publication time among the members that formed the price.
/// @param recordedAt Unix seconds at which the aggregate was formed.
/// @param status See `PriceStatus`.
struct PriceData {
    uint128 price;
    uint128 confidence;
    uint40 publishedAt;
    uint40 recordedAt;
    PriceStatus status;
}

/// @dev Whether value may be reckoned with at a price of this status: there is a confirmed quorum.
function isFirm(PriceStatus status) pure returns (bool) {
    return status >= PriceStatus.Degraded;
}

/// @dev The worse of two statuses: a composed price is as good as its worst part.
function worse(PriceStatus a, PriceStatus b) pure returns (PriceStatus) {
    return a < b ? a : b;
}
