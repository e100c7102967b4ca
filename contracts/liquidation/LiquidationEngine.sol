// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAuctionCallee} from "../interfaces/IAuctionCallee.sol";
import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILiquidationEngine} from "../interfaces/ILiquidationEngine.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {CompartmentLocked} from "../margin/CompartmentLocked.sol";
import {PortfolioMargin} from "../margin/PortfolioMargin.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, AccountIdLib, CollateralId, MarketId} from "../types/Ids.sol";
import {WriteOffReceipt} from "../types/Ledger.sol";
import {Fill} from "../types/Market.sol";
import {CollateralConfig, CompartmentParameters, MarketLiquidation} from "../types/Parameters.sol";
import {AccountValuation, CollateralValuation, PortfolioTerms} from "../types/Valuation.sol";
import {LiquidationMath} from "./LiquidationMath.sol";
import {PartialClose} from "./PartialClose.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Implements `ILiquidationEngine`, where every function is documented.
contract LiquidationEngine is ILiquidationEngine, CompartmentLocked {
    using SafeCastLib for uint256;

    IMarginEngine internal immutable _marginEngine;
    IRiskEngine internal immutable _riskEngine;
    IPerpExchange internal immutable _perpExchange;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    uint8 internal immutable _settlementDecimals;

    mapping(AccountId account => mapping(CollateralId collateral => uint256 startedAt)) internal
        _auctions;

    constructor(Compartment memory wiring) CompartmentLocked(wiring.marginEngine) {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _riskEngine = IRiskEngine(wiring.riskEngine);
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _settlementDecimals = IERC20Metadata(wiring.settlementToken).decimals();
    }

    // ------------------------------------------------------------------ positions

    /// @inheritdoc ILiquidationEngine
    function liquidate(AccountId account, MarketId market)
        external
        locked
        returns (int256 sizeDelta, uint256 reward)
    {
        _circuitBreaker.requireAllowed(Action.Liquidate);
        _refreshHaircut();
        AccountValuation memory before = _requireUnhealthy(account, Action.Liquidate);
        MarketLiquidation memory l = _riskParameters.marketLiquidation(market);
        CompartmentParameters memory p = _riskParameters.compartmentParameters();
        LiquidationPlan memory plan = _plan(account, market, before, l, p);
        sizeDelta = plan.sizeDelta;

        Fill memory fill = _perpExchange.liquidatePosition(account, market, sizeDelta);
        AccountValuation memory afterwards = _marginEngine.valuation(account);
        uint256 penalty = LiquidationMath.boundedPenalty(
            plan.penalty,
            before.equityMaintenance,
            before.maintenanceMargin,
            afterwards.equityMaintenance,
            afterwards.maintenanceMargin,
            p.debtMaintenanceRatio
        );
        // A bankrupt account has nothing to pay a penalty with; closing it is worth its reward all the same.
        uint256 rewarding = before.equityMaintenance > 0 ? penalty : plan.penalty;
        reward = _marginEngine.chargePenalty(
            account,
            penalty,
            AccountIdLib.pack(msg.sender, 0),
            WadMath.mulDown(rewarding, l.keeperShare)
        );
        _circuitBreaker.recordLiquidation(plan.notional);
        emit Liquidated(
            account,
            market,
            msg.sender,
            sizeDelta,
            fill.fillPrice,
            fill.realizedPnl,
            penalty,
            reward
        );
    }

    /// @inheritdoc ILiquidationEngine
    function previewLiquidate(AccountId account, MarketId market)
        external
        view
        whenUnlocked
        returns (LiquidationPlan memory plan)
    {
        AccountValuation memory v = _requireUnhealthy(account, Action.Liquidate);
        return _plan(
            account,
            market,
            v,
            _riskParameters.marketLiquidation(market),
            _riskParameters.compartmentParameters()
        );
    }

    /// @inheritdoc ILiquidationEngine
    function isLiquidatable(AccountId account) external view whenUnlocked returns (bool) {
        return _isUnhealthy(_marginEngine.valuation(account));
    }

    // ------------------------------------------------------------------ collateral

    /// @inheritdoc ILiquidationEngine
    function startAuction(AccountId account, CollateralId collateral) external locked {
        _circuitBreaker.requireAllowed(Action.Liquidate);
        uint256 startedAt = _auctions[account][collateral];
        if (startedAt != 0 && !_isOver(startedAt)) {
            revert LiquidationEngine_AuctionRunning(account, collateral, startedAt);
        }
        _refreshHaircut();
        _requireUnhealthy(account, Action.TakeAuction);
        if (_debtOf(account) == 0) revert LiquidationEngine_NoDebt(account);
        if (_marginEngine.collateralBalance(account, collateral) == 0) {
            revert LiquidationEngine_NoCollateral(account, collateral);
        }
        _auctions[account][collateral] = block.timestamp;
        emit AuctionStarted(account, collateral, uint40(block.timestamp));
    }

    /// @inheritdoc ILiquidationEngine
    function endAuction(AccountId account, CollateralId collateral) external locked {
        uint256 startedAt = _auctions[account][collateral];
        if (startedAt == 0) revert LiquidationEngine_NoAuction(account, collateral);
        bool hasCollateral = _marginEngine.collateralBalance(account, collateral) != 0;
        if (hasCollateral && _debtOf(account) != 0 && !_isOver(startedAt)) {
            _refreshHaircut();
            AccountValuation memory v = _marginEngine.valuation(account);
            // An auction goes on for as long as it may be taken from.
            if (_isUnhealthy(v)) {
                revert LiquidationEngine_AuctionRunning(account, collateral, startedAt);
            }
            ActionPolicy.requireStatus(Action.TakeAuction, v.status);
        }
        _endAuction(account, collateral);
    }

    /// @inheritdoc ILiquidationEngine
    function takeAuction(
        AccountId account,
        CollateralId collateral,
        uint256 maxAmountTokens,
        uint256 maxPrice,
        address receiver,
        bytes calldata data
    ) external locked returns (uint256 amountTokens, uint256 paymentTokens) {
        _circuitBreaker.requireAllowed(Action.TakeAuction);
        _refreshHaircut();
        _requireUnhealthy(account, Action.TakeAuction);
        uint256 price = _auctionPrice(account, collateral);
        if (price > maxPrice) revert LiquidationEngine_PriceTooHigh(price, maxPrice);

        CollateralConfig memory c = _riskParameters.collateralConfig(collateral);
        (amountTokens, paymentTokens) =
            _lot(account, collateral, maxAmountTokens, price, c.decimals);
        _marginEngine.seizeCollateral(account, collateral, amountTokens, receiver);
        if (data.length != 0) {
            IAuctionCallee(receiver).onAuctionTake(c.token, amountTokens, paymentTokens, data);
        }
        _marginEngine.creditAuctionProceeds(account, msg.sender, paymentTokens);
        emit AuctionTaken(account, collateral, msg.sender, amountTokens, paymentTokens, price);
        if (_debtOf(account) == 0 || _marginEngine.collateralBalance(account, collateral) == 0) {
            _endAuction(account, collateral);
        }
    }

    /// @inheritdoc ILiquidationEngine
    function auctionPrice(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256)
    {
        return _auctionPrice(account, collateral);
    }

    /// @inheritdoc ILiquidationEngine
    function auctionStartedAt(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256)
    {
        return _auctions[account][collateral];
    }

    // ------------------------------------------------------------------ waterfall

    /// @inheritdoc ILiquidationEngine
    function writeOff(AccountId account) external locked returns (WriteOffReceipt memory receipt) {
        _circuitBreaker.requireAllowed(Action.WriteOff);
        if (_debtOf(account) == 0) revert LiquidationEngine_NoDebt(account);
        // The junior tranche is measured on U⁺.
        _perpExchange.refreshAll();
        uint256 positions = _perpExchange.exposuresOf(account).length;
        AccountValuation memory v = _marginEngine.valuation(account);
        uint256 dust = uint256(_riskParameters.compartmentParameters().dustUnits) * WadMath.WAD;
        if (positions != 0 || v.collateralMaintenance + v.uncertain >= dust) {
            revert LiquidationEngine_AssetsLeft(
                account, positions, v.collateralMaintenance + v.uncertain
            );
        }
        if (v.equityMaintenance + v.uncertain.toInt256() >= 0) {
            revert LiquidationEngine_Healthy(account, v.equityMaintenance, v.maintenanceMargin);
        }
        receipt = _marginEngine.writeOff(account);
        _circuitBreaker.recordBadDebt(receipt.debt);
    }

    // ------------------------------------------------------------------ internal

    function _plan(
        AccountId account,
        MarketId market,
        AccountValuation memory v,
        MarketLiquidation memory l,
        CompartmentParameters memory p
    ) internal view returns (LiquidationPlan memory plan) {
        int256 size = _perpExchange.position(account, market).size;
        if (size == 0) revert LiquidationEngine_NoPosition(account, market);
        (uint256 index,) = _perpExchange.indexPrice(market);
        uint256 held = WadMath.abs(size);
        uint256 notional = WadMath.mulUp(held, index);
        uint256 closed = held;
        // What cannot move any more takes no part in the requirement: all of it goes, and costs nothing.
        bool isSettled = _perpExchange.isSettled(market);
        if (v.equityMaintenance > 0 && !isSettled) {
            uint256 wanted = _notionalToClose(account, market, v, l, p, notional);
            if (wanted < notional) closed = WadMath.mulDivUp(wanted, WadMath.WAD, index);
        }
        if (closed > held) closed = held;
        plan.sizeDelta = size > 0 ? -closed.toInt256() : closed.toInt256();
        plan.notional = WadMath.mulUp(closed, index);
        plan.penalty = isSettled ? 0 : WadMath.mulUp(plan.notional, l.penalty);
    }

    /// @dev Where even closing the best part would not be worth its penalty, as in a book that is hedged well, it is
    /// sized as if there were none: `boundedPenalty` then takes only what health can spare.
    function _notionalToClose(
        AccountId account,
        MarketId market,
        AccountValuation memory v,
        MarketLiquidation memory l,
        CompartmentParameters memory p,
        uint256 notional
    ) internal view returns (uint256 wanted) {
        PortfolioTerms memory t = _riskEngine.closingTerms(account, market);
        PartialClose.Problem memory c = PartialClose.Problem(
            uint256(v.equityMaintenance),
            FixedPointMathLib.zeroFloorSub(v.maintenanceMargin, PortfolioMargin.ofTerms(t, t.own)),
            notional,
            p.targetHealth,
            l.penalty,
            p.debtMaintenanceRatio
        );
        wanted = PartialClose.leastNotional(c, t);
        if (wanted == 0) {
            c.penaltyRatio = 0;
            wanted = PartialClose.leastNotional(c, t);
            if (wanted == 0) revert LiquidationEngine_Offsetting(account, market);
        }
        // What would be left smaller than the minimum is closed too, unless others need it: dust cannot pay for its
        // own liquidation.
        if (wanted + l.minNotional < notional) return wanted;
        bool helps = PartialClose.surplus(c, t, notional) > PartialClose.surplus(c, t, 0);
        return helps ? notional : wanted;
    }

    /// @dev The smaller of what is wanted, what is held and what repays the debt; the price of it rounded up.
    function _lot(
        AccountId account,
        CollateralId collateral,
        uint256 maxAmountTokens,
        uint256 price,
        uint8 decimals
    ) internal view returns (uint256 amountTokens, uint256 paymentTokens) {
        uint256 debt = _debtOf(account);
        if (debt == 0) revert LiquidationEngine_NoDebt(account);
        uint256 needed = TokenScale.toTokensUp(WadMath.mulDivUp(debt, WadMath.WAD, price), decimals);
        amountTokens = WadMath.min(
            WadMath.min(maxAmountTokens, needed),
            _marginEngine.collateralBalance(account, collateral)
        );
        if (amountTokens == 0) revert LiquidationEngine_ZeroAmount();
        paymentTokens = TokenScale.toTokensUp(
            WadMath.mulUp(TokenScale.toWad(amountTokens, decimals), price), _settlementDecimals
        );
    }

    /// @dev The floor is what the margin check counts the collateral for, so a sale never lowers the account's
    /// equity, however thin the bidding.
    function _auctionPrice(AccountId account, CollateralId collateral)
        internal
        view
        returns (uint256)
    {
        uint256 startedAt = _auctions[account][collateral];
        if (startedAt == 0 || _isOver(startedAt)) {
            revert LiquidationEngine_NoAuction(account, collateral);
        }
        CompartmentParameters memory p = _riskParameters.compartmentParameters();
        CollateralValuation memory v = _riskEngine.collateralValuation(collateral);
        ActionPolicy.requireStatus(Action.TakeAuction, v.status);
        uint256 top = WadMath.max(v.marketPrice, v.maintenancePrice);
        return LiquidationMath.auctionPrice(
            top + WadMath.mulUp(top, p.auctionStartPremium),
            v.maintenancePrice,
            block.timestamp - startedAt,
            p.auctionDuration
        );
    }

    function _endAuction(AccountId account, CollateralId collateral) internal {
        delete _auctions[account][collateral];
        emit AuctionEnded(account, collateral);
    }

    /// @dev An h below one is part of the judgement, so it has to be of this moment.
    function _refreshHaircut() internal {
        if (_marginEngine.haircutRatio() < WadMath.WAD) _perpExchange.refreshAll();
    }

    /// @dev Stale prices protect an account only as far as they could be hiding what it lacks: otherwise one unit of
    /// a token whose feed has died would make any account immune.
    function _requireUnhealthy(AccountId account, Action action)
        internal
        view
        returns (AccountValuation memory v)
    {
        v = _marginEngine.valuation(account);
        int256 uncertain = v.uncertain.toInt256();
        int256 margin = v.maintenanceMargin.toInt256();
        if (v.equityMaintenance + uncertain < margin && v.bufferAtIndex + uncertain < 0) return v;
        ActionPolicy.requireStatus(action, v.status);
        if (v.equityMaintenance >= margin) {
            revert LiquidationEngine_Healthy(account, v.equityMaintenance, v.maintenanceMargin);
        }
        if (v.bufferAtIndex >= 0) {
            revert LiquidationEngine_HealthyAtIndex(account, v.bufferAtIndex);
        }
    }

    /// @dev An auction that nobody took for twice its duration is over: a later one starts from the top again.
    function _isOver(uint256 startedAt) internal view returns (bool) {
        uint256 duration = _riskParameters.compartmentParameters().auctionDuration;
        return block.timestamp > startedAt + 2 * duration;
    }

    function _isUnhealthy(AccountValuation memory v) internal pure returns (bool) {
        return v.equityMaintenance < v.maintenanceMargin.toInt256() && v.bufferAtIndex < 0;
    }

    function _debtOf(AccountId account) internal view returns (uint256) {
        int256 cash = _marginEngine.accountLedger(account).cash;
        return cash < 0 ? uint256(-cash) : 0;
    }
}
