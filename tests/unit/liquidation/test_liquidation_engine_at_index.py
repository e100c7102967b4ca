"""Nobody is liquidated by a trade: health must be lost at the index price too."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH = 0
WETH = 3


@pytest.fixture
def push(world):
    """Let bob sell 5,000 ETH: a premium of −1.25 %, under which a long looks worse than it is."""
    world.deposit("bob", 5_000_000 * 10**6)

    def _push():
        world.freeze()
        world.trade("bob", -5_000 * WAD)

    return _push


@pytest.fixture
def pushed(world, push):
    """Alice, long 100 ETH, above her requirement at an index of 2,945 and below it on the curve."""
    world.deposit("alice", 18_500 * 10**6)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_945 * WAD)
    assert world.liquidation.call("isLiquidatable", world.account("alice")) is False
    push()
    return world.valuation("alice")


def test_liquidate__below_on_the_curve_alone__refused(world, pushed, refuses):
    v = pushed
    [e] = world.perps.call("exposuresOf", world.account("alice"))
    buffer = world.ledger("alice").cash + e.indexPnl - e.notional * 4 // 100
    assert v.equityMaintenance < v.maintenanceMargin
    assert v.bufferAtIndex == buffer > 0
    account = world.account("alice")
    assert world.liquidation.call("isLiquidatable", account) is False
    for function in ("liquidate", "previewLiquidate"):
        with refuses("LiquidationEngine_HealthyAtIndex", account, buffer):
            world.liquidation.call(function, account, ETH)


def test_liquidate__at_the_requirement_at_the_index__refused_and_a_wei_below_allowed(
    world, pushed, refuses
):
    account = world.account("alice")
    world.freeze()
    world.settle("alice", -pushed.bufferAtIndex)
    assert world.valuation("alice").bufferAtIndex == 0
    with refuses("LiquidationEngine_HealthyAtIndex", account, 0):
        world.liquidation.call("liquidate", account, ETH)
    world.freeze()
    world.settle("alice", -1)
    assert world.liquidation.call("isLiquidatable", account) is True
    world.liquidation.call("liquidate", account, ETH)


def test_liquidate__below_at_the_index_alone__refused_as_healthy(world, push, refuses):
    # A premium in her favour keeps her healthy where the index alone would not.
    world.deposit("alice", 18_500 * 10**6)
    world.trade("alice", -100 * WAD)
    world.publish("ETH", 3_065 * WAD)
    push()
    v = world.valuation("alice")
    assert v.bufferAtIndex < 0
    assert v.equityMaintenance >= v.maintenanceMargin
    account = world.account("alice")
    with refuses("LiquidationEngine_Healthy", account, v.equityMaintenance, v.maintenanceMargin):
        world.liquidation.call("liquidate", account, ETH)


@pytest.fixture
def indebted_and_pushed(world, push):
    """Alice owes 9,000 and holds 11 WETH besides; her auction began while she was unhealthy."""
    world.deposit("alice", 11 * WAD, WETH)
    world.settle("alice", -9_000 * WAD)
    world.trade("alice", 100 * WAD)

    def _at(price, auction=False):
        if auction:
            world.publish("ETH", 2_800 * WAD)
            world.liquidation.transact(
                "startAuction", world.account("alice"), WETH, sender=world.address("keeper")
            )
        world.publish("ETH", price * WAD)
        push()
        return world.valuation("alice")

    return _at


def test_start_auction__below_on_the_curve_alone__refused(world, indebted_and_pushed, refuses):
    v = indebted_and_pushed(2_945)
    assert v.equityMaintenance < v.maintenanceMargin
    account = world.account("alice")
    with refuses("LiquidationEngine_HealthyAtIndex", account, v.bufferAtIndex):
        world.liquidation.call("startAuction", account, WETH)


def test_auction__below_on_the_curve_alone__cannot_be_taken_and_may_be_ended(
    world, indebted_and_pushed, refuses
):
    v = indebted_and_pushed(2_945, auction=True)
    assert v.equityMaintenance < v.maintenanceMargin
    account, bob = world.account("alice"), world.address("bob")
    with refuses("LiquidationEngine_HealthyAtIndex", account, v.bufferAtIndex):
        world.liquidation.call("takeAuction", account, WETH, 1, 2**255, bob, b"", sender=bob)
    world.liquidation.transact("endAuction", account, WETH, sender=bob)
    assert world.liquidation.call("auctionStartedAt", account, WETH) == 0


def test_buffer_at_index__trades_of_others__do_not_move_it(world, pushed):
    world.set_market(ETH, maxFundingVelocity=0)
    before = world.valuation("alice").bufferAtIndex
    world.freeze()
    world.trade("bob", -2_000 * WAD)
    assert world.valuation("alice").bufferAtIndex == before


@pytest.mark.parametrize("sign", [1, -1])
def test_buffer_at_index__not_negative__keeps_equity_above_zero_whatever_the_premium(world, sign):
    """What makes waiting safe: the premium's whole range is less than the maintenance margin."""
    most = world.risk.call("marketTrading", ETH).maxOpenInterest
    for who in ("bob", "carol"):
        world.deposit(who, 9_000_000 * 10**6)
    world.deposit("alice", 30_000 * 10**6)
    world.trade("carol", sign * (most - 100 * WAD))
    world.trade("alice", sign * 100 * WAD)  # At the far end of the premium.
    world.trade("carol", -sign * (most - 100 * WAD))
    world.trade("bob", -sign * most)  # At the other end.
    v = world.valuation("alice")
    world.freeze()
    world.settle("alice", -v.bufferAtIndex)
    v = world.valuation("alice")
    assert v.bufferAtIndex == 0
    assert 0 < v.equityMaintenance < v.maintenanceMargin
