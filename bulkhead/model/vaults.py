"""Twins of ``LiquidityVault`` and ``InsuranceFund``. Amounts in token units, values WAD."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.model import funding, interest_curve, positions, token_scale
from bulkhead.model.ledger_vault import LedgerVault
from bulkhead.model.math import UINT256_MAX, mul_up
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import LiquidityVault_Unpriced
from bulkhead.model.types import Action, Address

__all__ = ["InsuranceFund", "LedgerVault", "LiquidityVault"]


@dataclass(slots=True)
class _Exposure:
    """What the open positions of all markets mean to the pool; WAD settlement units."""

    positive: int = 0
    net: int = 0
    open_interest: int = 0
    is_priced: bool = True


class LiquidityVault(LedgerVault):
    """The pool: counterparty of every fill."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            parts, parts.addresses.liquidity_vault, Action.POOL_DEPOSIT, Action.POOL_WITHDRAW
        )

    def net_asset_value(self) -> tuple[int, int]:
        """Return WAD ``(to enter, to leave)``: L + D − J − ΣU and L − J − U⁺; D with interest.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        return self._net_asset_value(self._exposure(strict=False))

    def coverage(self) -> int:
        """Return what has to be left of the value to leave, WAD, rounded up.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        return self._coverage(self._exposure(strict=False))

    def _net_asset_value(self, e: _Exposure) -> tuple[int, int]:
        engine = self._parts.margin_engine
        t = engine.totals(caller=self.address)
        cash_less_claims, owed = t.pool_cash - t.claims, 0
        if t.debt:
            b = engine.borrow_state(caller=self.address)
            index = interest_curve.current_index(b, self._context.now)
            owed = interest_curve.total(b.scaled_debt, index)
        return cash_less_claims + owed - e.net, cash_less_claims - e.positive

    def _coverage(self, e: _Exposure) -> int:
        if e.open_interest == 0:
            return 0
        return mul_up(e.open_interest, self._parts.risk_parameters.pool_parameters().coverage_ratio)

    def _exposure(self, *, strict: bool) -> _Exposure:
        e, parts = _Exposure(), self._parts
        for market in range(parts.risk_parameters.market_count):
            m = parts.perp_exchange.market_state(market)
            side = max(m.open_interest_long, m.open_interest_short)
            if side == 0:
                continue
            p = parts.risk_parameters.market_trading(market)
            index = parts.feeds.latest(p.index_asset)
            if index.status < PriceStatus.DEGRADED:
                if strict:
                    raise LiquidityVault_Unpriced(market, index.status)
                e.is_priced = False
            funding.accrue_market(m, p, index.price, self._context.now)
            unrealized = positions.close_out_total(m, index.price, p.skew_scale)
            e.net += unrealized
            e.positive += max(unrealized, 0)
            e.open_interest += mul_up(side, index.price)
        return e

    def _enter_value(self, *, strict: bool) -> tuple[int, bool]:
        e = self._exposure(strict=strict)
        to_enter, to_leave = self._net_asset_value(e)
        value = token_scale.to_tokens_up(max(to_enter, 0), self._asset.decimals)
        return value, e.is_priced and to_leave >= 0

    def _leave_value(self, *, strict: bool) -> tuple[int, int]:
        e = self._exposure(strict=strict)
        _, to_leave = self._net_asset_value(e)
        if to_leave <= 0:
            return 0, 0
        value, covered = (
            token_scale.to_tokens_down(to_leave, self._asset.decimals),
            self._coverage(e),
        )
        if not e.is_priced or to_leave <= covered:
            return value, 0
        return value, token_scale.to_tokens_down(to_leave - covered, self._asset.decimals)

    def _exit_terms(self) -> tuple[int, int]:
        p = self._parts.risk_parameters.pool_parameters()
        return p.cooldown, p.redeem_window

    def _refresh(self) -> None:
        self._parts.perp_exchange.refresh_all(self.address)

    def _book(self, amount_tokens: int) -> None:
        self._parts.margin_engine.credit_pool(self.address, amount_tokens)

    def _pay(self, amount_tokens: int, receiver: Address) -> None:
        self._parts.margin_engine.debit_pool(self.address, amount_tokens, receiver)


class InsuranceFund(LedgerVault):
    """Stakers who pay for bad debt before the pool does, and earn fees for it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            parts, parts.addresses.insurance_fund, Action.FUND_DEPOSIT, Action.FUND_WITHDRAW
        )

    def _cash(self) -> int:
        return self._parts.margin_engine.totals(caller=self.address).insurance_cash

    def _enter_value(self, *, strict: bool) -> tuple[int, bool]:  # noqa: ARG002
        return token_scale.to_tokens_up(self._cash(), self._asset.decimals), True

    def _leave_value(self, *, strict: bool) -> tuple[int, int]:  # noqa: ARG002
        return token_scale.to_tokens_down(self._cash(), self._asset.decimals), UINT256_MAX

    def _exit_terms(self) -> tuple[int, int]:
        return 0, 0

    def _refresh(self) -> None:
        """Nothing: the fund's cash is always up to date."""

    def _book(self, amount_tokens: int) -> None:
        self._parts.margin_engine.credit_insurance(self.address, amount_tokens)

    def _pay(self, amount_tokens: int, receiver: Address) -> None:
        self._parts.margin_engine.debit_insurance(self.address, amount_tokens, receiver)
