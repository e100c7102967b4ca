// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {PortfolioMargin} from "../margin/PortfolioMargin.sol";
import {PortfolioTerms} from "../types/Valuation.sol";
import {LiquidationMath} from "./LiquidationMath.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice The least notional to close when the requirement depends on an account's other positions. Pure; WAD.
library PartialClose {
    using SafeCastLib for uint256;

    /// @dev Halvings of the position: what is closed is the least up to 2⁻⁴⁸ of it.
    uint256 private constant HALVINGS = 48;
    /// @dev Thirds that are cut off in the search of the best: (2/3)⁴⁰ of the position is below 1e-7 of it.
    uint256 private constant THIRDS = 40;

    /// @param equity E > 0, at close-out value.
    /// @param debtMargin Part B of the requirement M + B that is asked for debt.
    /// @param notional N of the position at the index price.
    /// @param targetHealth τ.
    /// @param penaltyRatio p.
    /// @param debtMaintenanceRatio d.
    struct Problem {
        uint256 equity;
        uint256 debtMargin;
        uint256 notional;
        uint256 targetHealth;
        uint256 penaltyRatio;
        uint256 debtMaintenanceRatio;
    }

    /// @notice Least n with E − p·n ≥ τ·(M(n) + B + d·p·n), as `LiquidationMath.notionalToClose`. Where no n will do, the one
    /// that comes closest; zero if that is to close nothing: the position offsets others.
    /// @dev M(n) = max(√(rest + 2·cross·y + y²), floor·(grossRest + y)) with y = rate · (N − n) is convex, so the
    /// surplus is concave: where it is positive at the end, it crosses zero once on the way.
    function leastNotional(Problem memory c, PortfolioTerms memory t)
        internal
        pure
        returns (uint256)
    {
        if (t.grossRest == 0) {
            return WadMath.min(
                c.notional,
                LiquidationMath.notionalToClose(
                    c.equity,
                    PortfolioMargin.ofTerms(t, t.own) + c.debtMargin,
                    c.targetHealth,
                    t.rate,
                    c.penaltyRatio,
                    c.debtMaintenanceRatio
                )
            );
        }
        uint256 high = c.notional;
        int256 reached = surplus(c, t, high);
        if (reached < 0) {
            high = _best(c, t);
            reached = surplus(c, t, high);
            if (reached <= surplus(c, t, 0)) return 0;
            if (reached < 0) return high;
        }
        uint256 low;
        for (uint256 i; i < HALVINGS && high - low > 1; ++i) {
            uint256 middle = (low + high) / 2;
            if (surplus(c, t, middle) < 0) low = middle;
            else high = middle;
        }
        return high;
    }

    /// @notice E − p·n − τ·(M(n) + B + d·p·n), rounded down.
    function surplus(Problem memory c, PortfolioTerms memory t, uint256 closed)
        internal
        pure
        returns (int256)
    {
        uint256 own = WadMath.mulUp(c.notional - closed, t.rate);
        if (t.shift != 0) own = (own + (1 << t.shift) - 1) >> t.shift;
        uint256 penalty = WadMath.mulUp(closed, c.penaltyRatio);
        uint256 margin = PortfolioMargin.ofTerms(t, own) + c.debtMargin
            + WadMath.mulUp(penalty, c.debtMaintenanceRatio);
        return c.equity.toInt256() - (penalty + WadMath.mulUp(margin, c.targetHealth)).toInt256();
    }

    function _best(Problem memory c, PortfolioTerms memory t) private pure returns (uint256) {
        uint256 low;
        uint256 high = c.notional;
        for (uint256 i; i < THIRDS && high - low > 2; ++i) {
            uint256 third = (high - low) / 3;
            if (surplus(c, t, low + third) < surplus(c, t, high - third)) low += third;
            else high -= third;
        }
        return high;
    }
}
