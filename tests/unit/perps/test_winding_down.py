"""How a market ends: reductions only, then one last price at which anyone closes any position."""

from __future__ import annotations

import pytest

WAD = 10**18
DAY = 86_400
ETH, BTC = 0, 1
OPEN, WINDING_DOWN, SETTLED = 0, 1, 2


def ceil_div(n, d):
    return -(-n // d)


@pytest.fixture
def ending(world, fund):
    """Alice long 3,000, bob short 1,000, and the market is being wound down."""
    fund("alice", "bob", "carol")
    world.trade("alice", 3_000 * WAD)
    world.trade("bob", -1_000 * WAD)
    world.perps.transact("windDown", ETH, sender=world.governor)
    return world.now


@pytest.fixture
def fix(world):
    """Fix the last price; anyone may."""

    def _fix(market=ETH):
        return world.perps.transact("fixSettlement", market, sender=world.address("carol"))

    return _fix


@pytest.fixture
def settled(world, ending, fix):
    """The notice is over, an hour of 3,100 as well, and the price is fixed."""
    world.rpc.mine(ending + DAY - 3_900)
    world.publish("ETH", 3_100 * WAD)
    world.rpc.mine(ending + DAY)
    world.publish("ETH", 3_100 * WAD)
    fix()
    return world.perps.call("settlement", ETH).price


@pytest.fixture
def close(world):
    """Let a stranger close somebody's position at the last price."""

    def _close(who):
        account = world.account(who)
        receipt = world.perps.transact(
            "settlePosition", account, ETH, sender=world.address("arbitrageur")
        )
        return world.perps.events(receipt, "Traded")[0].args

    return _close


def phase(world):
    return world.perps.call("marketState", ETH).phase


def test_wind_down__not_the_governor__refused(world, refuses):
    with refuses("RoleRegistry_MissingRole"):
        world.perps.call("windDown", ETH, sender=world.address("guardian"))


def test_wind_down__unknown_market__refused(world, refuses):
    with refuses("RiskParameters_UnknownMarket", 2):
        world.perps.call("windDown", 2, sender=world.governor)


def test_wind_down__open_market__begins_the_notice(world):
    receipt = world.perps.transact("windDown", ETH, sender=world.governor)
    [event] = world.perps.events(receipt)
    assert (event.name, tuple(event.args)) == ("WindDownStarted", (ETH, world.now + DAY))
    assert tuple(world.perps.call("settlement", ETH)) == (0, world.now + DAY)
    assert (phase(world), world.perps.call("marketState", BTC).phase) == (WINDING_DOWN, OPEN)


def test_wind_down__twice__refused(world, ending, refuses):
    with refuses("PerpExchange_WrongPhase", ETH, WINDING_DOWN, OPEN):
        world.perps.call("windDown", ETH, sender=world.governor)


def test_trade__market_that_ends__only_reduces(world, ending, refuses):
    for who, size in (("carol", WAD), ("alice", WAD), ("alice", -3_001 * WAD)):
        limit = 2**256 - 1 if size > 0 else 0
        with refuses("PerpExchange_WindingDown", ETH):
            args = (world.account(who), ETH, size, limit)
            world.perps.call("trade", *args, sender=world.address(who))
    world.trade("alice", -2_000 * WAD)
    assert world.position("alice").size == 1_000 * WAD


def test_fix__open_market__refused(world, refuses):
    with refuses("PerpExchange_WrongPhase", ETH, OPEN, WINDING_DOWN):
        world.perps.call("fixSettlement", ETH)


def test_fix__before_the_notice_is_over__refused(world, ending, fix, refuses):
    world.rpc.set_next_timestamp(ending + DAY - 1)
    with refuses("PerpExchange_NoticeRunning", ETH, ending + DAY):
        fix()
    assert phase(world) == WINDING_DOWN
    world.rpc.set_next_timestamp(ending + DAY)
    fix()
    assert phase(world) == SETTLED


def test_fix__after_the_notice__takes_the_mean_of_an_hour(world, settled):
    # An hour at 3,100, whatever the price was before or is at the moment.
    assert settled == 3_100 * WAD
    state = world.perps.call("marketState", ETH)
    assert (state.phase, state.fundingRate, state.matchedPremium) == (SETTLED, 0, 0)


def test_fix__price_jumped_at_the_last_moment__moves_the_mean_by_its_share(world, ending, fix):
    world.rpc.mine(ending + DAY - 3_600)
    world.publish("ETH", 3_000 * WAD)
    world.rpc.mine(ending + DAY - 200)
    world.publish("ETH", 3_240 * WAD)
    world.rpc.mine(ending + DAY)
    fix()
    # 240 for 200 s or so, of 3,600: far from the price that is there now.
    assert 3_000 * WAD < world.perps.call("settlement", ETH).price < 3_016 * WAD


def test_fix__twice__refused(world, settled, fix, refuses):
    with refuses("PerpExchange_WrongPhase", ETH, SETTLED, WINDING_DOWN):
        fix()


def test_settled__price_moves__nothing_follows_it(world, settled):
    before = world.perps.call("unrealizedPnlOf", world.account("alice"), ETH)
    world.publish("ETH", 3_700 * WAD)
    world.skip(DAY)
    world.perps.transact("poke", ETH, sender=world.address("carol"))
    assert tuple(world.perps.call("indexPrice", ETH)) == (settled, 3)
    assert world.perps.call("markPrice", ETH) == settled
    assert world.perps.call("fundingRate", ETH) == 0
    assert world.perps.call("unrealizedPnlOf", world.account("alice"), ETH) == before
    state = world.perps.call("marketState", ETH)
    skew = state.openInterestLong - state.openInterestShort
    owed = skew * state.cumulativeFundingPerUnit - state.fundingEntryProduct
    total = (skew * settled - owed) // WAD - state.quote
    assert world.perps.call("closeOutPnl", ETH) == total
    assert world.margin.call("marketUnrealized", ETH).unrealized == total
    assert world.margin.call("marketUnrealized", ETH).updatedAt == world.now


def test_settled__margin__asks_nothing_beyond_the_loss(world, settled):
    valuation = world.valuation("alice")
    assert (valuation.initialMargin, valuation.maintenanceMargin) == (0, 0)
    own = world.perps.call("unrealizedPnlOf", world.account("alice"), ETH)
    assert valuation.unrealizedPnl == own != 0
    [exposure] = world.perps.call("exposuresOf", world.account("alice"))
    assert (exposure.notional, exposure.closeOutCost, exposure.status) == (0, 0, 3)
    assert world.perps.call("poolExposure").openInterest == 0


def test_settled__trade__refused_both_ways(world, settled, refuses):
    for size in (WAD, -WAD):
        args = (world.account("alice"), ETH, size, 2**256 - 1 if size > 0 else 0)
        with refuses("PerpExchange_Settled", ETH):
            world.perps.call("trade", *args, sender=world.address("alice"))
        with refuses("PerpExchange_Settled", ETH):
            world.perps.call("previewTrade", world.account("alice"), ETH, size)


def test_settle__open_market__refused(world, ending, refuses):
    with refuses("PerpExchange_WrongPhase", ETH, WINDING_DOWN, SETTLED):
        world.perps.call("settlePosition", world.account("alice"), ETH)


def test_settle__no_position__refused(world, settled, refuses):
    with refuses("PerpExchange_ZeroSize"):
        world.perps.call("settlePosition", world.account("carol"), ETH)


def test_settle__by_a_stranger__pays_the_last_price_without_a_fee(world, settled, close):
    state = world.perps.call("marketState", ETH)
    before = {who: (world.position(who), world.ledger(who)) for who in ("alice", "bob")}
    world.publish("ETH", 2_500 * WAD)
    for who, (held, ledger) in before.items():
        fill = close(who)
        moved = state.cumulativeFundingPerUnit - held.fundingEntry
        funding = ceil_div(held.size * moved, WAD)
        cost = ceil_div(-held.size * settled, WAD)
        assert (fill.fee, fill.quoteDelta, fill.fundingPaid) == (0, cost, funding)
        assert fill.realizedPnl == -funding - held.quote - cost
        assert tuple(world.position(who)) == (0, 0, 0)
        after = world.ledger(who)
        # Profit is a claim, a loss is paid at once.
        assert after.claim - ledger.claim == max(0, fill.realizedPnl)
        assert after.cash - ledger.cash == min(0, fill.realizedPnl)
    end = world.perps.call("marketState", ETH)
    assert (end.openInterestLong, end.openInterestShort, end.quote) == (0, 0, 0)
    assert end.fundingEntryProduct == 0
    assert world.margin.call("marketUnrealized", ETH).unrealized == 0
    assert not world.perps.call("hasExposure", world.account("alice"))


def test_settle__halt__refused_until_it_is_over(world, settled, close, refuses):
    world.raise_tier(4)
    with refuses("CircuitBreaker_Blocked"):
        world.perps.call("settlePosition", world.account("alice"), ETH)
    world.skip(3_601)
    assert close("alice").sizeDelta == -3_000 * WAD


def test_fix__no_price_for_a_day__takes_the_last_that_was_confirmed(world, ending, fix):
    for name in world.book.feeds:
        if name.rpartition("-")[0] == "ETH":
            world._named(name).transact("setMode", 1, sender=world.governor)
    last = world.index()
    world.rpc.mine(ending + 2 * DAY)
    fix()
    assert world.perps.call("settlement", ETH).price == last
    assert phase(world) == SETTLED


def test_liquidate__settled_position__goes_whole_without_a_penalty(world, settled):
    account = world.account("bob")
    # Funding has paid him 100,000 or so: he is bankrupt in spite of it.
    world.settle("bob", -world.ledger("bob").cash - 200_000 * WAD, market=BTC)
    receipt = world.liquidation.transact("liquidate", account, ETH, sender=world.address("keeper"))
    [event] = world.liquidation.events(receipt, "Liquidated")
    assert (event.args.sizeDelta, event.args.fillPrice) == (1_000 * WAD, settled)
    assert (event.args.penalty, event.args.reward) == (0, 0)
    assert world.position("bob").size == 0
