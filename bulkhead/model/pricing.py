"""Twin of ``SkewPricing``: a price curve that is linear in the skew.

Skews, sizes and scales are WAD base units, prices WAD settlement units per 1.0 of base.
"""

from __future__ import annotations

from bulkhead.model.math import (
    WAD,
    checked_uint,
    mul_div_ceil,
    mul_div_down,
    mul_div_floor,
    mul_div_up,
    to_int,
)
from bulkhead.model.reverts import SkewPricing_NonPositivePrice


def premium(skew: int, skew_scale: int) -> int:
    """Return skew / skewScale, WAD, rounded towards −∞."""
    return mul_div_floor(skew, WAD, skew_scale)


def mark_price(index_price: int, skew: int, skew_scale: int) -> int:
    """Return index · (1 + skew / skewScale), rounded down.

    Raises:
        SkewPricing_NonPositivePrice: the skew reaches −skewScale.
    """
    factor = to_int(skew_scale) + skew
    if factor <= 0:
        raise SkewPricing_NonPositivePrice(skew, skew_scale)
    return mul_div_down(index_price, factor, skew_scale)


def fill_price(index_price: int, skew: int, size_delta: int, skew_scale: int) -> int:
    """Return index · (1 + (skew + sizeDelta / 2) / skewScale): up for a buy, down for a sale.

    Raises:
        SkewPricing_NonPositivePrice: the mean of the skews before and after reaches −skewScale.
    """
    factor = 2 * (to_int(skew_scale) + skew) + size_delta
    if factor <= 0:
        raise SkewPricing_NonPositivePrice(skew, skew_scale)
    if size_delta > 0:
        return mul_div_up(index_price, factor, 2 * skew_scale)
    return mul_div_down(index_price, factor, 2 * skew_scale)


def fill_cost(size_delta: int, price: int) -> int:
    """Return the signed cost of a fill, rounded up: a buyer pays more, a seller receives less."""
    return mul_div_ceil(size_delta, price, WAD)


def close_out_cost(index_price: int, size: int, skew_scale: int) -> int:
    """Return index · size² / (2 · skewScale), rounded up: closing on the curve against mark."""
    return mul_div_up(checked_uint(size * size), index_price, 2 * skew_scale * WAD)
