"""Positions and the sums over them: the pure arithmetic, for random fills."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
EMPTY = (0,) * 11
FLAT = (0, 0, 0)
K = 400_000 * WAD

quick = settings(max_examples=40, deadline=None)
sizes = st.integers(-2_000 * WAD, 2_000 * WAD).filter(bool)
prices = st.integers(100 * WAD, 10_000 * WAD)
fundings = st.integers(-100 * WAD, 100 * WAD)


def ceil_div(n, d):
    return -(-n // d)


def market(**fields):
    names = (
        *("longs", "shorts", "quote", "rate", "updated_at", "gain", "phase"),
        *("cumulative", "matched", "matched_ends_at", "product"),
    )
    return tuple(fields.get(name, 0) for name in names)


@pytest.mark.parametrize(
    ("size", "delta", "reduces"),
    [
        (0, 1, False),
        (0, -1, False),
        (5, 1, False),
        (5, -1, True),
        (5, -5, True),
        (5, -6, False),
        (-5, -1, False),
        (-5, 5, True),
        (-5, 6, False),
    ],
)
def test_is_reduction__towards_zero_and_not_beyond(harness, size, delta, reduces):
    assert harness.call("isReduction", size, delta) is reduces


@quick
@given(size=sizes, entry=fundings, cumulative=fundings)
def test_funding_owed__any_position__is_rounded_up(harness, size, entry, cumulative):
    owed = harness.call("fundingOwed", market(cumulative=cumulative), (size, 0, entry))
    assert owed == ceil_div(size * (cumulative - entry), WAD)


@quick
@given(size=sizes, quote=sizes, entry=fundings, cumulative=fundings, mark=prices)
def test_unrealized_of__any_position__is_rounded_down(
    harness, size, quote, entry, cumulative, mark
):
    result = harness.call("unrealizedOf", market(cumulative=cumulative), (size, quote, entry), mark)
    assert result == size * (mark - cumulative + entry) // WAD - quote


@quick
@given(
    longs=st.integers(0, 2_000 * WAD),
    shorts=st.integers(0, 2_000 * WAD),
    quote=sizes,
    cumulative=fundings,
    product=st.integers(-(10**42), 10**42),
    price=prices,
)
def test_totals__any_market__by_hand(harness, longs, shorts, quote, cumulative, product, price):
    m = market(longs=longs, shorts=shorts, quote=quote, cumulative=cumulative, product=product)
    skew = longs - shorts
    assert harness.call("unrealizedTotal", m, price) == (
        (skew * (price - cumulative) + product) // WAD - quote
    )
    value = ceil_div(skew * (2 * K + skew) * price, 2 * K * WAD)
    assert harness.call("closeOutTotal", m, price, K) == (
        value - (skew * cumulative - product) // WAD - quote
    )


def fill_by_hand(position, skew, cumulative, delta, price):
    """Return quote delta, realised result, funding and the new position."""
    size, quote, entry = position
    numerator = price * (2 * (K + skew) + delta)
    fill_price = ceil_div(numerator, 2 * K) if delta > 0 else numerator // (2 * K)
    cost = ceil_div(delta * fill_price, WAD)
    funding = ceil_div(size * (cumulative - entry), WAD)
    pnl = -funding
    closed_quote = closing_cost = 0
    if size and (size > 0) != (delta > 0):
        if abs(delta) <= abs(size):
            closed_quote, closing_cost = quote * abs(delta) // abs(size), cost
        else:
            closed_quote, closing_cost = quote, ceil_div(cost * abs(size), abs(delta))
        pnl -= closed_quote + closing_cost
    new_size = size + delta
    new_quote = quote + cost - closed_quote - closing_cost
    return cost, fill_price, pnl, funding, (new_size, new_quote, cumulative if new_size else 0)


@quick
@given(
    deltas=st.lists(sizes, min_size=1, max_size=4),
    others=sizes,
    steps=st.lists(st.tuples(prices, fundings), min_size=4, max_size=4),
)
def test_fill__any_sequence__is_by_hand_and_keeps_the_sums(harness, deltas, others, steps):
    # Someone else is in the market already, entered at funding 0.
    state = market(longs=max(0, others), shorts=max(0, -others), quote=others)
    other = (others, others, 0)
    position = FLAT
    for delta, (price, cumulative) in zip(deltas, steps, strict=False):
        state = (*state[:7], cumulative, *state[8:])
        skew = others + position[0]
        fill, after, moved = harness.call("fillPosition", state, position, delta, price, K)
        cost, fill_price, pnl, funding, expected = fill_by_hand(
            position, skew, cumulative, delta, price
        )
        assert tuple(fill) == (cost, fill_price, pnl, funding, abs(cost))
        assert tuple(moved) == expected
        position, state = tuple(moved), tuple(after)
        held = (other, position)
        assert state[:3] == (
            sum(max(0, p[0]) for p in held),
            sum(max(0, -p[0]) for p in held),
            sum(p[1] for p in held),
        )
        assert state[-1] == sum(p[0] * p[2] for p in held)


@quick
@given(delta=sizes, rest=sizes, price=prices, later=prices)
def test_fill__value_before_and_after__is_the_same_at_close_out(harness, delta, rest, price, later):
    """A fill changes what closing everything pays by its own rounding alone."""
    state = market(longs=max(0, rest), shorts=max(0, -rest), quote=rest)
    before = harness.call("closeOutTotal", state, later, K)
    fill, after, _ = harness.call("fillPosition", state, FLAT, delta, later, K)
    total = harness.call("closeOutTotal", tuple(after), later, K) + fill.realizedPnl
    # The trader pays the curve's price, rounded up by at most a wei per unit and two.
    assert 0 <= before - total <= ceil_div(abs(delta), WAD) + 2
