"""A price-time order book per market, in memory and without time, disk or network.

The order with the better limit goes first, among equal limits the one with the lower sequence
number. An order never loses its number: one that comes back because a match of it was not settled
stands where it stood.

Two orders of one owner never match: the later one is taken out of the book and the earlier one
keeps its place, the rule called "cancel newest" elsewhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bulkhead.matcher.orders import SignedOrder

_SPARE = 64
"""Dead places that a side may have before it is worth while to clear them away."""


class State(StrEnum):
    """What has become of an order."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    """By the chain, by a rule of the book, or because the chain does not leave enough of it."""


@dataclass(slots=True, eq=False)
class Entry:
    """An accepted order and how much of it is where. All amounts WAD, without sign.

    ``remaining + in_flight + settled`` is the order's quantity at all times, except for what others
    have settled past this matcher: that is in ``settled`` as soon as it is noticed.

    Attributes:
        sequence: its place in time; unique.
        hash: its EIP-712 digest.
        order: what was signed.
        signature: by whom.
        remaining: what is not matched; in the book while the state is open.
        in_flight: matched, and not settled yet.
        settled: filled on chain.
        state: open until it is filled or taken out.
        reason: why it was taken out.
        strikes: how often a match of it was refused on chain for an unknown reason.
    """

    sequence: int
    hash: bytes
    order: SignedOrder
    signature: bytes
    remaining: int
    in_flight: int = 0
    settled: int = 0
    state: State = State.OPEN
    reason: str = ""
    strikes: int = 0

    @property
    def is_resting(self) -> bool:
        """Whether the book may match it."""
        return self.remaining > 0 and self.state is State.OPEN


class Crossing(NamedTuple):
    """Two orders that match.

    Attributes:
        taker: the later one, unless it may not take.
        maker: whose limit is the price.
        size: WAD.
    """

    taker: Entry
    maker: Entry
    size: int


class Removal(NamedTuple):
    """An order that the book's rules take out, and which rule."""

    entry: Entry
    reason: str


SELF_TRADE = "self_trade"
POST_ONLY_CROSSED = "post_only_crossed"


class Side:
    """The bids or the asks of a market. All operations take O(log n), amortised."""

    __slots__ = ("_heap", "_levels", "_live", "_placed", "_sign")

    def __init__(self, is_buy: bool) -> None:
        self._sign = -1 if is_buy else 1
        self._heap: list[tuple[int, int, Entry]] = []
        self._placed: set[int] = set()
        self._live = 0
        self._levels: dict[int, int] = {}

    def best(self) -> Entry | None:
        """Return the order that is matched first."""
        while self._heap:
            entry = self._heap[0][2]
            if entry.is_resting:
                return entry
            heapq.heappop(self._heap)
            self._placed.discard(entry.sequence)
        return None

    def enter(self, entry: Entry) -> None:
        """Put an order that rests from now on in its place, with all that remains of it."""
        self._live += 1
        # Its dead place from before it was matched may not have been cleared away yet.
        if entry.sequence not in self._placed:
            self._placed.add(entry.sequence)
            key = self._sign * entry.order.limit_price
            heapq.heappush(self._heap, (key, entry.sequence, entry))
        self.count(entry, entry.remaining)

    def count(self, entry: Entry, size: int) -> None:
        """Count a change of a resting order's remaining size, WAD."""
        price = entry.order.limit_price
        level = self._levels.get(price, 0) + size
        if level:
            self._levels[price] = level
        else:
            del self._levels[price]

    def leave(self) -> None:
        """Note that an order rests no more; clear dead places away when they are most of them."""
        self._live -= 1
        if len(self._heap) > 2 * self._live + _SPARE:
            self._heap = [item for item in self._heap if item[2].is_resting]
            self._placed = {item[1] for item in self._heap}
            heapq.heapify(self._heap)

    def depth(self, count: int) -> list[tuple[int, int]]:
        """Return the best prices with their total sizes, both WAD."""
        choose = heapq.nlargest if self._sign < 0 else heapq.nsmallest
        return [(price, self._levels[price]) for price in choose(count, self._levels)]

    def __iter__(self) -> Iterator[Entry]:
        """All resting orders in their priority; for tests and inspection."""
        return (entry for _, _, entry in sorted(self._heap) if entry.is_resting)


class Book:
    """One market: two sides that never stay crossed."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = Side(is_buy=True)
        self.asks = Side(is_buy=False)

    def side(self, entry: Entry) -> Side:
        """Return the side that an order rests on."""
        return self.bids if entry.order.is_buy else self.asks

    def would_take(self, order: SignedOrder) -> bool:
        """Tell whether an order crosses the best of the other side."""
        best = (self.asks if order.is_buy else self.bids).best()
        if best is None:
            return False
        price = best.order.limit_price
        return order.limit_price >= price if order.is_buy else order.limit_price <= price

    def add(self, entry: Entry) -> None:
        """Put an order into the book; ``uncross`` must follow."""
        self.side(entry).enter(entry)

    def give_back(self, entry: Entry, size: int) -> None:
        """Return matched size to an order, in its old place; ``uncross`` must follow if open."""
        was_resting = entry.is_resting
        entry.remaining += size
        if was_resting:
            self.side(entry).count(entry, size)
        elif entry.is_resting:
            self.side(entry).enter(entry)

    def reduce(self, entry: Entry, size: int) -> None:
        """Take size off a resting order, which leaves the book with the last of it."""
        entry.remaining -= size
        side = self.side(entry)
        side.count(entry, -size)
        if entry.remaining == 0:
            side.leave()

    def remove(self, entry: Entry, state: State, reason: str = "") -> None:
        """Take an order out of the book; what remains of it stays in its ``remaining``."""
        was_resting = entry.is_resting
        entry.state = state
        entry.reason = reason
        if was_resting:
            side = self.side(entry)
            side.count(entry, -entry.remaining)
            side.leave()

    def uncross(self) -> Iterator[Crossing | Removal]:
        """Match until the sides do not cross; each step has happened when it is yielded.

        A new order is the later one of every pair that it is part of. Where an order has come back,
        the later one is still the one that takes: it would have, had the other not been matched.
        """
        while True:
            bid, ask = self.bids.best(), self.asks.best()
            if bid is None or ask is None or bid.order.limit_price < ask.order.limit_price:
                return
            maker, taker = (bid, ask) if bid.sequence < ask.sequence else (ask, bid)
            if maker.order.account >> 96 == taker.order.account >> 96:
                self.remove(taker, State.CANCELLED, SELF_TRADE)
                yield Removal(taker, SELF_TRADE)
                continue
            if taker.order.is_post_only:
                if maker.order.is_post_only:
                    self.remove(taker, State.CANCELLED, POST_ONLY_CROSSED)
                    yield Removal(taker, POST_ONLY_CROSSED)
                    continue
                maker, taker = taker, maker
            size = min(maker.remaining, taker.remaining)
            for entry in (maker, taker):
                self.reduce(entry, size)
                entry.in_flight += size
            yield Crossing(taker, maker, size)
