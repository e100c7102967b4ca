"""Caps on open interest and premium; who may trade in which tier and on which price."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH, BTC = 0, 1
ANY = 2**255
INCREASE, REDUCE, LIQUIDATE = 2, 3, 5
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)


@pytest.mark.parametrize("sign", [1, -1])
def test_trade__open_interest__is_capped_per_side(world, fund, refuses, sign):
    fund("alice", "bob", "carol")
    world.set_market(ETH, maxOpenInterest=1_000 * WAD)
    world.trade("alice", sign * 600 * WAD)
    with refuses("PerpExchange_OpenInterestCap", ETH, 1_000 * WAD + 1, 1_000 * WAD):
        world.trade("bob", sign * (400 * WAD + 1))
    world.trade("bob", sign * 400 * WAD)
    # The other side has its own cap, and a reduction makes room.
    world.trade("carol", -sign * 1_000 * WAD)
    world.trade("alice", -sign * WAD)
    world.trade("bob", sign * WAD)


def test_trade__flip_into_a_full_side__refused(world, fund, refuses):
    fund("alice", "bob")
    world.set_market(ETH, maxOpenInterest=1_000 * WAD)
    world.trade("alice", -1_000 * WAD)
    world.trade("bob", 10 * WAD)
    with refuses("PerpExchange_OpenInterestCap", ETH, 1_000 * WAD + 1, 1_000 * WAD):
        world.trade("bob", -10 * WAD - 1)


def test_trade__cap_lowered_below_open_interest__still_lets_people_out(world, fund, refuses):
    fund("alice", "bob")
    world.trade("alice", 1_000 * WAD)
    world.set_market(ETH, maxOpenInterest=0)
    with refuses("PerpExchange_OpenInterestCap", ETH, 1_000 * WAD + 1, 0):
        world.trade("alice", 1)
    world.trade("alice", -400 * WAD)
    world.trade("alice", -600 * WAD)
    assert world.position("alice").size == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_trade__premium_above_its_bound__may_only_narrow(world, fund, sign):
    fund("alice", "bob")
    world.trade("alice", sign * 1_000 * WAD)
    world.set_market(ETH, maxPremium=WAD // 1_000, maxOpenInterest=400 * WAD)
    # 600 of 400,000 is 0.15 %: still beyond the bound, but less than before.
    world.trade("bob", -sign * 400 * WAD)
    assert world.position("bob").size == -sign * 400 * WAD


@pytest.mark.parametrize("sign", [1, -1])
def test_trade__widens_the_premium_beyond_its_bound__refused(world, fund, refuses, sign):
    # Open interest bounds the skew first; a reduction elsewhere is what leaves it further out.
    fund("alice", "bob", "carol")
    world.trade("alice", sign * 1_000 * WAD)
    world.trade("bob", -sign * 1_000 * WAD)
    world.set_market(ETH, maxPremium=WAD // 1_000, maxOpenInterest=400 * WAD)
    world.trade("bob", sign * 800 * WAD)  # A reduction is never refused: the skew is 800.
    world.trade("alice", -sign * 1_000 * WAD)  # Now it is −200.
    world.trade("bob", sign * 200 * WAD)
    assert world.perps.call("marketState", ETH).openInterestLong == 0
    world.trade("carol", sign * 400 * WAD)  # 0.1 %, to the wei.
    with refuses("PerpExchange_OpenInterestCap", ETH, 400 * WAD + 1, 400 * WAD):
        world.trade("carol", sign)


@pytest.mark.parametrize(
    ("tier", "increases", "reduces"),
    [(0, True, True), (1, True, True), (2, False, True), (3, False, True), (4, False, False)],
)
def test_trade__by_tier__increases_stop_above_1_and_reductions_in_a_halt(
    world, fund, refuses, tier, increases, reduces
):
    fund("alice")
    world.trade("alice", 10 * WAD)
    if tier:
        world.raise_tier(tier)
    account, alice = world.account("alice"), world.address("alice")
    for action, highest, size, allowed in (
        (INCREASE, 1, WAD, increases),
        (INCREASE, 1, -10 * WAD - 1, increases),  # A flip is an increase.
        (REDUCE, 3, -10 * WAD, reduces),
        (REDUCE, 3, -1, reduces),
    ):
        limit = ANY if size > 0 else 0
        if allowed:
            world.perps.call("trade", account, ETH, size, limit, sender=alice)
        else:
            with refuses("CircuitBreaker_Blocked", action, tier, highest):
                world.perps.call("trade", account, ETH, size, limit, sender=alice)


@pytest.mark.parametrize("status", [STALE, UNCONFIRMED, DEGRADED])
def test_trade__by_price_status__increases_need_a_valid_one_and_reductions_any_confirmed_quorum(
    world, fund, refuses, status
):
    fund("alice")
    world.trade("alice", 10 * WAD)
    world.worsen("ETH", status)
    with refuses("ActionPolicy_PriceStatus", INCREASE, status, VALID):
        world.trade("alice", WAD)
    if status < DEGRADED:
        with refuses("ActionPolicy_PriceStatus", REDUCE, status, DEGRADED):
            world.trade("alice", -WAD)
    else:
        world.trade("alice", -WAD)
        assert world.position("alice").size == 9 * WAD


def test_trade__another_market_is_stale__increase_refused_by_the_margin_check(world, fund, refuses):
    fund("alice")
    world.trade("alice", WAD, BTC)
    world.silence("BTC")
    with refuses("ActionPolicy_PriceStatus", INCREASE, STALE, VALID):
        world.trade("alice", WAD, ETH)
    with refuses("ActionPolicy_PriceStatus", REDUCE, STALE, DEGRADED):
        world.trade("alice", -WAD, BTC)


# ---------------------------------------------------------------------- other parts' entry points


def test_refresh_all__not_a_part__refused(world, refuses):
    allowed = {world.pool.address, world.liquidation.address}
    outsiders = {world.fund.address, world.margin.address, world.address("alice"), world.governor}
    for caller in outsiders:
        with refuses("PerpExchange_NotAuthorized", caller):
            world.perps.call("refreshAll", sender=caller)
    for caller in allowed:
        world.perps.call("refreshAll", sender=caller)


def test_liquidate_position__not_the_liquidation_engine__refused(world, fund, refuses):
    fund("alice")
    world.trade("alice", WAD)
    for caller in (
        world.pool.address,
        world.margin.address,
        world.address("alice"),
        world.governor,
    ):
        with refuses("PerpExchange_NotLiquidationEngine", caller):
            world.perps.call("liquidatePosition", world.account("alice"), ETH, -WAD, sender=caller)


@pytest.mark.parametrize(
    ("held", "size_delta"), [(10, 1), (10, -11), (-10, -1), (-10, 11), (0, 1), (0, -1)]
)
def test_liquidate_position__not_a_reduction__refused(world, fund, refuses, held, size_delta):
    fund("alice")
    if held:
        world.trade("alice", held * WAD)
    account = world.account("alice")
    with refuses("PerpExchange_NotReducing", account, ETH, held * WAD, size_delta * WAD):
        world.perps.call(
            "liquidatePosition", account, ETH, size_delta * WAD, sender=world.liquidation.address
        )


def test_liquidate_position__reduction__fills_on_the_curve_without_a_fee(world, fund, curve):
    fund("alice")
    opened = world.trade("alice", 10 * WAD).quoteDelta
    cash = world.ledger("alice").cash
    c = curve()
    receipt = world.perps.transact(
        "liquidatePosition", world.account("alice"), ETH, -4 * WAD, sender=world.liquidation.address
    )
    [event] = world.perps.events(receipt, "Traded")
    cost = c.cost(10 * WAD, -4 * WAD)
    pnl = -(opened * 4 // 10) - cost
    assert (event.args.quoteDelta, event.args.fee) == (cost, 0)
    assert event.args.realizedPnl == pnl
    assert pnl > 0  # Out at a higher point of the curve than the mean of the way in.
    entry = world.ledger("alice")
    assert (entry.cash, entry.claim) == (cash, pnl)


@pytest.mark.parametrize(
    ("status", "allowed"), [(STALE, False), (UNCONFIRMED, False), (DEGRADED, True)]
)
def test_liquidate_position__by_price_status__needs_a_confirmed_quorum(
    world, fund, refuses, status, allowed
):
    fund("alice")
    world.trade("alice", WAD)
    world.worsen("ETH", status)
    arguments = ("liquidatePosition", world.account("alice"), ETH, -WAD)
    if allowed:
        world.perps.call(*arguments, sender=world.liquidation.address)
    else:
        with refuses("ActionPolicy_PriceStatus", LIQUIDATE, status, DEGRADED):
            world.perps.call(*arguments, sender=world.liquidation.address)
