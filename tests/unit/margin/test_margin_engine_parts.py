"""What only other parts of the compartment may ask of the margin engine."""

from __future__ import annotations

import pytest

WAD = 10**18
NOBODY = "0x" + "00" * 20
PARTS = {
    "settle": ("perps", lambda w: (w.account("alice"), 0, 1, 0, 0, 0)),
    "reportUnrealized": ("perps", lambda w: (0, 1)),
    "creditPool": ("pool", lambda w: (1,)),
    "debitPool": ("pool", lambda w: (1, w.address("alice"))),
    "creditInsurance": ("fund", lambda w: (1,)),
    "debitInsurance": ("fund", lambda w: (1, w.address("alice"))),
    "chargePenalty": ("liquidation", lambda w: (w.account("alice"), 1, w.account("bob"), 1)),
    "seizeCollateral": ("liquidation", lambda w: (w.account("alice"), 1, 1, w.address("bob"))),
    "creditAuctionProceeds": ("liquidation", lambda w: (w.account("alice"), w.address("bob"), 1)),
    "writeOff": ("liquidation", lambda w: (w.account("alice"),)),
    "openOrder": ("delayed", lambda w: (w.account("alice"), 1, 2)),
    "closeOrder": ("delayed", lambda w: (w.account("alice"), 1, 3, w.account("bob"))),
}


@pytest.mark.parametrize("function", PARTS)
def test_call__any_but_the_one_part__refused(world, refuses, function):
    part, arguments = PARTS[function]
    others = {"perps", "pool", "fund", "liquidation", "breaker", "custody", "margin", "delayed"}
    others -= {part}
    callers = [getattr(world, other).address for other in sorted(others)]
    for caller in (*callers, world.address("alice"), world.governor, world.address("guardian")):
        with refuses("CompartmentLock_NotAuthorized", caller):
            world.margin.call(function, *arguments(world), sender=caller)


# ---------------------------------------------------------------------- exchange


def test_report_unrealized__by_market__keeps_both_sums_exact(world):
    figures = {0: 0, 1: 0}
    for market, unrealized in ((0, 7 * WAD), (1, -9 * WAD), (0, -2), (1, 5), (0, 0), (1, 8)):
        receipt = world.margin.transact(
            "reportUnrealized", market, unrealized, sender=world.perps.address
        )
        figures[market] = unrealized
        positive = sum(max(0, u) for u in figures.values())
        net = sum(figures.values())
        assert tuple(world.margin.call("unrealizedTotals")) == (positive, net)
        assert tuple(world.margin.call("marketUnrealized", market)) == (unrealized, world.now)
        [event] = world.margin.events(receipt)
        assert (event.name, tuple(event.args)) == (
            "UnrealizedReported",
            (market, unrealized, positive, net),
        )


# ---------------------------------------------------------------------- vaults


@pytest.mark.parametrize(
    ("side", "field", "event_name"),
    [
        ("Pool", "poolCash", "PoolCashChanged"),
        ("Insurance", "insuranceCash", "InsuranceCashChanged"),
    ],
)
def test_credit_and_debit__by_the_vault__move_one_figure(world, side, field, event_name):
    vault = (world.pool if side == "Pool" else world.fund).address
    before = world.totals()
    held = getattr(before, field)
    receipt = world.margin.transact(f"credit{side}", 7, sender=vault)
    assert world.totals() == before._replace(**{field: held + 7 * 10**12})
    [event] = world.margin.events(receipt)
    assert (event.name, tuple(event.args)) == (event_name, (7 * 10**12, held + 7 * 10**12))

    bob = world.address("bob")
    tokens = world.usdb.call("balanceOf", bob)
    receipt = world.margin.transact(f"debit{side}", 9, bob, sender=vault)
    assert world.totals() == before._replace(**{field: held - 2 * 10**12})
    assert world.usdb.call("balanceOf", bob) == tokens + 9
    [event] = world.margin.events(receipt)
    assert (event.name, tuple(event.args)) == (event_name, (-9 * 10**12, held - 2 * 10**12))


@pytest.mark.parametrize(("side", "field"), [("Pool", "poolCash"), ("Insurance", "insuranceCash")])
def test_debit__more_than_there_is__refused(world, refuses, side, field):
    vault = (world.pool if side == "Pool" else world.fund).address
    held = getattr(world.totals(), field)
    bob = world.address("bob")
    asked = held // 10**12 + 1
    with refuses("MarginEngine_InsufficientCash", held, asked * 10**12):
        world.margin.call(f"debit{side}", asked, bob, sender=vault)
    world.margin.call(f"debit{side}", asked - 1, bob, sender=vault)


@pytest.mark.parametrize("side", ["Pool", "Insurance"])
def test_debit__to_nobody_or_custody__refused(world, refuses, side):
    vault = (world.pool if side == "Pool" else world.fund).address
    for receiver in (NOBODY, world.custody.address):
        with refuses("MarginEngine_InvalidReceiver", receiver):
            world.margin.call(f"debit{side}", 1, receiver, sender=vault)


# ---------------------------------------------------------------------- liquidation engine


@pytest.fixture
def charge(world):
    """Charge alice a penalty and reward a keeper; return the events by name."""

    def _charge(penalty, reward, keeper="bob"):
        receipt = world.margin.transact(
            "chargePenalty",
            world.account("alice"),
            penalty,
            world.account(keeper),
            reward,
            sender=world.liquidation.address,
        )
        return {event.name: event.args for event in world.margin.events(receipt)}

    return _charge


def test_charge_penalty__covered_by_cash__rewards_the_keeper_and_shares_the_rest(world, charge):
    world.deposit("alice", 100 * 10**6)
    before = world.totals()
    events = charge(10 * WAD, 3 * WAD)

    to_insurance, to_pool = 7 * WAD * 3 // 10, 7 * WAD // 2
    assert world.totals() == before._replace(
        principal=before.principal - 10 * WAD + 3 * WAD,
        insuranceCash=before.insuranceCash + to_insurance,
        poolCash=before.poolCash + to_pool,
        feeReserve=before.feeReserve + 7 * WAD - to_insurance - to_pool,
    )
    assert world.ledger("alice").cash == 90 * WAD
    assert world.ledger("bob").cash == 3 * WAD
    assert tuple(events["FeeCharged"])[1:] == (10 * WAD, 10 * WAD, 0, 0, to_insurance, to_pool)
    assert tuple(events["KeeperRewarded"]) == (world.account("bob"), 3 * WAD, 0)


def test_charge_penalty__reward_above_the_reserve__pays_what_is_there(world, charge):
    world.deposit("alice", 10**6)
    assert world.totals().feeReserve == 0
    events = charge(10 * WAD, 3 * WAD)
    # One unit of cash arrived of the penalty: the reward cannot be more.
    assert events["KeeperRewarded"].amount == WAD
    assert world.ledger("bob").cash == WAD
    assert world.ledger("alice").cash == -9 * WAD
    assert world.totals().feeReserve == 0


def test_charge_penalty__nothing_in_the_reserve__rewards_nothing(world, charge):
    events = charge(0, 3 * WAD)
    assert events == {}
    assert world.ledger("bob").cash == 0


def test_charge_penalty__of_nothing__rewards_from_the_reserve(world, charge):
    world.deposit("carol", 100 * 10**6)
    world.settle("carol", 0, 100 * WAD)
    before = world.totals()
    assert before.feeReserve == 20 * WAD
    events = charge(0, 3 * WAD)
    assert list(events) == ["KeeperRewarded"]
    assert world.totals() == before._replace(
        feeReserve=17 * WAD, principal=before.principal + 3 * WAD
    )


def test_charge_penalty__keeper_is_the_account__both_are_booked(world, charge):
    world.deposit("alice", 100 * 10**6)
    before = world.totals()
    charge(10 * WAD, 3 * WAD, keeper="alice")
    assert world.ledger("alice").cash == 93 * WAD
    assert world.totals().principal == before.principal - 7 * WAD


def test_charge_penalty__keeper_in_debt__repays_it(world, owe, charge):
    world.deposit("alice", 100 * 10**6)
    owe("bob", 2 * WAD)
    before = world.totals()
    events = charge(10 * WAD, 3 * WAD)
    assert events["KeeperRewarded"].debtRepaid == 2 * WAD
    assert world.ledger("bob").cash == WAD
    after = world.totals()
    assert after.debt == before.debt - 2 * WAD
    assert after.poolCash == before.poolCash + 2 * WAD + 7 * WAD // 2


def test_seize_collateral__from_an_account__goes_to_the_buyer(world):
    world.deposit("alice", 1_000, 2)
    bob = world.address("bob")
    held = world.wbtc.call("balanceOf", bob)
    receipt = world.margin.transact(
        "seizeCollateral", world.account("alice"), 2, 400, bob, sender=world.liquidation.address
    )
    assert world.margin.call("collateralBalance", world.account("alice"), 2) == 600
    assert world.margin.call("totalCollateral", 2) == 600
    assert world.wbtc.call("balanceOf", bob) == held + 400
    [event] = world.margin.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "CollateralSeized",
        (world.account("alice"), 2, 400, bob),
    )


def test_seize_collateral__more_than_held_or_to_custody__refused(world, refuses):
    world.deposit("alice", 1_000, 2)
    world.deposit("bob", 1_000, 2)
    account, bob = world.account("alice"), world.address("bob")
    with refuses("MarginEngine_InsufficientBalance", account, 2, 1_000, 1_001):
        world.margin.call(
            "seizeCollateral", account, 2, 1_001, bob, sender=world.liquidation.address
        )
    for receiver in (NOBODY, world.custody.address):
        with refuses("MarginEngine_InvalidReceiver", receiver):
            world.margin.call(
                "seizeCollateral", account, 2, 1, receiver, sender=world.liquidation.address
            )


def test_credit_auction_proceeds__repays_debt_then_becomes_principal(world, owe):
    owe("alice", 5 * WAD)
    before = world.totals()
    bob = world.address("bob")
    held = world.usdb.call("balanceOf", bob)
    receipt = world.margin.transact(
        "creditAuctionProceeds",
        world.account("alice"),
        bob,
        7 * 10**6,
        sender=world.liquidation.address,
    )
    assert world.usdb.call("balanceOf", bob) == held - 7 * 10**6
    assert world.ledger("alice").cash == 2 * WAD
    assert world.totals() == before._replace(
        debt=before.debt - 5 * WAD,
        poolCash=before.poolCash + 5 * WAD,
        principal=before.principal + 2 * WAD,
    )
    rate, event = world.margin.events(receipt)
    assert (rate.name, event.name) == ("BorrowRateSet", "AuctionProceedsCredited")
    assert tuple(event.args) == (world.account("alice"), bob, 7 * 10**6, 5 * WAD)


def test_write_off__account_without_debt__refused(world, refuses):
    account = world.account("alice")
    for _ in range(2):
        with refuses("MarginEngine_NotBankrupt", account):
            world.margin.call("writeOff", account, sender=world.liquidation.address)
        world.deposit("alice", 1)
