"""Tokens that take a fee, return nothing, block holders or call back."""

from __future__ import annotations

import pytest

WAD = 10**18
USDB, WBTC = 0, 2


def withdraw_by(world, who, collateral, amount, receiver):
    return world.margin.transact(
        "withdraw",
        world.account(who),
        collateral,
        amount,
        world.address(receiver),
        sender=world.address(who),
    )


@pytest.mark.parametrize("collateral", [USDB, WBTC])
def test_deposit__token_with_a_fee__credits_what_arrived(world, collateral):
    token = world.corrupt(world.token(collateral))
    token.transact("setFee", 30, sender=world.governor)
    surplus = world.surplus()
    receipt = world.deposit("alice", 1_000_000, collateral)
    arrived = 1_000_000 - 3_000
    [event] = world.margin.events(receipt)
    assert event.args.amountTokens == arrived
    if collateral == USDB:
        assert world.ledger("alice").cash == arrived * 10**12
        assert world.surplus() == surplus
    else:
        assert world.margin.call("totalCollateral", WBTC) == arrived
        assert token.call("balanceOf", world.custody.address) == arrived


def test_deposit__collateral_that_arrives_as_nothing__sets_no_mask(world):
    token = world.corrupt(world.wbtc)
    token.transact("setFee", 10_000, sender=world.governor)
    world.deposit("alice", 5, WBTC)
    assert world.ledger("alice").collateralMask == 0
    assert world.margin.call("totalCollateral", WBTC) == 0


@pytest.mark.parametrize("collateral", [USDB, WBTC])
def test_deposit_and_withdraw__token_that_returns_nothing__work(world, collateral):
    token = world.corrupt(world.token(collateral))
    held = token.call("balanceOf", world.address("alice"))
    token.transact("setSilent", True, sender=world.governor)
    world.deposit("alice", 1_000, collateral)
    assert token.call("balanceOf", world.address("alice")) == held - 1_000
    withdraw_by(world, "alice", collateral, 1_000, "alice")
    assert token.call("balanceOf", world.address("alice")) == held


@pytest.mark.parametrize("collateral", [USDB, WBTC])
def test_withdraw__blocked_receiver__refused_and_others_go_on(world, refuses, collateral):
    token = world.corrupt(world.token(collateral))
    other = WBTC if collateral == USDB else USDB
    for who in ("alice", "bob"):
        world.deposit(who, 1_000, collateral)
        world.deposit(who, 1_000, other)
    alice = world.address("alice")
    token.transact("setBlocked", alice, True, sender=world.governor)
    with refuses("HostileToken_Blocked", alice):
        withdraw_by(world, "alice", collateral, 1_000, "alice")

    withdraw_by(world, "bob", collateral, 1_000, "bob")
    withdraw_by(world, "alice", other, 1_000, "alice")
    # She can still name a receiver who is not blocked.
    withdraw_by(world, "alice", collateral, 1_000, "carol")
    assert world.ledger("alice").cash == 0
    assert world.ledger("alice").collateralMask == 0


def test_withdraw__token_that_blocks_custody__takes_no_other_token_along(world, refuses):
    token = world.corrupt(world.wbtc)
    world.deposit("alice", 1_000, WBTC)
    world.deposit("alice", 1_000)
    token.transact("setBlocked", world.custody.address, True, sender=world.governor)
    with refuses("HostileToken_Blocked", world.custody.address):
        withdraw_by(world, "alice", WBTC, 1_000, "alice")
    withdraw_by(world, "alice", USDB, 1_000, "alice")
    assert world.margin.call("collateralBalance", world.account("alice"), WBTC) == 1_000
