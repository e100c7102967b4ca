"""Models of how orders are settled and how the pool is left."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import model_validator

from bulkhead.deployment.models import Model, at_least, camel
from bulkhead.deployment.units import WAD, Seconds, Wad, from_wad

_BPS_WAD = WAD // 10**4

Gain = Annotated[int, Wad(1, 5)]


class OrderParameters(Model):
    """Orders settled at a later price. Delays in seconds, the fee in WAD settlement units.

    ``funding_gains`` multiply the velocity of funding in the breaker's tiers 1 to 4; WAD, whole
    basis points each. See ``contracts/types/Parameters.sol``.
    """

    min_delay: Annotated[int, Seconds(1, "1h")]
    max_delay: Annotated[int, Seconds("61s", "7d")]
    cancel_delay: Annotated[int, Seconds(1, "7d")]
    executor_fee: Annotated[int, Wad(0, 1_000)]
    funding_gains: tuple[Gain, Gain, Gain, Gain]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.max_delay < self.min_delay + 60:
            limit = self.min_delay + 60
            raise ValueError(
                f"max_delay: {self.max_delay} s is below the limit {limit} s (min_delay + 1m)"
            )
        if not self.min_delay <= self.cancel_delay <= self.max_delay:
            raise ValueError(
                f"cancel_delay: {self.cancel_delay} s is not within "
                f"{self.min_delay} s and {self.max_delay} s (min_delay, max_delay)"
            )
        for gain in self.funding_gains:
            if gain % _BPS_WAD:
                raise ValueError(f"funding_gains: {from_wad(gain)} is not a whole number of 0.0001")
        for before, after in pairwise(self.funding_gains):
            at_least("funding_gains", after, before, "that of the tier before")
        return self

    def struct(self) -> dict[str, int]:
        """Return the contract's ``OrderParameters``."""
        values: dict[str, int] = camel(self)
        del values["fundingGains"]
        for tier, gain in enumerate(self.funding_gains, start=1):
            values[f"fundingGain{tier}"] = gain // _BPS_WAD
        return values


class PoolParameters(Model):
    """Leaving the pool. Durations in seconds; ``coverage_ratio`` in WAD of covered notional."""

    cooldown: Annotated[int, Seconds(0, "30d")]
    redeem_window: Annotated[int, Seconds("1h", "30d")]
    coverage_ratio: Annotated[int, Wad(0, 5)]

    def struct(self) -> dict[str, int]:
        """Return the contract's ``PoolParameters``."""
        return camel(self)
