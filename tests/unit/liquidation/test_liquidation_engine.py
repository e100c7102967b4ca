"""Closing positions: who may be liquidated, how much, at what price to whom."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id

WAD = 10**18
ETH, BTC = 0, 1
WETH = 3
LIQUIDATE = 5
STALE, UNCONFIRMED, DEGRADED = range(3)


def ceil_div(n, d):
    return -(-n // d)


def ceil_mul(x, y):
    return ceil_div(x * y, WAD)


def least_notional(world, v, market=ETH):
    """n = (τ·M − E) / (τ·m − p·(1 + τ·d)), every part rounded as far as it closes more."""
    p = world.risk.call("compartmentParameters")
    penalty = world.risk.call("marketLiquidation", market).penalty
    ratio = world.risk.call("marketTrading", market).maintenanceMarginRatio
    missing = ceil_mul(v.maintenanceMargin, p.targetHealth) - v.equityMaintenance
    cost = penalty + ceil_mul(ceil_mul(penalty, p.targetHealth), p.debtMaintenanceRatio)
    gain = ratio * p.targetHealth // WAD - cost
    return ceil_div(missing * WAD, gain)


def test_liquidate__healthy__refused(world, refuses):
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    v = world.valuation("alice")
    assert not world.liquidation.call("isLiquidatable", world.account("alice"))
    for function in ("liquidate", "previewLiquidate"):
        with refuses(
            "LiquidationEngine_Healthy",
            world.account("alice"),
            v.equityMaintenance,
            v.maintenanceMargin,
        ):
            world.liquidation.call(function, world.account("alice"), ETH)


def test_liquidate__exactly_at_the_maintenance_margin__refused_and_a_wei_below_allowed(
    world, refuses
):
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    v = world.valuation("alice")
    account = world.account("alice")
    spare = v.equityMaintenance - v.maintenanceMargin
    world.freeze()
    world.settle("alice", -spare)
    at_margin = world.valuation("alice")
    assert at_margin.equityMaintenance == at_margin.maintenanceMargin
    with refuses("LiquidationEngine_Healthy", account, v.maintenanceMargin, v.maintenanceMargin):
        world.liquidation.call("liquidate", account, ETH)
    world.freeze()
    world.settle("alice", -1)
    assert world.liquidation.call("isLiquidatable", account)
    world.liquidation.call("liquidate", account, ETH)


def test_liquidate__below_maintenance__closes_the_least_that_restores_the_target(
    world, unhealthy, liquidate
):
    v = unhealthy
    account = world.account("alice")
    size = ceil_div(least_notional(world, v) * WAD, 2_900 * WAD)
    notional = ceil_mul(size, 2_900 * WAD)
    penalty = ceil_mul(notional, WAD // 100)
    assert 0 < size < 100 * WAD
    plan = world.liquidation.call("previewLiquidate", account, ETH)
    assert tuple(plan) == (-size, notional, penalty)

    cash = world.ledger("alice").cash
    opened = world.position("alice").quote
    scale = world.risk.call("marketTrading", ETH).skewScale
    world.freeze()
    args = liquidate()
    # On the curve from 100 down by the size.
    fill_price = 2_900 * WAD * (2 * (scale + 100 * WAD) - size) // (2 * scale)
    pnl = -(opened * size // (100 * WAD)) + size * fill_price // WAD
    reward = penalty * 3 // 10
    assert tuple(args) == (
        account,
        ETH,
        world.address("keeper"),
        -size,
        fill_price,
        pnl,
        penalty,
        reward,
    )
    assert world.ledger("alice").cash == cash + pnl - penalty
    assert world.ledger("keeper").cash == reward
    assert world.position("alice").size == 100 * WAD - size

    after = world.valuation("alice")
    target = world.risk.call("compartmentParameters").targetHealth
    # Restored, and by no more than rounding: the plan allows for a penalty that becomes debt, which
    # this one did not.
    above = after.equityMaintenance - after.maintenanceMargin * target // WAD
    debt_ratio = world.risk.call("compartmentParameters").debtMaintenanceRatio
    assert 0 <= above - penalty * target * debt_ratio // WAD**2 <= 200
    assert not world.liquidation.call("isLiquidatable", account)


@pytest.mark.parametrize("sign", [1, -1])
def test_liquidate__either_direction__is_symmetric(world, liquidate, sign):
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", sign * 100 * WAD)
    world.publish("ETH", (3_000 - sign * 100) * WAD)
    args = liquidate()
    assert -100 * WAD < sign * args.sizeDelta < 0
    assert not world.liquidation.call("isLiquidatable", world.account("alice"))


def test_liquidate__rest_would_be_dust__closes_all(world, unhealthy, liquidate):
    n = least_notional(world, unhealthy)
    world.set_market(ETH, minNotional=290_000 * WAD - n)
    args = liquidate()
    assert args.sizeDelta == -100 * WAD
    assert world.position("alice").size == 0


def test_liquidate__rest_is_just_no_dust__closes_the_least(world, unhealthy, liquidate):
    n = least_notional(world, unhealthy)
    world.set_market(ETH, minNotional=290_000 * WAD - n - 1)
    world.freeze()
    args = liquidate()
    assert args.sizeDelta == -ceil_div(n * WAD, 2_900 * WAD)


def test_liquidate__bankrupt__closes_all_without_a_penalty(world, bankrupt, liquidate):
    cash = world.ledger("alice").cash
    opened = world.position("alice").quote
    fees = world.totals().feeReserve
    args = liquidate()
    pnl = args.realizedPnl
    assert (args.sizeDelta, args.penalty) == (-100 * WAD, 0)
    assert pnl == -opened + 100 * args.fillPrice
    assert world.ledger("alice").cash == cash + pnl < 0
    # 30 % of 1 % of 270,000 is 810; the reserve pays what it has.
    assert args.reward == min(fees, 810 * WAD) == world.ledger("keeper").cash
    assert world.totals().feeReserve == fees - args.reward


def test_liquidate__equity_below_the_penalty__takes_no_more_than_keeps_the_ratio(world, liquidate):
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_815 * WAD)
    v = world.valuation("alice")
    assert 0 < v.equityMaintenance < 281_500 * WAD // 100
    args = liquidate()
    # All is closed; what is left of the requirement is none, so all but the debt's part is spare:
    # x ≤ E' / (1 + d).
    assert args.sizeDelta == -100 * WAD
    left = world.ledger("alice").cash
    assert args.penalty == (left + args.penalty) * WAD // (WAD + WAD // 10)
    assert left >= 0
    assert args.reward == args.penalty * 3 // 10


@pytest.mark.parametrize("price", [2_905, 2_880, 2_860, 2_840, 2_820, 2_805])
def test_liquidate__any_depth__never_lowers_the_health_ratio(world, liquidate, price):
    """LIQ-2."""
    world.deposit("alice", 20_000 * 10**6)
    world.deposit("alice", WAD // 10, WETH)
    world.trade("alice", 100 * WAD)
    world.trade("alice", -3 * WAD // 10, BTC)
    world.publish("ETH", price * WAD)
    before = world.valuation("alice")
    world.freeze()
    liquidate()
    after = world.valuation("alice")
    assert before.equityMaintenance > 0
    assert (
        after.equityMaintenance * before.maintenanceMargin
        >= before.equityMaintenance * after.maintenanceMargin
    )


def test_liquidate__one_market_is_not_enough__the_other_follows(world, liquidate):
    world.deposit("alice", 40_000 * 10**6)
    world.trade("alice", 10 * WAD, ETH)
    world.trade("alice", 10 * WAD, BTC)
    world.publish("BTC", 57_500 * WAD)
    assert world.liquidation.call("isLiquidatable", world.account("alice"))
    assert liquidate(market=ETH).sizeDelta == -10 * WAD
    assert -10 * WAD < liquidate(market=BTC).sizeDelta < 0
    assert not world.liquidation.call("isLiquidatable", world.account("alice"))


def test_liquidate__no_position_in_the_market__refused(world, unhealthy, refuses):
    for function in ("liquidate", "previewLiquidate"):
        with refuses("LiquidationEngine_NoPosition", world.account("alice"), BTC):
            world.liquidation.call(function, world.account("alice"), BTC)


def test_liquidate__anyone__may(world, unhealthy, liquidate):
    assert liquidate(keeper="arbitrageur").keeper == world.address("arbitrageur")


def test_liquidate__by_the_owner__gives_no_profit(world, unhealthy, liquidate):
    v = world.valuation("alice")
    args = liquidate(keeper="alice")
    after = world.valuation("alice")
    assert args.reward < args.penalty
    # Path-independent closing: equity falls by the penalty less the reward, within rounding.
    change = v.equityMaintenance - after.equityMaintenance - (args.penalty - args.reward)
    assert abs(change) <= 200


def test_liquidate__records_its_volume(world, unhealthy):
    account = world.account("alice")
    plan = world.liquidation.call("previewLiquidate", account, ETH)
    world.freeze()
    receipt = world.liquidation.transact("liquidate", account, ETH, sender=world.address("keeper"))
    [event] = world.breaker.events(receipt)
    assert (event.name, tuple(event.args)) == (
        "LiquidationVolumeRecorded",
        (plan.notional, plan.notional),
    )


@pytest.mark.parametrize(("tier", "allowed"), [(1, True), (2, True), (3, True), (4, False)])
def test_liquidate__by_tier__goes_on_below_a_halt(world, unhealthy, refuses, tier, allowed):
    if world.breaker.call("tier") < tier:
        world.raise_tier(tier)
    account = world.account("alice")
    if allowed:
        world.liquidation.call("liquidate", account, ETH)
    else:
        with refuses("CircuitBreaker_Blocked", LIQUIDATE, 4, 3):
            world.liquidation.call("liquidate", account, ETH)


def test_liquidate__degraded_price__allowed(world, unhealthy):
    world.degrade("ETH")
    world.liquidation.call("liquidate", world.account("alice"), ETH)


@pytest.mark.parametrize("status", [STALE, UNCONFIRMED])
def test_liquidate__stale_or_unconfirmed_price__refused(world, unhealthy, refuses, status):
    if status == STALE:
        world.silence("ETH")
    else:
        world.jolt("ETH", -11)
    account = world.account("alice")
    with refuses("ActionPolicy_PriceStatus", LIQUIDATE, status, DEGRADED):
        world.liquidation.call("liquidate", account, ETH)


def test_liquidate__price_that_moved_far__once_it_is_confirmed(world, refuses):
    """One look at a crash liquidates nobody; the second, thirty seconds later, does."""
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.skip(600)  # What she traded at is what the price is compared with.
    account = world.account("alice")
    world.quote("ETH", 2_600 * WAD)
    with refuses("ActionPolicy_PriceStatus", LIQUIDATE, UNCONFIRMED, DEGRADED):
        world.liquidation.call("liquidate", account, ETH)
    world.after(28)
    world.oracle.transact("record", asset_id("ETH"), sender=world.address("bob"))
    with refuses("ActionPolicy_PriceStatus", LIQUIDATE, UNCONFIRMED, DEGRADED):
        world.liquidation.call("liquidate", account, ETH)
    world.after(2)
    world.oracle.transact("record", asset_id("ETH"), sender=world.address("bob"))
    world.liquidation.call("liquidate", account, ETH)


def test_liquidate__unit_of_a_collateral_with_a_dead_feed__does_not_protect(world, liquidate):
    world.deposit("alice", 20_000 * 10**6)
    world.deposit("alice", 1, 2)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_900 * WAD)
    world.silence("BTC")
    assert world.valuation("alice").status == STALE
    assert liquidate().sizeDelta < 0


def test_liquidate__large_collateral_with_a_dead_feed__protects(world, refuses):
    world.deposit("alice", 20_000 * 10**6)
    world.deposit("alice", 10**8, 2)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_200 * WAD)
    world.silence("BTC")
    v = world.valuation("alice")
    assert v.equityMaintenance < v.maintenanceMargin
    assert v.uncertain == 60_000 * WAD
    with refuses("ActionPolicy_PriceStatus", LIQUIDATE, STALE, DEGRADED):
        world.liquidation.call("liquidate", world.account("alice"), ETH)


def test_liquidate__trader_who_is_ahead_while_h_is_low__counts_her_profit_times_h(world):
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 3_090 * WAD)
    world.perps.transact("poke", ETH, sender=world.address("bob"))
    world.settle("carol", 80_000_000 * WAD)
    world.perps.transact("poke", ETH, sender=world.address("bob"))
    h = world.margin.call("haircutRatio")
    assert h < WAD // 3
    v = world.valuation("alice")
    [e] = world.perps.call("exposuresOf", world.account("alice"))
    profit = e.unrealizedPnl - e.closeOutCost
    t, u = world.totals(), world.margin.call("unrealizedTotals")
    assert profit > 0
    assert v.equityMaintenance == world.ledger("alice").cash + (
        profit * t.poolCash // (t.claims + u.positive)
    )
