"""Twin of ``Rebates``: what a fill that narrows the skew gets back. Sizes WAD base units."""

from __future__ import annotations

from bulkhead.model.math import WAD, mul_div_down, mul_down
from bulkhead.model.types import MarketTrading


def rebate_of(notional: int, size_delta: int, skew: int, p: MarketTrading) -> int:
    """Return ⌊notional of the narrowing part · rate⌋, WAD; ``skew`` is that before the fill.

    The rate is maxRebate · min(1, |premium| / premiumScale), at most 3/2 of the taker's fee.
    """
    rate = p.max_rebate
    if rate == 0 or skew == 0 or (skew > 0) == (size_delta > 0):
        return 0
    size, distance = abs(size_delta), abs(skew)
    if size > distance:
        notional = mul_div_down(notional, distance, size)
    premium = mul_div_down(distance, WAD, p.skew_scale)
    if premium < p.premium_scale:
        rate = mul_div_down(rate, premium, p.premium_scale)
    return mul_down(notional, min(rate, p.taker_fee * 3 // 2))
