// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MarketId} from "./Ids.sol";
import {PriceStatus} from "./Price.sol";

/// @notice How a market ends: reductions only, then everything at one price. There is no way back.
enum MarketPhase {
    Open,
    WindingDown,
    Settled
}

/// @notice What is known of a market's end. One slot.
/// @param price WAD at which its positions are closed; 0 until it is fixed.
/// @param fixableAt Unix seconds from which on it may be fixed; 0 while the market is open.
struct Settlement {
    uint128 price;
    uint40 fixableAt;
}

/// @notice State of a market: exact sums over its positions, and funding. Four slots.
/// @param openInterestLong WAD base units.
/// @param openInterestShort WAD base units.
/// @param quote WAD settlement units: Σ quote over positions.
/// @param fundingRate WAD per day: > 0: longs pay shorts.
/// @param fundingUpdatedAt Unix seconds of the last accrual.
/// @param fundingGain Basis points that the velocity of funding is multiplied by until the next touch; 0: 10,000.
/// @param phase Whether it is being wound down, or settled.
/// @param cumulativeFundingPerUnit WAD settlement units paid by a long of 1.0 since the market began.
/// @param matchedPremium WAD: how far above the curve's mark pairs traded lately, at the last accrual. It fades …
/// @param matchedPremiumEndsAt … linearly until these Unix seconds, later than the last accrual; 0 without one.
/// @param fundingEntryProduct Σ size · fundingEntry over positions, WAD², exact.
struct Market {
    uint128 openInterestLong;
    uint128 openInterestShort;
    int128 quote;
    int64 fundingRate;
    uint40 fundingUpdatedAt;
    uint16 fundingGain;
    MarketPhase phase;
    int128 cumulativeFundingPerUnit;
    int64 matchedPremium;
    uint40 matchedPremiumEndsAt;
    int256 fundingEntryProduct;
}

/// @notice One account's position in a market. Two slots.
/// @param size WAD base units, > 0: long.
/// @param quote WAD settlement units paid (> 0) or received (< 0) for the size.
/// @param fundingEntry The market's `cumulativeFundingPerUnit` up to which funding is settled.
struct Position {
    int128 size;
    int128 quote;
    int128 fundingEntry;
}

/// @notice What a fill does. All WAD.
/// @param quoteDelta Signed cost of the fill: > 0 for a buy.
/// @param fillPrice |quoteDelta| per unit, rounded against the trader.
/// @param realizedPnl Realised by the part that closes, funding included.
/// @param fundingPaid Part of `realizedPnl` that is funding, > 0: paid.
/// @param notional |quoteDelta|.
struct Fill {
    int256 quoteDelta;
    uint256 fillPrice;
    int256 realizedPnl;
    int256 fundingPaid;
    uint256 notional;
}

/// @notice What the open positions of all markets mean to the pool. WAD settlement units.
/// @param positive U⁺ = Σ max(0, U_m).
/// @param net ΣU_m.
/// @param openInterest Σ of each market's greater side at its index price, rounded up market by market.
/// @param worst The market with positions whose price is the worst, the first of several …
/// @param status … and how good that price is; `Valid` without positions.
struct PoolExposure {
    uint256 positive;
    int256 net;
    uint256 openInterest;
    MarketId worst;
    PriceStatus status;
}
