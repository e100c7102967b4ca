"""Books of positions and correlations that can be, for Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from bulkhead.model import correlations
from bulkhead.model.math import WAD

BPS = 10**4
_MOST_LOADING = 98
"""Per cent of a market's variance that it shares: the rest keeps the matrix positive definite."""


@dataclass(frozen=True)
class Book:
    """Positions in some of the first ``size`` markets, or beyond them.

    Attributes:
        n: signed notional times rate of each, WAD.
        markets: ascending ids.
        lower: correlations of the first markets, basis points, row by row.
        size: number of markets that have correlations.
        stress: WAD.
        floor: basis points.
    """

    n: tuple[int, ...]
    markets: tuple[int, ...]
    lower: tuple[int, ...]
    size: int
    stress: int
    floor: int

    @property
    def rows(self) -> list[int]:
        """The rows of its markets, as they are stored."""
        known = [correlations.row(self.lower, self.size, i) for i in range(self.size)]
        return [known[m] if m < self.size else 0 for m in self.markets]

    def rho(self, i: int, j: int) -> int | None:
        """Correlation of two of its positions, basis points; None: unknown."""
        a, b = sorted((self.markets[i], self.markets[j]))
        return self.lower[correlations.index(b, a)] if b < self.size else None


def matrices(size: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Correlations of markets that follow two factors in part: always positive definite."""

    def of(loadings: list[tuple[int, int]]) -> tuple[int, ...]:
        return tuple(
            (a[0] * b[0] + a[1] * b[1]) * _MOST_LOADING // 100
            for i, a in enumerate(loadings)
            for b in loadings[:i]
        )

    pairs = st.tuples(st.integers(0, 100), st.integers(0, 100)).filter(
        lambda pair: pair[0] ** 2 + pair[1] ** 2 <= BPS
    )
    return st.lists(pairs, min_size=size, max_size=size).map(of)


@st.composite
def books(draw: st.DrawFn, most: int = 16, largest: int = 10**26, least: int = 1) -> Book:
    """Books of up to ``most`` positions of up to ``largest`` wei each."""
    size = draw(st.integers(1, 16))
    lower = draw(matrices(size))
    markets = draw(st.sets(st.integers(0, 15), min_size=1, max_size=most).map(sorted))
    sizes = st.integers(least, largest)
    n = [draw(sizes) * draw(st.sampled_from((1, -1))) for _ in markets]
    stress = draw(st.sampled_from((0, BPS, BPS // 4)) | st.integers(0, BPS)) * (WAD // BPS)
    floor = draw(st.integers(BPS // 20, BPS // 2))
    return Book(tuple(n), tuple(markets), lower, size, stress, floor)
