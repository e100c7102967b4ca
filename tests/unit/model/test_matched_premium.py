"""The premium of pairs: bounded, fading, and nearly the same however often a market is touched."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bulkhead.model import funding, matched_premium, presets
from bulkhead.model.math import DAY, WAD
from bulkhead.model.types import Market

TRADING = presets.market("ETH")
INDEX = 3_000 * WAD
NOW = 1_700_000_000
BAND = TRADING.price_band
premiums = st.integers(-BAND, BAND)
skews = st.integers(-TRADING.max_premium, TRADING.max_premium)


def accrue(m: Market, skew_premium: int, seconds: int) -> None:
    """Do what a touch of a market does."""
    rest = seconds
    if m.matched_premium:
        rest = matched_premium.accrue(m, skew_premium, seconds, INDEX, TRADING)
    if rest:
        funding.accrue_market(m, skew_premium, rest, INDEX, TRADING)
    m.funding_updated_at += seconds


@given(
    premiums,
    skews,
    st.integers(1, 3_600),
    st.lists(st.integers(1, 2_000), max_size=12),
    st.integers(-TRADING.max_funding_rate, TRADING.max_funding_rate),
)
def test_accrue__touched_often_or_once__differs_by_no_more_than_stated(
    premium, skew_premium, fade, gaps, rate
):
    """FUN-1: velocities lie between those at the premium's two ends, whoever touches when."""
    start = Market(
        funding_rate=rate,
        funding_updated_at=NOW,
        matched_premium=premium,
        matched_premium_ends_at=NOW + fade if premium else 0,
    )
    often, once = start.copy(), start.copy()
    for gap in gaps:
        accrue(often, skew_premium, gap)
    total = sum(gaps)
    if total:
        accrue(once, skew_premium, total)
    assert once.funding_updated_at == often.funding_updated_at
    # Each touch rounds the premium towards zero by less than a wei.
    assert 0 <= abs(once.matched_premium) - abs(often.matched_premium) <= len(gaps)
    last = once.matched_premium if once.matched_premium_ends_at else 0
    ends = [
        funding.velocity(matched_premium.total(skew_premium, p, TRADING.max_premium), 0, TRADING)
        for p in (premium, last)
    ]
    spread, faded = abs(ends[0] - ends[1]) + len(gaps), min(total, fade)
    slack = spread * faded // DAY + len(gaps) + 1
    assert abs(once.funding_rate - often.funding_rate) <= slack
    money = once.cumulative_funding_per_unit - often.cumulative_funding_per_unit
    bound = INDEX * slack * total // (DAY * WAD) + len(gaps) + 2
    assert abs(money) <= bound


@given(
    premiums,
    st.integers(1, 3_600),
    st.integers(0, 3_600),
    st.integers(1, 10**24),
    st.integers(-BAND, BAND),
)
def test_blend__stays_between_what_was_and_what_is_paid(premium, fade, elapsed, size, paid):
    m = Market(funding_updated_at=NOW, matched_premium=premium)
    m.matched_premium_ends_at = NOW + fade if premium else 0
    accrue(m, 0, elapsed)
    before = m.copy()
    price = INDEX + INDEX * paid // WAD
    matched_premium.blend(m, INDEX, INDEX, price, size, TRADING)
    low, high = sorted((before.matched_premium, paid))
    assert low - 1 <= m.matched_premium <= high + 1
    assert (m.matched_premium == 0) == (m.matched_premium_ends_at == 0)
    if m.matched_premium:
        assert m.funding_updated_at < m.matched_premium_ends_at
        most = max(before.matched_premium_ends_at - m.funding_updated_at, TRADING.premium_period)
        assert m.matched_premium_ends_at <= m.funding_updated_at + most


@given(st.integers(1, 10**24), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_blend__in_parts__moves_no_farther_than_at_once(size, shares):
    """Whoever splits a match into many gains nothing on the premium beyond roundings."""
    whole = Market(funding_updated_at=NOW)
    price = INDEX + INDEX * BAND // WAD
    parts = [max(1, size * share // sum(shares)) for share in shares]
    matched_premium.blend(whole, INDEX, INDEX, price, sum(parts), TRADING)
    split = Market(funding_updated_at=NOW)
    for part in parts:
        matched_premium.blend(split, INDEX, INDEX, price, part, TRADING)
    assert whole.matched_premium <= BAND
    assert split.matched_premium <= BAND
    depth = TRADING.skew_scale * BAND // WAD
    # 1 − Π depth / (depth + part) against size / (depth + size): the former is larger, by no more
    # than the product of two shares.
    extra = BAND * sum(parts) ** 2 // (depth * (depth + sum(parts)))
    assert split.matched_premium - whole.matched_premium <= extra + len(parts)


@given(skews, premiums, st.integers(0, TRADING.max_premium))
def test_total__never_beyond_the_bound_on_account_of_pairs(skew_premium, matched, bound):
    total = matched_premium.total(skew_premium, matched, bound)
    assert abs(total) <= max(bound, abs(skew_premium))
    assert (
        min(skew_premium, skew_premium + matched)
        <= total
        <= max(skew_premium, skew_premium + matched)
    )


def test_blend__little_at_the_edge__moves_as_far_as_a_pool_fill_does():
    m = Market(funding_updated_at=NOW)
    price = INDEX + INDEX * BAND // WAD
    size = 10**15
    matched_premium.blend(m, INDEX, INDEX, price, size, replace(TRADING))
    by_pool = size * WAD // TRADING.skew_scale
    assert by_pool * 999 // 1_000 <= m.matched_premium <= by_pool
