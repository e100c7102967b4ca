// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";
import {AssetId} from "../types/AssetId.sol";
import {Compartment} from "../types/Compartment.sol";
import {CollateralId, MarketId} from "../types/Ids.sol";
import {
    BreakerThresholds,
    BreakerTiming,
    CollateralConfig,
    CompartmentParameters,
    InterestParameters,
    MarginParameters,
    MarketLiquidation,
    MarketMargin,
    MarketPricing,
    MarketTrading,
    OrderParameters,
    PoolParameters
} from "../types/Parameters.sol";
import {_bound} from "./Bounds.sol";
import {Correlations} from "./Correlations.sol";
import {ParameterBounds} from "./ParameterBounds.sol";
import {TokenScreen} from "./TokenScreen.sol";

/// @notice Implements `IRiskParameters`, where every function is documented.
contract RiskParameters is IRiskParameters {
    uint256 internal constant MAX_MARKETS = 16;
    uint256 internal constant MAX_COLLATERALS = 8;

    IRoleRegistry internal immutable _roles;
    address internal immutable _settlementToken;
    ParameterBounds internal immutable _bounds;

    /// @inheritdoc IRiskParameters
    uint256 public marketCount;
    /// @inheritdoc IRiskParameters
    uint256 public collateralCount;

    mapping(MarketId market => MarketTrading) internal _trading;
    mapping(MarketId market => MarketLiquidation) internal _liquidation;
    mapping(CollateralId collateral => CollateralConfig) internal _collateral;
    CompartmentParameters internal _compartment;
    InterestParameters internal _interest;
    MarginParameters internal _margin;
    OrderParameters internal _orders;
    PoolParameters internal _pool;
    mapping(MarketId market => uint256 row) internal _correlations;
    mapping(CollateralId collateral => address source) internal _depthSources;
    BreakerTiming internal _breakerTiming;
    BreakerThresholds internal _breakerThresholds;
    AssetId[] internal _watchedPrices;
    AssetId[] internal _watchedPegs;

    modifier onlyGovernor() {
        _roles.requireRole(Roles.GOVERNOR, msg.sender);
        _;
    }

    /// @dev A compartment without parameters would fail open, so it starts with them.
    constructor(
        Compartment memory wiring,
        CompartmentParameters memory parameters,
        InterestParameters memory interest,
        MarginParameters memory margin,
        OrderParameters memory orders,
        PoolParameters memory pool,
        BreakerTiming memory timing,
        BreakerThresholds memory thresholds,
        AssetId[] memory watchedPrices,
        AssetId[] memory watchedPegs
    ) {
        _roles = IRoleRegistry(wiring.roles);
        _settlementToken = wiring.settlementToken;
        _bounds = new ParameterBounds();
        _setCompartment(parameters);
        _setInterest(interest);
        _setMargin(margin);
        _setOrders(orders);
        _setPool(pool);
        _setBreaker(timing, thresholds, watchedPrices, watchedPegs);
    }

    /// @inheritdoc IRiskParameters
    function setMarket(MarketId market, MarketTrading calldata t, MarketLiquidation calldata l)
        external
        onlyGovernor
    {
        uint256 id = MarketId.unwrap(market);
        uint256 count = marketCount;
        _bound("market", id, 0, MAX_MARKETS - 1);
        if (id > count) revert RiskParameters_UnknownMarket(market);
        if (id == count) {
            marketCount = count + 1;
        } else if (!(_trading[market].indexAsset == t.indexAsset)) {
            revert RiskParameters_Immutable("indexAsset");
        }

        _bounds.requireMarket(t, l, _trading[market].skewScale);

        _trading[market] = t;
        _liquidation[market] = l;
        emit MarketConfigured(market, t, l);
    }

    /// @inheritdoc IRiskParameters
    function setCollateral(CollateralId collateral, CollateralConfig calldata c)
        external
        onlyGovernor
    {
        uint256 id = CollateralId.unwrap(collateral);
        uint256 count = collateralCount;
        _bound("collateral", id, 1, MAX_COLLATERALS);
        if (id > count + 1) revert RiskParameters_UnknownCollateral(collateral);
        if (id == count + 1) {
            collateralCount = id;
            if (c.token == _settlementToken) revert RiskParameters_TokenAlreadyListed(c.token);
            for (uint8 i = 1; i <= count; ++i) {
                if (_collateral[CollateralId.wrap(i)].token == c.token) {
                    revert RiskParameters_TokenAlreadyListed(c.token);
                }
            }
            TokenScreen.requireConstantBalances(c.token);
            uint256 actual = IERC20Metadata(c.token).decimals();
            _bound("decimals", c.decimals, actual, actual);
            _bound("decimals", c.decimals, 0, 18);
        } else {
            CollateralConfig storage old = _collateral[collateral];
            if (old.token != c.token) revert RiskParameters_Immutable("token");
            if (old.decimals != c.decimals) revert RiskParameters_Immutable("decimals");
            if (old.pegged != c.pegged) revert RiskParameters_Immutable("pegged");
            if (!(old.asset == c.asset)) revert RiskParameters_Immutable("asset");
        }
        _bounds.requireCollateral(c);

        _collateral[collateral] = c;
        emit CollateralConfigured(collateral, c);
    }

    /// @inheritdoc IRiskParameters
    function setCompartment(CompartmentParameters calldata parameters) external onlyGovernor {
        _setCompartment(parameters);
    }

    /// @inheritdoc IRiskParameters
    function setInterest(InterestParameters calldata parameters) external onlyGovernor {
        _setInterest(parameters);
    }

    /// @inheritdoc IRiskParameters
    function setMargin(MarginParameters calldata parameters) external onlyGovernor {
        _setMargin(parameters);
    }

    /// @inheritdoc IRiskParameters
    function setOrders(OrderParameters calldata parameters) external onlyGovernor {
        _setOrders(parameters);
    }

    /// @inheritdoc IRiskParameters
    function setPool(PoolParameters calldata parameters) external onlyGovernor {
        _setPool(parameters);
    }

    /// @inheritdoc IRiskParameters
    function setCorrelations(uint16[] calldata lower) external onlyGovernor {
        uint256 size = 1;
        while (Correlations.index(size, 0) < lower.length) ++size;
        if (Correlations.index(size, 0) != lower.length || size > marketCount) {
            revert RiskParameters_PairCount(lower.length, marketCount);
        }
        _bounds.requireCorrelations(lower, size);
        for (uint8 i; i < MAX_MARKETS; ++i) {
            _correlations[MarketId.wrap(i)] = i < size ? Correlations.row(lower, size, i) : 0;
        }
        emit CorrelationsConfigured(lower);
    }

    /// @inheritdoc IRiskParameters
    function setDepthSource(CollateralId collateral, address source) external onlyGovernor {
        if (_collateral[collateral].token == address(0)) {
            revert RiskParameters_UnknownCollateral(collateral);
        }
        _depthSources[collateral] = source;
        emit DepthSourceConfigured(collateral, source);
    }

    /// @inheritdoc IRiskParameters
    function setBreaker(
        BreakerTiming calldata timing,
        BreakerThresholds calldata thresholds,
        AssetId[] calldata watchedPrices,
        AssetId[] calldata watchedPegs
    ) external onlyGovernor {
        _setBreaker(timing, thresholds, watchedPrices, watchedPegs);
    }

    /// @inheritdoc IRiskParameters
    function marketTrading(MarketId market) external view returns (MarketTrading memory t) {
        t = _trading[market];
        if (t.skewScale == 0) revert RiskParameters_UnknownMarket(market);
    }

    /// @inheritdoc IRiskParameters
    function marketLiquidation(MarketId market) external view returns (MarketLiquidation memory) {
        if (MarketId.unwrap(market) >= marketCount) revert RiskParameters_UnknownMarket(market);
        return _liquidation[market];
    }

    /// @inheritdoc IRiskParameters
    function fundingGain(MarketId market, uint8 tier) external view returns (uint16) {
        MarketTrading storage t = _trading[market];
        if (tier == 1) return t.fundingGain1;
        if (tier == 2) return t.fundingGain2;
        return tier == 3 ? t.fundingGain3 : t.fundingGain4;
    }

    /// @inheritdoc IRiskParameters
    function marketPricing(MarketId market) external view returns (MarketPricing memory p) {
        MarketTrading storage t = _trading[market];
        p.skewScale = t.skewScale;
        if (p.skewScale == 0) revert RiskParameters_UnknownMarket(market);
        p.indexAsset = t.indexAsset;
        p.maxPremium = t.maxPremium;
        p.funding.maxFundingRate = t.maxFundingRate;
        p.funding.maxFundingVelocity = t.maxFundingVelocity;
        p.funding.premiumScale = t.premiumScale;
        p.funding.fundingDeadband = t.fundingDeadband;
    }

    /// @inheritdoc IRiskParameters
    function marketMargin(MarketId market) external view returns (MarketMargin memory m) {
        MarketTrading storage t = _trading[market];
        m.initialRatio = t.initialMarginRatio;
        if (m.initialRatio == 0) revert RiskParameters_UnknownMarket(market);
        m.maintenanceRatio = t.maintenanceMarginRatio;
        m.maxInitialRatio = t.maxInitialMarginRatio;
        m.volatilityMultiplier = t.volatilityMultiplier;
    }

    /// @inheritdoc IRiskParameters
    function marginParameters() external view returns (MarginParameters memory) {
        return _margin;
    }

    /// @inheritdoc IRiskParameters
    function orderParameters() external view returns (OrderParameters memory) {
        return _orders;
    }

    /// @inheritdoc IRiskParameters
    function poolParameters() external view returns (PoolParameters memory) {
        return _pool;
    }

    /// @inheritdoc IRiskParameters
    function correlationRows(MarketId[] calldata markets)
        external
        view
        returns (uint256[] memory rows)
    {
        rows = new uint256[](markets.length);
        for (uint256 i; i < markets.length; ++i) {
            rows[i] = _correlations[markets[i]];
        }
    }

    /// @inheritdoc IRiskParameters
    function depthSource(CollateralId collateral) external view returns (address) {
        return _depthSources[collateral];
    }

    /// @inheritdoc IRiskParameters
    function collateralConfig(CollateralId collateral)
        external
        view
        returns (CollateralConfig memory c)
    {
        c = _collateral[collateral];
        if (c.token == address(0)) revert RiskParameters_UnknownCollateral(collateral);
    }

    /// @inheritdoc IRiskParameters
    function collateralToken(CollateralId collateral) external view returns (address token) {
        token = _collateral[collateral].token;
        if (token == address(0)) revert RiskParameters_UnknownCollateral(collateral);
    }

    /// @inheritdoc IRiskParameters
    function feeShares() external view returns (uint256 insurance, uint256 pool) {
        return (_compartment.insuranceFeeShare, _compartment.poolFeeShare);
    }

    /// @inheritdoc IRiskParameters
    function maxUnrealizedAge() external view returns (uint256) {
        return _compartment.maxUnrealizedAge;
    }

    /// @inheritdoc IRiskParameters
    function compartmentParameters() external view returns (CompartmentParameters memory) {
        return _compartment;
    }

    /// @inheritdoc IRiskParameters
    function interestParameters() external view returns (InterestParameters memory) {
        return _interest;
    }

    /// @inheritdoc IRiskParameters
    function breakerTiming() external view returns (BreakerTiming memory) {
        return _breakerTiming;
    }

    /// @inheritdoc IRiskParameters
    function breakerThresholds()
        external
        view
        returns (
            BreakerThresholds memory,
            AssetId[] memory watchedPrices,
            AssetId[] memory watchedPegs
        )
    {
        return (_breakerThresholds, _watchedPrices, _watchedPegs);
    }

    function _setCompartment(CompartmentParameters memory p) internal {
        _bounds.requireCompartment(p);
        _compartment = p;
        emit CompartmentConfigured(p);
    }

    function _setInterest(InterestParameters memory p) internal {
        _bounds.requireInterest(p);
        _interest = p;
        emit InterestConfigured(p);
    }

    function _setMargin(MarginParameters memory p) internal {
        _bounds.requireMargin(p);
        _margin = p;
        emit MarginConfigured(p);
    }

    function _setOrders(OrderParameters memory p) internal {
        _bounds.requireOrders(p);
        _orders = p;
        emit OrdersConfigured(p);
    }

    function _setPool(PoolParameters memory p) internal {
        _bounds.requirePool(p);
        _pool = p;
        emit PoolConfigured(p);
    }

    function _setBreaker(
        BreakerTiming memory timing,
        BreakerThresholds memory p,
        AssetId[] memory prices,
        AssetId[] memory pegs
    ) internal {
        _bounds.requireBreaker(timing, p, prices, pegs);
        _breakerTiming = timing;
        _breakerThresholds = p;
        _watchedPrices = prices;
        _watchedPegs = pegs;
        emit BreakerConfigured(timing, p, prices, pegs);
    }
}
