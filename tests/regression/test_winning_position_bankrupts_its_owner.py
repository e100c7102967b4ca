"""Unrealised profit counted at par, the claim that it becomes at h: closing a winner was ruin."""

from __future__ import annotations

from tests.conftest import WAD, World


def test_equity__profit_realised_while_h_is_below_one__does_not_fall(world: World) -> None:
    # Leave the pool 10,000, then let alice be ahead by more.
    pool = world.totals().poolCash
    world.settle("bob", pool - 10_000 * WAD)
    world.deposit("alice", 50_000 * 10**6)
    world.publish("ETH", 3_000 * WAD)
    world.trade("alice", 50 * WAD)
    world.publish("ETH", 3_400 * WAD)
    world.perps.transact("poke", 0, sender=world.address("keeper"))
    assert world.margin.call("haircutRatio") < WAD
    before = world.valuation("alice").equityMaintenance

    fee = world.trade("alice", -50 * WAD).fee

    # The fee, and the rounding of h.
    assert world.valuation("alice").equityMaintenance >= before - fee - WAD // 1_000
