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
        returns (PriceData memory)
    {
        return _bounded(part, WAD, WAD, part.price, maximum);
    }

    /// @dev left · right, or left / right.
    function combine(
        IOracleAggregator.Operation operation,
        PriceData memory left,
        PriceData memory right,
        uint256 maximum
    ) internal pure returns (PriceData memory) {
        PriceData memory data = PriceData({
            price: 0,
            publishedAt: uint40(WadMath.min(left.publishedAt, right.publishedAt)),
            recordedAt: uint40(WadMath.min(left.recordedAt, right.recordedAt)),
            status: worse(left.status, right.status)
        });
        return operation == IOracleAggregator.Operation.Product
            ? _bounded(data, left.price, right.price, WAD, maximum)
            : _bounded(data, left.price, WAD, right.price, maximum);
    }

    /// @dev ⌊x·y / d⌋ with times and status of `data`. What is no price stands as zero or the maximum, `Stale`: a
    /// revert would hand whoever moves one part a way to stop the calls that need the other.
    function _bounded(PriceData memory data, uint256 x, uint256 y, uint256 d, uint256 maximum)
        private
        pure
        returns (PriceData memory)
    {
        // Factors are below 2^127, so the quotient is below 2^254. A part that was never known is zero.
        uint256 price = d == 0 ? 0 : WadMath.mulDivDown(x, y, d);
        bool isPrice = price != 0 && price <= maximum;
        return PriceData({
            price: uint128(WadMath.min(price, maximum)),
            publishedAt: data.publishedAt,
            recordedAt: data.recordedAt,
            status: isPrice ? data.status : PriceStatus.Stale
        });
    }
}
