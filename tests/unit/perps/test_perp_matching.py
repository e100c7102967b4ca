"""Fills between accounts: sums, fees, margin of whoever loses by them, caps, tiers and prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.perps.conftest import ceil_div

WAD = 10**18
ETH = 0
INCREASE, REDUCE = 2, 3
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
PEOPLE = ("alice", "bob", "carol")


def sums(world):
    """Return open interest, quote and the funding product, added up over accounts."""
    held = [world.position(who) for who in PEOPLE]
    return (
        sum(max(p.size, 0) for p in held),
        sum(max(-p.size, 0) for p in held),
        sum(p.quote for p in held),
        sum(p.size * p.fundingEntry for p in held),
    )


@given(
    held=st.tuples(*[st.sampled_from((-3, 0, 3))] * 2),
    size=st.sampled_from((1, 3, 5)),
    buys=st.booleans(),
    step=st.integers(-100, 100),
    dust=st.integers(0, 10**6),
)
def test_match__open_close_or_flip__moves_both_positions_and_keeps_every_sum(
    world, fund, desk, curve, held, size, buys, step, dust
):
    """Whatever either side had: the skew stays, and nothing is lost between the two but a wei."""
    snapshot = world.rpc.snapshot()
    fund(*PEOPLE)
    for who, units in zip(("alice", "bob"), held, strict=True):
        if units:
            world.trade(who, units * WAD + (dust if units > 0 else -dust))
    skew = world.perps.call("marketState", ETH)
    skew = skew.openInterestLong - skew.openInterestShort
    mark = curve().mark(skew)
    price = mark + mark * step // 10_001 + dust
    before = [world.position(who).size for who in PEOPLE]
    sign = 1 if buys else -1
    trades = desk.match(
        desk.order("alice", sign * (size * WAD + dust), price),
        desk.order("bob", -sign * (size * WAD + dust), price),
    )
    m = world.perps.call("marketState", ETH)
    assert m.openInterestLong - m.openInterestShort == skew
    assert (m.openInterestLong, m.openInterestShort, m.quote, m.fundingEntryProduct) == sums(world)
    moved = sign * (size * WAD + dust)
    after = [world.position(who).size for who in PEOPLE]
    assert after == [before[0] + moved, before[1] - moved, 0]
    assert sum(t.quoteDelta for t in trades) in (0, 1)
    booked = world.margin.call("marketUnrealized", ETH).unrealized
    assert booked == curve().close_out(skew, m.quote)
    for t, size_before in zip(trades, before, strict=False):
        opens = size_before == 0 or (size_before > 0) == (t.sizeDelta > 0)
        assert t.fundingPaid == 0
        assert not opens or t.realizedPnl == 0
    world.rpc.revert(snapshot)


def test_match__closing_part__realises_the_price_difference(world, fund, desk):
    fund(*PEOPLE)
    index = world.index()
    desk.pair("alice", "bob", 4 * WAD, index)
    higher = index * 1_005 // 1_000
    trades = desk.match(
        desk.order("bob", 3 * WAD, higher, nonce=1), desk.order("alice", -3 * WAD, higher, nonce=1)
    )
    gain = 3 * (higher - index)
    assert [t.realizedPnl for t in trades] == [-gain, gain]
    assert world.ledger("alice").claim == gain
    assert [tuple(world.position(who)) for who in ("alice", "bob")] == [
        (WAD, index, 0),
        (-WAD, -index, 0),
    ]
    assert world.surplus() == 0


def test_match_trade__not_the_contract_of_signed_orders__refused(world, refuses):
    taker = (world.account("alice"), True, False)
    makers = [(world.account("bob"), WAD, world.index(), False)]
    for caller in (world.address("alice"), world.margin.address, world.liquidation.address):
        with refuses("PerpExchange_NotSignedOrders", caller):
            world.perps.transact("matchTrade", ETH, taker, makers, sender=caller)
    data = world.perps.encode("matchTrade", ETH, taker, makers)
    with refuses("PerpExchange_NotSignedOrders", world.margin.address):
        world.margin.transact("batch", [], [(1, data)], sender=world.address("alice"))


# ---------------------------------------------------------------------- the band


@pytest.mark.parametrize("skew", [0, 2_000, -2_000])
def test_match__band__is_around_the_curves_mark_ends_included(
    world, fund, desk, curve, refuses, skew
):
    fund(*PEOPLE)
    if skew:
        world.trade("carol", skew * WAD)
    mark = curve().mark(skew * WAD)
    width = mark // 100
    # A premium of pairs carries nothing along.
    desk.pair("alice", "bob", 500 * WAD, mark + width)
    for nonce, (price, is_good) in enumerate(
        (
            (mark - width, True),
            (mark + width, True),
            (mark - width - 1, False),
            (mark + width + 1, False),
        ),
        1,
    ):
        if is_good:
            desk.pair("alice", "bob", WAD, price, nonce)
        else:
            refused = "PerpExchange_PriceOutOfBand", ETH, price, mark - width, mark + width
            with refuses(*refused):
                desk.pair("alice", "bob", WAD, price, nonce)


# ---------------------------------------------------------------------- margin


@pytest.fixture
def strained(world, desk):
    """Alice is long a thousand, below her initial margin and above maintenance; return the mark."""
    world.deposit("alice", 200_000 * 10**6)
    world.deposit("bob", 3_000_000 * 10**6)
    world.trade("alice", 1_000 * WAD)
    world.publish("ETH", 2_975 * WAD)
    v = world.valuation("alice")
    assert v.equityInitial < v.initialMargin
    assert v.equityMaintenance > v.maintenanceMargin
    return world.perps.call("markPrice", ETH)


def test_match__opens__both_sides_meet_initial_margin(world, desk, fund, refuses):
    fund("bob")
    index = world.index()
    world.deposit("alice", 10_000 * 10**6)
    for buyer, seller in (("alice", "bob"), ("bob", "alice")):
        with refuses("MarginEngine_BelowInitialMargin"):
            desk.pair(buyer, seller, 60 * WAD, index)
        assert world.position("bob").size == 0
    # 6 % of 50 · 3,000 are 9,000, and half a per mille is the fee.
    desk.pair("alice", "bob", 50 * WAD, index)
    assert world.position("alice").size == 50 * WAD


def test_match__opens_at_a_loss__counts_it_at_once(world, desk, fund, refuses):
    fund("bob")
    index = world.index()
    world.deposit("alice", 10_000 * 10**6)
    with refuses("MarginEngine_BelowInitialMargin"):
        desk.pair("alice", "bob", 50 * WAD, index * 101 // 100)
    desk.pair("bob", "alice", 50 * WAD, index * 101 // 100, nonce=1)


def test_match__reduces_at_the_pools_price_or_better__needs_no_margin(world, desk, curve, strained):
    price = curve().price(1_000 * WAD, -500 * WAD)
    assert price < strained
    before = world.valuation("alice").equityMaintenance
    desk.match(desk.order("alice", -500 * WAD, price), desk.order("bob", 500 * WAD, price))
    fee = 500 * price // 2_000
    after = world.valuation("alice")
    assert after.equityMaintenance + fee >= before
    assert world.position("alice").size == 500 * WAD


@pytest.mark.parametrize("takes", [True, False])
def test_match__reduces_at_a_worse_price__needs_initial_margin(
    world, desk, curve, strained, refuses, takes
):
    """She may not lose to a friend what backs what she owes."""
    worse = curve().price(1_000 * WAD, -10 * WAD) - 1
    orders = desk.order("alice", -10 * WAD, worse), desk.order("bob", 10 * WAD, worse)
    with refuses("MarginEngine_BelowInitialMargin"):
        desk.match(*(orders if takes else orders[::-1]))
    world.deposit("alice", 20_000 * 10**6)
    desk.match(*(orders if takes else orders[::-1]))
    assert world.position("alice").size == 990 * WAD


def test_match__loses_all_that_is_free__and_no_more(world, desk, fund, refuses):
    """Two who are one: what one loses to the other is her own margin, never the pool's money."""
    fund("bob")
    world.deposit("alice", 20_000 * 10**6)
    index = world.index()
    low, high = index * 99 // 100, index * 101 // 100
    desk.pair("alice", "bob", 60 * WAD, index)
    for nonce in (1, 2):
        desk.pair("bob", "alice", 60 * WAD, low, nonce=2 * nonce)
        desk.pair("alice", "bob", 60 * WAD, high, nonce=2 * nonce + 1)
    desk.pair("bob", "alice", 60 * WAD, low, nonce=6)
    with refuses("MarginEngine_BelowInitialMargin"):
        desk.pair("alice", "bob", 60 * WAD, high, nonce=7)
    lost = 60 * (3 * (index - low) + 2 * (high - index))
    assert world.ledger("alice").cash < 20_000 * WAD - lost
    assert (world.totals().debt, world.ledger("bob").claim) == (0, lost)
    # What he won, she paid: the pool has it, and owes it.
    assert world.surplus() == 0


def test_match__caps__count_for_the_side_that_grows(world, desk, fund, refuses):
    fund(*PEOPLE)
    index = world.index()
    world.set_market(ETH, maxOpenInterest=100 * WAD)
    with refuses("PerpExchange_OpenInterestCap", ETH, 100 * WAD + 1, 100 * WAD):
        desk.pair("alice", "bob", 100 * WAD + 1, index)
    desk.pair("alice", "bob", 100 * WAD, index)
    # Whoever takes a position over makes nothing larger.
    desk.pair("carol", "alice", 40 * WAD, index, nonce=1)
    world.set_market(ETH, maxOpenInterest=0)
    desk.pair("carol", "alice", 40 * WAD, index, nonce=2)
    desk.pair("bob", "carol", 80 * WAD, index, nonce=3)
    with refuses("PerpExchange_OpenInterestCap"):
        desk.pair("carol", "bob", WAD, index, nonce=4)


# ---------------------------------------------------------------------- tiers and prices


def test_match__tiers__as_of_each_sides_trade(world, desk, fund, refuses):
    fund(*PEOPLE)
    index = world.index()
    desk.pair("alice", "bob", 10 * WAD, index)
    world.raise_tier(2)
    with refuses("CircuitBreaker_Blocked", INCREASE, 2, 1):
        desk.pair("carol", "alice", WAD, index, nonce=1)
    with refuses("CircuitBreaker_Blocked", INCREASE, 2, 1):
        desk.pair("bob", "carol", WAD, index, nonce=1)
    desk.pair("bob", "alice", WAD, index, nonce=2)
    world.raise_tier(4)
    with refuses("CircuitBreaker_Blocked", REDUCE, 4, 3):
        desk.pair("bob", "alice", WAD, index, nonce=3)


def test_match__prices__as_of_each_sides_trade(world, desk, fund, refuses):
    fund(*PEOPLE)
    index = world.index()
    desk.pair("alice", "bob", 10 * WAD, index)
    world.degrade("ETH")
    mark = world.perps.call("markPrice", ETH)
    with refuses("ActionPolicy_PriceStatus", INCREASE, DEGRADED, VALID):
        desk.pair("carol", "alice", WAD, mark, nonce=1)
    desk.pair("bob", "alice", WAD, mark, nonce=2)
    world.silence("ETH")
    with refuses("ActionPolicy_PriceStatus", REDUCE, STALE, DEGRADED):
        desk.pair("bob", "alice", WAD, mark, nonce=3)


# ---------------------------------------------------------------------- the premium of pairs

DEPTH = 4_000 * WAD
"""One per cent of the skew scale."""


def test_match__premium__is_a_weighted_mean_that_fades(world, desk, fund):
    fund(*PEOPLE)
    index = world.index()
    price = index * 101 // 100
    desk.pair("alice", "bob", 1_000 * WAD, price)
    m = world.perps.call("marketState", ETH)
    assert m.matchedPremium == WAD // 100 * 1_000 // 5_000
    assert m.matchedPremiumEndsAt == m.fundingUpdatedAt + 720
    assert world.perps.call("markPrice", ETH) == index * (WAD + 2 * 10**15) // WAD
    desk.pair("alice", "bob", 1_000 * WAD, price, nonce=1)
    elapsed = world.perps.call("marketState", ETH).fundingUpdatedAt - m.fundingUpdatedAt
    faded = m.matchedPremium * (720 - elapsed) // 720
    n = world.perps.call("marketState", ETH)
    assert n.matchedPremium == (faded * DEPTH + WAD // 100 * 1_000 * WAD) // (5_000 * WAD)
    left = ceil_div((720 - elapsed) * DEPTH + 3_600 * 1_000 * WAD, 5_000 * WAD)
    assert n.matchedPremiumEndsAt == n.fundingUpdatedAt + left
    world.skip(left // 2 - 1)
    world.perps.transact("poke", ETH, sender=world.address("keeper"))
    half = world.perps.call("marketState", ETH)
    since = half.fundingUpdatedAt - n.fundingUpdatedAt
    assert half.matchedPremium == n.matchedPremium * (left - since) // left
    assert half.matchedPremiumEndsAt == n.matchedPremiumEndsAt
    world.skip(left)
    world.perps.transact("poke", ETH, sender=world.address("keeper"))
    end = world.perps.call("marketState", ETH)
    assert (end.matchedPremium, end.matchedPremiumEndsAt) == (0, 0)
    assert world.perps.call("markPrice", ETH) == index


@pytest.mark.parametrize("sign", [1, -1])
def test_match__premium__moves_the_funding_rate_as_a_skew_would(world, desk, fund, sign):
    fund(*PEOPLE)
    index = world.index()
    price = index * (100 + sign) // 100
    desk.pair("alice", "bob", 1_000 * WAD, price)
    start = world.perps.call("marketState", ETH)
    world.after(720)
    world.perps.transact("poke", ETH, sender=world.address("keeper"))
    m = world.perps.call("marketState", ETH)
    # The mean premium, 0.1 %, is a twentieth of the scale, where the rate moves 50 % a day per day.
    assert m.fundingUpdatedAt == start.fundingUpdatedAt + 720
    assert m.fundingRate == sign * (WAD // 2 // 20 * 720 // 86_400)
    assert m.matchedPremium == 0
    rate = m.fundingRate
    world.skip(86_400)
    world.perps.transact("poke", ETH, sender=world.address("keeper"))
    # It is no more than that: without a premium the rate stays.
    assert world.perps.call("marketState", ETH).fundingRate == rate


def test_match__premium__moves_neither_the_curve_nor_what_positions_are_worth(world, desk, fund):
    fund(*PEOPLE)
    world.trade("carol", 100 * WAD)
    index, account = world.index(), world.account("carol")
    mark = index * 400_100 // 400_000
    preview = world.perps.call("previewTrade", account, ETH, WAD)
    exposure = world.perps.call("exposureAt", account, ETH, index)
    worth = world.perps.call("closeOutPnl", ETH)
    desk.pair("alice", "bob", 1_000 * WAD, mark * 101 // 100)
    assert world.perps.call("markPrice", ETH) > mark
    assert world.perps.call("previewTrade", account, ETH, WAD) == preview
    assert world.perps.call("exposureAt", account, ETH, index) == exposure
    # Up to the wei by which a buyer pays more than a seller gets.
    assert world.perps.call("closeOutPnl", ETH) in (worth, worth - 1)


def test_match__premium__is_cut_where_the_skew_needs_the_bound(world, desk, fund):
    fund(*PEOPLE)
    world.set_market(ETH, maxPremium=WAD // 100, maxOpenInterest=4_000 * WAD)
    world.trade("carol", 3_000 * WAD)
    index = world.index()
    high = index * 403_000 // 400_000 * 101 // 100
    desk.pair("alice", "bob", 1_000 * WAD, high)
    desk.pair("bob", "alice", 1_000 * WAD, high, nonce=1)
    # The skew has 0.75 % of the one per cent, and pairs would like 0.36 %.
    assert world.perps.call("marketState", ETH).matchedPremium > 35 * 10**14
    assert world.perps.call("markPrice", ETH) == index * 101 // 100
