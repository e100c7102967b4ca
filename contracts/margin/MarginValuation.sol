// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals, MarketUnrealized, UnrealizedTotals} from "../types/Ledger.sol";
import {CollateralConfig, CompartmentParameters} from "../types/Parameters.sol";
import {isFirm, PriceData, PriceStatus, worse} from "../types/Price.sol";
import {AccountValuation, CollateralValuation, MarketExposure} from "../types/Valuation.sol";
import {Ledger} from "./Ledger.sol";
import {MarginBase} from "./MarginBase.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice What accounts are worth, and the views of the ledger.
abstract contract MarginValuation is MarginBase {
    using Ledger for AccountLedger;
    using SafeCastLib for uint256;

    /// @inheritdoc IMarginEngine
    function requireInitialMargin(AccountId account, Action action) external view consistent {
        _requireInitialMargin(account, action);
    }

    /// @inheritdoc IMarginEngine
    function valuation(AccountId account)
        external
        view
        consistent
        returns (AccountValuation memory)
    {
        return _valuation(account, _exposureSource.exposuresOf(account));
    }

    /// @inheritdoc IMarginEngine
    function collateralValuation(CollateralId collateral)
        external
        view
        returns (CollateralValuation memory)
    {
        return _collateralValuation(_riskParameters.collateralConfig(collateral));
    }

    /// @inheritdoc IMarginEngine
    function accountLedger(AccountId account)
        external
        view
        consistent
        returns (AccountLedger memory)
    {
        return _accounts[account];
    }

    /// @inheritdoc IMarginEngine
    function maturedClaim(AccountId account) external view consistent returns (uint256) {
        return _accounts[account].maturedOf();
    }

    /// @inheritdoc IMarginEngine
    function collateralBalance(AccountId account, CollateralId collateral)
        external
        view
        consistent
        returns (uint256)
    {
        return _collateral[account][collateral];
    }

    /// @inheritdoc IMarginEngine
    function totalCollateral(CollateralId collateral) external view consistent returns (uint256) {
        return _totalCollateral[collateral];
    }

    /// @inheritdoc IMarginEngine
    function totals() external view consistent returns (LedgerTotals memory) {
        return _totals;
    }

    /// @inheritdoc IMarginEngine
    function unrealizedTotals() external view consistent returns (UnrealizedTotals memory) {
        return _unrealizedTotals;
    }

    /// @inheritdoc IMarginEngine
    function marketUnrealized(MarketId market)
        external
        view
        consistent
        returns (MarketUnrealized memory)
    {
        return _unrealized[market];
    }

    /// @inheritdoc IMarginEngine
    function haircutRatio() external view consistent returns (uint256) {
        return Ledger.haircut(_totals, _unrealizedTotals, WadMath.WAD);
    }

    /// @inheritdoc IMarginEngine
    function requireFreshUnrealized() external view {
        _requireFreshUnrealized();
    }

    function _requireFreshUnrealized() internal view {
        uint256 maxAge = _riskParameters.compartmentParameters().maxUnrealizedAge;
        (MarketId oldest, uint256 age) = _oldestUnrealized();
        if (age > maxAge) revert MarginEngine_StaleUnrealized(oldest, age, maxAge);
    }

    /// @dev A market that was never touched has no positions and no age.
    function _oldestUnrealized() private view returns (MarketId oldest, uint256 age) {
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            uint256 updatedAt = _unrealized[MarketId.wrap(i)].updatedAt;
            if (updatedAt == 0 || block.timestamp - updatedAt <= age) continue;
            (oldest, age) = (MarketId.wrap(i), block.timestamp - updatedAt);
        }
    }

    function _requireInitialMargin(AccountId account, Action action) internal view {
        MarketExposure[] memory exposures = _exposureSource.exposuresOf(account);
        // Nothing is asked of an account without positions and debt, so no price can lock its principal.
        if (exposures.length == 0 && _accounts[account].cash >= 0) return;

        AccountValuation memory v = _valuation(account, exposures);
        ActionPolicy.requireStatus(action, v.status);
        if (v.equityInitial < v.initialMargin.toInt256()) {
            revert MarginEngine_BelowInitialMargin(account, v.equityInitial, v.initialMargin);
        }
    }

    function _valuation(AccountId account, MarketExposure[] memory exposures)
        internal
        view
        returns (AccountValuation memory v)
    {
        AccountLedger memory a = _accounts[account];
        v.status = PriceStatus.Valid;
        v.equityInitial = a.cash;
        v.equityMaintenance = a.cash;
        if (a.claim > 0) {
            v.equityMaintenance += _haircut(a.claim).toInt256();
            (, uint256 age) = _oldestUnrealized();
            // An h of unknown age may be kept to liquidate nobody wrongly, not to take value out on.
            if (age <= _riskParameters.compartmentParameters().maxUnrealizedAge) {
                v.equityInitial += _haircut(a.maturedOf()).toInt256();
            }
        }
        if (a.collateralMask != 0) _addCollateral(account, a.collateralMask, v);

        int256 settled = int256(a.cash) + int256(uint256(a.claim));
        int256 secured = v.equityMaintenance;
        (int256 losses, int256 lossesAtIndex) = _addExposures(exposures, v);
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

    function _addCollateral(AccountId account, uint256 mask, AccountValuation memory v)
        private
        view
    {
        uint256 initial;
        for (uint8 i = 1; mask >> i != 0; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            CollateralId id = CollateralId.wrap(i);
            CollateralConfig memory c = _riskParameters.collateralConfig(id);
            CollateralValuation memory p = _collateralValuation(c);
            uint256 amount = TokenScale.toWad(_collateral[account][id], c.decimals);
            initial += WadMath.mulDown(amount, p.initialPrice);
            v.collateralMaintenance += WadMath.mulDown(amount, p.maintenancePrice);
            if (!isFirm(p.status)) v.uncertain += WadMath.mulUp(amount, p.marketPrice);
            v.status = worse(v.status, p.status);
        }
        v.equityInitial += initial.toInt256();
        v.equityMaintenance += v.collateralMaintenance.toInt256();
    }

    /// @dev Leaves Σ max(0, profit · h) at the index price in `bufferAtIndex`.
    /// @return losses Σ min(0, profit), at close-out value.
    /// @return lossesAtIndex The same at the index price.
    function _addExposures(MarketExposure[] memory exposures, AccountValuation memory v)
        private
        view
        returns (int256 losses, int256 lossesAtIndex)
    {
        for (uint256 i; i < exposures.length; ++i) {
            MarketExposure memory e = exposures[i];
            // At mark a position that moved the market looks better than it could be closed at.
            int256 pnl = e.unrealizedPnl - e.closeOutCost.toInt256();
            v.unrealizedPnl += pnl;
            if (pnl < 0) {
                losses += pnl;
            } else {
                // Realised, it would be a claim, and worth h.
                v.equityMaintenance += _haircut(uint256(pnl)).toInt256();
            }
            if (e.indexPnl < 0) lossesAtIndex += e.indexPnl;
            else v.bufferAtIndex += _haircut(uint256(e.indexPnl)).toInt256();
            v.initialMargin += e.initialMargin;
            v.maintenanceMargin += e.maintenanceMargin;
            if (!isFirm(e.status)) v.uncertain += WadMath.abs(e.notional);
            v.status = worse(v.status, e.status);
        }
        v.equityMaintenance += losses;
        // A profit in one market carries no loss in another until it is realised.
        v.equityInitial += losses;
    }

    function _shortfall(int256 amount) private pure returns (uint256) {
        return amount < 0 ? uint256(-amount) : 0;
    }

    function _haircut(uint256 amount) private view returns (uint256) {
        return Ledger.haircut(_totals, _unrealizedTotals, amount);
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
