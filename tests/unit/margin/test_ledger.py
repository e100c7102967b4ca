"""The clearing ledger's arithmetic, booked through the engine in the exchange's name.

Losses: claim, cash, debt. Profits: debt, claim. Fees: cash, claim, debt. Every split adds up, and
only cash that arrived moves between the four parts of custody.
"""

from __future__ import annotations

import pytest

WAD = 10**18
CLAIM, CASH, DEBT = 0, 1, 2


@pytest.fixture
def book(world):
    """Give an account cash (whole units) and a claim; return the totals then."""

    def _book(cash=0, claim=0):
        if cash:
            world.deposit("alice", cash * 10**6)
        if claim:
            world.settle("alice", claim * WAD)
        return world.totals()

    return _book


@pytest.mark.parametrize(
    ("loss", "split"),
    [
        (29, (29, 0, 0)),
        (30, (30, 0, 0)),
        (31, (30, 1, 0)),
        (130, (30, 100, 0)),
        (131, (30, 100, 1)),
        (500, (30, 100, 370)),
    ],
)
def test_loss__by_size__burns_claim_then_moves_cash_then_becomes_debt(world, book, loss, split):
    before = book(cash=100, claim=30)
    receipt = world.settle("alice", -loss * WAD)

    from_claim, from_cash, to_debt = (part * WAD for part in split)
    after = world.totals()
    assert after == before._replace(
        claims=before.claims - from_claim,
        principal=before.principal - from_cash,
        poolCash=before.poolCash + from_cash,
        debt=before.debt + to_debt,
    )
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == (100 * WAD - from_cash - to_debt, 30 * WAD - from_claim)
    [event] = world.margin.events(receipt, "LossApplied")
    assert tuple(event.args) == (
        world.account("alice"),
        0,
        loss * WAD,
        from_claim,
        from_cash,
        to_debt,
    )


def test_loss__in_debt_already__only_grows_the_debt(world, book):
    book(cash=1)
    world.settle("alice", -5 * WAD)
    before = world.totals()
    world.settle("alice", -7 * WAD)
    assert world.totals() == before._replace(debt=before.debt + 7 * WAD)
    assert world.ledger("alice").cash == -11 * WAD


def test_profit__without_debt__is_a_claim_and_moves_no_cash(world, book):
    before = book(cash=100)
    receipt = world.settle("alice", 30 * WAD)
    assert world.totals() == before._replace(claims=before.claims + 30 * WAD)
    entry = world.ledger("alice")
    period = world.risk.call("compartmentParameters").vestingPeriod
    assert (entry.cash, entry.claim, entry.unvested) == (100 * WAD, 30 * WAD, 30 * WAD)
    assert (entry.vestingUpdatedAt, entry.vestingEndsAt) == (world.now, world.now + period)
    [event] = world.margin.events(receipt, "ProfitApplied")
    assert tuple(event.args) == (
        world.account("alice"),
        0,
        30 * WAD,
        0,
        30 * WAD,
        world.now + period,
    )


@pytest.mark.parametrize(("profit", "forgiven", "claimed"), [(9, 9, 0), (10, 10, 0), (25, 10, 15)])
def test_profit__with_debt__forgives_it_first_and_moves_no_cash(
    world, owe, profit, forgiven, claimed
):
    owe("alice", 10 * WAD)
    before = world.totals()
    receipt = world.settle("alice", profit * WAD)
    assert world.totals() == before._replace(
        debt=before.debt - forgiven * WAD, claims=before.claims + claimed * WAD
    )
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == ((forgiven - 10) * WAD, claimed * WAD)
    ends_at = world.now + 3_600 if claimed else 0
    assert entry.vestingEndsAt == ends_at
    [event] = world.margin.events(receipt, "ProfitApplied")
    assert tuple(event.args)[2:] == (profit * WAD, forgiven * WAD, claimed * WAD, ends_at)


def test_result__of_nothing__leaves_the_ledger_and_says_nothing(world, book):
    before = book(cash=1, claim=1)
    entry = world.ledger("alice")
    receipt = world.settle("alice", 0)
    assert world.totals() == before
    assert world.ledger("alice") == entry
    assert [e.name for e in world.margin.events(receipt)] == ["UnrealizedReported"]


# ---------------------------------------------------------------------- fees


@pytest.mark.parametrize(
    ("fee", "split"),
    [(99, (99, 0, 0)), (100, (100, 0, 0)), (101, (100, 1, 0)), (131, (100, 30, 1))],
)
def test_fee__by_size__takes_cash_then_claim_then_becomes_debt(world, book, fee, split):
    before = book(cash=100, claim=30)
    receipt = world.settle("alice", 0, fee * WAD)

    from_cash, from_claim, to_debt = (part * WAD for part in split)
    p = world.risk.call("compartmentParameters")
    to_insurance = from_cash * p.insuranceFeeShare // WAD
    to_pool = from_cash * p.poolFeeShare // WAD
    assert world.totals() == before._replace(
        principal=before.principal - from_cash,
        claims=before.claims - from_claim,
        debt=before.debt + to_debt,
        insuranceCash=before.insuranceCash + to_insurance,
        poolCash=before.poolCash + to_pool,
        feeReserve=before.feeReserve + from_cash - to_insurance - to_pool,
    )
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == (100 * WAD - from_cash - to_debt, 30 * WAD - from_claim)
    [event] = world.margin.events(receipt, "FeeCharged")
    assert tuple(event.args) == (
        world.account("alice"),
        fee * WAD,
        from_cash,
        from_claim,
        to_debt,
        to_insurance,
        to_pool,
    )


def test_fee__shares_do_not_divide_it__the_remainder_stays_in_the_reserve(world, book):
    world.set_compartment(insuranceFeeShare=WAD // 3, poolFeeShare=WAD // 3)
    before = book(cash=1)
    world.settle("alice", 0, 10)
    after = world.totals()
    assert after.insuranceCash - before.insuranceCash == 3
    assert after.poolCash - before.poolCash == 3
    assert after.feeReserve - before.feeReserve == 4


def test_fee__after_a_loss_that_took_everything__is_debt_and_no_income(world, book):
    before = book(cash=10)
    world.settle("alice", -10 * WAD, 3 * WAD)
    assert world.totals() == before._replace(
        principal=before.principal - 10 * WAD,
        poolCash=before.poolCash + 10 * WAD,
        debt=before.debt + 3 * WAD,
    )


def test_fee__of_a_profit__is_paid_from_cash_before_the_claim(world, book):
    before = book(cash=10)
    world.settle("alice", 5 * WAD, 3 * WAD)
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == (7 * WAD, 5 * WAD)
    assert world.totals().claims == before.claims + 5 * WAD


# ---------------------------------------------------------------------- vesting


def unvested(entry, now):
    """What has not vested of an entry, rounded up."""
    if now >= entry.vestingEndsAt:
        return 0
    return -(
        -entry.unvested
        * (entry.vestingEndsAt - now)
        // (entry.vestingEndsAt - entry.vestingUpdatedAt)
    )


@pytest.mark.parametrize("elapsed", [0, 1, 1_799, 1_801, 3_599, 3_600, 10_000])
def test_vesting__over_time__is_linear_and_rounded_against_the_owner(world, book, elapsed):
    claim = 30 * WAD + 7
    world.settle("alice", claim)
    if elapsed:
        world.skip(elapsed)
    left = max(0, 3_600 - elapsed)
    matured = claim - -(-claim * left // 3_600)
    assert world.margin.call("maturedClaim", world.account("alice")) == matured


def test_vesting__second_profit__merges_by_amount(world, book):
    book(claim=100)
    world.after(900)
    world.settle("alice", 60 * WAD)

    # 75 of the first 100 are left, with 2,700 s to go; 60 join with 3,600 s:
    # (75 · 2,700 + 60 · 3,600) / 135 = 3,100 s exactly.
    entry = world.ledger("alice")
    assert (entry.claim, entry.unvested) == (160 * WAD, 135 * WAD)
    assert (entry.vestingUpdatedAt, entry.vestingEndsAt) == (world.now, world.now + 3_100)
    assert world.margin.call("maturedClaim", world.account("alice")) == 25 * WAD


def test_vesting__merge_with_a_remainder__ends_a_second_later(world):
    world.settle("alice", 100)
    world.after(1)
    world.settle("alice", 1)
    # ⌈100 · 3,599 / 3,600⌉ = 100 left; (100 · 3,599 + 1 · 3,600) / 101 = 3,599.0099…, rounded up.
    entry = world.ledger("alice")
    assert (entry.unvested, entry.vestingEndsAt) == (101, world.now + 3_600)


def test_vesting__profit_after_the_end__starts_anew_for_the_new_part_alone(world, book):
    book(claim=100)
    world.after(3_600)
    world.settle("alice", 60 * WAD)
    entry = world.ledger("alice")
    assert (entry.claim, entry.unvested) == (160 * WAD, 60 * WAD)
    assert entry.vestingEndsAt == world.now + 3_600
    assert world.margin.call("maturedClaim", world.account("alice")) == 100 * WAD


def test_vesting__period_of_zero__matures_at_once(world):
    world.set_compartment(vestingPeriod=0)
    world.settle("alice", 60 * WAD)
    assert world.margin.call("maturedClaim", world.account("alice")) == 60 * WAD


@pytest.mark.parametrize(
    ("loss", "unvested_left", "matured"), [(60, 15, 25), (75, 0, 25), (90, 0, 10), (100, 0, 0)]
)
def test_vesting__loss__burns_the_unvested_part_first(world, book, loss, unvested_left, matured):
    book(claim=100)
    ends_at = world.ledger("alice").vestingEndsAt
    world.after(900)
    world.settle("alice", -loss * WAD)
    entry = world.ledger("alice")
    assert (entry.claim, entry.unvested) == ((100 - loss) * WAD, unvested_left * WAD)
    assert (entry.vestingUpdatedAt, entry.vestingEndsAt) == (world.now, ends_at)
    assert world.margin.call("maturedClaim", world.account("alice")) == matured * WAD

    world.rpc.mine(ends_at - 1_350)  # Half of the 2,700 s that were left.
    half_left = -(-unvested_left * WAD // 2)
    assert world.margin.call("maturedClaim", world.account("alice")) == entry.claim - half_left


def test_vesting__conversion__leaves_what_has_not_vested_as_it_was(world, book):
    book(claim=100)
    before = world.ledger("alice")
    world.after(900)
    world.margin.transact(
        "convert", world.account("alice"), 25 * WAD, sender=world.address("alice")
    )
    after = world.ledger("alice")
    assert after == before._replace(claim=75 * WAD, cash=25 * WAD)
    world.after(900)
    world.margin.transact(
        "convert", world.account("alice"), 25 * WAD, sender=world.address("alice")
    )
    assert world.ledger("alice").claim == 50 * WAD
    assert unvested(world.ledger("alice"), world.now) == 50 * WAD


# ---------------------------------------------------------------------- custody


def test_custody__after_every_kind_of_booking__covers_the_four_parts(world, book, owe):
    surplus = world.surplus()
    book(cash=100, claim=30)
    for pnl, fee in ((-40, 3), (70, 9), (-300, 2), (20, 1), (400, 0)):
        world.settle("alice", pnl * WAD, fee * WAD)
        assert world.surplus() == surplus
    owe("bob", 33 * WAD)
    world.deposit("bob", 50 * 10**6)
    world.skip(900)
    world.margin.transact("convert", world.account("alice"), WAD, sender=world.address("alice"))
    assert world.surplus() == surplus
