// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "../types/AssetId.sol";
import {PriceData} from "../types/Price.sol";

/// @title Composes one price per asset out of up to seven sources
/// @notice The aggregate is the weighted median of the sources that answered and are fresh, confirmed by a
/// quorum of weight within `maxDeviation` of it. A source can lose its vote, never brick the aggregate.
/// @dev Median: the smallest price whose cumulative weight, in ascending order of price, exceeds half of the
/// total. Where the lower prices hold exactly half, it is the mean of the two prices next to the cut, rounded
/// down, so that neither half decides alone. While less than half of the answering weight is faulty, the
/// median lies between two honest prices.
///
/// Members beyond `maxDeviation` of the median are outliers: they count neither for the quorum nor for
/// `publishedAt`, and they degrade the status. They do not move the price, and there is no second median over
/// the rest: honest members may be among the dropped, and a minority that is not could then move the price
/// beyond every honest one.
///
/// Every source is called with a fixed gas allowance. A call that cannot be given all of it reverts, so that
/// no caller can silence a source by sending too little gas: callers must send more gas than will be used.
///
/// An asset may instead be *derived*: the inverse of another asset, or the product or quotient of two. It has no
/// sources and no cache of its own: every answer is computed from what its parts answer to the same question,
/// rounded down once. Its status is the worst of its parts' and its times are the oldest. A price that would be
/// zero or too large is `Stale`, and then zero or the largest price. Parts must be configured first and a
/// derivation is for good, so that no asset can come to depend on itself.
interface IOracleAggregator {
    /// @param adapter An `IPriceSource`.
    /// @param weight Voting weight, > 0.
    struct SourceConfig {
        address adapter;
        uint32 weight;
    }

    /// @param maxStaleness Seconds after its publication for which a source's price still counts, in [1, 7 days].
    /// @param maxCacheAge Seconds after recording for which `latest` answers from the cache, ≤ `maxStaleness`;
    /// zero: for the rest of the block.
    /// @param quorumWeight Least total weight of counted sources; above half of the configured weight.
    /// @param maxDeviation WAD fraction of the median beyond which a source is an outlier, and of a source's own
    /// price beyond which its confidence is too wide to count, in (0, 1].
    struct AssetConfig {
        uint32 maxStaleness;
        uint32 maxCacheAge;
        uint32 quorumWeight;
        uint64 maxDeviation;
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
    event PriceRecorded(AssetId indexed asset, PriceData data);

    /// @notice Thrown when an asset has no configuration.
    error OracleAggregator_UnknownAsset(AssetId asset);
    /// @notice Thrown when an asset is derived that is known already, or sources are set for a derived one.
    error OracleAggregator_AlreadyConfigured(AssetId asset);
    /// @notice Thrown when an asset would be derived from more levels of parts than the maximum.
    error OracleAggregator_TooDeep(AssetId asset, uint256 depth, uint256 maximum);
    /// @notice Thrown when an inverse names a second part.
    error OracleAggregator_UnusedPart(AssetId part);
    /// @notice Thrown when the number of sources is zero or above the maximum.
    error OracleAggregator_SourceCount(uint256 count, uint256 maximum);
    /// @notice Thrown when an adapter has no code.
    error OracleAggregator_NotAContract(address adapter);
    /// @notice Thrown when the same adapter is listed twice: it would vote twice.
    error OracleAggregator_DuplicateSource(address adapter);
    /// @notice Thrown when a weight is zero.
    error OracleAggregator_ZeroWeight(address adapter);
    /// @notice Thrown when the quorum is not above half of, or exceeds, the total weight.
    error OracleAggregator_Quorum(uint256 quorumWeight, uint256 totalWeight);
    /// @notice Thrown when a parameter lies outside of its bounds.
    error OracleAggregator_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown when the gas left cannot grant a source its full allowance.
    error OracleAggregator_InsufficientGas(uint256 available, uint256 required);

    /// @notice Replaces an asset's sources and rules. Only the governor. The cached price is kept, marked
    /// `Stale`, until the new sources record one.
    function configure(AssetId asset, AssetConfig calldata config, SourceConfig[] calldata sources)
        external;

    /// @notice Derives an asset from others, for good. Only the governor. The asset must be unknown, its parts
    /// known; with sources at depth 1 and a derived asset one deeper than its deepest part, depth is at most 3.
    function derive(AssetId asset, Derivation calldata derivation_) external;

    /// @notice Aggregates live and caches the result. Anyone may call it, at any time.
    /// @return data The new aggregate. Without quorum the last price and its times are kept and its status is
    /// `Stale`. A source that is merely missing does not degrade the status while the quorum stands. Of a derived
    /// asset, the parts are recorded.
    function record(AssetId asset) external returns (PriceData memory data);

    /// @notice The cached aggregate if it is at most `maxCacheAge` old, its oldest member at most `maxStaleness`
    /// old, and not `Stale`; else the cache is refreshed.
    /// @dev What state-changing callers use.
    function fetch(AssetId asset) external returns (PriceData memory data);

    /// @notice What `fetch` would return, without writing.
    function latest(AssetId asset) external view returns (PriceData memory data);

    /// @notice Aggregates live, whatever is cached, without writing.
    function aggregate(AssetId asset) external view returns (PriceData memory data);

    /// @notice An asset's rules and sources; all zero and empty if it is derived.
    function assetConfig(AssetId asset)
        external
        view
        returns (AssetConfig memory, SourceConfig[] memory);

    /// @notice How an asset is derived, and its depth: 1 and an empty derivation if it has sources.
    function derivation(AssetId asset)
        external
        view
        returns (Derivation memory derivation_, uint256 depth);
}
