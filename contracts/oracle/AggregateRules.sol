// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {SourceSet} from "./SourceSet.sol";
import {MAX_SAMPLES, Sample, toSample, WeightedMedian} from "./WeightedMedian.sol";

/// @notice An asset's rules, which of them are valid, and the aggregate that they make of votes.
library AggregateRules {
    using WeightedMedian for Sample[MAX_SAMPLES];

    uint256 private constant WAD = WadMath.WAD;
    /// @dev Confidence is kept in billionths of the price.
    uint256 private constant BILLION = 1e9;
    uint256 private constant MAX_STALENESS = 7 days;

    /// @dev The part of `AssetConfig` that every record needs; one slot.
    struct Rules {
        uint24 maxStaleness;
        uint24 maxCacheAge;
        uint16 confirmationDelay;
        uint64 maxDeviation;
        uint64 maxConfidence;
        uint64 maxMove;
    }

    /// @dev An aggregate, in memory.
    /// @param price WAD.
    /// @param confidence Billionths of the price, rounded up; at most 2e9, as members are at most twice the price.
    /// @param publishedAt Unix seconds.
    /// @param counted Bit i: source i is a counted member.
    /// @param status `Stale` if there is no quorum, and then nothing else is set.
    struct Formed {
        uint256 price;
        uint256 confidence;
        uint256 publishedAt;
        uint256 counted;
        PriceStatus status;
    }

    /// @dev Median, quorum, confidence, status; without regard to what was known before.
    function form(Rules memory rules, SourceSet.Votes memory v)
        internal
        view
        returns (Formed memory formed)
    {
        if (v.count == 0) return formed;
        uint256 price = v.samples.median(v.weight);
        uint256 tolerance = WadMath.mulDown(price, rules.maxDeviation);
        Sample[MAX_SAMPLES] memory distances;
        Sample[MAX_SAMPLES] memory widths;
        uint256 members;
        uint256 weight;
        uint256 share;
        formed.publishedAt = block.timestamp;
        for (uint256 i; i < v.count; ++i) {
            Sample sample = v.samples[i];
            uint256 member = sample.valueOf();
            uint256 distance = member > price ? member - price : price - member;
            // Distances are whole numbers: above the floor of the limit is above the limit.
            if (distance > tolerance) continue;
            uint256 index = sample.indexOf();
            distances.insert(members, toSample(distance, 0, sample.weightOf(), index));
            widths.insert(members, toSample(v.confidences[index], 0, sample.weightOf(), index));
            ++members;
            weight += sample.weightOf();
            share += v.shares[index];
            formed.counted |= 1 << index;
            formed.publishedAt = WadMath.min(formed.publishedAt, sample.timeOf());
        }
        if (share < v.quorum) return Formed(0, 0, 0, 0, PriceStatus.Stale);

        uint256 width = WadMath.max(distances.lowerMedian(weight), widths.lowerMedian(weight));
        formed.price = price;
        formed.confidence = WadMath.mulDivUp(width, BILLION, price);
        bool isWide = formed.confidence * WAD > uint256(rules.maxConfidence) * BILLION;
        formed.status = isWide || members < v.count ? PriceStatus.Degraded : PriceStatus.Valid;
    }

    function toData(Formed memory formed, uint256 recordedAt)
        internal
        pure
        returns (PriceData memory)
    {
        return PriceData({
            price: uint128(formed.price),
            confidence: uint128(widthOf(formed.price, formed.confidence)),
            publishedAt: uint40(formed.publishedAt),
            recordedAt: uint40(recordedAt),
            status: formed.status
        });
    }

    /// @dev WAD half-width of billionths of a price, rounded up.
    function widthOf(uint256 price, uint256 confidence) internal pure returns (uint256) {
        return WadMath.mulDivUp(price, confidence, BILLION);
    }

    function pack(IOracleAggregator.AssetConfig calldata config)
        internal
        pure
        returns (Rules memory)
    {
        return Rules({
            maxStaleness: uint24(config.maxStaleness),
            maxCacheAge: uint24(config.maxCacheAge),
            confirmationDelay: config.confirmationDelay,
            maxDeviation: config.maxDeviation,
            maxConfidence: config.maxConfidence,
            maxMove: config.maxMove
        });
    }

    function unpack(Rules memory rules)
        internal
        pure
        returns (IOracleAggregator.AssetConfig memory config)
    {
        config.maxStaleness = rules.maxStaleness;
        config.maxCacheAge = rules.maxCacheAge;
        config.confirmationDelay = rules.confirmationDelay;
        config.maxDeviation = rules.maxDeviation;
        config.maxConfidence = rules.maxConfidence;
        config.maxMove = rules.maxMove;
    }

    /// @dev Reverts unless all parameters and the list of sources are valid in themselves.
    function requireValid(
        IOracleAggregator.AssetConfig calldata config,
        IOracleAggregator.SourceConfig[] calldata sources
    ) internal view {
        requireBounds("maxStaleness", config.maxStaleness, 1, MAX_STALENESS);
        requireBounds("maxCacheAge", config.maxCacheAge, 0, config.maxStaleness);
        requireBounds("quorum", config.quorum, SourceSet.TOTAL_SHARE / 2 + 1, SourceSet.TOTAL_SHARE);
        requireBounds("confirmationDelay", config.confirmationDelay, 1, 1 hours);
        requireBounds("maxDeviation", config.maxDeviation, 1, WAD);
        requireBounds("maxConfidence", config.maxConfidence, 1, config.maxDeviation);
        requireBounds("maxMove", config.maxMove, config.maxDeviation, WAD);
        requireBounds("volatilityPeriod", config.volatilityPeriod, 1 hours, 30 days);
        requireBounds("initialVolatility", config.initialVolatility, 0, 10 * WAD);

        if (sources.length == 0 || sources.length > MAX_SAMPLES) {
            revert IOracleAggregator.OracleAggregator_SourceCount(sources.length, MAX_SAMPLES);
        }
        uint256 total;
        for (uint256 i; i < sources.length; ++i) {
            address adapter = sources[i].adapter;
            if (adapter.code.length == 0) {
                revert IOracleAggregator.OracleAggregator_NotAContract(adapter);
            }
            if (sources[i].share == 0) {
                revert IOracleAggregator.OracleAggregator_ZeroShare(adapter);
            }
            for (uint256 j; j < i; ++j) {
                if (sources[j].adapter == adapter) {
                    revert IOracleAggregator.OracleAggregator_DuplicateSource(adapter);
                }
            }
            total += sources[i].share;
        }
        if (total != SourceSet.TOTAL_SHARE) {
            revert IOracleAggregator.OracleAggregator_TotalShare(total, SourceSet.TOTAL_SHARE);
        }
    }

    function requireBounds(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum)
        internal
        pure
    {
        if (value < minimum || value > maximum) {
            revert IOracleAggregator.OracleAggregator_OutOfBounds(
                parameter, value, minimum, maximum
            );
        }
    }
}
