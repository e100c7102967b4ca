"""Models of how margin adapts: rates by tier, stress, and correlations between markets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from bulkhead.deployment.models import Model, Name, camel
from bulkhead.deployment.units import WAD, Seconds, Wad, from_wad

BPS = 10**4
_BPS_WAD = WAD // BPS
_TIERS = range(1, 5)

Multiplier = Annotated[int, Wad(1, 3)]
Fraction = Annotated[int, Wad(0, 1)]


class MarginParameters(Model):
    """How margin adapts. ``horizon`` in seconds, the rest in WAD, whole basis points each.

    ``ratios`` multiply initial rates in the breaker's tiers 1 to 4; ``stress`` is how much
    correlations are distrusted in tiers 0 to 4. See ``contracts/types/Parameters.sol``.
    """

    horizon: Annotated[int, Seconds("1h", "30d")]
    gross_floor: Annotated[int, Wad("0.05", "0.5")]
    max_ratio_rise: Annotated[int, Wad("0.0001", 100)]
    max_stress_rise: Annotated[int, Wad("0.0001", 100)]
    ratios: tuple[Multiplier, Multiplier, Multiplier, Multiplier]
    stress: tuple[Fraction, Fraction, Fraction, Fraction, Fraction]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for field in ("gross_floor", "max_ratio_rise", "max_stress_rise", "ratios", "stress"):
            value = getattr(self, field)
            for one in value if isinstance(value, tuple) else (value,):
                if one % _BPS_WAD:
                    raise ValueError(f"{field}: {from_wad(one)} is not a whole number of 0.0001")
        _rising("ratios", self.ratios)
        _rising("stress", self.stress)
        return self

    def struct(self) -> dict[str, int]:
        """Return the contract's ``MarginParameters``."""
        plain = {
            name: value for name, value in camel(self).items() if name not in ("ratios", "stress")
        }
        values = {
            name: value if name == "horizon" else value // _BPS_WAD for name, value in plain.items()
        }
        for tier, ratio in zip(_TIERS, self.ratios, strict=True):
            values[f"ratioTier{tier}"] = ratio // _BPS_WAD
        for tier, stress in enumerate(self.stress):
            values[f"stressTier{tier}"] = stress // _BPS_WAD
        return values


class CorrelationParameters(Model):
    """Correlation of two markets, by their names: WAD in [0, 0.9999], whole basis points."""

    markets: Annotated[tuple[Name, ...], Field(min_length=2, max_length=2)]
    correlation: Annotated[int, Wad(0, "0.9999")]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.correlation % _BPS_WAD:
            raise ValueError(
                f"correlation: {from_wad(self.correlation)} is not a whole number of 0.0001"
            )
        if self.markets[0] == self.markets[1]:
            raise ValueError(f"markets: {self.markets[0]} is named twice")
        return self


def lower_triangle(
    markets: Sequence[str], correlations: Sequence[CorrelationParameters]
) -> tuple[int, ...]:
    """Return ρ₁₀, ρ₂₀, ρ₂₁ … in basis points, of the first markets: those that have correlations.

    Args:
        markets: names, in the order of their ids.
        correlations: of pairs, in any order.

    Raises:
        ValueError: a market is unknown, a pair is given twice, or one of the first markets' is
            missing.
    """
    known: dict[tuple[int, int], int] = {}
    for pair in correlations:
        for name in pair.markets:
            if name not in markets:
                raise ValueError(f"correlations: {name} is not in markets")
        first, second = sorted(markets.index(name) for name in pair.markets)
        if (second, first) in known:
            raise ValueError(f"correlations: {' and '.join(pair.markets)} are given twice")
        known[second, first] = pair.correlation // _BPS_WAD
    size = max((second for second, _ in known), default=0) + 1
    for second in range(size):
        for first in range(second):
            if (second, first) not in known:
                missing = f"{markets[first]} and {markets[second]}"
                raise ValueError(f"correlations: that of {missing} is missing")
    return tuple(known[second, first] for second in range(size) for first in range(second))


def _rising(field: str, values: Sequence[int]) -> None:
    for before, after in pairwise(values):
        if after < before:
            limit, value = from_wad(before), from_wad(after)
            raise ValueError(f"{field}: {value} is below {limit}, that of the tier before")
