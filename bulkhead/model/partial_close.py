"""Twin of ``PartialClose``: the least notional to close among other positions. Amounts WAD."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.model import portfolio_margin
from bulkhead.model.liquidation_math import notional_to_close
from bulkhead.model.math import checked_uint, mul_up, to_int
from bulkhead.model.types import PortfolioTerms

HALVINGS = 48
THIRDS = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """Equity > 0, margin for debt, the position's notional, and the ratios that decide."""

    equity: int
    debt_margin: int
    notional: int
    target_health: int
    penalty_ratio: int
    debt_maintenance_ratio: int


def least_notional(c: Problem, t: PortfolioTerms) -> int:
    """Return the least notional that restores the target, else the one that comes closest.

    Zero if closing none is best: the position offsets others.
    """
    if t.gross_rest == 0:
        wanted = notional_to_close(
            c.equity,
            checked_uint(portfolio_margin.of_terms(t, t.own) + c.debt_margin),
            c.target_health,
            t.rate,
            c.penalty_ratio,
            c.debt_maintenance_ratio,
        )
        return min(c.notional, wanted)
    high = c.notional
    reached = surplus(c, t, high)
    if reached < 0:
        high = _best(c, t)
        reached = surplus(c, t, high)
        if reached <= surplus(c, t, 0):
            return 0
        if reached < 0:
            return high
    low = 0
    for _ in range(HALVINGS):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        if surplus(c, t, middle) < 0:
            low = middle
        else:
            high = middle
    return high


def surplus(c: Problem, t: PortfolioTerms, closed: int) -> int:
    """Return E − p·n − τ·(M(n) + B + d·p·n), rounded down."""
    own = mul_up(c.notional - closed, t.rate)
    if t.shift:
        own = (own + (1 << t.shift) - 1) >> t.shift
    penalty = mul_up(closed, c.penalty_ratio)
    margin = checked_uint(
        portfolio_margin.of_terms(t, own)
        + c.debt_margin
        + mul_up(penalty, c.debt_maintenance_ratio)
    )
    return to_int(c.equity) - to_int(checked_uint(penalty + mul_up(margin, c.target_health)))


def _best(c: Problem, t: PortfolioTerms) -> int:
    low, high = 0, c.notional
    for _ in range(THIRDS):
        if high - low <= 2:
            break
        third = (high - low) // 3
        if surplus(c, t, low + third) < surplus(c, t, high - third):
            low += third
        else:
            high -= third
    return high
