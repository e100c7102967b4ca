"""The closed forms against a pool of two reserves that is traded step by step."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.experiments.constant_product import (
    MILLION,
    TICK_BASE,
    hold,
    push_and_return,
    resting_factor,
    ticks_of,
    value_of,
)

TOLERANCE = Decimal("1e-30")
VALUES = st.decimals(1, 10**9, places=2)
FEES = st.sampled_from([500, 3_000, 10_000])


class Reserves:
    """Base and quote of equal value at the price 1, with a fee on what comes in."""

    def __init__(self, value: Decimal, fee: int) -> None:
        self.base = self.quote = value
        self.kept = 1 - Decimal(fee) / MILLION

    def buy_up_to(self, price: Decimal) -> tuple[Decimal, Decimal]:
        """Return quote paid and base got."""
        product = self.base * self.quote
        base, quote = (product / price).sqrt(), (product * price).sqrt()
        paid, got = (quote - self.quote) / self.kept, self.base - base
        self.base, self.quote = base, quote
        return paid, got

    def sell(self, amount: Decimal) -> Decimal:
        """Return quote got for base."""
        product = self.base * self.quote
        self.base += amount * self.kept
        got = self.quote - product / self.base
        self.quote -= got
        return got

    def sell_while_it_pays(self) -> None:
        """Sell base, bought outside for 1, until the next unit would bring less."""
        product = self.base * self.quote
        rest = 1 / self.kept
        if self.quote / self.base > rest:
            self.base, self.quote = (product / rest).sqrt(), (product * rest).sqrt()


def is_near(a: Decimal, b: Decimal, value: Decimal) -> bool:
    return abs(a - b) <= value * TOLERANCE


@given(VALUES, FEES, st.integers(1, 100_000))
def test_push_and_return__any_pool__costs_what_two_trades_cost(value, fee, ticks):
    with localcontext(prec=60):
        pool = Reserves(value, fee)
        paid, got = pool.buy_up_to(TICK_BASE**ticks)
        back = pool.sell(got)
        cost = push_and_return(value, fee, ticks)
        scale = value + paid
        assert is_near(cost.capital, paid, scale)
        assert is_near(cost.loss, paid - back, scale)


@given(VALUES, FEES, st.integers(1, 3_000), st.integers(1, 20))
def test_hold__any_pool__costs_what_its_trades_cost(value, fee, ticks, blocks):
    with localcontext(prec=60):
        pool = Reserves(value, fee)
        top = TICK_BASE**ticks
        pocket = most = Decimal(0)
        for _ in range(blocks):
            pool.sell_while_it_pays()
            if is_near(pool.quote, pool.base * top, value):
                continue  # It stayed where it was.
            paid, got = pool.buy_up_to(top)
            most = max(most, pocket + paid)
            pocket += paid - got
        cost = hold(value, fee, ticks, blocks)
        assert is_near(cost.capital, most, value * blocks)
        assert is_near(cost.loss, pocket, value * blocks)


def test_hold__within_the_fee__is_one_push():
    value, fee = Decimal(1_000), 10_000
    ticks = ticks_of(Decimal("0.005"))
    assert hold(value, fee, ticks, 100) == hold(value, fee, ticks, 1)
    assert resting_factor(fee) ** 2 > TICK_BASE**ticks


def test_hold__of_one_percent_in_a_pool_without_fee__costs_a_quarter_of_its_square():
    # V·m²/4 per block, to first order, as the document says.
    cost = hold(Decimal(1), 0, 100, 10)
    move = Decimal("1.0001") ** 100 - 1
    assert abs(cost.loss / (10 * move**2 / 4) - 1) < move


@pytest.mark.parametrize(("move", "ticks"), [("0.01", 100), ("0.05", 488), ("0.1", 954)])
def test_ticks_of__a_move__is_the_least_number_that_reaches_it(move, ticks):
    assert ticks_of(Decimal(move)) == ticks
    assert TICK_BASE ** (ticks - 1) < 1 + Decimal(move) <= TICK_BASE**ticks


def test_value_of__liquidity__is_what_gives_it_by_the_root_of_the_product():
    # 1,000 quote of 6 decimals, and half a base of 18 at 2,000 each.
    liquidity = Decimal(1_000 * 10**6 * 5 * 10**17).sqrt()
    value = value_of(int(liquidity), Decimal(2_000), 18, 6)
    assert abs(value - 1_000) < Decimal("1e-6")
