"""A rate that nobody had ever moved began at its target: its first jump was of any height."""

from __future__ import annotations

from tests.conftest import WAD, World


def test_tier_rises__market_was_never_poked__maintenance_rises_by_an_hour_at_most(
    world: World,
) -> None:
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    before = world.valuation("alice").maintenanceMargin
    world.raise_tier(3)
    after = world.valuation("alice").maintenanceMargin
    # 12 % of the notional per day, for an hour; the target is a whole per cent above.
    assert after - before == 300_000 * WAD * 12 // 100 // 24
    assert world.valuer.call("stressLevels")[1] == WAD // 2 // 24
