"""Twin of ``MarginBase`` and ``MarginViews``: storage, lock and views of the margin engine.

Amounts are WAD of the settlement token unless a unit is given. Views take the ``caller`` that the
contract would see: parts of the compartment may read while the lock is held, others may not.
"""

from __future__ import annotations

from bulkhead.model import interest_curve, ledger
from bulkhead.model.context import Cell, Contract, Table
from bulkhead.model.interest_curve import BorrowState
from bulkhead.model.math import WAD, to_int
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    CompartmentLock_NotAuthorized,
    MarginEngine_StaleUnrealized,
)
from bulkhead.model.types import (
    ZERO_ADDRESS,
    AccountId,
    AccountLedger,
    AccountStanding,
    AccountValuation,
    Address,
    Holding,
    LedgerTotals,
    MarketUnrealized,
    UnrealizedTotals,
)


class MarginViews(Contract):
    """The views of the ledger, and what the risk engine has to know of an account."""

    def __init__(self, parts: Parts) -> None:
        context = parts.context
        super().__init__(context, parts.addresses.margin_engine)
        self._parts = parts
        self._settlement_token = parts.addresses.settlement_token
        self._settlement_decimals = parts.token(self._settlement_token).decimals
        self._part_addresses = frozenset(
            (
                parts.addresses.perp_exchange,
                parts.addresses.liquidation_engine,
                parts.addresses.liquidity_vault,
                parts.addresses.insurance_fund,
                parts.addresses.delayed_orders,
            )
        )
        self._entered = Cell(context, False)
        self._totals = Cell(context, LedgerTotals())
        self._unrealized_totals = Cell(context, UnrealizedTotals())
        self._accounts: Table[AccountId, AccountLedger] = Table(context)
        self._borrow = Cell(context, BorrowState())
        self._debt_index: Table[AccountId, int] = Table(context)
        self._collateral: Table[tuple[AccountId, int], int] = Table(context)
        self._total_collateral: Table[int, int] = Table(context)
        self._unrealized: Table[int, MarketUnrealized] = Table(context)

    # ----------------------------------------------------------------------------------- lock

    def enter(self, sender: Address) -> None:
        """Take the lock.

        Raises:
            CompartmentLock_NotAuthorized: the sender is no part of the compartment.
            CompartmentLock_Locked: it is taken.
        """
        if sender not in self._part_addresses:
            raise CompartmentLock_NotAuthorized(sender)
        self._enter()

    def exit(self, sender: Address) -> None:
        """Release the lock.

        Raises:
            CompartmentLock_NotAuthorized: the sender is no part of the compartment.
        """
        if sender not in self._part_addresses:
            raise CompartmentLock_NotAuthorized(sender)
        self._entered.set(False)

    def is_locked(self) -> bool:
        """Return whether a call is in progress."""
        return self._entered.value

    def _enter(self) -> None:
        if self._entered.value:
            raise CompartmentLock_Locked()
        self._entered.set(True)

    def _leave(self) -> None:
        self._entered.set(False)

    def _consistent(self, caller: Address) -> None:
        if self._entered.value and caller not in self._part_addresses:
            raise CompartmentLock_Locked()

    # ---------------------------------------------------------------------------------- views

    def valuation(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> AccountValuation:
        """Return equity and requirements of an account.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._parts.risk_engine.valuation(account, self._standing(account))

    def standing(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> AccountStanding:
        """Return what the risk engine is told of an account.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._standing(account)

    def account_ledger(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> AccountLedger:
        """Return an account's entry of the ledger, debt with the interest owed up to now.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._accrued(account)

    def booked_debt(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> tuple[int, int]:
        """Return an account's debt as last booked, and the index (RAY) at which it was.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return ledger.debt_of(self._account(account)), self._debt_index.get(account, 0)

    def borrow_state(self, caller: Address = ZERO_ADDRESS) -> BorrowState:
        """Return index, rate and scaled sum of all debt as of the last accrual.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._borrow.value

    def matured_claim(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> int:
        """Return the part of an account's claim that can be converted now.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return ledger.matured_of(self._account(account), self._context.now)

    def collateral_balance(
        self, account: AccountId, collateral: int, caller: Address = ZERO_ADDRESS
    ) -> int:
        """Return token units of a collateral that an account holds.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._collateral.get((account, collateral), 0)

    def total_collateral(self, collateral: int, caller: Address = ZERO_ADDRESS) -> int:
        """Return token units of a collateral that all accounts hold together.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._total_collateral.get(collateral, 0)

    def pool_ledger(self, caller: Address = ZERO_ADDRESS) -> tuple[int, int, int]:
        """Return L, J, and D with the interest that no account has booked yet.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        t, debt = self._totals.value, 0
        if t.debt:
            debt = interest_curve.total(self._borrow.value.scaled_debt, self._index())
        return t.pool_cash, t.claims, debt

    def totals(self, caller: Address = ZERO_ADDRESS) -> LedgerTotals:
        """Return P, D, J, L, I and F; D as booked.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._totals.value.copy()

    def unrealized_totals(self, caller: Address = ZERO_ADDRESS) -> UnrealizedTotals:
        """Return U⁺ and ΣU as last reported.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._unrealized_totals.value

    def market_unrealized(self, market: int, caller: Address = ZERO_ADDRESS) -> MarketUnrealized:
        """Return a market's U_m as last reported.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._unrealized.get(market, MarketUnrealized())

    def haircut_ratio(self, caller: Address = ZERO_ADDRESS) -> int:
        """Return h = min(1, L / (J + U⁺)), WAD, rounded down.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return ledger.haircut(self._totals.value, self._unrealized_totals.value, WAD)

    def require_fresh_unrealized(self) -> None:
        """Check that no market's unrealised figure is older than allowed.

        Raises:
            MarginEngine_StaleUnrealized: one is.
        """
        max_age = self._parts.risk_parameters.compartment_parameters().max_unrealized_age
        oldest, age = self._oldest_unrealized()
        if age > max_age:
            raise MarginEngine_StaleUnrealized(oldest, age, max_age)

    # ------------------------------------------------------------------------------- internal

    def _oldest_unrealized(self) -> tuple[int, int]:
        """Return the market whose figure is oldest, and its age in seconds."""
        oldest, age = 0, 0
        for market in range(self._parts.risk_parameters.market_count):
            figure = self._unrealized.get(market)
            if figure is not None and self._context.now - figure.updated_at > age:
                oldest, age = market, self._context.now - figure.updated_at
        return oldest, age

    def _account(self, account: AccountId) -> AccountLedger:
        stored = self._accounts.get(account)
        return AccountLedger() if stored is None else stored.copy()

    def _index(self) -> int:
        return interest_curve.current_index(self._borrow.value, self._context.now)

    def _accrued(self, account: AccountId) -> AccountLedger:
        """Return an account's entry with what it owes now."""
        a = self._account(account)
        if a.cash < 0:
            debt = interest_curve.grown(-a.cash, self._debt_index[account], self._index())
            a.cash = -to_int(to_int(debt), 128)
        return a

    def _standing(self, account: AccountId) -> AccountStanding:
        a = self._accrued(account)
        t = self._totals.value
        matured, is_fresh = 0, False
        if a.claim > 0:
            matured = ledger.matured_of(a, self._context.now)
            max_age = self._parts.risk_parameters.compartment_parameters().max_unrealized_age
            is_fresh = self._oldest_unrealized()[1] <= max_age
        return AccountStanding(
            a.cash,
            a.claim,
            matured,
            t.pool_cash,
            t.claims + self._unrealized_totals.value.positive,
            is_fresh,
            tuple(
                Holding(c, self._collateral[account, c], self._total_collateral[c])
                for c in range(1, a.collateral_mask.bit_length())
                if a.collateral_mask >> c & 1
            ),
        )
