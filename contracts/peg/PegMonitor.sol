// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBackingSource} from "../interfaces/IBackingSource.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPegMonitor, PegCondition} from "../interfaces/IPegMonitor.sol";
import {IRateSource} from "../interfaces/IRateSource.sol";
import {IRedemptionQueue} from "../interfaces/IRedemptionQueue.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";
import {Roles} from "../libraries/Roles.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {isFirm, PriceData, PriceStatus, worse} from "../types/Price.sol";
import {PegMath} from "./PegMath.sol";

/// @title Watches pegged assets and says what they are worth as collateral
contract PegMonitor is IPegMonitor {
    uint256 private constant WAD = WadMath.WAD;
    uint256 private constant MAX_AGE = 1 days;
    uint256 private constant MIN_DECAY_PERIOD = 1 hours;
    uint256 private constant MAX_DECAY_PERIOD = 365 days;
    uint256 private constant MAX_SLOPE = 10 * WAD;

    IRoleRegistry public immutable roles;
    IOracleAggregator public immutable oracle;

    // Eight slots each, the three that every valuation reads first.
    mapping(AssetId => PegConfig) private _configs;
    mapping(AssetId => PegState) private _states; // Two slots each.

    /// @param roles_ Knows the governor.
    /// @param oracle_ Prices the underlying assets and the market ratios.
    constructor(IRoleRegistry roles_, IOracleAggregator oracle_) {
        roles = roles_;
        oracle = oracle_;
    }

    /// @inheritdoc IPegMonitor
    function configure(AssetId asset, PegConfig calldata config) external {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        _requireValid(config);

        PegState memory state = _states[asset];
        if (state.pokedAt != 0) {
            PegConfig memory old = _configs[asset];
            state.stress = _stressAfter(old, state, state, block.timestamp - state.pokedAt);
            state.pokedAt = uint40(block.timestamp);
            if (old.rateSource != config.rateSource) state.highestRate = 0;
            _states[asset] = state;
        }
        _configs[asset] = config;
        emit PegConfigured(asset, config);
        (, bool[3] memory answered) = _poke(asset, state.condition);
        if (!answered[0]) revert PegMonitor_SourceFailed(config.rateSource);
        if (!answered[1]) revert PegMonitor_SourceFailed(config.backingSource);
        if (!answered[2]) revert PegMonitor_SourceFailed(config.queue);
    }

    /// @inheritdoc IPegMonitor
    function clear(AssetId asset) external {
        roles.requireRole(Roles.GOVERNOR, msg.sender);
        PegState storage state = _states[asset];
        if (state.pokedAt == 0) revert PegMonitor_UnknownAsset(asset);
        PegCondition cleared = state.condition;
        (state.condition, state.highestRate) = (PegCondition.Sound, 0);
        emit PegCleared(asset);
        _poke(asset, cleared);
    }

    /// @inheritdoc IPegMonitor
    function poke(AssetId asset) external returns (PegState memory state) {
        state = _states[asset];
        if (state.pokedAt == 0) revert PegMonitor_UnknownAsset(asset);
        (state,) = _poke(asset, state.condition);
    }

    /// @inheritdoc IPegMonitor
    function pegState(AssetId asset) external view returns (PegState memory state) {
        state = _states[asset];
        if (state.pokedAt == 0) revert PegMonitor_UnknownAsset(asset);
    }

    /// @inheritdoc IPegMonitor
    function pegConfig(AssetId asset) external view returns (PegConfig memory) {
        if (_states[asset].pokedAt == 0) revert PegMonitor_UnknownAsset(asset);
        return _configs[asset];
    }

    /// @inheritdoc IPegMonitor
    function valuation(AssetId asset) external view returns (PegValuation memory value) {
        PegState memory recorded = _states[asset];
        if (recorded.pokedAt == 0) revert PegMonitor_UnknownAsset(asset);
        PegConfig storage stored = _configs[asset];
        bool isLive = block.timestamp - recorded.pokedAt > stored.maxAge || !isFirm(recorded.status);
        // Without discount and stress there is nothing to weigh.
        if (!isLive && recorded.stress == 0 && recorded.marketRate >= recorded.fairRate) {
            return _soundValuation(recorded, _underlying(stored.underlying));
        }
        PegConfig memory config = isLive ? stored : _valuationRules(stored);
        PegState memory state = recorded;
        if (isLive) {
            (state,) = _observe(config, recorded, oracle.latest(config.marketRatio));
        }
        uint256 elapsed = block.timestamp - recorded.pokedAt;
        // Without a new look at the market, the last one counts for as long as it may alone.
        if (isLive && state.pokedAt == recorded.pokedAt) {
            elapsed = WadMath.min(elapsed, config.maxAge);
        }
        uint256 stress = _stressAfter(config, recorded, state, elapsed);
        value.stress = stress;
        value.discount = PegMath.discount(state.fairRate, state.marketRate);
        value.condition = state.condition;
        if (isLive) {
            state.stress = uint64(stress);
            // What became better since is for a poke to say.
            PegCondition current = PegMath.condition(config, state, value.discount);
            if (current > value.condition) value.condition = current;
        } else if (stress >= config.brokenAt) {
            value.condition = PegCondition.Broken;
        }
        PriceData memory underlying = _underlying(config.underlying);
        value.status = worse(state.status, underlying.status);
        _setPrices(value, config, state, underlying.price);
    }

    /// @dev What `_setPrices` comes to where discount and stress are zero: fair value less the intrinsic haircut.
    function _soundValuation(PegState memory state, PriceData memory underlying)
        private
        pure
        returns (PegValuation memory value)
    {
        value.condition = state.condition;
        value.status = worse(state.status, underlying.status);
        value.haircut = state.intrinsicHaircut;
        value.maintenanceHaircut = state.intrinsicHaircut;
        value.maintenancePrice = WadMath.mulDivDown(
            state.fairRate * (WAD - state.intrinsicHaircut), underlying.price, WAD ** 2
        );
        if (state.condition != PegCondition.Broken) value.initialPrice = value.maintenancePrice;
        value.marketPrice = WadMath.mulDivDown(state.marketRate, underlying.price, WAD);
    }

    /// @dev Haircuts and prices of a valuation whose signals are set.
    function _setPrices(
        PegValuation memory value,
        PegConfig memory config,
        PegState memory state,
        uint256 underlying
    ) private pure {
        uint256 recognised = PegMath.recognition(config, value.stress);
        uint256 lasting = WadMath.mulUp(value.discount, recognised);
        value.haircut = PegMath.haircut(config, state.intrinsicHaircut, value.discount, recognised);
        value.maintenanceHaircut =
            PegMath.haircut(config, state.intrinsicHaircut, lasting, recognised);

        // Rates are below 2^64, fractions at most 2^60, the price below 2^128: the left factors fit 2^184, so
        // each value is one exact quotient, rounded down once.
        uint256 least = WadMath.min(state.fairRate, state.marketRate);
        uint256 blend = state.fairRate * (WAD - recognised) + least * recognised;
        if (value.condition != PegCondition.Broken) {
            value.initialPrice =
                WadMath.mulDivDown(least * (WAD - value.haircut), underlying, WAD ** 2);
        }
        value.maintenancePrice =
            WadMath.mulDivDown(blend * (WAD - value.maintenanceHaircut), underlying, WAD ** 3);
        value.marketPrice = WadMath.mulDivDown(state.marketRate, underlying, WAD);
    }

    /// @param from Condition of which a change is told.
    function _poke(AssetId asset, PegCondition from)
        private
        returns (PegState memory state, bool[3] memory answered)
    {
        PegConfig memory config = _configs[asset];
        PegState memory last = _states[asset];
        (state, answered) = _observe(config, last, oracle.fetch(config.marketRatio));
        if (last.pokedAt != 0) {
            state.stress = _stressAfter(config, last, state, state.pokedAt - last.pokedAt);
        }
        uint256 discount = PegMath.discount(state.fairRate, state.marketRate);
        state.condition = PegMath.condition(config, state, discount);
        _states[asset] = state;

        uint256 recognised = PegMath.recognition(config, state.stress);
        emit PegPoked(
            asset,
            state,
            discount,
            PegMath.haircut(config, state.intrinsicHaircut, discount, recognised)
        );
        if (state.condition != from) emit PegConditionChanged(asset, from, state.condition);
    }

    /// @dev The state as of now, but for stress and condition, which stay the last ones.
    /// @return state To be recorded.
    /// @return answered Whether rate source, backing source and queue did.
    function _observe(PegConfig memory config, PegState memory last, PriceData memory market)
        private
        view
        returns (PegState memory state, bool[3] memory answered)
    {
        uint256 value;
        (answered[0], value) =
            _ask(config.rateSource, IRateSource.rate.selector, WAD, last.fairRate);
        // One that does not fit is no answer.
        if (value > type(uint64).max) (answered[0], value) = (false, last.fairRate);
        state.fairRate = uint64(value);
        state.highestRate = uint64(WadMath.max(last.highestRate, value));
        (answered[1], value) =
            _ask(config.backingSource, IBackingSource.backing.selector, WAD, last.backing);
        state.backing = uint64(WadMath.min(value, WAD));
        (answered[2], value) =
            _ask(config.queue, IRedemptionQueue.queueDelay.selector, 0, last.redemptionDelay);
        state.redemptionDelay = uint32(WadMath.min(value, type(uint32).max));
        state.intrinsicHaircut =
            uint64(PegMath.intrinsicHaircut(config, state.backing, state.redemptionDelay));

        // A market above 2^64 is above any fair rate: saturating it changes no valuation, reverting would
        // hand whoever moves the market a way to stop liquidations.
        state.marketRate = uint64(WadMath.min(market.price, type(uint64).max));
        state.pokedAt = uint40(block.timestamp);
        bool isPrice = market.price != 0 && market.price <= type(uint64).max;
        if (market.status == PriceStatus.Unconfirmed && last.pokedAt != 0) {
            // It is not looked at: the last look stays the last one.
            (state.marketRate, state.pokedAt) = (last.marketRate, last.pokedAt);
        } else if (market.status == PriceStatus.Stale && !isPrice) {
            state.marketRate = last.marketRate;
        }
        state.status = market.status;
        if (!answered[1] || !answered[2]) {
            state.status = worse(state.status, PriceStatus.Degraded);
        }
        if (!answered[0]) state.status = PriceStatus.Stale;
        (state.stress, state.condition) = (last.stress, last.condition);
    }

    /// @dev What a source says; `none` if there is no such source, `last` if it does not answer.
    function _ask(address source, bytes4 selector, uint256 none, uint256 last)
        private
        view
        returns (bool ok, uint256 value)
    {
        if (source == address(0)) return (true, none);
        uint256[5] memory answer;
        // The queue takes an amount: what is asked for is how long it is, which is the delay of nothing.
        (ok, answer) = BoundedCall.read(source, selector, 0, 1);
        value = ok ? answer[0] : last;
    }

    /// @dev Stress carried from `last` over some seconds. It stands still until a market is known.
    function _stressAfter(
        PegConfig memory config,
        PegState memory last,
        PegState memory current,
        uint256 elapsed
    ) private pure returns (uint64) {
        if (last.marketRate == 0) return last.stress;
        uint256 stress = PegMath.advance(
            config,
            last.stress,
            PegMath.discount(last.fairRate, last.marketRate),
            PegMath.discount(current.fairRate, current.marketRate),
            elapsed
        );
        return uint64(stress); // At most 1.0.
    }

    /// @dev What a valuation from a fresh state needs: three of the eight slots.
    function _valuationRules(PegConfig storage stored)
        private
        view
        returns (PegConfig memory config)
    {
        config.underlying = stored.underlying;
        config.maxAge = stored.maxAge;
        config.decayPeriod = stored.decayPeriod;
        config.deadband = stored.deadband;
        config.stressPerDay = stored.stressPerDay;
        config.graceStress = stored.graceStress;
        config.discountSlope = stored.discountSlope;
        config.stressSlope = stored.stressSlope;
        config.maxHaircut = stored.maxHaircut;
        config.brokenAt = stored.brokenAt;
    }

    function _underlying(AssetId underlying) private view returns (PriceData memory data) {
        if (AssetId.unwrap(underlying) != 0) return oracle.latest(underlying);
        (data.price, data.status) = (uint128(WAD), PriceStatus.Valid);
    }

    function _requireValid(PegConfig calldata config) private view {
        _requireContract(config.rateSource);
        _requireContract(config.backingSource);
        _requireContract(config.queue);
        _requireBounds("maxAge", config.maxAge, 1, MAX_AGE);
        _requireBounds("decayPeriod", config.decayPeriod, MIN_DECAY_PERIOD, MAX_DECAY_PERIOD);
        _requireBounds("deadband", config.deadband, 0, WAD - 1);
        _requireBounds("stressPerDay", config.stressPerDay, 0, MAX_SLOPE);
        _requireBounds("graceStress", config.graceStress, 2 * PegMath.largestStep(config), WAD - 1);
        _requireBounds("stressedAt", config.stressedAt, uint256(config.graceStress) + 1, WAD);
        _requireBounds("brokenAt", config.brokenAt, config.stressedAt, WAD);
        _requireBounds("maxHaircut", config.maxHaircut, 0, WAD - 1);
        _requireBounds("baseHaircut", config.baseHaircut, 0, config.maxHaircut);
        _requireBounds("discountSlope", config.discountSlope, 0, MAX_SLOPE);
        _requireBounds("stressSlope", config.stressSlope, 0, MAX_SLOPE);
        _requireBounds("backingSlope", config.backingSlope, 0, MAX_SLOPE);
        _requireBounds("delaySlope", config.delaySlope, 0, MAX_SLOPE);
        _requireBounds("maxRateFall", config.maxRateFall, 0, WAD - 1);
        _requireBounds("maxShortfall", config.maxShortfall, 0, WAD - 1);
        // Reverts if unknown, as the first poke does for the market.
        if (AssetId.unwrap(config.underlying) != 0) oracle.derivation(config.underlying);
    }

    function _requireContract(address source) private view {
        if (source != address(0) && source.code.length == 0) {
            revert PegMonitor_NotAContract(source);
        }
    }

    function _requireBounds(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum)
        private
        pure
    {
        if (value < minimum || value > maximum) {
            revert PegMonitor_OutOfBounds(parameter, value, minimum, maximum);
        }
    }
}
