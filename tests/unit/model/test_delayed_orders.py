"""Delayed orders on the model: prices are pinned, and knowing the next price is worth nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.model import presets
from bulkhead.model.delayed_order_types import (
    REDUCE_ONLY,
    DelayedOrders_Pinned,
    DelayedOrders_TooEarly,
    OrderOutcome,
)
from bulkhead.model.delayed_orders import FIXINGS, MAX_FIXING_AGE
from bulkhead.model.math import WAD
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.types import address, pack
from bulkhead.model.world import World

TRADER, LP, KEEPER = address(0x11), address(0x99), address(0x77)
ACCOUNT = pack(TRADER)
FIRST = 2_000 * WAD
ANY = 2**128 - 1
FOREVER = 2**40 - 1


def build() -> World:
    """One market on which the trader has a million in cash, and nobody else a position."""
    world = World()
    world.oracle.set("ETH", FIRST, published_at=world.now)
    market = presets.market("ETH", 1_000_000 * WAD)
    world.risk_parameters.set_market(world.governor, 0, market, presets.LIQUIDATION)
    for who in (TRADER, LP, KEEPER):
        world.fund(who, 10**14)
    world.liquidity_vault.deposit(LP, 10**13, LP)
    world.margin_engine.deposit(TRADER, ACCOUNT, 0, 10**12)
    world.events.clear()
    return world


def publish(world: World, price: int, status: PriceStatus = PriceStatus.VALID) -> None:
    """A price is published two seconds later."""
    world.now += 2
    world.oracle.set("ETH", price, status, published_at=world.now)


def commit(world: World, size: int, flags: int = 0) -> int:
    limit = ANY if size > 0 else 0
    return world.delayed_orders.commit(TRADER, ACCOUNT, 0, size, limit, 0, FOREVER, flags)


def settle(world: World, order_id: int) -> OrderOutcome:
    return world.delayed_orders.settle(KEEPER, order_id, pack(KEEPER))


def close(world: World) -> None:
    size = world.perp_exchange.position(ACCOUNT, 0).size
    if size:
        world.perp_exchange.trade(TRADER, ACCOUNT, 0, -size, 0 if size > 0 else 2**255)


def profit(world: World) -> int:
    """What the trader's fills have brought her, fees taken off; WAD."""
    traded = [e.args for e in world.events if e.name == "Traded"]
    return sum(e["realizedPnl"] - e["fee"] for e in traded)  # type: ignore[operator, misc]


def trade_now(world: World, size: int, price: int) -> None:
    world.perp_exchange.trade(TRADER, ACCOUNT, 0, size, 2**255 if size > 0 else 0)
    publish(world, price)
    close(world)


def trade_later(world: World, size: int, price: int) -> None:
    order_id = commit(world, size)
    publish(world, price)
    assert settle(world, order_id) == OrderOutcome.FILLED
    close(world)


def knowing(prices: list[int], act: Callable[[World, int, int], None]) -> int:
    """Return what a trader earns who knows each next price, and takes the side that wins."""
    world = build()
    last = FIRST
    for price in prices:
        act(world, (5 if price > last else -5) * WAD, price)
        last = price
    return profit(world)


paths = st.lists(st.integers(1_500 * WAD, 2_700 * WAD), min_size=1, max_size=8)


class TestKnowingTheNextPrice:
    @given(prices=paths)
    def test_earns_nothing_by_an_order(self, prices: list[int]) -> None:
        assert knowing(prices, trade_later) <= 0

    @given(moves=st.lists(st.integers(-500, 500).filter(lambda m: abs(m) >= 100), min_size=1))
    def test_earns_by_a_trade_at_once(self, moves: list[int]) -> None:
        """So the test above could fail: the same trader earns where her fill knows less."""
        prices, price = [], FIRST
        for move in moves[:8]:
            price = price * (10_000 + move) // 10_000
            prices.append(price)
        assert knowing(prices, trade_now) > 0

    @given(prices=paths, wait=st.integers(0, 30))
    def test_earns_nothing_by_waiting_once_somebody_fixed_the_price(
        self, prices: list[int], wait: int
    ) -> None:
        """The keeper fixes each price as it is published; the trader settles when she likes."""
        world = build()
        order_id = commit(world, 5 * WAD)
        for price in prices:
            publish(world, price)
            world.delayed_orders.fix(KEEPER, 0)
        world.now += wait
        assert settle(world, order_id) == OrderOutcome.FILLED
        [opened] = [e.args for e in world.events if e.name == "Traded"]
        other = build()
        trade_at = prices[0]
        other.oracle.set("ETH", trade_at)
        fill = other.perp_exchange.trade(TRADER, ACCOUNT, 0, 5 * WAD, 2**255)
        assert opened["quoteDelta"] == fill.quote_delta


class TestPins:
    def test_the_first_late_price_counts_whatever_comes_after(self) -> None:
        world = build()
        order_id = commit(world, WAD)
        publish(world, 1_900 * WAD)
        world.delayed_orders.fix(LP, 0)
        publish(world, 2_100 * WAD)
        settle(world, order_id)
        [closed] = [e.args for e in world.events if e.name == "OrderClosed"]
        assert closed["indexPrice"] == 1_900 * WAD

    def test_a_price_from_before_does_not_count_however_late_it_is_fixed(self) -> None:
        world = build()
        world.oracle.set("ETH", FIRST, published_at=world.now)
        order_id = commit(world, WAD)
        world.now += 10
        with pytest.raises(DelayedOrders_TooEarly) as caught:
            settle(world, order_id)
        assert caught.value.args == (world.now - 10, world.now - 9)

    def test_a_price_that_nobody_used_in_time_drops_the_order(self) -> None:
        world = build()
        order_id = commit(world, WAD)
        publish(world, FIRST)
        world.delayed_orders.fix(LP, 0)
        world.now += MAX_FIXING_AGE + 1
        assert settle(world, order_id) == OrderOutcome.LATE
        assert world.perp_exchange.position(ACCOUNT, 0).size == 0

    def test_the_last_second_in_which_it_may_be_used(self) -> None:
        world = build()
        order_id = commit(world, WAD)
        publish(world, FIRST)
        world.delayed_orders.fix(LP, 0)
        world.now += MAX_FIXING_AGE
        assert settle(world, order_id) == OrderOutcome.FILLED

    @pytest.mark.parametrize(("more", "outcome"), [(0, "FILLED"), (1, "LATE")])
    def test_a_price_that_may_have_been_overwritten_is_none(self, more: int, outcome: str) -> None:
        world = build()
        world.delayed_orders.fix(LP, 0)
        order_id = commit(world, WAD)
        for i in range(FIXINGS - 1 + more):
            publish(world, FIRST + i)
            world.delayed_orders.fix(LP, 0)
        assert settle(world, order_id).name == outcome

    def test_taking_back_is_refused_once_the_price_is_out(self) -> None:
        world = build()
        order_id = commit(world, WAD)
        world.now += 60
        publish(world, FIRST, PriceStatus.UNCONFIRMED)
        with pytest.raises(DelayedOrders_Pinned):
            world.delayed_orders.cancel(TRADER, order_id)

    def test_a_degraded_price_lets_nothing_raise_risk(self) -> None:
        world = build()
        world.perp_exchange.trade(TRADER, ACCOUNT, 0, 2 * WAD, 2**255)
        raising, reducing = commit(world, WAD), commit(world, -WAD, REDUCE_ONLY)
        publish(world, FIRST, PriceStatus.DEGRADED)
        assert settle(world, raising) == OrderOutcome.UNCERTAIN
        assert settle(world, reducing) == OrderOutcome.FILLED
        assert world.perp_exchange.position(ACCOUNT, 0).size == WAD


class TestFees:
    def test_escrow_is_the_sum_of_open_orders_and_goes_to_who_settles(self) -> None:
        world = build()
        before = world.margin_engine.totals()
        orders = [commit(world, WAD) for _ in range(3)]
        fee = world.risk_parameters.order_parameters().executor_fee
        assert world.margin_engine.order_escrow() == 3 * fee
        assert world.margin_engine.totals().fee_reserve == before.fee_reserve + 3 * fee
        publish(world, FIRST)
        assert world.delayed_orders.settle_many(LP, [7, *orders[:2], 0], pack(KEEPER)) == 2
        assert world.margin_engine.order_escrow() == fee
        assert world.margin_engine.account_ledger(pack(KEEPER)).cash == 2 * fee
        assert list(world.delayed_orders.open_orders) == orders[2:]
