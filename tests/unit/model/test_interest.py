"""Interest on the model: what the frequency of accrual can and cannot change."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.model import interest_curve, presets
from bulkhead.model.interest_curve import BorrowState, InterestParameters
from bulkhead.model.math import DAY, WAD
from bulkhead.model.types import address, pack

RAY = 10**27
ALICE, BOB = address(1), address(2)
MOST = WAD // 20
"""WAD per day: the largest rate times the largest multiplier."""


def exponential(rate: int, seconds: int) -> int:
    """Return RAY · e^{rate · t}, rounded up."""
    with localcontext() as context:
        context.prec = 80
        grown = (Decimal(rate) * seconds / (WAD * DAY)).exp() * RAY
        return int(grown.to_integral_value(rounding=ROUND_CEILING))


@given(st.integers(0, MOST), st.lists(st.integers(0, 30 * DAY), min_size=1, max_size=12), st.data())
def test_index_cut_into_pieces_costs_between_simple_and_endless_compounding(rate, gaps, data):
    b, now = BorrowState(rate=rate), 0
    for gap in gaps:
        now += gap
        b = BorrowState(interest_curve.current_index(b, now), rate, now)
    whole = interest_curve.current_index(BorrowState(rate=rate), now)
    most = exponential(rate, now)
    # Each accrual rounds up by less than one, which grows with the rest.
    assert whole - 1 <= b.index <= most + len(gaps) * (most // RAY + 1)
    # A second accrual at the same moment changes nothing.
    assert interest_curve.current_index(b, now) == b.index
    # One accrual less never costs more.
    i = data.draw(st.integers(0, len(gaps) - 1))
    merged = [*gaps[:i], sum(gaps[i : i + 2]), *gaps[i + 2 :]]
    fewer, now = BorrowState(rate=rate), 0
    for gap in merged:
        now += gap
        fewer = BorrowState(interest_curve.current_index(fewer, now), rate, now)
    assert fewer.index <= b.index + len(gaps) * (most // RAY + 1)


def test_a_day_at_the_highest_rate_costs_at_most_an_eighth_of_a_percent_more_if_poked_always():
    simple = interest_curve.current_index(BorrowState(rate=MOST), DAY)
    assert simple == RAY * 105 // 100
    assert 0 < exponential(MOST, DAY) - simple < RAY * 128 // 100_000


@pytest.fixture
def owing(make_seeded_world):
    """A world in which two accounts owe, and debt costs 1 % per day however much is owed."""
    flat = InterestParameters(5_000, *(WAD // 100,) * 3, *(10_000,) * 4)
    world = make_seeded_world(interest=flat)
    for who, debt in ((ALICE, 1_000 * WAD), (BOB, 10 * WAD)):
        world.margin_engine.settle(world.perp_exchange.address, pack(who), 0, -debt, 0, 0, 0)
    return world


def test_what_others_do_to_their_debt_costs_nobody_anything(owing, make_seeded_world):
    world, engine = owing, owing.margin_engine
    world.now += DAY
    for _ in range(5):
        engine.accrue_interest(ALICE, pack(BOB))
    # The index is cut there; what has been owed since is the same.
    assert engine.account_ledger(pack(ALICE)).cash == -1_010 * WAD
    assert engine.booked_debt(pack(ALICE)) == (1_000 * WAD, RAY)
    assert engine.booked_debt(pack(BOB))[0] == 101 * WAD // 10


def test_interest_booked_is_growth_of_debt(owing):
    world, engine = owing, owing.margin_engine
    before = engine.totals().debt
    world.events.clear()
    for days in (1, 3, 2):
        world.now += days * DAY
        for who in (ALICE, BOB):
            engine.accrue_interest(ALICE, pack(who))
    events = [e.args for e in world.events if e.name == "InterestAccrued"]
    assert len(events) == 6
    assert engine.totals().debt - before == sum(int(str(e["interest"])) for e in events)
    assert engine.totals().debt > before * 106 // 100


def test_a_worse_tier_never_makes_debt_cheaper():
    rates = [interest_curve.rate(presets.INTEREST, WAD // 2, tier) for tier in range(5)]
    # 0.00005 + 0.00025 · 0.5 / 0.8 per day, times 1, 1.25, 1.5, 2 and 3.
    assert rates == [206_250_000_000_000 * n // 4 for n in (4, 5, 6, 8, 12)]
