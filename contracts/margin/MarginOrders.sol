// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals} from "../types/Ledger.sol";
import {Ledger} from "./Ledger.sol";
import {MarginHoldings} from "./MarginHoldings.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice What delayed orders ask of the ledger: fees in escrow, and margin that stays where it is.
abstract contract MarginOrders is MarginHoldings {
    using Ledger for AccountLedger;
    using Ledger for LedgerTotals;
    using SafeCastLib for uint256;

    /// @dev WAD: part of the fee reserve that is the fees of open orders, and pays nobody else.
    uint256 internal _orderEscrow;

    /// @inheritdoc IMarginEngine
    function openOrder(AccountId account, uint256 fee, Action action)
        external
        only(_delayedOrders)
    {
        if (action == Action.IncreasePosition) {
            ++_accounts[account].raisingOrders;
        }
        if (fee == 0) return;
        LedgerTotals memory t = _totals;
        AccountLedger memory a = _load(account, t);
        uint256 held = a.principalOf();
        if (fee > held) revert MarginEngine_InsufficientCash(held, fee);
        t.debit(a, fee);
        t.feeReserve += fee.toUint128();
        _orderEscrow += fee;
        _save(account, a);
        _saveTotals(t);
        emit OrderFeeEscrowed(account, fee);
        _requireInitialMargin(account, action);
    }

    /// @inheritdoc IMarginEngine
    function closeOrder(AccountId account, uint256 fee, Action action, AccountId payee)
        external
        only(_delayedOrders)
    {
        if (action == Action.IncreasePosition) --_accounts[account].raisingOrders;
        if (fee == 0) return;
        LedgerTotals memory t = _totals;
        _orderEscrow -= fee;
        _payFromReserve(t, payee, fee);
        _saveTotals(t);
    }

    /// @inheritdoc IMarginEngine
    function orderEscrow() external view consistent returns (uint256) {
        return _orderEscrow;
    }

    /// @inheritdoc IMarginEngine
    function raisingOrders(AccountId account) external view consistent returns (uint256) {
        return _accounts[account].raisingOrders;
    }

    /// @dev Cash for an account out of the fee reserve. Entries in memory are written before: the account may be one.
    function _payFromReserve(LedgerTotals memory t, AccountId account, uint256 amount) internal {
        AccountLedger memory a = _load(account, t);
        t.feeReserve -= amount.toUint128();
        uint256 debtRepaid = t.credit(a, amount);
        _save(account, a);
        emit KeeperRewarded(account, amount, debtRepaid);
    }

    /// @dev As far as the reserve goes; an account that owes repays the pool with it.
    function _payRebate(
        AccountId account,
        MarketId market,
        LedgerTotals memory t,
        AccountLedger memory a,
        uint256 rebate
    ) internal {
        rebate = WadMath.min(rebate, _freeReserve(t));
        if (rebate == 0) return;
        t.feeReserve -= rebate.toUint128();
        emit RebatePaid(account, market, rebate, t.credit(a, rebate));
    }

    /// @dev What rewards and rebates are paid from.
    function _freeReserve(LedgerTotals memory t) internal view returns (uint256) {
        return t.feeReserve - _orderEscrow;
    }

    /// @dev Who could take the margin of a binding order away could let it be dropped when its price is bad for her.
    function _requireNoOrders(AccountId account) internal view {
        uint256 count = _accounts[account].raisingOrders;
        if (count != 0) revert MarginEngine_OrdersOpen(account, count);
    }
}
