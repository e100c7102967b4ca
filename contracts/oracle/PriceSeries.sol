// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @dev Size of the ring.
uint256 constant CHECKPOINTS = 16;

/// @notice A price over time: its integral, an average of the last hour, and a realised volatility.
/// @dev A price holds from when it is set to when the next one is. Time is cut into periods at the multiples of
/// `SAMPLE_PERIOD`; of each, only the average price counts, which is exact because the price between two records is
/// known. So nothing here depends on how often the same prices are recorded, but for the rounding of powers.
///
/// With averages aₖ of consecutive periods of length Δ and returns rₖ = |aₖ − aₖ₋₁| / aₖ₋₁ (at most 1), a random walk
/// of variance v per day has E[rₖ²] = ⅔·v·Δ/day. Each sample therefore estimates v by 1.5·rₖ²·day/Δ, and v moves
/// towards it by the fraction Δ/τ, τ being the mean age of the samples (`volatilityPeriod`):
/// v ← v·(1 − Δ/τ) + 1.5·rₖ²·day/τ.
library PriceSeries {
    uint256 internal constant SAMPLE_PERIOD = 5 minutes;
    /// @dev The ring spans at least this once it is full.
    uint256 internal constant MAX_WINDOW = (CHECKPOINTS - 1) * SAMPLE_PERIOD;

    uint256 private constant WAD = WadMath.WAD;
    /// @dev 1.5 days: 1.5·day/τ of the formula above, before the division.
    uint256 private constant VARIANCE_SECONDS = 1.5 days;

    /// @param time Unix seconds.
    /// @param cumulative Σ price · seconds up to `time`, WAD seconds.
    struct Checkpoint {
        uint40 time;
        uint136 cumulative;
    }

    /// @dev Two slots and a ring.
    /// @param cumulative Σ price · seconds up to `accruedAt`, WAD seconds.
    /// @param accruedAt Unix seconds; 0 before the first price.
    /// @param sampledTo Number of the period in which the last sample was taken: all before it are in the variance.
    /// @param volatilityPeriod Seconds τ.
    /// @param newest Index of the newest checkpoint.
    /// @param known Number of checkpoints.
    /// @param variance WAD per day.
    /// @param lastMean WAD price: average of the last sampled period.
    /// @param initialVolatility WAD per square root of a day.
    struct State {
        uint136 cumulative;
        uint40 accruedAt;
        uint40 sampledTo;
        uint24 volatilityPeriod;
        uint8 newest;
        uint8 known;
        uint96 variance;
        uint96 lastMean;
        uint64 initialVolatility;
        Checkpoint[16] ring; // CHECKPOINTS; the static analysis reads no constant here.
    }

    /// @dev Starts with the first price ever.
    function begin(State storage s, uint256 price) internal {
        s.accruedAt = uint40(block.timestamp);
        s.sampledTo = uint40(block.timestamp / SAMPLE_PERIOD);
        s.lastMean = uint96(price);
        s.variance = uint96(WadMath.mulUp(s.initialVolatility, s.initialVolatility));
        s.ring[0] = Checkpoint(uint40(block.timestamp), 0);
        s.known = 1;
    }

    /// @dev Whether a period has ended since the last sample.
    function isDue(State storage s) internal view returns (bool) {
        return block.timestamp / SAMPLE_PERIOD > s.sampledTo;
    }

    /// @dev Takes in the time since `accruedAt`, during which `price` held.
    function advance(State storage s, uint256 price) internal {
        uint256 accruedAt = s.accruedAt;
        uint256 cumulative = s.cumulative;
        uint256 period = block.timestamp / SAMPLE_PERIOD;
        uint256 sampledTo = s.sampledTo;
        if (period > sampledTo) {
            _sample(s, price, sampledTo, period);
            s.sampledTo = uint40(period);
        }
        // Prices are below 2^96 and times below 2^40.
        s.cumulative = uint136(cumulative + price * (block.timestamp - accruedAt));
        s.accruedAt = uint40(block.timestamp);
    }

    /// @dev Average of the last `window` seconds, rounded down, if `price` has held since `accruedAt`.
    /// @param window In [1, MAX_WINDOW].
    /// @return price_ WAD; 0 if `known` is less than the window.
    /// @return known Seconds for which prices are known.
    function average(State storage s, uint256 price, uint256 window)
        internal
        view
        returns (uint256 price_, uint256 known)
    {
        Checkpoint memory later = Checkpoint(s.accruedAt, s.cumulative);
        uint256 cumulative = later.cumulative + price * (block.timestamp - later.time);
        uint256 start = block.timestamp - window;
        if (isDue(s)) {
            // As if it had been recorded when the period ended, so that it does not matter whether it was.
            uint256 end = (uint256(s.sampledTo) + 1) * SAMPLE_PERIOD;
            later = Checkpoint(uint40(end), uint136(cumulative - price * (block.timestamp - end)));
        }
        if (start >= later.time) return (price, window);

        uint256 count = s.known;
        uint256 newest = s.newest;
        for (uint256 i; i < count; ++i) {
            Checkpoint memory earlier = s.ring[(newest + CHECKPOINTS - i) % CHECKPOINTS];
            known = block.timestamp - earlier.time;
            if (earlier.time <= start) {
                uint256 before = earlier.cumulative
                    + WadMath.mulDivDown(
                        later.cumulative - earlier.cumulative,
                        start - earlier.time,
                        later.time - earlier.time
                    );
                return ((cumulative - before) / window, known);
            }
            later = earlier;
        }
    }

    /// @dev WAD per square root of a day, rounded up.
    function volatility(State storage s) internal view returns (uint256) {
        uint256 square = uint256(s.variance) * WAD;
        uint256 root = FixedPointMathLib.sqrt(square);
        return root * root < square ? root + 1 : root;
    }

    /// @dev The periods `from` … `to` − 1 have ended. In the first, prices were mixed; in the others `price` held.
    function _sample(State storage s, uint256 price, uint256 from, uint256 to) private {
        uint256 end = (from + 1) * SAMPLE_PERIOD;
        Checkpoint memory last = s.ring[s.newest];
        uint256 cumulative = s.cumulative + price * (end - s.accruedAt);
        uint256 mean = (cumulative - last.cumulative) / (end - last.time);

        uint256 tau = s.volatilityPeriod;
        uint256 variance = _step(s.variance, s.lastMean, mean, tau);
        _push(s, end, cumulative);
        if (to - from > 1) {
            variance = _step(variance, mean, price, tau);
            // Then nothing moved any more.
            uint256 kept =
                FixedPointMathLib.rpow(WAD - SAMPLE_PERIOD * WAD / tau, to - from - 2, WAD);
            variance = WadMath.mulUp(variance, kept);
            mean = price;
            _push(s, to * SAMPLE_PERIOD, cumulative + price * (to * SAMPLE_PERIOD - end));
        }
        s.variance = uint96(variance);
        s.lastMean = uint96(mean);
    }

    /// @dev One sample; rounded up. At most max(v, 432·WAD), as r is at most 1 and τ at least an hour.
    function _step(uint256 variance, uint256 from, uint256 to, uint256 tau)
        private
        pure
        returns (uint256)
    {
        uint256 distance = to > from ? to - from : from - to;
        uint256 r = WadMath.min(WAD, WadMath.mulDivUp(distance, WAD, from));
        return variance - variance * SAMPLE_PERIOD / tau
            + WadMath.mulDivUp(r * r, VARIANCE_SECONDS, tau * WAD);
    }

    function _push(State storage s, uint256 time, uint256 cumulative) private {
        uint256 newest = (s.newest + 1) % CHECKPOINTS;
        s.ring[newest] = Checkpoint(uint40(time), uint136(cumulative));
        s.newest = uint8(newest);
        if (s.known < CHECKPOINTS) ++s.known;
    }
}
