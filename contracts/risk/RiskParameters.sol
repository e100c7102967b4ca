// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";
import {WadMath} from "../libraries/WadMath.sol";
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
    MarketTrading
} from "../types/Parameters.sol";
import {_bound} from "./Bounds.sol";
import {Correlations} from "./Correlations.sol";
import {InterestBounds} from "./InterestBounds.sol";
import {TokenScreen} from "./TokenScreen.sol";

/// @notice Implements `IRiskParameters`, where every function is documented.
contract RiskParameters is IRiskParameters {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant MAX_MARKETS = 16;
    uint256 internal constant MAX_COLLATERALS = 8;
    uint256 internal constant MAX_WATCHED = 8;
    /// @dev Sizes and caps stay far below 2^127, so that sums over accounts fit the packed ledger.
    uint256 internal constant MAX_AMOUNT = 1e36;

    /// @dev Fits what the risk engine keeps of it.
    uint256 internal constant MAX_DEPTH = 1e31;
    uint256 internal constant BPS = 1e4;

    IRoleRegistry internal immutable _roles;
    address internal immutable _settlementToken;

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
        BreakerTiming memory timing,
        BreakerThresholds memory thresholds,
        AssetId[] memory watchedPrices,
        AssetId[] memory watchedPegs
    ) {
        _roles = IRoleRegistry(wiring.roles);
        _settlementToken = wiring.settlementToken;
        _setCompartment(parameters);
        _setInterest(interest);
        _setMargin(margin);
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

        _bound("indexAsset", uint256(AssetId.unwrap(t.indexAsset)), 1, type(uint256).max);
        // A shallower curve would move every position's price at once: that is another market.
        _bound("skewScale", t.skewScale, WadMath.max(WAD, _trading[market].skewScale), MAX_AMOUNT);
        _bound("maxPremium", t.maxPremium, 0.001e18, 0.25e18);
        // |skew| never exceeds the larger side, so the premium stays in bounds whoever reduces what.
        _bound("maxOpenInterest", t.maxOpenInterest, 0, WadMath.mulDown(t.skewScale, t.maxPremium));
        // Turning the premium from one bound to the other must not bankrupt anyone at a constant index.
        _bound(
            "maintenanceMarginRatio",
            t.maintenanceMarginRatio,
            WadMath.max(0.005e18, 2 * uint256(t.maxPremium)),
            0.5e18
        );
        _bound("takerFee", t.takerFee, 0, WadMath.min(0.01e18, t.maintenanceMarginRatio / 2));
        // A margin step between opening and liquidation is what gives a trader time.
        _bound(
            "initialMarginRatio",
            t.initialMarginRatio,
            uint256(t.maintenanceMarginRatio) * 5 / 4,
            WAD
        );
        _bound("maxInitialMarginRatio", t.maxInitialMarginRatio, t.initialMarginRatio, WAD);
        _bound("volatilityMultiplier", t.volatilityMultiplier, 0, 10e18);
        _bound("maxFundingRate", t.maxFundingRate, 0, 0.5e18);
        _bound("maxFundingVelocity", t.maxFundingVelocity, 0, 10e18);
        _bound("premiumScale", t.premiumScale, 0.0001e18, WAD);
        _bound("fundingDeadband", t.fundingDeadband, 0, 0.1e18);
        // At most half of the maintenance margin: closing then always frees more requirement than it costs.
        _bound("penalty", l.penalty, 0, t.maintenanceMarginRatio / 2);
        _bound("keeperShare", l.keeperShare, 0, WAD);
        _bound("minNotional", l.minNotional, 0, 1e24);

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
        _bound("asset", uint256(AssetId.unwrap(c.asset)), 1, type(uint256).max);
        _bound("haircut", c.haircut, c.pegged ? 0 : 0.01e18, c.pegged ? 0 : 0.9e18);
        _bound("cap", c.cap, 0, MAX_AMOUNT);
        _bound("depth", c.depth, 0, MAX_DEPTH);

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
    function setCorrelations(uint16[] calldata lower) external onlyGovernor {
        uint256 size = 1;
        while (Correlations.index(size, 0) < lower.length) ++size;
        if (Correlations.index(size, 0) != lower.length || size > marketCount) {
            revert RiskParameters_PairCount(lower.length, marketCount);
        }
        for (uint256 i; i < lower.length; ++i) {
            // Two markets that always move alike are one market.
            _bound("correlation", lower[i], 0, BPS - 1);
        }
        Correlations.requirePositiveDefinite(lower, size);
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
        _bound("vestingPeriod", p.vestingPeriod, 0, 30 days);
        _bound("maxUnrealizedAge", p.maxUnrealizedAge, 1, 1 days);
        _bound("debtMaintenanceRatio", p.debtMaintenanceRatio, 0.01e18, 0.5e18);
        _bound("debtInitialRatio", p.debtInitialRatio, uint256(p.debtMaintenanceRatio) * 5 / 4, WAD);
        _bound("targetHealth", p.targetHealth, 1.01e18, 2e18);
        _bound("insuranceFeeShare", p.insuranceFeeShare, 0, WAD);
        _bound("poolFeeShare", p.poolFeeShare, 0, WAD - p.insuranceFeeShare);
        _bound("auctionStartPremium", p.auctionStartPremium, 0, 0.5e18);
        _bound("auctionDuration", p.auctionDuration, 1 minutes, 1 days);
        _bound("dustUnits", p.dustUnits, 1, 1_000_000);

        _compartment = p;
        emit CompartmentConfigured(p);
    }

    function _setInterest(InterestParameters memory p) internal {
        InterestBounds.requireWithin(p);
        _interest = p;
        emit InterestConfigured(p);
    }

    function _setMargin(MarginParameters memory p) internal {
        _bound("horizon", p.horizon, 1 hours, 30 days);
        // At most a half: a position that halves another's risk then never costs more than it saves.
        _bound("grossFloor", p.grossFloor, BPS / 20, BPS / 2);
        _bound("maxRatioRise", p.maxRatioRise, 1, 100 * BPS);
        _bound("maxStressRise", p.maxStressRise, 1, 100 * BPS);
        _bound("ratioTier1", p.ratioTier1, BPS, 3 * BPS);
        _bound("ratioTier2", p.ratioTier2, p.ratioTier1, 3 * BPS);
        _bound("ratioTier3", p.ratioTier3, p.ratioTier2, 3 * BPS);
        _bound("ratioTier4", p.ratioTier4, p.ratioTier3, 3 * BPS);
        _bound("stressTier0", p.stressTier0, 0, BPS);
        _bound("stressTier1", p.stressTier1, p.stressTier0, BPS);
        _bound("stressTier2", p.stressTier2, p.stressTier1, BPS);
        _bound("stressTier3", p.stressTier3, p.stressTier2, BPS);
        _bound("stressTier4", p.stressTier4, p.stressTier3, BPS);

        _margin = p;
        emit MarginConfigured(p);
    }

    function _setBreaker(
        BreakerTiming memory timing,
        BreakerThresholds memory p,
        AssetId[] memory prices,
        AssetId[] memory pegs
    ) internal {
        _bound("velocityWindow", timing.velocityWindow, 1 minutes, 1 days);
        _bound("volumeWindow", timing.volumeWindow, 1 minutes, 7 days);
        _bound("minDwell", timing.minDwell, 1 minutes, 1 days);
        _bound("maxHalt", timing.maxHalt, 1 minutes, 3 days);
        _bound("watchedPrices", prices.length, 0, MAX_WATCHED);
        _bound("watchedPegs", pegs.length, 0, MAX_WATCHED);
        _ascending(
            "priceMove", [uint256(p.priceMove[0]), p.priceMove[1], p.priceMove[2], p.priceMove[3]]
        );
        _ascending(
            "discount", [uint256(p.discount[0]), p.discount[1], p.discount[2], p.discount[3]]
        );
        _ascending(
            "liquidationVolume",
            [
                uint256(p.liquidationVolume[0]),
                p.liquidationVolume[1],
                p.liquidationVolume[2],
                p.liquidationVolume[3]
            ]
        );
        _ascending("badDebt", [uint256(p.badDebt[0]), p.badDebt[1], p.badDebt[2], p.badDebt[3]]);

        _breakerTiming = timing;
        _breakerThresholds = p;
        _watchedPrices = prices;
        _watchedPegs = pegs;
        emit BreakerConfigured(timing, p, prices, pegs);
    }

    /// @dev Thresholds rise strictly: a stronger signal never means a lower tier.
    function _ascending(bytes32 parameter, uint256[4] memory thresholds) internal pure {
        uint256 least = 1;
        for (uint256 i; i < 4; ++i) {
            _bound(parameter, thresholds[i], least, MAX_AMOUNT);
            least = thresholds[i] + 1;
        }
    }
}
