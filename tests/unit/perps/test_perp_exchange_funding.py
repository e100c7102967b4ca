"""Funding and unrealised results in the market: by hand, over accounts, whoever pokes."""

from __future__ import annotations

import pytest

WAD = 10**18
DAY = 86_400
ETH, BTC = 0, 1
PEOPLE = ("alice", "bob", "carol", "dave")


def ceil_div(n, d):
    return -(-n // d)


@pytest.fixture
def skewed(world, fund):
    """Alice long 6,000, bob short 2,000: a premium of 1 %, half of its scale. Returns the time."""
    fund("alice", "bob")
    world.trade("alice", 6_000 * WAD)
    world.freeze()
    world.trade("bob", -2_000 * WAD)
    return world.now


def test_funding__premium_of_one_percent__accrues_by_the_trapezoid(world, skewed):
    # Velocity 0.25 per day²: after 2 hours the rate is 1/48 per day, on average half of it.
    # 3,000 · 1/96 · 1/12 = 2.604166… per unit.
    world.rpc.mine(skewed + 7_199)
    world.publish("ETH", 3_000 * WAD)
    world.rpc.set_next_timestamp(skewed + 7_200 + 100)
    rate = WAD // 4 * 7_300 // DAY
    per_unit = rate * 7_300 * 3_000 // (2 * DAY)
    receipt = world.perps.transact("poke", ETH, sender=world.address("carol"))
    [event] = world.perps.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "FundingAccrued",
        (ETH, rate, per_unit, 3_000 * WAD),
    )
    state = world.perps.call("marketState", ETH)
    assert (state.fundingRate, state.cumulativeFundingPerUnit) == (rate, per_unit)
    assert state.fundingUpdatedAt == skewed + 7_300
    assert world.perps.call("fundingRate", ETH) == rate

    world.freeze()
    assert world.trade("alice", -WAD).fundingPaid == ceil_div(6_000 * WAD * per_unit, WAD)
    world.freeze()
    assert world.trade("bob", WAD).fundingPaid == ceil_div(-2_000 * WAD * per_unit, WAD)
    assert world.position("alice").fundingEntry == per_unit
    # Settled: the next trade in the same second pays nothing more.
    world.freeze()
    assert world.trade("alice", -WAD).fundingPaid == 0


def test_funding__position_closed_for_good__leaves_no_entry(world, skewed):
    world.skip(3_000)
    for who in ("alice", "bob"):
        world.trade(who, -world.position(who).size)
        assert tuple(world.position(who)) == (0, 0, 0)
    state = world.perps.call("marketState", ETH)
    assert state.cumulativeFundingPerUnit > 0
    assert (state.fundingEntryProduct, state.quote) == (0, 0)
    # Whoever opens anew owes nothing of what was before.
    world.skip(100)
    assert world.trade("alice", WAD).fundingPaid == 0


def test_funding__a_day_at_full_velocity__is_clamped(world, fund):
    fund("alice")
    world.trade("alice", 8_000 * WAD)
    start = world.now
    world.rpc.mine(start + DAY - 10)
    world.publish("ETH", 3_000 * WAD)
    world.rpc.set_next_timestamp(start + DAY)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    state = world.perps.call("marketState", ETH)
    # 0.5 per day² reaches 0.1 after 17,280 s; then the plateau: 3,000 · (0.2 · 0.05 + 0.8 · 0.1).
    assert state.fundingRate == WAD // 10
    assert state.cumulativeFundingPerUnit == 270 * WAD


def test_funding__premium_within_the_dead_band__does_not_accrue(world, fund):
    fund("alice")
    world.trade("alice", 200 * WAD)  # 0.05 % of 400,000: the dead-band's edge.
    world.skip(3_000)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    state = world.perps.call("marketState", ETH)
    assert (state.fundingRate, state.cumulativeFundingPerUnit) == (0, 0)


def test_funding__index_moves_between_touches__is_charged_at_the_later_price(world, skewed):
    world.rpc.mine(skewed + 3_000)
    world.publish("ETH", 3_100 * WAD)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    elapsed = world.now - skewed
    rate = WAD // 4 * elapsed // DAY
    assert world.perps.call("marketState", ETH).cumulativeFundingPerUnit == (
        rate * elapsed * 3_100 // (2 * DAY)
    )


def test_poke__often_or_once__accrues_the_same_within_rounding(world, skewed):
    snapshot = world.rpc.snapshot()
    for second in (100, 101, 1_700, 2_999):
        world.rpc.set_next_timestamp(skewed + second)
        world.perps.transact("poke", ETH, sender=world.address("carol"))
    world.rpc.set_next_timestamp(skewed + 3_000)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    often = world.perps.call("marketState", ETH)
    world.rpc.revert(snapshot)
    world.rpc.set_next_timestamp(skewed + 3_000)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    once = world.perps.call("marketState", ETH)
    assert 0 <= once.fundingRate - often.fundingRate <= 4
    # Each accrual drops less than a wei of the rate: 3,000 s at 3,000 make 105 wei of it.
    assert 0 <= once.cumulativeFundingPerUnit - often.cumulativeFundingPerUnit <= 4 * 105 + 5


def gains(world):
    t = world.risk.call("marketTrading", ETH)
    return 10_000, t.fundingGain1, t.fundingGain2, t.fundingGain3, t.fundingGain4


def poke_at(world, second):
    world.rpc.set_next_timestamp(second)
    receipt = world.perps.transact("poke", ETH, sender=world.address("carol"))
    return [tuple(e.args) for e in world.perps.events(receipt, "FundingGainChanged")]


@pytest.fixture
def eager(world, skewed):
    """A premium of 1 % and gains that differ in every tier. Returns the time of the last touch."""
    world.set_market(ETH, **{f"fundingGain{i}": 10_000 + 5_000 * i for i in (1, 2, 3, 4)})
    poke_at(world, world.now + 1)
    return world.now


def test_gain__first_touch__is_that_of_calm(world, skewed):
    assert world.perps.call("marketState", ETH).fundingGain == 0  # Which is 10,000.


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_gain__tier_raised__counts_from_the_next_touch(world, eager, tier):
    world.raise_tier(tier)
    before = world.perps.call("marketState", ETH)
    assert before.fundingGain == 0  # Which is 10,000.
    gain = gains(world)[tier]
    assert gain == 10_000 + 5_000 * tier
    # Until then the old one counts, however long the tier has been raised.
    assert poke_at(world, eager + 1_000) == [(ETH, gain)]
    state = world.perps.call("marketState", ETH)
    assert state.fundingGain == gain
    assert state.fundingRate == before.fundingRate + WAD // 4 * 1_000 // DAY
    # From then on the new one, in the view as well as in the books.
    world.rpc.mine(eager + 2_000)
    later = state.fundingRate + WAD // 4 * gain // 10_000 * 1_000 // DAY
    assert world.perps.call("fundingRate", ETH) == later
    assert poke_at(world, eager + 2_100) == []
    after = world.perps.call("marketState", ETH).fundingRate
    assert after == state.fundingRate + WAD // 4 * gain // 10_000 * 1_100 // DAY


def test_gain__margin_check__sees_the_same_funding_as_the_market(world, eager):
    world.raise_tier(3)
    poke_at(world, eager + 10)
    world.rpc.mine(eager + 2_900)
    account = world.account("alice")
    [exposure] = world.perps.call("exposuresOf", account)
    assert exposure.unrealizedPnl == world.perps.call("unrealizedPnlOf", account, ETH)


def test_gain__trade__renews_it(world, eager):
    world.raise_tier(2)
    world.trade("alice", -WAD)
    assert world.perps.call("marketState", ETH).fundingGain == 20_000


def test_poke__twice_in_a_second__accrues_once(world, skewed):
    world.skip(1_000)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    state = world.perps.call("marketState", ETH)
    world.freeze()
    receipt = world.perps.transact("poke", ETH, sender=world.address("carol"))
    assert world.perps.events(receipt) == []
    assert world.perps.call("marketState", ETH) == state


def test_poke__anyone_in_any_tier__refreshes_the_market(world, skewed, curve):
    world.raise_tier(4)
    world.publish("ETH", 3_050 * WAD)
    world.perps.transact("poke", ETH, sender=world.address("arbitrageur"))
    assert world.margin.call("marketUnrealized", ETH).updatedAt == world.now


def test_poke__unknown_market__refused(world, refuses):
    with refuses("RiskParameters_UnknownMarket", 2):
        world.perps.call("poke", 2)


def test_poke__stale_price__accrues_but_keeps_the_figures_age(world, skewed):
    before = world.margin.call("marketUnrealized", ETH)
    world.silence("ETH")
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    assert world.margin.call("marketUnrealized", ETH) == before
    assert world.perps.call("marketState", ETH).fundingUpdatedAt == world.now
    assert world.perps.call("marketState", ETH).fundingRate > 0


def test_poke__stale_price_of_an_empty_market__refreshes_it(world):
    world.silence("ETH")
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    assert tuple(world.margin.call("marketUnrealized", ETH)) == (0, world.now)


def test_unrealised__sum_over_accounts__is_the_market_within_a_wei_each(world, fund):
    """PNL-1."""
    fund(*PEOPLE)
    trades = [
        ("alice", 1_000 * WAD + 7),
        ("bob", -333 * WAD - 1),
        ("carol", 17 * WAD + 123_456_789),
        ("dave", -2_000 * WAD + 3),
        ("alice", -400 * WAD - 1),
        ("bob", 900 * WAD + 11),
        ("carol", 1),
    ]
    for i, (who, size) in enumerate(trades):
        world.skip(211 * i + 1)
        world.publish("ETH", (3_000 + 7 * i) * WAD + 10**10)
        world.trade(who, size)
        world.skip(97)
        total = world.perps.call("unrealizedPnl", ETH)
        parts = [world.perps.call("unrealizedPnlOf", world.account(p), ETH) for p in PEOPLE]
        open_accounts = sum(1 for p in PEOPLE if world.position(p).size)
        assert 0 <= total - sum(parts) <= open_accounts
        state = world.perps.call("marketState", ETH)
        positions = [world.position(p) for p in PEOPLE]
        assert sum(p.quote for p in positions) == state.quote
        assert sum(p.size * p.fundingEntry for p in positions) == state.fundingEntryProduct
        assert sum(max(0, p.size) for p in positions) == state.openInterestLong
        assert sum(max(0, -p.size) for p in positions) == state.openInterestShort


def test_funding__between_traders__pays_no_more_than_is_paid_in(world, fund):
    """FUN-1: what shorts receive and what longs pay differ by the pool's part, never against it."""
    fund(*PEOPLE)
    for who, size in (("alice", 4_000), ("bob", -1_500), ("carol", 700), ("dave", -1)):
        world.trade(who, size * WAD)
        world.skip(500)
    world.publish("ETH", 3_000 * WAD)
    paid = [world.trade(who, -world.position(who).size).fundingPaid for who in PEOPLE]
    received = -sum(p for p in paid if p < 0)
    assert 0 < received <= sum(p for p in paid if p > 0)
