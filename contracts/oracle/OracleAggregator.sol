// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {isFirm, PriceData, PriceStatus, worse} from "../types/Price.sol";
import {AggregateRules} from "./AggregateRules.sol";
import {DerivedPrice} from "./DerivedPrice.sol";
import {MoveCheck} from "./MoveCheck.sol";
import {PriceCache} from "./PriceCache.sol";
import {PriceSeries} from "./PriceSeries.sol";
import {SequencerUptime} from "./SequencerUptime.sol";
import {SourceSet} from "./SourceSet.sol";

/// @title Composes one price per asset out of up to seven sources
contract OracleAggregator is IOracleAggregator {
    using PriceCache for PriceCache.State;
    using PriceSeries for PriceSeries.State;
    using SequencerUptime for SequencerUptime.Config;
    using SourceSet for SourceSet.State;

    struct Asset {
        PriceCache.State cache;
        AggregateRules.Rules rules;
        Confirmation confirmation;
        SourceSet.State sources;
        PriceSeries.State series;
    }

    /// @dev A derivation with its depth, 2 or more; 0 if there is none.
    struct Derived {
        AssetId left;
        AssetId right;
        Operation operation;
        uint8 depth;
    }

    /// @notice Largest price.
    uint256 public constant MAX_PRICE = SourceSet.MAX_PRICE;
    /// @notice Greatest depth of an asset: one with sources, and two levels of derivation above it.
    uint256 public constant MAX_DEPTH = 3;
    /// @notice Seconds from which volatility takes one sample, and after which the anchor is renewed.
    uint256 public constant SAMPLE_PERIOD = PriceSeries.SAMPLE_PERIOD;
    /// @notice Longest window of `twap`, seconds.
    uint256 public constant MAX_WINDOW = PriceSeries.MAX_WINDOW;
    /// @notice Seconds in which a source's reputation rises from one half to one.
    uint256 public constant RECOVERY_PERIOD = SourceSet.RECOVERY_PERIOD;
    /// @notice How much faster a reputation falls than it rises.
    uint256 public constant FALL_FACTOR = SourceSet.FALL_FACTOR;

    IRoleRegistry public immutable roles;
    /// @notice Seconds that shares take to move to those of a new list.
    uint256 public immutable seasoning;

    mapping(AssetId => Asset) private _assets;
    mapping(AssetId => Derived) private _derived;
    SequencerUptime.Config private _uptime;

    /// @param roles_ Knows the governor and the guardian.
    /// @param seasoning_ Seconds, in [1 hour, 30 days].
    constructor(IRoleRegistry roles_, uint256 seasoning_) {
        AggregateRules.requireBounds("seasoning", seasoning_, 1 hours, 30 days);
        roles = roles_;
        seasoning = seasoning_;
    }

    /// @inheritdoc IOracleAggregator
    function configure(AssetId asset, AssetConfig calldata config, SourceConfig[] calldata sources_)
        external
    {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        if (_derived[asset].depth != 0) revert OracleAggregator_AlreadyConfigured(asset);
        AggregateRules.requireValid(config, sources_);

        Asset storage state = _assets[asset];
        // The last price was formed by other rules: it may be remembered, not traded on.
        _settle(state);
        state.rules = AggregateRules.pack(config);
        state.series.volatilityPeriod = uint24(config.volatilityPeriod);
        state.series.initialVolatility = config.initialVolatility;
        state.sources.change(seasoning, config.quorum, sources_);
        emit AssetConfigured(asset, config, sources_);
    }

    /// @inheritdoc IOracleAggregator
    function suspend(AssetId asset, address adapter) external {
        if (!roles.hasRole(Roles.GUARDIAN, msg.sender)) {
            roles.requireRole(Roles.GOVERNOR, msg.sender);
        }
        Asset storage state = _assets[asset];
        if (!state.sources.suspend(adapter)) revert OracleAggregator_UnknownSource(asset, adapter);
        // A price that it took part in may not outlive it.
        _markStale(state);
        emit SourceSuspended(asset, adapter, msg.sender);
    }

    /// @inheritdoc IOracleAggregator
    function derive(AssetId asset, Derivation calldata derivation_) external {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        if (_assets[asset].sources.count != 0 || _derived[asset].depth != 0) {
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
    function setUptimeFeed(IAggregatorV3 feed, uint256 gracePeriod) external {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        bool isNone = address(feed) == address(0);
        if (!isNone && address(feed).code.length == 0) {
            revert OracleAggregator_NotAContract(address(feed));
        }
        AggregateRules.requireBounds(
            "gracePeriod", gracePeriod, 0, isNone ? 0 : SequencerUptime.MAX_GRACE_PERIOD
        );
        _uptime = SequencerUptime.Config(feed, uint32(gracePeriod));
        emit UptimeFeedSet(feed, gracePeriod);
    }

    /// @inheritdoc IOracleAggregator
    function record(AssetId asset) external returns (PriceData memory data) {
        return _record(asset, false);
    }

    /// @inheritdoc IOracleAggregator
    function fetch(AssetId asset) external returns (PriceData memory data) {
        bool isFresh;
        (isFresh, data) = _assets[asset].cache.read();
        if (!isFresh) data = _record(asset, true);
    }

    /// @inheritdoc IOracleAggregator
    function latest(AssetId asset) external view returns (PriceData memory data) {
        return _readPart(asset, true);
    }

    /// @inheritdoc IOracleAggregator
    function aggregate(AssetId asset) external view returns (PriceData memory data) {
        return _read(asset, false);
    }

    /// @inheritdoc IOracleAggregator
    function twap(AssetId asset, uint256 window) external view returns (uint256) {
        AggregateRules.requireBounds("window", window, 1, MAX_WINDOW);
        return _twap(asset, window);
    }

    /// @inheritdoc IOracleAggregator
    function volatility(AssetId asset) public view returns (uint256) {
        PriceSeries.State storage series = _assets[asset].series;
        // A series that has begun says as much as the list of sources, from the slot that is read anyway.
        if (series.lastMean != 0 || _assets[asset].sources.count != 0) return series.volatility();
        Derived memory derived = _requireDerived(asset);
        uint256 left = volatility(derived.left);
        return derived.operation == Operation.Inverse ? left : left + volatility(derived.right);
    }

    /// @inheritdoc IOracleAggregator
    function assetConfig(AssetId asset)
        external
        view
        returns (AssetConfig memory config, SourceConfig[] memory list)
    {
        Asset storage state = _assets[asset];
        if (state.sources.count == 0) {
            _requireDerived(asset);
            return (config, list);
        }
        config = AggregateRules.unpack(state.rules);
        config.quorum = state.sources.quorumTo;
        config.volatilityPeriod = state.series.volatilityPeriod;
        config.initialVolatility = state.series.initialVolatility;
        list = state.sources.targets();
    }

    /// @inheritdoc IOracleAggregator
    function sources(AssetId asset) external view returns (SourceState[] memory) {
        if (_assets[asset].sources.count == 0) _requireDerived(asset);
        return _assets[asset].sources.states(seasoning);
    }

    /// @inheritdoc IOracleAggregator
    function confirmation(AssetId asset) external view returns (Confirmation memory) {
        if (_assets[asset].sources.count == 0) _requireDerived(asset);
        return _confirmationNow(_assets[asset]);
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

    /// @inheritdoc IOracleAggregator
    function uptimeFeed() external view returns (IAggregatorV3 feed, uint256 gracePeriod) {
        return (_uptime.feed, _uptime.gracePeriod);
    }

    /// @dev Aggregates and caches, or composes. A derived asset has no cache, which therefore never is fresh.
    /// @param fromCache Whether the parts of a derived asset may answer from their caches.
    function _record(AssetId asset, bool fromCache) private returns (PriceData memory data) {
        Asset storage state = _assets[asset];
        if (state.sources.count == 0) return _recordDerived(asset, fromCache);

        AggregateRules.Rules memory rules = state.rules;
        SourceSet.Votes memory votes =
            state.sources.collect(seasoning, rules.maxStaleness, rules.maxDeviation);
        (AggregateRules.Formed memory formed, Confirmation memory next) =
            _confirmed(state, rules, votes);
        if (formed.status == PriceStatus.Stale) {
            _markStale(state);
            (, data) = state.cache.read();
        } else {
            uint256 recordedAt = state.cache.recordedAt;
            uint256 elapsed =
                recordedAt == 0 ? 0 : WadMath.min(block.timestamp - recordedAt, rules.maxStaleness);
            state.sources.judge(asset, votes, formed.counted, elapsed);
            data = _accept(state, rules, formed, next);
        }
        emit PriceRecorded(asset, data);
    }

    /// @dev Writes a new aggregate and what follows from it.
    function _accept(
        Asset storage state,
        AggregateRules.Rules memory rules,
        AggregateRules.Formed memory formed,
        Confirmation memory next
    ) private returns (PriceData memory data) {
        uint256 held = _held(state);
        uint256 holds = isFirm(formed.status) ? formed.price : next.anchor;
        if (held == 0) state.series.begin(holds);
        else if (held != holds || state.series.isDue()) state.series.advance(held);

        Confirmation memory known = state.confirmation;
        if (
            known.anchor != next.anchor || known.candidate != next.candidate
                || known.candidateAt != next.candidateAt
        ) {
            state.confirmation = next;
        }
        state.cache.write(rules, formed);
        return AggregateRules.toData(formed, block.timestamp);
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
        if (fromCache) (isFresh, data) = _assets[part].cache.read();
        if (!isFresh) data = _record(part, fromCache);
    }

    /// @dev What `_record` returns, without writing.
    function _read(AssetId asset, bool fromCache) private view returns (PriceData memory data) {
        Asset storage state = _assets[asset];
        if (state.sources.count != 0) {
            AggregateRules.Rules memory rules = state.rules;
            (AggregateRules.Formed memory formed,) = _confirmed(
                state,
                rules,
                state.sources.collect(seasoning, rules.maxStaleness, rules.maxDeviation)
            );
            if (formed.status != PriceStatus.Stale) {
                return AggregateRules.toData(formed, block.timestamp);
            }
            return state.cache.readStale(_confirmationNow(state).anchor).toData();
        }
        Derived memory derived = _requireDerived(asset);
        PriceData memory left = _readPart(derived.left, fromCache);
        if (derived.operation == Operation.Inverse) return DerivedPrice.invert(left, MAX_PRICE);
        PriceData memory right = _readPart(derived.right, fromCache);
        return DerivedPrice.combine(derived.operation, left, right, MAX_PRICE);
    }

    function _readPart(AssetId part, bool fromCache) private view returns (PriceData memory data) {
        bool isFresh;
        if (fromCache) (isFresh, data) = _assets[part].cache.read();
        if (!isFresh) data = _read(part, fromCache);
    }

    /// @dev The aggregate of the votes, no better than moves and the sequencer allow, and what the next one is
    /// compared with.
    function _confirmed(
        Asset storage state,
        AggregateRules.Rules memory rules,
        SourceSet.Votes memory votes
    ) private view returns (AggregateRules.Formed memory formed, Confirmation memory next) {
        formed = AggregateRules.form(rules, votes);
        if (formed.status == PriceStatus.Stale) return (formed, next);

        next = _confirmationNow(state);
        bool isAccepted = true;
        if (next.anchor == 0) {
            next.anchor = uint96(formed.price);
        } else {
            (isAccepted, next) =
                MoveCheck.judge(next, formed.price, rules.maxMove, rules.confirmationDelay);
        }
        if (!isAccepted || !_uptime.isSettled()) {
            formed.status = worse(formed.status, PriceStatus.Unconfirmed);
        }
    }

    /// @dev With the anchor renewed if a period has ended: to the price that held at its end.
    function _confirmationNow(Asset storage state) private view returns (Confirmation memory c) {
        c = state.confirmation;
        if (c.anchor != 0 && state.series.isDue()) c.anchor = uint96(_held(state));
    }

    /// @dev The price that has held since the last record: the last accepted one. While the cached one is not to
    /// be trusted, the anchor stands in for it. Zero before the first.
    function _held(Asset storage state) private view returns (uint256) {
        return isFirm(state.cache.status) ? state.cache.price : state.confirmation.anchor;
    }

    /// @dev Marks the cached price as one not to be used.
    function _markStale(Asset storage state) private {
        if (state.cache.status != PriceStatus.Stale) _settle(state);
    }

    /// @dev Takes in what held until now, because something else may hold from now on, by other rules: `Stale`.
    function _settle(Asset storage state) private {
        uint256 anchor = _confirmationNow(state).anchor;
        if (anchor == 0) return;
        state.series.advance(_held(state));
        state.confirmation.anchor = uint96(anchor);
        state.cache = state.cache.readStale(anchor);
    }

    function _twap(AssetId asset, uint256 window) private view returns (uint256) {
        Asset storage state = _assets[asset];
        if (state.sources.count != 0) {
            uint256 held = _held(state);
            if (held == 0) revert OracleAggregator_HistoryTooShort(asset, 0, window);
            (uint256 average_, uint256 known) = state.series.average(held, window);
            if (known < window) revert OracleAggregator_HistoryTooShort(asset, known, window);
            return average_;
        }
        Derived memory derived = _requireDerived(asset);
        uint256 left = _twap(derived.left, window);
        uint256 price;
        if (derived.operation == Operation.Inverse) {
            price = WadMath.mulDivDown(WadMath.WAD, WadMath.WAD, left);
        } else {
            uint256 right = _twap(derived.right, window);
            price = derived.operation == Operation.Product
                ? WadMath.mulDown(left, right)
                : WadMath.mulDivDown(left, WadMath.WAD, right);
        }
        if (price == 0 || price > MAX_PRICE) revert OracleAggregator_NoAverage(asset, price);
        return price;
    }

    /// @dev For an asset without sources: reverts if it is not derived either.
    function _requireDerived(AssetId asset) private view returns (Derived memory derived) {
        derived = _derived[asset];
        if (derived.depth == 0) revert OracleAggregator_UnknownAsset(asset);
    }

    function _depthOf(AssetId asset) private view returns (uint256) {
        return _assets[asset].sources.count != 0 ? 1 : _requireDerived(asset).depth;
    }
}
