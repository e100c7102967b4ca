"""A halt was over after the dwell time: its own start counted as the rest after another halt."""

from __future__ import annotations

from tests.conftest import World


def test_halt__poked_after_the_dwell_time__still_stands(world: World) -> None:
    timing = world.risk.call("breakerTiming")
    world.raise_tier(4, timing.maxHalt)
    world.skip(timing.minDwell + 1)
    world.breaker.transact("poke", sender=world.address("keeper"))
    assert world.breaker.call("tier") == 4

    world.skip(timing.maxHalt)
    assert world.breaker.call("tier") == 3
