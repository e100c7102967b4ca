"""Twin of ``WeightedMedian``: medians of values with positive weights."""

from __future__ import annotations

from collections.abc import Iterable

Weighted = tuple[int, int]
"""A value and its weight."""


def median(samples: Iterable[Weighted]) -> int:
    """Return the smallest value whose cumulative weight exceeds half of the total.

    Where the values up to some value hold exactly half, it is the mean of that value and the next,
    rounded down.

    Raises:
        ValueError: there are no samples.
    """
    ordered = sorted(samples)
    i, cumulative, total = _middle(ordered)
    value = ordered[i][0]
    return (value + ordered[i + 1][0]) >> 1 if 2 * cumulative == total else value


def lower_median(samples: Iterable[Weighted]) -> int:
    """Return the smallest value whose cumulative weight is at least half of the total.

    Raises:
        ValueError: there are no samples.
    """
    ordered = sorted(samples)
    return ordered[_middle(ordered)[0]][0]


def _middle(ordered: list[Weighted]) -> tuple[int, int, int]:
    total = sum(weight for _, weight in ordered)
    cumulative = 0
    for i, (_, weight) in enumerate(ordered):
        cumulative += weight
        if 2 * cumulative >= total:
            return i, cumulative, total
    raise ValueError("no samples")
