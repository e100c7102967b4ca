// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "./AssetId.sol";

/// @notice What a trade in a market needs to know. Four slots. Fractions are WAD.
/// @param indexAsset Asset whose oracle price is the index.
/// @param skewScale WAD base units k: a skew of k would move the price by 100 %.
/// @param maxOpenInterest WAD base units per side.
/// @param maxPremium |skew| / skewScale may not be raised above this.
/// @param takerFee Of the notional at the fill price.
/// @param initialMarginRatio Of the notional at the index price.
/// @param maintenanceMarginRatio Of the notional at the index price.
/// @param maxFundingRate |rate| per day.
/// @param maxFundingVelocity |change of the rate| per day, per day.
/// @param premiumScale Premium at which the velocity reaches its maximum.
/// @param fundingDeadband Premium up to which the rate does not move.
struct MarketTrading {
    AssetId indexAsset;
    uint128 skewScale;
    uint128 maxOpenInterest;
    uint64 maxPremium;
    uint64 takerFee;
    uint64 initialMarginRatio;
    uint64 maintenanceMarginRatio;
    uint64 maxFundingRate;
    uint64 maxFundingVelocity;
    uint64 premiumScale;
    uint64 fundingDeadband;
}

/// @notice What a liquidation in a market needs to know. One slot.
/// @param penalty Fraction of the closed notional.
/// @param keeperShare Fraction of the penalty that rewards the keeper.
/// @param minNotional WAD: a position is never left smaller than this by a partial liquidation.
struct MarketLiquidation {
    uint64 penalty;
    uint64 keeperShare;
    uint128 minNotional;
}

/// @notice A collateral token. Three slots.
/// @param token The ERC-20.
/// @param decimals Its decimals, read at listing.
/// @param pegged Valued by the peg monitor if true, else by the oracle less `haircut`.
/// @param haircut WAD fraction; only for tokens that are not pegged.
/// @param asset Peg monitor's or oracle's name of it.
/// @param cap Most that the compartment holds, in token units; 0 stops deposits.
struct CollateralConfig {
    address token;
    uint8 decimals;
    bool pegged;
    uint64 haircut;
    AssetId asset;
    uint128 cap;
}

/// @notice Parameters of the whole compartment. Two slots. Fractions are WAD.
/// @param vestingPeriod Seconds over which realised profit vests.
/// @param maxUnrealizedAge Seconds after which a market's U_m is too old to convert or leave the pool on.
/// @param debtInitialRatio Initial margin asked for debt.
/// @param debtMaintenanceRatio Maintenance margin asked for debt.
/// @param targetHealth Health ratio (above 1) that a partial liquidation restores.
/// @param insuranceFeeShare Share of distributed fees that goes to the insurance fund.
/// @param poolFeeShare Share of distributed fees that goes to the pool.
/// @param auctionStartPremium Collateral auctions start this far above the market price.
/// @param auctionDuration Seconds in which an auction's price falls to its floor; after twice as many it is over.
/// @param dustUnits Collateral worth less than this many whole settlement units does not hold up a write-off.
struct CompartmentParameters {
    uint32 vestingPeriod;
    uint32 maxUnrealizedAge;
    uint64 debtInitialRatio;
    uint64 debtMaintenanceRatio;
    uint64 targetHealth;
    uint64 insuranceFeeShare;
    uint64 poolFeeShare;
    uint64 auctionStartPremium;
    uint32 auctionDuration;
    uint32 dustUnits;
}

/// @notice What debt costs: a rate that rises with utilisation u = D / (D + L), faster beyond the kink, times a
/// multiplier that rises with the breaker's tier. One slot; rates are WAD fractions per day.
/// @param kinkBps Utilisation at which the steeper part begins, in basis points.
/// @param rateAtZero Rate at u = 0 …
/// @param rateAtKink … at the kink, linear in between …
/// @param rateAtFull … and at u = 1, linear from the kink.
/// @param tier1Bps Multiplier in tier 1, in basis points; in tier 0 it is 10,000 …
/// @param tier2Bps … in tier 2 …
/// @param tier3Bps … in tier 3 …
/// @param tier4Bps … and in tier 4.
struct InterestParameters {
    uint16 kinkBps;
    uint56 rateAtZero;
    uint56 rateAtKink;
    uint56 rateAtFull;
    uint16 tier1Bps;
    uint16 tier2Bps;
    uint16 tier3Bps;
    uint16 tier4Bps;
}

/// @notice How long the circuit breaker looks back and holds on. One slot.
/// @param velocityWindow Seconds over which a price move is measured.
/// @param volumeWindow Seconds in which liquidation volume and bad debt leak out of their buckets.
/// @param minDwell Seconds a tier is kept before it may fall by one.
/// @param maxHalt Seconds after which tier 4 falls to 3 whatever the signals say.
struct BreakerTiming {
    uint32 velocityWindow;
    uint32 volumeWindow;
    uint32 minDwell;
    uint32 maxHalt;
}

/// @notice When the circuit breaker acts: threshold i (0 … 3) is the least signal for tier i + 1.
/// @param priceMove WAD fractions.
/// @param discount WAD fractions.
/// @param liquidationVolume WAD settlement units in the bucket.
/// @param badDebt WAD settlement units in the bucket.
struct BreakerThresholds {
    uint64[4] priceMove;
    uint64[4] discount;
    uint128[4] liquidationVolume;
    uint128[4] badDebt;
}
