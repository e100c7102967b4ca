"""Rebates for fills that narrow the skew, the instant spread, and what the pool's cash allows."""

from __future__ import annotations

import pytest

from tests.unit.perps.conftest import WAD, ceil_div

ETH = 0
SCALE = 400_000 * WAD
FEE = WAD // 2_000
REBATE = FEE * 3 // 2
SPREAD = WAD // 5_000
WHOLE = WAD // 50
"""Premium from which all of the rebate is paid."""
CAP = 8_000 * WAD


@pytest.fixture
def rebates(world, fund):
    """Rebates of 3/2 of the fee, a reserve that can pay them, a skew of half the scale."""
    fund("alice", "bob", "carol")
    world.set_market(ETH, maxRebate=REBATE)
    world.settle("dave", 0)
    world.deposit("dave", 10**6 * 10**6)
    world.settle("dave", 0, 10**6 * WAD)
    world.trade("alice", 4_000 * WAD)


@pytest.fixture
def book(world):
    """Trade; return the fill, the rebate paid, and what the account's worth rose by besides."""

    def _book(who, size):
        account, limit = world.account(who), 2**255 if size > 0 else 0
        before, reserve = world.ledger(who), world.totals().feeReserve
        receipt = world.perps.transact(
            "trade", account, ETH, size, limit, sender=world.address(who)
        )
        [trade] = [e.args for e in world.perps.events(receipt, "Traded")]
        charged = [e.args for e in world.margin.events(receipt, "FeeCharged")]
        paid = [e.args for e in world.margin.events(receipt, "RebatePaid")]
        kept = sum(c.fromCash - c.toInsurance - c.toPool for c in charged)
        rebate = sum(p.amount for p in paid)
        after = world.ledger(who)
        gained = after.cash + after.claim - before.cash - before.claim
        assert gained == trade.realizedPnl - trade.fee + rebate
        assert world.totals().feeReserve == reserve + kept - rebate
        assert all(tuple(p)[:2] == (account, ETH) for p in paid)
        return trade, rebate

    return _book


def test_rebate__premium_below_the_scale__is_its_share_of_the_narrowing_fill(world, rebates, book):
    surplus = world.surplus()
    trade, rebate = book("bob", -1_000 * WAD)
    # 4,000 of 400,000 is 1 %: half of the scale, so half of the rate.
    assert rebate == -trade.quoteDelta * (REBATE // 2) // WAD
    assert trade.fee == ceil_div(-trade.quoteDelta * FEE, WAD)
    assert world.surplus() == surplus


def test_rebate__at_the_scale__is_all_of_it_and_beyond_no_more(world, rebates, book):
    world.trade("alice", 4_000 * WAD)
    trade, rebate = book("bob", -WAD)
    assert rebate == -trade.quoteDelta * REBATE // WAD
    world.set_market(ETH, premiumScale=WHOLE // 4)
    trade, rebate = book("bob", -WAD)
    assert rebate == -trade.quoteDelta * REBATE // WAD


def test_rebate__turns_the_skew__only_the_part_to_zero_counts(world, rebates, book):
    trade, rebate = book("bob", -5_000 * WAD)
    notional = -trade.quoteDelta * 4 // 5
    assert rebate == notional * (REBATE // 2) // WAD
    # Now shorts are more: who buys narrows it.
    trade, rebate = book("carol", 500 * WAD)
    share = REBATE * (1_000 * WAD * WAD // SCALE) // WHOLE
    assert rebate == trade.quoteDelta * share // WAD > 0


def test_rebate__reductions_are_fills_like_others(world, rebates, book):
    trade, rebate = book("alice", -4_000 * WAD)
    assert rebate == -trade.quoteDelta * (REBATE // 2) // WAD


@pytest.mark.parametrize("size", [1_000 * WAD, 1])
def test_rebate__widening__gets_none(world, rebates, book, size):
    assert book("bob", size)[1] == 0


def test_rebate__no_skew__gets_none(world, rebates, book):
    world.trade("alice", -4_000 * WAD)
    assert book("bob", -WAD)[1] == 0


def test_rebate__reserve_is_short__pays_what_is_free(world, fund, book):
    fund("alice", "bob")
    world.set_market(ETH, maxRebate=REBATE)
    world.set_compartment(insuranceFeeShare=WAD // 2, poolFeeShare=WAD // 2)
    world.trade("alice", 8_000 * WAD)
    reserve = world.totals().feeReserve
    assert reserve <= 1
    _, rebate = book("bob", -1_000 * WAD)
    assert rebate <= 2
    world.deposit("dave", 10 * 10**6)
    world.set_compartment(insuranceFeeShare=0, poolFeeShare=0)
    world.settle("dave", 0, 10 * WAD)
    world.set_compartment(insuranceFeeShare=WAD // 2, poolFeeShare=WAD // 2)
    held = world.totals().feeReserve
    _, rebate = book("bob", -1_000 * WAD)
    assert held <= rebate <= held + 1
    assert world.totals().feeReserve <= 1


def test_rebate__escrow_is_not_paid_out(world, fund, book):
    fund("alice", "bob", "carol")
    world.set_market(ETH, maxRebate=REBATE)
    world.set_compartment(insuranceFeeShare=WAD // 2, poolFeeShare=WAD // 2)
    world.trade("alice", 8_000 * WAD)
    terms = (world.account("carol"), ETH, WAD, 2**127, 0, world.now + 3_600, 0)
    world.delayed.transact("commit", *terms, sender=world.address("carol"))
    escrow = world.margin.call("orderEscrow")
    assert escrow > 0
    book("bob", -1_000 * WAD)
    assert world.totals().feeReserve >= escrow


def test_settle__rebate_of_a_debtor__repays_first(world):
    world.deposit("dave", 100 * 10**6)
    world.settle("dave", 0, 100 * WAD)
    world.settle("alice", -5 * WAD)
    before = world.totals()
    receipt = world.settle("alice", 0, WAD, rebate=3 * WAD)
    [paid] = [e.args for e in world.margin.events(receipt, "RebatePaid")]
    assert tuple(paid) == (world.account("alice"), ETH, 3 * WAD, 3 * WAD)
    assert world.ledger("alice").cash == -3 * WAD
    assert world.totals() == before._replace(
        debt=3 * WAD, poolCash=before.poolCash + 3 * WAD, feeReserve=before.feeReserve - 3 * WAD
    )


def test_match__pays_no_rebate(world, rebates, desk):
    index = world.index() * (SCALE + 4_000 * WAD) // SCALE
    world.set_market(ETH, makerFee=0)
    before = world.totals().feeReserve
    desk.pair("bob", "alice", 100 * WAD, index)
    assert world.totals().feeReserve > before


@pytest.mark.parametrize("skew", [-3_000, 3_000])
@pytest.mark.parametrize("most", [REBATE, REBATE // 2])
@pytest.mark.parametrize(
    "steps",
    [
        [("bob", 1_000), ("bob", -1_000)],
        [("bob", -1_000), ("bob", 1_000)],
        [("bob", -4_000), ("carol", 2_000), ("bob", 4_000), ("carol", -2_000)],
        [("bob", -1), ("carol", 1), ("bob", 1), ("carol", -1)],
        [("bob", 3_999), ("carol", -4_999), ("bob", -3_999), ("carol", 4_999)],
    ],
)
def test_circle__back_to_the_same_state__pays(world, rebates, book, steps, skew, most):
    """PNL-2 with rebates: of any accounts, at a constant index, where every premium counts."""
    world.trade("alice", (skew - 4_000) * WAD)
    world.set_market(ETH, maxRebate=most, premiumScale=WAD // 10_000)
    people = ("bob", "carol")
    worth, notional = 0, 0
    for who in people:
        worth -= world.ledger(who).cash + world.ledger(who).claim
    for who, size in steps:
        world.freeze()
        trade, _ = book(who, size * WAD)
        notional += abs(trade.quoteDelta)
    assert all(world.position(who).size == 0 for who in people)
    for who in people:
        worth += world.ledger(who).cash + world.ledger(who).claim
    # Half of what moved narrowed the skew, about: at least a fifth of the fee is left.
    assert worth < -notional * FEE // 5 // WAD


# ---------------------------------------------------------------------- the instant spread


def test_spread__raising_by_a_trade__is_part_of_the_fee(world, fund, book):
    fund("alice")
    world.set_market(ETH, instantSpread=SPREAD)
    account = world.account("alice")
    quoted = world.perps.call("previewTrade", account, ETH, 10 * WAD).fee
    trade, _ = book("alice", 10 * WAD)
    assert trade.fee == quoted == ceil_div(trade.quoteDelta * (FEE + SPREAD), WAD)


def test_spread__reducing__pays_none(world, fund, book):
    fund("alice")
    world.trade("alice", 10 * WAD)
    world.set_market(ETH, instantSpread=SPREAD)
    quoted = world.perps.call("previewTrade", world.account("alice"), ETH, -4 * WAD).fee
    trade, _ = book("alice", -4 * WAD)
    assert trade.fee == quoted == ceil_div(-trade.quoteDelta * FEE, WAD)
    # Beyond zero it raises.
    quoted = world.perps.call("previewTrade", world.account("alice"), ETH, -7 * WAD).fee
    trade, _ = book("alice", -7 * WAD)
    assert trade.fee == quoted == ceil_div(-trade.quoteDelta * (FEE + SPREAD), WAD)


def test_spread__match__pays_none(world, desk, index):
    world.set_market(ETH, instantSpread=SPREAD)
    taken, made = desk.pair("alice", "bob", 2 * WAD, index)
    assert taken.fee == ceil_div(2 * index * FEE, WAD)
    assert made.fee == 0


def test_spread__delayed_order__pays_none(world, fund):
    fund("alice")
    world.set_market(ETH, instantSpread=SPREAD)
    terms = (world.account("alice"), ETH, 2 * WAD, 2**127, 0, world.now + 3_600, 0)
    world.delayed.transact("commit", *terms, sender=world.address("alice"))
    world.skip(5)
    world.quote("ETH", world.index())
    keeper = world.account("keeper")
    receipt = world.delayed.transact("settle", 1, keeper, sender=world.address("keeper"))
    [trade] = [e.args for e in world.perps.events(receipt, "Traded")]
    assert trade.fee == ceil_div(trade.quoteDelta * FEE, WAD)


# ---------------------------------------------------------------------- the pool's share


@pytest.mark.parametrize("sign", [1, -1])
def test_pool_share__a_side_worth_more__is_not_raised(world, fund, refuses, sign):
    fund("alice", "bob", "carol")
    world.set_market(ETH, takerFee=0, makerFee=0, maxRebate=0)
    cash = world.totals().poolCash
    world.set_market(ETH, maxPoolShareBps=5_000)
    size = cash // 2 * WAD // world.index()
    notional = ceil_div((size + 2) * world.index(), WAD)
    with refuses("PerpExchange_PoolShare", ETH, notional, cash // 2):
        world.trade("alice", sign * (size + 2))
    world.trade("alice", sign * size)
    with refuses("PerpExchange_PoolShare"):
        world.trade("bob", sign * WAD)
    # The other side has its own, and less is always possible.
    world.trade("bob", -sign * size)
    world.set_market(ETH, maxPoolShareBps=100)
    world.trade("alice", -sign * WAD)
    world.trade("bob", sign * size)
    with refuses("PerpExchange_PoolShare"):
        world.trade("carol", -sign * 100 * WAD)


def test_pool_share__pairs_that_raise_open_interest__count(world, desk, fund, refuses):
    fund("alice", "bob", "carol")
    world.set_market(ETH, maxPoolShareBps=100)
    cash, index = world.totals().poolCash, world.index()
    size = cash // 100 * WAD // index
    with refuses("PerpExchange_PoolShare"):
        desk.pair("alice", "bob", size + WAD, index)
    desk.pair("alice", "bob", size, index)
    # Whoever takes a position over makes nothing larger.
    desk.pair("carol", "alice", size // 2, index, nonce=1)
    with refuses("PerpExchange_PoolShare"):
        desk.pair("alice", "bob", WAD, index, nonce=2)
