// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IUniswapV3PoolMinimal} from "../../interfaces/IUniswapV3PoolMinimal.sol";
import {WadMath} from "../../libraries/WadMath.sol";

/// @notice What a Uniswap v3 pool was like over the last seconds, from its own accumulators.
library UniswapV3Window {
    /// @param windowSeconds Seconds, > 0. Reverts if the pool's history is shorter.
    /// @return meanTick Arithmetic mean of the tick, rounded towards −∞.
    /// @return liquidity Harmonic mean of the liquidity in use, rounded down: what comes for a moment counts for a
    /// moment, and what goes for a moment counts for more than that.
    function consult(IUniswapV3PoolMinimal pool, uint32 windowSeconds)
        internal
        view
        returns (int24 meanTick, uint256 liquidity)
    {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = windowSeconds;
        (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityX128) =
            pool.observe(secondsAgos);
        int56 tickSeconds;
        uint160 secondsPerLiquidityDeltaX128;
        unchecked {
            // Both accumulators wrap by design; over one window their differences do not.
            tickSeconds = tickCumulatives[1] - tickCumulatives[0];
            secondsPerLiquidityDeltaX128 = secondsPerLiquidityX128[1] - secondsPerLiquidityX128[0];
        }
        // Never a division by zero for a real pool: each second adds at least 2^128 / (2^128 − 1).
        liquidity = WadMath.mulDivDown(windowSeconds, 1 << 128, secondsPerLiquidityDeltaX128);
        // A mean of ticks is a tick. A wrong pool's cast out of range fails in the tick library or as an outlier.
        meanTick = int24(WadMath.divFloor(tickSeconds, windowSeconds));
    }
}
