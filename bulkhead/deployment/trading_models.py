"""Models of how orders are settled and how the pool is left."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from bulkhead.deployment.models import Model, camel
from bulkhead.deployment.units import Seconds, Wad


class OrderParameters(Model):
    """Orders settled at a later price. Delays in seconds, the fee in WAD settlement units.

    See ``contracts/types/Parameters.sol``.
    """

    min_delay: Annotated[int, Seconds(1, "1h")]
    max_delay: Annotated[int, Seconds("61s", "7d")]
    cancel_delay: Annotated[int, Seconds(1, "7d")]
    executor_fee: Annotated[int, Wad(0, 1_000)]

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
        return self

    def struct(self) -> dict[str, int]:
        """Return the contract's ``OrderParameters``."""
        return camel(self)


class PoolParameters(Model):
    """Leaving the pool. Durations in seconds; ``coverage_ratio`` in WAD of covered notional."""

    cooldown: Annotated[int, Seconds(0, "30d")]
    redeem_window: Annotated[int, Seconds("1h", "30d")]
    coverage_ratio: Annotated[int, Wad(0, 5)]

    def struct(self) -> dict[str, int]:
        """Return the contract's ``PoolParameters``."""
        return camel(self)
