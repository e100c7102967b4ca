"""The auction callee's own checks. Its real swaps are in the scenarios, which have a router."""

from __future__ import annotations

import pytest

WETH = 3


@pytest.fixture
def callee(world):
    """A callee whose router is an address without code."""
    return world.deploy("UniswapV3AuctionCallee", world.book.wiring, "0x" + "11" * 20)


def test_on_auction_take__not_the_liquidation_engine__refused(world, callee, refuses):
    arguments = (world.weth.address, 1, 1, b"")
    for caller in (world.address("bob"), world.governor, world.margin.address, callee.address):
        with refuses("UniswapV3AuctionCallee_NotLiquidationEngine", caller):
            callee.call("onAuctionTake", *arguments, sender=caller)


def test_take__no_auction__refused_by_the_engine(world, callee, refuses):
    world.settle("alice", -(10**18))
    with refuses("LiquidationEngine_NoAuction", world.account("alice"), WETH):
        callee.call("take", world.account("alice"), WETH, 1, b"", 0, sender=world.address("bob"))


def test_take__healthy_account__refused_by_the_engine(world, callee, refuses):
    with refuses("LiquidationEngine_Healthy", world.account("alice"), 0, 0):
        callee.call("take", world.account("alice"), WETH, 1, b"", 0, sender=world.address("bob"))
