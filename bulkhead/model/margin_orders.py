"""Twin of ``MarginOrders``: fees of delayed orders in escrow, and margin that stays. WAD."""

from __future__ import annotations

from bulkhead.model import ledger
from bulkhead.model.context import Cell, Table
from bulkhead.model.margin_batch import MarginBatch
from bulkhead.model.math import checked_uint, to_uint
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    CompartmentLock_NotAuthorized,
    MarginEngine_InsufficientCash,
    MarginEngine_OrdersOpen,
)
from bulkhead.model.types import (
    ZERO_ADDRESS,
    AccountId,
    AccountLedger,
    Action,
    Address,
    LedgerTotals,
)


class MarginOrders(MarginBatch):
    """What delayed orders ask of the ledger."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._order_escrow = Cell(parts.context, 0)
        self._raising_orders: Table[AccountId, int] = Table(parts.context)

    def open_order(self, sender: Address, account: AccountId, fee: int, action: Action) -> None:
        """Take note of an order, and move its fee from the account's cash to the fee reserve.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not ``DelayedOrders``.
            MarginEngine_InsufficientCash: the account has less.
            ActionPolicy_PriceStatus, MarginEngine_BelowInitialMargin: see there.
        """
        self._only(sender, self._parts.addresses.delayed_orders)
        if action == Action.INCREASE_POSITION:
            self._raising_orders[account] = self.raising_orders(account) + 1
        if fee == 0:
            return
        t = self._totals.value.copy()
        a = self._load(account, t)
        held = ledger.principal_of(a)
        if fee > held:
            raise MarginEngine_InsufficientCash(held, fee)
        ledger.debit(t, a, fee)
        t.fee_reserve = checked_uint(t.fee_reserve + to_uint(fee, 128), 128)
        self._order_escrow.set(self._order_escrow.value + fee)
        self._store(account, t, a)
        self._emit("OrderFeeEscrowed", account=account, fee=fee)
        self._require_initial_margin(account, action)

    def close_order(
        self, sender: Address, account: AccountId, fee: int, action: Action, payee: AccountId
    ) -> None:
        """Take note that an order is closed, and pay its fee.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not ``DelayedOrders``.
        """
        self._only(sender, self._parts.addresses.delayed_orders)
        if action == Action.INCREASE_POSITION:
            self._raising_orders[account] = checked_uint(self.raising_orders(account) - 1)
        if fee == 0:
            return
        t = self._totals.value.copy()
        self._order_escrow.set(checked_uint(self._order_escrow.value - fee))
        self._pay_from_reserve(t, payee, fee)
        self._save_totals(t)

    def order_escrow(self, caller: Address = ZERO_ADDRESS) -> int:
        """Return the part of F that is the fees of open orders.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._order_escrow.value

    def raising_orders(self, account: AccountId) -> int:
        """Return how many open orders of an account may raise risk."""
        return self._raising_orders.get(account, 0)

    def _pay_from_reserve(self, t: LedgerTotals, account: AccountId, amount: int) -> None:
        a = self._load(account, t)
        t.fee_reserve = checked_uint(t.fee_reserve - to_uint(amount, 128), 128)
        debt_repaid = ledger.credit(t, a, amount)
        self._save(account, a)
        self._emit("KeeperRewarded", account=account, amount=amount, debtRepaid=debt_repaid)

    def _pay_rebate(
        self, account: AccountId, market: int, t: LedgerTotals, a: AccountLedger, rebate: int
    ) -> None:
        rebate = min(rebate, self._free_reserve(t))
        if rebate == 0:
            return
        t.fee_reserve = checked_uint(t.fee_reserve - to_uint(rebate, 128), 128)
        repaid = ledger.credit(t, a, rebate)
        self._emit("RebatePaid", account=account, market=market, amount=rebate, debtRepaid=repaid)

    def _free_reserve(self, t: LedgerTotals) -> int:
        return checked_uint(t.fee_reserve - self._order_escrow.value)

    def _require_no_orders(self, account: AccountId) -> None:
        count = self.raising_orders(account)
        if count:
            raise MarginEngine_OrdersOpen(account, count)

    def _only(self, sender: Address, part: Address) -> None:
        if sender != part:
            raise CompartmentLock_NotAuthorized(sender)

    def _store(self, account: AccountId, t: LedgerTotals, a: AccountLedger) -> None:
        self._save(account, a)
        self._save_totals(t)
