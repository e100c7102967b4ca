// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {PriceData, PriceStatus, worse} from "../types/Price.sol";

/// @notice Prices made of other prices: one quotient each, rounded down; as old and as good as the worst part.
library DerivedPrice {
    uint256 private constant WAD = WadMath.WAD;

    /// @dev 1 / part.
    /// @param maximum Largest price, < 2^127, as for all parts.
    function invert(PriceData memory part, uint256 maximum)
        internal
        pure
        returns (PriceData memory data)
    {
        data = PriceData(0, 0, part.publishedAt, part.recordedAt, part.status);
        _setPrice(data, WAD, WAD, part.price, maximum);
        data.confidence = uint128(_share(data.price, part));
    }

    /// @dev left · right, or left / right.
    function combine(
        IOracleAggregator.Operation operation,
        PriceData memory left,
        PriceData memory right,
        uint256 maximum
    ) internal pure returns (PriceData memory data) {
        data = PriceData({
            price: 0,
            confidence: 0,
            publishedAt: uint40(WadMath.min(left.publishedAt, right.publishedAt)),
            recordedAt: uint40(WadMath.min(left.recordedAt, right.recordedAt)),
            status: worse(left.status, right.status)
        });
        if (operation == IOracleAggregator.Operation.Product) {
            _setPrice(data, left.price, right.price, WAD, maximum);
        } else {
            _setPrice(data, left.price, WAD, right.price, maximum);
        }
        data.confidence = uint128(_share(data.price, left) + _share(data.price, right));
    }

    /// @dev Sets ⌊x·y / d⌋. What is no price stands as zero or the maximum, `Stale`: a revert would hand whoever
    /// moves one part a way to stop the calls that need the other.
    function _setPrice(PriceData memory data, uint256 x, uint256 y, uint256 d, uint256 maximum)
        private
        pure
    {
        // Factors are below 2^127, so the quotient is below 2^254. A part that was never known is zero.
        uint256 price = d == 0 ? 0 : WadMath.mulDivDown(x, y, d);
        if (price == 0 || price > maximum) data.status = PriceStatus.Stale;
        data.price = uint128(WadMath.min(price, maximum));
    }

    /// @dev What a part's relative confidence is of a price, rounded up: at most three times it for each source at
    /// the bottom, of which there are at most four, so that sums fit 128 bits.
    function _share(uint256 price, PriceData memory part) private pure returns (uint256) {
        return part.price == 0 ? 0 : WadMath.mulDivUp(price, part.confidence, part.price);
    }
}
