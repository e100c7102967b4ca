"""Twin of ``Funding``: the premium moves the rate, the rate moves money.

Rates are WAD per day, velocities WAD per day per day, times in seconds.
"""

from __future__ import annotations

from bulkhead.model.math import (
    DAY,
    WAD,
    checked_int,
    div_trunc,
    mul_div_down,
    mul_div_floor,
    to_int,
)
from bulkhead.model.types import Market, MarketTrading

BPS = 10_000


def velocity(premium: int, gain: int, p: MarketTrading) -> int:
    """Return clamp(premium / premiumScale, ±1) · maxFundingVelocity · gain, or 0 in the dead-band.

    ``gain`` is in basis points, 0 stands for 10,000. Rounded towards zero.
    """
    size = abs(premium)
    if size <= p.funding_deadband:
        return 0
    fastest = p.max_funding_velocity * (gain or BPS)
    speed = mul_div_down(min(size, p.premium_scale), fastest, p.premium_scale * BPS)
    return speed if premium > 0 else -speed


def accrue(
    rate: int, premium: int, gain: int, elapsed: int, index_price: int, p: MarketTrading
) -> tuple[int, int]:
    """Return the rate after ``elapsed`` seconds, and what a long of 1.0 owes for them.

    The rate is linear until it meets its bound, so one trapezoid and one rectangle are its
    integral; the amount, WAD settlement units, is rounded towards −∞.
    """
    rate = max(-p.max_funding_rate, min(rate, p.max_funding_rate))
    speed = velocity(premium, gain, p)
    limit = p.max_funding_rate if speed > 0 else -p.max_funding_rate
    new_rate = rate + div_trunc(speed * elapsed, DAY)
    beyond = new_rate > limit if speed > 0 else new_rate < limit
    if speed != 0 and beyond:
        new_rate = limit
        ramp = div_trunc((limit - rate) * DAY, speed)
        doubled = (rate + limit) * ramp + 2 * limit * (elapsed - ramp)
    else:
        doubled = (rate + new_rate) * elapsed
    return new_rate, mul_div_floor(to_int(doubled), index_price, 2 * DAY * WAD)


def accrue_market(
    m: Market, premium: int, elapsed: int, index_price: int, p: MarketTrading
) -> None:
    """Do the same to a market in memory."""
    rate, per_unit = accrue(m.funding_rate, premium, m.funding_gain, elapsed, index_price, p)
    m.funding_rate = to_int(rate, 64)
    m.cumulative_funding_per_unit = to_int(
        checked_int(m.cumulative_funding_per_unit + per_unit), 128
    )
