// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceSource} from "./IPriceSource.sol";
import {IUniswapV3PoolMinimal} from "./IUniswapV3PoolMinimal.sol";

/// @title The time-weighted price of a Uniswap v3 pool as a price source
/// @notice The geometric mean price over the last `windowSeconds`, that is 1.0001 to the arithmetic mean tick,
/// in quote tokens per 1.0 base token. It reads through to now, so it is published now. Reverts when the pool's
/// history is shorter than the window or the window's harmonic mean liquidity is below the bound.
/// @dev A pool writes at most one observation per second, when a swap moves the tick or liquidity changes in range.
/// Who moves the tick in every block pushes the window's beginning out of a small memory and silences the source,
/// so the pool must keep `minCardinality` observations when the adapter is deployed: at least the number of blocks
/// in a window. The number never falls afterwards.
interface IUniswapV3TwapAdapter is IPriceSource {
    /// @notice Thrown when the pool has no code.
    error UniswapV3TwapAdapter_NotAContract(address pool);
    /// @notice Thrown when the base is neither of the pool's tokens.
    error UniswapV3TwapAdapter_NotInPool(address baseToken, address token0, address token1);
    /// @notice Thrown when the window is zero.
    error UniswapV3TwapAdapter_ZeroWindow();
    /// @notice Thrown when the liquidity bound would let an empty pool pass: that reads as a liquidity of one.
    error UniswapV3TwapAdapter_LiquidityBound(uint256 minLiquidity, uint256 minimum);
    /// @notice Thrown when the bound of observations is too small for any history.
    error UniswapV3TwapAdapter_CardinalityBound(uint256 minCardinality, uint256 minimum);
    /// @notice Thrown when the pool keeps fewer observations than are needed.
    error UniswapV3TwapAdapter_CardinalityTooLow(uint256 cardinality, uint256 minCardinality);
    /// @notice Thrown when the pool's oldest observation is younger than the window. Seconds.
    error UniswapV3TwapAdapter_HistoryTooShort(uint256 historySeconds, uint256 windowSeconds);
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

    /// @return Observations that the pool kept at least when the adapter was deployed.
    function minCardinality() external view returns (uint16);

    /// @return Age of the pool's oldest observation in seconds: the longest window that could be read now.
    function historySeconds() external view returns (uint256);
}
