"""The least notional to close among an account's other positions."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import correlations, partial_close, portfolio_margin
from bulkhead.model.liquidation_math import bounded_penalty
from bulkhead.model.math import WAD, mul_away, mul_up
from bulkhead.model.partial_close import Problem
from tests.books import Book, books

quick = settings(max_examples=60, deadline=None)
UNIT = 10**12
"""Positions of a millionth of a unit at least: below, the wei of each rounding decide."""


@dataclass(frozen=True)
class Trouble:
    """An unhealthy book: 0 < E < M.

    Attributes:
        book: its ``n`` are notionals here, not yet times their rates.
        rates: of each position, WAD.
        penalties: of each position's market, WAD.
        equity, debt_margin, target, debt_ratio: see ``PartialClose.Problem``.
    """

    book: Book
    rates: tuple[int, ...]
    penalties: tuple[int, ...]
    equity: int
    debt_margin: int
    target: int
    debt_ratio: int

    def margin(self, closed: int = 0, k: int = 0) -> int:
        """M of the book once a notional of one position is closed."""
        b = self.book
        left = [abs(n) - (closed if i == k else 0) for i, n in enumerate(b.n)]
        n = [
            mul_away(size if whole > 0 else -size, rate)
            for size, whole, rate in zip(left, b.n, self.rates, strict=True)
        ]
        kept = [i for i in range(len(n)) if left[i]]
        markets, rows = [b.markets[i] for i in kept], [b.rows[i] for i in kept]
        return portfolio_margin.requirement([n[i] for i in kept], markets, rows, b.stress, b.floor)

    def problem(self, k: int) -> Problem:
        """The problem of closing position ``k``."""
        notional, penalty = abs(self.book.n[k]), self.penalties[k]
        return Problem(
            self.equity, self.debt_margin, notional, self.target, penalty, self.debt_ratio
        )

    def terms(self, k: int):
        """What position ``k`` has to do with the others."""
        b = self.book
        n = [mul_away(n, rate) for n, rate in zip(b.n, self.rates, strict=True)]
        return portfolio_margin.terms(n, b.markets, b.rows, b.stress, k, b.floor, self.rates[k])


@st.composite
def troubles(draw, most: int = 5) -> Trouble:
    """Books below their requirement."""
    book = draw(books(most=most, largest=10**26, least=UNIT))
    count = len(book.n)
    rates = tuple(draw(st.integers(WAD // 200, WAD // 2)) for _ in range(count))
    penalties = tuple(draw(st.integers(0, rate // 2)) for rate in rates)
    debt_margin = draw(st.just(0) | st.integers(0, 10**24))
    found = Trouble(
        book,
        rates,
        penalties,
        1,
        debt_margin,
        draw(st.integers(WAD * 101 // 100, 2 * WAD)),
        draw(st.integers(WAD // 100, WAD // 2)),
    )
    margin = found.margin() + debt_margin
    return replace(found, equity=draw(st.integers(1, margin - 1)))


def wanted(t: Trouble, k: int) -> tuple[int, int]:
    """What is closed of a position, and the penalty ratio by which it was sized; 0: nothing."""
    problem, terms = t.problem(k), t.terms(k)
    n = partial_close.least_notional(problem, terms)
    if n:
        return n, problem.penalty_ratio
    return partial_close.least_notional(replace(problem, penalty_ratio=0), terms), 0


@quick
@given(troubles(), st.data())
def test_least_notional_and_surplus__any_book__equal_the_twin(risk_harness, trouble, data):
    k = data.draw(st.integers(0, len(trouble.book.n) - 1))
    problem, terms = trouble.problem(k), trouble.terms(k)
    closed = data.draw(st.integers(0, problem.notional))
    structs = astuple(problem), astuple(terms)
    surplus = risk_harness.call("surplus", *structs, closed)
    assert surplus == partial_close.surplus(problem, terms, closed)
    least = risk_harness.call("leastNotional", *structs)
    assert least == partial_close.least_notional(problem, terms)


@given(troubles(), st.data())
def test_least_notional__reaches_the_target__and_less_does_not(trouble, data):
    k = data.draw(st.integers(0, len(trouble.book.n) - 1))
    problem, terms = trouble.problem(k), trouble.terms(k)
    n = partial_close.least_notional(problem, terms)
    assert 0 <= n <= problem.notional
    if partial_close.surplus(problem, terms, n) < 0:
        # Nothing else would have done either, nor come closer but by what the search may miss.
        best = partial_close.surplus(problem, terms, n)
        other = data.draw(st.integers(0, problem.notional))
        slack = 10 + problem.notional // 10**6
        assert partial_close.surplus(problem, terms, other) <= best + slack
        return
    # By halves to 2⁻⁴⁸ of the position; the closed form of a single one to a few wei.
    tolerance = problem.notional // 2**48 + 1 if terms.gross_rest else 10**4
    if n > tolerance:
        assert partial_close.surplus(problem, terms, n - tolerance) < 0


@given(troubles(), st.data())
def test_close__any_unhealthy_book__never_lowers_health(trouble, data):
    """LIQ-2, where closing costs no equity but its penalty."""
    k = data.draw(st.integers(0, len(trouble.book.n) - 1))
    n, _ = wanted(trouble, k)
    if n == 0:
        return
    before = trouble.margin() + trouble.debt_margin
    after = trouble.margin(n, k) + trouble.debt_margin
    assert after <= before
    penalty = bounded_penalty(
        mul_up(n, trouble.penalties[k]),
        trouble.equity,
        before,
        trouble.equity,
        after,
        trouble.debt_ratio,
    )
    # All of the penalty may become debt.
    asked = after + mul_up(penalty, trouble.debt_ratio)
    assert (trouble.equity - penalty) * before >= trouble.equity * (asked - 1)


@given(troubles())
def test_close__any_unhealthy_book__some_position_can_be_closed(trouble):
    """LIQ-1: the requirement is homogeneous, so some position's share in it is positive."""
    assert any(wanted(trouble, k)[0] > 0 for k in range(len(trouble.book.n)))


# ---------------------------------------------------------------------- by hand


def pair(n: int, m: int, rho: int = 7_500, floor: int = 2_000, rate: int = WAD // 10) -> Trouble:
    """Two positions of so many units at 10 %, without penalty or debt, and a target of 1.25."""
    book = Book((n * WAD, m * WAD), (0, 1), (rho,), 2, 0, floor)
    return Trouble(book, (rate, rate), (0, 0), 1, 0, WAD * 5 // 4, WAD // 10)


def test_least_notional__same_side__worked_example(risk_harness):
    # n 300 and 400 at 10 %: M = √(900 + 1600 + 2·0.75·1200) = 65.57. With E = 50 and τ = 1.25,
    # M has to fall to 40: 30² + 2·0.75·30·y + y² = 1600 gives y = −22.5 + √(506.25 + 700) = 12.231…
    t = replace(pair(300, 400), equity=50 * WAD)
    n = risk_harness.call("leastNotional", astuple(t.problem(1)), astuple(t.terms(1)))
    assert n // 10**14 == 2_776_889
    assert n == partial_close.least_notional(t.problem(1), t.terms(1))


def test_least_notional__single__is_the_closed_form(risk_harness):
    # E 880, M 1,200 at 4 %, as in LiquidationMath: 16,000.
    book = Book((30_000 * WAD,), (0,), (), 1, 0, 2_000)
    t = Trouble(book, (WAD // 25,), (WAD // 100,), 880 * WAD, 0, WAD * 5 // 4, WAD // 10)
    assert t.margin() == 1_200 * WAD
    n = risk_harness.call("leastNotional", astuple(t.problem(0)), astuple(t.terms(0)))
    assert n == 16_000 * WAD


def test_least_notional__offsetting__is_zero_and_the_other_is_not(risk_harness):
    # −100 against 400 at ρ = 0.75: closing the short raises what is asked.
    t = replace(pair(400, -100), equity=20 * WAD)
    short = risk_harness.call("leastNotional", astuple(t.problem(1)), astuple(t.terms(1)))
    assert short == 0
    long = risk_harness.call("leastNotional", astuple(t.problem(0)), astuple(t.terms(0)))
    assert 0 < long < 400 * WAD


def test_least_notional__no_part_will_do__is_the_one_that_comes_closest(risk_harness):
    # 400 against −100: M is least where y = 0.75·10, with 325 closed; E = 1 wants less still.
    t = replace(pair(400, -100), equity=WAD)
    problem, terms = t.problem(0), t.terms(0)
    n = risk_harness.call("leastNotional", astuple(problem), astuple(terms))
    assert partial_close.surplus(problem, terms, n) < 0
    assert abs(n - 325 * WAD) < WAD // 100


@pytest.mark.parametrize("k", [0, 1])
def test_least_notional__hedge_not_worth_its_penalty__is_zero_until_it_costs_nothing(k):
    # Two equal and opposite positions at ρ = 0.99: the floor asks for a fifth of each one's rate,
    # and a penalty of half the rate costs more than closing saves.
    t = replace(pair(400, -400, rho=9_900), equity=14 * WAD, penalties=(WAD // 20, WAD // 20))
    assert t.margin() == 16 * WAD
    assert partial_close.least_notional(t.problem(k), t.terms(k)) == 0
    n, ratio = wanted(t, k)
    assert (n > 0, ratio) == (True, 0)
    assert t.margin(n, k) < t.margin()


def test_row__of_the_pair__is_what_is_stored():
    assert pair(1, 1).book.rows == [correlations.row((7_500,), 2, i) for i in (0, 1)]
