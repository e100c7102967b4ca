"""Twin of ``DelayedOrders``: orders that are committed now and settled at a later price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bulkhead.model.context import Cell, Contract, Table, external
from bulkhead.model.delayed_order_types import (
    ALL_FLAGS,
    REDUCE_ONLY,
    TRIGGER_ABOVE,
    DelayedOrder,
    DelayedOrders_AlreadyBinding,
    DelayedOrders_Binding,
    DelayedOrders_Expired,
    DelayedOrders_ExpiresTooSoon,
    DelayedOrders_NotReached,
    DelayedOrders_NotTriggered,
    DelayedOrders_Pinned,
    DelayedOrders_SizeTooLarge,
    DelayedOrders_TooEarly,
    DelayedOrders_TriggerMustReduce,
    DelayedOrders_UnknownFlags,
    DelayedOrders_UnknownOrder,
    DelayedOrders_ZeroSize,
    Fixing,
    OrderOutcome,
)
from bulkhead.model.errors import ModelRevert
from bulkhead.model.exchange_markets import MAX_SIZE
from bulkhead.model.operators import MANAGE_ORDERS, TRADE
from bulkhead.model.oracle import PriceData, PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    CircuitBreaker_Blocked,
    MarginEngine_BelowInitialMargin,
    PerpExchange_NotReducing,
    PerpExchange_OpenInterestCap,
    PerpExchange_PoolShare,
    PerpExchange_PremiumCap,
    PerpExchange_PriceNotAcceptable,
    PerpExchange_Settled,
    PerpExchange_SizeTooLarge,
    PerpExchange_WindingDown,
    SkewPricing_NonPositivePrice,
)
from bulkhead.model.types import AccountId, Action, Address, OrderParameters, owner_of

FIXINGS = 16
"""Recorded prices that are kept per market."""
MAX_FIXING_AGE = 60
"""Seconds after its record for which a price settles orders."""
_NO_ORDER = DelayedOrder()
_NO_FIXING = Fixing()
_FOR_EVER = 2**256 - 1

_OUTCOMES: dict[type[ModelRevert], OrderOutcome] = {
    PerpExchange_PriceNotAcceptable: OrderOutcome.PRICE,
    PerpExchange_OpenInterestCap: OrderOutcome.CAP,
    PerpExchange_PremiumCap: OrderOutcome.CAP,
    PerpExchange_PoolShare: OrderOutcome.CAP,
    PerpExchange_SizeTooLarge: OrderOutcome.CAP,
    SkewPricing_NonPositivePrice: OrderOutcome.CAP,
    PerpExchange_NotReducing: OrderOutcome.NOTHING,
    CircuitBreaker_Blocked: OrderOutcome.BLOCKED,
    PerpExchange_WindingDown: OrderOutcome.BLOCKED,
    PerpExchange_Settled: OrderOutcome.BLOCKED,
    MarginEngine_BelowInitialMargin: OrderOutcome.MARGIN,
}
"""Why the exchange refuses an order for good."""


class DelayedOrders(Contract):
    """An order's price is the first one published after its commitment that anybody records."""

    def __init__(self, parts: Parts) -> None:
        context = parts.context
        super().__init__(context, parts.addresses.delayed_orders)
        self._parts = parts
        self._orders: Table[int, DelayedOrder] = Table(context)
        self._count = Cell(context, 0)
        self._fixings: Table[tuple[int, int], Fixing] = Table(context)
        self._fixing_count: Table[int, int] = Table(context)

    # ---------------------------------------------------------------------------- for traders

    @external
    def commit(
        self,
        sender: Address,
        account: AccountId,
        market: int,
        size_delta: int,
        acceptable_price: int,
        trigger_price: int,
        expires_at: int,
        flags: int,
    ) -> int:
        """Commit to a trade and return the order's id; see ``IDelayedOrders.commit``.

        Raises:
            CompartmentLock_Locked: called from within a call.
            AccountOperators_NotAuthorized: neither owner nor an operator who may trade.
            DelayedOrders_ZeroSize, DelayedOrders_SizeTooLarge: the size is not allowed.
            DelayedOrders_UnknownFlags, DelayedOrders_TriggerMustReduce: the flags are not.
            DelayedOrders_ExpiresTooSoon: no price could settle it.
            CircuitBreaker_Blocked: the tier does not allow it.
            RiskParameters_UnknownMarket: the market is not listed.
            MarginEngine_InsufficientCash: the account cannot pay the executor fee.
            ActionPolicy_PriceStatus, MarginEngine_BelowInitialMargin: see there.
        """
        engine, now = self._parts.margin_engine, self._context.now
        engine.enter(self.address)
        self._require_authorized(sender, account, TRADE)
        _require_terms(size_delta, trigger_price, flags)
        p = self._parts.risk_parameters.order_parameters()
        if expires_at < now + p.min_delay:
            raise DelayedOrders_ExpiresTooSoon(expires_at, now + p.min_delay)
        action = _action_of(flags)
        self._parts.circuit_breaker.require_allowed(action)
        self._parts.risk_parameters.market_margin(market)
        o = DelayedOrder(
            account,
            size_delta,
            acceptable_price,
            p.executor_fee,
            expires_at=expires_at,
            market=market,
            flags=flags,
            trigger_price=trigger_price,
        )
        if not trigger_price:
            o = self._bound(o, p)
        order_id = self.order_count() + 1
        self._count.set(order_id)
        self._orders[order_id] = o
        self._emit("OrderCommitted", orderId=order_id, account=account, market=market, order=o)
        engine.open_order(self.address, account, p.executor_fee, action)
        engine.exit(self.address)
        return order_id

    @external
    def cancel(self, sender: Address, order_id: int) -> None:
        """Take an order back, and its fee.

        Raises:
            CompartmentLock_Locked: called from within a call.
            DelayedOrders_UnknownOrder: there is none.
            AccountOperators_NotAuthorized: neither owner nor an operator who manages orders.
            DelayedOrders_Binding: too early.
            DelayedOrders_Pinned: its price was published.
        """
        self._parts.margin_engine.enter(self.address)
        o = self._require_order(order_id)
        self._require_authorized(sender, o.account, MANAGE_ORDERS)
        if o.settle_from:
            if self._context.now < o.cancel_from:
                raise DelayedOrders_Binding(self._context.now, o.cancel_from)
            index = self._update(o.market, o.settle_from)
            known = max(index.published_at, self._newest(o.market).published_at)
            if known >= o.settle_from:
                raise DelayedOrders_Pinned(known, o.settle_from)
        self._close(order_id, o, OrderOutcome.CANCELLED, o.account, 0)
        self._parts.margin_engine.exit(self.address)

    # ---------------------------------------------------------------------------- for keepers

    @external
    def trigger(self, sender: Address, order_id: int) -> None:  # noqa: ARG002
        """Make an order binding whose trigger the index price has reached.

        Raises:
            CompartmentLock_Locked: called from within a call.
            DelayedOrders_UnknownOrder: there is none.
            DelayedOrders_AlreadyBinding: it is binding.
            DelayedOrders_Expired: its time is over.
            CircuitBreaker_Blocked: a halt.
            ActionPolicy_PriceStatus: the index is too bad.
            DelayedOrders_NotReached: the trigger was not reached.
        """
        self._parts.margin_engine.enter(self.address)
        o = self._require_order(order_id)
        if o.settle_from:
            raise DelayedOrders_AlreadyBinding(order_id, o.settle_from)
        if self._context.now > o.expires_at:
            raise DelayedOrders_Expired(o.expires_at, self._context.now)
        self._parts.circuit_breaker.require_allowed(Action.REDUCE_POSITION)
        index = self._parts.feeds.fetch(self._index_asset(o.market))
        require_status(Action.REDUCE_POSITION, index.status)
        above = o.flags & TRIGGER_ABOVE
        if index.price < o.trigger_price if above else index.price > o.trigger_price:
            raise DelayedOrders_NotReached(index.price, o.trigger_price)
        o = self._bound(o, self._parts.risk_parameters.order_parameters())
        self._orders[order_id] = o
        self._emit(
            "OrderTriggered",
            orderId=order_id,
            account=o.account,
            indexPrice=index.price,
            settleFrom=o.settle_from,
            cancelFrom=o.cancel_from,
            expiresAt=o.expires_at,
        )
        self._parts.margin_engine.exit(self.address)

    @external
    def settle(self, sender: Address, order_id: int, keeper: AccountId) -> OrderOutcome:  # noqa: ARG002
        """Settle an order at its price, or drop it for good; return what became of it.

        Raises:
            CompartmentLock_Locked: called from within a call.
            DelayedOrders_UnknownOrder: there is none.
            DelayedOrders_NotTriggered: it waits for its trigger.
            CircuitBreaker_Blocked: a halt.
            ActionPolicy_PriceStatus: the index, or a price of the account's, is too bad.
            DelayedOrders_TooEarly: no price is late enough.
        """
        self._parts.margin_engine.enter(self.address)
        o = self._require_order(order_id)
        outcome, price = self._settled(order_id, o)
        self._close(order_id, o, outcome, keeper, price)
        self._parts.margin_engine.exit(self.address)
        return outcome

    @external
    def settle_many(self, sender: Address, order_ids: Sequence[int], keeper: AccountId) -> int:  # noqa: ARG002
        """Settle what can be settled; return how many were settled or dropped."""
        settled = 0
        for order_id in order_ids:
            try:
                self.settle(self.address, order_id, keeper)
            except ModelRevert:
                continue
            settled += 1
        return settled

    @external
    def fix(self, sender: Address, market: int) -> None:  # noqa: ARG002
        """Record the index price now, if it is a later one.

        Raises:
            CompartmentLock_Locked: called from within a call.
            RiskParameters_UnknownMarket: the market is not listed.
        """
        self._parts.margin_engine.enter(self.address)
        self._update(market, _FOR_EVER)
        self._parts.margin_engine.exit(self.address)

    # ---------------------------------------------------------------------------------- views

    def order(self, order_id: int) -> DelayedOrder:
        """Return an order; an empty one if it is none, or no longer."""
        return self._orders.get(order_id, _NO_ORDER)

    def order_count(self) -> int:
        """Return how many orders were ever committed."""
        return self._count.value

    def fixings(self, market: int) -> tuple[list[Fixing], int]:
        """Return the recorded prices by place, and how many were ever recorded."""
        ring = [self._fixings.get((market, place), _NO_FIXING) for place in range(FIXINGS)]
        return ring, self._fixing_count.get(market, 0)

    def pinned(self, market: int, from_: int) -> Fixing | None:
        """Return the first price published at a time or later; an empty one if it may be gone."""
        ring, count = self.fixings(market)
        oldest = max(0, count - FIXINGS)
        first: Fixing | None = None
        for number in range(count - 1, oldest - 1, -1):
            if ring[number % FIXINGS].published_at < from_:
                return first
            first = ring[number % FIXINGS]
        return _NO_FIXING if oldest else first

    @property
    def open_orders(self) -> dict[int, DelayedOrder]:
        """Orders that are neither settled nor cancelled, by id."""
        return {order_id: o for order_id, o in self._orders.items() if o.account}

    # ------------------------------------------------------------------------------- internal

    def _settled(self, order_id: int, o: DelayedOrder) -> tuple[OrderOutcome, int]:
        now = self._context.now
        if now > o.expires_at:
            return OrderOutcome.EXPIRED, 0
        if not o.settle_from:
            raise DelayedOrders_NotTriggered(order_id)
        self._parts.circuit_breaker.require_allowed(Action.REDUCE_POSITION)
        index = self._update(o.market, o.settle_from)
        f = self.pinned(o.market, o.settle_from)
        if f is not None and now > f.recorded_at + MAX_FIXING_AGE:
            return OrderOutcome.LATE, f.price
        require_status(Action.REDUCE_POSITION, index.status)
        if f is None:
            raise DelayedOrders_TooEarly(index.published_at, o.settle_from)
        reduce_only = bool(o.flags & REDUCE_ONLY)
        if not reduce_only and f.status != PriceStatus.VALID:
            return OrderOutcome.UNCERTAIN, f.price
        terms = o.account, o.market, o.size_delta, o.acceptable_price, f.price, reduce_only
        exchange = self._parts.perp_exchange
        try:
            self._context.execute(lambda: exchange.fill_order(self.address, *terms))
        except tuple(_OUTCOMES) as error:
            return _OUTCOMES[type(error)], f.price
        return OrderOutcome.FILLED, f.price

    def _bound(self, o: DelayedOrder, p: OrderParameters) -> DelayedOrder:
        now = self._context.now
        return replace(
            o,
            settle_from=now + p.min_delay,
            cancel_from=now + p.cancel_delay,
            expires_at=min(o.expires_at, now + p.max_delay),
        )

    def _close(
        self, order_id: int, o: DelayedOrder, outcome: OrderOutcome, payee: AccountId, price: int
    ) -> None:
        del self._orders[order_id]
        action = _action_of(o.flags)
        engine = self._parts.margin_engine
        engine.close_order(self.address, o.account, o.executor_fee, action, payee)
        self._emit(
            "OrderClosed",
            orderId=order_id,
            account=o.account,
            outcome=outcome,
            payee=payee,
            executorFee=o.executor_fee,
            indexPrice=price,
        )

    def _update(self, market: int, from_: int) -> PriceData:
        asset = self._index_asset(market)
        index = self._parts.feeds.fetch(asset)
        if index.published_at < from_:
            index = self._parts.feeds.record(asset)
        if index.status < PriceStatus.DEGRADED:
            return index
        if index.published_at <= self._newest(market).published_at:
            return index
        count = self._fixing_count.get(market, 0)
        f = Fixing(index.price, index.published_at, self._context.now, index.status)
        self._fixings[market, count % FIXINGS] = f
        self._fixing_count[market] = count + 1
        self._emit("PriceFixed", market=market, fixing=f)
        return index

    def _newest(self, market: int) -> Fixing:
        count = self._fixing_count.get(market, 0)
        return self._fixings.get((market, (count - 1) % FIXINGS), _NO_FIXING)

    def _index_asset(self, market: int) -> str:
        return self._parts.risk_parameters.market_trading(market).index_asset

    def _require_order(self, order_id: int) -> DelayedOrder:
        o = self.order(order_id)
        if not o.account:
            raise DelayedOrders_UnknownOrder(order_id)
        return o

    def _require_authorized(self, sender: Address, account: AccountId, permission: int) -> None:
        if owner_of(account) != sender:
            self._parts.account_operators.require_authorized(account, sender, permission)


def _action_of(flags: int) -> Action:
    return Action.REDUCE_POSITION if flags & REDUCE_ONLY else Action.INCREASE_POSITION


def _require_terms(size_delta: int, trigger_price: int, flags: int) -> None:
    if size_delta == 0:
        raise DelayedOrders_ZeroSize()
    if abs(size_delta) > MAX_SIZE:
        raise DelayedOrders_SizeTooLarge(size_delta, MAX_SIZE)
    known = ALL_FLAGS if trigger_price else REDUCE_ONLY
    if flags > known:
        raise DelayedOrders_UnknownFlags(flags, known)
    if trigger_price and not flags & REDUCE_ONLY:
        raise DelayedOrders_TriggerMustReduce(flags)
