// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "./AssetId.sol";

/// @notice A market's rules. Six slots, the first four of which say what positions are worth and what margin they
/// need. Fractions are WAD.
/// @param indexAsset Asset whose oracle price is the index.
/// @param skewScale WAD base units k: a skew of k would move the price by 100 %.
/// @param maxFundingRate |rate| per day.
/// @param maxFundingVelocity |change of the rate| per day, per day.
/// @param premiumScale Premium at which the velocity reaches its maximum.
/// @param fundingDeadband Premium up to which the rate does not move.
/// @param maxPremium |skew| / skewScale may not be raised above this.
/// @param takerFee Of the notional at the fill price.
/// @param initialMarginRatio Least initial margin, of the notional at the index price: what calm markets ask.
/// @param maintenanceMarginRatio Least maintenance margin, of the same.
/// @param maxInitialMarginRatio Most initial margin that volatility alone asks.
/// @param volatilityMultiplier z: initial margin is z standard deviations of the price over the horizon.
/// @param maxOpenInterest WAD base units per side.
/// @param makerFee Of the notional at the fill price, from the resting side of a signed pair.
/// @param maxRebate Most that a fill which narrows the skew gets back, of its notional; all of it from a premium of
/// `premiumScale` on.
/// @param priceBand Signed pairs are settled within this fraction of mark.
/// @param instantSpread Against who raises a position at a price that was known before: of the notional.
/// @param maxPoolShareBps Most notional per side, in basis points of the pool's cash.
/// @param premiumPeriod Seconds in which the premium of signed pairs fades.
/// @param fundingGain1 Basis points by which the breaker's tier 1 multiplies the velocity of funding (tier 0:
/// 10,000); so on.
struct MarketTrading {
    AssetId indexAsset;
    uint128 skewScale;
    uint64 maxFundingRate;
    uint64 maxFundingVelocity;
    uint64 premiumScale;
    uint64 fundingDeadband;
    uint64 maxPremium;
    uint64 takerFee;
    uint64 initialMarginRatio;
    uint64 maintenanceMarginRatio;
    uint64 maxInitialMarginRatio;
    uint64 volatilityMultiplier;
    uint128 maxOpenInterest;
    uint64 makerFee;
    uint64 maxRebate;
    uint64 priceBand;
    uint64 instantSpread;
    uint32 maxPoolShareBps;
    uint32 premiumPeriod;
    uint16 fundingGain1;
    uint16 fundingGain2;
    uint16 fundingGain3;
    uint16 fundingGain4;
}

/// @notice How a premium moves money; see `MarketTrading`.
struct FundingRules {
    uint64 maxFundingRate;
    uint64 maxFundingVelocity;
    uint64 premiumScale;
    uint64 fundingDeadband;
}

/// @notice The part of a market's rules that the value of its positions follows from; see `MarketTrading`.
struct MarketPricing {
    AssetId indexAsset;
    uint128 skewScale;
    uint64 maxPremium;
    FundingRules funding;
}

/// @notice The part of a market's rules that its margin follows from. WAD; see `MarketTrading`.
struct MarketMargin {
    uint64 initialRatio;
    uint64 maintenanceRatio;
    uint64 maxInitialRatio;
    uint64 volatilityMultiplier;
}

/// @notice How margin adapts, in all markets of a compartment. One slot.
/// @param horizon Seconds over which a price may move before a position is closed.
/// @param grossFloor Basis points of Σ|weighted notional| that are asked however well positions offset.
/// @param maxRatioRise Basis points of notional by which a maintenance rate may rise per day.
/// @param maxStressRise Basis points by which the stress of maintenance may rise per day.
/// @param ratioTier1 Basis points by which the breaker's tier 1 multiplies initial rates (tier 0: 10,000); so on.
/// @param stressTier0 Basis points of stress in tier 0; so on.
struct MarginParameters {
    uint32 horizon;
    uint16 grossFloor;
    uint32 maxRatioRise;
    uint32 maxStressRise;
    uint16 ratioTier1;
    uint16 ratioTier2;
    uint16 ratioTier3;
    uint16 ratioTier4;
    uint16 stressTier0;
    uint16 stressTier1;
    uint16 stressTier2;
    uint16 stressTier3;
    uint16 stressTier4;
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
/// @param depth WAD units of the token in the virtual reserve of its market that the governor believes in at most;
/// 0: the amount does not matter. See `IDepthSource`.
struct CollateralConfig {
    address token;
    uint8 decimals;
    bool pegged;
    uint64 haircut;
    AssetId asset;
    uint128 cap;
    uint128 depth;
}

/// @notice Parameters of the whole compartment. Two slots. Fractions are WAD.
/// @param vestingPeriod Seconds over which realised profit vests in calm markets; see `IRiskEngine.vestingPeriod`.
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

/// @notice Orders that are committed now and settled at a later price. One slot.
/// @param minDelay Seconds after the commitment from which on a price may settle it.
/// @param maxDelay Seconds after which it can be settled no more.
/// @param cancelDelay Seconds after which its owner may take it back.
/// @param executorFee WAD settlement units for whoever settles it.
struct OrderParameters {
    uint32 minDelay;
    uint32 maxDelay;
    uint32 cancelDelay;
    uint96 executorFee;
}

/// @notice Leaving the pool. One slot.
/// @param cooldown Seconds from the request to the redemption.
/// @param redeemWindow Seconds in which a request can be redeemed after that.
/// @param coverageRatio WAD: pool cash that stays per notional of the larger side of each market.
struct PoolParameters {
    uint32 cooldown;
    uint32 redeemWindow;
    uint64 coverageRatio;
}
