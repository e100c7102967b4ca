"""Twin of ``PositionMath``: positions and the exact sums over them.

Sizes are WAD base units, quotes and results WAD settlement units, prices WAD.
"""

from __future__ import annotations

from bulkhead.model import pricing
from bulkhead.model.math import (
    WAD,
    checked_int,
    checked_uint,
    div_floor,
    mul_div_ceil,
    mul_div_floor,
    to_int,
    to_uint,
)
from bulkhead.model.types import Fill, Market, MarketPhase, Position


def skew(m: Market) -> int:
    """Return longs less shorts."""
    return m.open_interest_long - m.open_interest_short


def mark_price(m: Market, index_price: int, skew_scale: int) -> int:
    """Return the mark on the curve, or the last price of a settled market.

    Raises:
        SkewPricing_NonPositivePrice: the price would not be positive.
    """
    if m.phase == MarketPhase.SETTLED:
        return index_price
    return pricing.mark_price(index_price, skew(m), skew_scale)


def is_reduction(size: int, size_delta: int) -> bool:
    """Return whether a trade brings a position towards zero without crossing it."""
    return size != 0 and (size > 0) != (size_delta > 0) and abs(size_delta) <= abs(size)


def funding_owed(m: Market, p: Position) -> int:
    """Return the funding that a position owes (> 0), rounded up."""
    product = checked_int(p.size * (m.cumulative_funding_per_unit - p.funding_entry))
    return -div_floor(-product, WAD)


def unrealized_of(m: Market, p: Position, mark: int) -> int:
    """Return ⌊size · (mark − funding)⌋ − quote."""
    per_unit = to_int(mark) - (m.cumulative_funding_per_unit - p.funding_entry)
    return checked_int(div_floor(checked_int(p.size * per_unit), WAD) - p.quote)


def unrealized_total(m: Market, mark: int) -> int:
    """Return the same for all positions together, from the sums alone."""
    per_unit = to_int(mark) - m.cumulative_funding_per_unit
    total = checked_int(checked_int(skew(m) * per_unit) + m.funding_entry_product)
    return checked_int(div_floor(total, WAD) - m.quote)


def close_out_total(m: Market, index_price: int, skew_scale: int) -> int:
    """Return U_m: what closing every position on the curve would pay, rounded up.

    ⌈skew · index · (1 + skew / (2 · skewScale))⌉ − ⌊funding owed⌋ − quote; of a settled market what
    closing at its last price would pay.
    """
    if m.phase == MarketPhase.SETTLED:
        return unrealized_total(m, index_price)
    s = skew(m)
    curve = checked_int(s * (2 * skew_scale + s))
    value = mul_div_ceil(curve, index_price, 2 * skew_scale * WAD)
    owed = checked_int(s * m.cumulative_funding_per_unit - m.funding_entry_product)
    return checked_int(value - div_floor(owed, WAD) - m.quote)


def quote_fill(m: Market, p: Position, size_delta: int, index_price: int, skew_scale: int) -> Fill:
    """Return what a fill costs and realises, on the curve or at a last price; changes nothing.

    Raises:
        SkewPricing_NonPositivePrice: the price would not be positive.
    """
    if m.phase == MarketPhase.SETTLED:
        price = index_price
    else:
        price = pricing.fill_price(index_price, skew(m), size_delta, skew_scale)
    return quote_at(m, p, size_delta, price, pricing.fill_cost(size_delta, price))


def quote_at(m: Market, p: Position, size_delta: int, price: int, quote_delta: int) -> Fill:
    """Return what a fill that costs ``quote_delta`` realises; changes nothing."""
    funding_paid = funding_owed(m, p)
    realized = -funding_paid
    if p.size != 0 and (p.size > 0) != (size_delta > 0):
        closed_quote, closing_cost = _closed_parts(p, size_delta, quote_delta)
        realized -= closed_quote + closing_cost
    return Fill(quote_delta, price, realized, funding_paid, abs(quote_delta))


def apply_fill(m: Market, p: Position, size_delta: int, fill: Fill) -> None:
    """Move position and sums, in place, by a fill that was quoted on the same state."""
    size = p.size
    new_size = size + size_delta
    new_quote = p.quote + fill.quote_delta
    if size != 0 and (size > 0) != (size_delta > 0):
        closed_quote, closing_cost = _closed_parts(p, size_delta, fill.quote_delta)
        new_quote -= closed_quote + closing_cost
    m.open_interest_long = _moved(m.open_interest_long, max(size, 0), max(new_size, 0))
    m.open_interest_short = _moved(m.open_interest_short, max(-size, 0), max(-new_size, 0))
    m.quote = to_int(m.quote + new_quote - p.quote, 128)
    product = new_size * m.cumulative_funding_per_unit - size * p.funding_entry
    m.funding_entry_product = checked_int(m.funding_entry_product + checked_int(product))
    p.size = to_int(new_size, 128)
    p.quote = to_int(new_quote, 128)
    p.funding_entry = 0 if new_size == 0 else m.cumulative_funding_per_unit


def _moved(total: int, old: int, new: int) -> int:
    return to_uint(checked_uint(total + new - old), 128)


def _closed_parts(p: Position, size_delta: int, quote_delta: int) -> tuple[int, int]:
    """Return the quote that the closing part takes along, and the fill's cost of that part."""
    held = abs(p.size)
    traded = abs(size_delta)
    if traded <= held:
        return mul_div_floor(p.quote, traded, held), quote_delta
    return p.quote, mul_div_ceil(quote_delta, held, traded)
