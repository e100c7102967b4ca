"""Twin of ``MarginInterest``: interest on debt, and how an account that may owe is changed."""

from __future__ import annotations

from bulkhead.model import interest_curve, ledger
from bulkhead.model.context import external
from bulkhead.model.interest_curve import BorrowState
from bulkhead.model.margin_views import MarginViews
from bulkhead.model.math import checked_uint, to_uint
from bulkhead.model.types import AccountId, AccountLedger, Address, LedgerTotals


class MarginInterest(MarginViews):
    """Books an account's interest before anything else happens to it."""

    @external
    def accrue_interest(self, sender: Address, account: AccountId) -> None:  # noqa: ARG002
        """Book what an account owes by now and set the rate anew. Anyone may call it.

        Raises:
            CompartmentLock_Locked: called from within a call.
        """
        self._enter()
        t = self._totals.value.copy()
        if t.debt:
            self._save(account, self._load(account, t))
            self._totals.set(t)
            self._set_rate(t.debt, t.pool_cash)
        self._leave()

    # ------------------------------------------------------------------------------- internal

    def _load(self, account: AccountId, t: LedgerTotals) -> AccountLedger:
        """Return an account for a change; its interest is part of it and of ``t``."""
        a = self._accrued(account)
        if a.cash >= 0:
            return a
        interest = self._account(account).cash - a.cash
        if interest == 0:
            return a
        t.debt = checked_uint(t.debt + to_uint(interest, 128), 128)
        self._emit("InterestAccrued", account=account, interest=interest, index=self._index())
        return a

    def _save(self, account: AccountId, a: AccountLedger) -> None:
        """Store an account that ``_load`` returned."""
        before, debt = ledger.debt_of(self._account(account)), ledger.debt_of(a)
        if before or debt:
            b, index = self._borrow.value, self._index()
            was = interest_curve.scaled(before, self._debt_index.get(account, 0))
            others = checked_uint(b.scaled_debt - was)
            scaled_debt = others + interest_curve.scaled(debt, index)
            self._borrow.set(BorrowState(b.index, b.rate, b.updated_at, scaled_debt))
            self._debt_index[account] = index if debt else 0
        self._accounts[account] = a

    def _save_totals(self, t: LedgerTotals) -> None:
        """Store the totals; the rate follows what utilisation depends on."""
        before = self._totals.value
        self._totals.set(t)
        moved = before.debt != t.debt or before.pool_cash != t.pool_cash
        if moved and (before.debt or t.debt):
            self._set_rate(t.debt, t.pool_cash)

    def _set_rate(self, debt: int, pool_cash: int) -> None:
        b, index, rate = self._borrow.value, self._index(), 0
        if debt:
            owed = interest_curve.total(b.scaled_debt, index)
            rate = self._parts.risk_engine.borrow_rate(owed, pool_cash)
        now = self._context.now
        self._borrow.set(BorrowState(to_uint(index, 128), rate, now, b.scaled_debt))
        self._emit("BorrowRateSet", rate=rate, index=index)
