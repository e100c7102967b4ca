"""Price curve, positions and funding: what a fill costs, and that sums are exact."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import funding, positions, presets, pricing
from bulkhead.model.errors import ModelRevert, SafeCastOverflow
from bulkhead.model.math import DAY, WAD
from bulkhead.model.reverts import SkewPricing_NonPositivePrice
from bulkhead.model.types import Market, Position

SCALE = 10_000 * WAD
PRICE = 2_000 * WAD
RULES = presets.market("ETH", SCALE)

prices = st.integers(WAD // 10**6, 10**6 * WAD)
sizes = st.integers(-(10**3) * WAD, 10**3 * WAD).filter(bool)
skews = st.integers(-(10**3) * WAD, 10**3 * WAD)


def fill(m: Market, p: Position, size: int, price: int = PRICE):
    """Quote a fill and apply it to copies."""
    m, p = replace(m), replace(p)
    done = positions.quote_fill(m, p, size, price, SCALE)
    positions.apply_fill(m, p, size, done)
    return done, m, p


class TestCurve:
    def test_mark_and_fill_at_a_hundredth_of_the_scale(self):
        assert pricing.mark_price(PRICE, 100 * WAD, SCALE) == 2_020 * WAD
        # Half way from 100 to 200: 1.5 %.
        assert pricing.fill_price(PRICE, 100 * WAD, 100 * WAD, SCALE) == 2_030 * WAD
        assert pricing.fill_cost(100 * WAD, 2_030 * WAD) == 203_000 * WAD
        assert pricing.close_out_cost(PRICE, -100 * WAD, SCALE) == 1_000 * WAD

    def test_prices_round_against_the_trader(self):
        assert pricing.fill_price(10, 0, 1, 7) == 11  # 10 · 15/14 = 10.7
        assert pricing.fill_price(10, 0, -1, 7) == 9  # 10 · 13/14 = 9.3
        assert pricing.fill_cost(1, 1) == 1
        assert pricing.fill_cost(-1, 1) == 0

    def test_a_skew_of_the_scale_has_no_price(self):
        with pytest.raises(SkewPricing_NonPositivePrice) as caught:
            pricing.mark_price(PRICE, -SCALE, SCALE)
        assert caught.value.args == (-SCALE, SCALE)
        with pytest.raises(SkewPricing_NonPositivePrice):
            pricing.fill_price(PRICE, -SCALE + WAD, -2 * WAD, SCALE)

    @given(price=prices, skew=skews, first=sizes, second=sizes)
    @settings(deadline=None)
    def test_a_fill_costs_the_same_in_two_parts(self, price, skew, first, second):
        whole = first + second
        if whole == 0:
            return
        cost = pricing.fill_cost(whole, pricing.fill_price(price, skew, whole, SCALE))
        parts = pricing.fill_cost(first, pricing.fill_price(price, skew, first, SCALE))
        parts += pricing.fill_cost(second, pricing.fill_price(price, skew + first, second, SCALE))
        # A price is rounded by less than a wei, a cost by less than a wei more.
        error = (abs(first) + abs(second) + abs(whole)) // WAD + 4
        assert abs(cost - parts) <= error

    @given(price=prices, skew=skews, size=sizes)
    @settings(deadline=None)
    def test_a_round_trip_never_profits(self, price, skew, size):
        there = pricing.fill_cost(size, pricing.fill_price(price, skew, size, SCALE))
        back = pricing.fill_cost(-size, pricing.fill_price(price, skew + size, -size, SCALE))
        assert there + back >= 0

    @given(price=prices, skew=skews, size=sizes)
    @settings(deadline=None)
    def test_closing_pays_mark_less_the_close_out_cost(self, price, skew, size):
        mark = pricing.mark_price(price, skew, SCALE)
        proceeds = -pricing.fill_cost(-size, pricing.fill_price(price, skew, -size, SCALE))
        estimate = size * mark // WAD - pricing.close_out_cost(price, size, SCALE)
        assert abs(proceeds - estimate) <= 2 * abs(size) // WAD + 4


class TestPositions:
    def test_a_long_that_gains_ten_percent(self):
        _, m, p = fill(Market(), Position(), 10 * WAD)
        # 10 at 2000 · (1 + 5 / 10000).
        assert p == Position(10 * WAD, 20_010 * WAD, 0)
        mark = pricing.mark_price(2_200 * WAD, 10 * WAD, SCALE)
        assert positions.unrealized_of(m, p, mark) == 2_012 * WAD  # 22 022 − 20 010
        done, m, p = fill(m, p, -4 * WAD, 2_200 * WAD)
        # 4 at 2200 · 1.0008 less 4/10 of the quote.
        assert done.realized_pnl == 4 * 220_176 * WAD // 100 - 8_004 * WAD
        assert p == Position(6 * WAD, 12_006 * WAD, 0)
        done, m, p = fill(m, p, -6 * WAD, 2_200 * WAD)
        assert (p, m) == (Position(), Market())

    def test_a_flip_realises_all_and_opens_at_the_fill_price(self):
        m, p = Market(), Position()
        _, m, p = fill(m, p, 10 * WAD)
        done, m, p = fill(m, p, -15 * WAD)
        # 15 sold at 2000 · (1 + 2.5 / 10000): 10 of them close.
        assert done.fill_price == 2_000 * WAD + WAD // 2
        assert done.realized_pnl == 20_005 * WAD - 20_010 * WAD
        assert p == Position(-5 * WAD, -10_002 * WAD - WAD // 2, 0)
        assert (m.open_interest_long, m.open_interest_short) == (0, 5 * WAD)

    def test_funding_is_owed_up_to_the_wei(self):
        m = Market(cumulative_funding_per_unit=10)
        assert positions.funding_owed(m, Position(1, 0, 9)) == 1
        assert positions.funding_owed(m, Position(-1, 0, 9)) == 0

    def test_reductions(self):
        assert positions.is_reduction(5, -5)
        assert not positions.is_reduction(5, -6)
        assert not positions.is_reduction(5, 1)
        assert not positions.is_reduction(0, -1)

    def test_a_size_beyond_int128_overflows(self):
        done = positions.quote_fill(Market(), Position(), WAD, PRICE, SCALE)
        with pytest.raises(SafeCastOverflow):
            positions.apply_fill(Market(), Position(size=2**127 - 1), WAD, done)

    @given(
        trades=st.lists(
            st.tuples(st.integers(0, 3), sizes, prices, st.integers(0, DAY)),
            min_size=1,
            max_size=20,
        )
    )
    @settings(max_examples=300, deadline=None)
    def test_sums_equal_positions_and_money_is_conserved(self, trades):
        m, held, realized, spent = Market(), [Position() for _ in range(4)], 0, 0
        for who, size, price, pause in trades:
            premium = pricing.premium(positions.skew(m), SCALE)
            rate = m.funding_rate
            m.funding_rate, per_unit = funding.accrue(rate, premium, 0, pause, price, RULES)
            m.cumulative_funding_per_unit += per_unit
            try:
                done, m, held[who] = fill(m, held[who], size, price)
            except ModelRevert:
                continue
            realized += done.realized_pnl + done.funding_paid
            spent += done.quote_delta
            assert m.open_interest_long == sum(max(p.size, 0) for p in held)
            assert m.open_interest_short == sum(max(-p.size, 0) for p in held)
            assert m.quote == sum(p.quote for p in held)
            assert m.funding_entry_product == sum(p.size * p.funding_entry for p in held)
            # What was paid for positions is either still in a quote or was realised.
            assert spent == m.quote - realized
            mark = price + price // 7
            total = positions.unrealized_total(m, mark)
            parts = [positions.unrealized_of(m, p, mark) for p in held]
            assert 0 <= total - sum(parts) < len(held)

    @given(price=prices, skew=skews, size=sizes, cut=st.integers(1, 10**6))
    @settings(deadline=None)
    def test_a_position_round_trip_at_a_constant_index_never_profits(self, price, skew, size, cut):
        m, p = Market(), Position()
        _, m, _ = fill(m, p, skew, price) if skew else (None, m, p)
        _, m, p = fill(m, p, size, price)
        part = -size * cut // 10**6
        first, m, p = fill(m, p, part, price) if part else (None, m, p)
        realized = first.realized_pnl if first else 0
        if p.size:
            last, m, p = fill(m, p, -p.size, price)
            realized += last.realized_pnl
        assert realized <= 0


class TestFunding:
    def test_velocity_is_clamped_and_dead_around_zero(self):
        assert funding.velocity(WAD // 10_000, 0, RULES) == 0
        assert funding.velocity(WAD // 200, 0, RULES) == WAD // 20  # half of the scale, 0.1 a day
        assert funding.velocity(-WAD // 200, 0, RULES) == -WAD // 20
        assert funding.velocity(WAD, 0, RULES) == WAD // 10

    def test_gain_multiplies_the_velocity_and_leaves_the_bound(self):
        assert funding.velocity(WAD // 200, 20_000, RULES) == WAD // 10
        assert funding.velocity(-WAD, 12_500, RULES) == -WAD // 8
        assert funding.velocity(WAD // 10_000, 50_000, RULES) == 0
        # A quarter of a day of ramp at 0.2 a day, then 0.05: 2000 · (0.25 · 0.025 + 0.25 · 0.05).
        rate, owed = funding.accrue(0, WAD, 20_000, DAY // 2, PRICE, RULES)
        assert (rate, owed) == (WAD // 20, 75 * WAD // 2)

    def test_half_a_day_at_full_velocity(self):
        # 0.1 per day per day: 0 → 0.05, mean 0.025 over half a day of 2000: 25.
        rate, owed = funding.accrue(0, WAD // 100, 0, DAY // 2, PRICE, RULES)
        assert (rate, owed) == (WAD // 20, 25 * WAD)

    def test_the_rate_stays_at_its_bound(self):
        # Half a day of ramp and half a day at 0.05: 25 + 50.
        rate, owed = funding.accrue(0, WAD // 100, 0, DAY, PRICE, RULES)
        assert (rate, owed) == (WAD // 20, 75 * WAD)
        rate, owed = funding.accrue(-WAD // 20, -WAD // 100, 0, DAY, PRICE, RULES)
        assert (rate, owed) == (-WAD // 20, -100 * WAD)

    def test_the_amount_is_rounded_towards_minus_infinity(self):
        _, owed = funding.accrue(1, 0, 0, 1, WAD, RULES)
        assert owed == 0
        _, owed = funding.accrue(-1, 0, 0, 1, WAD, RULES)
        assert owed == -1

    @given(
        rate=st.integers(-WAD // 20, WAD // 20),
        premium=st.integers(-WAD // 50, WAD // 50),
        price=prices,
        gain=st.integers(10_000, 50_000),
        pauses=st.lists(st.integers(0, DAY), min_size=2, max_size=30),
    )
    @settings(max_examples=300, deadline=None)
    def test_it_does_not_matter_how_often_a_market_is_poked(
        self, rate, premium, price, gain, pauses
    ):
        """FUN-1, whatever the gain of the breaker's tier was when the market was last touched."""
        span, limit = sum(pauses), RULES.max_funding_rate
        once_rate, once = funding.accrue(rate, premium, gain, span, price, RULES)
        often_rate, often = rate, 0
        for pause in pauses:
            often_rate, owed = funding.accrue(often_rate, premium, gain, pause, price, RULES)
            often += owed
        # A poke rounds the rate by less than a wei and the amount by less than one more; the
        # instant at which the rate meets its bound is rounded to a second.
        drift = len(pauses) * span + 2 * limit
        assert abs(once_rate - often_rate) <= len(pauses)
        assert abs(once - often) <= price * drift // (DAY * WAD) + len(pauses) + 1
