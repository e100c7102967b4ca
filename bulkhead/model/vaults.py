"""Twins of ``LiquidityVault`` and ``InsuranceFund``. Amounts in token units, values WAD."""

from __future__ import annotations

from bulkhead.model import interest_curve, token_scale
from bulkhead.model.context import Cell
from bulkhead.model.ledger_vault import LedgerVault
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import MarginEngine_StaleUnrealized
from bulkhead.model.types import Action, Address, UnrealizedTotals

__all__ = ["InsuranceFund", "LedgerVault", "LiquidityVault"]


class LiquidityVault(LedgerVault):
    """The pool: counterparty of every fill."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            parts, parts.addresses.liquidity_vault, Action.POOL_DEPOSIT, Action.POOL_WITHDRAW
        )
        self._refreshed = Cell(parts.context, False)

    def net_asset_value(self) -> tuple[int, int]:
        """Return WAD ``(to enter, to leave)``: L + D − J − ΣU and L − J − U⁺; D with interest.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        return self._net_asset_value()

    def _net_asset_value(self) -> tuple[int, int]:
        engine = self._parts.margin_engine
        t = engine.totals(caller=self.address)
        if self._refreshed.value:
            u = engine.unrealized_totals(caller=self.address)
        else:
            u = self._live_unrealized()
        cash_less_claims, owed = t.pool_cash - t.claims, 0
        if t.debt:
            b = engine.borrow_state(caller=self.address)
            index = interest_curve.current_index(b, self._context.now)
            owed = interest_curve.total(b.scaled_debt, index)
        return cash_less_claims + owed - u.net, cash_less_claims - u.positive

    def _live_unrealized(self) -> UnrealizedTotals:
        exchange = self._parts.perp_exchange
        count = self._parts.risk_parameters.market_count
        figures = [exchange.close_out_pnl(market) for market in range(count)]
        return UnrealizedTotals(sum(max(f, 0) for f in figures), sum(figures))

    def _enter_value(self) -> int:
        value, _ = self._net_asset_value()
        return token_scale.to_tokens_up(value, self._asset.decimals) if value > 0 else 0

    def _leave_value(self) -> int:
        _, value = self._net_asset_value()
        return token_scale.to_tokens_down(value, self._asset.decimals) if value > 0 else 0

    def _is_open(self) -> bool:
        return self._net_asset_value()[1] >= 0

    def _is_priced(self) -> bool:
        if self._refreshed.value:
            return True
        exchange = self._parts.perp_exchange
        for market in range(self._parts.risk_parameters.market_count):
            m = exchange.market_state(market)
            firm = exchange.index_price(market)[1] >= PriceStatus.DEGRADED
            if not firm and (m.open_interest_long or m.open_interest_short):
                return False
        return True

    def _refresh(self) -> None:
        self._parts.perp_exchange.refresh_all(self.address)
        engine, now = self._parts.margin_engine, self._context.now
        for market in range(self._parts.risk_parameters.market_count):
            age = now - engine.market_unrealized(market, caller=self.address).updated_at
            if age != 0:
                raise MarginEngine_StaleUnrealized(market, age, 0)
        self._refreshed.set(True)

    def _book(self, amount_tokens: int) -> None:
        self._parts.margin_engine.credit_pool(self.address, amount_tokens)
        self._refreshed.set(False)

    def _pay(self, amount_tokens: int, receiver: Address) -> None:
        self._refreshed.set(False)
        self._parts.margin_engine.debit_pool(self.address, amount_tokens, receiver)


class InsuranceFund(LedgerVault):
    """Stakers who pay for bad debt before the pool does, and earn fees for it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            parts, parts.addresses.insurance_fund, Action.FUND_DEPOSIT, Action.FUND_WITHDRAW
        )

    def _cash(self) -> int:
        return self._parts.margin_engine.totals(caller=self.address).insurance_cash

    def _enter_value(self) -> int:
        return token_scale.to_tokens_up(self._cash(), self._asset.decimals)

    def _leave_value(self) -> int:
        return token_scale.to_tokens_down(self._cash(), self._asset.decimals)

    def _is_open(self) -> bool:
        return True

    def _is_priced(self) -> bool:
        return True

    def _refresh(self) -> None:
        """Nothing: the fund's cash is always up to date."""

    def _book(self, amount_tokens: int) -> None:
        self._parts.margin_engine.credit_insurance(self.address, amount_tokens)

    def _pay(self, amount_tokens: int, receiver: Address) -> None:
        self._parts.margin_engine.debit_insurance(self.address, amount_tokens, receiver)
