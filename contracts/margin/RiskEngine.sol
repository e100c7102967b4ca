// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Compartment} from "../types/Compartment.sol";
import {Action} from "../types/Action.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {CollateralConfig, CompartmentParameters, MarginParameters} from "../types/Parameters.sol";
import {isFirm, PriceData, PriceStatus, worse} from "../types/Price.sol";
import {
    AccountStanding,
    AccountValuation,
    CollateralValuation,
    Holding,
    MarketExposure,
    PortfolioTerms
} from "../types/Valuation.sol";
import {InterestCurve} from "./InterestCurve.sol";
import {Ledger} from "./Ledger.sol";
import {PortfolioMargin} from "./PortfolioMargin.sol";
import {RiskState} from "./RiskState.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Implements `IRiskEngine`, where every function is documented.
contract RiskEngine is RiskState {
    using SafeCastLib for uint256;

    constructor(Compartment memory wiring) RiskState(wiring) {}

    /// @inheritdoc IRiskEngine
    function valuation(AccountId account, AccountStanding calldata standing)
        external
        view
        returns (AccountValuation memory)
    {
        return _valuation(standing, _exposureSource.exposuresOf(account));
    }

    /// @inheritdoc IRiskEngine
    function valuationWith(AccountStanding calldata standing, MarketExposure[] calldata exposures)
        external
        view
        returns (AccountValuation memory)
    {
        return _valuation(standing, exposures);
    }

    /// @inheritdoc IRiskEngine
    function uncollateralized(
        AccountId account,
        int256 cash,
        uint256 claim,
        uint256 claimValue,
        uint256 actions
    ) external view returns (int256 equity, uint256 required) {
        MarketExposure[] memory exposures = _exposureSource.exposuresOf(account);
        PriceStatus status = PriceStatus.Valid;
        int256 losses;
        for (uint256 i; i < exposures.length; ++i) {
            MarketExposure memory e = exposures[i];
            int256 pnl = e.unrealizedPnl - e.closeOutCost.toInt256();
            if (pnl < 0) losses += pnl;
            status = worse(status, e.status);
        }
        _requireStatus(actions, status);
        equity = cash + claimValue.toInt256() + losses;
        (required,) = _requirements(exposures);
        int256 settled = cash + claim.toInt256() + losses;
        if (settled < 0) {
            uint256 ratio = _riskParameters.compartmentParameters().debtInitialRatio;
            required += WadMath.mulUp(uint256(-settled), ratio);
        }
    }

    /// @inheritdoc IRiskEngine
    function requireCovered(
        AccountId account,
        Holding[] calldata holdings,
        int256 equity,
        uint256 required,
        uint256 actions
    ) external view {
        for (uint256 i; i < holdings.length && equity < required.toInt256(); ++i) {
            Holding calldata h = holdings[i];
            CollateralConfig memory c = _riskParameters.collateralConfig(h.collateral);
            CollateralValuation memory p = _collateralValuation(c);
            _requireStatus(actions, p.status);
            (uint256 depth,) = _depthsOf(h.collateral, c.depth);
            equity += _initialValue(h, c, p, depth).toInt256();
        }
        if (equity < required.toInt256()) {
            revert IMarginEngine.MarginEngine_BelowInitialMargin(account, equity, required);
        }
    }

    /// @inheritdoc IRiskEngine
    function borrowRate(uint256 debt, uint256 poolCash) external view returns (uint256) {
        return InterestCurve.rate(
            _riskParameters.interestParameters(),
            InterestCurve.utilisation(debt, poolCash),
            _circuitBreaker.tier()
        );
    }

    /// @inheritdoc IRiskEngine
    function collateralValuation(CollateralId collateral)
        external
        view
        returns (CollateralValuation memory)
    {
        return _collateralValuation(_riskParameters.collateralConfig(collateral));
    }

    /// @inheritdoc IRiskEngine
    function requirements(MarketExposure[] calldata exposures)
        external
        view
        returns (uint256 initial, uint256 maintenance)
    {
        return _requirements(exposures);
    }

    /// @inheritdoc IRiskEngine
    function closingTerms(AccountId account, MarketId market)
        external
        view
        returns (PortfolioTerms memory terms)
    {
        MarketExposure[] memory exposures = _exposureSource.exposuresOf(account);
        MarginParameters memory p = _riskParameters.marginParameters();
        uint8 tier = _circuitBreaker.tier();
        (, int256[] memory n, MarketId[] memory markets) = _weighted(exposures, p, tier);
        uint256 k;
        while (k < markets.length && !(markets[k] == market)) ++k;
        if (k == markets.length) revert RiskEngine_NoExposure(account, market);
        (, uint256 stress) = _stressNow(p, tier);
        terms =
            PortfolioMargin.terms(n, markets, _riskParameters.correlationRows(markets), stress, k);
        terms.grossFloor = p.grossFloor;
        (, terms.rate) = _rates(market, exposures[k].indexAsset, p, tier);
    }

    function _valuation(AccountStanding calldata s, MarketExposure[] memory exposures)
        internal
        view
        returns (AccountValuation memory v)
    {
        v.status = PriceStatus.Valid;
        v.equityInitial = s.cash;
        v.equityMaintenance = s.cash;
        if (s.claim > 0) {
            v.equityMaintenance += _haircut(s, s.claim).toInt256();
            // An h of unknown age may be kept to liquidate nobody wrongly, not to take value out on.
            if (s.isHaircutFresh) v.equityInitial += _haircut(s, s.matured).toInt256();
        }
        _addCollateral(s.holdings, v);

        int256 settled = s.cash + s.claim.toInt256();
        int256 secured = v.equityMaintenance;
        (int256 losses, int256 lossesAtIndex) = _addExposures(s, exposures, v);
        (v.initialMargin, v.maintenanceMargin) = _requirements(exposures);
        v.bufferAtIndex += secured + lossesAtIndex - v.maintenanceMargin.toInt256();
        if (settled + losses < 0 || settled + lossesAtIndex < 0) {
            // What would be debt if every losing position were closed: realising a loss changes no requirement.
            uint256 debt = _shortfall(settled + losses);
            CompartmentParameters memory p = _riskParameters.compartmentParameters();
            v.initialMargin += WadMath.mulUp(debt, p.debtInitialRatio);
            v.maintenanceMargin += WadMath.mulUp(debt, p.debtMaintenanceRatio);
            debt = _shortfall(settled + lossesAtIndex);
            v.bufferAtIndex -= WadMath.mulUp(debt, p.debtMaintenanceRatio).toInt256();
        }
    }

    function _addCollateral(Holding[] calldata holdings, AccountValuation memory v) private view {
        uint256 initial;
        for (uint256 i; i < holdings.length; ++i) {
            Holding calldata h = holdings[i];
            CollateralConfig memory c = _riskParameters.collateralConfig(h.collateral);
            CollateralValuation memory p = _collateralValuation(c);
            uint256 amount = TokenScale.toWad(h.amountTokens, c.decimals);
            (uint256 depth, uint256 keptDepth) = _depthsOf(h.collateral, c.depth);
            initial += _initialValue(h, c, p, depth);
            // What others bring never lowers what an account is kept open on.
            v.collateralMaintenance += _sold(
                WadMath.mulDown(amount, p.maintenancePrice), amount, keptDepth
            );
            if (!isFirm(p.status)) v.uncertain += WadMath.mulUp(amount, p.marketPrice);
            v.status = worse(v.status, p.status);
        }
        v.equityInitial += initial.toInt256();
        v.equityMaintenance += v.collateralMaintenance.toInt256();
    }

    /// @dev All that the compartment holds would meet the market together.
    function _initialValue(
        Holding calldata h,
        CollateralConfig memory c,
        CollateralValuation memory p,
        uint256 depth
    ) private pure returns (uint256) {
        return _sold(
            WadMath.mulDown(TokenScale.toWad(h.amountTokens, c.decimals), p.initialPrice),
            TokenScale.toWad(h.totalTokens, c.decimals),
            depth
        );
    }

    /// @param actions Bit a: the price has to be good enough for action a.
    function _requireStatus(uint256 actions, PriceStatus status) private pure {
        for (; actions != 0; actions &= actions - 1) {
            ActionPolicy.requireStatus(Action(LibBit.ffs(actions)), status);
        }
    }

    /// @dev Leaves Σ max(0, profit · h) at the index price in `bufferAtIndex`.
    /// @return losses Σ min(0, profit), at close-out value.
    /// @return lossesAtIndex The same at the index price.
    function _addExposures(
        AccountStanding calldata s,
        MarketExposure[] memory exposures,
        AccountValuation memory v
    ) private pure returns (int256 losses, int256 lossesAtIndex) {
        for (uint256 i; i < exposures.length; ++i) {
            MarketExposure memory e = exposures[i];
            // At mark a position that moved the market looks better than it could be closed at.
            int256 pnl = e.unrealizedPnl - e.closeOutCost.toInt256();
            v.unrealizedPnl += pnl;
            if (pnl < 0) {
                losses += pnl;
            } else {
                // Realised, it would be a claim, and worth h.
                v.equityMaintenance += _haircut(s, uint256(pnl)).toInt256();
            }
            if (e.indexPnl < 0) lossesAtIndex += e.indexPnl;
            else v.bufferAtIndex += _haircut(s, uint256(e.indexPnl)).toInt256();
            if (!isFirm(e.status)) v.uncertain += WadMath.abs(e.notional);
            v.status = worse(v.status, e.status);
        }
        v.equityMaintenance += losses;
        // A profit in one market carries no loss in another until it is realised.
        v.equityInitial += losses;
    }

    /// @dev max(initial form, maintenance form) for the first: rates that follow at different speeds could make the
    /// second larger for a moment.
    function _requirements(MarketExposure[] memory exposures)
        private
        view
        returns (uint256 initial, uint256 maintenance)
    {
        if (exposures.length == 0) return (0, 0);
        MarginParameters memory p = _riskParameters.marginParameters();
        uint8 tier = _circuitBreaker.tier();
        if (exposures.length == 1) {
            // Nothing to offset, nothing to distrust.
            MarketExposure memory e = exposures[0];
            (uint256 initialRate, uint256 maintenanceRate) = _rates(e.market, e.indexAsset, p, tier);
            uint256 notional = WadMath.abs(e.notional);
            maintenance = WadMath.mulUp(notional, maintenanceRate);
            return (WadMath.max(maintenance, WadMath.mulUp(notional, initialRate)), maintenance);
        }
        (int256[] memory opening, int256[] memory keeping, MarketId[] memory markets) =
            _weighted(exposures, p, tier);
        uint256[] memory rows = _riskParameters.correlationRows(markets);
        (uint256 stress, uint256 keptStress) = _stressNow(p, tier);
        maintenance = PortfolioMargin.requirement(keeping, markets, rows, keptStress, p.grossFloor);
        initial = WadMath.max(
            maintenance, PortfolioMargin.requirement(opening, markets, rows, stress, p.grossFloor)
        );
    }

    /// @dev Signed notionals times their rates, rounded away from zero.
    function _weighted(MarketExposure[] memory exposures, MarginParameters memory p, uint8 tier)
        private
        view
        returns (int256[] memory opening, int256[] memory keeping, MarketId[] memory markets)
    {
        opening = new int256[](exposures.length);
        keeping = new int256[](exposures.length);
        markets = new MarketId[](exposures.length);
        for (uint256 i; i < exposures.length; ++i) {
            MarketExposure memory e = exposures[i];
            (uint256 initialRate, uint256 maintenanceRate) = _rates(e.market, e.indexAsset, p, tier);
            opening[i] = WadMath.mulAway(e.notional, initialRate);
            keeping[i] = WadMath.mulAway(e.notional, maintenanceRate);
            markets[i] = e.market;
        }
    }

    /// @dev What selling `amount` into a virtual reserve of `depth` leaves of a value: value · X / (X + a).
    function _sold(uint256 value, uint256 amount, uint256 depth) private pure returns (uint256) {
        if (depth == UNBOUNDED || value == 0) return value;
        return WadMath.mulDivDown(value, depth, depth + amount);
    }

    function _shortfall(int256 amount) private pure returns (uint256) {
        return amount < 0 ? uint256(-amount) : 0;
    }

    function _haircut(AccountStanding calldata s, uint256 amount) private pure returns (uint256) {
        return Ledger.shareOf(amount, s.poolCash, s.junior);
    }

    function _collateralValuation(CollateralConfig memory c)
        internal
        view
        returns (CollateralValuation memory v)
    {
        if (c.pegged) {
            IPegMonitor.PegValuation memory peg = _pegMonitor.valuation(c.asset);
            return CollateralValuation(
                peg.initialPrice, peg.maintenancePrice, peg.marketPrice, peg.status
            );
        }
        PriceData memory data = _oracle.latest(c.asset);
        v.marketPrice = data.price;
        v.initialPrice = WadMath.mulDown(data.price, WadMath.WAD - c.haircut);
        v.maintenancePrice = v.initialPrice;
        v.status = data.status;
    }
}
