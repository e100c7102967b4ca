"""Taking margin out: at most what is held, never below the initial margin, principal always."""

from __future__ import annotations

import pytest

WAD = 10**18
USDB, LST, WBTC, WETH = 0, 1, 2, 3
WITHDRAW = 1
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)


@pytest.fixture
def withdraw(world):
    """Take margin out, to oneself unless told otherwise."""

    def _withdraw(who, amount_tokens, collateral=0, receiver=None):
        return world.margin.transact(
            "withdraw",
            world.account(who),
            collateral,
            amount_tokens,
            world.address(receiver or who),
            sender=world.address(who),
        )

    return _withdraw


@pytest.fixture
def long_position(world):
    """Alice: 10,000 of cash and a long of 10 ETH. Returns her initial margin."""
    world.deposit("alice", 10_000 * 10**6)
    world.trade("alice", 10 * WAD)
    return world.valuation("alice")


def test_withdraw__principal__pays_the_receiver(world, withdraw):
    world.deposit("alice", 10 * 10**6)
    totals = world.totals()
    bob = world.usdb.call("balanceOf", world.address("bob"))
    receipt = withdraw("alice", 3 * 10**6 + 1, receiver="bob")

    paid = 3 * WAD + 10**12
    assert world.usdb.call("balanceOf", world.address("bob")) == bob + 3 * 10**6 + 1
    assert world.ledger("alice").cash == 10 * WAD - paid
    assert world.totals() == totals._replace(principal=totals.principal - paid)
    [event] = world.margin.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "Withdrawn",
        (world.account("alice"), USDB, 3 * 10**6 + 1, world.address("bob")),
    )


@pytest.mark.parametrize("collateral", [LST, WBTC, WETH])
def test_withdraw__collateral__pays_and_clears_the_mask_with_the_last_unit(
    world, withdraw, collateral
):
    token = world.token(collateral)
    held = token.call("balanceOf", world.address("alice"))
    world.deposit("alice", 1_000, collateral)
    world.deposit("alice", 5, WETH if collateral != WETH else LST)
    receipt = withdraw("alice", 999, collateral)
    assert world.ledger("alice").collateralMask & 1 << collateral
    [event] = world.margin.events(receipt)
    assert tuple(event.args) == (world.account("alice"), collateral, 999, world.address("alice"))

    withdraw("alice", 1, collateral)
    rest = WETH if collateral != WETH else LST
    assert world.ledger("alice").collateralMask == 1 << rest
    assert world.margin.call("totalCollateral", collateral) == 0
    assert token.call("balanceOf", world.address("alice")) == held


def test_withdraw__more_principal_than_held__refused(world, withdraw, refuses):
    world.deposit("alice", 10)
    account = world.account("alice")
    with refuses("MarginEngine_InsufficientBalance", account, USDB, 10, 11):
        withdraw("alice", 11)


def test_withdraw__fraction_of_a_token_unit__stays(world, withdraw, refuses):
    world.deposit("alice", 10)
    world.settle("alice", -1)
    account = world.account("alice")
    with refuses("MarginEngine_InsufficientBalance", account, USDB, 9, 10):
        withdraw("alice", 10)
    withdraw("alice", 9)
    assert world.ledger("alice").cash == 10**12 - 1


def test_withdraw__more_collateral_than_held__refused(world, withdraw, refuses):
    world.deposit("alice", 10, WBTC)
    world.deposit("bob", 10, WBTC)
    account = world.account("alice")
    with refuses("MarginEngine_InsufficientBalance", account, WBTC, 10, 11):
        withdraw("alice", 11, WBTC)


def test_withdraw__with_debt__holds_no_principal(world, withdraw, owe, refuses):
    owe("alice", WAD)
    with refuses("MarginEngine_InsufficientBalance", world.account("alice"), USDB, 0, 1):
        withdraw("alice", 1)


def test_withdraw__claim__is_no_principal(world, withdraw, refuses):
    world.deposit("alice", 10)
    world.settle("alice", 5 * WAD)
    with refuses("MarginEngine_InsufficientBalance", world.account("alice"), USDB, 10, 11):
        withdraw("alice", 11)


def test_withdraw__zero__refused(world, withdraw, refuses):
    with refuses("MarginEngine_ZeroAmount"):
        withdraw("alice", 0)


def test_withdraw__to_nobody_or_custody__refused(world, withdraw, refuses):
    world.deposit("alice", 10)
    for receiver in ("0x" + "00" * 20, world.custody.address):
        with refuses("MarginEngine_InvalidReceiver", receiver):
            withdraw("alice", 1, receiver=receiver)


def test_withdraw__account_of_another__refused(world, refuses):
    world.deposit("alice", 10)
    account, bob = world.account("alice"), world.address("bob")
    with refuses("AccountOperators_NotAuthorized", account, bob, 4):
        world.margin.call("withdraw", account, USDB, 1, bob, sender=bob)


def test_withdraw__unknown_collateral__refused(withdraw, refuses):
    with refuses("RiskParameters_UnknownCollateral", 4):
        withdraw("alice", 1, 4)


@pytest.mark.parametrize(("tier", "allowed"), [(0, True), (2, True), (3, False), (4, False)])
def test_withdraw__by_tier__stops_above_2(world, withdraw, refuses, tier, allowed):
    world.deposit("alice", 10)
    if tier:
        world.raise_tier(tier)
    if allowed:
        withdraw("alice", 10)
        assert world.ledger("alice").cash == 0
    else:
        with refuses("CircuitBreaker_Blocked", WITHDRAW, tier, 2):
            withdraw("alice", 10)


def test_withdraw__down_to_the_initial_margin__accepted_to_the_unit(
    world, withdraw, long_position, refuses
):
    v = long_position
    # 10 ETH at 3,000, 6 % of it; a fresh position has nothing but its fee to count.
    assert v.initialMargin == 10 * 3_000 * WAD * 6 // 100
    spare_tokens = (v.equityInitial - v.initialMargin) // 10**12
    account = world.account("alice")
    world.freeze()
    with refuses(
        "MarginEngine_BelowInitialMargin",
        account,
        v.equityInitial - (spare_tokens + 1) * 10**12,
        v.initialMargin,
    ):
        world.margin.call(
            "withdraw",
            account,
            USDB,
            spare_tokens + 1,
            world.address("alice"),
            sender=world.address("alice"),
        )
    world.freeze()
    withdraw("alice", spare_tokens)
    after = world.valuation("alice")
    assert after.initialMargin <= after.equityInitial < after.initialMargin + 10**12


def test_withdraw__collateral_below_the_initial_margin__refused(
    world, withdraw, long_position, refuses
):
    world.deposit("alice", WAD, WETH)
    cash = world.ledger("alice").cash
    withdraw("alice", cash // 10**12 - 1_000 * 10**6)
    # 1,000 of cash and 2,760 of WETH after its haircut, against 1,800: the WETH may lose 1,960.
    v = world.valuation("alice")
    assert (v.initialMargin, v.equityInitial // 10**12) == (1_800 * WAD, 3_760 * 10**6)
    kept = -(-(v.initialMargin - world.ledger("alice").cash) * WAD // (2_760 * WAD))
    world.freeze()
    with refuses("MarginEngine_BelowInitialMargin"):
        withdraw("alice", WAD - kept + 1, WETH)
    world.freeze()
    withdraw("alice", WAD - kept, WETH)


def test_withdraw__unrealised_profit__cannot_be_taken(world, withdraw, long_position, refuses):
    world.publish("ETH", 4_000 * WAD)
    cash = world.ledger("alice").cash
    v = world.valuation("alice")
    assert v.equityMaintenance > cash
    assert v.equityInitial == cash
    required = 10 * 4_000 * WAD * 6 // 100
    assert v.initialMargin == required
    withdraw("alice", (cash - required) // 10**12)
    with refuses("MarginEngine_BelowInitialMargin"):
        withdraw("alice", 1)


@pytest.mark.parametrize("status", [STALE, UNCONFIRMED, DEGRADED])
def test_withdraw__position_and_a_bad_price__refused(
    world, withdraw, long_position, refuses, status
):
    world.worsen("ETH", status)
    with refuses("ActionPolicy_PriceStatus", WITHDRAW, status, VALID):
        withdraw("alice", 1)


@pytest.mark.parametrize("status", [STALE, UNCONFIRMED, DEGRADED])
def test_withdraw__debt_and_a_bad_price_of_the_collateral__refused(
    world, withdraw, owe, refuses, status
):
    owe("alice", WAD)
    world.deposit("alice", WAD, WETH)
    world.worsen("ETH", status)
    with refuses("ActionPolicy_PriceStatus", WITHDRAW, status, VALID):
        withdraw("alice", 1, WETH)


def test_withdraw__nothing_owed_and_every_price_stale__pays_everything(world, withdraw):
    world.deposit("alice", 10)
    for collateral in (LST, WBTC, WETH):
        world.deposit("alice", 10, collateral)
    world.settle("alice", WAD)
    for asset in ("ETH", "BTC", "LST/ETH"):
        world.silence(asset)
    for collateral in (USDB, LST, WBTC, WETH):
        withdraw("alice", 10, collateral)
    assert world.ledger("alice").cash == 0
    assert world.ledger("alice").collateralMask == 0


def test_withdraw__debt__keeps_its_initial_margin(world, withdraw, owe, refuses):
    owe("alice", 1_000 * WAD)
    world.deposit("alice", WAD, WETH)
    v = world.valuation("alice")
    assert v.initialMargin == 200 * WAD  # 20 % of the debt.
    assert v.equityInitial == -1_000 * WAD + 3_000 * WAD * 92 // 100
    # 1,200 of value must stay: at 2,760 per WETH that is 0.4347826086956521739… of it.
    stays = -(-1_200 * WAD * WAD // (2_760 * WAD))
    withdraw("alice", WAD - stays, WETH)
    with refuses("MarginEngine_BelowInitialMargin"):
        withdraw("alice", 1, WETH)
