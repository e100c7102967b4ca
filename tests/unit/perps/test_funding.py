"""Velocity funding against integrals worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
DAY = 86_400
INDEX = 3_000 * WAD
PARAMETERS = {
    "maxFundingRate": WAD // 10,
    "maxFundingVelocity": WAD // 2,
    "premiumScale": WAD // 20,
    "fundingDeadband": WAD // 2_000,
}
quick = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def accrue(harness):
    """Return the new rate and the funding per unit."""

    def _accrue(rate, premium, elapsed, index=INDEX, gain=0, **changes):
        rules = {**PARAMETERS, **changes}
        return tuple(harness.call("accrue", rate, premium, gain, elapsed, index, rules))

    return _accrue


@pytest.mark.parametrize(
    ("premium", "velocity"),
    [
        (0, 0),
        (WAD // 2_000, 0),  # On the dead-band's edge.
        (-WAD // 2_000, 0),
        (WAD // 2_000 + 1, (WAD // 2_000 + 1) * (WAD // 2) // (WAD // 20)),
        (WAD // 100, WAD // 10),  # A fifth of the scale, a fifth of the velocity.
        (-WAD // 100, -WAD // 10),
        (WAD // 20 - 1, (WAD // 20 - 1) * 10),
        (WAD // 20, WAD // 2),
        (WAD, WAD // 2),
        (-WAD, -WAD // 2),
    ],
)
def test_velocity__by_premium__is_linear_outside_of_the_dead_band_and_bounded(
    harness, premium, velocity
):
    assert harness.call("velocity", premium, 0, PARAMETERS) == velocity


def test_velocity__fraction_of_a_wei__is_towards_zero_on_both_sides(harness):
    p = {**PARAMETERS, "fundingDeadband": 0, "maxFundingVelocity": 3, "premiumScale": WAD}
    assert harness.call("velocity", WAD // 2, 0, p) == 1
    assert harness.call("velocity", -WAD // 2, 0, p) == -1


@pytest.mark.parametrize(
    ("premium", "gain", "velocity"),
    [
        (WAD // 100, 0, WAD // 10),
        (WAD // 100, 10_000, WAD // 10),
        (WAD // 100, 15_000, 3 * WAD // 20),
        (-WAD // 100, 15_000, -3 * WAD // 20),
        (WAD, 20_000, WAD),
        (-WAD, 50_000, -5 * WAD // 2),
        (WAD // 2_000, 50_000, 0),  # The dead-band is not narrower for it.
    ],
)
def test_velocity__with_a_gain__is_multiplied(harness, premium, gain, velocity):
    assert harness.call("velocity", premium, gain, PARAMETERS) == velocity


def test_velocity__with_a_gain__is_rounded_once(harness):
    p = {**PARAMETERS, "fundingDeadband": 0, "maxFundingVelocity": 3, "premiumScale": WAD}
    # 3 · ½ · 1.5 = 2.25, and not 1 · 1.5.
    assert harness.call("velocity", WAD // 2, 15_000, p) == 2


def test_accrue__with_a_gain__meets_the_same_bound_sooner(accrue):
    # Velocity 1.0: from 0 to 0.1 in 0.1 days (mean 0.05), then 0.9 days at 0.1.
    assert accrue(0, WAD, DAY, gain=20_000) == (WAD // 10, 285 * WAD)


def test_accrue__from_zero_below_the_bound__is_a_triangle(accrue):
    # Velocity 0.1 per day²; after half a day the rate is 0.05 per day, on average 0.025:
    # 0.025 · 0.5 days · 3,000 = 37.5 per unit.
    assert accrue(0, WAD // 100, DAY // 2) == (WAD // 20, 75 * WAD // 2)
    assert accrue(0, -WAD // 100, DAY // 2) == (-WAD // 20, -75 * WAD // 2)


def test_accrue__towards_zero_and_beyond__is_a_trapezoid_with_a_sign(accrue):
    # From −0.02 up by 0.1 per day over 0.6 days: to 0.04, mean 0.01: 0.01 · 0.6 · 3,000 = 18.
    assert accrue(-WAD // 50, WAD // 100, DAY * 6 // 10) == (WAD // 25, 18 * WAD)


def test_accrue__dead_band__keeps_the_rate_and_goes_on_paying(accrue):
    assert accrue(WAD // 50, WAD // 2_000, DAY) == (WAD // 50, 60 * WAD)
    assert accrue(-WAD // 50, 0, DAY) == (-WAD // 50, -60 * WAD)


def test_accrue__into_the_bound__is_a_ramp_and_a_plateau(accrue):
    # Full velocity 0.5: from 0 to 0.1 in 0.2 days (mean 0.05), then 0.8 days at 0.1:
    # 3,000 · (0.2 · 0.05 + 0.8 · 0.1) = 270.
    assert accrue(0, WAD, DAY) == (WAD // 10, 270 * WAD)
    assert accrue(0, -WAD, DAY) == (-WAD // 10, -270 * WAD)


def test_accrue__from_one_bound_to_the_other__is_symmetric(accrue):
    # From −0.1 to 0.1 in 0.4 days nets zero; then 0.6 days at 0.1: 180.
    assert accrue(-WAD // 10, WAD, DAY) == (WAD // 10, 180 * WAD)
    assert accrue(WAD // 10, -WAD, DAY) == (-WAD // 10, -180 * WAD)


def test_accrue__at_the_bound__is_flat(accrue):
    assert accrue(WAD // 10, WAD, 7 * DAY) == (WAD // 10, 2_100 * WAD)


def test_accrue__no_time__changes_nothing(accrue):
    assert accrue(WAD // 50, WAD, 0) == (WAD // 50, 0)


def test_accrue__fraction_of_a_wei__rounds_towards_minus_infinity(accrue):
    # One second at a rate of 1 wei per day: 1/86,400 of 3,000 wei … less than a wei either way.
    assert accrue(1, 0, 1) == (1, 0)
    assert accrue(-1, 0, 1) == (-1, -1)


def test_accrue__rate_beyond_a_lowered_bound__comes_back_to_it(accrue):
    rate, per_unit = accrue(WAD // 10, 0, DAY, maxFundingRate=WAD // 50)
    assert (rate, per_unit) == (WAD // 50, 60 * WAD)
    rate, per_unit = accrue(-WAD // 10, -WAD, DAY, maxFundingRate=WAD // 50)
    assert (rate, per_unit) == (-WAD // 50, -60 * WAD)


@quick
@given(
    rate=st.integers(-WAD // 10, WAD // 10),
    premium=st.integers(-WAD // 10, WAD // 10),
    elapsed=st.integers(1, 10 * DAY),
    data=st.data(),
)
def test_accrue__poked_in_between__is_the_same_within_rounding(
    accrue, rate, premium, elapsed, data
):
    first = data.draw(st.integers(0, elapsed))
    rate_once, paid_once = accrue(rate, premium, elapsed)
    rate_half, paid_half = accrue(rate, premium, first)
    rate_twice, paid_rest = accrue(rate_half, premium, elapsed - first)
    # A rate is rounded by less than a wei per accrual. The bound is met on a whole second, at most
    # one early: that second is charged as if the rate had been there already.
    assert abs(rate_once - rate_twice) <= 2
    slack = INDEX * (WAD // 10) // DAY // WAD + 2 * INDEX * elapsed // DAY // WAD + 2
    assert abs(paid_once - paid_half - paid_rest) <= slack


@quick
@given(
    rate=st.integers(-WAD // 10, WAD // 10),
    premium=st.integers(-WAD, WAD),
    elapsed=st.integers(0, 365 * DAY),
)
def test_accrue__any_state__keeps_the_rate_within_its_bound(accrue, rate, premium, elapsed):
    new_rate, per_unit = accrue(rate, premium, elapsed)
    assert abs(new_rate) <= WAD // 10
    assert abs(per_unit) <= INDEX * elapsed // (10 * DAY) + 1
