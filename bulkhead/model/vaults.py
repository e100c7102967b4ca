"""Twins of ``LiquidityVault`` and ``InsuranceFund``. Amounts in token units, values WAD."""

from __future__ import annotations

from bulkhead.model import token_scale
from bulkhead.model.exchange_views import PoolExposure
from bulkhead.model.ledger_vault import LedgerVault
from bulkhead.model.math import UINT256_MAX, mul_up
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import LiquidityVault_Unpriced
from bulkhead.model.types import Action, Address

__all__ = ["InsuranceFund", "LedgerVault", "LiquidityVault"]


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
        return self._net_asset_value(self._exposure(strict=False)[0])

    def coverage(self) -> int:
        """Return what has to be left of the value to leave, WAD, rounded up.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        return self._coverage(self._exposure(strict=False)[0])

    def _net_asset_value(self, e: PoolExposure) -> tuple[int, int]:
        engine = self._parts.margin_engine
        pool_cash, claims, debt = engine.pool_ledger(caller=self.address)
        cash_less_claims = pool_cash - claims
        return cash_less_claims + debt - e.net, cash_less_claims - e.positive

    def _coverage(self, e: PoolExposure) -> int:
        if e.open_interest == 0:
            return 0
        return mul_up(e.open_interest, self._parts.risk_parameters.pool_parameters().coverage_ratio)

    def _exposure(self, *, strict: bool) -> tuple[PoolExposure, bool]:
        e = self._parts.perp_exchange.pool_exposure(caller=self.address)
        is_priced = e.status >= PriceStatus.DEGRADED
        if strict and not is_priced:
            raise LiquidityVault_Unpriced(e.worst, e.status)
        return e, is_priced

    def _enter_value(self, *, strict: bool) -> tuple[int, bool]:
        e, is_priced = self._exposure(strict=strict)
        to_enter, to_leave = self._net_asset_value(e)
        value = token_scale.to_tokens_up(max(to_enter, 0), self._asset.decimals)
        return value, is_priced and to_leave >= 0

    def _leave_value(self, *, strict: bool) -> tuple[int, int]:
        e, is_priced = self._exposure(strict=strict)
        _, to_leave = self._net_asset_value(e)
        if to_leave <= 0:
            return 0, 0
        value, covered = (
            token_scale.to_tokens_down(to_leave, self._asset.decimals),
            self._coverage(e),
        )
        if not is_priced or to_leave <= covered:
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
