"""Twin of ``LiquidationMath``: how much to close, what it may cost, what collateral sells for.

Amounts, ratios and prices are WAD, times in seconds.
"""

from __future__ import annotations

from bulkhead.model.math import (
    WAD,
    checked_uint,
    mul_div_down,
    mul_div_up,
    mul_down,
    mul_up,
    to_int,
)


def notional_to_close(
    equity: int,
    maintenance_margin: int,
    target_health: int,
    maintenance_margin_ratio: int,
    penalty_ratio: int,
    debt_maintenance_ratio: int,
) -> int:
    """Return the least notional that restores health τ: (τ·M − E) / (τ·m − p·(1 + τ·d)), up."""
    missing = checked_uint(mul_up(maintenance_margin, target_health) - equity)
    debt = mul_up(mul_up(penalty_ratio, target_health), debt_maintenance_ratio)
    gain = checked_uint(mul_down(maintenance_margin_ratio, target_health) - penalty_ratio - debt)
    return mul_div_up(missing, WAD, gain)


def bounded_penalty(
    wanted: int,
    equity_before: int,
    margin_before: int,
    equity_after: int,
    margin_after: int,
    debt_maintenance_ratio: int,
) -> int:
    """Return the penalty that leaves health no lower: at most (E' − E·M'/M) / (1 + d), down."""
    if equity_before <= 0:
        return 0
    spare = equity_after - to_int(mul_div_up(equity_before, margin_after, margin_before))
    if spare <= 0:
        return 0
    return min(wanted, mul_div_down(spare, WAD, WAD + debt_maintenance_ratio))


def auction_price(start: int, floor: int, elapsed: int, duration: int) -> int:
    """Return the Dutch auction's price: linear from start to floor, then flat; rounded up."""
    if elapsed >= duration or start <= floor:
        return floor
    return checked_uint(floor + mul_div_up(start - floor, duration - elapsed, duration))
