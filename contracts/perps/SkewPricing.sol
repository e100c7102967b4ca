// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice The pool's price curve: linear in the skew, so that the cost of a trade depends on where it begins and
/// ends and not on how it is split.
/// @dev Sizes and scales are WAD base units below 2^127, prices WAD below 2^128.
library SkewPricing {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @notice Thrown when a skew would make the price zero or negative.
    /// @dev Needs |skew| of the order of the skew scale, far outside of the permitted premium.
    error SkewPricing_NonPositivePrice(int256 skew, uint256 skewScale);

    /// @notice Premium of mark over index: skew / skewScale, WAD, rounded towards −∞.
    function premium(int256 skew, uint256 skewScale) internal pure returns (int256) {
        return WadMath.mulDivFloor(skew, WadMath.WAD, skewScale);
    }

    /// @notice index · (1 + skew / skewScale), rounded down.
    function markPrice(uint256 indexPrice, int256 skew, uint256 skewScale)
        internal
        pure
        returns (uint256)
    {
        int256 factor = skewScale.toInt256() + skew;
        if (factor <= 0) revert SkewPricing_NonPositivePrice(skew, skewScale);
        return WadMath.mulDivDown(indexPrice, uint256(factor), skewScale);
    }

    /// @notice index · (1 + (skew + sizeDelta / 2) / skewScale): up for a buy, down for a sale.
    function fillPrice(uint256 indexPrice, int256 skew, int256 sizeDelta, uint256 skewScale)
        internal
        pure
        returns (uint256)
    {
        // Twice the factor keeps the half in integers.
        int256 factor = 2 * (skewScale.toInt256() + skew) + sizeDelta;
        if (factor <= 0) revert SkewPricing_NonPositivePrice(skew, skewScale);
        return sizeDelta > 0
            ? WadMath.mulDivUp(indexPrice, uint256(factor), 2 * skewScale)
            : WadMath.mulDivDown(indexPrice, uint256(factor), 2 * skewScale);
    }

    /// @notice Signed cost of a fill, rounded up: a buyer pays more, a seller receives less.
    function fillCost(int256 sizeDelta, uint256 price) internal pure returns (int256) {
        return WadMath.mulDivCeil(sizeDelta, price, WadMath.WAD);
    }

    /// @notice What closing `size` on the curve costs against mark: index · size² / (2 · skewScale), rounded up.
    /// @dev It does not depend on the skew; size² < 2^254.
    function closeOutCost(uint256 indexPrice, int256 size, uint256 skewScale)
        internal
        pure
        returns (uint256)
    {
        uint256 absolute = WadMath.abs(size);
        return WadMath.mulDivUp(absolute * absolute, indexPrice, 2 * skewScale * WadMath.WAD);
    }
}
