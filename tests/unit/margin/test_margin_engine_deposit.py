"""Adding margin: what arrives is credited, in every kind of token, and debt is repaid first."""

from __future__ import annotations

import pytest

WAD = 10**18
USDB, LST, WBTC, WETH = 0, 1, 2, 3


def test_deposit__settlement_token__becomes_principal(world):
    before = world.totals()
    receipt = world.deposit("alice", 1_234_567)

    amount = 1_234_567 * 10**12
    assert world.ledger("alice").cash == amount
    assert world.totals() == before._replace(principal=before.principal + amount)
    [event] = world.margin.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "Deposited",
        (world.account("alice"), USDB, 1_234_567, 0),
    )


@pytest.mark.parametrize(
    ("collateral", "amount"),
    [(LST, 3 * WAD + 1), (WBTC, 250_000_001), (WETH, 7)],
    ids=["pegged-18", "8-decimals", "18-decimals"],
)
def test_deposit__collateral__is_booked_in_token_units(world, collateral, amount):
    token = world.token(collateral)
    totals = world.totals()
    held = token.call("balanceOf", world.address("alice"))
    receipt = world.deposit("alice", amount, collateral)

    assert world.margin.call("collateralBalance", world.account("alice"), collateral) == amount
    assert world.margin.call("totalCollateral", collateral) == amount
    assert token.call("balanceOf", world.custody.address) == amount
    assert token.call("balanceOf", world.address("alice")) == held - amount
    assert world.ledger("alice").collateralMask == 1 << collateral
    assert world.totals() == totals
    [event] = world.margin.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "Deposited",
        (world.account("alice"), collateral, amount, 0),
    )


def test_deposit__two_collaterals_and_two_people__are_kept_apart(world):
    world.deposit("alice", 5, WBTC)
    world.deposit("alice", 6, WETH)
    world.deposit("bob", 7, WBTC)
    world.deposit("alice", 8, WBTC)
    assert world.ledger("alice").collateralMask == 1 << WBTC | 1 << WETH
    assert world.ledger("bob").collateralMask == 1 << WBTC
    balances = [
        world.margin.call("collateralBalance", world.account(who), collateral)
        for who in ("alice", "bob")
        for collateral in (WBTC, WETH)
    ]
    assert balances == [13, 6, 7, 0]
    assert world.margin.call("totalCollateral", WBTC) == 20


def test_deposit__sub_account__is_another_account(world):
    world.deposit("alice", 10**6, sub=1)
    assert world.ledger("alice").cash == 0
    assert world.ledger("alice", 1).cash == WAD


def test_deposit__account_of_another__refused(world, refuses):
    account = world.account("alice")
    bob = world.address("bob")
    with refuses("AccountOperators_NotAuthorized", account, bob, 1):
        world.margin.call("deposit", account, USDB, 1, sender=bob)


def test_deposit__zero__refused(world, refuses):
    with refuses("MarginEngine_ZeroAmount"):
        world.margin.call("deposit", world.account("alice"), USDB, 0, sender=world.address("alice"))


def test_deposit__unknown_collateral__refused(world, refuses):
    with refuses("RiskParameters_UnknownCollateral", 4):
        world.margin.call("deposit", world.account("alice"), 4, 1, sender=world.address("alice"))


def test_deposit__up_to_the_cap__accepted(world, refuses):
    world.set_collateral(WBTC, cap=1_000)
    world.deposit("alice", 400, WBTC)
    world.deposit("bob", 600, WBTC)
    with refuses("MarginEngine_CollateralCap", WBTC, 1_001, 1_000):
        world.deposit("carol", 1, WBTC)


def test_deposit__cap_lowered_below_what_is_held__only_stops_more(world, refuses):
    world.deposit("alice", 400, WBTC)
    world.set_collateral(WBTC, cap=0)
    with refuses("MarginEngine_CollateralCap", WBTC, 401, 0):
        world.deposit("alice", 1, WBTC)
    assert world.margin.call("totalCollateral", WBTC) == 400


def test_deposit__with_debt__repays_it_to_the_pool_first(world, owe):
    owe("alice", 10 * WAD)
    before = world.totals()
    receipt = world.deposit("alice", 4 * 10**6)
    assert world.ledger("alice").cash == -6 * WAD
    assert world.totals() == before._replace(
        debt=before.debt - 4 * WAD, poolCash=before.poolCash + 4 * WAD
    )
    [event] = world.margin.events(receipt, "Deposited")
    assert (event.args.amountTokens, event.args.debtRepaid) == (4 * 10**6, 4 * WAD)

    receipt = world.deposit("alice", 10 * 10**6)
    assert world.ledger("alice").cash == 4 * WAD
    assert world.totals() == before._replace(
        debt=before.debt - 10 * WAD,
        poolCash=before.poolCash + 10 * WAD,
        principal=before.principal + 4 * WAD,
    )
    [event] = world.margin.events(receipt, "Deposited")
    assert (event.args.amountTokens, event.args.debtRepaid) == (10 * 10**6, 6 * WAD)


def test_deposit__in_a_halt__accepted(world):
    world.raise_tier(4)
    world.deposit("alice", 10**6)
    assert world.ledger("alice").cash == WAD


def test_deposit__stale_prices__accepted(world):
    for asset in ("ETH", "BTC", "LST/ETH"):
        world.silence(asset)
    world.deposit("alice", 10**6)
    world.deposit("alice", WAD, LST)
    assert world.ledger("alice").cash == WAD
    assert world.margin.call("collateralBalance", world.account("alice"), LST) == WAD


def test_donate__to_custody__changes_nothing(world):
    world.deposit("alice", 10**6)
    world.deposit("alice", 5, WBTC)
    surplus = world.surplus()
    totals = world.totals()
    valuation = world.valuation("alice")
    nav = world.pool.call("netAssetValue")
    for token in (world.usdb, world.wbtc):
        token.transact("transfer", world.custody.address, 10**6, sender=world.address("bob"))
    assert world.totals() == totals
    assert world.valuation("alice") == valuation
    assert world.pool.call("netAssetValue") == nav
    assert world.margin.call("totalCollateral", WBTC) == 5
    assert world.surplus() == surplus + WAD

    # What was given is nobody's: the next deposit does not pick it up.
    world.deposit("bob", 3 * 10**6)
    assert world.ledger("bob").cash == 3 * WAD
