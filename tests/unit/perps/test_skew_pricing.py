"""The pool's price curve: exact prices, rounding against the trader, independence of the path."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
INDEX = 3_000 * WAD + 123_456_789
K = 100_000 * WAD

prices = st.integers(1, 10**24)
scales = st.integers(WAD, 10**36)
quick = settings(max_examples=60, deadline=None)


def ceil_div(n, d):
    return -(-n // d)


@pytest.mark.parametrize("skew", [0, 1, -1, 5_000 * WAD + 7, -5_000 * WAD - 7, K])
def test_premium__by_skew__is_its_share_of_the_scale_rounded_down(harness, skew):
    assert harness.call("premium", skew, K) == skew * WAD // K


@quick
@given(index=prices, k=scales, data=st.data())
def test_mark_price__any_skew__is_the_index_times_one_plus_the_premium(harness, index, k, data):
    skew = data.draw(st.integers(-k + 1, k))
    assert harness.call("markPrice", index, skew, k) == index * (k + skew) // k


@pytest.mark.parametrize("skew", [-K, -K - 1])
def test_mark_price__skew_that_leaves_no_price__refused(harness, refuses, skew):
    with refuses("SkewPricing_NonPositivePrice", skew, K):
        harness.call("markPrice", INDEX, skew, K)


@quick
@given(index=prices, k=scales, data=st.data())
def test_fill_price__any_trade__is_the_mean_of_the_ends_rounded_against_the_trader(
    harness, index, k, data
):
    skew = data.draw(st.integers(-k // 2, k))
    size = data.draw(st.integers(-k // 2, k).filter(bool))
    numerator = index * (2 * (k + skew) + size)
    expected = ceil_div(numerator, 2 * k) if size > 0 else numerator // (2 * k)
    assert harness.call("fillPrice", index, skew, size, k) == expected


def test_fill_price__trade_that_leaves_no_price__refused(harness, refuses):
    with refuses("SkewPricing_NonPositivePrice", 0, K):
        harness.call("fillPrice", INDEX, 0, -2 * K, K)
    assert harness.call("fillPrice", INDEX, 0, -2 * K + 1, K) == 0


@pytest.mark.parametrize(
    ("size", "price", "cost"),
    [
        (WAD, 7, 7),
        (1, 7, 1),
        (-1, 7, 0),
        (-WAD - 1, 7, -7),
        (3 * WAD // 2, 3, 5),
        (-3 * WAD // 2, 3, -4),
    ],
)
def test_fill_cost__fraction_of_a_wei__is_for_the_pool(harness, size, price, cost):
    assert harness.call("fillCost", size, price) == cost


@quick
@given(index=st.integers(WAD, 10**24), data=st.data())
def test_fill_cost__one_trade_or_many__is_the_same_within_a_few_wei_per_unit(harness, index, data):
    parts = data.draw(st.lists(st.integers(1, 1_000 * WAD), min_size=2, max_size=5))
    skew = data.draw(st.integers(-4_000 * WAD, 4_000 * WAD))
    whole = sum(parts)
    at_once = harness.call("fillCost", whole, harness.call("fillPrice", index, skew, whole, K))
    in_parts, start = 0, skew
    for part in parts:
        in_parts += harness.call("fillCost", part, harness.call("fillPrice", index, start, part, K))
        start += part
    # A price is rounded up by less than a wei per unit, a cost by less than a wei.
    bound = ceil_div(whole, WAD) + len(parts)
    assert abs(in_parts - at_once) <= bound


@quick
@given(index=st.integers(WAD, 10**24), size=st.integers(1, 10_000 * WAD))
def test_round_trip__constant_index__never_pays(harness, index, size):
    for first in (size, -size):
        there = harness.call("fillCost", first, harness.call("fillPrice", index, 0, first, K))
        back = harness.call("fillCost", -first, harness.call("fillPrice", index, first, -first, K))
        assert 0 <= there + back <= 2 * ceil_div(size, WAD) + 2


@quick
@given(index=st.integers(1, 10**24), size=st.integers(-(10**36), 10**36), k=scales)
def test_close_out_cost__any_size__is_half_the_square_over_the_scale_rounded_up(
    harness, index, size, k
):
    assert harness.call("closeOutCost", index, size, k) == ceil_div(
        size * size * index, 2 * k * WAD
    )
