"""PEG-1 on the twin, which ``test_peg_monitor_model.py`` compares with the contract."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bulkhead.model import peg_math
from bulkhead.model.peg import PegMonitor
from bulkhead.model.peg_math import PegCondition, PegConfig, PegState
from bulkhead.model.prices import PriceData, PriceStatus
from tests.unit.peg.story import DAY, HOUR, WAD, FakeOracle
from tests.unit.peg.strategies import (
    clocks,
    configs,
    fractions,
    lasting,
    prices,
    rates,
    silences,
    states,
)

MANY = settings(max_examples=150, deadline=None)
VALID = PriceStatus.VALID


def monitor_of(
    config: PegConfig, state: PegState, underlying: int
) -> tuple[PegMonitor, FakeOracle]:
    """A twin with one asset, whose sources say what is recorded."""
    oracle = FakeOracle()
    oracle.prices["ETH"] = PriceData(price=underlying, status=VALID)
    oracle.prices["LST/ETH"] = PriceData(price=state.market_rate, status=VALID)
    twin = PegMonitor(
        oracle,
        {"rate": lambda: state.fair_rate},
        {"LST": config},
        {"LST": state},
        backings={"backing": lambda: state.backing},
        queues={"queue": lambda _: state.redemption_delay},
    )
    return twin, oracle


# ---------------------------------------------------------------- haircuts

delays = st.integers(0, 2**32 - 1) | st.integers(0, 9 * DAY)


@MANY
@given(configs(), fractions, fractions, delays, delays)
def test_intrinsic__worse_backing_or_delay__never_less(config, b, c, q, r):
    """PEG-1: monotone in shortfall and in delay, between base and cap."""
    worse, better = sorted((b, c))
    quick, slow = sorted((q, r))
    least = peg_math.intrinsic_haircut(config, better, quick)
    for other in (
        peg_math.intrinsic_haircut(config, worse, quick),
        peg_math.intrinsic_haircut(config, better, slow),
    ):
        assert config.base_haircut <= least <= other <= config.max_haircut
    assert peg_math.intrinsic_haircut(config, WAD, config.free_delay) == config.base_haircut


@MANY
@given(configs(), states(), fractions, fractions, fractions, prices)
def test_haircuts__more_discount_or_stress__never_less(config, state, s, t, better, price):
    """PEG-1: both haircuts, and with them what an asset is worth at the same market."""
    assume(state.fair_rate > 0)
    state = replace(state, intrinsic_haircut=min(state.intrinsic_haircut, config.max_haircut))
    less, more = min(s, t), max(s, t)
    better_rate = state.market_rate + (WAD - state.market_rate) * better // WAD
    deep, shallow = state, replace(state, market_rate=max(better_rate, state.market_rate))
    underlying = PriceData(price=price, status=VALID)

    def value(at, stress):
        return peg_math.valuation_at(config, at, stress, PegCondition.WATCH, underlying)

    for calm, worse in (
        (value(state, less), value(state, more)),
        (value(shallow, less), value(deep, less)),
    ):
        assert calm.haircut <= worse.haircut <= config.max_haircut
        assert calm.maintenance_haircut <= worse.maintenance_haircut
        assert worse.maintenance_price <= calm.maintenance_price
        assert worse.initial_price <= calm.initial_price
    assert value(state, less).maintenance_haircut <= value(state, less).haircut


@MANY
@given(clocks(), fractions, fractions)
def test_recognition__of_any_stress__between_its_ends(config, s, t):
    less, more = sorted((s, t))
    assert 0 <= peg_math.recognition(config, less) <= peg_math.recognition(config, more) <= WAD
    assert peg_math.recognition(config, config.grace_stress) == 0
    assert peg_math.recognition(config, config.grace_stress + 1) > 0
    assert peg_math.recognition(config, WAD) == WAD


@MANY
@given(configs(), states(), st.sampled_from(PegCondition), prices, silences, rates)
def test_valuation__any_state__maintenance_never_below_initial(
    config, state, condition, price, age, market
):
    now = 10**9
    state = replace(state, condition=condition, poked_at=now - age)
    twin, oracle = monitor_of(config, state, price)
    oracle.prices["LST/ETH"] = PriceData(price=market, status=VALID)
    value = twin.valuation("LST", now)
    assert 0 <= value.initial_price <= value.maintenance_price
    assert value.maintenance_price <= state.fair_rate * price // WAD
    if condition == PegCondition.BROKEN:
        assert value.initial_price == 0


# ---------------------------------------------------------------- wicks


@st.composite
def sound_pegs(draw: st.DrawFn) -> tuple[PegConfig, PegState]:
    """Rules, and a state that is Sound under them: within the dead-band, at most half the grace."""
    # Slopes that show in a price: where they do not, there is nothing to move.
    slope = st.integers(WAD // 100, WAD)
    config = replace(draw(configs()), discount_slope=draw(slope), stress_slope=draw(slope))
    fair = draw(st.integers(WAD // 2, 2 * WAD))
    # Rounded up, so that the discount is at most the dead-band.
    least = fair - fair * config.deadband // WAD
    market = draw(st.integers(least, 2 * WAD) if least < 2 * WAD else st.just(least))
    stress = draw(st.integers(0, config.grace_stress // 2) | st.just(config.grace_stress // 2))
    delay = draw(st.integers(0, config.free_delay))
    state = PegState(
        fair_rate=fair,
        market_rate=market,
        stress=stress,
        poked_at=10**9,
        status=VALID,
        highest_rate=fair,
        backing=WAD,
        redemption_delay=delay,
        intrinsic_haircut=peg_math.intrinsic_haircut(config, WAD, delay),
    )
    gap = peg_math.discount(fair, market)
    assert peg_math.condition(config, state, gap) == PegCondition.SOUND
    return config, state


@settings(max_examples=250, deadline=None)
@given(
    peg=sound_pegs(),
    price=st.integers(WAD, 5_000 * WAD),
    wick=st.integers(0, WAD),
    before=silences,
    looks=st.lists(silences, max_size=3),
    after=silences,
)
def test_wick__observed_once_while_sound__moves_no_maintenance_valuation(
    peg, price, wick, before, looks, after
):
    """PEG-1: to the wei, however deep it was, whenever the next poke comes."""
    config, state = peg
    twin, oracle = monitor_of(config, state, price)
    at = state.poked_at
    expected = twin.valuation("LST", at).maintenance_price
    fair = state.fair_rate * (WAD - state.intrinsic_haircut) * price // WAD**2
    assert expected == fair

    at += before
    oracle.prices["LST/ETH"] = PriceData(price=wick * state.fair_rate // WAD, status=VALID)
    # Somebody looks and somebody pokes within it.
    assert twin.valuation("LST", at).maintenance_price == expected
    twin.poke("LST", at)
    assert twin.valuation("LST", at).maintenance_price == expected
    oracle.prices["LST/ETH"] = PriceData(price=state.market_rate, status=VALID)
    for later in sorted(min(look, after) for look in looks):
        assert twin.valuation("LST", at + later).maintenance_price == expected
    twin.poke("LST", at + after)
    for later in (0, *looks):
        assert twin.valuation("LST", at + after + later).maintenance_price == expected


# ---------------------------------------------------------------- lasting discounts

gaps = st.lists(st.integers(0, 150) | st.integers(0, DAY), min_size=1, max_size=12)


def speed(config: PegConfig, gap: int) -> Fraction:
    """Stress per second at a discount, in units of 1e-18."""
    return Fraction(config.stress_per_day * (gap - config.deadband), WAD * DAY)


def pieces(config: PegConfig, dt: int) -> int:
    """Roundings of one poke: one, or two after a silence beyond ``max_age``."""
    return 1 if dt <= config.max_age else 2


@MANY
@given(lasting(), fractions, gaps, st.lists(fractions, min_size=13, max_size=13))
def test_stress__discount_of_at_least_d__recognised_after_its_time(rules, s0, dts, deeper):
    """At the latest after (1 − s₀) / (stressPerDay (d − deadband)) days, however it is poked."""
    config, d = rules
    path = [max(d, x) for x in deeper]
    needed = -(-(WAD - s0) // speed(config, d))
    # The pokes, and one more when the time is up.
    dts = [*dts, max(0, needed - sum(dts))]
    stress = s0
    for i, dt in enumerate(dts):
        stress = peg_math.advance(config, stress, path[i], path[(i + 1) % 13], dt)
    assert stress == peg_math.recognition(config, stress) == WAD


@MANY
@given(lasting(), gaps, st.lists(fractions, min_size=13, max_size=13))
def test_stress__discount_of_at_most_d__not_recognised_before_its_time(rules, dts, shallower):
    """Not before graceStress / (stressPerDay (d − deadband)) days: up to a rounding per piece."""
    config, d = rules
    path = [min(d, x) for x in shallower]
    stress, roundings, elapsed = 0, 0, 0
    for i, dt in enumerate(dts):
        stress = peg_math.advance(config, stress, path[i], path[i + 1], dt)
        roundings += pieces(config, dt)
        elapsed += dt
        if elapsed * speed(config, d) + roundings <= config.grace_stress:
            assert peg_math.recognition(config, stress) == 0


@MANY
@given(clocks(), fractions, fractions, gaps)
def test_stress__constant_discount__exact_but_for_a_rounding_per_piece(config, s0, d, dts):
    """PEG-1: never below the exact integral; above it by less than 1e-18 per piece."""
    stress, exact, roundings = s0, Fraction(s0), 0
    for dt in dts:
        stress = peg_math.advance(config, stress, d, d, dt)
        gain = speed(config, d) if d > config.deadband else Fraction(-WAD, config.decay_period)
        exact = min(Fraction(WAD), max(Fraction(0), exact + gain * dt))
        roundings += pieces(config, dt)
        assert 0 <= stress - exact < roundings


@st.composite
def paths(
    draw: st.DrawFn, *, dense: bool
) -> tuple[PegConfig, list[tuple[int, int]], list[set[int]]]:
    """Rules, a path of (seconds, discount), and the extra instants of two pokers.

    Dense: no step of the path is longer than ``max_age``.
    """
    config = draw(clocks())
    longest = config.max_age if dense else 4 * config.max_age + HOUR
    steps = draw(st.lists(st.tuples(st.integers(1, longest), fractions), min_size=1, max_size=8))
    total = sum(dt for dt, _ in steps)
    extra = st.sets(st.integers(0, total), max_size=8)
    return config, steps, [draw(extra), draw(extra)]


def poked(config, steps, extra, s0) -> tuple[int, int]:
    """Stress after a path that is poked where it changes and at ``extra``; and its roundings."""
    changes, at = {}, 0
    for dt, gap in steps:
        changes[at] = gap
        at += dt
    instants = sorted(extra | set(changes) | {at})
    gap, stress, roundings = changes[0], s0, 0
    for before, now in pairwise(instants):
        current = changes.get(now, gap)
        stress = peg_math.advance(config, stress, gap, current, now - before)
        roundings += pieces(config, now - before)
        gap = current
    return stress, roundings


@MANY
@given(paths(dense=True), fractions)
def test_stress__two_pokers_of_a_dense_path__differ_by_roundings(path, s0):
    """Who pokes wherever the path changes agrees with everyone else who does."""
    config, steps, extras = path
    (one, ones), (other, others) = (poked(config, steps, extra, s0) for extra in extras)
    assert abs(one - other) < max(ones, others)


@MANY
@given(paths(dense=False), fractions)
def test_stress__more_pokes_of_any_path__never_less(path, s0):
    """Further pokes can only make the record more complete: they hide nothing."""
    config, steps, extras = path
    few, roundings = poked(config, steps, extras[0], s0)
    more, _ = poked(config, steps, extras[0] | extras[1], s0)
    assert more > few - roundings


@MANY
@given(clocks(), fractions, fractions, fractions, silences)
def test_stress__discount_at_one_end_only__charged_for_max_age_at_most(config, s, wick, calm, dt):
    calm = min(calm, config.deadband)
    assert peg_math.advance(config, s, wick, calm, dt) <= s + peg_math.largest_step(config)
    assert peg_math.advance(config, s, calm, wick, dt) <= s
