// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IUniswapV3PoolMinimal} from "../interfaces/IUniswapV3PoolMinimal.sol";

/// @title A pool whose history is whatever it is told
/// @notice For local chains only: the extremes that a real pool takes long to reach.
contract FixedTickPool is IUniswapV3PoolMinimal {
    /// @inheritdoc IUniswapV3PoolMinimal
    address public immutable token0;
    /// @inheritdoc IUniswapV3PoolMinimal
    address public immutable token1;

    int56 private _tickSeconds;
    uint160 private _secondsPerLiquidityX128;

    constructor(address token0_, address token1_) {
        (token0, token1) = (token0_, token1_);
    }

    /// @notice What the cumulatives grow by between any two instants.
    function set(int56 tickSeconds, uint160 secondsPerLiquidityX128) external {
        (_tickSeconds, _secondsPerLiquidityX128) = (tickSeconds, secondsPerLiquidityX128);
    }

    /// @inheritdoc IUniswapV3PoolMinimal
    /// @dev Starts next to the end of both types, so that every answer exercises their wrapping.
    function observe(uint32[] calldata)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityX128s)
    {
        tickCumulatives = new int56[](2);
        secondsPerLiquidityX128s = new uint160[](2);
        tickCumulatives[0] = _tickSeconds < 0 ? type(int56).min : type(int56).max;
        secondsPerLiquidityX128s[0] = type(uint160).max;
        unchecked {
            tickCumulatives[1] = tickCumulatives[0] + _tickSeconds;
            secondsPerLiquidityX128s[1] = secondsPerLiquidityX128s[0] + _secondsPerLiquidityX128;
        }
    }
}
