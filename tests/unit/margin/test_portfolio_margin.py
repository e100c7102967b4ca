"""The requirement of several positions together: contract, twin, and the form written out."""

from __future__ import annotations

from dataclasses import astuple
from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import correlations, portfolio_margin
from bulkhead.model.math import WAD
from tests.books import BPS, Book, books

quick = settings(max_examples=60, deadline=None)
PAIR = [correlations.row((7_500,), 2, i) for i in (0, 1)]
UNKNOWN = [0, 0]


def ceil_root(x: int) -> int:
    """⌈√x⌉."""
    return isqrt(x - 1) + 1 if x > 0 else 0


def written_out(book: Book) -> int:
    """max(√(Σᵢⱼ wᵢⱼ·nᵢ·nⱼ), floor · Σ|nᵢ|), rounded up once, from every pair with its sign."""
    if len(book.n) == 1:
        return abs(book.n[0])
    unit = 10**22  # Of a weight: basis points times stress in WAD.
    form = 0
    for i, a in enumerate(book.n):
        for j, b in enumerate(book.n):
            rho = BPS if i == j else book.rho(i, j)
            if i == j:
                weight = unit
            elif rho is None:
                weight = unit if a * b > 0 else -unit  # As signed: adds up on either side.
            elif a * b > 0:
                weight = rho * WAD + (BPS - rho) * book.stress
            else:
                weight = rho * (WAD - book.stress)
            form += weight * a * b
    gross = sum(map(abs, book.n))
    return max(ceil_root(-(-form // unit)), -(-gross * book.floor // BPS))


def of(harness, book: Book) -> int:
    """What the contract says."""
    arguments = book.n, book.markets, book.rows, book.stress, book.floor
    return int(harness.call("requirement", *arguments))


def twin(book: Book) -> int:
    """What the twin says."""
    return portfolio_margin.requirement(book.n, book.markets, book.rows, book.stress, book.floor)


@quick
@given(books())
def test_requirement__any_book__equals_the_twin_and_the_form_written_out(risk_harness, book):
    assert of(risk_harness, book) == twin(book) == written_out(book)


@quick
@given(books(largest=2**240))
def test_requirement__huge_amounts__equals_the_twin_within_a_unit_each(risk_harness, book):
    required = of(risk_harness, book)
    assert required == twin(book)
    exact = written_out(book)
    unit = 1 << max(0, max(map(abs, book.n)).bit_length() - 100)
    # Cut amounts are rounded up; of one that offsets others that may lower the root by as much.
    assert exact - len(book.n) * unit <= required <= exact + (len(book.n) + 2) * unit


@quick
@given(books(), st.data())
def test_terms__of_any_position__give_back_the_requirement(risk_harness, book, data):
    if len(book.n) == 1:
        return
    k = data.draw(st.integers(0, len(book.n) - 1))
    arguments = book.n, book.markets, book.rows, book.stress
    t = risk_harness.call("terms", *arguments, k)
    mine = portfolio_margin.terms(*arguments, k)
    assert tuple(t) == astuple(mine)
    assert t.own == abs(book.n[k])
    assert t.grossRest == sum(map(abs, book.n)) - t.own
    t = t._replace(grossFloor=book.floor)
    assert risk_harness.call("ofTerms", t, t.own) == twin(book)
    # Any other |n| of that position is any other book.
    other = data.draw(st.integers(1, 10**26))
    n = (*book.n[:k], other if book.n[k] > 0 else -other, *book.n[k + 1 :])
    changed = Book(n, book.markets, book.lower, book.size, book.stress, book.floor)
    assert risk_harness.call("ofTerms", t, other) == twin(changed)


@pytest.mark.parametrize(
    ("n", "rows", "stress", "floor", "required"),
    [
        ((300, 400), PAIR, 0, 2_000, 656),  # √(9 + 16 + 2·0.75·12) = 6.557…
        ((300, -400), PAIR, 0, 2_000, 265),  # √(25 − 18) = 2.645…
        ((300, -400), PAIR, 0, 5_000, 350),  # The floor: half of 700.
        ((300, 400), PAIR, WAD, 2_000, 700),  # All together.
        ((300, -400), PAIR, WAD, 2_000, 500),  # No offset at all: √25.
        ((300, -400), PAIR, WAD // 2, 2_000, 400),  # √(25 − 9).
        ((300, 400), PAIR, WAD // 2, 2_000, 679),  # ρ 0.875: √46.
        ((300, -400), UNKNOWN, 0, 2_000, 700),  # Nobody knows: no offset …
        ((300, 400), UNKNOWN, 0, 2_000, 700),  # … and nothing saved.
        ((-300, -400), PAIR, 0, 2_000, 656),
    ],
)
def test_requirement__worked_examples(risk_harness, n, rows, stress, floor, required):
    scaled = [x * WAD for x in n]
    answer = risk_harness.call("requirement", scaled, [0, 1], rows, stress, floor)
    assert -(-answer // WAD) == required
    assert portfolio_margin.requirement(scaled, [0, 1], rows, stress, floor) == answer


def test_requirement__nothing_and_one(risk_harness):
    assert risk_harness.call("requirement", [], [], [], 0, 2_000) == 0
    for n in (7, -7):
        assert risk_harness.call("requirement", [n], [3], [0], WAD, 2_000) == 7
