// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The part of a Uniswap v3 pool that a TWAP reads
interface IUniswapV3PoolMinimal {
    /// @return The token with the lower address.
    function token0() external view returns (address);

    /// @return The token with the higher address.
    function token1() external view returns (address);

    /// @return sqrtPriceX96 Root of the spot price of raw token0 in raw token1, Q64.96.
    /// @return tick Tick of the spot price.
    /// @return observationIndex Index of the newest observation.
    /// @return observationCardinality Number of observations that are kept; it never falls.
    /// @return observationCardinalityNext Number to which it grows when the ring is next full.
    /// @return feeProtocol The protocol's part of the fees.
    /// @return unlocked Whether the pool may be entered.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );

    /// @param index Place in the ring of observations.
    /// @return blockTimestamp Unix seconds, the lowest 32 bits.
    /// @return tickCumulative Σ tick·seconds up to then; wraps.
    /// @return secondsPerLiquidityCumulativeX128 Σ seconds/max(1, liquidity) up to then, Q128; wraps.
    /// @return initialized Whether anything was written there yet.
    function observations(uint256 index)
        external
        view
        returns (
            uint32 blockTimestamp,
            int56 tickCumulative,
            uint160 secondsPerLiquidityCumulativeX128,
            bool initialized
        );

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
