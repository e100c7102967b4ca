"""Values and state of the circuit breaker; see ``bulkhead.model.types``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerTiming:
    """Windows of the circuit breaker, in seconds."""

    velocity_window: int
    volume_window: int
    min_dwell: int
    max_halt: int


Thresholds = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class BreakerThresholds:
    """Least signal for tiers 1 to 4: WAD fractions, and WAD settlement units."""

    price_move: Thresholds
    discount: Thresholds
    liquidation_volume: Thresholds
    bad_debt: Thresholds


@dataclass(frozen=True, slots=True)
class BreakerState:
    """Tier, since when, start of the last halt, and what the guardian asked for."""

    tier: int = 0
    since: int = 0
    halted_at: int = 0
    guardian_tier: int = 0
    guardian_until: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """WAD level at ``updated_at``."""

    level: int = 0
    updated_at: int = 0
