// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILens} from "../interfaces/ILens.sol";
import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {InterestCurve} from "../margin/InterestCurve.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {BorrowState, LedgerTotals} from "../types/Ledger.sol";
import {Position} from "../types/Market.sol";
import {CollateralConfig} from "../types/Parameters.sol";
import {AccountValuation} from "../types/Valuation.sol";
import {MarginQuestions} from "./MarginQuestions.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice Implements `ILens`, where every function is documented.
contract Lens is MarginQuestions {
    ILiquidityVault internal immutable _liquidityVault;
    IERC20 internal immutable _insuranceFund;
    address internal immutable _collateralVault;
    IERC20 internal immutable _settlementToken;

    constructor(Compartment memory wiring) MarginQuestions(wiring) {
        _liquidityVault = ILiquidityVault(wiring.liquidityVault);
        _insuranceFund = IERC20(wiring.insuranceFund);
        _collateralVault = wiring.collateralVault;
        _settlementToken = IERC20(wiring.settlementToken);
    }

    /// @inheritdoc ILens
    function accounts(AccountId[] calldata ids) external view returns (AccountView[] memory views) {
        views = new AccountView[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            // One account that cannot be read must not hide the others.
            try this.account(ids[i]) returns (AccountView memory v) {
                views[i] = v;
            } catch {
                views[i].account = ids[i];
                views[i].ledger = _marginEngine.accountLedger(ids[i]);
                (views[i].bookedDebt,) = _marginEngine.bookedDebt(ids[i]);
            }
        }
    }

    /// @inheritdoc ILens
    function account(AccountId id) external view returns (AccountView memory v) {
        v.account = id;
        v.ledger = _marginEngine.accountLedger(id);
        (v.bookedDebt,) = _marginEngine.bookedDebt(id);
        v.maturedClaim = _marginEngine.maturedClaim(id);
        v.collateralTokens = new uint256[](_riskParameters.collateralCount());
        for (uint8 c; c < v.collateralTokens.length; ++c) {
            v.collateralTokens[c] = _marginEngine.collateralBalance(id, CollateralId.wrap(c + 1));
        }
        v.positions = _positions(id, _riskParameters.marketCount());
        try _marginEngine.valuation(id) returns (AccountValuation memory valuation) {
            v.valuation = valuation;
            v.freeCollateral = valuation.equityInitial - int256(valuation.initialMargin);
            v.healthRatio = _healthRatio(valuation);
            v.isPriced = true;
        } catch {}
    }

    /// @inheritdoc ILens
    function compartment() external view returns (CompartmentView memory v) {
        LedgerTotals memory t = _marginEngine.totals();
        v.totals = t;
        BorrowState memory b = _marginEngine.borrowState();
        v.accruedDebt = InterestCurve.total(b.scaledDebt, InterestCurve.currentIndex(b));
        v.borrowRate = b.rate;
        v.unrealized = _marginEngine.unrealizedTotals();
        v.haircutRatio = _marginEngine.haircutRatio();
        v.tier = _circuitBreaker.tier();
        (v.initialStress, v.maintenanceStress) = _riskEngine.stressLevels();
        v.custodyTokens = _settlementToken.balanceOf(_collateralVault);
        v.custodySurplus = int256(TokenScale.toWad(v.custodyTokens, _settlementDecimals))
            - int256(uint256(t.principal) + t.poolCash + t.insuranceCash + t.feeReserve);
        v.poolShares = _liquidityVault.totalSupply();
        (v.poolToEnter, v.poolToLeave) = _liquidityVault.netAssetValue();
        v.fundShares = _insuranceFund.totalSupply();
        v.markets = _markets();
        v.collaterals = _collaterals();
    }

    function _positions(AccountId id, uint256 markets)
        internal
        view
        returns (PositionView[] memory views)
    {
        views = new PositionView[](_perpExchange.exposuresOf(id).length);
        uint256 next;
        for (uint8 m; m < markets && next < views.length; ++m) {
            MarketId market = MarketId.wrap(m);
            Position memory p = _perpExchange.position(id, market);
            if (p.size == 0) continue;
            views[next++] = PositionView(market, p, _perpExchange.unrealizedPnlOf(id, market));
        }
    }

    function _markets() internal view returns (MarketView[] memory views) {
        views = new MarketView[](_riskParameters.marketCount());
        for (uint8 m; m < views.length; ++m) {
            MarketView memory v = views[m];
            v.market = MarketId.wrap(m);
            v.state = _perpExchange.marketState(v.market);
            (v.indexPrice, v.status) = _perpExchange.indexPrice(v.market);
            v.markPrice = _perpExchange.markPrice(v.market);
            v.fundingRate = _perpExchange.fundingRate(v.market);
            v.unrealizedPnl = _perpExchange.unrealizedPnl(v.market);
            (v.initialRate, v.maintenanceRate) = _riskEngine.marginRates(v.market);
            v.reported = _marginEngine.marketUnrealized(v.market);
        }
    }

    function _collaterals() internal view returns (CollateralView[] memory views) {
        views = new CollateralView[](_riskParameters.collateralCount());
        for (uint8 c; c < views.length; ++c) {
            CollateralId id = CollateralId.wrap(c + 1);
            CollateralConfig memory config = _riskParameters.collateralConfig(id);
            (uint256 initialDepth, uint256 maintenanceDepth) = _riskEngine.depths(id);
            views[c] = CollateralView(
                config.token,
                IERC20(config.token).balanceOf(_collateralVault),
                _marginEngine.totalCollateral(id),
                initialDepth,
                maintenanceDepth,
                _riskEngine.collateralValuation(id)
            );
        }
    }
}
