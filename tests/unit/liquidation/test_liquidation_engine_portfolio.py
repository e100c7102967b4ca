"""Liquidating one of several positions that are margined together."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH, BTC = 0, 1


@pytest.fixture
def hedged(world):
    """Alice, long 200 ETH and short 2 BTC against 36,500, at 2,912: unhealthy, not bankrupt."""
    world.deposit("alice", 36_500 * 10**6)
    world.trade("alice", 200 * WAD)
    world.trade("alice", -2 * WAD, BTC)
    world.publish("ETH", 2_912 * WAD)
    v = world.valuation("alice")
    assert 0 < v.equityMaintenance < v.maintenanceMargin
    assert world.liquidation.call("isLiquidatable", world.account("alice"))
    return v


def form(a: int, b: int, rho: int = 7_500) -> int:
    """a² + b² − 2·ρ·a·b."""
    return a * a + b * b - 2 * a * b * rho // 10_000


def test_liquidate__what_offsets_the_rest__refused_and_the_rest_is_not(world, hedged, refuses):
    account = world.account("alice")
    for function in ("liquidate", "previewLiquidate"):
        with refuses("LiquidationEngine_Offsetting", account, BTC):
            world.liquidation.call(function, account, BTC)
    plan = world.liquidation.call("previewLiquidate", account, ETH)
    assert -200 * WAD < plan.sizeDelta < 0


def test_liquidate__of_several__restores_the_target_with_what_is_left(world, hedged, liquidate):
    before = hedged
    world.freeze()
    closed = liquidate(market=ETH)
    v = world.valuation("alice")
    p = world.risk.call("compartmentParameters")
    # What is left, by hand: 4 % of each, at a correlation of 0.75.
    ether = -(-world.position("alice").size * world.index() // WAD)
    bitcoin = 2 * world.index(BTC)
    left = form(ether * 4 // 100, bitcoin * 4 // 100)
    assert (v.maintenanceMargin - 2) ** 2 < left <= (v.maintenanceMargin + 2) ** 2
    # Health is the target's, were all of the penalty debt; to the wei of mark and fill per unit.
    asked = v.maintenanceMargin + closed.penalty * p.debtMaintenanceRatio // WAD
    assert abs(v.equityMaintenance * WAD // asked - p.targetHealth) < WAD // 10**9
    assert v.equityMaintenance * before.maintenanceMargin > (
        before.equityMaintenance * v.maintenanceMargin
    )
    assert closed.penalty > 0


def test_liquidate__same_positions_alone__would_close_more(world, hedged):
    """The hedge is worth something: less is closed than of an account with the long alone."""
    both = world.liquidation.call("previewLiquidate", world.account("alice"), ETH).sizeDelta
    world.risk.transact("setCorrelations", [0], sender=world.governor)
    none = world.liquidation.call("previewLiquidate", world.account("alice"), ETH).sizeDelta
    assert none < both < 0
