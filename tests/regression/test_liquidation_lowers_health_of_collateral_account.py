"""A liquidation turned an unrealised loss into debt, which carried margin that the loss had not.

An account that pays with collateral alone fell further below its margin with every partial
liquidation. Losses are margined as the debt that they would be, before and after.
"""

from __future__ import annotations

from tests.conftest import WAD, World


def health(world: World, who: str) -> int:
    v = world.valuation(who)
    return int(v.equityMaintenance * WAD // v.maintenanceMargin)


def test_liquidation__account_without_cash__raises_health(world: World) -> None:
    world.deposit("alice", 100 * WAD, collateral=1)
    world.publish("ETH", 3_000 * WAD)
    world.trade("alice", 1_000 * WAD)
    world.publish("ETH", 2_820 * WAD)
    before = health(world, "alice")
    assert 0 < before < WAD

    keeper = world.address("keeper")
    world.liquidation.transact("liquidate", world.account("alice"), 0, sender=keeper)

    assert world.ledger("alice").cash < 0
    assert health(world, "alice") > WAD
