"""Margin rates: the contract, its twin, and numbers worked out by hand."""

from __future__ import annotations

from dataclasses import astuple, replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import margin_rates, presets
from bulkhead.model.math import DAY, WAD
from bulkhead.model.types import MarketMargin

quick = settings(max_examples=60, deadline=None)
MARKET = MarketMargin(
    initial_ratio=WAD * 6 // 100,
    maintenance_ratio=WAD * 4 // 100,
    max_initial_ratio=WAD * 3 // 10,
    volatility_multiplier=WAD * 3 // 2,
)
TIERS = st.integers(0, 5)


@st.composite
def market_margins(draw):
    """Rules within the bounds of ``RiskParameters``."""
    maintenance = draw(st.integers(WAD // 200, WAD // 2))
    initial = draw(st.integers(maintenance * 5 // 4, WAD))
    return MarketMargin(
        initial, maintenance, draw(st.integers(initial, WAD)), draw(st.integers(0, 10 * WAD))
    )


@st.composite
def margin_parameters(draw):
    """Parameters within the bounds of ``RiskParameters``."""
    ratios = sorted(draw(st.lists(st.integers(10_000, 30_000), min_size=4, max_size=4)))
    stress = sorted(draw(st.lists(st.integers(0, 10_000), min_size=5, max_size=5)))
    return replace(
        presets.MARGIN,
        horizon=draw(st.integers(3_600, 30 * DAY)),
        **{f"ratio_tier{i + 1}": ratio for i, ratio in enumerate(ratios)},
        **{f"stress_tier{i}": value for i, value in enumerate(stress)},
    )


@pytest.mark.parametrize(
    ("volatility", "horizon", "tier", "rate"),
    [
        (0, DAY, 0, WAD * 6 // 100),  # The least.
        (WAD * 4 // 100, DAY, 0, WAD * 6 // 100),  # 1.5 · 4 % · √1, just the least.
        (WAD * 5 // 100, DAY, 0, WAD * 75 // 1_000),
        (WAD * 5 // 100, 4 * DAY, 0, WAD * 15 // 100),  # √4.
        (WAD * 5 // 100, 4 * DAY, 2, WAD * 165 // 1_000),  # Times 1.1.
        (WAD * 5 // 100, 4 * DAY, 3, WAD * 1_875 // 10_000),
        (WAD * 5 // 100, 4 * DAY, 4, WAD * 225 // 1_000),
        (WAD, DAY, 0, WAD * 3 // 10),  # The most that volatility asks …
        (WAD, DAY, 4, WAD * 45 // 100),  # … which a tier multiplies.
    ],
)
def test_initial_rate__worked_examples(risk_harness, volatility, horizon, tier, rate):
    p = replace(presets.MARGIN, horizon=horizon)
    arguments = astuple(MARKET), astuple(p), volatility, tier
    assert risk_harness.call("initialRate", *arguments) == rate
    assert margin_rates.initial_rate(MARKET, p, volatility, tier) == rate


def test_initial_rate__never_above_one(risk_harness):
    m, p = replace(MARKET, max_initial_ratio=WAD), replace(presets.MARGIN, ratio_tier4=30_000)
    assert risk_harness.call("initialRate", astuple(m), astuple(p), 5 * WAD, 4) == WAD


@quick
@given(market_margins(), margin_parameters(), st.integers(0, 20 * WAD), TIERS)
def test_initial_rate__any__equals_the_twin_and_the_exact_rate_rounded_up(
    risk_harness, m, p, volatility, tier
):
    rate = risk_harness.call("initialRate", astuple(m), astuple(p), volatility, tier)
    assert rate == margin_rates.initial_rate(m, p, volatility, tier)
    # Exactly, in squares: z² · σ² · horizon, clamped, times the multiplier's square.
    free = Fraction(volatility * m.volatility_multiplier, WAD) ** 2 * Fraction(p.horizon, DAY)
    clamped = min(max(free, Fraction(m.initial_ratio) ** 2), Fraction(m.max_initial_ratio) ** 2)
    times = Fraction(margin_rates.multiplier(p, tier), 10_000)
    exact = min(clamped * times**2, Fraction(WAD) ** 2)
    assert rate**2 >= exact
    # Each of three products adds a wei at most, magnified by root and multiplier.
    assert (rate - 60) ** 2 < exact or rate <= 60


@quick
@given(
    market_margins(),
    margin_parameters(),
    *(st.integers(0, 2 * WAD),) * 2,
    TIERS,
    TIERS,
)
def test_rates__any__are_monotone_in_volatility_and_tier(m, p, first, second, tier, other):
    low = margin_rates.initial_rate(m, p, min(first, second), min(tier, other))
    high = margin_rates.initial_rate(m, p, max(first, second), max(tier, other))
    assert low <= high
    assert margin_rates.maintenance_target(m, low) <= margin_rates.maintenance_target(m, high)
    assert margin_rates.stress(p, min(tier, other)) <= margin_rates.stress(p, max(tier, other))
    # Four fifths at most: a step is left between opening and liquidation.
    assert margin_rates.maintenance_target(m, high) <= -(-high * 4 // 5) + 1


@quick
@given(market_margins(), st.integers(1, WAD), margin_parameters(), TIERS)
def test_target_multiplier_and_stress__any__equal_the_twin(risk_harness, m, initial, p, tier):
    target = risk_harness.call("maintenanceTarget", astuple(m), initial)
    assert target == margin_rates.maintenance_target(m, initial)
    assert (
        (target - 1) * m.initial_ratio < initial * m.maintenance_ratio <= target * m.initial_ratio
    )
    assert risk_harness.call("multiplier", astuple(p), tier) == margin_rates.multiplier(p, tier)
    assert risk_harness.call("stress", astuple(p), tier) == margin_rates.stress(p, tier)


def test_multiplier_and_stress__by_tier__are_the_parameters(risk_harness):
    p = replace(presets.MARGIN, stress_tier0=1, ratio_tier1=10_500)
    ratios = [risk_harness.call("multiplier", astuple(p), tier) for tier in range(5)]
    assert ratios == [10_000, 10_500, 11_000, 12_500, 15_000]
    stress = [risk_harness.call("stress", astuple(p), tier) for tier in range(5)]
    assert stress == [10**14, WAD // 4, WAD // 2, WAD * 3 // 4, WAD]


@quick
@given(
    *(st.integers(0, 2 * WAD),) * 2,
    st.integers(0, 2 * DAY),
    st.integers(1, 10**6),
)
def test_follow__any__falls_at_once_and_rises_by_its_speed(
    risk_harness, start, target, elapsed, speed
):
    value = risk_harness.call("follow", start, elapsed, target, speed)
    assert value == margin_rates.follow(start, elapsed, target, speed)
    if target <= start:
        assert value == target
    else:
        allowed = start + Fraction(speed * 10**14 * min(elapsed, 3_600), DAY)
        assert value == min(target, int(allowed))


@quick
@given(st.integers(0, 2**255))
def test_sqrt_up__any__is_the_least_whose_square_reaches(risk_harness, x):
    root = risk_harness.call("sqrtUp", x)
    assert root == margin_rates.sqrt_up(x)
    assert root**2 >= x
    assert root == 0 or (root - 1) ** 2 < x
