"""Selling collateral for debt: price over time, partial takes, exact payment, beginning and end."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id

WAD = 10**18
ETH = 0
USDB, LST, WBTC, WETH = 0, 1, 2, 3
LIQUIDATE, TAKE = 5, 6
STALE, UNCONFIRMED, DEGRADED = range(3)
DURATION = 1_200
TOP, FLOOR = 3_150 * WAD, 2_760 * WAD


def ceil_div(n, d):
    return -(-n // d)


def payment(amount, price):
    """USDB units for WETH units: WAD rounded up, then token units rounded up."""
    return ceil_div(ceil_div(amount * price, WAD), 10**12)


def test_start_auction__unhealthy_debtor__starts_the_clock(world, indebted):
    receipt = world.liquidation.transact(
        "startAuction", world.account("alice"), WETH, sender=world.address("keeper")
    )
    [event] = world.liquidation.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "AuctionStarted",
        (world.account("alice"), WETH, world.now),
    )
    assert world.liquidation.call("auctionStartedAt", world.account("alice"), WETH) == world.now


def test_start_auction__running__refused_until_it_is_over(world, indebted, start_auction, refuses):
    started = start_auction()
    account = world.account("alice")
    world.skip(2 * DURATION - 1)
    with refuses("LiquidationEngine_AuctionRunning", account, WETH, started):
        start_auction()
    # The refused attempt was at the last second of the auction; this one is after it.
    assert start_auction() == started + 2 * DURATION + 1


def test_start_auction__healthy__refused(world, refuses):
    world.deposit("alice", WAD, WETH)
    world.settle("alice", -1_000 * WAD)
    v = world.valuation("alice")
    with refuses(
        "LiquidationEngine_Healthy",
        world.account("alice"),
        v.equityMaintenance,
        v.maintenanceMargin,
    ):
        world.liquidation.call("startAuction", world.account("alice"), WETH)


def test_start_auction__without_debt__refused(world, unhealthy, refuses):
    world.deposit("alice", 1, WETH)
    with refuses("LiquidationEngine_NoDebt", world.account("alice")):
        world.liquidation.call("startAuction", world.account("alice"), WETH)


def test_start_auction__collateral_not_held__refused(world, indebted, refuses):
    with refuses("LiquidationEngine_NoCollateral", world.account("alice"), WBTC):
        world.liquidation.call("startAuction", world.account("alice"), WBTC)


@pytest.mark.parametrize(("tier", "allowed"), [(3, True), (4, False)])
def test_start_auction__by_tier__goes_on_below_a_halt(world, indebted, refuses, tier, allowed):
    world.raise_tier(tier)
    if allowed:
        world.liquidation.call("startAuction", world.account("alice"), WETH)
    else:
        with refuses("CircuitBreaker_Blocked", LIQUIDATE, 4, 3):
            world.liquidation.call("startAuction", world.account("alice"), WETH)


@pytest.mark.parametrize(
    ("elapsed", "price"),
    [
        (0, TOP),
        (1, FLOOR + ceil_div((TOP - FLOOR) * 1_199, 1_200)),
        (600, (TOP + FLOOR) // 2),
        (1_199, FLOOR + ceil_div(TOP - FLOOR, 1_200)),
        (1_200, FLOOR),
        (2_400, FLOOR),
    ],
)
def test_auction_price__over_time__falls_from_above_the_market_to_the_margin_valuation(
    world, indebted, start_auction, elapsed, price
):
    start_auction()
    if elapsed:
        world.skip(elapsed)
    assert world.liquidation.call("auctionPrice", world.account("alice"), WETH) == price
    assert price >= world.valuer.call("collateralValuation", WETH).maintenancePrice


def test_auction_price__after_twice_the_duration__there_is_none(
    world, indebted, start_auction, take, refuses
):
    start_auction()
    world.skip(2 * DURATION + 1)
    for function, arguments in (
        ("auctionPrice", ()),
        ("takeAuction", (1, 2**255, world.address("bob"), b"")),
    ):
        with refuses("LiquidationEngine_NoAuction", world.account("alice"), WETH):
            world.liquidation.call(
                function, world.account("alice"), WETH, *arguments, sender=world.address("bob")
            )


def test_auction_price__pegged_collateral__starts_at_its_market_and_ends_at_maintenance(
    world, start_auction
):
    world.publish("LST/ETH", WAD * 98 // 100)
    world.peg.transact("poke", asset_id("LST"), sender=world.address("keeper"))
    world.deposit("alice", 38 * WAD // 100, LST)
    world.settle("alice", -1_000 * WAD)
    start_auction(collateral=LST)
    v = world.valuer.call("collateralValuation", LST)
    account = world.account("alice")
    assert v.marketPrice == 2_940 * WAD
    top = v.marketPrice + v.marketPrice // 20
    assert world.liquidation.call("auctionPrice", account, LST) == top
    world.skip(DURATION)
    v = world.valuer.call("collateralValuation", LST)
    assert world.liquidation.call("auctionPrice", account, LST) == v.maintenancePrice


def test_auction_price__no_auction__refused(world, indebted, refuses):
    with refuses("LiquidationEngine_NoAuction", world.account("alice"), WETH):
        world.liquidation.call("auctionPrice", world.account("alice"), WETH)


def test_take_auction__at_the_start__sells_what_repays_the_debt(
    world, indebted, start_auction, take
):
    start_auction()
    world.freeze()
    before = world.totals()
    bob = world.address("bob")
    weth, usdb = world.weth.call("balanceOf", bob), world.usdb.call("balanceOf", bob)
    args = take()

    amount = ceil_div(1_000 * WAD * WAD, TOP)
    paid = payment(amount, TOP)
    assert tuple(args) == (world.account("alice"), WETH, bob, amount, paid, TOP)
    assert world.weth.call("balanceOf", bob) == weth + amount
    assert world.usdb.call("balanceOf", bob) == usdb - paid
    # The debt is repaid to the pool; what rounding brought above it is alice's.
    excess = paid * 10**12 - 1_000 * WAD
    assert 0 <= excess < 2 * 10**12
    assert world.ledger("alice").cash == excess
    assert world.totals() == before._replace(
        debt=0, poolCash=before.poolCash + 1_000 * WAD, principal=before.principal + excess
    )
    account = world.account("alice")
    assert world.margin.call("collateralBalance", account, WETH) == 38 * WAD // 100 - amount
    # Nothing is owed any more: the auction is over.
    assert world.liquidation.call("auctionStartedAt", account, WETH) == 0


def test_take_auction__part__goes_on_with_the_rest(world, indebted, start_auction, take):
    started = start_auction()
    world.rpc.set_next_timestamp(started + 600)
    price = (TOP + FLOOR) // 2
    args = take(amount=WAD // 10)
    assert tuple(args)[3:] == (WAD // 10, payment(WAD // 10, price), price)
    account = world.account("alice")
    assert world.liquidation.call("auctionStartedAt", account, WETH) == started
    assert world.ledger("alice").cash == payment(WAD // 10, price) * 10**12 - 1_000 * WAD
    world.rpc.set_next_timestamp(started + 900)
    if world.liquidation.call("isLiquidatable", account):
        take(amount=WAD // 100, buyer="carol")


def test_take_auction__all_that_is_left__ends_it_with_debt_remaining(world, start_auction, take):
    world.deposit("alice", WAD // 10, WETH)
    world.settle("alice", -1_000 * WAD)
    started = start_auction()
    world.rpc.set_next_timestamp(started + DURATION)
    receipt_args = take()
    assert (receipt_args.amountTokens, receipt_args.auctionPrice) == (WAD // 10, FLOOR)
    assert receipt_args.paymentTokens == 276 * 10**6
    assert world.ledger("alice").cash == -724 * WAD
    assert world.ledger("alice").collateralMask == 0
    assert world.liquidation.call("auctionStartedAt", world.account("alice"), WETH) == 0


def test_take_auction__at_the_floor__leaves_equity_where_it_was(world, start_auction, take):
    world.deposit("alice", WAD // 10, WETH)
    world.settle("alice", -1_000 * WAD)
    started = start_auction()
    before = world.valuation("alice").equityMaintenance
    world.rpc.set_next_timestamp(started + DURATION)
    take(amount=WAD // 30)
    assert 0 <= world.valuation("alice").equityMaintenance - before <= 10**12


def test_take_auction__one_unit__is_paid_at_least_a_token_unit(
    world, indebted, start_auction, take
):
    start_auction()
    args = take(amount=1)
    assert (args.amountTokens, args.paymentTokens) == (1, 1)


def test_take_auction__eight_decimals__is_exact(world, start_auction, take):
    world.deposit("alice", 2_000_000, WBTC)  # 0.02: 1,080 after its haircut.
    world.settle("alice", -1_000 * WAD)
    start_auction(collateral=WBTC)
    world.freeze()
    args = take(collateral=WBTC)
    price = 63_000 * WAD
    amount = ceil_div(ceil_div(1_000 * WAD * WAD, price), 10**10)
    assert tuple(args)[3:] == (amount, ceil_div(amount * 10**10 * price, WAD * 10**12), price)


@pytest.mark.parametrize("offset", [0, -1])
def test_take_auction__price_limit__is_met_to_the_wei(
    world, indebted, start_auction, refuses, offset
):
    start_auction()
    bob = world.address("bob")
    arguments = (world.account("alice"), WETH, 1, TOP + offset, bob, b"")
    if offset:
        with refuses("LiquidationEngine_PriceTooHigh", TOP, TOP - 1):
            world.liquidation.call("takeAuction", *arguments, sender=bob)
    else:
        world.liquidation.call("takeAuction", *arguments, sender=bob)


def test_take_auction__of_nothing__refused(world, indebted, start_auction, refuses, take):
    start_auction()
    with refuses("LiquidationEngine_ZeroAmount"):
        take(amount=0)


def test_take_auction__not_started__refused(world, indebted, refuses, take):
    with refuses("LiquidationEngine_NoAuction", world.account("alice"), WETH):
        take()


def test_take_auction__account_recovered__refused_and_may_be_ended(
    world, indebted, start_auction, refuses, take
):
    started = start_auction()
    account = world.account("alice")
    with refuses("LiquidationEngine_AuctionRunning", account, WETH, started):
        world.liquidation.call("endAuction", account, WETH)
    world.publish("ETH", 3_300 * WAD)
    v = world.valuation("alice")
    with refuses("LiquidationEngine_Healthy", account, v.equityMaintenance, v.maintenanceMargin):
        take()
    receipt = world.liquidation.transact(
        "endAuction", account, WETH, sender=world.address("keeper")
    )
    [event] = world.liquidation.events(receipt)
    assert (event.name, tuple(event.args)) == ("AuctionEnded", (account, WETH))
    with refuses("LiquidationEngine_NoAuction", account, WETH):
        world.liquidation.call("endAuction", account, WETH)


def test_take_auction__debt_repaid_meanwhile__refused(
    world, start_auction, unhealthy, refuses, take
):
    world.deposit("alice", 1_000, WETH)
    cash = world.ledger("alice").cash
    world.settle("alice", -cash - WAD)
    start_auction()
    world.deposit("alice", 10**6)
    assert world.liquidation.call("isLiquidatable", world.account("alice"))
    with refuses("LiquidationEngine_NoDebt", world.account("alice")):
        take()
    world.liquidation.transact(
        "endAuction", world.account("alice"), WETH, sender=world.address("keeper")
    )


def test_end_auction__over__may_be_ended_by_anyone(world, indebted, start_auction):
    start_auction()
    world.skip(2 * DURATION)
    world.liquidation.transact(
        "endAuction", world.account("alice"), WETH, sender=world.address("carol")
    )
    assert world.liquidation.call("auctionStartedAt", world.account("alice"), WETH) == 0


@pytest.mark.parametrize("action", ["startAuction", "takeAuction", "endAuction"])
@pytest.mark.parametrize("status", [STALE, UNCONFIRMED])
def test_auction__price_of_the_collateral_is_stale_or_unconfirmed__refused(
    world, indebted, start_auction, refuses, action, status
):
    account, bob = world.account("alice"), world.address("bob")
    if action != "startAuction":
        start_auction()
    world.worsen("ETH", status)
    arguments = (1, 2**255, bob, b"") if action == "takeAuction" else ()
    error = ("ActionPolicy_PriceStatus", TAKE, status, DEGRADED)
    if action == "endAuction" and status == STALE:
        error = ("LiquidationEngine_AuctionRunning",)
    with refuses(*error):
        world.liquidation.call(action, account, WETH, *arguments, sender=bob)


def test_auction__price_is_stale_and_the_account_bankrupt_all_the_same__has_no_price(
    world, start_auction, refuses
):
    world.deposit("alice", WAD // 10, WETH)
    world.settle("alice", -1_000 * WAD)
    start_auction()
    world.silence("ETH")
    account, bob = world.account("alice"), world.address("bob")
    v = world.valuation("alice")
    assert v.equityMaintenance + v.uncertain < v.maintenanceMargin
    for function, arguments in (("auctionPrice", ()), ("takeAuction", (1, 2**255, bob, b""))):
        with refuses("ActionPolicy_PriceStatus", TAKE, STALE, DEGRADED):
            world.liquidation.call(function, account, WETH, *arguments, sender=bob)


def test_auction__price_of_the_collateral_is_degraded__goes_on(
    world, indebted, start_auction, take
):
    world.degrade("ETH")
    start_auction()
    assert take(amount=WAD // 100).amountTokens == WAD // 100


@pytest.mark.parametrize(("tier", "allowed"), [(3, True), (4, False)])
def test_take_auction__by_tier__goes_on_below_a_halt(
    world, indebted, start_auction, refuses, take, tier, allowed
):
    start_auction()
    world.raise_tier(tier)
    if allowed:
        take(amount=1)
    else:
        with refuses("CircuitBreaker_Blocked", TAKE, 4, 3):
            take(amount=1)


def test_take_auction__by_the_debtor__costs_what_it_costs_anyone(
    world, indebted, start_auction, take
):
    start_auction()
    equity = world.valuation("alice").equityMaintenance
    args = take(buyer="alice", amount=WAD // 10)
    assert args.paymentTokens * 10**12 >= WAD // 10 * 3_000
    gained = world.valuation("alice").equityMaintenance - equity
    # She cannot buy her own collateral below what it counts for.
    assert gained == args.paymentTokens * 10**12 - WAD // 10 * 2_760


def test_take_auction__buyer_without_allowance__refused_and_nothing_moves(
    world, indebted, start_auction, refuses, take
):
    start_auction()
    bob = world.address("bob")
    world.freeze()
    world.usdb.transact("approve", world.custody.address, 0, sender=bob)
    with refuses("ERC20InsufficientAllowance", world.custody.address, 0, payment(WAD // 10, TOP)):
        world.liquidation.call(
            "takeAuction", world.account("alice"), WETH, WAD // 10, TOP, bob, b"", sender=bob
        )


def test_take_auction__receiver_is_nobody_or_custody__refused(
    world, indebted, start_auction, refuses
):
    start_auction()
    bob = world.address("bob")
    for receiver in ("0x" + "00" * 20, world.custody.address):
        with refuses("MarginEngine_InvalidReceiver", receiver):
            world.liquidation.call(
                "takeAuction", world.account("alice"), WETH, 1, TOP, receiver, b"", sender=bob
            )
