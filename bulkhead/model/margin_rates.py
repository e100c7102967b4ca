"""Twin of ``MarginRates``: what fraction of a notional is asked. WAD unless a unit is given."""

from __future__ import annotations

from bulkhead.model.math import DAY, WAD, checked_uint, mul_div_up, mul_up, sqrt
from bulkhead.model.types import MarginParameters, MarketMargin

MAX_SAVED = 3_600
"""Seconds for which what limits a rise may be saved up."""
BPS = 10**4
BPS_WAD = 10**14


def initial_rate(m: MarketMargin, p: MarginParameters, volatility: int, tier: int) -> int:
    """Return min(1, clamp(z · σ · √horizon, least, most) · multiplier(tier)), rounded up."""
    root = sqrt_up(mul_div_up(p.horizon, WAD * WAD, DAY))
    rate = mul_up(mul_up(volatility, m.volatility_multiplier), root)
    rate = min(max(rate, m.initial_ratio), m.max_initial_ratio)
    return min(WAD, mul_div_up(rate, multiplier(p, tier), BPS))


def maintenance_target(m: MarketMargin, initial: int) -> int:
    """Return the same fraction of the initial rate as in calm markets, rounded up."""
    return mul_div_up(initial, m.maintenance_ratio, m.initial_ratio)


def follow(start: int, elapsed: int, target: int, rise_per_day_bps: int) -> int:
    """Return a figure that falls to its target at once and rises to it at a bounded speed."""
    if target <= start:
        return target
    saved = min(elapsed, MAX_SAVED)
    return min(target, checked_uint(start + rise_per_day_bps * BPS_WAD * saved // DAY))


def multiplier(p: MarginParameters, tier: int) -> int:
    """Return the basis points by which a tier multiplies initial rates."""
    tiers = (BPS, p.ratio_tier1, p.ratio_tier2, p.ratio_tier3, p.ratio_tier4)
    return tiers[min(tier, 4)]


def stress(p: MarginParameters, tier: int) -> int:
    """Return the stress of a tier."""
    tiers = (p.stress_tier0, p.stress_tier1, p.stress_tier2, p.stress_tier3, p.stress_tier4)
    return tiers[min(tier, 4)] * BPS_WAD


def sqrt_up(x: int) -> int:
    """Return ⌈√x⌉."""
    root = sqrt(x)
    return root + 1 if root * root < x else root
