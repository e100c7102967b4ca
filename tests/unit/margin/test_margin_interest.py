"""Interest on debt: what is owed when, who gets it, and who can change what it costs."""

from __future__ import annotations

import pytest

WAD, RAY = 10**18, 10**27
DAY = 86_400
THOUSANDTH = WAD // 1_000
POOL = 20_000_000 * WAD


@pytest.fixture
def flat(world):
    """Let debt cost a rate (WAD per day) at any utilisation; tiers multiply it by 2, 3, 4, 5."""

    def _flat(rate):
        tiers = {f"tier{i}Bps": 10_000 * (i + 1) for i in range(1, 5)}
        world.set_interest(rateAtZero=rate, rateAtKink=rate, rateAtFull=rate, **tiers)

    return _flat


@pytest.fixture
def accrue(world):
    """Book an account's interest; return the events."""

    def _accrue(who):
        receipt = world.margin.transact(
            "accrueInterest", world.account(who), sender=world.address("dave")
        )
        return world.margin.events(receipt)

    return _accrue


@pytest.fixture
def lend(world):
    """Put an account into debt by a loss, without a word on what it owes afterwards."""

    def _lend(who, debt):
        world.settle(who, -(debt + max(0, world.ledger(who).cash)))

    return _lend


def owed(world, who):
    return -world.ledger(who).cash


def borrow(world):
    return world.margin.call("borrowState")


def booked(world, who):
    return tuple(world.margin.call("bookedDebt", world.account(who)))


def test_debt__after_a_day__costs_the_rate(world, flat, lend):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    assert owed(world, "alice") == 1_000 * WAD
    world.skip(DAY)
    assert owed(world, "alice") == 1_001 * WAD
    assert world.valuation("alice").equityMaintenance == -1_001 * WAD
    assert world.totals().debt == 1_000 * WAD
    assert booked(world, "alice") == (1_000 * WAD, RAY)


def test_accrue__after_a_day__books_what_is_owed_and_says_so(world, flat, lend, accrue):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    world.after(DAY)
    before = world.totals()
    interest, rate = accrue("alice")
    index = RAY + RAY // 1_000
    assert (interest.name, rate.name) == ("InterestAccrued", "BorrowRateSet")
    assert tuple(interest.args) == (world.account("alice"), WAD, index)
    assert tuple(rate.args) == (THOUSANDTH, index)
    assert world.totals() == before._replace(debt=1_001 * WAD)
    assert booked(world, "alice") == (1_001 * WAD, index)
    state = borrow(world)
    assert (state.index, state.rate, state.updatedAt) == (index, THOUSANDTH, world.now)
    assert state.scaledDebt == 1_000 * WAD * 10**18
    assert world.surplus() == 0


def test_accrue__twice_in_a_second__changes_nothing_more(world, flat, lend, accrue):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    world.skip(DAY)
    accrue("alice")
    state, totals = borrow(world), world.totals()
    world.freeze()
    [event] = accrue("alice")
    assert event.name == "BorrowRateSet"
    assert (borrow(world), world.totals()) == (state, totals)


def test_accrue__nobody_owes__does_nothing(world, flat, accrue):
    flat(THOUSANDTH)
    state = borrow(world)
    assert tuple(state) == (RAY, 0, 0, 0)
    assert accrue("alice") == []
    assert borrow(world) == state


def test_accrue__who_owes_nothing__books_nothing_and_sets_the_rate(world, flat, lend, accrue):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    flat(2 * THOUSANDTH)
    world.deposit("bob", 10**6)
    assert borrow(world).rate == THOUSANDTH
    bob = world.ledger("bob")
    [event] = accrue("bob")
    assert (event.name, event.args.rate) == ("BorrowRateSet", 2 * THOUSANDTH)
    assert world.ledger("bob") == bob


def test_index__not_whole__rounds_up(world, flat, lend, accrue):
    flat(1)
    lend("alice", 1)
    world.after(1)
    accrue("alice")
    # 1e27 · 1e-18 / 86 400, and a debt of one wei has become two.
    assert borrow(world).index == RAY + 11_575
    assert booked(world, "alice") == (2, RAY + 11_575)


def test_index__at_its_end__stops(world, flat, lend, accrue):
    flat(THOUSANDTH)
    lend("alice", WAD)
    world.skip(DAY * 1_000 * 10**8)
    assert owed(world, "alice") == 10**8 * WAD
    accrue("alice")
    world.skip(DAY)
    assert owed(world, "alice") == 10**8 * WAD
    assert borrow(world).index == 10**35


def test_interest__repaid__is_the_pools(world, flat, lend):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    world.after(DAY)
    world.deposit("alice", 1_005 * 10**6)
    assert world.ledger("alice").cash == 4 * WAD
    t = world.totals()
    assert (t.debt, t.poolCash, t.principal) == (0, POOL + 1_001 * WAD, 4 * WAD)
    assert booked(world, "alice") == (0, 0)
    state = borrow(world)
    assert (state.rate, state.scaledDebt) == (0, 0)
    assert state.index == RAY + RAY // 1_000
    # While nobody owes, no time counts.
    world.skip(DAY)
    lend("bob", 7 * WAD)
    assert booked(world, "bob") == (7 * WAD, RAY + RAY // 1_000)
    world.skip(DAY)
    assert owed(world, "bob") == 7_007 * WAD // 1_000


def test_profit__of_a_debtor__forgives_the_interest_too(world, flat, lend):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    world.after(DAY)
    world.settle("alice", 1_003 * WAD)
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == (0, 2 * WAD)
    assert world.totals().debt == 0


def test_write_off__of_old_debt__includes_the_interest(world, flat, lend):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    insurance = world.totals().insuranceCash
    world.after(DAY)
    world.liquidation.transact("writeOff", world.account("alice"), sender=world.address("dave"))
    t = world.totals()
    assert (t.debt, t.insuranceCash, t.poolCash) == (
        0,
        insurance - 1_001 * WAD,
        POOL + 1_001 * WAD,
    )
    assert (borrow(world).scaledDebt, booked(world, "alice")) == (0, (0, 0))


def test_penalty__keeper_is_the_debtor__books_interest_once(world, flat, lend):
    flat(THOUSANDTH)
    world.deposit("bob", 10**9)
    world.settle("bob", 0, 500 * WAD)
    reserve = world.totals().feeReserve
    assert reserve > 3 * WAD
    lend("alice", 1_000 * WAD)
    world.after(DAY)
    alice = world.account("alice")
    receipt = world.margin.transact(
        "chargePenalty", alice, 5 * WAD, alice, 3 * WAD, sender=world.liquidation.address
    )
    [interest] = world.margin.events(receipt, "InterestAccrued")
    assert interest.args.interest == WAD
    assert owed(world, "alice") == world.totals().debt == 1_003 * WAD
    assert booked(world, "alice")[0] == 1_003 * WAD


def test_auction__of_old_debt__is_over_when_the_interest_is_repaid(world, flat, lend):
    flat(THOUSANDTH)
    world.deposit("alice", WAD, 3)
    lend("alice", 2_900 * WAD)
    alice, keeper = world.account("alice"), world.address("keeper")
    world.liquidation.transact("startAuction", alice, 3, sender=keeper)
    world.skip(600)
    held = world.margin.call("collateralBalance", alice, 3)
    world.liquidation.transact("takeAuction", alice, 3, held, 2**255, keeper, b"", sender=keeper)
    # Bought for what repays principal and interest, to the unit of the token.
    assert 0 <= world.ledger("alice").cash < 10**12 + 10**4
    assert world.totals().debt == 0
    assert world.totals().poolCash > POOL + 2_900 * WAD


# ---------------------------------------------------------------------- what it costs


def test_rate__by_utilisation__follows_debt_and_pool(world, lend, accrue):
    world.set_interest(
        kinkBps=5_000, rateAtZero=0, rateAtKink=THOUSANDTH, rateAtFull=5 * THOUSANDTH
    )
    lend("alice", POOL // 4)  # u = 1/5.
    assert borrow(world).rate == 4 * THOUSANDTH // 10
    lp = world.address("lp")
    world.ask_to_leave("lp")
    world.pool.transact("withdraw", 19_000_000 * 10**6, lp, lp, sender=lp)
    # 5 of 6 million and a second's interest: beyond the kink, 1 + 4 · (5/6 − 1/2) / (1/2).
    assert 0 <= borrow(world).rate - 11 * THOUSANDTH // 3 < THOUSANDTH // 10**6
    state = borrow(world)
    assert state.updatedAt == world.now


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_rate__in_a_tier__counts_from_the_next_accrual(world, flat, lend, accrue, tier):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    world.raise_tier(tier)
    assert borrow(world).rate == THOUSANDTH
    accrue("alice")
    assert borrow(world).rate == (tier + 1) * THOUSANDTH


def test_parameters__changed__count_from_the_next_accrual_on(world, flat, lend, accrue):
    flat(THOUSANDTH)
    lend("alice", 1_000 * WAD)
    world.after(DAY)
    flat(5 * THOUSANDTH)
    assert owed(world, "alice") == 1_001 * WAD
    world.freeze()
    accrue("alice")
    world.skip(DAY)
    assert owed(world, "alice") == 1_001 * WAD * 1_005 // 1_000


def test_utilisation__moved_within_a_second__costs_nobody_anything(world, lend):
    world.set_interest(
        kinkBps=5_000, rateAtZero=0, rateAtKink=THOUSANDTH, rateAtFull=5 * THOUSANDTH
    )
    lend("alice", POOL // 4)
    before, debt = borrow(world), owed(world, "alice")
    lp = world.address("lp")
    world.usdb.transact("approve", world.pool.address, 2**256 - 1, sender=lp)
    world.ask_to_leave("lp")
    world.skip(60)
    expected = owed(world, "alice")
    assert expected > debt
    world.freeze()
    world.pool.transact("withdraw", 19_000_000 * 10**6, lp, lp, sender=lp)
    assert borrow(world).rate > 3 * THOUSANDTH
    world.freeze()
    world.pool.transact("deposit", 19_000_000 * 10**6, lp, sender=lp)
    assert owed(world, "alice") == expected
    after = borrow(world)
    # The same again, but for the interest of a minute.
    assert 0 <= after.rate - before.rate < THOUSANDTH // 10**5


# ---------------------------------------------------------------------- what all owe


def test_total__any_order_of_booking__is_what_the_accounts_owe(world, flat, lend, accrue):
    flat(THOUSANDTH)
    for who, debt in (("alice", 1_000 * WAD + 1), ("bob", 333 * WAD + 7), ("carol", 5)):
        lend(who, debt)
        world.skip(4_321)
    accrue("bob")
    world.skip(77_777)
    owing = [owed(world, who) for who in ("alice", "bob", "carol")]
    total = world.lens.call("compartment").accruedDebt
    assert -1 <= sum(owing) - total <= 2
    assert sum(booked(world, who)[0] for who in ("alice", "bob", "carol")) == world.totals().debt
    assert world.totals().debt < total - WAD
    to_enter, to_leave = world.pool.call("netAssetValue")
    assert to_enter == to_leave + total


def test_pool_deposit__before_interest_is_booked__pays_for_it(world, flat, lend, accrue):
    flat(THOUSANDTH)
    lend("alice", 1_000_000 * WAD)
    world.skip(30 * DAY)
    before = world.pool.call("previewDeposit", 10**9)
    accrue("alice")
    # Booking changes what nobody pays for a share, but for the second that it took.
    assert 0 <= before - world.pool.call("previewDeposit", 10**9) <= before // 10**6


# ---------------------------------------------------------------------- who pays for it


def test_nobody_owes__trading_and_depositing__leave_the_borrow_state_alone(world, flat):
    flat(THOUSANDTH)
    state = borrow(world)
    world.deposit("alice", 10_000 * 10**6)
    world.trade("alice", WAD)
    world.settle("alice", -100 * WAD, 3 * WAD)
    world.settle("alice", 50 * WAD)
    assert borrow(world) == state
