"""The campaign that every change has to pass: 100,000 judged calls, the same everywhere."""

from __future__ import annotations

import pytest

from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.failures import replay_command
from bulkhead.fuzz.profiles import PROFILES
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.testing import FAILURES


@pytest.fixture(scope="module")
def campaign(session: Session) -> Campaign:
    """The ``ci`` profile, played."""
    played = Campaign(session, PROFILES["ci"], folder=FAILURES)
    played.run()
    return played


def test_campaign__ci_profile__finds_nothing(campaign: Campaign) -> None:
    complaints = [
        f"{found.failure}\n  replay it: {replay_command(found.trace)}"
        for found in campaign.found.values()
    ]
    assert complaints == []


def test_campaign__ci_profile__every_operation_went_through(campaign: Campaign) -> None:
    """Finding nothing means something only if the interesting calls were accepted."""
    table = campaign.statistics.by_operation()
    idle = {
        kind.__name__
        for kind in campaign.catalogue.kinds
        if not kind.is_refused and not table.get(kind.__name__, {}).get("accepted")
    }
    assert idle == set()
    assert campaign.statistics.steps >= PROFILES["ci"].steps


def test_campaign__ci_profile__met_every_regime(campaign: Campaign) -> None:
    regimes = campaign.statistics.regimes
    for tier in range(5):
        assert any(name.startswith(f"tier {tier}") for name in regimes), (tier, regimes)
    assert any("h <" in name for name in regimes)
