// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Full-width fixed-point arithmetic at WAD (1e18) with the rounding direction in every name.
/// Unsigned helpers end in `Down`/`Up`; signed ones in `Floor` (towards −∞) or `Ceil` (towards +∞).
/// @dev All revert on overflow of the result; intermediate products are 512 bits wide.
library WadMath {
    using SafeCastLib for uint256;

    uint256 internal constant WAD = 1e18;

    /// @dev ⌊x·y / d⌋.
    function mulDivDown(uint256 x, uint256 y, uint256 d) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(x, y, d);
    }

    /// @dev ⌈x·y / d⌉.
    function mulDivUp(uint256 x, uint256 y, uint256 d) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDivUp(x, y, d);
    }

    /// @dev ⌊x·y⌋ for WAD factors.
    function mulDown(uint256 x, uint256 y) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(x, y, WAD);
    }

    /// @dev ⌈x·y⌉ for WAD factors.
    function mulUp(uint256 x, uint256 y) internal pure returns (uint256) {
        return FixedPointMathLib.fullMulDivUp(x, y, WAD);
    }

    /// @dev ⌊x·y / d⌋ for a signed `x`, rounded towards −∞.
    function mulDivFloor(int256 x, uint256 y, uint256 d) internal pure returns (int256) {
        return
            x >= 0 ? mulDivDown(uint256(x), y, d).toInt256() : -(mulDivUp(abs(x), y, d).toInt256());
    }

    /// @dev ⌈x·y / d⌉ for a signed `x`, rounded towards +∞.
    function mulDivCeil(int256 x, uint256 y, uint256 d) internal pure returns (int256) {
        return
            x >= 0 ? mulDivUp(uint256(x), y, d).toInt256() : -(mulDivDown(abs(x), y, d).toInt256());
    }

    /// @dev ⌊x·y⌋ for WAD factors, signed `x`, towards −∞.
    function mulFloor(int256 x, uint256 y) internal pure returns (int256) {
        return mulDivFloor(x, y, WAD);
    }

    /// @dev x·y for WAD factors, signed `x`, rounded away from zero.
    function mulAway(int256 x, uint256 y) internal pure returns (int256) {
        int256 product = mulUp(abs(x), y).toInt256();
        return x >= 0 ? product : -product;
    }

    /// @dev ⌊n / d⌋ towards −∞ for a signed numerator.
    function divFloor(int256 n, uint256 d) internal pure returns (int256) {
        int256 signedD = d.toInt256();
        int256 q = n / signedD;
        // Solidity truncates towards zero: step down when that rounded a negative quotient up.
        return (n % signedD < 0) ? q - 1 : q;
    }

    /// @dev |x|; safe for the minimum of int256.
    function abs(int256 x) internal pure returns (uint256) {
        return FixedPointMathLib.abs(x);
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }
}
