"""One unit of a token whose feed had died kept an account from ever being liquidated."""

from __future__ import annotations

from tests.conftest import WAD, World


def test_liquidation__account_holds_a_unit_of_a_stale_token__goes_ahead(world: World) -> None:
    world.deposit("alice", 200_000 * 10**6)
    world.deposit("alice", 1, collateral=2)
    world.publish("ETH", 3_000 * WAD)
    world.trade("alice", 1_000 * WAD)
    world.silence("BTC")
    world.publish("ETH", 2_850 * WAD)

    account = world.account("alice")
    receipt = world.liquidation.transact("liquidate", account, 0, sender=world.address("keeper"))

    [event] = world.liquidation.events(receipt, "Liquidated")
    assert event.args.sizeDelta < 0
