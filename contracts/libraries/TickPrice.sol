// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {WadMath} from "./WadMath.sol";

/// @notice Turns a Uniswap v3 tick into a WAD price.
library TickPrice {
    /// @dev ⌊1.0001^±tick · multiplier⌋ over the whole range of ticks, up to the precision of the Q64.96 root.
    /// @param tick log₁.₀₀₀₁ of raw token1 per raw token0.
    /// @param baseIsToken0 Whether token0 is priced in token1; else the reverse.
    /// @param multiplier 10^(18 + base decimals − quote decimals), at most 10^36 < 2^120.
    /// @return price WAD, quote units per 1.0 of base.
    function priceAtTick(int24 tick, bool baseIsToken0, uint256 multiplier)
        internal
        pure
        returns (uint256 price)
    {
        uint256 sqrtPriceX96 = TickMath.getSqrtPriceAtTick(tick);

        // The root is in [2^32, 2^160). Below 2^128 its square is exact in Q192; above, Q128 keeps 192 digits.
        // The quotients are below 2^184 and 2^248 upwards, and 2^248 and 2^56 for the inverse: none overflows.
        if (sqrtPriceX96 <= type(uint128).max) {
            uint256 ratioX192 = sqrtPriceX96 * sqrtPriceX96;
            return baseIsToken0
                ? WadMath.mulDivDown(ratioX192, multiplier, 1 << 192)
                : WadMath.mulDivDown(1 << 192, multiplier, ratioX192);
        }
        uint256 ratioX128 = WadMath.mulDivDown(sqrtPriceX96, sqrtPriceX96, 1 << 64);
        return baseIsToken0
            ? WadMath.mulDivDown(ratioX128, multiplier, 1 << 128)
            : WadMath.mulDivDown(1 << 128, multiplier, ratioX128);
    }
}
