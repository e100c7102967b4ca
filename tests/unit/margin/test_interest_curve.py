"""What debt costs, against numbers worked out by hand and against the twin."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import interest_curve
from bulkhead.model.interest_curve import InterestParameters

WAD, RAY = 10**18, 10**27
MILLIONTH = WAD // 10**6
PARAMETERS = {
    "kinkBps": 8_000,
    "rateAtZero": 50 * MILLIONTH,
    "rateAtKink": 300 * MILLIONTH,
    "rateAtFull": 4_000 * MILLIONTH,
    "tier1Bps": 12_500,
    "tier2Bps": 15_000,
    "tier3Bps": 20_000,
    "tier4Bps": 30_000,
}
quick = settings(max_examples=60, deadline=None)


@st.composite
def curves(draw):
    """Parameters within their bounds."""
    rates = sorted(draw(st.integers(0, WAD // 100)) for _ in range(3))
    tiers = sorted(draw(st.integers(10_000, 50_000)) for _ in range(4))
    return InterestParameters(draw(st.integers(1_000, 9_900)), *rates, *tiers)


@pytest.mark.parametrize(
    ("debt", "pool_cash", "expected"),
    [
        (0, 0, 0),
        (0, 5 * WAD, 0),
        (3 * WAD, 0, WAD),
        (WAD, 3 * WAD, WAD // 4),
        (1, 2, WAD // 3 + 1),  # Rounded up.
        (1, 10**30, 1),  # However little it is.
    ],
)
def test_utilisation__by_hand__rounds_up(harness, debt, pool_cash, expected):
    assert harness.call("utilisation", debt, pool_cash) == expected


@pytest.mark.parametrize(
    ("utilised", "expected"),
    [
        (0, 50 * MILLIONTH),
        (WAD * 4 // 10, 175 * MILLIONTH),  # Half of the way to the kink.
        (WAD * 8 // 10, 300 * MILLIONTH),
        (WAD * 9 // 10, 2_150 * MILLIONTH),  # Half of the way from there.
        (WAD, 4_000 * MILLIONTH),
        (1, 50 * MILLIONTH + 1),  # 250e12 / 0.8e18 of a wei.
        (WAD * 8 // 10 + 1, 300 * MILLIONTH + 1),
    ],
)
def test_rate__by_hand__rounds_up(harness, utilised, expected):
    assert harness.call("borrowRate", PARAMETERS, utilised, 0) == expected


@pytest.mark.parametrize(("tier", "expected"), [(0, 300), (1, 375), (2, 450), (3, 600), (4, 900)])
def test_rate__in_a_tier__times_its_multiplier(harness, tier, expected):
    kink = WAD * 8 // 10
    assert harness.call("borrowRate", PARAMETERS, kink, tier) == expected * MILLIONTH


def test_rate__multiplied_not_whole__rounds_up(harness):
    parameters = {**PARAMETERS, "rateAtZero": 1, "tier1Bps": 10_001}
    assert harness.call("borrowRate", parameters, 0, 1) == 2


@quick
@given(curves(), st.integers(0, WAD), st.integers(0, WAD), st.integers(0, 4), st.integers(0, 4))
def test_rate__any_curve__equals_the_twin_and_never_falls(harness, p, u, v, tier, other):
    words = (p.kink_bps, p.rate_at_zero, p.rate_at_kink, p.rate_at_full)
    words += (p.tier1_bps, p.tier2_bps, p.tier3_bps, p.tier4_bps)
    u, v, tier, other = *sorted((u, v)), *sorted((tier, other))
    low = harness.call("borrowRate", words, u, tier)
    high = harness.call("borrowRate", words, v, other)
    assert low == interest_curve.rate(p, u, tier)
    assert p.rate_at_zero <= low <= high <= 5 * WAD // 100


@pytest.mark.parametrize(
    ("debt", "before", "after", "expected"),
    [
        (7 * WAD, RAY, RAY, 7 * WAD),
        (7 * WAD, RAY, 2 * RAY, 14 * WAD),
        (1, RAY, RAY + 1, 2),  # Rounded up.
        (3, 2 * RAY, 3 * RAY, 5),  # 4.5.
        (0, RAY, 2 * RAY, 0),
    ],
)
def test_grown__by_hand__rounds_up(harness, debt, before, after, expected):
    assert harness.call("grown", debt, before, after) == expected


def test_scaled__and_total__round_up(harness):
    assert harness.call("scaled", 0, 0) == 0
    assert harness.call("scaled", WAD, RAY) == 10**36
    assert harness.call("scaled", 1, 3 * RAY) == 10**18 // 3 + 1
    assert harness.call("totalOwed", 10**36, RAY) == WAD
    assert harness.call("totalOwed", 1, RAY) == 1
    assert harness.call("totalOwed", 10**18 + 1, RAY) == 2


@quick
@given(
    st.lists(st.tuples(st.integers(1, 10**30), st.integers(RAY, 10**35)), min_size=1, max_size=30),
    st.integers(0, 10**35),
)
def test_total__any_debts__within_a_wei_per_account_of_their_sum(debts, further):
    index = min(max(booked for _, booked in debts) + further, interest_curve.MAX_INDEX)
    scaled = sum(interest_curve.scaled(debt, booked) for debt, booked in debts)
    owed = sum(interest_curve.grown(debt, booked, index) for debt, booked in debts)
    assert -1 <= owed - interest_curve.total(scaled, index) <= len(debts) - 1
