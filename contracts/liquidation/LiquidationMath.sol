// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice How much to close, what it may cost, and what collateral sells for. Pure; all WAD.
library LiquidationMath {
    using SafeCastLib for uint256;

    /// @notice Least notional n whose closing restores the target health τ. The penalty p·n lowers equity and, met
    /// by debt, raises the requirement by d·p·n: E − p·n = τ·(M − m·n + d·p·n), so
    /// n = (τ·M − E) / (τ·m − p·(1 + τ·d)), rounded up.
    /// @dev Closing on the curve leaves equity at close-out value and the margin asked for losses unchanged.
    /// p ≤ m/2, 1 < τ ≤ 2 and d ≤ 1/2 are bounds of `RiskParameters`, so the divisor is at least m/4.
    /// @param equity E ≥ 0, at close-out value.
    /// @param maintenanceMargin M > E.
    /// @param maintenanceMarginRatio m of the market that is closed.
    /// @param debtMaintenanceRatio d.
    function notionalToClose(
        uint256 equity,
        uint256 maintenanceMargin,
        uint256 targetHealth,
        uint256 maintenanceMarginRatio,
        uint256 penaltyRatio,
        uint256 debtMaintenanceRatio
    ) internal pure returns (uint256) {
        uint256 missing =
            WadMath.mulUp(maintenanceMargin, targetHealth) - equity;
        uint256 cost = penaltyRatio
            + WadMath.mulUp(WadMath.mulUp(penaltyRatio, targetHealth), debtMaintenanceRatio);
        uint256 gain = WadMath.mulDown(maintenanceMarginRatio, targetHealth) - cost;
        return WadMath.mulDivUp(missing, WadMath.WAD, gain);
    }

    /// @notice Penalty x that leaves the health ratio no lower than it was, even if all of it becomes debt:
    /// (E' − x) / (M' + d·x) ≥ E/M for E < M if x ≤ (E' − E·M'/M) / (1 + d), rounded down.
    /// @param wanted Penalty by the market's ratio.
    /// @param equityBefore E; at or below zero there is nothing to take.
    /// @param marginBefore M > 0.
    /// @param equityAfter E' after closing.
    /// @param marginAfter M' after closing.
    /// @param debtMaintenanceRatio d.
    function boundedPenalty(
        uint256 wanted,
        int256 equityBefore,
        uint256 marginBefore,
        int256 equityAfter,
        uint256 marginAfter,
        uint256 debtMaintenanceRatio
    ) internal pure returns (uint256) {
        if (equityBefore <= 0) return 0;
        int256 spare = equityAfter
            - WadMath.mulDivUp(uint256(equityBefore), marginAfter, marginBefore).toInt256();
        if (spare <= 0) return 0;
        return WadMath.min(
            wanted,
            WadMath.mulDivDown(uint256(spare), WadMath.WAD, WadMath.WAD + debtMaintenanceRatio)
        );
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
