// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @notice The pure formulas of `PegMonitor`: discount, stress, haircut.
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

    /// @dev Base plus slopes, each product rounded up, at most the cap. The sum is below 1 + 10 + 10.
    function haircut(IPegMonitor.PegConfig memory config, uint256 discount_, uint256 stress)
        internal
        pure
        returns (uint256)
    {
        uint256 sum = config.baseHaircut + WadMath.mulUp(config.discountSlope, discount_)
            + WadMath.mulUp(config.stressSlope, stress);
        return WadMath.min(sum, config.maxHaircut);
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
