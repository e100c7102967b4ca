"""The first measurement of a depth was believed at once: if it failed, nothing was left."""

from __future__ import annotations

from tests.conftest import WAD, World

WETH = 3


def test_measure_depth__first_and_failing__leaves_maintenance(
    world: World,
) -> None:
    source = world.deploy("ScriptedDepth")
    world.set_collateral(WETH, depth=100 * WAD)
    world.risk.transact("setDepthSource", WETH, source.address, sender=world.governor)
    world.deposit("alice", 20 * WAD, WETH)
    world.trade("alice", 100 * WAD)
    before = world.valuation("alice").equityMaintenance

    source.transact("set", 0, True, sender=world.governor)
    world.valuer.transact("measureDepth", WETH, sender=world.address("bob"))
    after = world.valuation("alice")
    assert after.equityMaintenance == before
    assert after.equityInitial < 0
    assert not world.liquidation.call("isLiquidatable", world.account("alice"))
