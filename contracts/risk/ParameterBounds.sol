// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {
    BreakerThresholds,
    BreakerTiming,
    CollateralConfig,
    CompartmentParameters,
    InterestParameters,
    MarginParameters,
    MarketLiquidation,
    MarketTrading,
    OrderParameters,
    PoolParameters
} from "../types/Parameters.sol";
import {_bound} from "./Bounds.sol";
import {Correlations} from "./Correlations.sol";
import {InterestBounds} from "./InterestBounds.sol";

/// @title The hard bounds of every tunable
/// @notice Pure checks that revert with `RiskParameters_OutOfBounds` and the like. Every `RiskParameters` makes its
/// own: they are constants of its code, and too many for one contract.
contract ParameterBounds {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant MAX_WATCHED = 8;
    /// @dev Sizes and caps stay far below 2^127, so that sums over accounts fit the packed ledger.
    uint256 internal constant MAX_AMOUNT = 1e36;
    /// @dev Fits what the risk engine keeps of it.
    uint256 internal constant MAX_DEPTH = 1e31;
    uint256 internal constant BPS = 1e4;

    /// @notice Reverts unless a market's rules are within their bounds.
    /// @param leastSkewScale WAD: the market's present scale, 0 for a new one.
    function requireMarket(
        MarketTrading calldata t,
        MarketLiquidation calldata l,
        uint256 leastSkewScale
    ) external pure {
        _bound("indexAsset", uint256(AssetId.unwrap(t.indexAsset)), 1, type(uint256).max);
        // A shallower curve would move every position's price at once: that is another market.
        _bound("skewScale", t.skewScale, WadMath.max(WAD, leastSkewScale), MAX_AMOUNT);
        _bound("maxPremium", t.maxPremium, 0.001e18, 0.25e18);
        // |skew| never exceeds the larger side, so the premium stays in bounds whoever reduces what.
        _bound("maxOpenInterest", t.maxOpenInterest, 0, WadMath.mulDown(t.skewScale, t.maxPremium));
        // Turning the premium from one bound to the other must not bankrupt anyone at a constant index.
        _bound(
            "maintenanceMarginRatio",
            t.maintenanceMarginRatio,
            WadMath.max(0.005e18, 2 * uint256(t.maxPremium)),
            0.5e18
        );
        _bound("takerFee", t.takerFee, 0, WadMath.min(0.01e18, t.maintenanceMarginRatio / 2));
        // A margin step between opening and liquidation is what gives a trader time.
        _bound(
            "initialMarginRatio",
            t.initialMarginRatio,
            uint256(t.maintenanceMarginRatio) * 5 / 4,
            WAD
        );
        _bound("maxInitialMarginRatio", t.maxInitialMarginRatio, t.initialMarginRatio, WAD);
        _bound("volatilityMultiplier", t.volatilityMultiplier, 0, 10e18);
        _bound("maxFundingRate", t.maxFundingRate, 0, 0.5e18);
        _bound("maxFundingVelocity", t.maxFundingVelocity, 0, 10e18);
        _bound("premiumScale", t.premiumScale, 0.0001e18, WAD);
        _bound("fundingDeadband", t.fundingDeadband, 0, 0.1e18);
        _bound("makerFee", t.makerFee, 0, t.takerFee);
        // At most half as much again as the fee of the fill that it is paid for: a circle always pays.
        _bound("maxRebate", t.maxRebate, 0, uint256(t.takerFee) * 3 / 2);
        // A pair far from mark would move margin between two accounts of one hand.
        _bound("priceBand", t.priceBand, 0.001e18, WadMath.min(0.1e18, t.maintenanceMarginRatio));
        _bound("instantSpread", t.instantSpread, 0, 0.01e18);
        _bound("maxPoolShareBps", t.maxPoolShareBps, BPS / 100, 1_000 * BPS);
        _bound("premiumPeriod", t.premiumPeriod, 1 minutes, 1 days);
        _bound("fundingGain1", t.fundingGain1, BPS, 5 * BPS);
        _bound("fundingGain2", t.fundingGain2, t.fundingGain1, 5 * BPS);
        _bound("fundingGain3", t.fundingGain3, t.fundingGain2, 5 * BPS);
        _bound("fundingGain4", t.fundingGain4, t.fundingGain3, 5 * BPS);
        // At most half of the maintenance margin: closing then always frees more requirement than it costs.
        _bound("penalty", l.penalty, 0, t.maintenanceMarginRatio / 2);
        _bound("keeperShare", l.keeperShare, 0, WAD);
        _bound("minNotional", l.minNotional, 0, 1e24);
    }

    /// @notice Reverts unless what may change of a collateral is within its bounds.
    function requireCollateral(CollateralConfig calldata c) external pure {
        _bound("asset", uint256(AssetId.unwrap(c.asset)), 1, type(uint256).max);
        _bound("haircut", c.haircut, c.pegged ? 0 : 0.01e18, c.pegged ? 0 : 0.9e18);
        _bound("cap", c.cap, 0, MAX_AMOUNT);
        _bound("depth", c.depth, 0, MAX_DEPTH);
    }

    /// @notice Reverts unless the compartment's parameters are within their bounds.
    function requireCompartment(CompartmentParameters calldata p) external pure {
        _bound("vestingPeriod", p.vestingPeriod, 0, 30 days);
        _bound("maxUnrealizedAge", p.maxUnrealizedAge, 1, 1 days);
        _bound("debtMaintenanceRatio", p.debtMaintenanceRatio, 0.01e18, 0.5e18);
        _bound("debtInitialRatio", p.debtInitialRatio, uint256(p.debtMaintenanceRatio) * 5 / 4, WAD);
        _bound("targetHealth", p.targetHealth, 1.01e18, 2e18);
        _bound("insuranceFeeShare", p.insuranceFeeShare, 0, WAD);
        _bound("poolFeeShare", p.poolFeeShare, 0, WAD - p.insuranceFeeShare);
        _bound("auctionStartPremium", p.auctionStartPremium, 0, 0.5e18);
        _bound("auctionDuration", p.auctionDuration, 1 minutes, 1 days);
        _bound("dustUnits", p.dustUnits, 1, 1_000_000);
    }

    /// @notice Reverts unless what debt costs is within its bounds.
    function requireInterest(InterestParameters calldata p) external pure {
        InterestBounds.requireWithin(p);
    }

    /// @notice Reverts unless how margin adapts is within its bounds.
    function requireMargin(MarginParameters calldata p) external pure {
        _bound("horizon", p.horizon, 1 hours, 30 days);
        // At most a half: a position that halves another's risk then never costs more than it saves.
        _bound("grossFloor", p.grossFloor, BPS / 20, BPS / 2);
        _bound("maxRatioRise", p.maxRatioRise, 1, 100 * BPS);
        _bound("maxStressRise", p.maxStressRise, 1, 100 * BPS);
        _bound("ratioTier1", p.ratioTier1, BPS, 3 * BPS);
        _bound("ratioTier2", p.ratioTier2, p.ratioTier1, 3 * BPS);
        _bound("ratioTier3", p.ratioTier3, p.ratioTier2, 3 * BPS);
        _bound("ratioTier4", p.ratioTier4, p.ratioTier3, 3 * BPS);
        _bound("stressTier0", p.stressTier0, 0, BPS);
        _bound("stressTier1", p.stressTier1, p.stressTier0, BPS);
        _bound("stressTier2", p.stressTier2, p.stressTier1, BPS);
        _bound("stressTier3", p.stressTier3, p.stressTier2, BPS);
        _bound("stressTier4", p.stressTier4, p.stressTier3, BPS);
    }

    /// @notice Reverts unless the rules of orders are within their bounds.
    function requireOrders(OrderParameters calldata p) external pure {
        _bound("minDelay", p.minDelay, 1, 1 hours);
        // A keeper needs some time, and an order that waits for ever is an option on the pool.
        _bound("maxDelay", p.maxDelay, uint256(p.minDelay) + 1 minutes, 7 days);
        _bound("cancelDelay", p.cancelDelay, p.minDelay, p.maxDelay);
        _bound("executorFee", p.executorFee, 0, 1_000e18);
    }

    /// @notice Reverts unless the pool's rules are within their bounds.
    function requirePool(PoolParameters calldata p) external pure {
        _bound("cooldown", p.cooldown, 0, 30 days);
        _bound("redeemWindow", p.redeemWindow, 1 hours, 30 days);
        _bound("coverageRatio", p.coverageRatio, 0, 5e18);
    }

    /// @notice Reverts unless the breaker's windows and thresholds are within their bounds.
    function requireBreaker(
        BreakerTiming calldata timing,
        BreakerThresholds calldata p,
        AssetId[] calldata prices,
        AssetId[] calldata pegs
    ) external pure {
        _bound("velocityWindow", timing.velocityWindow, 1 minutes, 1 days);
        _bound("volumeWindow", timing.volumeWindow, 1 minutes, 7 days);
        _bound("minDwell", timing.minDwell, 1 minutes, 1 days);
        _bound("maxHalt", timing.maxHalt, 1 minutes, 3 days);
        _bound("watchedPrices", prices.length, 0, MAX_WATCHED);
        _bound("watchedPegs", pegs.length, 0, MAX_WATCHED);
        _ascending(
            "priceMove", [uint256(p.priceMove[0]), p.priceMove[1], p.priceMove[2], p.priceMove[3]]
        );
        _ascending(
            "discount", [uint256(p.discount[0]), p.discount[1], p.discount[2], p.discount[3]]
        );
        _ascending(
            "liquidationVolume",
            [
                uint256(p.liquidationVolume[0]),
                p.liquidationVolume[1],
                p.liquidationVolume[2],
                p.liquidationVolume[3]
            ]
        );
        _ascending("badDebt", [uint256(p.badDebt[0]), p.badDebt[1], p.badDebt[2], p.badDebt[3]]);
    }

    /// @notice Reverts unless correlations are within their bounds and their matrix is positive definite.
    /// @param lower Basis points, row by row.
    /// @param size Markets that they are of.
    function requireCorrelations(uint16[] calldata lower, uint256 size) external pure {
        for (uint256 i; i < lower.length; ++i) {
            // Two markets that always move alike are one market.
            _bound("correlation", lower[i], 0, BPS - 1);
        }
        Correlations.requirePositiveDefinite(lower, size);
    }

    /// @dev Thresholds rise strictly: a stronger signal never means a lower tier.
    function _ascending(bytes32 parameter, uint256[4] memory thresholds) internal pure {
        uint256 least = 1;
        for (uint256 i; i < 4; ++i) {
            _bound(parameter, thresholds[i], least, MAX_AMOUNT);
            least = thresholds[i] + 1;
        }
    }
}
