// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILens} from "../interfaces/ILens.sol";
import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {LedgerTotals} from "../types/Ledger.sol";
import {Position} from "../types/Market.sol";
import {CollateralConfig} from "../types/Parameters.sol";
import {AccountValuation} from "../types/Valuation.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

/// @notice Implements `ILens`, where every function is documented.
contract Lens is ILens {
    IMarginEngine internal immutable _marginEngine;
    IRiskEngine internal immutable _riskEngine;
    IPerpExchange internal immutable _perpExchange;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    ILiquidityVault internal immutable _liquidityVault;
    IERC20 internal immutable _insuranceFund;
    address internal immutable _collateralVault;
    IERC20 internal immutable _settlementToken;
    uint8 internal immutable _settlementDecimals;

    constructor(Compartment memory wiring) {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _riskEngine = IRiskEngine(wiring.riskEngine);
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _liquidityVault = ILiquidityVault(wiring.liquidityVault);
        _insuranceFund = IERC20(wiring.insuranceFund);
        _collateralVault = wiring.collateralVault;
        _settlementToken = IERC20(wiring.settlementToken);
        _settlementDecimals = IERC20Metadata(wiring.settlementToken).decimals();
    }

    /// @inheritdoc ILens
    function accounts(AccountId[] calldata ids) external view returns (AccountView[] memory views) {
        uint256 markets = _riskParameters.marketCount();
        uint256 collaterals = _riskParameters.collateralCount();
        views = new AccountView[](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            AccountView memory v = views[i];
            v.account = ids[i];
            v.ledger = _marginEngine.accountLedger(ids[i]);
            v.maturedClaim = _marginEngine.maturedClaim(ids[i]);
            v.collateralTokens = new uint256[](collaterals);
            for (uint8 c; c < collaterals; ++c) {
                v.collateralTokens[c] =
                    _marginEngine.collateralBalance(ids[i], CollateralId.wrap(c + 1));
            }
            v.positions = _positions(ids[i], markets);
            // One account that cannot be priced must not hide the others.
            try _marginEngine.valuation(ids[i]) returns (AccountValuation memory valuation) {
                v.valuation = valuation;
                v.isPriced = true;
            } catch {}
        }
    }

    /// @inheritdoc ILens
    function compartment() external view returns (CompartmentView memory v) {
        LedgerTotals memory t = _marginEngine.totals();
        v.totals = t;
        v.unrealized = _marginEngine.unrealizedTotals();
        v.haircutRatio = _marginEngine.haircutRatio();
        v.tier = _circuitBreaker.tier();
        v.custodyTokens = _settlementToken.balanceOf(_collateralVault);
        v.custodySurplus = int256(TokenScale.toWad(v.custodyTokens, _settlementDecimals))
            - int256(uint256(t.principal) + t.poolCash + t.insuranceCash + t.feeReserve);
        v.poolShares = _liquidityVault.totalSupply();
        (v.poolToEnter, v.poolToLeave) = _liquidityVault.netAssetValue();
        v.fundShares = _insuranceFund.totalSupply();
        v.markets = _markets();
        v.collaterals = _collaterals();
    }

    function _positions(AccountId account, uint256 markets)
        internal
        view
        returns (PositionView[] memory views)
    {
        views = new PositionView[](_perpExchange.exposuresOf(account).length);
        uint256 next;
        for (uint8 m; m < markets && next < views.length; ++m) {
            MarketId market = MarketId.wrap(m);
            Position memory p = _perpExchange.position(account, market);
            if (p.size == 0) continue;
            views[next++] = PositionView(market, p, _perpExchange.unrealizedPnlOf(account, market));
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
            v.reported = _marginEngine.marketUnrealized(v.market);
        }
    }

    function _collaterals() internal view returns (CollateralView[] memory views) {
        views = new CollateralView[](_riskParameters.collateralCount());
        for (uint8 c; c < views.length; ++c) {
            CollateralId id = CollateralId.wrap(c + 1);
            CollateralConfig memory config = _riskParameters.collateralConfig(id);
            views[c] = CollateralView(
                config.token,
                IERC20(config.token).balanceOf(_collateralVault),
                _marginEngine.totalCollateral(id),
                _riskEngine.collateralValuation(id)
            );
        }
    }
}
