"""Twin of ``MatchedPremium``: how far from the curve's mark signed pairs trade.

Premiums are WAD fractions of the index price, times in seconds.
"""

from __future__ import annotations

from bulkhead.model import funding
from bulkhead.model.math import (
    WAD,
    checked_int,
    checked_uint,
    div_trunc,
    mul_div_up,
    mul_down,
    to_int,
)
from bulkhead.model.types import Market, MarketTrading


def total(skew_premium: int, matched: int, max_premium: int) -> int:
    """Return the skew's premium and that of pairs, which never carries it beyond the bound."""
    if matched == 0:
        return skew_premium
    bound = max(max_premium, abs(skew_premium))
    return max(-bound, min(skew_premium + matched, bound))


def accrue(m: Market, skew_premium: int, elapsed: int, index_price: int, p: MarketTrading) -> int:
    """Accrue funding and fade the premium while there is one.

    Returns:
        Seconds of ``elapsed`` that are left: the premium is zero in them.
    """
    remaining = checked_uint(m.matched_premium_ends_at - m.funding_updated_at)
    before, after, rest = m.matched_premium, 0, 0
    if elapsed < remaining:
        after = div_trunc(before * (remaining - elapsed), remaining)
    else:
        rest = elapsed - remaining
        elapsed = remaining
    mean = div_trunc(before + after, 2)
    premium = total(skew_premium, mean, p.max_premium)
    funding.accrue_market(m, premium, elapsed, index_price, p)
    m.matched_premium = after
    if after == 0:
        m.matched_premium_ends_at = 0
    return rest


def blend(m: Market, index_price: int, mark: int, price: int, size: int, p: MarketTrading) -> None:
    """Take note of pairs of a size at a mean price, on a market that is accrued to now.

    The weight is size / (size + priceBand · skewScale).
    """
    band = p.price_band
    apart = checked_int((to_int(price) - to_int(mark)) * WAD)
    sample = max(-band, min(div_trunc(apart, to_int(index_price)), band))
    depth = mul_down(p.skew_scale, band)
    remaining = 0
    if m.matched_premium:
        remaining = checked_uint(m.matched_premium_ends_at - m.funding_updated_at)
    moved = div_trunc(m.matched_premium * depth + sample * size, depth + size)
    m.matched_premium = to_int(moved, 64)
    left = mul_div_up(remaining * depth + p.premium_period * size, 1, depth + size)
    m.matched_premium_ends_at = m.funding_updated_at + left if moved else 0
