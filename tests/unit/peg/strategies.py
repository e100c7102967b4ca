"""Rules and histories of pegs, valid by construction."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from bulkhead.model.peg_math import PegConfig, PegState, largest_step
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.story import DAY, DEVNET, HOUR, WAD

fractions = st.integers(0, WAD) | st.integers(0, WAD // 50) | st.sampled_from([0, 1, WAD - 1, WAD])
rates = (
    st.integers(0, 2 * WAD)
    | st.integers(WAD * 9 // 10, WAD * 11 // 10)
    | st.sampled_from([0, 1, WAD, 2**64 - 1])
)
silences = st.integers(0, 150) | st.integers(0, 4 * HOUR) | st.integers(0, 30 * DAY)
slopes = st.integers(0, WAD) | st.integers(0, 10 * WAD)
prices = st.integers(0, 2**128 - 1) | st.integers(WAD, 5_000 * WAD) | st.sampled_from([0, 1])


@st.composite
def configs(draw: st.DrawFn) -> PegConfig:
    """Rules within their bounds, with all three sources."""
    config = replace(
        DEVNET,
        max_age=draw(st.sampled_from([1, 60, 120, HOUR, DAY])),
        decay_period=draw(st.integers(HOUR, 365 * DAY)),
        deadband=draw(st.integers(0, WAD - 1) | st.integers(0, WAD // 50)),
        discount_slope=draw(slopes),
        stress_slope=draw(slopes),
        backing_slope=draw(slopes),
        delay_slope=draw(slopes | st.integers(0, WAD // 100)),
        max_haircut=draw(st.integers(WAD // 10, WAD - 1)),
        base_haircut=draw(st.integers(0, WAD // 10)),
        free_delay=draw(st.sampled_from([0, HOUR, 3 * DAY, 2**32 - 1])),
        max_rate_fall=draw(st.integers(0, WAD // 50) | st.integers(0, WAD - 1)),
        max_shortfall=draw(st.integers(0, WAD // 50) | st.integers(0, WAD - 1)),
    )
    return draw(_timed(config))


@st.composite
def clocks(draw: st.DrawFn, *, is_running: bool = False) -> PegConfig:
    """Rules that differ in what stress goes by; running: it can build up."""
    config = replace(
        DEVNET,
        max_age=draw(st.sampled_from([1, 60, 120, HOUR, DAY])),
        decay_period=draw(st.integers(HOUR, 365 * DAY)),
        deadband=draw(st.integers(0, WAD - 1) | st.integers(0, WAD // 50)),
    )
    return draw(_timed(config, slowest=1 if is_running else 0))


@st.composite
def _timed(draw: st.DrawFn, config: PegConfig, slowest: int = 0) -> PegConfig:
    # Two largest steps are at most the grace, and that is less than 1.0.
    fastest = (WAD - 4) * DAY // (2 * config.max_age)
    per_day = draw(st.integers(slowest, min(10 * WAD, fastest)))
    config = replace(config, stress_per_day=per_day)
    grace = draw(st.integers(2 * largest_step(config), WAD - 2))
    stressed = draw(st.integers(grace + 1, WAD))
    broken = draw(st.integers(stressed, WAD) | st.just(WAD))
    return replace(config, grace_stress=grace, stressed_at=stressed, broken_at=broken)


@st.composite
def lasting(draw: st.DrawFn) -> tuple[PegConfig, int]:
    """Rules, and a discount at which stress builds up."""
    config = draw(clocks(is_running=True))
    return config, draw(st.integers(config.deadband + 1, WAD) | st.just(WAD))


@st.composite
def states(draw: st.DrawFn) -> PegState:
    """Any recorded state that the types allow, at time zero."""
    return PegState(
        fair_rate=draw(rates),
        market_rate=draw(rates),
        stress=draw(fractions),
        status=PriceStatus.VALID,
        highest_rate=draw(rates),
        backing=draw(fractions),
        redemption_delay=draw(st.integers(0, 2**32 - 1) | st.integers(0, 10 * DAY)),
        intrinsic_haircut=draw(fractions.filter(lambda f: f < WAD)),
    )
