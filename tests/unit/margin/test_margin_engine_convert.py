"""Converting matured profit at the haircut ratio: exact, in any order, never at h's expense."""

from __future__ import annotations

import pytest

WAD = 10**18
CONVERT = 4


VESTING = 60


@pytest.fixture(autouse=True)
def vesting(world):
    """Let profit vest within a minute, well before a market's figure is too old."""
    world.set_compartment(vestingPeriod=VESTING)


@pytest.fixture
def convert(world):
    """Convert; return what was paid."""

    def _convert(who, amount):
        receipt = world.margin.transact(
            "convert", world.account(who), amount, sender=world.address(who)
        )
        [event] = world.margin.events(receipt)
        assert event.name == "Converted"
        assert (event.args.account, event.args.amount) == (world.account(who), amount)
        return event.args.paid

    return _convert


@pytest.fixture
def short_pool(world, vesting):
    """Claims of 12,345,678 + 17,000,001 against pool cash of 20,000,000, all matured: h < 1."""
    world.settle("alice", 12_345_678 * WAD + 3)
    world.settle("bob", 17_000_001 * WAD + 11)
    world.skip(VESTING)
    t = world.totals()
    assert (t.claims, t.poolCash) == (29_345_679 * WAD + 14, 20_000_000 * WAD)
    return t


def test_convert__pool_covers_all_claims__pays_in_full(world, convert):
    world.settle("alice", 1_000 * WAD)
    world.skip(VESTING)
    before = world.totals()
    assert world.margin.call("haircutRatio") == WAD
    assert convert("alice", 400 * WAD) == 400 * WAD
    assert world.totals() == before._replace(
        claims=before.claims - 400 * WAD,
        poolCash=before.poolCash - 400 * WAD,
        principal=before.principal + 400 * WAD,
    )
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == (400 * WAD, 600 * WAD)


def test_convert__pool_exactly_covers_all_claims__pays_in_full(world, convert):
    world.settle("alice", 20_000_000 * WAD)
    world.skip(VESTING)
    assert world.margin.call("haircutRatio") == WAD
    assert convert("alice", 20_000_000 * WAD) == 20_000_000 * WAD
    assert world.totals().poolCash == 0


def test_convert__short_pool__pays_the_floor_of_amount_times_h(world, convert, short_pool):
    t = short_pool
    assert world.margin.call("haircutRatio") == WAD * t.poolCash // t.claims < WAD
    amount = 7_654_321 * WAD + 5
    paid = amount * t.poolCash // t.claims
    assert convert("alice", amount) == paid
    assert world.totals() == t._replace(
        claims=t.claims - amount, poolCash=t.poolCash - paid, principal=t.principal + paid
    )
    assert world.ledger("alice").cash == paid


def test_convert__unrealised_profit_of_traders__counts_in_h(world, convert):
    world.settle("alice", 15_000_000 * WAD, unrealized=25_000_000 * WAD)
    world.skip(VESTING)
    assert world.margin.call("haircutRatio") == WAD // 2
    assert convert("alice", 3 * WAD) == 3 * WAD // 2


def test_convert__unrealised_losses_of_traders__do_not_count_in_h(world, convert):
    world.settle("alice", 40_000_000 * WAD, market=0, unrealized=-30_000_000 * WAD)
    world.skip(VESTING)
    assert world.margin.call("haircutRatio") == WAD // 2
    assert convert("alice", WAD) == WAD // 2


def test_convert__one_market_ahead_and_one_behind__counts_only_the_one_ahead(world):
    world.settle("alice", 0, market=0, unrealized=40_000_000 * WAD)
    world.settle("alice", 0, market=1, unrealized=-39_000_000 * WAD)
    u = world.margin.call("unrealizedTotals")
    assert (u.positive, u.net) == (40_000_000 * WAD, WAD * 1_000_000)
    assert world.margin.call("haircutRatio") == WAD // 2
    world.settle("alice", 0, market=0, unrealized=-5 * WAD)
    u = world.margin.call("unrealizedTotals")
    assert (u.positive, u.net) == (0, -39_000_005 * WAD)
    assert world.margin.call("haircutRatio") == WAD


def test_convert__two_converters_in_either_order__are_paid_the_same(world, convert, short_pool):
    amounts = {"alice": 12_345_678 * WAD + 3, "bob": 9_999_999 * WAD + 7}
    paid = {}
    for order in (("alice", "bob"), ("bob", "alice")):
        snapshot = world.rpc.snapshot()
        paid[order] = {who: convert(who, amounts[who]) for who in order}
        world.rpc.revert(snapshot)
    first, second = paid.values()
    # The one who comes later gains at most the rounding of the one before: h may only rise by it.
    assert 0 <= first["bob"] - second["bob"] <= 1
    assert 0 <= second["alice"] - first["alice"] <= 1


def test_convert__in_parts_or_at_once__pays_the_same_within_a_wei_per_part(
    world, convert, short_pool
):
    snapshot = world.rpc.snapshot()
    at_once = convert("alice", 12 * WAD)
    world.rpc.revert(snapshot)
    in_parts = sum(convert("alice", 3 * WAD) for _ in range(4))
    assert 0 <= at_once - in_parts <= 3


def test_convert__any__never_lowers_h(world, convert, short_pool):
    before = short_pool
    for who, amount in (
        ("alice", 1),
        ("bob", 10**6 + 1),
        ("alice", 3_333_333 * WAD + 1),
        ("bob", WAD),
    ):
        convert(who, amount)
        after = world.totals()
        assert after.poolCash * before.claims >= before.poolCash * after.claims
        before = after


def test_convert__one_wei_at_h_below_one__pays_nothing(world, convert, short_pool):
    before = world.totals()
    assert convert("alice", 1) == 0
    assert world.totals() == before._replace(claims=before.claims - 1)


def test_convert__more_than_matured__refused(world, convert, refuses):
    world.settle("alice", 60 * WAD)
    world.after(10)
    with refuses("MarginEngine_NotMatured", world.account("alice"), 10 * WAD, 10 * WAD + 1):
        convert("alice", 10 * WAD + 1)
    world.freeze()
    assert convert("alice", 10 * WAD) == 10 * WAD


def test_convert__zero__refused(convert, refuses):
    with refuses("MarginEngine_ZeroAmount"):
        convert("alice", 0)


def test_convert__account_of_another__refused(world, refuses):
    account, bob = world.account("alice"), world.address("bob")
    with refuses("AccountOperators_NotAuthorized", account, bob, 8):
        world.margin.call("convert", account, 1, sender=bob)


def test_convert__stale_market__refused_by_name_until_poked(world, convert, refuses):
    max_age = world.risk.call("compartmentParameters").maxUnrealizedAge
    world.settle("alice", 10 * WAD, market=0)
    world.settle("bob", 0, market=1)
    touched = world.now
    world.skip(max_age - 1)
    for asset, price in (("ETH", 3_000), ("BTC", 60_000)):
        world.publish(asset, price * WAD)
    world.perps.transact("poke", 0, sender=world.address("bob"))
    with refuses("MarginEngine_StaleUnrealized", 1, world.now + 1 - touched, max_age):
        convert("alice", 1)
    world.perps.transact("poke", 1, sender=world.address("bob"))
    assert convert("alice", 1) == 1


def test_convert__market_as_old_as_allowed__accepted(world, convert):
    max_age = world.risk.call("compartmentParameters").maxUnrealizedAge
    world.settle("alice", 10 * WAD, market=0)
    world.settle("bob", 0, market=1)
    world.settle("bob", 0, market=0)
    world.after(max_age - 1)
    assert convert("alice", 1) == 1


@pytest.mark.parametrize(("tier", "allowed"), [(2, True), (3, False), (4, False)])
def test_convert__by_tier__stops_above_2(world, convert, refuses, tier, allowed):
    world.settle("alice", WAD)
    world.skip(VESTING)
    world.raise_tier(tier)
    if allowed:
        assert convert("alice", WAD // 2) == WAD // 2
    else:
        with refuses("CircuitBreaker_Blocked", CONVERT, tier, 2):
            convert("alice", WAD // 2)
