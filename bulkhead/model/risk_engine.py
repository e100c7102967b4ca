"""Twin of ``RiskEngine``: what accounts are worth and what is asked of them. All WAD."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model import interest_curve, ledger, portfolio_margin, token_scale
from bulkhead.model.math import (
    WAD,
    checked_int,
    checked_uint,
    mul_away,
    mul_div_down,
    mul_down,
    mul_up,
    to_int,
)
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import MarginEngine_BelowInitialMargin, RiskEngine_NoExposure
from bulkhead.model.risk_state import UNBOUNDED, RiskState
from bulkhead.model.types import (
    AccountId,
    AccountStanding,
    AccountValuation,
    Action,
    CollateralConfig,
    CollateralValuation,
    Holding,
    MarginParameters,
    MarketExposure,
    PortfolioTerms,
)


class RiskEngine(RiskState):
    """Computes from what the margin engine knows of an account, positions, prices, parameters."""

    def valuation(self, account: AccountId, standing: AccountStanding) -> AccountValuation:
        """Return equity and requirements of an account with its present positions."""
        return self._valuation(standing, self._parts.perp_exchange.exposures_of(account))

    def valuation_with(
        self, standing: AccountStanding, exposures: Sequence[MarketExposure]
    ) -> AccountValuation:
        """Return the same with any positions."""
        return self._valuation(standing, exposures)

    def uncollateralized(
        self, account: AccountId, cash: int, claim: int, claim_value: int, actions: int
    ) -> tuple[int, int]:
        """Return what meets initial margin without any collateral, and initial margin.

        Args:
            account: whose positions count.
            cash: WAD: debt negative, interest included.
            claim: WAD.
            claim_value: WAD: what counts of the claim.
            actions: bit a: action a asks.

        Raises:
            ActionPolicy_PriceStatus: the price of a position is too bad for one of the actions.
        """
        exposures = self._parts.perp_exchange.exposures_of(account)
        status, losses = PriceStatus.VALID, 0
        for e in exposures:
            pnl = checked_int(e.unrealized_pnl - to_int(e.close_out_cost))
            losses = checked_int(losses + min(0, pnl))
            status = min(status, e.status)
        _require_status(actions, status)
        equity = checked_int(cash + to_int(claim_value) + losses)
        required, _ = self.requirements(exposures)
        debt = max(0, -(cash + claim + losses))
        ratio = self._parts.risk_parameters.compartment_parameters().debt_initial_ratio
        return equity, checked_uint(required + mul_up(debt, ratio))

    def require_covered(
        self,
        account: AccountId,
        holdings: Sequence[Holding],
        equity: int,
        required: int,
        actions: int,
    ) -> None:
        """Count collateral, lowest id first, until equity meets what is required.

        Raises:
            ActionPolicy_PriceStatus: the price of a collateral that counts is too bad.
            MarginEngine_BelowInitialMargin: all of it is not enough.
        """
        for h in holdings:
            if equity >= to_int(required):
                return
            c = self._parts.risk_parameters.collateral_config(h.collateral)
            p = self._collateral_valuation(c)
            _require_status(actions, p.status)
            depth, _ = self._depths_of(h.collateral, c.depth)
            equity = checked_int(equity + to_int(_initial_value(h, c, p, depth)))
        if equity < to_int(required):
            raise MarginEngine_BelowInitialMargin(account, equity, required)

    def borrow_rate(self, debt: int, pool_cash: int) -> int:
        """Return what debt costs now, WAD per day; ``debt`` is all that is owed, with interest."""
        p = self._parts.risk_parameters.interest_parameters()
        tier = self._parts.circuit_breaker.tier()
        return interest_curve.rate(p, interest_curve.utilisation(debt, pool_cash), tier)

    def collateral_valuation(self, collateral: int) -> CollateralValuation:
        """Return what 1.0 of a collateral is worth.

        Raises:
            RiskParameters_UnknownCollateral: it is not listed.
        """
        return self._collateral_valuation(self._parts.risk_parameters.collateral_config(collateral))

    def requirements(self, exposures: Sequence[MarketExposure]) -> tuple[int, int]:
        """Return initial and maintenance margin of any positions, debt not counted."""
        if not exposures:
            return 0, 0
        p = self._parts.risk_parameters.margin_parameters()
        tier = self._parts.circuit_breaker.tier()
        opening, keeping, markets = self._weighted(exposures, p, tier)
        rows = self._parts.risk_parameters.correlation_rows(markets)
        stress, kept = self._stress_now(p, tier)
        maintenance = portfolio_margin.requirement(keeping, markets, rows, kept, p.gross_floor)
        initial = portfolio_margin.requirement(opening, markets, rows, stress, p.gross_floor)
        return max(initial, maintenance), maintenance

    def closing_terms(self, account: AccountId, market: int) -> PortfolioTerms:
        """Return what a position has to do with an account's others, for maintenance.

        Raises:
            RiskEngine_NoExposure: there is no such position.
        """
        exposures = self._parts.perp_exchange.exposures_of(account)
        p = self._parts.risk_parameters.margin_parameters()
        tier = self._parts.circuit_breaker.tier()
        _, keeping, markets = self._weighted(exposures, p, tier)
        if market not in markets:
            raise RiskEngine_NoExposure(account, market)
        k = markets.index(market)
        rows = self._parts.risk_parameters.correlation_rows(markets)
        _, stress = self._stress_now(p, tier)
        _, rate = self._rates(market, exposures[k].index_asset, p, tier)
        return portfolio_margin.terms(keeping, markets, rows, stress, k, p.gross_floor, rate)

    def _weighted(
        self, exposures: Sequence[MarketExposure], p: MarginParameters, tier: int
    ) -> tuple[list[int], list[int], list[int]]:
        """Return signed notionals times initial and maintenance rates, and the markets."""
        rates = [self._rates(e.market, e.index_asset, p, tier) for e in exposures]
        opening = [mul_away(e.notional, r) for e, (r, _) in zip(exposures, rates, strict=True)]
        keeping = [mul_away(e.notional, r) for e, (_, r) in zip(exposures, rates, strict=True)]
        return opening, keeping, [e.market for e in exposures]

    def _valuation(
        self, s: AccountStanding, exposures: Sequence[MarketExposure]
    ) -> AccountValuation:
        p = self._parts.risk_parameters.compartment_parameters()
        v = AccountValuation(equity_initial=s.cash, equity_maintenance=s.cash)
        if s.claim > 0:
            v.equity_maintenance += to_int(_haircut(s, s.claim))
            if s.is_haircut_fresh:
                v.equity_initial += to_int(_haircut(s, s.matured))
        self._add_collateral(s.holdings, v)
        settled, secured = s.cash + s.claim, v.equity_maintenance
        losses, losses_at_index = _add_exposures(s, exposures, v)
        v.initial_margin, v.maintenance_margin = self.requirements(exposures)
        v.buffer_at_index += secured + losses_at_index - v.maintenance_margin
        debt = max(0, -(settled + losses))
        v.initial_margin = checked_uint(v.initial_margin + mul_up(debt, p.debt_initial_ratio))
        v.maintenance_margin = checked_uint(
            v.maintenance_margin + mul_up(debt, p.debt_maintenance_ratio)
        )
        debt = max(0, -(settled + losses_at_index))
        v.buffer_at_index -= mul_up(debt, p.debt_maintenance_ratio)
        return v

    def _add_collateral(self, holdings: Sequence[Holding], v: AccountValuation) -> None:
        initial = 0
        for h in holdings:
            c = self._parts.risk_parameters.collateral_config(h.collateral)
            p = self._collateral_valuation(c)
            amount = token_scale.to_wad(h.amount_tokens, c.decimals)
            depth, kept = self._depths_of(h.collateral, c.depth)
            initial = checked_uint(initial + _initial_value(h, c, p, depth))
            worth = _sold(mul_down(amount, p.maintenance_price), amount, kept)
            v.collateral_maintenance = checked_uint(v.collateral_maintenance + worth)
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


def _add_exposures(
    s: AccountStanding, exposures: Sequence[MarketExposure], v: AccountValuation
) -> tuple[int, int]:
    """Add positions; return Σ min(0, profit) at close-out value and at the index price."""
    losses = losses_at_index = 0
    for e in exposures:
        pnl = checked_int(e.unrealized_pnl - to_int(e.close_out_cost))
        v.unrealized_pnl = checked_int(v.unrealized_pnl + pnl)
        if pnl < 0:
            losses = checked_int(losses + pnl)
        else:
            v.equity_maintenance = checked_int(v.equity_maintenance + to_int(_haircut(s, pnl)))
        if e.index_pnl < 0:
            losses_at_index += e.index_pnl
        else:
            v.buffer_at_index += _haircut(s, e.index_pnl)
        if e.status < PriceStatus.DEGRADED:
            v.uncertain = checked_uint(v.uncertain + abs(e.notional))
        v.status = min(v.status, e.status)
    v.equity_maintenance = checked_int(v.equity_maintenance + losses)
    v.equity_initial = checked_int(v.equity_initial + losses)
    return losses, losses_at_index


def _initial_value(h: Holding, c: CollateralConfig, p: CollateralValuation, depth: int) -> int:
    value = mul_down(token_scale.to_wad(h.amount_tokens, c.decimals), p.initial_price)
    return _sold(value, token_scale.to_wad(h.total_tokens, c.decimals), depth)


def _require_status(actions: int, status: PriceStatus) -> None:
    for action in Action:
        if actions >> action & 1:
            require_status(action, status)


def _sold(value: int, amount: int, depth: int) -> int:
    """Return what selling ``amount`` into a virtual reserve of ``depth`` leaves of a value."""
    if depth == UNBOUNDED or value == 0:
        return value
    return mul_div_down(value, depth, depth + amount)


def _haircut(s: AccountStanding, amount: int) -> int:
    return ledger.share_of(amount, s.pool_cash, s.junior)
