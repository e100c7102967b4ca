// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IUniswapV3PoolMinimal} from "../interfaces/IUniswapV3PoolMinimal.sol";

/// @title A pool whose history is whatever it is told
/// @notice For local chains only: the extremes that a real pool takes long to reach.
contract FixedTickPool is IUniswapV3PoolMinimal {
    /// @param index Place of the newest observation.
    /// @param cardinality Observations kept.
    /// @param oldest Unix seconds of the observation after the newest.
    /// @param first Unix seconds of the observation at place zero.
    /// @param isFull Whether there is an observation after the newest.
    struct Ring {
        uint16 index;
        uint16 cardinality;
        uint32 oldest;
        uint32 first;
        bool isFull;
    }

    /// @inheritdoc IUniswapV3PoolMinimal
    address public immutable token0;
    /// @inheritdoc IUniswapV3PoolMinimal
    address public immutable token1;

    int56 private _tickSeconds;
    uint160 private _secondsPerLiquidityX128;

    Ring private _ring;

    constructor(address token0_, address token1_) {
        (token0, token1) = (token0_, token1_);
        _ring.cardinality = type(uint16).max;
    }

    /// @notice What the cumulatives grow by between any two instants.
    function set(int56 tickSeconds, uint160 secondsPerLiquidityX128) external {
        (_tickSeconds, _secondsPerLiquidityX128) = (tickSeconds, secondsPerLiquidityX128);
    }

    /// @notice What the pool says of its ring of observations.
    function setRing(Ring calldata ring) external {
        _ring = ring;
    }

    /// @inheritdoc IUniswapV3PoolMinimal
    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (0, 0, _ring.index, _ring.cardinality, _ring.cardinality, 0, true);
    }

    /// @inheritdoc IUniswapV3PoolMinimal
    function observations(uint256 index) external view returns (uint32, int56, uint160, bool) {
        Ring memory ring = _ring;
        if (index == (uint256(ring.index) + 1) % ring.cardinality) {
            return (ring.oldest, 0, 0, ring.isFull);
        }
        return (index == 0 ? ring.first : 0, 0, 0, index == 0);
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
