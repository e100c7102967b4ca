// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {
    AccountLedger,
    ChargeSplit,
    LedgerTotals,
    MarketUnrealized,
    UnrealizedTotals,
    WriteOffReceipt
} from "../types/Ledger.sol";
import {CollateralConfig} from "../types/Parameters.sol";
import {Permissions} from "../types/Permissions.sol";
import {Ledger} from "./Ledger.sol";
import {MarginBatch} from "./MarginBatch.sol";
import {MarginOrders} from "./MarginOrders.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Implements `IMarginEngine`, where every function is documented.
contract MarginEngine is MarginOrders {
    using Ledger for AccountLedger;
    using Ledger for LedgerTotals;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    constructor(Compartment memory wiring) MarginBatch(wiring) {}

    // ------------------------------------------------------------------ for users

    /// @inheritdoc IMarginEngine
    function deposit(AccountId account, CollateralId collateral, uint256 amountTokens)
        external
        locked
    {
        _requireAuthorized(account, Permissions.DEPOSIT);
        _deposit(account, collateral, amountTokens);
    }

    /// @inheritdoc IMarginEngine
    function depositWithPermit(
        AccountId account,
        CollateralId collateral,
        uint256 amountTokens,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external locked {
        _requireAuthorized(account, Permissions.DEPOSIT);
        // Whoever saw the permit may have brought it already; what counts is the allowance.
        try IERC20Permit(_tokenOf(collateral))
            .permit(_sender(), address(_collateralVault), amountTokens, deadline, v, r, s) {}
            catch {}
        _deposit(account, collateral, amountTokens);
    }

    /// @inheritdoc IMarginEngine
    function withdraw(
        AccountId account,
        CollateralId collateral,
        uint256 amountTokens,
        address receiver
    ) external locked {
        _requireAuthorized(account, Permissions.WITHDRAW);
        if (amountTokens == 0) revert MarginEngine_ZeroAmount();
        _requireReceiver(receiver);
        address owner = account.owner();
        if (receiver != owner && _sender() != owner) {
            revert MarginEngine_ReceiverNotOwner(account, receiver);
        }
        _circuitBreaker.requireAllowed(Action.Withdraw);
        _requireNoOrders(account);

        address token = _tokenOf(collateral);
        if (CollateralId.unwrap(collateral) == SETTLEMENT) {
            _takePrincipal(account, amountTokens);
        } else {
            _takeCollateral(account, collateral, amountTokens);
        }
        _requireInitialMargin(account, Action.Withdraw);
        emit Withdrawn(account, collateral, amountTokens, receiver);
        _collateralVault.push(token, receiver, amountTokens);
    }

    /// @inheritdoc IMarginEngine
    function transfer(AccountId from, AccountId to, CollateralId collateral, uint256 amountTokens)
        external
        locked
    {
        _requireAuthorized(from, Permissions.WITHDRAW);
        if (from.owner() != to.owner()) revert MarginEngine_ForeignAccount(from, to);
        _requireAuthorized(to, Permissions.DEPOSIT);
        if (AccountId.unwrap(from) == AccountId.unwrap(to)) revert MarginEngine_SameAccount(from);
        if (amountTokens == 0) revert MarginEngine_ZeroAmount();
        _circuitBreaker.requireAllowed(Action.Transfer);
        _requireNoOrders(from);

        uint256 debtRepaid;
        if (CollateralId.unwrap(collateral) == SETTLEMENT) {
            _takePrincipal(from, amountTokens);
            debtRepaid = _creditAccount(to, TokenScale.toWad(amountTokens, _settlementDecimals));
        } else {
            _tokenOf(collateral);
            _removeCollateral(from, collateral, amountTokens);
            _addCollateral(to, collateral, amountTokens);
        }
        _requireInitialMargin(from, Action.Transfer);
        emit Transferred(from, to, collateral, amountTokens, debtRepaid);
    }

    /// @inheritdoc IMarginEngine
    function convert(AccountId account, uint256 amount) external locked returns (uint256 paid) {
        _requireAuthorized(account, Permissions.CONVERT);
        if (amount == 0) revert MarginEngine_ZeroAmount();
        _circuitBreaker.requireAllowed(Action.Convert);
        _requireFreshUnrealized();

        AccountLedger memory a = _accounts[account];
        uint256 matured = a.maturedOf();
        if (amount > matured) revert MarginEngine_NotMatured(account, matured, amount);
        LedgerTotals memory t = _totals;
        // An account with a claim owes nothing.
        paid = t.convert(a, _unrealizedTotals, amount);
        _accounts[account] = a;
        _saveTotals(t);
        emit Converted(account, amount, paid);
    }

    // ------------------------------------------------------------------ for the exchange

    /// @inheritdoc IMarginEngine
    function settle(
        AccountId account,
        MarketId market,
        int256 pnl,
        uint256 fee,
        uint256 rebate,
        int256 unrealized
    ) external only(_perpExchange) returns (uint256 poolCash) {
        _reportUnrealized(market, unrealized);
        if (pnl == 0 && fee == 0) return _totals.poolCash;
        LedgerTotals memory t = _totals;
        AccountLedger memory a = _load(account, t);
        if (pnl > 0) {
            uint256 period = _riskEngine.vestingPeriod(market);
            (uint256 forgiven, uint256 claimed) = t.applyProfit(a, uint256(pnl), period);
            emit ProfitApplied(account, market, uint256(pnl), forgiven, claimed, a.vestingEndsAt);
        } else if (pnl < 0) {
            ChargeSplit memory s = t.applyLoss(a, uint256(-pnl));
            emit LossApplied(account, market, uint256(-pnl), s.fromClaim, s.fromCash, s.toDebt);
        }
        if (fee != 0) _chargeFee(account, t, a, fee, 0);
        if (rebate != 0) _payRebate(account, market, t, a, rebate);
        _save(account, a);
        _saveTotals(t);
        return t.poolCash;
    }

    /// @inheritdoc IMarginEngine
    function reportUnrealized(MarketId market, int256 unrealized) external only(_perpExchange) {
        _reportUnrealized(market, unrealized);
    }

    // ------------------------------------------------------------------ for the two vaults

    /// @inheritdoc IMarginEngine
    function creditPool(uint256 amountTokens) external only(_liquidityVault) {
        _movePoolCash(TokenScale.toWad(amountTokens, _settlementDecimals).toInt256());
    }

    /// @inheritdoc IMarginEngine
    function debitPool(uint256 amountTokens, address receiver) external only(_liquidityVault) {
        _requireReceiver(receiver);
        _movePoolCash(-TokenScale.toWad(amountTokens, _settlementDecimals).toInt256());
        _collateralVault.push(_settlementToken, receiver, amountTokens);
    }

    /// @inheritdoc IMarginEngine
    function creditInsurance(uint256 amountTokens) external only(_insuranceFund) {
        _moveInsuranceCash(TokenScale.toWad(amountTokens, _settlementDecimals).toInt256());
    }

    /// @inheritdoc IMarginEngine
    function debitInsurance(uint256 amountTokens, address receiver) external only(_insuranceFund) {
        _requireReceiver(receiver);
        _moveInsuranceCash(-TokenScale.toWad(amountTokens, _settlementDecimals).toInt256());
        _collateralVault.push(_settlementToken, receiver, amountTokens);
    }

    // ------------------------------------------------------------------ for the liquidation engine

    /// @inheritdoc IMarginEngine
    function chargePenalty(AccountId account, uint256 penalty, AccountId keeper, uint256 reward)
        external
        only(_liquidationEngine)
        returns (uint256 rewarded)
    {
        LedgerTotals memory t = _totals;
        rewarded = WadMath.min(reward, _freeReserve(t) + penalty);
        if (penalty != 0) {
            AccountLedger memory a = _load(account, t);
            _chargeFee(account, t, a, penalty, rewarded);
            // Written before the keeper's entry is read: the keeper may be the account itself.
            _save(account, a);
        }
        rewarded = WadMath.min(rewarded, _freeReserve(t));
        if (rewarded != 0) _payFromReserve(t, keeper, rewarded);
        _saveTotals(t);
    }

    /// @inheritdoc IMarginEngine
    function seizeCollateral(
        AccountId account,
        CollateralId collateral,
        uint256 amountTokens,
        address receiver
    ) external only(_liquidationEngine) {
        _requireReceiver(receiver);
        address token = _riskParameters.collateralToken(collateral);
        _takeCollateral(account, collateral, amountTokens);
        emit CollateralSeized(account, collateral, amountTokens, receiver);
        _collateralVault.push(token, receiver, amountTokens);
    }

    /// @inheritdoc IMarginEngine
    function creditAuctionProceeds(AccountId account, address payer, uint256 amountTokens)
        external
        only(_liquidationEngine)
        returns (uint256 debtRepaid)
    {
        uint256 received = _collateralVault.pull(_settlementToken, payer, amountTokens);
        debtRepaid = _creditAccount(account, TokenScale.toWad(received, _settlementDecimals));
        emit AuctionProceedsCredited(account, payer, received, debtRepaid);
    }

    /// @inheritdoc IMarginEngine
    function writeOff(AccountId account)
        external
        only(_liquidationEngine)
        returns (WriteOffReceipt memory receipt)
    {
        LedgerTotals memory t = _totals;
        AccountLedger memory a = _load(account, t);
        if (a.cash >= 0) revert MarginEngine_NotBankrupt(account);
        _forfeitCollateral(account, a);
        receipt = t.writeOff(a, _unrealizedTotals);
        _save(account, a);
        _saveTotals(t);
        emit BadDebtWrittenOff(account, receipt);
    }

    // ------------------------------------------------------------------ shared

    function _creditAccount(AccountId account, uint256 amount)
        internal
        returns (uint256 debtRepaid)
    {
        LedgerTotals memory t = _totals;
        AccountLedger memory a = _load(account, t);
        debtRepaid = t.credit(a, amount);
        _save(account, a);
        _saveTotals(t);
    }

    /// @param kept WAD that stays in the fee reserve, for the keeper; the rest of what arrives is distributed.
    function _chargeFee(
        AccountId account,
        LedgerTotals memory t,
        AccountLedger memory a,
        uint256 fee,
        uint256 kept
    ) internal {
        ChargeSplit memory s = t.applyFee(a, fee);
        uint256 toInsurance;
        uint256 toPool;
        if (s.fromCash > kept) {
            (uint256 insuranceShare, uint256 poolShare) = _riskParameters.feeShares();
            (toInsurance, toPool) = t.distribute(s.fromCash - kept, insuranceShare, poolShare);
        }
        emit FeeCharged(account, fee, s.fromCash, s.fromClaim, s.toDebt, toInsurance, toPool);
    }

    function _deposit(AccountId account, CollateralId collateral, uint256 amountTokens) internal {
        if (amountTokens == 0) revert MarginEngine_ZeroAmount();
        _circuitBreaker.requireAllowed(Action.Deposit);

        uint256 received;
        uint256 debtRepaid;
        if (CollateralId.unwrap(collateral) == SETTLEMENT) {
            received = _collateralVault.pull(_settlementToken, _sender(), amountTokens);
            debtRepaid = _creditAccount(account, TokenScale.toWad(received, _settlementDecimals));
        } else {
            CollateralConfig memory c = _riskParameters.collateralConfig(collateral);
            received = _collateralVault.pull(c.token, _sender(), amountTokens);
            uint256 total = _totalCollateral[collateral] + received;
            if (total > c.cap) revert MarginEngine_CollateralCap(collateral, total, c.cap);
            _totalCollateral[collateral] = total;
            _addCollateral(account, collateral, received);
        }
        emit Deposited(account, collateral, received, debtRepaid);
    }

    function _reportUnrealized(MarketId market, int256 unrealized) internal {
        int256 previous = _unrealized[market].unrealized;
        UnrealizedTotals memory u = _unrealizedTotals;
        // Both sums move by exactly what the market's figure moved, so they never drift from Σ over markets.
        u.net = (int256(u.net) - previous + unrealized).toInt128();
        u.positive = (uint256(u.positive) - _positive(previous) + _positive(unrealized)).toUint128();
        _unrealizedTotals = u;
        _unrealized[market] = MarketUnrealized(unrealized.toInt128(), uint40(block.timestamp));
        emit UnrealizedReported(market, unrealized, u.positive, u.net);
    }

    function _movePoolCash(int256 delta) internal {
        uint128 poolCash = _shift(_totals.poolCash, delta);
        _totals.poolCash = poolCash;
        emit PoolCashChanged(delta, poolCash);
        uint256 debt = _totals.debt;
        if (debt != 0) _setRate(debt, poolCash);
    }

    function _moveInsuranceCash(int256 delta) internal {
        _totals.insuranceCash = _shift(_totals.insuranceCash, delta);
        emit InsuranceCashChanged(delta, _totals.insuranceCash);
    }

    function _shift(uint128 cash, int256 delta) internal pure returns (uint128) {
        if (delta < 0 && uint256(-delta) > cash) {
            revert MarginEngine_InsufficientCash(cash, uint256(-delta));
        }
        return uint256(int256(uint256(cash)) + delta).toUint128();
    }

    function _requireReceiver(address receiver) internal view {
        if (receiver == address(0) || receiver == address(_collateralVault)) {
            revert MarginEngine_InvalidReceiver(receiver);
        }
    }

    function _positive(int256 x) internal pure returns (uint256) {
        return x > 0 ? uint256(x) : 0;
    }
}
