"""While h is below one it is part of the judgement: every liquidation updates it first."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH, BTC = 0, 1
WETH = 3


@pytest.fixture
def act(world):
    """Do one of the four; bob pays for what he takes."""

    def _act(action):
        account, bob = world.account("alice"), world.address("bob")
        arguments = {
            "liquidate": (account, ETH),
            "startAuction": (account, WETH),
            "takeAuction": (account, WETH, 1, 2**255, bob, b""),
            "endAuction": (account, WETH),
        }[action]
        world.liquidation.transact(action, *arguments, sender=bob)

    return _act


@pytest.fixture
def prepare(world):
    """Bring alice into the state that an action needs, and BTC's price up by a tenth since then."""

    def _prepare(action):
        world.deposit("carol", 1_000_000 * 10**6)
        world.trade("carol", 100 * WAD, market=BTC)
        if action == "liquidate":
            world.deposit("alice", 20_000 * 10**6)
            world.trade("alice", 100 * WAD)
            world.publish("ETH", 2_900 * WAD)
        else:
            world.deposit("alice", 38 * WAD // 100, WETH)
            world.settle("alice", -1_000 * WAD, market=BTC)
            if action != "startAuction":
                world.liquidation.transact(
                    "startAuction", world.account("alice"), WETH, sender=world.address("bob")
                )
            if action == "endAuction":
                world.publish("ETH", 3_300 * WAD)
        world.publish("BTC", 66_000 * WAD)

    return _prepare


ACTIONS = ("liquidate", "startAuction", "takeAuction", "endAuction")


@pytest.mark.parametrize("action", ACTIONS)
def test_liquidation__h_below_one__refreshes_every_market(world, prepare, act, action):
    prepare(action)
    world.settle("bob", 90_000_000 * WAD)
    assert world.margin.call("haircutRatio") < WAD
    act(action)
    for market in (ETH, BTC):
        reported = world.margin.call("marketUnrealized", market)
        assert reported.updatedAt == world.now
        assert reported.unrealized == world.perps.call("closeOutPnl", market)


@pytest.mark.parametrize("action", ACTIONS)
def test_liquidation__h_of_one__spares_the_other_markets(world, prepare, act, action):
    prepare(action)
    before = world.margin.call("marketUnrealized", BTC)
    assert world.margin.call("haircutRatio") == WAD
    act(action)
    assert world.margin.call("marketUnrealized", BTC) == before
