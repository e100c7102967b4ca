"""Twin of ``PegMath``, with the structs of ``PegMonitor``: the pure formulas of a peg.

Rates, fractions and prices are WAD, times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bulkhead.model.math import DAY, WAD, mul_div_down, mul_div_up, mul_down, mul_up
from bulkhead.model.prices import PriceData, PriceStatus

NO_SOURCE = "0x" + "00" * 20
"""The zero address: an asset has no such source."""


class PegCondition(IntEnum):
    """How a peg holds; a greater value is worse."""

    SOUND = 0
    WATCH = 1
    STRESSED = 2
    BROKEN = 3


@dataclass(frozen=True, slots=True)
class PegConfig:
    """An asset's rules, in the contract's order; an empty ``underlying`` is the settlement unit."""

    underlying: str
    max_age: int
    decay_period: int
    deadband: int
    stress_per_day: int
    grace_stress: int
    discount_slope: int
    stress_slope: int
    max_haircut: int
    broken_at: int
    market_ratio: str
    rate_source: str = NO_SOURCE
    free_delay: int = 0
    max_rate_fall: int = 0
    backing_source: str = NO_SOURCE
    backing_slope: int = 0
    queue: str = NO_SOURCE
    delay_slope: int = 0
    base_haircut: int = 0
    stressed_at: int = WAD
    max_shortfall: int = 0


@dataclass(frozen=True, slots=True)
class PegState:
    """Recorded state of a pegged asset; all zero before its first poke."""

    fair_rate: int = 0
    market_rate: int = 0
    stress: int = 0
    poked_at: int = 0
    status: PriceStatus = PriceStatus.STALE
    condition: PegCondition = PegCondition.SOUND
    highest_rate: int = 0
    backing: int = 0
    redemption_delay: int = 0
    intrinsic_haircut: int = 0


@dataclass(frozen=True, slots=True)
class PegValuation:
    """What one token is worth as collateral."""

    initial_price: int
    maintenance_price: int
    market_price: int
    haircut: int
    maintenance_haircut: int
    discount: int
    stress: int
    condition: PegCondition
    status: PriceStatus


def discount(fair_rate: int, market_rate: int) -> int:
    """Return 1 − market/fair, rounded up; 0 at or above fair."""
    return 0 if market_rate >= fair_rate else WAD - mul_div_down(market_rate, WAD, fair_rate)


def advance(config: PegConfig, stress: int, last: int, current: int, elapsed: int) -> int:
    """Return stress after ``elapsed`` seconds that began with one discount and end with another."""
    attested = min(elapsed, config.max_age)
    stress = _integrate(config, stress, last, attested)
    return _integrate(config, stress, min(last, current), elapsed - attested)


def largest_step(config: PegConfig) -> int:
    """Return the most stress that one observation alone can build, rounded up."""
    per_day = config.stress_per_day * (WAD - config.deadband)
    return mul_div_up(per_day, config.max_age, WAD * DAY)


def recognition(config: PegConfig, stress: int) -> int:
    """Return how much of a discount the maintenance valuation goes by, rounded up."""
    grace = config.grace_stress
    return 0 if stress <= grace else mul_div_up(stress - grace, WAD, WAD - grace)


def intrinsic_haircut(config: PegConfig, backing: int, redemption_delay: int) -> int:
    """Return the base and what a shortfall and slow redemptions add, at most the cap."""
    excess = max(0, redemption_delay - config.free_delay)
    shortfall = mul_up(config.backing_slope, WAD - backing)
    total = config.base_haircut + shortfall + mul_div_up(config.delay_slope, excess, DAY)
    return min(total, config.max_haircut)


def haircut(config: PegConfig, intrinsic: int, discount_: int, recognised: int) -> int:
    """Return the intrinsic haircut plus slopes, each product rounded up, at most the cap."""
    total = intrinsic + mul_up(config.discount_slope, discount_)
    return min(total + mul_up(config.stress_slope, recognised), config.max_haircut)


def condition(config: PegConfig, state: PegState, discount_: int) -> PegCondition:
    """Return the condition after a state's, which is the last one: entered at, left at half."""
    lowest = mul_down(state.highest_rate, WAD - config.max_rate_fall)
    if (
        state.condition == PegCondition.BROKEN
        or state.stress >= config.broken_at
        or state.fair_rate < lowest
        or WAD - state.backing > config.max_shortfall
    ):
        return PegCondition.BROKEN
    part = 2 if state.condition == PegCondition.STRESSED else 1
    if part * state.stress >= config.stressed_at:
        return PegCondition.STRESSED
    part = 1 if state.condition == PegCondition.SOUND else 2
    watched = (
        part * discount_ > config.deadband
        or 2 * part * state.stress > config.grace_stress
        or state.backing < WAD
        or state.redemption_delay > config.free_delay
    )
    return PegCondition.WATCH if watched else PegCondition.SOUND


def _integrate(config: PegConfig, stress: int, discount_: int, dt: int) -> int:
    if discount_ > config.deadband:
        per_day = config.stress_per_day * (discount_ - config.deadband)
        return min(WAD, stress + mul_div_up(per_day, dt, WAD * DAY))
    return stress - min(stress, mul_div_down(WAD, dt, config.decay_period))


def valuation_at(
    config: PegConfig,
    state: PegState,
    stress: int,
    condition_: PegCondition,
    underlying: PriceData,
) -> PegValuation:
    """Return the valuations at a state whose stress was carried forward to ``stress``."""
    gap = discount(state.fair_rate, state.market_rate)
    recognised = recognition(config, stress)
    h = haircut(config, state.intrinsic_haircut, gap, recognised)
    lasting = mul_up(gap, recognised)
    maintenance = haircut(config, state.intrinsic_haircut, lasting, recognised)
    least = min(state.fair_rate, state.market_rate)
    blend = state.fair_rate * (WAD - recognised) + least * recognised
    initial = mul_div_down(least * (WAD - h), underlying.price, WAD**2)
    return PegValuation(
        initial_price=0 if condition_ == PegCondition.BROKEN else initial,
        maintenance_price=mul_div_down(blend * (WAD - maintenance), underlying.price, WAD**3),
        market_price=mul_div_down(state.market_rate, underlying.price, WAD),
        haircut=h,
        maintenance_haircut=maintenance,
        discount=gap,
        stress=stress,
        condition=condition_,
        status=min(state.status, underlying.status),
    )
