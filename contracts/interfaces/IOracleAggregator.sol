// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "../types/AssetId.sol";
import {PriceData} from "../types/Price.sol";
import {IAggregatorV3} from "./IAggregatorV3.sol";

/// @title Composes one price per asset out of up to seven sources
/// @notice The aggregate is the weighted median of the sources that answered and are fresh, agreed on by a quorum
/// within `maxDeviation` of it, and confirmed by a second look if it moved too fast. A source can lose its vote,
/// never brick the aggregate. `docs/spec/oracle.md` derives every formula.
/// @dev *Shares.* Sources have shares of 10,000. A source's vote weighs its share in force times its reputation;
/// the quorum counts shares alone, so that sources of good repute cannot outvote a majority that was away.
///
/// *Median*: the smallest price whose cumulative weight, in ascending order of price, exceeds half of the total.
/// Where the lower prices hold exactly half, it is the mean of the two prices next to the cut, rounded down, so
/// that neither half decides alone. While less than half of the answering weight is faulty, the median lies
/// between two honest prices.
///
/// *Outliers*: members beyond `maxDeviation` of the median count neither for the quorum nor for `publishedAt` nor
/// for the confidence, and they degrade the status. They do not move the price, and there is no second median
/// over the rest: honest members may be among the dropped, and a minority that is not could then move the price
/// beyond every honest one.
///
/// *Confidence*: the larger of two weighted medians over the counted members (the smallest value whose cumulative
/// weight reaches half of theirs): of their distances from the price, and of their own confidences. A minority can
/// neither hide nor fake it. Above `maxConfidence` of the price the status is `Degraded`.
///
/// *Reputation*: a source is judged whenever a quorum is recorded. The time since the last judgement (at most
/// `maxStaleness` of it) counts for it if it was a counted member both times, against it `FALL_FACTOR` times if
/// it was none both times, and not at all otherwise. From one half, the least, to one it takes `RECOVERY_PERIOD`.
/// How often anyone records does not matter beyond the resolution with which sources are seen.
///
/// *Confirmation*: an aggregate further than `maxMove` from the anchor is `Unconfirmed`, and a candidate. It is
/// accepted if it is seen again, within `maxMove` of the candidate, `confirmationDelay` or later; seen elsewhere it
/// is a new candidate. The anchor is the accepted price at the last multiple of `SAMPLE_PERIOD`, or one that was
/// confirmed since. The price is reported as it is, never clamped.
///
/// *Series*: accepted prices feed a time-weighted average and a volatility (see `PriceSeries`). A price counts from
/// its record to the next, so that one that is replaced in the same second counts for nothing. While the cached one is
/// `Stale` or `Unconfirmed`, the anchor counts.
///
/// *Changing sources*: the shares of a new list are reached linearly within `seasoning` seconds. A new source
/// begins at zero, one that is left out ends there. Only the first list of an asset is in force at once.
///
/// Every source is called with a fixed gas allowance. A call that cannot be given all of it reverts, so that
/// no caller can silence a source by sending too little gas: callers must send more gas than will be used.
///
/// An asset may instead be *derived*: the inverse of another asset, or the product or quotient of two. It has no
/// sources and no cache of its own: every answer is computed from what its parts answer to the same question,
/// rounded down once. Its status is the worst of its parts', its times are the oldest, its relative confidence is
/// the sum of theirs. A price that would be zero or too large is `Stale`, and then zero or the largest price. Parts
/// must be configured first and a derivation is for good, so that no asset can come to depend on itself.
interface IOracleAggregator {
    /// @param adapter An `IPriceSource`.
    /// @param share Basis points of the vote, > 0; those of an asset's sources add up to 10,000.
    struct SourceConfig {
        address adapter;
        uint16 share;
    }

    /// @param maxStaleness Seconds after its publication for which a source's price still counts, in [1, 7 days].
    /// @param maxCacheAge Seconds after recording for which `latest` answers from the cache, ≤ `maxStaleness`;
    /// zero: for the rest of the block.
    /// @param quorum Least total share of counted sources, basis points in (5,000, 10,000].
    /// @param confirmationDelay Seconds after which a move beyond `maxMove` counts as seen again, in [1, 1 hour].
    /// @param maxDeviation WAD fraction of the median beyond which a source is an outlier, and of a source's own
    /// price beyond which its confidence is too wide to count, in (0, 1].
    /// @param maxConfidence WAD fraction of the price beyond which the aggregate's confidence degrades it, in
    /// (0, `maxDeviation`].
    /// @param maxMove WAD fraction of the anchor beyond which a price needs confirmation, in [`maxDeviation`, 1].
    /// @param volatilityPeriod Seconds: mean age of the samples in the volatility, in [1 hour, 30 days].
    /// @param initialVolatility WAD per square root of a day: where the volatility starts, in [0, 10]. Used once.
    struct AssetConfig {
        uint32 maxStaleness;
        uint32 maxCacheAge;
        uint16 quorum;
        uint16 confirmationDelay;
        uint64 maxDeviation;
        uint64 maxConfidence;
        uint64 maxMove;
        uint32 volatilityPeriod;
        uint64 initialVolatility;
    }

    /// @param adapter The source.
    /// @param share WAD: share in force now, before reputation.
    /// @param targetShare Basis points that it is on its way to; 0 if it is leaving.
    /// @param reputation WAD factor in [0.5, 1], as of the last judgement.
    /// @param isCounted Whether it was a counted member at the last judgement.
    struct SourceState {
        address adapter;
        uint64 share;
        uint16 targetShare;
        uint64 reputation;
        bool isCounted;
    }

    /// @notice What a new aggregate is compared with.
    /// @param anchor WAD accepted price.
    /// @param candidate WAD price that waits for confirmation; 0 if none does.
    /// @param candidateAt Unix seconds at which it was first seen.
    struct Confirmation {
        uint96 anchor;
        uint96 candidate;
        uint40 candidateAt;
    }

    /// @notice How a derived price comes from its parts. All prices are WAD.
    enum Operation {
        /// 1 / left.
        Inverse,
        /// left · right.
        Product,
        /// left / right.
        Quotient
    }

    /// @param left First part.
    /// @param right Second part; zero for an inverse.
    struct Derivation {
        AssetId left;
        AssetId right;
        Operation operation;
    }

    event AssetConfigured(AssetId indexed asset, AssetConfig config, SourceConfig[] sources);
    event AssetDerived(AssetId indexed asset, Derivation derivation);
    event SourceSuspended(AssetId indexed asset, address indexed adapter, address indexed by);
    event UptimeFeedSet(IAggregatorV3 feed, uint256 gracePeriod);
    event PriceRecorded(AssetId indexed asset, PriceData data);
    event ReputationChanged(
        AssetId indexed asset, address indexed adapter, uint256 reputation, bool isCounted
    );

    /// @notice Thrown when an asset has no configuration.
    error OracleAggregator_UnknownAsset(AssetId asset);
    /// @notice Thrown when an asset is derived that is known already, or sources are set for a derived one.
    error OracleAggregator_AlreadyConfigured(AssetId asset);
    /// @notice Thrown when an asset would be derived from more levels of parts than the maximum.
    error OracleAggregator_TooDeep(AssetId asset, uint256 depth, uint256 maximum);
    /// @notice Thrown when an inverse names a second part.
    error OracleAggregator_UnusedPart(AssetId part);
    /// @notice Thrown when the number of sources, with those that are still leaving, is zero or above the maximum.
    error OracleAggregator_SourceCount(uint256 count, uint256 maximum);
    /// @notice Thrown when an adapter has no code.
    error OracleAggregator_NotAContract(address adapter);
    /// @notice Thrown when the same adapter is listed twice: it would vote twice.
    error OracleAggregator_DuplicateSource(address adapter);
    /// @notice Thrown when a share is zero.
    error OracleAggregator_ZeroShare(address adapter);
    /// @notice Thrown when shares do not add up.
    error OracleAggregator_TotalShare(uint256 total, uint256 required);
    /// @notice Thrown when an adapter is suspended that is no source of the asset.
    error OracleAggregator_UnknownSource(AssetId asset, address adapter);
    /// @notice Thrown when a parameter lies outside of its bounds.
    error OracleAggregator_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown when less is known of the past than an average asks for.
    error OracleAggregator_HistoryTooShort(AssetId asset, uint256 known, uint256 window);
    /// @notice Thrown when the average of a derived asset is no price: zero, or too large.
    error OracleAggregator_NoAverage(AssetId asset, uint256 average);

    /// @notice Sets an asset's rules at once and lets the quorum and its sources' shares move. Only the governor. The
    /// cached price is kept, marked `Stale`, until it is recorded under the new rules.
    function configure(AssetId asset, AssetConfig calldata config, SourceConfig[] calldata sources)
        external;

    /// @notice Takes a source's vote at once. Only the guardian or the governor. What it held still counts for the
    /// quorum's denominator; a new `configure` may name it again, from zero.
    function suspend(AssetId asset, address adapter) external;

    /// @notice Derives an asset from others, for good. Only the governor. The asset must be unknown, its parts
    /// known; with sources at depth 1 and a derived asset one deeper than its deepest part, depth is at most 3.
    function derive(AssetId asset, Derivation calldata derivation_) external;

    /// @notice Sets the feed that says whether the chain's sequencer is up (answer 0, since `startedAt`). Only the
    /// governor. Until it has been up for `gracePeriod`, and whenever the feed fails, no new aggregate is better
    /// than `Unconfirmed`: those who were cut off come first.
    /// @param feed Zero address: no feed, nothing to wait for.
    /// @param gracePeriod Seconds, at most 1 day; zero without a feed.
    function setUptimeFeed(IAggregatorV3 feed, uint256 gracePeriod) external;

    /// @notice Aggregates live and caches the result. Anyone may call it, at any time.
    /// @return data The new aggregate. Without quorum the last accepted price and the last times are kept and
    /// its status is `Stale`. A source that is merely missing does not degrade the status while the quorum stands. Of a derived
    /// asset, the parts are recorded.
    function record(AssetId asset) external returns (PriceData memory data);

    /// @notice The cached aggregate if it is `Degraded` or `Valid`, at most `maxCacheAge` old, and its oldest member
    /// at most `maxStaleness` old; else the cache is refreshed.
    /// @dev What state-changing callers use.
    function fetch(AssetId asset) external returns (PriceData memory data);

    /// @notice What `fetch` would return, without writing.
    function latest(AssetId asset) external view returns (PriceData memory data);

    /// @notice Aggregates live, whatever is cached, without writing.
    function aggregate(AssetId asset) external view returns (PriceData memory data);

    /// @notice Time-weighted average of the accepted prices over the last `window` seconds, rounded down. Of a
    /// derived asset, the formula of its parts' averages. A window that begins inside of a period that has ended
    /// begins at that period's average.
    /// @param window Seconds, in [1, 75 minutes].
    function twap(AssetId asset, uint256 window) external view returns (uint256);

    /// @notice WAD per square root of a day: exponentially weighted realised volatility, rounded up, up to the last
    /// multiple of `SAMPLE_PERIOD` that was recorded; zero before the first price. Of a derived asset, the sum of its
    /// parts'.
    function volatility(AssetId asset) external view returns (uint256);

    /// @notice An asset's rules, and the sources that it is on its way to; all zero and empty if it is derived.
    function assetConfig(AssetId asset)
        external
        view
        returns (AssetConfig memory, SourceConfig[] memory);

    /// @notice An asset's sources as they vote now, with those that are leaving; empty if it is derived.
    function sources(AssetId asset) external view returns (SourceState[] memory);

    /// @notice What the asset's next aggregate is compared with if it is recorded now; all zero if it is derived.
    function confirmation(AssetId asset) external view returns (Confirmation memory);

    /// @notice How an asset is derived, and its depth: 1 and an empty derivation if it has sources.
    function derivation(AssetId asset)
        external
        view
        returns (Derivation memory derivation_, uint256 depth);

    /// @notice The sequencer's feed (zero address: none) and its grace period in seconds.
    function uptimeFeed() external view returns (IAggregatorV3 feed, uint256 gracePeriod);
}
