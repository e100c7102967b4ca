// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice One source's answer, packed so that a sorted list of samples is a sorted list of words:
/// price (128 bits) | publishedAt (40) | weight (32) | zero (56).
type Sample is uint256;

/// @dev As many as an asset may have sources.
uint256 constant MAX_SAMPLES = 7;

using {priceOf, publishedAtOf, weightOf} for Sample global;

/// @dev Callers have bounded the price to 128 and the time to 40 bits.
function toSample(uint256 price, uint256 publishedAt, uint32 weight) pure returns (Sample) {
    return Sample.wrap((price << 128) | (publishedAt << 88) | (uint256(weight) << 56));
}

function priceOf(Sample sample) pure returns (uint256) {
    return Sample.unwrap(sample) >> 128;
}

function publishedAtOf(Sample sample) pure returns (uint256) {
    return uint40(Sample.unwrap(sample) >> 88);
}

function weightOf(Sample sample) pure returns (uint256) {
    return uint32(Sample.unwrap(sample) >> 56);
}

/// @notice Weighted median of at most seven samples, kept in ascending order of price.
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

    /// @dev The smallest price whose cumulative weight exceeds half of `totalWeight`; if the samples up to some
    /// price hold exactly half, the mean of that price and the next, rounded down.
    /// @param totalWeight Sum of the weights of the first `count` samples, > 0; at most 7·2^32.
    function median(Sample[MAX_SAMPLES] memory samples, uint256 totalWeight)
        internal
        pure
        returns (uint256)
    {
        uint256 i;
        uint256 cumulative = samples[0].weightOf();
        while (2 * cumulative < totalWeight) {
            cumulative += samples[++i].weightOf();
        }
        uint256 price = samples[i].priceOf();
        // Weights are positive, so there is a next sample. The sum of two 127-bit prices does not overflow.
        return 2 * cumulative == totalWeight ? (price + samples[i + 1].priceOf()) >> 1 : price;
    }
}
