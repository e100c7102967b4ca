"""Twin of ``MarginBase`` and ``MarginValuation``: storage, lock and views of the margin engine.

Amounts are WAD of the settlement token unless a unit is given. Views take the ``caller`` that the
contract would see: parts of the compartment may read while the lock is held, others may not.
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model import ledger, token_scale
from bulkhead.model.context import Cell, Contract, Table
from bulkhead.model.math import WAD, checked_int, checked_uint, mul_down, mul_up, to_int
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    CompartmentLock_NotAuthorized,
    MarginEngine_BelowInitialMargin,
    MarginEngine_StaleUnrealized,
)
from bulkhead.model.types import (
    ZERO_ADDRESS,
    AccountId,
    AccountLedger,
    AccountValuation,
    Action,
    Address,
    CollateralConfig,
    CollateralValuation,
    LedgerTotals,
    MarketExposure,
    MarketUnrealized,
    UnrealizedTotals,
)


class MarginValuation(Contract):
    """What accounts are worth, and the views of the ledger."""

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
            )
        )
        self._entered = Cell(context, False)
        self._totals = Cell(context, LedgerTotals())
        self._unrealized_totals = Cell(context, UnrealizedTotals())
        self._accounts: Table[AccountId, AccountLedger] = Table(context)
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

    def require_initial_margin(
        self, account: AccountId, action: Action, caller: Address = ZERO_ADDRESS
    ) -> None:
        """Check that an account meets its initial margin, on prices good enough for ``action``.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
            ActionPolicy_PriceStatus: a price is too bad.
            MarginEngine_BelowInitialMargin: it does not.
        """
        self._consistent(caller)
        self._require_initial_margin(account, action)

    def valuation(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> AccountValuation:
        """Return equity and requirements of an account.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._valuation(account, self._parts.perp_exchange.exposures_of(account))

    def collateral_valuation(self, collateral: int) -> CollateralValuation:
        """Return what 1.0 of a collateral is worth.

        Raises:
            RiskParameters_UnknownCollateral: it is not listed.
        """
        return self._collateral_valuation(self._parts.risk_parameters.collateral_config(collateral))

    def account_ledger(self, account: AccountId, caller: Address = ZERO_ADDRESS) -> AccountLedger:
        """Return an account's entry of the ledger.

        Raises:
            CompartmentLock_Locked: an outsider asks in the middle of a call.
        """
        self._consistent(caller)
        return self._account(account)

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

    def totals(self, caller: Address = ZERO_ADDRESS) -> LedgerTotals:
        """Return P, D, J, L, I and F.

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

    def _require_initial_margin(self, account: AccountId, action: Action) -> None:
        exposures = self._parts.perp_exchange.exposures_of(account)
        if not exposures and self._account(account).cash >= 0:
            return
        v = self._valuation(account, exposures)
        require_status(action, v.status)
        if v.equity_initial < to_int(v.initial_margin):
            raise MarginEngine_BelowInitialMargin(account, v.equity_initial, v.initial_margin)

    def _valuation(
        self, account: AccountId, exposures: Sequence[MarketExposure]
    ) -> AccountValuation:
        a = self._account(account)
        p = self._parts.risk_parameters.compartment_parameters()
        v = AccountValuation(equity_initial=a.cash, equity_maintenance=a.cash)
        if a.claim > 0:
            v.equity_maintenance += to_int(self._haircut(a.claim))
            if self._oldest_unrealized()[1] <= p.max_unrealized_age:
                matured = ledger.matured_of(a, self._context.now)
                v.equity_initial += to_int(self._haircut(matured))
        if a.collateral_mask:
            self._add_collateral(account, a.collateral_mask, v)
        settled, secured = a.cash + a.claim, v.equity_maintenance
        losses, losses_at_index = self._add_exposures(exposures, v)
        v.buffer_at_index += secured + losses_at_index - v.maintenance_margin
        debt = max(0, -(settled + losses))
        v.initial_margin = checked_uint(v.initial_margin + mul_up(debt, p.debt_initial_ratio))
        v.maintenance_margin = checked_uint(
            v.maintenance_margin + mul_up(debt, p.debt_maintenance_ratio)
        )
        debt = max(0, -(settled + losses_at_index))
        v.buffer_at_index -= mul_up(debt, p.debt_maintenance_ratio)
        return v

    def _add_exposures(
        self, exposures: Sequence[MarketExposure], v: AccountValuation
    ) -> tuple[int, int]:
        """Add positions; return Σ min(0, profit) at close-out value and at the index price."""
        losses = losses_at_index = 0
        for e in exposures:
            pnl = checked_int(e.unrealized_pnl - to_int(e.close_out_cost))
            v.unrealized_pnl = checked_int(v.unrealized_pnl + pnl)
            if pnl < 0:
                losses = checked_int(losses + pnl)
            else:
                v.equity_maintenance = checked_int(
                    v.equity_maintenance + to_int(self._haircut(pnl))
                )
            if e.index_pnl < 0:
                losses_at_index += e.index_pnl
            else:
                v.buffer_at_index += self._haircut(e.index_pnl)
            v.initial_margin = checked_uint(v.initial_margin + e.initial_margin)
            v.maintenance_margin = checked_uint(v.maintenance_margin + e.maintenance_margin)
            if e.status < PriceStatus.DEGRADED:
                v.uncertain = checked_uint(v.uncertain + abs(e.notional))
            v.status = min(v.status, e.status)
        v.equity_maintenance = checked_int(v.equity_maintenance + losses)
        v.equity_initial = checked_int(v.equity_initial + losses)
        return losses, losses_at_index

    def _haircut(self, amount: int) -> int:
        return ledger.haircut(self._totals.value, self._unrealized_totals.value, amount)

    def _add_collateral(self, account: AccountId, mask: int, v: AccountValuation) -> None:
        initial = 0
        for collateral in range(1, mask.bit_length()):
            if not mask >> collateral & 1:
                continue
            c = self._parts.risk_parameters.collateral_config(collateral)
            p = self._collateral_valuation(c)
            amount = token_scale.to_wad(self._collateral[account, collateral], c.decimals)
            initial = checked_uint(initial + mul_down(amount, p.initial_price))
            v.collateral_maintenance = checked_uint(
                v.collateral_maintenance + mul_down(amount, p.maintenance_price)
            )
            if p.status < PriceStatus.DEGRADED:
                v.uncertain = checked_uint(v.uncertain + mul_up(amount, p.market_price))
            v.status = min(v.status, p.status)
        v.equity_initial = checked_int(v.equity_initial + to_int(initial))
        v.equity_maintenance = checked_int(v.equity_maintenance + to_int(v.collateral_maintenance))

    def _collateral_valuation(self, c: CollateralConfig) -> CollateralValuation:
        if c.pegged:
            peg = self._parts.feeds.peg(c.asset)
            return CollateralValuation(
                peg.initial_price, peg.maintenance_price, peg.market_price, peg.status
            )
        data = self._parts.feeds.latest(c.asset)
        price = mul_down(data.price, checked_uint(WAD - c.haircut))
        return CollateralValuation(price, price, data.price, data.status)
