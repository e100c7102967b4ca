"""Leaving takes two acts: asking, and redeeming after the cooldown, within the window."""

from __future__ import annotations

import pytest

WAD = 10**18
DAY = 86_400
COOLDOWN, WINDOW = DAY, 2 * DAY


@pytest.fixture
def pool(world):
    """The pool, with a cooldown of a day, two days to redeem, and no coverage asked for."""
    world.set_pool(cooldown=COOLDOWN, redeemWindow=WINDOW, coverageRatio=0)
    return world.pool


@pytest.fixture
def lp(world):
    return world.address("lp")


@pytest.fixture
def cooled(world, pool, lp):
    """The first provider has asked for all her shares, and waited; return them."""
    shares = pool.call("balanceOf", lp)
    pool.transact("requestRedeem", shares, sender=lp)
    world.skip(COOLDOWN)
    for asset in ("ETH", "BTC", "LST/ETH"):
        world.publish(asset, {"ETH": 3_000, "BTC": 60_000, "LST/ETH": 1}[asset] * WAD)
    return shares


def limits(pool, who):
    return pool.call("maxRedeem", who), pool.call("maxWithdraw", who)


# ---------------------------------------------------------------------- asking


def test_request_redeem__part__stays_in_the_balance_and_is_logged(world, pool, lp):
    held, supply = pool.call("balanceOf", lp), pool.call("totalSupply")
    receipt = pool.transact("requestRedeem", 10**12, sender=lp)
    at = world.now
    [event] = pool.events(receipt, "RedeemRequested")
    assert tuple(event.args) == (lp, 10**12, 10**12, at + COOLDOWN, at + COOLDOWN + WINDOW)
    assert tuple(pool.call("exitRequest", lp)) == (10**12, at + COOLDOWN, at + COOLDOWN + WINDOW)
    assert (pool.call("balanceOf", lp), pool.call("totalSupply")) == (held, supply)


def test_request_redeem__a_second_time__adds_up_and_cools_anew(world, pool, lp):
    pool.transact("requestRedeem", 10**12, sender=lp)
    world.skip(COOLDOWN)
    assert pool.call("maxRedeem", lp) == 10**12
    receipt = pool.transact("requestRedeem", 5, sender=lp)
    at = world.now
    [event] = pool.events(receipt, "RedeemRequested")
    assert event.args.shares == 5
    assert event.args.totalShares == 10**12 + 5
    assert pool.call("exitRequest", lp).unlocksAt == at + COOLDOWN
    assert pool.call("maxRedeem", lp) == 0


def test_request_redeem__after_the_last_lapsed__begins_with_nothing(world, pool, lp):
    held = pool.call("balanceOf", lp)
    pool.transact("requestRedeem", held, sender=lp)
    world.skip(COOLDOWN + WINDOW + 1)
    receipt = pool.transact("requestRedeem", held, sender=lp)
    assert pool.events(receipt, "RedeemRequested")[0].args.totalShares == held


def test_request_redeem__terms_change__keeps_those_it_was_asked_with(world, pool, lp):
    pool.transact("requestRedeem", 10**12, sender=lp)
    before = pool.call("exitRequest", lp)
    world.set_pool(cooldown=30 * DAY, redeemWindow=3_600)
    assert pool.call("exitRequest", lp) == before


@pytest.mark.parametrize("tier", [0, 4])
def test_request_and_cancel__in_every_tier__allowed(world, pool, lp, tier):
    if tier:
        world.raise_tier(tier)
    pool.transact("requestRedeem", 10**12, sender=lp)
    pool.transact("cancelRequest", sender=lp)


def test_request_redeem__bad_input__refused_by_its_own_error(world, pool, lp, refuses):
    held = pool.call("balanceOf", lp)
    with refuses("LedgerVault_ZeroAmount"):
        pool.call("requestRedeem", 0, sender=lp)
    with refuses("LedgerVault_InsufficientShares", lp, held, held + 1):
        pool.call("requestRedeem", held + 1, sender=lp)
    pool.transact("requestRedeem", held - 1, sender=lp)
    with refuses("LedgerVault_InsufficientShares", lp, 1, 2):
        pool.call("requestRedeem", 2, sender=lp)
    nobody = world.address("bob")
    with refuses("LedgerVault_InsufficientShares", nobody, 0, 1):
        pool.call("requestRedeem", 1, sender=nobody)


def test_request_redeem__fund__is_not_needed(world, refuses):
    staker = world.address("staker")
    with refuses("LedgerVault_NoRequestNeeded"):
        world.fund.call("requestRedeem", 1, sender=staker)
    with refuses("LedgerVault_NotRequested", staker):
        world.fund.call("cancelRequest", sender=staker)
    assert world.fund.call("maxRedeem", staker) == world.fund.call("balanceOf", staker)


def test_cancel_request__gives_the_shares_back(world, pool, lp, refuses):
    held = pool.call("balanceOf", lp)
    pool.transact("requestRedeem", held, sender=lp)
    with refuses("LedgerVault_InsufficientShares", lp, 0, 1):
        pool.call("transfer", world.address("bob"), 1, sender=lp)
    receipt = pool.transact("cancelRequest", sender=lp)
    assert tuple(pool.events(receipt, "RequestCancelled")[0].args) == (lp, held)
    assert tuple(pool.call("exitRequest", lp)) == (0, 0, 0)
    pool.transact("transfer", world.address("bob"), held, sender=lp)
    with refuses("LedgerVault_NotRequested", lp):
        pool.call("cancelRequest", sender=lp)


# ---------------------------------------------------------------------- the clock


def test_redeem__each_second_around_the_window__by_the_clock(world, pool, lp, refuses):
    pool.transact("requestRedeem", 10**12, sender=lp)
    request = pool.call("exitRequest", lp)
    for at, error in (
        (request.unlocksAt - 1, ("LedgerVault_Cooling", lp, request.unlocksAt - 1, request[1])),
        (request.unlocksAt, None),
        (request.expiresAt, None),
        (request.expiresAt + 1, ("LedgerVault_Lapsed", lp, request.expiresAt + 1, request[2])),
    ):
        world.skip(at - world.now)
        assert world.now == at
        assert (limits(pool, lp) != (0, 0)) == (error is None)
        for function, amount in (("redeem", 10**12), ("withdraw", 10**6)):
            if error is None:
                pool.call(function, amount, lp, lp, sender=lp)
            else:
                with refuses(*error):
                    pool.call(function, amount, lp, lp, sender=lp)


def test_redeem__without_a_request__refused(world, pool, lp, refuses):
    assert limits(pool, lp) == (0, 0)
    for function in ("redeem", "withdraw"):
        with refuses("LedgerVault_NotRequested", lp):
            pool.call(function, 1, lp, lp, sender=lp)


def test_redeem__in_parts__uses_the_request_up(world, pool, lp, cooled, refuses):
    pool.transact("redeem", 10**12, lp, lp, sender=lp)
    assert pool.call("exitRequest", lp).shares == cooled - 10**12
    pool.transact("withdraw", 10**6, lp, lp, sender=lp)
    assert pool.call("exitRequest", lp).shares == cooled - 2 * 10**12
    assert pool.call("maxRedeem", lp) == cooled - 2 * 10**12
    pool.transact("redeem", cooled - 2 * 10**12, lp, lp, sender=lp)
    assert tuple(pool.call("exitRequest", lp)) == (0, 0, 0)
    with refuses("LedgerVault_NotRequested", lp):
        pool.call("redeem", 1, lp, lp, sender=lp)


def test_redeem__more_than_requested__refused_with_the_limit(world, pool, lp, refuses):
    pool.transact("requestRedeem", 10**12, sender=lp)
    world.skip(COOLDOWN)
    assert limits(pool, lp) == (10**12, 10**6)
    with refuses("ERC4626ExceededMaxRedeem", lp, 10**12 + 1, 10**12):
        pool.call("redeem", 10**12 + 1, lp, lp, sender=lp)
    with refuses("ERC4626ExceededMaxWithdraw", lp, 10**6 + 1, 10**6):
        pool.call("withdraw", 10**6 + 1, lp, lp, sender=lp)


def test_redeem__loss_while_cooling__is_borne_by_who_leaves(world, pool, lp):
    held = pool.call("balanceOf", lp)
    pool.transact("requestRedeem", held, sender=lp)
    world.settle("alice", 5_000_000 * WAD)  # Traders win what the pool loses.
    world.skip(COOLDOWN)
    assert pool.call("maxWithdraw", lp) == 15_000_000 * 10**6
    assert pool.call("redeem", held, lp, lp, sender=lp) == 15_000_000 * 10**6


def test_redeem__by_another__takes_allowance_and_the_owners_request(
    world, pool, lp, cooled, refuses
):
    bob = world.address("bob")
    with refuses("ERC20InsufficientAllowance", bob, 0, 10**12):
        pool.call("redeem", 10**12, bob, lp, sender=bob)
    pool.transact("approve", bob, 10**12, sender=lp)
    pool.transact("redeem", 10**12, bob, lp, sender=bob)
    assert pool.call("exitRequest", lp).shares == cooled - 10**12
    assert tuple(pool.call("exitRequest", bob)) == (0, 0, 0)


# ---------------------------------------------------------------------- requested shares stay


def test_transfer__requested_shares__refused_until_used_cancelled_or_lapsed(
    world, pool, lp, refuses
):
    bob, held = world.address("bob"), pool.call("balanceOf", lp)
    pool.transact("approve", bob, 2**256 - 1, sender=lp)
    pool.transact("requestRedeem", held - 7, sender=lp)
    for wait in (0, COOLDOWN, WINDOW):
        world.skip(wait)
        pool.call("transfer", bob, 7, sender=lp)
        with refuses("LedgerVault_InsufficientShares", lp, 7, 8):
            pool.call("transfer", bob, 8, sender=lp)
        with refuses("LedgerVault_InsufficientShares", lp, 7, 8):
            pool.call("transferFrom", lp, bob, 8, sender=bob)
        with refuses("ERC20InsufficientBalance", lp, held, held + 1):
            pool.call("transfer", bob, held + 1, sender=lp)
    world.skip(1)
    pool.transact("transfer", bob, held, sender=lp)
    # Bought shares have not cooled.
    with refuses("LedgerVault_NotRequested", bob):
        pool.call("redeem", 10**12, bob, bob, sender=bob)


def test_transfer__to_who_asked__does_not_grow_the_request(world, pool, lp):
    bob = world.address("bob")
    pool.transact("transfer", bob, 10**12, sender=lp)
    pool.transact("requestRedeem", 10**12, sender=bob)
    world.skip(COOLDOWN)
    pool.transact("transfer", bob, 10**12, sender=lp)
    assert limits(pool, bob) == (10**12, 10**6)
