// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceSource} from "./IPriceSource.sol";
import {IUniswapV3PoolMinimal} from "./IUniswapV3PoolMinimal.sol";

/// @title The time-weighted price of a Uniswap v3 pool as a price source
/// @notice The geometric mean price over the last `windowSeconds`, that is 1.0001 to the arithmetic mean tick,
/// in quote tokens per 1.0 base token. It reads through to now, so it is published now. Reverts when the pool's
/// history is shorter than the window or the window's harmonic mean liquidity is below the bound.
interface IUniswapV3TwapAdapter is IPriceSource {
    /// @notice Thrown when the pool has no code.
    error UniswapV3TwapAdapter_NotAContract(address pool);
    /// @notice Thrown when the base is neither of the pool's tokens.
    error UniswapV3TwapAdapter_NotInPool(address baseToken, address token0, address token1);
    /// @notice Thrown when the window is zero.
    error UniswapV3TwapAdapter_ZeroWindow();
    /// @notice Thrown when the liquidity bound would let an empty pool pass: that reads as a liquidity of one.
    error UniswapV3TwapAdapter_LiquidityBound(uint256 minLiquidity, uint256 minimum);
    /// @notice Thrown when a token has more than 18 decimals.
    error UniswapV3TwapAdapter_UnsupportedDecimals(
        address token, uint256 decimals, uint256 maximum
    );
    /// @notice Thrown when the window's harmonic mean liquidity is below the bound.
    error UniswapV3TwapAdapter_LiquidityTooLow(uint256 liquidity, uint256 minLiquidity);

    /// @return The pool that is read.
    function pool() external view returns (IUniswapV3PoolMinimal);

    /// @return The token that is priced.
    function baseToken() external view returns (address);

    /// @return The token in units of which it is priced.
    function quoteToken() external view returns (address);

    /// @return Seconds over which ticks and liquidity are averaged.
    function windowSeconds() external view returns (uint32);

    /// @return Least harmonic mean liquidity, in the pool's units (√(amount0·amount1), raw tokens).
    function minLiquidity() external view returns (uint128);
}
