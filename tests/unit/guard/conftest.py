"""Signals of every kind, and the breaker's answer to them."""

from __future__ import annotations

import pytest

CAUSES = (
    "Calm",
    "PriceMove",
    "PriceStale",
    "PegDiscount",
    "LiquidationVolume",
    "BadDebt",
    "Guardian",
    "HaltExpired",
)


@pytest.fixture
def poke(world):
    """Poke; return ``(from, to, cause, value)`` of the change, None if there was none."""

    def _poke(who="carol"):
        receipt = world.breaker.transact("poke", sender=world.address(who))
        events = world.breaker.events(receipt)
        if not events:
            return None
        [event] = events
        assert event.name == "TierChanged"
        before, after, cause, value = event.args
        return before, after, CAUSES[cause], value

    return _poke


@pytest.fixture
def record(world):
    """Record volume or bad debt in the liquidation engine's name."""

    def _record(kind, amount):
        return world.breaker.transact(f"record{kind}", amount, sender=world.liquidation.address)

    return _record


@pytest.fixture
def signal(world):
    """The strongest signal, with its cause by name."""

    def _signal():
        target, cause, value = world.breaker.call("signal")
        return target, CAUSES[cause], value

    return _signal
