// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {MarginParameters, MarketMargin} from "../types/Parameters.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @notice What fraction of a position's notional is asked as margin. Pure; WAD fractions unless a unit is given.
library MarginRates {
    /// @dev Time for which what limits a rise may be saved up: a figure that nobody moved for long does not jump.
    uint256 internal constant MAX_SAVED = 1 hours;
    uint256 internal constant BPS = 1e4;
    uint256 private constant WAD = WadMath.WAD;
    /// @dev WAD per basis point.
    uint256 private constant BPS_WAD = 1e14;

    /// @notice min(1, clamp(z · σ · √horizon, initialRatio, maxInitialRatio) · multiplier(tier)), rounded up.
    /// @param volatility σ, per square root of a day.
    function initialRate(
        MarketMargin memory m,
        MarginParameters memory p,
        uint256 volatility,
        uint8 tier
    ) internal pure returns (uint256) {
        // √(horizon / 1 day), at most √30.
        uint256 root = sqrtUp(WadMath.mulDivUp(p.horizon, WAD * WAD, 1 days));
        uint256 rate = WadMath.mulUp(WadMath.mulUp(volatility, m.volatilityMultiplier), root);
        rate = FixedPointMathLib.clamp(rate, m.initialRatio, m.maxInitialRatio);
        return WadMath.min(WAD, WadMath.mulDivUp(rate, multiplier(p, tier), BPS));
    }

    /// @notice Where the maintenance rate is going: the same fraction of the initial rate as at rest, rounded up.
    function maintenanceTarget(MarketMargin memory m, uint256 initial)
        internal
        pure
        returns (uint256)
    {
        return WadMath.mulDivUp(initial, m.maintenanceRatio, m.initialRatio);
    }

    /// @notice A figure that falls to its target at once and rises to it at a bounded speed, rounded down.
    /// @param from Figure as last moved …
    /// @param elapsed … these seconds ago.
    /// @param risePerDayBps Basis points per day.
    function follow(uint256 from, uint256 elapsed, uint256 target, uint256 risePerDayBps)
        internal
        pure
        returns (uint256)
    {
        if (target <= from) return target;
        uint256 saved = WadMath.min(elapsed, MAX_SAVED);
        return WadMath.min(target, from + risePerDayBps * BPS_WAD * saved / 1 days);
    }

    /// @notice Basis points by which a tier multiplies initial rates.
    function multiplier(MarginParameters memory p, uint8 tier) internal pure returns (uint256) {
        if (tier == 0) return BPS;
        if (tier == 1) return p.ratioTier1;
        if (tier == 2) return p.ratioTier2;
        return tier == 3 ? p.ratioTier3 : p.ratioTier4;
    }

    /// @notice Stress of a tier.
    function stress(MarginParameters memory p, uint8 tier) internal pure returns (uint256) {
        if (tier == 0) return p.stressTier0 * BPS_WAD;
        if (tier == 1) return p.stressTier1 * BPS_WAD;
        if (tier == 2) return p.stressTier2 * BPS_WAD;
        return (tier == 3 ? p.stressTier3 : p.stressTier4) * BPS_WAD;
    }

    /// @notice ⌈√x⌉.
    function sqrtUp(uint256 x) internal pure returns (uint256 root) {
        root = FixedPointMathLib.sqrt(x);
        if (root * root < x) ++root;
    }
}
