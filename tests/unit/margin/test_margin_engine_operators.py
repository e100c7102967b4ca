"""Acting for another's account, margin between accounts of one owner, and deposits by permit."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id
from bulkhead.model import eip712

WAD = 10**18
USDB, LST, WBTC, WETH = range(4)
DEPOSIT, TRADE, WITHDRAW, CONVERT, MANAGE_ORDERS = BITS = (1, 2, 4, 8, 16)
ALL = 31
VALID = 3
ACTION_TRANSFER = 12
SECOND = 1

# What Bob may do with the first account of Alice, and what it takes.
ACTS = {
    "deposit": (DEPOSIT, "margin", lambda w, a: (a, USDB, 1)),
    "depositWithPermit": (
        DEPOSIT,
        "margin",
        lambda w, a: (a, USDB, 1, 0, 27, bytes(32), bytes(32)),
    ),
    "withdraw": (WITHDRAW, "margin", lambda w, a: (a, USDB, 1, w.address("alice"))),
    "convert": (CONVERT, "margin", lambda w, a: (a, 1)),
    "trade": (TRADE, "perps", lambda w, a: (a, 0, WAD // 100, 2**255)),
}


@pytest.fixture
def rich(world):
    """Alice with cash and a matured claim on her first account."""
    world.deposit("alice", 10_000 * 10**6)
    world.settle("alice", 100 * WAD)
    world.skip(world.risk.call("compartmentParameters").vestingPeriod)
    for market in (0, 1):
        world.perps.transact("poke", market, sender=world.governor)
    for asset in ("ETH", "BTC"):
        world.publish(asset, world.oracle.call("latest", asset_id(asset)).price)
    for market in (0, 1):
        world.perps.transact("poke", market, sender=world.governor)
    return world.account("alice")


@pytest.fixture
def transfer(world):
    """Move margin from an account of Alice to her other, as herself unless told otherwise."""

    def _transfer(amount_tokens, collateral=USDB, sender="alice", source=0, **changes):
        arguments = {
            "from": world.account("alice", source),
            "to": world.account("alice", 1 - source),
            "collateral": collateral,
            "amountTokens": amount_tokens,
            **changes,
        }
        return world.margin.transact("transfer", *arguments.values(), sender=world.address(sender))

    return _transfer


# ---------------------------------------------------------------------- operators


@pytest.mark.parametrize("act", ACTS)
def test_operator__each_act__takes_its_permission_and_no_other(world, rich, refuses, act):
    needed, part, arguments = ACTS[act]
    contract, bob = getattr(world, part), world.address("bob")
    args = arguments(world, rich)
    with refuses("AccountOperators_NotAuthorized", rich, bob, needed):
        contract.call(act, *args, sender=bob)
    world.grant("alice", "bob", ALL - needed)
    with refuses("AccountOperators_NotAuthorized", rich, bob, needed):
        contract.call(act, *args, sender=bob)
    world.grant("alice", "bob", needed)
    contract.call(act, *args, sender=bob)
    # It is a permission for this account, and of nobody else.
    other = arguments(world, world.account("alice", SECOND))
    with refuses("AccountOperators_NotAuthorized", world.account("alice", SECOND), bob, needed):
        contract.call(act, *other, sender=bob)
    with refuses("AccountOperators_NotAuthorized", rich, world.address("carol"), needed):
        contract.call(act, *args, sender=world.address("carol"))


@pytest.mark.parametrize("act", ACTS)
def test_operator__whose_grant_is_over__refused(world, rich, refuses, act):
    needed, part, arguments = ACTS[act]
    contract, bob = getattr(world, part), world.address("bob")
    world.operators.transact(
        "setOperator", rich, bob, ALL, world.now + 10, sender=world.address("alice")
    )
    world.rpc.mine(world.operators.call("grantOf", rich, bob).expiresAt)
    with refuses("AccountOperators_NotAuthorized", rich, bob, needed):
        contract.call(act, *arguments(world, rich), sender=bob)


def test_operator__deposits__of_its_own_tokens(world):
    world.grant("alice", "bob", DEPOSIT)
    before = [world.usdb.call("balanceOf", world.address(who)) for who in ("alice", "bob")]
    account, bob = world.account("alice"), world.address("bob")
    world.margin.transact("deposit", account, USDB, 7, sender=bob)
    world.margin.transact("deposit", account, WETH, 5, sender=bob)
    after = [world.usdb.call("balanceOf", world.address(who)) for who in ("alice", "bob")]
    assert after == [before[0], before[1] - 7]
    assert world.ledger("alice").cash == 7 * 10**12
    assert world.margin.call("collateralBalance", account, WETH) == 5


def test_operator__withdraws__to_the_owner_only(world, refuses):
    world.deposit("alice", 100)
    world.grant("alice", "bob", ALL)
    account, alice, bob = world.account("alice"), world.address("alice"), world.address("bob")
    for receiver in (bob, world.address("carol"), world.operators.address):
        with refuses("MarginEngine_ReceiverNotOwner", account, receiver):
            world.margin.call("withdraw", account, USDB, 1, receiver, sender=bob)
    held = world.usdb.call("balanceOf", alice)
    world.margin.transact("withdraw", account, USDB, 60, alice, sender=bob)
    assert world.usdb.call("balanceOf", alice) == held + 60
    # The owner sends it anywhere.
    world.margin.transact("withdraw", account, USDB, 40, bob, sender=alice)
    assert world.ledger("alice").cash == 0


def test_operator__trades__on_the_owners_margin(world):
    world.deposit("alice", 10_000 * 10**6)
    world.grant("alice", "bob", TRADE)
    world.perps.transact(
        "trade", world.account("alice"), 0, WAD, 2**255, sender=world.address("bob")
    )
    assert (world.position("alice").size, world.position("bob").size) == (WAD, 0)


# ---------------------------------------------------------------------- transfers


def test_transfer__cash__moves_exactly_and_nothing_else(world, transfer):
    world.deposit("alice", 100)
    world.settle("alice", -1)
    world.deposit("alice", 3, sub=SECOND)
    totals, custody = world.totals(), world.usdb.call("balanceOf", world.custody.address)
    receipt = transfer(40)
    assert world.ledger("alice").cash == 60 * 10**12 - 1
    assert world.ledger("alice", SECOND).cash == 43 * 10**12
    assert world.totals() == totals
    assert world.usdb.call("balanceOf", world.custody.address) == custody
    [event] = world.margin.events(receipt)
    accounts = (world.account("alice"), world.account("alice", SECOND))
    assert (event.name, tuple(event.args)) == ("Transferred", (*accounts, USDB, 40, 0))


def test_transfer__to_an_account_in_debt__repays_that_first(world, owe, transfer):
    owe("alice", 30 * 10**12 + 5)
    world.deposit("alice", 100, sub=SECOND)
    totals = world.totals()
    receipt = transfer(40, source=SECOND)
    assert world.ledger("alice").cash == 10 * 10**12 - 5
    assert world.ledger("alice", SECOND).cash == 60 * 10**12
    repaid = 30 * 10**12 + 5
    assert world.totals() == totals._replace(
        principal=totals.principal - repaid, debt=0, poolCash=totals.poolCash + repaid
    )
    assert world.margin.events(receipt, "Transferred")[0].args.debtRepaid == repaid


@pytest.mark.parametrize("collateral", [LST, WBTC, WETH])
def test_transfer__collateral__moves_whatever_the_cap(world, transfer, collateral):
    world.deposit("alice", 100, collateral)
    world.set_collateral(collateral, cap=1)
    token = world.token(collateral)
    held = token.call("balanceOf", world.custody.address)
    for amount, mine, theirs in ((99, 1, 99), (1, 0, 100)):
        transfer(amount, collateral)
        for sub, expected in ((0, mine), (SECOND, theirs)):
            account = world.account("alice", sub)
            assert world.margin.call("collateralBalance", account, collateral) == expected
            mask = world.ledger("alice", sub).collateralMask
            assert mask == (1 << collateral if expected else 0)
    assert world.margin.call("totalCollateral", collateral) == 100
    assert token.call("balanceOf", world.custody.address) == held


def test_transfer__bad_input__refused_by_name(world, transfer, refuses):
    world.deposit("alice", 10)
    world.deposit("alice", 10, WBTC)
    first, second = world.account("alice"), world.account("alice", SECOND)
    bobs, bob = world.account("bob"), world.address("bob")
    for error, arguments in (
        (("MarginEngine_ForeignAccount", first, bobs), {"to": bobs}),
        (("MarginEngine_ForeignAccount", first, bytes(32)), {"to": bytes(32)}),
        (("MarginEngine_SameAccount", first), {"to": first}),
        (("MarginEngine_ZeroAmount",), {"amountTokens": 0}),
        (("RiskParameters_UnknownCollateral", 9), {"collateral": 9}),
        (("MarginEngine_InsufficientBalance", first, USDB, 10, 11), {"amountTokens": 11}),
        (
            ("MarginEngine_InsufficientBalance", first, WBTC, 10, 11),
            {"amountTokens": 11, "collateral": WBTC},
        ),
        (
            ("AccountOperators_NotAuthorized", bobs, world.address("alice"), WITHDRAW),
            {"from": bobs, "to": world.account("bob", SECOND)},
        ),
        (("AccountOperators_NotAuthorized", first, bob, WITHDRAW), {"sender": "bob"}),
    ):
        with refuses(*error):
            transfer(**{"amount_tokens": 5, **arguments})
    assert world.ledger("alice", SECOND).cash == 0
    transfer(10)
    assert (world.ledger("alice").cash, world.ledger("alice", SECOND).cash) == (0, 10**13)
    assert second != first


def test_transfer__below_the_initial_margin__refused_to_the_wei(world, transfer, refuses):
    world.deposit("alice", 10_000 * 10**6)
    world.trade("alice", 10 * WAD)
    world.freeze()
    v = world.valuation("alice")
    free = (v.equityInitial - v.initialMargin) // 10**12
    left = v.equityInitial - (free + 1) * 10**12
    with refuses("MarginEngine_BelowInitialMargin", world.account("alice"), left, v.initialMargin):
        transfer(free + 1)
    world.freeze()
    transfer(free)
    assert world.ledger("alice", SECOND).cash == free * 10**12


@pytest.mark.parametrize("tier", range(5))
def test_transfer__by_tier__stops_in_a_halt_only(world, transfer, refuses, tier):
    world.deposit("alice", 10)
    if tier:
        world.raise_tier(tier)
    if tier < 4:
        transfer(1)
    else:
        with refuses("CircuitBreaker_Blocked", ACTION_TRANSFER, 4, 3):
            transfer(1)


@pytest.mark.parametrize("status", range(4))
def test_transfer__on_a_price__asks_for_a_valid_one_of_the_first_account(
    world, transfer, refuses, status
):
    world.deposit("alice", 10_000 * 10**6)
    world.trade("alice", WAD)
    world.deposit("alice", 10, sub=SECOND)
    if status < VALID:
        world.worsen("ETH", status)
        with refuses("ActionPolicy_PriceStatus", ACTION_TRANSFER, status, VALID):
            transfer(1)
    else:
        transfer(1)
    # Margin comes to a position at any price.
    transfer(1, source=SECOND)


def test_transfer__by_an_operator__takes_both_permissions(world, transfer, refuses):
    world.deposit("alice", 10)
    first, second, bob = *(world.account("alice", i) for i in (0, 1)), world.address("bob")
    for on_first, on_second, missing in (
        (ALL - WITHDRAW, ALL, (first, WITHDRAW)),
        (WITHDRAW, 0, (second, DEPOSIT)),
        (WITHDRAW, ALL - DEPOSIT, (second, DEPOSIT)),
    ):
        world.grant("alice", "bob", on_first)
        world.grant("alice", "bob", on_second, sub=SECOND)
        with refuses("AccountOperators_NotAuthorized", missing[0], bob, missing[1]):
            transfer(1, sender="bob")
    world.grant("alice", "bob", WITHDRAW)
    world.grant("alice", "bob", DEPOSIT, sub=SECOND)
    transfer(1, sender="bob")
    assert world.ledger("alice", SECOND).cash == 10**12


# ---------------------------------------------------------------------- permits


@pytest.fixture
def permitted(world):
    """List a token with permits, all of it the governor's; return it and how to sign one."""
    token = world.deploy("DevPermitToken", 10**24)
    config = world.risk.call("collateralConfig", WETH)._replace(token=token.address)
    number = world.risk.call("collateralCount") + 1
    world.risk.transact("setCollateral", number, config, sender=world.governor)
    kind = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    owner = world.governor

    def _permit(value, deadline, nonce=0, spender=world.custody.address):
        message = eip712.digest(
            token.call("DOMAIN_SEPARATOR"), kind, (owner, spender, value, nonce, deadline)
        )
        signature = eip712.sign(world.keys[owner], message)
        return signature[64], signature[:32], signature[32:64]

    return token, number, _permit


def test_deposit_with_permit__without_allowance__gives_it_and_uses_it(world, permitted):
    token, number, permit = permitted
    account = world.account(world.governor)
    deadline = world.now + 9
    args = (account, number, 70, deadline, *permit(70, deadline))
    world.margin.transact("depositWithPermit", *args, sender=world.governor)
    assert world.margin.call("collateralBalance", account, number) == 70
    assert token.call("allowance", world.governor, world.custody.address) == 0


def test_deposit_with_permit__that_another_brought_before__goes_through(world, permitted):
    token, number, permit = permitted
    deadline = world.now + 9
    signed = permit(70, deadline)
    token.transact(
        "permit",
        *(world.governor, world.custody.address, 70, deadline, *signed),
        sender=world.address("bob"),
    )
    account = world.account(world.governor)
    args = (account, number, 70, deadline, *signed)
    world.margin.transact("depositWithPermit", *args, sender=world.governor)
    assert world.margin.call("collateralBalance", account, number) == 70


def test_deposit_with_permit__for_less_or_for_another__is_no_allowance(world, permitted, refuses):
    token, number, permit = permitted
    account, deadline, custody = world.account(world.governor), world.now + 9, world.custody.address
    for signed in (permit(69, deadline), permit(70, deadline, spender=world.margin.address)):
        with refuses("ERC20InsufficientAllowance", custody, 0, 70):
            args = (account, number, 70, deadline, *signed)
            world.margin.call("depositWithPermit", *args, sender=world.governor)
    # It is the caller's permit: an operator's deposit does not take the owner's tokens.
    world.operators.transact(
        *("setOperator", account, world.address("bob"), DEPOSIT, world.now + 99),
        sender=world.governor,
    )
    with refuses("ERC20InsufficientAllowance", custody, 0, 70):
        args = (account, number, 70, deadline, *permit(70, deadline))
        world.margin.call("depositWithPermit", *args, sender=world.address("bob"))
    assert token.call("nonces", world.governor) == 0


@pytest.mark.parametrize("collateral", [USDB, LST, WBTC, WETH])
def test_deposit_with_permit__token_without_permits__falls_back_on_the_allowance(
    world, refuses, collateral
):
    account, alice = world.account("alice"), world.address("alice")
    rest = (world.now, 27, bytes(32), bytes(32))
    world.margin.transact("depositWithPermit", account, collateral, 5, *rest, sender=alice)
    held = world.ledger("alice").cash // 10**12
    if collateral:
        held = world.margin.call("collateralBalance", account, collateral)
    assert held == 5
    with refuses("MarginEngine_ZeroAmount"):
        world.margin.call("depositWithPermit", account, collateral, 0, *rest, sender=alice)
    with refuses("RiskParameters_UnknownCollateral", 9):
        world.margin.call("depositWithPermit", account, 9, 5, *rest, sender=alice)
