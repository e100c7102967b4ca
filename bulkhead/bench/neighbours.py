"""How much of the machine other programs use meanwhile: what makes a measured speed wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)
"""Of the times in the first line of ``/proc/stat``: idle, and waiting for a disk."""
_COUNTED = 8
"""The times after these are part of the others."""


class Neighbours:
    """Watches from its making on. Children count as this program once they have ended."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._before = _others()

    def cores(self) -> float | None:
        """Return how many cores others used on average; None where the system does not tell."""
        after = _others()
        elapsed = time.monotonic() - self._since
        if self._before is None or after is None or elapsed <= 0:
            return None
        return max(0.0, after - self._before) / elapsed


def _others() -> float | None:
    """Return the processor seconds of all programs since the start but of this one."""
    try:
        text = _STAT.read_text(encoding="ascii")
    except OSError:
        return None
    ticks = [int(word) for word in text.splitlines()[0].split()[1 : 1 + _COUNTED]]
    busy = (sum(ticks) - sum(ticks[_IDLE])) / os.sysconf("SC_CLK_TCK")
    own = os.times()
    return busy - (own.user + own.system + own.children_user + own.children_system)
