"""What a redemption has to leave: what open interest is covered with; limits exact to the unit."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH, BTC = 0, 1
DAY = 86_400
COOLDOWN, WINDOW = DAY, 2 * DAY


def ceil_div(n, d):
    return -(-n // d)


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


# ---------------------------------------------------------------------- coverage


@pytest.fixture
def traded(world, fund, cooled):
    """Alice is long 1,000 ether, Bob short 400 ether and 5 bitcoin, at awkward prices."""
    fund("alice", "bob")
    world.trade("alice", 1_000 * WAD + 1)
    world.trade("bob", -400 * WAD)
    world.trade("bob", -5 * WAD, market=BTC)
    world.publish("ETH", 3_010 * WAD + 7)


def by_hand(world, ratio):
    sides = 0
    for market in (ETH, BTC):
        m = world.perps.call("marketState", market)
        side = max(m.openInterestLong, m.openInterestShort)
        sides += ceil_div(side * world.index(market), WAD)
    return ceil_div(sides * ratio, WAD)


@pytest.mark.parametrize("ratio", [0, 1, WAD // 3, WAD, 5 * WAD])
def test_coverage__positions__is_the_ratio_of_the_greater_sides(world, pool, traded, ratio):
    world.set_pool(coverageRatio=ratio)
    assert pool.call("coverage") == by_hand(world, ratio)


@pytest.mark.parametrize("ratio", [WAD // 3, 5 * WAD])
def test_max__coverage_binds__is_exact_to_the_unit(world, pool, lp, cooled, traded, refuses, ratio):
    world.set_pool(coverageRatio=ratio)
    _, to_leave = pool.call("netAssetValue")
    free = (to_leave - by_hand(world, ratio)) // 10**12
    shares, assets = limits(pool, lp)
    assert 0 < assets == free < pool.call("previewRedeem", cooled)
    assert pool.call("previewRedeem", shares) == free
    assert pool.call("previewRedeem", shares + 1) == free + 1
    for function, most in (("redeem", shares), ("withdraw", assets)):
        pool.call(function, most, lp, lp, sender=lp)
        with refuses("LedgerVault_Coverage", free + 1, free):
            pool.call(function, most + 1, lp, lp, sender=lp)
    world.freeze()
    pool.transact("redeem", shares, lp, lp, sender=lp)
    _, left = pool.call("netAssetValue")
    assert 0 <= left - by_hand(world, ratio) < 10**12
    assert limits(pool, lp) == (0, 0)


def test_max__everything_is_needed__is_nothing(world, pool, lp, traded, refuses):
    world.settle("alice", 15_000_000 * WAD)
    world.set_pool(coverageRatio=5 * WAD)
    assert limits(pool, lp) == (0, 0)
    with refuses("LedgerVault_Coverage", 1, 0):
        pool.call("withdraw", 1, lp, lp, sender=lp)
    # Whoever brings cash is welcome, and opens the way by as much as she brings.
    assert pool.call("maxDeposit", lp) > 0


def test_max__no_positions__is_all_whatever_the_ratio(world, pool, lp, cooled):
    world.set_pool(coverageRatio=5 * WAD)
    assert pool.call("coverage") == 0
    assert pool.call("maxRedeem", lp) == cooled
    pool.transact("redeem", cooled, lp, lp, sender=lp)
    assert pool.call("totalSupply") == 0


def test_deposit__coverage_lacks__is_open_and_priced_as_ever(world, pool, traded):
    bob = world.address("bob")
    world.usdb.transact("approve", pool.address, 2**256 - 1, sender=bob)
    before = pool.call("previewDeposit", 10**9)
    world.set_pool(coverageRatio=5 * WAD)
    world.freeze()
    assert pool.call("previewDeposit", 10**9) == pool.call("deposit", 10**9, bob, sender=bob)
    assert abs(pool.call("previewDeposit", 10**9) - before) <= before // 10**6


def test_limits__unconfirmed_price__are_zero_and_say_why(world, pool, lp, traded, refuses):
    world.jolt("ETH")
    assert limits(pool, lp) == (0, 0)
    assert pool.call("maxDeposit", lp) == pool.call("maxMint", lp) == 0
    for function, arguments in (
        ("withdraw", (1, lp, lp)),
        ("redeem", (10**12, lp, lp)),
        ("deposit", (1, lp)),
        ("mint", (10**12, lp)),
    ):
        with refuses("LiquidityVault_Unpriced", ETH, 1):
            pool.call(function, *arguments, sender=lp)
