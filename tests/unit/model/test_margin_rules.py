"""MAR-1 and MAR-2: what holds of requirements, exactly, and what does not.

Of any book: initial margin ≥ maintenance margin > 0; more stress never lowers the form; all rates
times c is the form times c. Where all positions are on one side, each of them adds. A position that
offsets others lowers the form, so neither its size nor its market's volatility is monotone: that
part of what one might expect is false, and the examples are here.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bulkhead.model import correlations, invariants, portfolio_margin, presets
from bulkhead.model.math import DAY, WAD
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.types import AccountValuation, MarketExposure
from bulkhead.model.world import World
from tests.books import BPS, Book, books, matrices

MARKETS = 4
SIZES = st.integers(1, 10**26)
FLOORS = st.integers(BPS // 20, BPS // 2)
RHOS = st.integers(0, BPS - 1)


def margin(book: Book, **changes) -> int:
    """The requirement of a book, with some of it changed."""
    b = replace(book, **changes)
    return portfolio_margin.requirement(b.n, b.markets, b.rows, b.stress, b.floor)


def pair(n: int, m: int, rho: int, floor: int, stress: int = 0) -> int:
    """The requirement of two positions."""
    return margin(Book((n, m), (0, 1), (rho,), 2, stress, floor))


# ---------------------------------------------------------------------- the form


@given(books())
def test_requirement__any_book__is_positive_and_at_least_the_floor(book):
    required = margin(book)
    assert required > 0
    gross = sum(map(abs, book.n))
    assert required <= gross
    if len(book.n) > 1:
        assert required * BPS >= gross * book.floor


@given(books(), st.integers(0, WAD), st.integers(0, WAD))
def test_requirement__any_book__is_monotone_in_stress(book, one, other):
    low, high = sorted((one, other))
    assert margin(book, stress=low) <= margin(book, stress=high)


@given(books(), st.integers(1, 10**6))
def test_requirement__any_book__is_homogeneous(book, times):
    """A common factor of all volatilities is one of the requirement.

    Amounts from 2^100 WAD on are cut: each may be a unit of the cut larger, and so may their sum.
    """
    required = margin(book)
    n = tuple(times * x for x in book.n)
    scaled = margin(book, n=n)
    cut = max(0, max(map(abs, n)).bit_length() - 100)
    slack = (len(n) + 1) << cut if cut and len(n) > 1 else 0
    assert times * (required - 1) - slack < scaled <= times * required + slack


def test_requirement__just_above_the_cut__is_up_to_two_units_of_it_more():
    """2^100 + 1 is counted as 2^100 + 2, and the root of the squares is rounded up, too."""
    book = Book((1, 2**100 + 1), (0, 1), (0,), 2, 0, 500)
    assert margin(book) == 2**100 + 4
    assert margin(book, n=(1, 2**100 - 1)) == 2**100


@given(books(), st.data())
def test_requirement__all_on_one_side__is_monotone_in_each(book, data):
    side = data.draw(st.sampled_from((1, -1)))
    n = [side * abs(x) for x in book.n]
    k = data.draw(st.integers(0, len(n) - 1))
    more = [*n]
    more[k] += side * data.draw(SIZES)
    assert margin(book, n=tuple(n)) <= margin(book, n=tuple(more))


@given(books())
def test_requirement__any_book__never_more_than_on_one_side(book):
    assert margin(book) <= margin(book, n=tuple(map(abs, book.n)))


@given(books(), st.data())
def test_requirement__one_wei_more__lowers_it_by_two_wei_at_most(book, data):
    """What rounding an amount up may cost the protocol where it offsets others."""
    k = data.draw(st.integers(0, len(book.n) - 1))
    n = [*book.n]
    n[k] += 1 if n[k] > 0 else -1
    assert margin(book, n=tuple(n)) >= margin(book) - 2


@given(SIZES, RHOS, FLOORS)
def test_requirement__exact_hedge__is_its_basis_or_the_floor(n, rho, floor):
    required = pair(n, -n, rho, floor)
    basis = 2 * n * n * (BPS - rho)
    least = -(-2 * n * floor // BPS)
    if required > least:
        assert (required - 1) ** 2 * BPS < basis <= required**2 * BPS
    else:
        assert required == least
        assert basis <= required**2 * BPS
    # √(2(1 − ρ)) ≤ 2·floor: the floor decides from ρ = 1 − 2·floor² on.
    if (BPS - rho) * BPS <= 2 * floor * floor:
        assert required == least


@given(SIZES, RHOS, FLOORS, st.integers(0, BPS), st.data())
def test_requirement__hedge_within_its_domain__never_raises_it(n, rho, floor, stress, data):
    """Of |m| ≤ 2·ρ·(1 − t)·|n| where the floor leaves room: floor · (n + m) ≤ n."""
    weight = rho * (BPS - stress)
    m = data.draw(st.integers(0, 2 * weight * n // BPS**2))
    assume(m > 0 and floor * (n + m) <= n * BPS)
    assert pair(n, -m, rho, floor, stress * (WAD // BPS)) <= n


@given(SIZES, RHOS, FLOORS, SIZES)
def test_requirement__hedge_beyond_its_domain__raises_it(n, rho, floor, more):
    """The domain is exact: one wei beyond 2·ρ·|n| the form is above n² already."""
    assert pair(n, -(2 * rho * n // BPS + more), rho, floor) > n


def test_requirement__half_of_what_is_hedged__saves_most_at_rho():
    required = {m: pair(100 * WAD, -m * WAD, 9_000, 500) for m in (0, 45, 90, 135, 180)}
    assert required[90] == min(required.values())
    assert required[180] == 100 * WAD


# ---------------------------------------------------------------------- what is false


def test_counterexample__more_volatility_in_one_market__lowers_the_requirement_of_a_hedge():
    """Long 100, short 60 of margin, ρ = 0.9: if the short's volatility rises by half, M falls."""
    before = pair(100 * WAD, -60 * WAD, 9_000, 500)
    after = pair(100 * WAD, -90 * WAD, 9_000, 500)
    assert after < before


@given(books(), st.data())
def test_requirement__one_rate_rises__may_fall_but_not_below_the_floor_that_rose(book, data):
    assume(len(book.n) > 1)
    k = data.draw(st.integers(0, len(book.n) - 1))
    n = [*book.n]
    n[k] *= data.draw(st.integers(1, 5))
    gross = sum(map(abs, n))
    assert (
        margin(book, n=tuple(n)) * BPS >= book.floor * gross >= book.floor * sum(map(abs, book.n))
    )


def test_counterexample__larger_position__lowers_the_requirement_of_what_it_offsets():
    assert pair(100 * WAD, -50 * WAD, 9_000, 500) < pair(100 * WAD, -40 * WAD, 9_000, 500)


# ---------------------------------------------------------------------- the engine


def make_world(lower: tuple[int, ...] = (7_500, 6_000, 5_000, 3_000, 2_000, 4_000)) -> World:
    """A world of four markets."""
    world = World()
    for i in range(MARKETS):
        world.oracle.set(f"A{i}", 1_000 * WAD)
        rules = presets.market(f"A{i}")
        world.risk_parameters.set_market(world.governor, i, rules, presets.LIQUIDATION)
    world.risk_parameters.set_correlations(world.governor, lower)
    world.roles.grant_role(world.governor, "GUARDIAN", world.governor)
    return world


def exposures(notionals: list[int]) -> list[MarketExposure]:
    """Positions without profit."""
    return [
        MarketExposure(i, f"A{i}", n, 0, 0, 0, PriceStatus.VALID)
        for i, n in enumerate(notionals)
        if n
    ]


VOLATILITIES = st.lists(st.integers(0, WAD // 2), min_size=MARKETS, max_size=MARKETS)
NOTIONALS = st.lists(st.integers(-(10**25), 10**25), min_size=MARKETS, max_size=MARKETS).filter(any)
STORY = st.lists(
    st.tuples(VOLATILITIES, st.integers(0, 3), st.integers(0, DAY), st.integers(0, MARKETS)),
    min_size=1,
    max_size=8,
)
"""Volatilities, a tier, seconds that pass, and a market that is poked; none: nobody pokes."""


@given(matrices(MARKETS), NOTIONALS, STORY)
def test_engine__any_story__initial_at_least_maintenance_and_both_positive(lower, notionals, story):
    """MAR-2, whatever is poked when."""
    world = make_world(lower)
    for volatilities, tier, seconds, poked in story:
        _happen(world, volatilities, tier, seconds)
        if poked < MARKETS:
            world.risk_engine.poke(world.governor, poked)
        initial, maintenance = world.risk_engine.requirements(exposures(notionals))
        assert initial >= maintenance > 0
        for market in range(MARKETS):
            first, second = world.risk_engine.margin_rates(market)
            assert WAD >= first >= second > 0
        opening, keeping = world.risk_engine.stress_levels()
        assert WAD >= opening >= keeping >= 0


@given(STORY)
def test_engine__any_story__a_maintenance_rate_rises_no_faster_than_its_speed(story):
    """From any poke on, and by an hour's worth at most between two."""
    world = make_world()
    speed = world.risk_parameters.margin_parameters().max_ratio_rise * 10**14
    rest = world.risk_parameters.market_margin(0).maintenance_ratio
    value, moved_at = rest, -DAY
    for volatilities, tier, seconds, poked in story:
        _happen(world, volatilities, tier, seconds)
        _, rate = world.risk_engine.margin_rates(0)
        assert rate <= value + speed * min(world.now - moved_at, 3_600) // DAY
        assert rate >= rest
        if poked == 0:
            world.risk_engine.poke(world.governor, 0)
            followed = world.risk_engine.followed_ratio(0)
            assert followed.value == rate
            assert world.risk_engine.margin_rates(0)[1] == rate
            value, moved_at = followed.value, followed.moved_at


@given(st.lists(st.integers(0, 7_200), min_size=1, max_size=30))
def test_engine__poked_at_any_times__is_never_ahead_of_who_pokes_in_the_end(pauses):
    """Poking often cannot raise a rate faster; poking rarely forgoes what is above an hour."""
    world = make_world()
    world.risk_engine.poke(world.governor, 0)
    start = world.risk_engine.followed_ratio(0).value
    speed = world.risk_parameters.margin_parameters().max_ratio_rise * 10**14
    world.oracle.set_volatility("A0", WAD)
    for pause in pauses:
        world.now += pause
        world.risk_engine.poke(world.governor, 0)
    useful = sum(min(pause, 3_600) for pause in pauses)
    target = world.risk_engine.margin_rates(0)[0] * 3 // 5
    reached = world.risk_engine.followed_ratio(0).value
    assert reached <= min(target, start + speed * useful // DAY)
    # A wei is lost by each poke at most.
    assert reached >= min(target, start + speed * useful // DAY - len(pauses))


def test_engine__rate_fell_and_nobody_poked__is_back_at_once_when_it_rises():
    """What is bounded is the rise from the last poke: who opens after a fall should poke first."""
    world = make_world()
    engine, governor = world.risk_engine, world.governor
    world.oracle.set_volatility("A0", WAD // 10)
    for _ in range(200):
        engine.poke(governor, 0)
        world.now += 3_600
    high = engine.margin_rates(0)[1]
    world.oracle.set_volatility("A0", 0)
    low = engine.margin_rates(0)[1]
    assert low < high // 4
    world.oracle.set_volatility("A0", WAD // 10)
    assert engine.margin_rates(0)[1] == high
    # With a poke while it was low, it would have had to climb.
    world.oracle.set_volatility("A0", 0)
    engine.poke(governor, 0)
    world.oracle.set_volatility("A0", WAD // 10)
    assert engine.margin_rates(0)[1] == low


@given(st.integers(1, 10**25), st.integers(1, 10**25), VOLATILITIES, VOLATILITIES)
def test_engine__one_position__is_monotone_in_size_volatility_and_tier(size, more, one, other):
    world = make_world()
    _happen(world, [min(a, b) for a, b in zip(one, other, strict=True)], 0, 0)
    small = world.risk_engine.requirements(exposures([size, 0, 0, 0]))
    large = world.risk_engine.requirements(exposures([-size - more, 0, 0, 0]))
    assert small[0] <= large[0]
    assert small[1] <= large[1]
    _happen(world, [max(a, b) for a, b in zip(one, other, strict=True)], 3, 3_600)
    rough = world.risk_engine.requirements(exposures([size, 0, 0, 0]))
    assert small[0] <= rough[0]
    assert small[1] <= rough[1]


def test_invariant__initial_below_maintenance_or_none_of_it__is_found():
    v = AccountValuation(initial_margin=5, maintenance_margin=6)
    assert invariants.mar_2(v, has_positions=True) is not None
    v = AccountValuation(initial_margin=5, maintenance_margin=0)
    assert invariants.mar_2(v, has_positions=True) is not None
    assert invariants.mar_2(v, has_positions=False) is None
    v = AccountValuation(initial_margin=5, maintenance_margin=5)
    assert invariants.mar_2(v, has_positions=True) is None


@pytest.mark.parametrize("count", [1, 3, 6])
def test_rows__beyond_the_known__add_up_on_either_side(count):
    lower = (7_500, 6_000, 5_000, 3_000, 2_000, 4_000)[:count]
    size = {1: 2, 3: 3, 6: 4}[count]
    rows = [correlations.row(lower, size, i) for i in range(size)] + [0] * (4 - size)
    n = [100 * WAD, 0, 0, -30 * WAD]
    required = portfolio_margin.requirement([n[0], n[3]], [0, 3], [rows[0], rows[3]], 0, 500)
    assert required == 130 * WAD or size == 4
    assert size < 4 or required < 100 * WAD


def _happen(world: World, volatilities: list[int], tier: int, seconds: int) -> None:
    world.now += seconds
    for i, volatility in enumerate(volatilities):
        world.oracle.set_volatility(f"A{i}", volatility)
    if tier > world.circuit_breaker.tier():
        world.circuit_breaker.raise_(world.governor, tier, 3_600)
