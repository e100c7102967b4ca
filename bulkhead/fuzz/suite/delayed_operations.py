"""Orders that are committed now and settled at a later price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import (
    ACTORS,
    MARKETS,
    STRAY,
    UNLISTED,
    Bps,
    Market,
    Stray,
    gives_up,
    listed,
)
from bulkhead.model.delayed_order_types import ALL_FLAGS, REDUCE_ONLY, TRIGGER_ABOVE, DelayedOrder
from bulkhead.model.delayed_orders import MAX_FIXING_AGE
from bulkhead.model.errors import ModelRevert
from bulkhead.model.operators import MANAGE_ORDERS
from bulkhead.model.types import SETTLEMENT, AccountId, Action, Address, owner_of, pack

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_ORDERS = "DelayedOrders"
_ANY = 2**128 - 1
_FEED_UNIT = 10**10
"""WAD per unit of a feed's answer."""
_MOVES_BPS = (10_000, 10_100, 9_900, 10_200, 9_800, 10_000, 10_500, 9_500)
_APART_BPS = 600
"""Feeds that differ by so much make a price that is degraded."""
_CAREFUL = 2
"""The first tier in which nobody may raise risk."""
_NOTHING_YET = frozenset({"DelayedOrders_UnknownOrder"})
_INDEX = may.BLOCKED | {"ActionPolicy_PriceStatus"}
Order = Annotated[int, Index(8)]


@dataclass(frozen=True, slots=True)
class CommitOrder(Operation):
    """Commit to buy, to sell or to reduce, at once or when the price reaches a trigger."""

    weight = 4
    refusals = (
        may.BLOCKED
        | may.MARGIN
        | may.NOT_OWNER
        | {
            "DelayedOrders_ZeroSize",
            "DelayedOrders_SizeTooLarge",
            "DelayedOrders_UnknownFlags",
            "DelayedOrders_TriggerMustReduce",
            "DelayedOrders_ExpiresTooSoon",
            "MarginEngine_InsufficientCash",
            "RiskParameters_UnknownMarket",
        }
    )

    actor: Annotated[int, Index(2 * ACTORS)]
    market: Market
    mode: Annotated[int, Index(10)]
    """0, 1: reduce; 2: buy; 3: sell; 4, 5: trigger above, below; 6: just met; 7: to turn over; 8:
    more than the market takes; 9: to reduce in the wrong direction."""
    limit: Annotated[int, Index(8)]
    """0 to 4: any price; 5: what a trade would get now; 6: a wei better; 7: one nobody offers."""
    life: Annotated[int, Index(8)]
    """0: for ever; 1: the least; 2: a second less; else so many minutes."""
    stray: Stray
    """15: flags that do not fit; 14: in another's name."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        triggered = 4 <= self.mode <= 6
        reduces = triggered or self.mode in (0, 1, 9)
        action = Action.REDUCE_POSITION if reduces else Action.INCREASE_POSITION
        if gives_up(u, action, self.stray):
            return None
        market = listed(self.market, MARKETS)
        account = self._account(u, market, reduces)
        if account is None:
            return None
        size = self._size(u, account, market, reduces)
        if not size and self.stray < STRAY:
            return None
        flags = (REDUCE_ONLY if reduces else 0) | (TRIGGER_ABOVE if self.mode in (4, 6) else 0)
        if self.stray == STRAY:
            flags = self.share % (ALL_FLAGS + 2)
        p = u.model.risk_parameters.order_parameters()
        at = u.now + BLOCK_SECONDS
        lives = {0: 2**40 - 1 - at, 1: p.min_delay, 2: p.min_delay - 1}
        expires_at = at + lives.get(self.life, 60 * self.life)
        terms = self._limit(u, account, market, size), self._trigger(u, market), expires_at, flags
        sender = owner_of(account)
        if self.stray == STRAY - 1:
            sender = u.actors[self.actor % ACTORS]
        return _one(sender, "commit", account, market, size, *terms)

    def _account(self, u: Questions, market: int, reduces: bool) -> AccountId | None:
        own = [u.account(actor, sub) for sub in (0, 1) for actor in u.actors]
        exchange = u.model.perp_exchange
        if self.stray < STRAY - 1:
            if reduces and market != UNLISTED:
                own = [a for a in own if exchange.position(a, market).size]
            own = [a for a in own if u.held(a, SETTLEMENT)]
        return own[self.actor % len(own)] if own else None

    def _size(self, u: Questions, account: AccountId, market: int, reduces: bool) -> int:
        size = u.model.perp_exchange.position(account, market).size
        if reduces:
            there = 1 if (size > 0) == (self.mode != 9) else -1
            return -part(abs(size), self.share) * there
        if self.mode == 8 and market != UNLISTED:
            return u.model.risk_parameters.market_trading(market).max_open_interest + 1
        wanted = part(u.affordable_size(account, market), self.share)
        if self.mode == 7 and size:
            return -size + (-1 if size > 0 else 1) * wanted
        return -wanted if self.mode == 3 else wanted

    def _limit(self, u: Questions, account: AccountId, market: int, size: int) -> int:
        buys = size > 0
        if self.limit < 5:
            return _ANY if buys else 0
        if self.limit == 7:
            return 0 if buys else _ANY
        try:
            now = u.model.perp_exchange.preview_trade(account, market, size)[0].fill_price
        except ModelRevert:
            return _ANY if buys else 0
        better = 0 if self.limit == 5 else -1 if buys else 1
        return min(_ANY, max(0, now + better))

    def _trigger(self, u: Questions, market: int) -> int:
        """Return a trigger: met now to the wei, or missed by one, or some per cent away."""
        if not 4 <= self.mode <= 6 or market == UNLISTED:
            return 0
        index, _ = u.model.perp_exchange.index_price(market)
        if self.mode == 6:
            return max(1, index + self.share % 3 - 1)
        bps = _MOVES_BPS[self.share % len(_MOVES_BPS)]
        return min(_ANY, max(1, index * bps // 10_000))


@dataclass(frozen=True, slots=True)
class SettleOrders(Operation):
    """Settle orders that are binding, mostly after a price was published; at times too early.

    Where there is none, somebody commits to one first.
    """

    weight = 7
    refusals = (
        CommitOrder.refusals
        | may.NOT_YOURS
        | _INDEX
        | _NOTHING_YET
        | may.NOT_YOURS  # The guardian may have lost his role.
        | {"DelayedOrders_TooEarly", "DelayedOrders_NotTriggered"}
    )

    pick: Order
    keeper: Annotated[int, Index(ACTORS + 1)]
    when: Annotated[int, Index(12)]
    """0 to 3: at once; 4: in its first second; 5: a second too early; 6, 7: it expires now, or did
    a second ago; 8, 9: its price is a second too old, or just not; 10: much later; 11: at once."""
    publish: Annotated[int, Index(8)]
    """0 to 2: feeds report before, 2: they disagree; 3, 4: the price is fixed, and moves on; 5: it
    is fixed, and not settled yet; 6, 7: nothing is said."""
    many: Annotated[int, Index(4)]
    """2: all open orders at once; 3: and one that there is not."""
    share: Bps
    """Of an order that is committed first."""

    def resolve(self, u: Questions) -> Step | None:
        late = self.when in (6, 7, 10)
        found = _choose(
            u, self.pick, lambda o: o.settle_from > 0 and (late or o.expires_at > u.now)
        )
        if found is not None:
            return Step(self._calls(u, *found), self._seconds(u, found[1]), apart=0)
        mode = (1, 2, 3, 7, 2, 3, 8, 9)[self.pick]
        limit = 7 if self.when == 11 else self.when % 6
        order = CommitOrder(
            self.pick + self.when, self.when % MARKETS, mode, limit, 0, 0, self.share
        )
        first = order.resolve(u)
        apart = {8: MAX_FIXING_AGE + 1, 9: MAX_FIXING_AGE}.get(self.when, BLOCK_SECONDS)
        return first and Step(self._from_scratch(u, first), apart=apart)

    def _from_scratch(self, u: Questions, first: Step) -> Iterator[Call]:
        """Yield what makes an order, and perhaps its price, and then what settles it."""
        yield from first.calls
        found = _choose(u, -1, lambda o: o.settle_from > 0)
        if found is None:
            return
        if self.when in (8, 9):
            yield from _publish(u, found[1].market, 10_000)
            yield Call(u.keeper, _ORDERS, "fix", (found[1].market,))
        if self.when == 3 and u.model.circuit_breaker.breaker_state().tier < _CAREFUL:
            lasts = u.model.risk_parameters.breaker_timing().max_halt
            yield Call(u.guardian, "CircuitBreaker", "raise", (_CAREFUL, lasts))
        yield from self._calls(u, *found)

    def _seconds(self, u: Questions, o: DelayedOrder) -> int:
        at = {4: o.settle_from, 5: o.settle_from - 1, 6: o.expires_at, 7: o.expires_at + 1}
        f = u.model.delayed_orders.pinned(o.market, o.settle_from)
        if f is not None:
            oldest = f.recorded_at + MAX_FIXING_AGE
            at |= {8: oldest + 1, 9: oldest}
        if self.when in at:
            return max(1, at[self.when] - u.now)
        return 600 if self.when == 10 else BLOCK_SECONDS

    def _calls(self, u: Questions, order_id: int, o: DelayedOrder) -> Iterator[Call]:
        sender = (*u.actors, u.keeper)[self.keeper]
        if self.publish < 6 and self.when not in (8, 9):
            apart = _APART_BPS if self.publish == 2 else 0
            yield from _publish(u, o.market, _MOVES_BPS[(order_id + self.publish) % 8], apart)
        if 3 <= self.publish < 6:
            yield Call(sender, _ORDERS, "fix", (o.market,))
        if self.publish == 5:
            return
        if 3 <= self.publish < 5:
            yield from _publish(u, o.market, _MOVES_BPS[1 + order_id % 4])
            asset = u.model.risk_parameters.market_trading(o.market).index_asset
            yield Call(sender, "OracleAggregator", "record", (asset,))
        if self.many < 2:
            yield Call(sender, _ORDERS, "settle", (order_id, pack(sender, self.many)))
            return
        ids = sorted(u.model.delayed_orders.open_orders)
        ids = ids[:8] + [u.model.delayed_orders.order_count() + 1] * (self.many == 3)
        yield Call(sender, _ORDERS, "settleMany", (ids, pack(sender, 0)))


@dataclass(frozen=True, slots=True)
class TriggerOrder(Operation):
    """Trigger an order that waits, mostly after the price has reached it; settle it, perhaps.

    Where there is none, somebody commits to one first.
    """

    weight = 2
    refusals = (
        CommitOrder.refusals
        | _INDEX
        | _NOTHING_YET
        | {"DelayedOrders_AlreadyBinding", "DelayedOrders_NotReached", "DelayedOrders_Expired"}
    )

    pick: Order
    who: Annotated[int, Index(ACTORS)]
    move: Annotated[int, Index(4)]
    """0, 1: the feeds report the trigger; 2: just not; 3: nothing."""
    late: Annotated[int, Index(8)]
    """6, 7: in its last second, or after it."""
    stray: Stray
    """15: any order."""

    def resolve(self, u: Questions) -> Step | None:
        found = _choose(u, self.pick, lambda o: not o.settle_from or self.stray == STRAY)
        if found is None:
            mode = 4 + self.pick % 3
            order = CommitOrder(self.pick, self.who % MARKETS, mode, 0, 0, 0, 10_000)
            first = order.resolve(u)
            return first and Step(self._from_scratch(u, first))
        order_id, o = found
        seconds = BLOCK_SECONDS
        if self.late >= 6:
            last = o.expires_at + (self.late == 7) - u.now
            seconds = last if 0 < last < 7 * 86_400 else seconds
        return Step(self._calls(u, order_id, o), seconds, apart=0)

    def _from_scratch(self, u: Questions, first: Step) -> Iterator[Call]:
        yield from first.calls
        found = _choose(u, 0, lambda o: not o.settle_from)
        if found is not None:
            yield from self._calls(u, *found)

    def _calls(self, u: Questions, order_id: int, o: DelayedOrder) -> Iterator[Call]:
        if self.move < 3 and o.trigger_price:
            above = o.flags & TRIGGER_ABOVE
            answer = -(-o.trigger_price // _FEED_UNIT) if above else o.trigger_price // _FEED_UNIT
            if self.move == 2:
                answer += -1 if above else 1
            yield from _report(u, o.market, max(1, answer))
        yield Call(u.actors[self.who], _ORDERS, "trigger", (order_id,))


@dataclass(frozen=True, slots=True)
class CancelOrder(Operation):
    """Take an order back: while it waits, when it may be, a second before, or another's."""

    weight = 1
    refusals = (
        CommitOrder.refusals | _NOTHING_YET | {"DelayedOrders_Binding", "DelayedOrders_Pinned"}
    )

    pick: Order
    when: Annotated[int, Index(4)]
    """0, 1: when it may be; 2: a second before; 3: now."""
    who: Annotated[int, Index(8)]
    """7: a stranger; 6: an operator."""

    def resolve(self, u: Questions) -> Step | None:
        found = _choose(u, self.pick, lambda o: not o.settle_from or self.when < 3)
        if found is None:
            mode = 2 + self.pick % 4
            first = CommitOrder(self.pick, self.who % MARKETS, mode, 0, 0, 0, 5_000).resolve(u)
            delay = u.model.risk_parameters.order_parameters().cancel_delay
            apart = max(1, delay - (self.when == 2)) if self.when < 3 else BLOCK_SECONDS
            return first and Step(self._from_scratch(u, first), apart=apart)
        order_id, o = found
        owner = owner_of(o.account)
        seconds = BLOCK_SECONDS
        if self.when < 3 and o.cancel_from > u.now:
            seconds = max(1, o.cancel_from - u.now - (self.when == 2))
        sender = owner if self.who < 6 else u.keeper
        calls = [Call(sender, _ORDERS, "cancel", (order_id,))]
        if self.who == 6:
            grant = o.account, u.keeper, MANAGE_ORDERS, u.now + seconds + 86_400
            calls.insert(0, Call(owner, "AccountOperators", "setOperator", grant))
        return Step(calls, seconds, apart=0)

    def _from_scratch(self, u: Questions, first: Step) -> Iterator[Call]:
        yield from first.calls
        found = _choose(u, -1, lambda _: True)
        if found is not None:
            yield Call(owner_of(found[1].account), _ORDERS, "cancel", (found[0],))


@dataclass(frozen=True, slots=True)
class FixPrice(Operation):
    """Record a market's price for orders, perhaps a new one, several times."""

    weight = 1
    refusals = frozenset({"RiskParameters_UnknownMarket"})

    who: Annotated[int, Index(ACTORS)]
    market: Market
    times: Annotated[int, Index(20)]

    def resolve(self, u: Questions) -> Step | None:
        return Step(self._calls(u), 1, apart=1)

    def _calls(self, u: Questions) -> Iterator[Call]:
        market = listed(self.market, MARKETS)
        for _ in range(self.times if market != UNLISTED else 0):
            yield from _publish(u, market, 10_000)
            yield Call(u.actors[self.who], _ORDERS, "fix", (market,))
        yield Call(u.actors[self.who], _ORDERS, "fix", (market,))


def _choose(u: Questions, index: int, fits: object) -> tuple[int, DelayedOrder] | None:
    """Return an open order that fits, with its id; None: there is none."""
    assert callable(fits)
    found = [(i, o) for i, o in sorted(u.model.delayed_orders.open_orders.items()) if fits(o)]
    return found[index % len(found)] if found else None


def _publish(u: Questions, market: int, bps: int, apart: int = 0) -> Iterator[Call]:
    """Yield calls by which a market's index moves; feeds report ``apart`` basis points apart."""
    asset = u.model.risk_parameters.market_trading(market).index_asset
    answer = u.sensible_answer(asset) * bps // 10_000
    yield from _report(u, market, max(1, answer), apart)


def _report(u: Questions, market: int, answer: int, apart: int = 0) -> Iterator[Call]:
    asset = u.model.risk_parameters.market_trading(market).index_asset
    for i, feed in enumerate(u.feeds_of(asset)):
        yield u.report(feed, answer * (10_000 + i * apart) // 10_000)


def _one(sender: Address, function: str, *args: object) -> Step:
    return Step((Call(sender, _ORDERS, function, args),))
