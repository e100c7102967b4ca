"""What a share of the pool is worth: to one who enters, to one who leaves, and when nothing."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH, BTC = 0, 1
POOL = 20_000_000 * WAD


def ceil_div(n, d):
    return -(-n // d)


@pytest.fixture
def ask(world):
    """Request all shares that somebody has not requested yet."""

    def _ask(who):
        address = world.address(who)
        free = (
            world.pool.call("balanceOf", address) - world.pool.call("exitRequest", address).shares
        )
        world.pool.transact("requestRedeem", free, sender=address)

    return _ask


@pytest.fixture
def lp(world, ask):
    """The first provider, all of whose shares can be redeemed."""
    world.set_pool(cooldown=0, coverageRatio=0)
    ask("lp")
    return world.address("lp")


@pytest.fixture
def supply(world, lp, ask):
    """Deposit into the pool and request all shares; return the new ones."""

    def _supply(who, assets):
        address = world.address(who)
        world.usdb.transact("approve", world.pool.address, 2**256 - 1, sender=address)
        receipt = world.pool.transact("deposit", assets, address, sender=address)
        ask(who)
        return world.pool.events(receipt, "Deposit")[0].args.shares

    return _supply


def by_hand(world):
    """NAV from the ledger and the markets as they are now."""
    t = world.totals()
    figures = [world.perps.call("closeOutPnl", market) for market in (ETH, BTC)]
    positive = sum(max(0, u) for u in figures)
    return (
        t.poolCash + t.debt - t.claims - sum(figures),
        t.poolCash - t.claims - positive,
    )


def assert_values(world):
    """NAV, total and previews follow from the ledger; entering costs at least what leaving pays."""
    to_enter, to_leave = by_hand(world)
    assert tuple(world.pool.call("netAssetValue")) == (to_enter, to_leave)
    assert to_enter >= to_leave
    enter_units = max(0, ceil_div(to_enter, 10**12))
    leave_units = max(0, to_leave // 10**12)
    shares = world.pool.call("totalSupply") + 10**6
    assert world.pool.call("totalAssets") == leave_units
    assert world.pool.call("previewDeposit", 10**6) == 10**6 * shares // (enter_units + 1)
    assert world.pool.call("previewRedeem", 10**12) == 10**12 * (leave_units + 1) // shares


def test_net_asset_value__fresh__is_the_cash(world):
    assert tuple(world.pool.call("netAssetValue")) == (POOL, POOL)
    assert_values(world)


def test_net_asset_value__claims__belong_to_traders(world):
    world.settle("alice", 1_000_000 * WAD)
    assert tuple(world.pool.call("netAssetValue")) == (POOL - 1_000_000 * WAD,) * 2


def test_net_asset_value__debt__counts_for_entering_alone(world):
    world.settle("alice", -1_000_000 * WAD)
    assert tuple(world.pool.call("netAssetValue")) == (POOL + 1_000_000 * WAD, POOL)
    assert_values(world)


@pytest.mark.parametrize("price", [2_900, 3_100])
def test_net_asset_value__open_positions__are_closed_on_the_curve(world, fund, price):
    fund("alice", "bob")
    world.trade("alice", 1_000 * WAD)
    world.trade("bob", -10 * WAD, market=BTC)
    world.publish("ETH", price * WAD)
    assert_values(world)
    to_enter, to_leave = world.pool.call("netAssetValue")
    eth = world.perps.call("closeOutPnl", ETH)
    assert (eth > 0) == (price > 3_000)
    if eth < 0:  # A trader's open loss is not the pool's yet, but costs one who enters.
        assert to_enter > to_leave


def test_net_asset_value__traders_trade_back_and_forth__does_not_move_by_their_trades(world, fund):
    fund("alice", "bob")
    world.set_market(ETH, takerFee=0)
    world.trade("alice", 1_000 * WAD)
    before = world.pool.call("netAssetValue")
    world.freeze()
    world.trade("bob", -5_000 * WAD)
    after = world.pool.call("netAssetValue")
    # Realised or not, on the curve or off it: the pool gains the rounding of price and cost alone.
    assert 0 <= after.toLeave - before.toLeave <= 5_002
    assert 0 <= after.toEnter - before.toEnter <= 5_002


def test_preview__in_the_same_second__equals_the_deed(world, fund, supply, lp):
    fund("alice")
    world.trade("alice", 4_000 * WAD)
    world.publish("ETH", 3_050 * WAD)
    world.skip(1_000)
    bob = world.address("bob")
    world.usdb.transact("approve", world.pool.address, 2**256 - 1, sender=bob)
    for kind, arguments, sender in (
        ("Deposit", (10**9 + 7, bob), bob),
        ("Mint", (10**15 + 7, bob), bob),
        ("Withdraw", (10**9 + 7, lp, lp), lp),
        ("Redeem", (10**15 + 7, lp, lp), lp),
    ):
        preview = world.pool.call(f"preview{kind}", arguments[0])
        assert world.pool.call(kind.lower(), *arguments, sender=sender) == preview
        world.freeze()
        receipt = world.pool.transact(kind.lower(), *arguments, sender=sender)
        name = "Deposit" if kind in ("Deposit", "Mint") else "Withdraw"
        args = world.pool.events(receipt, name)[0].args
        assert preview == (args.shares if kind in ("Deposit", "Withdraw") else args.assets)


def test_redeem__refreshes_every_market__and_deposit_none(world, fund, supply, lp):
    fund("alice")
    world.trade("alice", 100 * WAD)
    world.trade("alice", WAD, market=BTC)
    traded = world.now
    world.skip(500)
    world.publish("ETH", 3_010 * WAD)
    supply("bob", 10**6)
    for market in (ETH, BTC):
        assert world.margin.call("marketUnrealized", market).updatedAt <= traded
    world.pool.transact("redeem", 10**12, lp, lp, sender=lp)
    for market in (ETH, BTC):
        recorded = world.margin.call("marketUnrealized", market)
        assert recorded.updatedAt == world.now
        assert recorded.unrealized == world.perps.call("closeOutPnl", market)


def test_redeem__profit_of_traders__stays_covered(world, lp):
    world.settle("alice", 19_000_000 * WAD)
    shares = world.pool.call("balanceOf", lp)
    assert world.pool.call("maxWithdraw", lp) == 1_000_000 * 10**6
    world.pool.transact("redeem", shares, lp, lp, sender=lp)
    assert world.totals().poolCash == 19_000_000 * WAD
    assert world.margin.call("haircutRatio") == WAD


# ---------------------------------------------------------------------- h < 1


def test_limits__pool_owes_more_than_it_has__are_zero_and_everything_is_refused(world, lp, refuses):
    world.settle("alice", POOL + 10**12)
    assert world.margin.call("haircutRatio") < WAD
    bob = world.address("bob")
    world.usdb.transact("approve", world.pool.address, 2**256 - 1, sender=bob)
    for function, who in (
        ("maxDeposit", bob),
        ("maxMint", bob),
        ("maxWithdraw", lp),
        ("maxRedeem", lp),
    ):
        assert world.pool.call(function, who) == 0
    for function, error in (
        ("deposit", "ERC4626ExceededMaxDeposit"),
        ("mint", "ERC4626ExceededMaxMint"),
    ):
        with refuses(error, bob, 10**12, 0):
            world.pool.call(function, 10**12, bob, sender=bob)
    for function, error in (
        ("withdraw", "ERC4626ExceededMaxWithdraw"),
        ("redeem", "ERC4626ExceededMaxRedeem"),
    ):
        with refuses(error, lp, 10**12, 0):
            world.pool.call(function, 10**12, lp, lp, sender=lp)


def test_deposit__claims_exactly_covered__is_open(world, supply):
    world.settle("alice", POOL)
    assert tuple(world.pool.call("netAssetValue")) == (0, 0)
    assert supply("bob", 10**6) == 10**6 * (20_000_000 * 10**12 + 10**6)


def test_deposit__losers_paid_again__is_open_again(world, supply, refuses):
    world.settle("alice", POOL + WAD)
    with refuses("ERC4626ExceededMaxDeposit"):
        supply("bob", 10**6)
    world.deposit("dave", 10**6)
    world.settle("dave", -WAD)
    supply("bob", 10**6)


# ---------------------------------------------------------------------- stale prices


def test_limits__market_with_positions_is_stale__are_zero_and_everything_is_refused(
    world, fund, lp, refuses
):
    fund("alice")
    world.trade("alice", WAD)
    world.silence("ETH")
    bob = world.address("bob")
    world.usdb.transact("approve", world.pool.address, 2**256 - 1, sender=bob)
    for function, who in (
        ("maxDeposit", bob),
        ("maxMint", bob),
        ("maxWithdraw", lp),
        ("maxRedeem", lp),
    ):
        assert world.pool.call(function, who) == 0
    for function, arguments, sender in (
        ("deposit", (10**6, bob), bob),
        ("mint", (10**12, bob), bob),
        ("withdraw", (10**6, lp, lp), lp),
        ("redeem", (10**12, lp, lp), lp),
    ):
        with refuses("LiquidityVault_Unpriced", ETH, 0):
            world.pool.call(function, *arguments, sender=sender)


def test_deposit_and_redeem__stale_market_without_positions__work(world, supply, lp):
    world.silence("ETH")
    world.silence("BTC")
    assert world.pool.call("maxDeposit", lp) > 0
    assert world.pool.call("maxRedeem", lp) == world.pool.call("balanceOf", lp)
    shares = supply("bob", 10**6)
    bob = world.address("bob")
    assert world.pool.call("redeem", shares, bob, bob, sender=bob) == 10**6


def test_deposit_and_redeem__degraded_price__work(world, fund, supply):
    fund("alice")
    world.trade("alice", WAD)
    world.degrade("ETH")
    shares = supply("bob", 10**6)
    bob = world.address("bob")
    assert 0 < world.pool.call("redeem", shares, bob, bob, sender=bob) <= 10**6
