// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {IRateSource} from "../interfaces/IRateSource.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {PriceData, worse} from "../types/Price.sol";
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

    mapping(AssetId => PegConfig) private _configs; // Five slots each.
    mapping(AssetId => PegState) private _states; // One slot each.

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
            state.stress = _stressNow(_configs[asset], state, state);
            state.pokedAt = uint40(block.timestamp);
            _states[asset] = state;
        }
        _configs[asset] = config;
        emit PegConfigured(asset, config);
        poke(asset);
    }

    /// @inheritdoc IPegMonitor
    function poke(AssetId asset) public returns (PegState memory state) {
        PegConfig memory config = _requireConfig(asset);
        state = _observe(asset, config, oracle.fetch(config.marketRatio));
        state.stress = _stressNow(config, _states[asset], state);
        _states[asset] = state;

        uint256 discount = PegMath.discount(state.fairRate, state.marketRate);
        emit PegPoked(asset, state, discount, PegMath.haircut(config, discount, state.stress));
    }

    /// @inheritdoc IPegMonitor
    function pegState(AssetId asset) external view returns (PegState memory) {
        _requireConfig(asset);
        return _states[asset];
    }

    /// @inheritdoc IPegMonitor
    function pegConfig(AssetId asset) external view returns (PegConfig memory) {
        return _requireConfig(asset);
    }

    /// @inheritdoc IPegMonitor
    function valuation(AssetId asset) external view returns (PegValuation memory value) {
        PegConfig memory config = _requireConfig(asset);
        PegState memory recorded = _states[asset];
        PegState memory state = recorded;
        if (block.timestamp - recorded.pokedAt > config.maxAge) {
            state = _observe(asset, config, oracle.latest(config.marketRatio));
        }
        uint256 stress = _stressNow(config, recorded, state);
        PriceData memory underlying = oracle.latest(config.underlying);

        value.discount = PegMath.discount(state.fairRate, state.marketRate);
        value.haircut = PegMath.haircut(config, value.discount, stress);
        value.status = worse(state.marketStatus, underlying.status);

        // Rates are below 2^64, fractions at most 2^60, the price below 2^128: the left factors fit 2^184, so
        // each value is one exact quotient, rounded down once.
        uint256 kept = WAD - value.haircut;
        uint256 least = WadMath.min(state.fairRate, state.marketRate);
        uint256 blend = state.fairRate * (WAD - stress) + least * stress;
        value.initialPrice = WadMath.mulDivDown(least * kept, underlying.price, WAD ** 2);
        value.maintenancePrice = WadMath.mulDivDown(blend * kept, underlying.price, WAD ** 3);
        value.marketPrice = WadMath.mulDivDown(state.marketRate, underlying.price, WAD);
    }

    /// @dev The state as of now, but for stress. The rate source is one of ours and is called plainly.
    function _observe(AssetId asset, PegConfig memory config, PriceData memory market)
        private
        view
        returns (PegState memory state)
    {
        uint256 fairRate =
            config.rateSource == address(0) ? WAD : IRateSource(config.rateSource).rate();
        if (fairRate > type(uint64).max) revert PegMonitor_RateOutOfRange(asset, fairRate);
        state.fairRate = uint64(fairRate);
        // A market above 2^64 is above any fair rate: saturating it changes no valuation, reverting would
        // hand whoever moves the market a way to stop liquidations.
        state.marketRate = uint64(WadMath.min(market.price, type(uint64).max));
        state.marketStatus = market.status;
        state.pokedAt = uint40(block.timestamp);
    }

    /// @dev Stress carried from `last` to now. It stands still until a market is known.
    function _stressNow(PegConfig memory config, PegState memory last, PegState memory current)
        private
        view
        returns (uint64)
    {
        if (last.marketRate == 0) return last.stress;
        uint256 stress = PegMath.advance(
            config,
            last.stress,
            PegMath.discount(last.fairRate, last.marketRate),
            PegMath.discount(current.fairRate, current.marketRate),
            block.timestamp - last.pokedAt
        );
        return uint64(stress); // At most 1.0.
    }

    function _requireConfig(AssetId asset) private view returns (PegConfig memory config) {
        config = _configs[asset];
        if (config.maxAge == 0) revert PegMonitor_UnknownAsset(asset);
    }

    function _requireValid(PegConfig calldata config) private view {
        address rateSource = config.rateSource;
        if (rateSource != address(0) && rateSource.code.length == 0) {
            revert PegMonitor_NotAContract(rateSource);
        }
        _requireBounds("maxAge", config.maxAge, 1, MAX_AGE);
        _requireBounds("deadband", config.deadband, 0, WAD - 1);
        _requireBounds("stressPerDay", config.stressPerDay, 0, MAX_SLOPE);
        _requireBounds("decayPeriod", config.decayPeriod, MIN_DECAY_PERIOD, MAX_DECAY_PERIOD);
        _requireBounds("maxHaircut", config.maxHaircut, 0, WAD - 1);
        _requireBounds("baseHaircut", config.baseHaircut, 0, config.maxHaircut);
        _requireBounds("discountSlope", config.discountSlope, 0, MAX_SLOPE);
        _requireBounds("stressSlope", config.stressSlope, 0, MAX_SLOPE);
        oracle.assetConfig(config.underlying); // Reverts if unknown, as the first poke does for the market.
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
