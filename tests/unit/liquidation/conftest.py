"""Accounts in trouble."""

from __future__ import annotations

import pytest

WAD = 10**18
WETH = 3


@pytest.fixture
def unhealthy(world):
    """Alice, long 100 ETH with 20,000 of cash, at 2,900: below maintenance, not bankrupt."""
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_900 * WAD)
    v = world.valuation("alice")
    assert 0 < v.equityMaintenance < v.maintenanceMargin
    return v


@pytest.fixture
def bankrupt(world):
    """Alice, long 100 ETH with 20,000 of cash, at 2,700: owes more than she has."""
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_700 * WAD)
    v = world.valuation("alice")
    assert v.equityMaintenance < 0
    return v


@pytest.fixture
def indebted(world):
    """Alice owes 1,000 and holds 0.38 WETH: worth 1,048.80 after its haircut; unhealthy."""
    world.deposit("alice", 38 * WAD // 100, WETH)
    world.settle("alice", -1_000 * WAD)
    v = world.valuation("alice")
    assert v.equityMaintenance == 38 * 2_760 * WAD // 100 - 1_000 * WAD
    assert 0 < v.equityMaintenance < v.maintenanceMargin == 100 * WAD
    return v


@pytest.fixture
def liquidate(world):
    """Liquidate by a keeper; return the arguments of ``Liquidated``."""

    def _liquidate(who="alice", market=0, keeper="keeper"):
        receipt = world.liquidation.transact(
            "liquidate", world.account(who), market, sender=world.address(keeper)
        )
        return world.liquidation.events(receipt, "Liquidated")[0].args

    return _liquidate


@pytest.fixture
def start_auction(world):
    """Start an auction of WETH; return its time."""

    def _start_auction(who="alice", collateral=WETH):
        world.liquidation.transact(
            "startAuction", world.account(who), collateral, sender=world.address("keeper")
        )
        return world.now

    return _start_auction


@pytest.fixture
def take(world):
    """Take from an auction, all and at any price unless told otherwise; return ``AuctionTaken``."""

    def _take(amount=2**255, max_price=2**255, buyer="bob", who="alice", collateral=WETH):
        receipt = world.liquidation.transact(
            "takeAuction",
            world.account(who),
            collateral,
            amount,
            max_price,
            world.address(buyer),
            b"",
            sender=world.address(buyer),
        )
        return world.liquidation.events(receipt, "AuctionTaken")[0].args

    return _take
