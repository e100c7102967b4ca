// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPegMonitor, PegCondition} from "../interfaces/IPegMonitor.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @notice The pure formulas of `PegMonitor`: discount, stress, recognition, haircuts, condition.
library PegMath {
    uint256 private constant WAD = WadMath.WAD;

    /// @dev 1 − market/fair, rounded up; 0 at or above fair, and 1 if the market was never known. A worthless
    /// token trades at no discount.
    function discount(uint256 fairRate, uint256 marketRate) internal pure returns (uint256) {
        return marketRate >= fairRate ? 0 : WAD - WadMath.mulDivDown(marketRate, WAD, fairRate);
    }

    /// @dev Stress after `elapsed` seconds that began with discount `last` and end with `current`.
    function advance(
        IPegMonitor.PegConfig memory config,
        uint256 stress,
        uint256 last,
        uint256 current,
        uint256 elapsed
    ) internal pure returns (uint256) {
        uint256 attested = WadMath.min(elapsed, config.maxAge);
        stress = _integrate(config, stress, last, attested);
        return _integrate(config, stress, WadMath.min(last, current), elapsed - attested);
    }

    /// @dev Most that one observation alone can build, rounded up.
    function largestStep(IPegMonitor.PegConfig memory config) internal pure returns (uint256) {
        uint256 perDay = config.stressPerDay * (WAD - config.deadband);
        return WadMath.mulDivUp(perDay, config.maxAge, WAD * 1 days);
    }

    /// @dev How much of the discount the maintenance valuation goes by, WAD in [0, 1], rounded up.
    function recognition(IPegMonitor.PegConfig memory config, uint256 stress)
        internal
        pure
        returns (uint256)
    {
        if (stress <= config.graceStress) return 0;
        return WadMath.mulDivUp(stress - config.graceStress, WAD, WAD - config.graceStress);
    }

    /// @dev Base plus what a shortfall and slow redemptions add, at most the cap.
    function intrinsicHaircut(
        IPegMonitor.PegConfig memory config,
        uint256 backing,
        uint256 redemptionDelay
    ) internal pure returns (uint256) {
        uint256 excess = redemptionDelay > config.freeDelay ? redemptionDelay - config.freeDelay : 0;
        uint256 sum = config.baseHaircut + WadMath.mulUp(config.backingSlope, WAD - backing)
            + WadMath.mulDivUp(config.delaySlope, excess, 1 days);
        return WadMath.min(sum, config.maxHaircut);
    }

    /// @dev The intrinsic one plus slopes, each product rounded up, at most the cap.
    /// @param discount_ WAD: the whole discount, or the recognised part of it.
    function haircut(
        IPegMonitor.PegConfig memory config,
        uint256 intrinsic,
        uint256 discount_,
        uint256 recognised
    ) internal pure returns (uint256) {
        uint256 sum = intrinsic + WadMath.mulUp(config.discountSlope, discount_)
            + WadMath.mulUp(config.stressSlope, recognised);
        return WadMath.min(sum, config.maxHaircut);
    }

    /// @dev The condition that follows from the last one and the signals now. Each is entered at its limit and left
    /// at half of it; the same signals twice make no further change.
    /// @param discount_ WAD.
    function condition(
        IPegMonitor.PegConfig memory config,
        IPegMonitor.PegState memory state,
        uint256 discount_
    ) internal pure returns (PegCondition) {
        PegCondition last = state.condition;
        uint256 lowest = WadMath.mulDown(state.highestRate, WAD - config.maxRateFall);
        if (
            last == PegCondition.Broken || state.stress >= config.brokenAt
                || state.fairRate < lowest || WAD - state.backing > config.maxShortfall
        ) return PegCondition.Broken;

        uint256 part = last == PegCondition.Stressed ? 2 : 1;
        if (part * state.stress >= config.stressedAt) return PegCondition.Stressed;

        part = last == PegCondition.Sound ? 1 : 2;
        bool isWatched = part * discount_ > config.deadband
            || 2 * part * state.stress > config.graceStress || state.backing < WAD
            || state.redemptionDelay > config.freeDelay;
        return isWatched ? PegCondition.Watch : PegCondition.Sound;
    }

    /// @dev `dt` seconds at a constant discount: gains rounded up, decay rounded down.
    function _integrate(
        IPegMonitor.PegConfig memory config,
        uint256 stress,
        uint256 discount_,
        uint256 dt
    ) private pure returns (uint256) {
        if (discount_ > config.deadband) {
            // Below 2^64 · 2^60: the product is exact.
            uint256 stressPerDay = config.stressPerDay * (discount_ - config.deadband);
            return WadMath.min(WAD, stress + WadMath.mulDivUp(stressPerDay, dt, WAD * 1 days));
        }
        uint256 decay = WadMath.mulDivDown(WAD, dt, config.decayPeriod);
        return stress - WadMath.min(stress, decay);
    }
}
