"""How long a campaign lasts and what its sequences look like."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Profile:
    """A campaign's budget and shape.

    Attributes:
        name: what ``--profile`` calls it.
        seconds: when it ends; None: by steps alone.
        steps: calls after which it ends; None: by time alone.
        operations: drawn for one sequence, fewest and most.
        sequences: of one epoch, which draws from one seed and one subset of the operations.
        shrink_seconds: for one failure.
    """

    name: str
    seconds: float | None
    steps: int | None
    operations: tuple[int, int] = (25, 75)
    sequences: int = 100
    shrink_seconds: float = 30

    def until(self, seconds: float | None, steps: int | None) -> Profile:
        """Return the profile with another budget, if one is given."""
        if seconds is None and steps is None:
            return self
        return replace(self, seconds=seconds, steps=steps)


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("dev", seconds=20, steps=None),
        # By steps, so that it is the same everywhere.
        Profile("ci", seconds=None, steps=100_000),
        Profile("nightly", seconds=8 * 3_600, steps=None, shrink_seconds=300),
    )
}
