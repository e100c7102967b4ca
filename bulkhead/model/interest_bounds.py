"""Twin of ``InterestBounds``: what debt may cost at most, and that it rises with risk."""

from __future__ import annotations

from bulkhead.model.bounds import bound
from bulkhead.model.interest_curve import InterestParameters
from bulkhead.model.math import WAD

MAX_RATE = WAD // 100
"""WAD per day, before the tier's multiplier."""
MAX_MULTIPLIER = 50_000
"""Basis points."""


def require_within(p: InterestParameters) -> None:
    """Check every parameter.

    Raises:
        RiskParameters_OutOfBounds: one leaves its bounds.
    """
    bound("kinkBps", p.kink_bps, 1_000, 9_900)
    bound("rateAtZero", p.rate_at_zero, 0, MAX_RATE)
    bound("rateAtKink", p.rate_at_kink, p.rate_at_zero, MAX_RATE)
    bound("rateAtFull", p.rate_at_full, p.rate_at_kink, MAX_RATE)
    bound("tier1Bps", p.tier1_bps, 10_000, MAX_MULTIPLIER)
    bound("tier2Bps", p.tier2_bps, p.tier1_bps, MAX_MULTIPLIER)
    bound("tier3Bps", p.tier3_bps, p.tier2_bps, MAX_MULTIPLIER)
    bound("tier4Bps", p.tier4_bps, p.tier3_bps, MAX_MULTIPLIER)
