"""What a fill that narrows the skew gets back, and that no circle of fills profits by it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.model import presets, pricing, rebates
from bulkhead.model.math import WAD, mul_up

SCALE = 10_000 * WAD
FEE = WAD // 2_000
RULES = replace(
    presets.market("ETH", SCALE), taker_fee=FEE, max_rebate=FEE * 3 // 2, premium_scale=WAD // 100
)
INDEX = 3_000 * WAD
FURTHEST = SCALE // 4
"""Of any market: the premium is bounded by a quarter."""


@pytest.mark.parametrize(
    ("size_delta", "skew", "part"),
    [
        (-10, 100, 1),
        (-100, 100, 1),
        (-200, 100, Fraction(1, 2)),
        (10, -100, 1),
        (400, -100, Fraction(1, 4)),
        (10, 100, 0),
        (-10, -100, 0),
        (10, 0, 0),
    ],
)
def test_rebate__only_the_narrowing_part_counts(size_delta, skew, part):
    rebate = rebates.rebate_of(10**6 * WAD, size_delta * WAD, skew * WAD, RULES)
    assert rebate == part * 10**6 * FEE * 3 // 2


@pytest.mark.parametrize(
    ("skew", "rate"),
    [(100, FEE * 3 // 2), (9_999, FEE * 3 // 2), (50, FEE * 3 // 4), (1, FEE * 3 // 200)],
)
def test_rebate__grows_with_the_premium_up_to_its_scale(skew, rate):
    assert rebates.rebate_of(WAD, -1, skew * WAD, RULES) == rate


def test_rebate__of_a_fee_that_was_lowered__is_three_halves_of_it():
    rules = replace(RULES, taker_fee=FEE // 5)
    assert rebates.rebate_of(WAD, -1, 100 * WAD, rules) == FEE // 5 * 3 // 2
    assert rebates.rebate_of(WAD, -1, 100 * WAD, replace(RULES, taker_fee=0)) == 0
    assert rebates.rebate_of(WAD, -1, 100 * WAD, replace(RULES, max_rebate=0)) == 0


LEVELS = st.integers(-FURTHEST, FURTHEST)


@given(
    levels=st.lists(LEVELS, min_size=2, max_size=8),
    fee=st.integers(0, WAD // 100),
    share=st.integers(0, WAD),
    premium_scale=st.integers(WAD // 10_000, WAD),
)
def test_circle__of_fills_at_a_constant_index__never_profits(levels, fee, share, premium_scale):
    """Whoever makes the fills: on the curve they cost what they bring, and fees exceed rebates."""
    rebate = fee * 3 // 2 * share // WAD
    rules = replace(RULES, taker_fee=fee, max_rebate=rebate, premium_scale=premium_scale)
    paid = least = 0
    for skew, to in zip(levels, levels[1:] + levels[:1], strict=True):
        if to == skew:
            continue
        price = pricing.fill_price(INDEX, skew, to - skew, SCALE)
        cost = pricing.fill_cost(to - skew, price)
        charged = mul_up(abs(cost), fee)
        paid += cost + charged - rebates.rebate_of(abs(cost), to - skew, skew, rules)
        least += charged
    # 2 · fee − 3/2 · fee of the worst pair of prices that a quarter of premium allows: 3/4 and 5/4.
    assert paid >= 0
    assert paid * 20 >= least - 20 * len(levels)
