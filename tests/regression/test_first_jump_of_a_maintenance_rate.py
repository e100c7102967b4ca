"""A rate that nobody had ever moved began at its target: its first jump was of any height."""

from __future__ import annotations

from tests.conftest import WAD, World


def test_tier_rises__market_was_never_poked__maintenance_does_not_jump(
    world: World,
) -> None:
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    before = world.valuation("alice").maintenanceMargin
    world.raise_tier(3)
    after = world.valuation("alice").maintenanceMargin
    # The target is a whole per cent above; the rate begins to rise when it is poked.
    assert after == before == 300_000 * WAD * 4 // 100
    assert world.valuer.call("stressLevels")[1] == WAD // 2 // 24
