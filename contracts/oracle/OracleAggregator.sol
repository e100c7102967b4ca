// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {DerivedPrice} from "./DerivedPrice.sol";
import {MAX_SAMPLES, Sample, toSample, WeightedMedian} from "./WeightedMedian.sol";

/// @title Composes one price per asset out of up to seven sources
contract OracleAggregator is IOracleAggregator {
    using WeightedMedian for Sample[MAX_SAMPLES];

    /// @dev `AssetConfig` with the number of sources; one slot.
    struct Rules {
        uint32 maxStaleness;
        uint32 maxCacheAge;
        uint32 quorumWeight;
        uint64 maxDeviation;
        uint8 sourceCount;
    }

    /// @dev `PriceData` with its expiry; exactly one slot, so that a fresh cached price costs one read.
    struct Cache {
        uint128 price;
        uint40 publishedAt;
        uint40 recordedAt;
        PriceStatus status;
        uint40 freshUntil;
    }

    struct Asset {
        Cache cache;
        Rules rules;
        SourceConfig[MAX_SAMPLES] sources; // One slot each.
    }

    /// @dev A derivation with its depth, 2 or more; 0 if there is none.
    struct Derived {
        AssetId left;
        AssetId right;
        Operation operation;
        uint8 depth;
    }

    /// @notice Gas that every source may use: a binary search through a Uniswap pool's 65,535 observations, cold.
    uint256 public constant SOURCE_GAS = 150_000;
    /// @notice Gas that must be left before a source is called. A call is granted at most 63/64 of what is left,
    /// after 2,600 for a cold account; 1,000 pay for the instructions between the check and the call.
    uint256 public constant REQUIRED_GAS = SOURCE_GAS * 64 / 63 + 3_600;
    /// @notice Largest price that counts, so that it fits a signed 128-bit integer as well.
    uint256 public constant MAX_PRICE = uint256(uint128(type(int128).max));

    /// @notice Greatest depth of an asset: one with sources, and two levels of derivation above it.
    uint256 public constant MAX_DEPTH = 3;

    uint256 private constant MAX_STALENESS = 7 days;
    uint256 private constant ANSWER_BYTES = 96;

    IRoleRegistry public immutable roles;

    mapping(AssetId => Asset) private _assets;
    mapping(AssetId => Derived) private _derived;

    /// @param roles_ Knows the governor.
    constructor(IRoleRegistry roles_) {
        roles = roles_;
    }

    /// @inheritdoc IOracleAggregator
    function configure(AssetId asset, AssetConfig calldata config, SourceConfig[] calldata sources)
        external
    {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        if (_derived[asset].depth != 0) revert OracleAggregator_AlreadyConfigured(asset);
        _requireBounds("maxStaleness", config.maxStaleness, 1, MAX_STALENESS);
        _requireBounds("maxCacheAge", config.maxCacheAge, 0, config.maxStaleness);
        _requireBounds("maxDeviation", config.maxDeviation, 1, WadMath.WAD);
        _requireSources(config.quorumWeight, sources);

        Asset storage state = _assets[asset];
        state.rules = Rules({
            maxStaleness: config.maxStaleness,
            maxCacheAge: config.maxCacheAge,
            quorumWeight: config.quorumWeight,
            maxDeviation: config.maxDeviation,
            sourceCount: uint8(sources.length)
        });
        for (uint256 i; i < MAX_SAMPLES; ++i) {
            if (i < sources.length) state.sources[i] = sources[i];
            else delete state.sources[i];
        }
        // The last price was formed by other rules: it may be remembered, not traded on.
        state.cache.status = PriceStatus.Stale;
        emit AssetConfigured(asset, config, sources);
    }

    /// @inheritdoc IOracleAggregator
    function derive(AssetId asset, Derivation calldata derivation_) external {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        if (_assets[asset].rules.sourceCount != 0 || _derived[asset].depth != 0) {
            revert OracleAggregator_AlreadyConfigured(asset);
        }
        // The asset itself is unknown here, and so is whatever would be derived from it.
        uint256 depth = _depthOf(derivation_.left);
        if (derivation_.operation != Operation.Inverse) {
            depth = WadMath.max(depth, _depthOf(derivation_.right));
        } else if (AssetId.unwrap(derivation_.right) != 0) {
            revert OracleAggregator_UnusedPart(derivation_.right);
        }
        if (++depth > MAX_DEPTH) revert OracleAggregator_TooDeep(asset, depth, MAX_DEPTH);
        _derived[asset] =
            Derived(derivation_.left, derivation_.right, derivation_.operation, uint8(depth));
        emit AssetDerived(asset, derivation_);
    }

    /// @inheritdoc IOracleAggregator
    function record(AssetId asset) external returns (PriceData memory data) {
        return _record(asset, false);
    }

    /// @inheritdoc IOracleAggregator
    function fetch(AssetId asset) external returns (PriceData memory data) {
        bool isFresh;
        (isFresh, data) = _cached(_assets[asset]);
        if (!isFresh) data = _record(asset, true);
    }

    /// @inheritdoc IOracleAggregator
    function latest(AssetId asset) external view returns (PriceData memory data) {
        bool isFresh;
        (isFresh, data) = _cached(_assets[asset]);
        if (!isFresh) data = _read(asset, true);
    }

    /// @inheritdoc IOracleAggregator
    function aggregate(AssetId asset) external view returns (PriceData memory data) {
        return _read(asset, false);
    }

    /// @inheritdoc IOracleAggregator
    function assetConfig(AssetId asset)
        external
        view
        returns (AssetConfig memory config, SourceConfig[] memory sources)
    {
        Asset storage state = _assets[asset];
        Rules memory rules = state.rules;
        if (rules.sourceCount == 0) _requireDerived(asset);
        config = AssetConfig({
            maxStaleness: rules.maxStaleness,
            maxCacheAge: rules.maxCacheAge,
            quorumWeight: rules.quorumWeight,
            maxDeviation: rules.maxDeviation
        });
        sources = new SourceConfig[](rules.sourceCount);
        for (uint256 i; i < sources.length; ++i) {
            sources[i] = state.sources[i];
        }
    }

    /// @inheritdoc IOracleAggregator
    function derivation(AssetId asset)
        external
        view
        returns (Derivation memory derivation_, uint256 depth)
    {
        Derived memory derived = _derived[asset];
        depth = _depthOf(asset);
        derivation_ = Derivation(derived.left, derived.right, derived.operation);
    }

    /// @dev Aggregates and caches, or composes. A derived asset has no cache, which therefore never is fresh.
    /// @param fromCache Whether the parts of a derived asset may answer from their caches.
    function _record(AssetId asset, bool fromCache) private returns (PriceData memory data) {
        Asset storage state = _assets[asset];
        Rules memory rules = state.rules;
        if (rules.sourceCount == 0) return _recordDerived(asset, fromCache);
        data = _aggregate(state, rules);
        state.cache = Cache({
            price: data.price,
            publishedAt: data.publishedAt,
            recordedAt: data.recordedAt,
            status: data.status,
            freshUntil: _freshUntil(data, rules)
        });
        emit PriceRecorded(asset, data);
    }

    function _recordDerived(AssetId asset, bool fromCache) private returns (PriceData memory data) {
        Derived memory derived = _requireDerived(asset);
        data = _recordPart(derived.left, fromCache);
        if (derived.operation == Operation.Inverse) {
            data = DerivedPrice.invert(data, MAX_PRICE);
        } else {
            PriceData memory right = _recordPart(derived.right, fromCache);
            data = DerivedPrice.combine(derived.operation, data, right, MAX_PRICE);
        }
        if (!fromCache) emit PriceRecorded(asset, data);
    }

    function _recordPart(AssetId part, bool fromCache) private returns (PriceData memory data) {
        bool isFresh;
        if (fromCache) (isFresh, data) = _cached(_assets[part]);
        if (!isFresh) data = _record(part, fromCache);
    }

    /// @dev What `_record` returns, without writing.
    function _read(AssetId asset, bool fromCache) private view returns (PriceData memory) {
        Asset storage state = _assets[asset];
        Rules memory rules = state.rules;
        if (rules.sourceCount != 0) return _aggregate(state, rules);
        Derived memory derived = _requireDerived(asset);
        PriceData memory left = _readPart(derived.left, fromCache);
        if (derived.operation == Operation.Inverse) return DerivedPrice.invert(left, MAX_PRICE);
        PriceData memory right = _readPart(derived.right, fromCache);
        return DerivedPrice.combine(derived.operation, left, right, MAX_PRICE);
    }

    function _readPart(AssetId part, bool fromCache) private view returns (PriceData memory data) {
        bool isFresh;
        if (fromCache) (isFresh, data) = _cached(_assets[part]);
        if (!isFresh) data = _read(part, fromCache);
    }

    /// @dev Median, confirmation, status. Without quorum: the last price and its times, `Stale`.
    function _aggregate(Asset storage state, Rules memory rules)
        private
        view
        returns (PriceData memory data)
    {
        (Sample[MAX_SAMPLES] memory samples, uint256 count, uint256 totalWeight) =
            _collect(state, rules);

        // Outliers only lower the weight that counts: too little of it here stays too little.
        if (totalWeight < rules.quorumWeight) return _lastKnown(state);

        uint256 price = samples.median(totalWeight);
        uint256 tolerance = WadMath.mulDown(price, rules.maxDeviation);
        uint256 oldest = block.timestamp;
        uint256 countedWeight;
        for (uint256 i; i < count; ++i) {
            uint256 member = samples[i].priceOf();
            // Distances are whole numbers: above the floor of the limit is above the limit.
            if ((member > price ? member - price : price - member) > tolerance) continue;
            countedWeight += samples[i].weightOf();
            oldest = WadMath.min(oldest, samples[i].publishedAtOf());
        }
        if (countedWeight < rules.quorumWeight) return _lastKnown(state);

        return PriceData({
            price: uint128(price), // ≤ MAX_PRICE, being a mean of members.
            publishedAt: uint40(oldest),
            recordedAt: uint40(block.timestamp),
            status: countedWeight < totalWeight ? PriceStatus.Degraded : PriceStatus.Valid
        });
    }

    /// @dev Asks every source and keeps, in order of price, the answers that may vote.
    function _collect(Asset storage state, Rules memory rules)
        private
        view
        returns (Sample[MAX_SAMPLES] memory samples, uint256 count, uint256 totalWeight)
    {
        for (uint256 i; i < rules.sourceCount; ++i) {
            SourceConfig memory source = state.sources[i];
            (bool ok, uint256 price, uint256 confidence, uint256 publishedAt) = _ask(source.adapter);
            if (!ok || price == 0 || price > MAX_PRICE) continue;
            if (publishedAt > block.timestamp) continue;
            if (block.timestamp - publishedAt > rules.maxStaleness) continue;
            if (confidence > WadMath.mulDown(price, rules.maxDeviation)) continue;
            samples.insert(count++, toSample(price, publishedAt, source.weight));
            totalWeight += source.weight;
        }
    }

    /// @dev Calls one source with its full gas allowance and copies no more than one answer, so that a revert,
    /// a gas burner, a short answer or a return bomb costs at most the allowance and loses a vote.
    function _ask(address adapter)
        private
        view
        returns (bool ok, uint256 price, uint256 confidence, uint256 publishedAt)
    {
        uint256 available = gasleft();
        if (available < REQUIRED_GAS) {
            revert OracleAggregator_InsufficientGas(available, REQUIRED_GAS);
        }

        bytes4 selector = IPriceSource.latest.selector;
        assembly ("memory-safe") {
            let answer := mload(0x40)
            mstore(answer, selector)
            ok := staticcall(SOURCE_GAS, adapter, answer, 4, answer, ANSWER_BYTES)
            ok := and(ok, gt(returndatasize(), sub(ANSWER_BYTES, 1)))
            price := mload(answer)
            confidence := mload(add(answer, 0x20))
            publishedAt := mload(add(answer, 0x40))
        }
    }

    /// @dev The cached aggregate, and whether it may be answered without asking the sources.
    function _cached(Asset storage state)
        private
        view
        returns (bool isFresh, PriceData memory data)
    {
        Cache memory cache = state.cache;
        data = PriceData(cache.price, cache.publishedAt, cache.recordedAt, cache.status);
        isFresh = cache.status != PriceStatus.Stale && block.timestamp <= cache.freshUntil;
    }

    function _lastKnown(Asset storage state) private view returns (PriceData memory data) {
        (, data) = _cached(state);
        data.status = PriceStatus.Stale;
    }

    /// @dev For an asset without sources: reverts if it is not derived either.
    function _requireDerived(AssetId asset) private view returns (Derived memory derived) {
        derived = _derived[asset];
        if (derived.depth == 0) revert OracleAggregator_UnknownAsset(asset);
    }

    function _depthOf(AssetId asset) private view returns (uint256) {
        return _assets[asset].rules.sourceCount != 0 ? 1 : _requireDerived(asset).depth;
    }

    /// @dev The cache ends with its age limit or with its oldest member's, whichever comes first: caching must
    /// not let a price live longer than `maxStaleness`. Both sums fit 40 bits, of a clock and at most 7 days.
    function _freshUntil(PriceData memory data, Rules memory rules) private pure returns (uint40) {
        return uint40(
            WadMath.min(
                uint256(data.recordedAt) + rules.maxCacheAge,
                uint256(data.publishedAt) + rules.maxStaleness
            )
        );
    }

    /// @dev Validates a list of sources and that the quorum is a majority of it.
    function _requireSources(uint256 quorumWeight, SourceConfig[] calldata sources) private view {
        if (sources.length == 0 || sources.length > MAX_SAMPLES) {
            revert OracleAggregator_SourceCount(sources.length, MAX_SAMPLES);
        }
        uint256 totalWeight;
        for (uint256 i; i < sources.length; ++i) {
            address adapter = sources[i].adapter;
            if (adapter.code.length == 0) revert OracleAggregator_NotAContract(adapter);
            if (sources[i].weight == 0) revert OracleAggregator_ZeroWeight(adapter);
            for (uint256 j; j < i; ++j) {
                if (sources[j].adapter == adapter) {
                    revert OracleAggregator_DuplicateSource(adapter);
                }
            }
            totalWeight += sources[i].weight;
        }
        if (2 * quorumWeight <= totalWeight || quorumWeight > totalWeight) {
            revert OracleAggregator_Quorum(quorumWeight, totalWeight);
        }
    }

    function _requireBounds(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum)
        private
        pure
    {
        if (value < minimum || value > maximum) {
            revert OracleAggregator_OutOfBounds(parameter, value, minimum, maximum);
        }
    }
}
