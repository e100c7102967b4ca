// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice How far an aggregate can be trusted. Ordered: a smaller value is a worse price.
enum PriceStatus {
    /// No quorum of fresh sources: there is a last known price, and nothing may open on it.
    Stale,
    /// Quorum, but sources were dropped as outliers or the spread between the members is wide.
    Degraded,
    /// Quorum of agreeing sources.
    Valid
}

/// @notice One aggregate. Packs into one slot.
/// @param price WAD, quote units per 1.0 of base. Zero only if nothing was ever recorded.
/// @param publishedAt Unix seconds: the oldest publication time among the members that formed the price.
/// @param recordedAt Unix seconds at which the aggregate was formed.
/// @param status See `PriceStatus`.
struct PriceData {
    uint128 price;
    uint40 publishedAt;
    uint40 recordedAt;
    PriceStatus status;
}

/// @dev The worse of two statuses: a composed price is as good as its worst part.
function worse(PriceStatus a, PriceStatus b) pure returns (PriceStatus) {
    return a < b ? a : b;
}
