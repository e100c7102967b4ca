// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {IDepthSource} from "../interfaces/IDepthSource.sol";
import {IExposureSource} from "../interfaces/IExposureSource.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {Compartment} from "../types/Compartment.sol";
import {CollateralId, MarketId} from "../types/Ids.sol";
import {CollateralConfig, MarginParameters, MarketMargin} from "../types/Parameters.sol";
import {MarginRates} from "./MarginRates.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Wiring of the risk engine, and what adapts: margin rates, stress and market depth.
/// @dev Whatever asks more of an open account moves at a bounded speed, so that no jump of a volatility, a tier or a
/// pool's liquidity liquidates anyone by itself. What is asked of those who raise their risk moves at once.
abstract contract RiskState is IRiskEngine {
    using SafeCastLib for uint256;

    /// @dev The longest period that a compartment may have in calm markets, too.
    uint256 internal constant MAX_VESTING = 30 days;
    uint256 internal constant UNBOUNDED = type(uint256).max;
    /// @dev Part of a depth that may go within a day, for maintenance.
    uint256 internal constant MAX_DEPTH_FALL = 0.5e18;

    IOracleAggregator internal immutable _oracle;
    IPegMonitor internal immutable _pegMonitor;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    IExposureSource internal immutable _exposureSource;

    mapping(MarketId market => Followed) internal _ratios;
    Followed internal _stress;
    mapping(CollateralId collateral => DepthState) internal _depths;

    constructor(Compartment memory wiring) {
        _oracle = IOracleAggregator(wiring.oracle);
        _pegMonitor = IPegMonitor(wiring.pegMonitor);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _exposureSource = IExposureSource(wiring.perpExchange);
    }

    // ------------------------------------------------------------------ state-changing

    /// @inheritdoc IRiskEngine
    function poke(MarketId market) external {
        MarginParameters memory p = _riskParameters.marginParameters();
        uint8 tier = _circuitBreaker.tier();
        AssetId asset = _riskParameters.marketPricing(market).indexAsset;
        (, uint256 ratio) = _rates(market, asset, p, tier);
        if (_move(_ratios[market], ratio)) emit MaintenanceRateMoved(market, ratio);
        (, uint256 stress) = _stressNow(p, tier);
        if (_move(_stress, stress)) emit StressMoved(stress);
    }

    /// @inheritdoc IRiskEngine
    function measureDepth(CollateralId collateral) external {
        CollateralConfig memory c = _riskParameters.collateralConfig(collateral);
        address source = _riskParameters.depthSource(collateral);
        if (source == address(0)) {
            // What a source has said that is no longer asked says nothing: the governor's bound counts again.
            if (_depths[collateral].measuredAt == 0) revert RiskEngine_NoDepthSource(collateral);
            delete _depths[collateral];
            emit DepthMeasured(collateral, c.depth, c.depth);
            return;
        }
        // A source that fails has measured nothing: there may be no market left to measure.
        (bool ok, uint256[5] memory answer) =
            BoundedCall.read(source, IDepthSource.depth.selector, 1);
        uint256 measured = ok ? WadMath.min(answer[0], c.depth) : 0;

        DepthState memory s = _depths[collateral];
        // The first measurement falls from what the governor believed, as every later one from what was kept.
        uint256 kept = WadMath.max(measured, s.measuredAt == 0 ? c.depth : _leastDepth(s));
        _depths[collateral] =
            DepthState(measured.toUint104(), kept.toUint104(), uint40(block.timestamp));
        emit DepthMeasured(collateral, measured, kept);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IRiskEngine
    function marginRates(MarketId market)
        external
        view
        returns (uint256 initial, uint256 maintenance)
    {
        return _rates(
            market,
            _riskParameters.marketPricing(market).indexAsset,
            _riskParameters.marginParameters(),
            _circuitBreaker.tier()
        );
    }

    /// @inheritdoc IRiskEngine
    function vestingPeriod(MarketId market) external view returns (uint256) {
        uint256 period = _riskParameters.compartmentParameters().vestingPeriod;
        (uint256 initial,) = _rates(
            market,
            _riskParameters.marketPricing(market).indexAsset,
            _riskParameters.marginParameters(),
            _circuitBreaker.tier()
        );
        uint256 least = _riskParameters.marketMargin(market).initialRatio;
        return WadMath.min(MAX_VESTING, WadMath.mulDivUp(period, initial, least));
    }

    /// @inheritdoc IRiskEngine
    function stressLevels() external view returns (uint256 initial, uint256 maintenance) {
        return _stressNow(_riskParameters.marginParameters(), _circuitBreaker.tier());
    }

    /// @inheritdoc IRiskEngine
    function depths(CollateralId collateral)
        external
        view
        returns (uint256 initial, uint256 maintenance)
    {
        return _depthsOf(collateral, _riskParameters.collateralConfig(collateral).depth);
    }

    /// @inheritdoc IRiskEngine
    function followedRatio(MarketId market) external view returns (Followed memory) {
        return _ratios[market];
    }

    /// @inheritdoc IRiskEngine
    function followedStress() external view returns (Followed memory) {
        return _stress;
    }

    /// @inheritdoc IRiskEngine
    function depthState(CollateralId collateral) external view returns (DepthState memory) {
        return _depths[collateral];
    }

    // ------------------------------------------------------------------ internal

    function _rates(MarketId market, AssetId asset, MarginParameters memory p, uint8 tier)
        internal
        view
        returns (uint256 initial, uint256 maintenance)
    {
        MarketMargin memory m = _riskParameters.marketMargin(market);
        initial = MarginRates.initialRate(m, p, _oracle.volatility(asset), tier);
        uint256 target = MarginRates.maintenanceTarget(m, initial);
        uint256 followed = _follow(_ratios[market], m.maintenanceRatio, target, p.maxRatioRise);
        maintenance = WadMath.max(m.maintenanceRatio, followed);
    }

    function _stressNow(MarginParameters memory p, uint8 tier)
        internal
        view
        returns (uint256 initial, uint256 maintenance)
    {
        initial = MarginRates.stress(p, tier);
        maintenance = _follow(_stress, MarginRates.stress(p, 0), initial, p.maxStressRise);
    }

    /// @param believed The governor's bound; 0: the amount does not matter.
    function _depthsOf(CollateralId collateral, uint256 believed)
        internal
        view
        returns (uint256 initial, uint256 maintenance)
    {
        if (believed == 0) return (UNBOUNDED, UNBOUNDED);
        DepthState memory s = _depths[collateral];
        if (s.measuredAt == 0) return (believed, believed);
        return (WadMath.min(s.measured, believed), WadMath.min(s.kept, believed));
    }

    /// @dev What was never moved begins at rest: else the first jump of all would be unbounded.
    function _follow(Followed memory f, uint256 atRest, uint256 target, uint256 risePerDayBps)
        private
        view
        returns (uint256)
    {
        uint256 from = f.movedAt == 0 ? atRest : f.value;
        return MarginRates.follow(from, block.timestamp - f.movedAt, target, risePerDayBps);
    }

    /// @dev A figure that has arrived is not written again: what it may rise by is saved up for an hour at most.
    function _move(Followed storage f, uint256 value) private returns (bool moved) {
        moved = f.value != value;
        if (moved) (f.value, f.movedAt) = (value.toUint128(), uint40(block.timestamp));
    }

    function _leastDepth(DepthState memory s) private view returns (uint256) {
        uint256 elapsed = WadMath.min(block.timestamp - s.measuredAt, MarginRates.MAX_SAVED);
        return s.kept - WadMath.mulDivDown(s.kept, MAX_DEPTH_FALL * elapsed, WadMath.WAD * 1 days);
    }
}
