// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {Market} from "../types/Market.sol";
import {FundingRules} from "../types/Parameters.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Velocity funding: the premium moves the rate, the rate moves money.
/// @dev Between two touches of a market its premium is constant, so the rate is linear in time until it meets its
/// bound, and the trapezoid rule with one break point integrates it however long the gap. The break point is cut to
/// a whole second, so the second in which the bound is met counts at the bound.
library Funding {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    uint256 internal constant DAY = 1 days;
    uint256 internal constant BPS = 10_000;

    /// @notice dr/dt = clamp(premium / premiumScale, ±1) · maxFundingVelocity · gain, 0 inside the dead-band.
    /// @param gain Basis points; 0: 10,000.
    /// @return WAD per day, per day; rounded towards zero.
    function velocity(int256 premium, uint256 gain, FundingRules memory p)
        internal
        pure
        returns (int256)
    {
        uint256 size = WadMath.abs(premium);
        if (size <= p.fundingDeadband) return 0;
        if (size > p.premiumScale) size = p.premiumScale;
        uint256 fastest = p.maxFundingVelocity * (gain == 0 ? BPS : gain);
        uint256 speed = WadMath.mulDivDown(size, fastest, p.premiumScale * BPS);
        return premium > 0 ? speed.toInt256() : -speed.toInt256();
    }

    /// @notice Rate and money after `elapsed` seconds.
    /// @param rate WAD per day at the start.
    /// @param gain Basis points; 0: 10,000.
    /// @return newRate WAD per day at the end.
    /// @return fundingPerUnit WAD settlement units that a long of 1.0 owes for the time, rounded towards −∞.
    function accrue(
        int256 rate,
        int256 premium,
        uint256 gain,
        uint256 elapsed,
        uint256 indexPrice,
        FundingRules memory p
    ) internal pure returns (int256 newRate, int256 fundingPerUnit) {
        int256 bound = int256(uint256(p.maxFundingRate));
        // The bound may have been lowered since the rate was set.
        rate = rate > bound ? bound : rate < -bound ? -bound : rate;
        int256 speed = velocity(premium, gain, p);
        int256 limit = speed > 0 ? bound : -bound;
        int256 signedElapsed = elapsed.toInt256();
        // Twice the integral of the rate, in WAD per day · seconds: even numerators, one rounding at the end.
        int256 doubled;
        newRate = rate + speed * signedElapsed / int256(DAY);
        bool beyond = speed > 0 ? newRate > limit : newRate < limit;
        if (speed != 0 && beyond) {
            newRate = limit;
            // Seconds until the bound is met; past it the rate is flat.
            int256 ramp = (limit - rate) * int256(DAY) / speed;
            doubled = (rate + limit) * ramp + 2 * limit * (signedElapsed - ramp);
        } else {
            doubled = (rate + newRate) * signedElapsed;
        }
        fundingPerUnit = WadMath.mulDivFloor(doubled, indexPrice, 2 * DAY * WadMath.WAD);
    }

    /// @notice The same, of a market in memory.
    function accrueMarket(
        Market memory m,
        int256 premium,
        uint256 elapsed,
        uint256 indexPrice,
        FundingRules memory p
    ) internal pure {
        (int256 rate, int256 perUnit) =
            accrue(m.fundingRate, premium, m.fundingGain, elapsed, indexPrice, p);
        m.fundingRate = rate.toInt64();
        m.cumulativeFundingPerUnit = (int256(m.cumulativeFundingPerUnit) + perUnit).toInt128();
    }
}
