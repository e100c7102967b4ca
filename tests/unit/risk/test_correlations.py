"""Correlations: what can be is accepted, what cannot is refused, and how rows are packed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.contract import ContractReverted
from bulkhead.model import correlations
from bulkhead.model.errors import ModelRevert
from tests.books import BPS, matrices

quick = settings(max_examples=60, deadline=None)
ANY = st.integers(1, 7).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.tuples(*(st.integers(0, BPS - 1),) * (size * (size - 1) // 2)).map(list),
    )
)


def full(lower, size) -> list[list[Fraction]]:
    """The whole matrix, exactly."""
    rows = [[Fraction(1)] * size for _ in range(size)]
    for i in range(size):
        for j in range(i):
            rows[i][j] = rows[j][i] = Fraction(lower[correlations.index(i, j)], BPS)
    return rows


def pivots(lower, size) -> list[Fraction]:
    """Pivots of Gaussian elimination, exactly, up to the first that is not positive."""
    m, found = full(lower, size), []
    for k in range(size):
        found.append(m[k][k])
        if m[k][k] <= 0:
            break
        for i in range(k + 1, size):
            times = m[i][k] / m[k][k]
            for j in range(k, size):
                m[i][j] -= times * m[k][j]
    return found


def answers(harness, lower, size) -> tuple[object, object]:
    """What the contract and its twin say: None, or the error's arguments."""
    theirs = ours = None
    try:
        harness.call("requirePositiveDefinite", lower, size)
    except ContractReverted as reverted:
        if reverted.error.name != "Correlations_NotPositiveDefinite":
            raise
        theirs = tuple(reverted.error.args)
    try:
        correlations.require_positive_definite(lower, size)
    except ModelRevert as error:
        ours = error.args
    return theirs, ours


@quick
@given(ANY)
def test_require_positive_definite__any__is_what_exact_elimination_says(risk_harness, drawn):
    size, lower = drawn
    theirs, ours = answers(risk_harness, lower, size)
    assert theirs == ours
    exact = pivots(lower, size)
    least = Fraction(correlations.LEAST_PIVOT, 10**18)
    # Errors are far below this for so few markets; nearer to the limit either answer is right.
    if abs(min(exact) - least) > Fraction(1, 10**9):
        assert (theirs is None) == (min(exact) >= least)
    if theirs is not None:
        market, pivot, limit = theirs
        assert exact[market] < least + Fraction(1, 10**9)
        assert pivot < limit == 10**14


@quick
@given(ANY)
def test_require_positive_definite__accepted__has_positive_eigenvalues(risk_harness, drawn):
    size, lower = drawn
    theirs, _ = answers(risk_harness, lower, size)
    least = np.linalg.eigvalsh(np.array(full(lower, size), dtype=float)).min()
    if theirs is None:
        assert least > 0
    if least > 0.01:  # A pivot is never below the least eigenvalue.
        assert theirs is None


@quick
@given(st.integers(1, 16).flatmap(lambda size: st.tuples(st.just(size), matrices(size))))
def test_require_positive_definite__markets_with_common_factors__accepted(risk_harness, drawn):
    size, lower = drawn
    assert answers(risk_harness, list(lower), size) == (None, None)


@pytest.mark.parametrize(
    ("lower", "market"),
    [
        ([9_000, 9_000, 0], 2),  # Both like the first, and nothing like each other.
        ([0, 8_000, 8_000], 2),  # Like both of two that have nothing in common: 1 − 2·0.64 < 0.
        ([5_000, 5_000, 5_000, 9_000, 0, 0], 3),
    ],
)
def test_require_positive_definite__cannot_be__names_the_market(risk_harness, lower, market):
    size = 3 if len(lower) == 3 else 4
    theirs, ours = answers(risk_harness, lower, size)
    assert theirs == ours
    assert theirs is not None
    assert theirs[0] == market
    assert theirs[1] < 0


def test_require_positive_definite__at_the_least_pivot__is_a_limit(risk_harness):
    # 1 − ρ² against 0.0001: the largest that bounds allow leaves 0.00019999.
    assert answers(risk_harness, [9_999], 2) == (None, None)
    theirs, ours = answers(risk_harness, [10_000], 2)
    assert theirs == ours == (1, 0, 10**14)


@quick
@given(st.integers(1, 16).flatmap(lambda size: st.tuples(st.just(size), matrices(size))))
def test_row__any__holds_every_pair_once_and_itself_never(risk_harness, drawn):
    size, lower = drawn
    rows = [risk_harness.call("correlationRow", list(lower), size, i) for i in range(size)]
    assert rows == [correlations.row(lower, size, i) for i in range(size)]
    for i in range(16):
        for j in range(size):
            entry = rows[j] >> 16 * i & 0xFFFF
            known = i != j and i < size
            assert entry == (lower[correlations.index(max(i, j), min(i, j))] + 1 if known else 0)
