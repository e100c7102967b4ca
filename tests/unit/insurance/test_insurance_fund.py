"""Stakers' shares in the insurance cash: fees raise them, write-offs lower them, all alike."""

from __future__ import annotations

import pytest

WAD = 10**18


@pytest.fixture
def stake(world):
    """Deposit into the fund; return the shares."""

    def _stake(who, assets):
        address = world.address(who)
        world.usdb.transact("approve", world.fund.address, 2**256 - 1, sender=address)
        receipt = world.fund.transact("deposit", assets, address, sender=address)
        return world.fund.events(receipt, "Deposit")[0].args.shares

    return _stake


def test_total_assets__follows_the_insurance_cash_alone(world):
    assert world.fund.call("totalAssets") == 1_000_000 * 10**6
    world.settle("alice", 5_000_000 * WAD, unrealized=7_000_000 * WAD)
    world.settle("bob", -3_000_000 * WAD)
    assert world.fund.call("totalAssets") == 1_000_000 * 10**6


def test_fees__their_share__goes_to_the_stakers_at_once(world):
    world.deposit("alice", 1_000 * 10**6)
    world.settle("alice", 0, 100 * WAD)
    assert world.totals().insuranceCash == 1_000_030 * WAD
    assert world.fund.call("totalAssets") == 1_000_030 * 10**6
    staker = world.address("staker")
    # The virtual shares hold a trillionth of it.
    assert world.fund.call("maxWithdraw", staker) == 1_000_030 * 10**6 - 1


def test_write_off__lowers_every_share_alike(world, stake):
    shares = stake("bob", 500_000 * 10**6)
    world.settle("alice", -600_000 * WAD)
    world.liquidation.transact("writeOff", world.account("alice"), sender=world.address("carol"))
    assert world.totals().insuranceCash == 900_000 * WAD
    assert world.fund.call("previewRedeem", shares) == 300_000 * 10**6
    staker = world.fund.call("balanceOf", world.address("staker"))
    assert world.fund.call("previewRedeem", staker) == 600_000 * 10**6


def test_write_off__of_everything__leaves_shares_that_pay_nothing(world, stake, refuses):
    world.settle("alice", -2_000_000 * WAD)
    world.liquidation.transact("writeOff", world.account("alice"), sender=world.address("carol"))
    staker = world.address("staker")
    assert world.fund.call("totalAssets") == 0
    assert world.fund.call("maxRedeem", staker) == 0
    assert world.fund.call("maxWithdraw", staker) == 0
    with refuses("ERC4626ExceededMaxRedeem", staker, 10**12, 0):
        world.fund.call("redeem", 10**12, staker, staker, sender=staker)
    # Who comes now is not diluted by those whose money is gone.
    shares = stake("bob", 1_000 * 10**6)
    assert world.fund.call("previewRedeem", shares) >= 999 * 10**6


def test_deposit__stale_prices__are_no_matter(world, stake):
    for asset in ("ETH", "BTC", "LST/ETH"):
        world.silence(asset)
    shares = stake("bob", 10**6)
    bob = world.address("bob")
    assert world.fund.call("redeem", shares, bob, bob, sender=bob) == 10**6


def test_withdraw__h_below_one__is_no_matter(world):
    world.settle("alice", 30_000_000 * WAD)
    assert world.margin.call("haircutRatio") < WAD
    staker = world.address("staker")
    assert world.fund.call("maxWithdraw", staker) == 1_000_000 * 10**6
    world.fund.call("withdraw", 1_000_000 * 10**6, staker, staker, sender=staker)
