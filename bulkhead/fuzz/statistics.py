"""What a campaign did, counted."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bulkhead.fuzz.judge import Judged, Played

ACCEPTED = "accepted"


@dataclass(slots=True)
class Statistics:
    """Counts and times of a campaign.

    Attributes:
        sequences: judged to their end or to their failure.
        steps: calls judged.
        failing: sequences that failed, also those of a failure that is known already.
        outcomes: calls by operation and result, ``"accepted"`` or the error's name.
        regimes: calls by the state that they met, as the target calls it.
        best: the greatest value of each measure that the search drives up.
        seconds: by what they were spent on: ``generate`` (operations and the model), ``execute``
            (waiting for the executor), ``judge``, ``shrink``, and ``draw`` (Hypothesis: the rest).
        restarts: of the node.
    """

    sequences: int = 0
    steps: int = 0
    failing: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)
    best: dict[str, float] = field(default_factory=dict)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    restarts: int = 0

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the seconds inside to what they are spent on."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] += time.monotonic() - started

    def note(self, played: Played, judged: Judged) -> None:
        """Count one call."""
        self.steps += 1
        self.outcomes[type(played.operation).__name__, judged.result] += 1
        self.regimes[played.regime] += 1

    def reach(self, measures: Mapping[str, float]) -> None:
        """Keep the greatest values."""
        for name, value in measures.items():
            self.best[name] = max(value, self.best.get(name, value))

    @property
    def accepted(self) -> int:
        """Calls that were accepted."""
        return sum(n for (_, result), n in self.outcomes.items() if result == ACCEPTED)

    @property
    def refused(self) -> int:
        """Calls that were refused."""
        return sum(self.outcomes.values()) - self.accepted

    def by_operation(self) -> dict[str, dict[str, Any]]:
        """Return accepted and refused calls of each operation, refused ones by error."""
        table: dict[str, dict[str, Any]] = {}
        for (operation, result), count in sorted(self.outcomes.items()):
            row = table.setdefault(operation, {"accepted": 0, "refused": {}})
            if result == ACCEPTED:
                row["accepted"] = count
            else:
                row["refused"][result] = count
        return table

    def shares(self) -> dict[str, float]:
        """Return the share of the time that each part took, shrinking apart."""
        parts = {k: v for k, v in self.seconds.items() if k != "shrink"}
        total = sum(parts.values()) or 1
        return {name: round(parts[name] / total, 3) for name in sorted(parts)}
