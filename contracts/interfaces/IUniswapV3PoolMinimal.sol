// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The part of a Uniswap v3 pool that a TWAP reads
interface IUniswapV3PoolMinimal {
    /// @return The token with the lower address.
    function token0() external view returns (address);

    /// @return The token with the higher address.
    function token1() external view returns (address);

    /// @param secondsAgos Seconds before now of each observation. Reverts if one is older than the pool's history.
    /// @return tickCumulatives Σ tick·seconds up to each instant; wraps.
    /// @return secondsPerLiquidityCumulativeX128s Σ seconds/max(1, liquidity), Q128, up to each instant; wraps.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (
            int56[] memory tickCumulatives,
            uint160[] memory secondsPerLiquidityCumulativeX128s
        );
}
