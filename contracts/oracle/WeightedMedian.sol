// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice One vote, packed so that a sorted list of samples is a sorted list of words:
/// value (128 bits) | time (40) | weight (80) | index of the source (8).
type Sample is uint256;

/// @dev As many as an asset may have sources.
uint256 constant MAX_SAMPLES = 7;

using {valueOf, timeOf, weightOf, indexOf} for Sample global;

/// @dev Callers have bounded the value to 128, the time to 40, the weight to 80 bits.
function toSample(uint256 value, uint256 time, uint256 weight, uint256 index)
    pure
    returns (Sample)
{
    return Sample.wrap((value << 128) | (time << 88) | (weight << 8) | index);
}

function valueOf(Sample sample) pure returns (uint256) {
    return Sample.unwrap(sample) >> 128;
}

function timeOf(Sample sample) pure returns (uint256) {
    return uint40(Sample.unwrap(sample) >> 88);
}

function weightOf(Sample sample) pure returns (uint256) {
    return uint80(Sample.unwrap(sample) >> 8);
}

function indexOf(Sample sample) pure returns (uint256) {
    return uint8(Sample.unwrap(sample));
}

/// @notice Weighted medians of at most seven samples, kept in ascending order of value.
library WeightedMedian {
    /// @dev Inserts into the first `count` samples, which are sorted; `count` < MAX_SAMPLES.
    function insert(Sample[MAX_SAMPLES] memory samples, uint256 count, Sample sample)
        internal
        pure
    {
        uint256 i = count;
        while (i > 0 && Sample.unwrap(samples[i - 1]) > Sample.unwrap(sample)) {
            samples[i] = samples[i - 1];
            --i;
        }
        samples[i] = sample;
    }

    /// @dev The smallest value whose cumulative weight exceeds half of `totalWeight`; if the samples up to some
    /// value hold exactly half, the mean of that value and the next, rounded down.
    /// @param totalWeight Sum of the weights of all samples, > 0; each weight is.
    function median(Sample[MAX_SAMPLES] memory samples, uint256 totalWeight)
        internal
        pure
        returns (uint256)
    {
        (uint256 i, bool isSplit) = _middle(samples, totalWeight);
        uint256 value = samples[i].valueOf();
        // Weights are positive, so there is a next sample.
        return isSplit ? (value + samples[i + 1].valueOf()) >> 1 : value;
    }

    /// @dev The smallest value whose cumulative weight is at least half of `totalWeight`.
    function lowerMedian(Sample[MAX_SAMPLES] memory samples, uint256 totalWeight)
        internal
        pure
        returns (uint256)
    {
        (uint256 i,) = _middle(samples, totalWeight);
        return samples[i].valueOf();
    }

    function _middle(Sample[MAX_SAMPLES] memory samples, uint256 totalWeight)
        private
        pure
        returns (uint256 i, bool isSplit)
    {
        uint256 cumulative = samples[0].weightOf();
        while (2 * cumulative < totalWeight) {
            cumulative += samples[++i].weightOf();
        }
        isSplit = 2 * cumulative == totalWeight;
    }
}
