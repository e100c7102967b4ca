"""What the peg monitor is told, with the contract's bounds."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import model_validator

from bulkhead.chain.codec import asset_id
from bulkhead.deployment.models import Model, Name, Reference, at_least, at_most, camel
from bulkhead.deployment.units import UINT32_MAX, WAD, Seconds, Wad, from_wad

_BELOW_ONE = from_wad(WAD - 1)
_DAY = 86_400


class BackingParameters(Model):
    """A proof of reserve: a feed that attests to the reserves of a token, in whole tokens.

    ``feed`` and ``token`` are names of the environment, or addresses; seconds.
    """

    feed: Reference
    token: Reference
    heartbeat: Annotated[int, Seconds(1, "7d")]


class PegParameters(Model):
    """A pegged asset. Durations in seconds, everything else in WAD.

    ``underlying`` none: the settlement unit. ``rate_source`` and ``queue`` are tokens of the
    environment or addresses; none means a rate of 1.0, and redemptions without delay.
    """

    name: Name
    underlying: Name | None = None
    market_ratio: Name
    rate_source: Reference | None = None
    backing: BackingParameters | None = None
    queue: Reference | None = None
    max_age: Annotated[int, Seconds(1, "1d")]
    decay_period: Annotated[int, Seconds("1h", "365d")]
    deadband: Annotated[int, Wad(0, _BELOW_ONE)]
    stress_per_day: Annotated[int, Wad(0, 10)]
    grace_stress: Annotated[int, Wad(0, _BELOW_ONE)]
    stressed_at: Annotated[int, Wad(0, 1)]
    broken_at: Annotated[int, Wad(0, 1)]
    max_rate_fall: Annotated[int, Wad(0, _BELOW_ONE)]
    max_shortfall: Annotated[int, Wad(0, _BELOW_ONE)]
    free_delay: Annotated[int, Seconds(0, UINT32_MAX)]
    base_haircut: Annotated[int, Wad(0, _BELOW_ONE)]
    discount_slope: Annotated[int, Wad(0, 10)]
    stress_slope: Annotated[int, Wad(0, 10)]
    backing_slope: Annotated[int, Wad(0, 10)]
    delay_slope: Annotated[int, Wad(0, 10)]
    max_haircut: Annotated[int, Wad(0, _BELOW_ONE)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        at_most("base_haircut", self.base_haircut, self.max_haircut, "max_haircut")
        at_least(
            "grace_stress", self.grace_stress, 2 * self.largest_step, "twice what a wick can build"
        )
        at_least("stressed_at", self.stressed_at, self.grace_stress + 1, "above grace_stress")
        at_least("broken_at", self.broken_at, self.stressed_at, "stressed_at")
        return self

    @property
    def largest_step(self) -> int:
        """WAD stress that one observation alone can build, rounded up."""
        per_day = self.stress_per_day * (WAD - self.deadband)
        return -(-per_day * self.max_age // (WAD * _DAY))

    def config(self, rate_source: str, backing_source: str, queue: str) -> dict[str, Any]:
        """Return the contract's ``PegConfig`` for sources at addresses."""
        values = camel(self)
        del values["name"], values["backing"]
        return {
            **values,
            "underlying": asset_id(self.underlying) if self.underlying else bytes(32),
            "marketRatio": asset_id(self.market_ratio),
            "rateSource": rate_source,
            "backingSource": backing_source,
            "queue": queue,
        }
