// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice How much to close, what it may cost, and what collateral sells for. Pure; all WAD.
library LiquidationMath {
    using SafeCastLib for uint256;

    /// @notice Least notional n whose closing restores the target health τ: E − p·n = τ·(M − m·n), so
    /// n = (τ·M − E) / (τ·m − p), rounded up.
    /// @dev Closing on the curve leaves equity at close-out value unchanged, so E moves by the penalty alone.
    /// p ≤ m/2 and τ > 1 are bounds of `RiskParameters`, so the divisor is positive.
    /// @param equity E ≥ 0, at close-out value.
    /// @param maintenanceMargin M > E.
    /// @param maintenanceMarginRatio m of the market that is closed.
    function notionalToClose(
        uint256 equity,
        uint256 maintenanceMargin,
        uint256 targetHealth,
        uint256 maintenanceMarginRatio,
        uint256 penaltyRatio
    ) internal pure returns (uint256) {
        uint256 missing =
            WadMath.mulUp(maintenanceMargin, targetHealth) - equity;
        uint256 gain = WadMath.mulDown(maintenanceMarginRatio, targetHealth) - penaltyRatio;
        return WadMath.mulDivUp(missing, WadMath.WAD, gain);
    }

    /// @notice Penalty that leaves the health ratio no lower than it was: at most E' − E·M'/M.
    /// @param wanted Penalty by the market's ratio.
    /// @param equityBefore E; at or below zero there is nothing to take.
    /// @param marginBefore M > 0.
    /// @param equityAfter E' after closing.
    /// @param marginAfter M' after closing.
    function boundedPenalty(
        uint256 wanted,
        int256 equityBefore,
        uint256 marginBefore,
        int256 equityAfter,
        uint256 marginAfter
    ) internal pure returns (uint256) {
        if (equityBefore <= 0) return 0;
        int256 spare = equityAfter
            - WadMath.mulDivUp(uint256(equityBefore), marginAfter, marginBefore).toInt256();
        return spare <= 0 ? 0 : WadMath.min(wanted, uint256(spare));
    }

    /// @notice Dutch auction: linear from `start` to `floor` within `duration`, then flat. Rounded up.
    function auctionPrice(uint256 start, uint256 floor, uint256 elapsed, uint256 duration)
        internal
        pure
        returns (uint256)
    {
        if (elapsed >= duration || start <= floor) return floor;
        return floor + WadMath.mulDivUp(start - floor, duration - elapsed, duration);
    }
}
