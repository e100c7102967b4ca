"""Twin of ``Correlations``: packed correlations, checked to be those of something."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model.math import WAD, div_trunc
from bulkhead.model.reverts import Correlations_NotPositiveDefinite

LEAST_PIVOT = 10**14
BPS_WAD = 10**14


def require_positive_definite(lower: Sequence[int], size: int) -> None:
    """Check the matrix with this lower triangle (basis points, row by row) and a unit diagonal.

    Raises:
        Correlations_NotPositiveDefinite: a pivot of its factorisation is too small.
    """
    scaled: list[list[int]] = []
    pivots: list[int] = []
    for i in range(size):
        row: list[int] = []
        pivot = WAD
        for j in range(i):
            s = lower[index(i, j)] * BPS_WAD
            for k in range(j):
                s -= div_trunc(row[k] * scaled[j][k], pivots[k])
            row.append(s)
            pivot -= div_trunc(s * s, pivots[j])
        if pivot < LEAST_PIVOT:
            raise Correlations_NotPositiveDefinite(i, pivot, LEAST_PIVOT)
        scaled.append(row)
        pivots.append(pivot)


def row(lower: Sequence[int], size: int, i: int) -> int:
    """Return the row of market ``i``: 16 bits per other market, basis points plus one."""
    packed = 0
    for j in range(size):
        if j != i:
            packed |= lower[index(max(i, j), min(i, j))] + 1 << 16 * j
    return packed


def index(i: int, j: int) -> int:
    """Return the place of ρᵢⱼ, j < i."""
    return i * (i - 1) // 2 + j
