"""What the tests of incidents share."""

from __future__ import annotations

import pytest

from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.scenarios.incidents.registry import INCIDENTS
from bulkhead.scenarios.incidents.report import Played


@pytest.fixture(scope="session")
def played() -> dict[str, Played]:
    """All incidents, with their controls where there are any."""
    ensure_compiled()
    return {
        name: Played(
            incident,
            incident.play(),
            incident.play(defended=False) if incident.has_control else None,
            incident.play_second_line(),
        )
        for name, incident in INCIDENTS.items()
    }
