"""The matcher: books, limits, matches on their way to the chain, and a journal of every change.

Everything here is synchronous and in memory. Each method first checks, then changes, and hands what
changed to the journal; whoever answers a client waits until the journal is durable.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bulkhead.matcher.book import Book, Entry, Removal, State
from bulkhead.matcher.orders import OrderRefused, SignedOrder

_SPARE = 1_024
"""Places of orders that are gone, in the queue of expiries, before it is cleared."""


class MatchState(StrEnum):
    """How far a match is."""

    PENDING = "pending"
    SENT = "sent"
    """Handed to the chain; whether it was executed is not known yet."""
    SETTLED = "settled"
    VOID = "void"
    """It will not be executed; both sizes went back to their orders."""


@dataclass(slots=True, eq=False)
class Match:
    """A size of two orders that belongs together until the chain has said yes or no.

    Attributes:
        id: its place in time; unique.
        taker: the order whose signature opens the call.
        maker: the order whose limit is the price.
        size: WAD.
        state: how far it is.
        reason: why it is void, or the transaction that settled it.
        ticket: what makes its sending unique (see ``Settlement``); None before.
        taker_before: the taker's filled amount on chain when it was sent, WAD.
        maker_before: the maker's.
    """

    id: int
    taker: Entry
    maker: Entry
    size: int
    state: MatchState = MatchState.PENDING
    reason: str = ""
    ticket: int | None = None
    taker_before: int = 0
    maker_before: int = 0


class Journal(Protocol):
    """Where changes go; what is saved twice before it is durable is written once, as it is last."""

    def save_order(self, entry: Entry) -> None:
        """Note that an order is new or has changed."""

    def save_match(self, match: Match) -> None:
        """Note that a match is new or has changed."""

    def find(self, order_hash: bytes) -> Entry | None:
        """Return an order that was ever saved."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all together, may ask for.

    Attributes:
        open_per_signer: orders that one signer may have open.
        open_orders: orders that may be open in all.
        minimum_size: least size of an order, WAD: each fill costs somebody gas.
    """

    open_per_signer: int = 200
    open_orders: int = 100_000
    minimum_size: int = 10**15


class Matcher:
    """All books of one ``SignedOrders`` contract.

    Args:
        journal: where changes go.
        limits: what may be asked for.
        entries: orders to go on with, after a restart: open ones, and those of the matches.
        matches: matches that were neither settled nor void.
        last_sequence: the highest number that an order has had.
        last_match: the highest number that a match has had.
    """

    def __init__(
        self,
        journal: Journal,
        limits: Limits | None = None,
        *,
        entries: Iterable[Entry] = (),
        matches: Iterable[Match] = (),
        last_sequence: int = 0,
        last_match: int = 0,
    ) -> None:
        self.limits = limits or Limits()
        self.books: dict[int, Book] = {}
        self.orders: dict[bytes, Entry] = {}
        self.matches: dict[int, Match] = {}
        self._journal = journal
        self._sequence = last_sequence
        self._match = last_match
        self._of_order: dict[int, dict[int, Match]] = {}
        self._open: Counter[str] = Counter()
        self._open_count = 0
        self._expiries: list[tuple[int, int, Entry]] = []
        for entry in sorted(entries, key=lambda e: e.sequence):
            self._keep(entry)
        for match in sorted(matches, key=lambda m: m.id):
            self._note(match)

    # ------------------------------------------------------------------ orders

    def place(self, order: SignedOrder, order_hash: bytes, signature: bytes, now: int) -> Entry:
        """Take an order whose signature was verified: match it, and let the rest of it rest.

        Args:
            order: within the bounds of its types.
            order_hash: its digest.
            signature: goes to the chain with it.
            now: Unix seconds.

        Returns:
            the order; a self-trade may have taken its rest out at once.

        Raises:
            OrderRefused: ``expired``, ``too_small``, ``known`` (409), ``too_many_orders`` (429),
                ``book_full`` (503) or ``post_only`` (409).
        """
        self.expire(now)
        self._check(order, order_hash, now)
        self._sequence += 1
        entry = Entry(self._sequence, order_hash, order, signature, order.quantity)
        self._keep(entry)
        self._journal.save_order(entry)
        self._uncross(order.market)
        return entry

    def _check(self, order: SignedOrder, order_hash: bytes, now: int) -> None:
        limits = self.limits
        if now >= order.expires_at:
            raise OrderRefused("expired", f"the order expired at {order.expires_at}, it is {now}")
        if order.quantity < limits.minimum_size:
            raise OrderRefused(
                "too_small", f"size {order.quantity} is less than {limits.minimum_size}"
            )
        if (known := self.find(order_hash)) is not None:
            raise OrderRefused("known", f"this order is {known.state} already", 409)
        if self._open[order.signer] >= limits.open_per_signer:
            most = limits.open_per_signer
            raise OrderRefused("too_many_orders", f"{order.signer} has {most} open orders", 429)
        if self._open_count >= limits.open_orders:
            raise OrderRefused("book_full", f"{limits.open_orders} orders are open", 503)
        if order.is_post_only and self.book(order.market).would_take(order):
            raise OrderRefused("post_only", "it would take instead of resting", 409)

    def find(self, order_hash: bytes) -> Entry | None:
        """Return an order, open or not."""
        return self.orders.get(order_hash) or self._journal.find(order_hash)

    def book(self, market: int) -> Book:
        """Return a market's book."""
        if market not in self.books:
            self.books[market] = Book()
        return self.books[market]

    def cancel(self, order_hash: bytes) -> Entry:
        """Take an open order out; what is matched already goes to the chain all the same.

        Raises:
            OrderRefused: ``unknown`` (404) or ``not_open`` (409).
        """
        entry = self.find(order_hash)
        if entry is None:
            raise OrderRefused("unknown", f"no order 0x{order_hash.hex()}", 404)
        if entry.state is not State.OPEN:
            raise OrderRefused("not_open", f"the order is {entry.state}", 409)
        self._close(entry, State.CANCELLED, "on request")
        return entry

    def expire(self, now: int) -> None:
        """Take out what is dead at ``now``, Unix seconds."""
        while self._expiries and self._expiries[0][0] <= now:
            entry = heapq.heappop(self._expiries)[2]
            if entry.state is State.OPEN:
                self._close(entry, State.EXPIRED)

    # ------------------------------------------------------------------ matches

    def next_batch(self, most: int, without: Collection[int] = ()) -> list[Match]:
        """Return the oldest pending matches of one taker; none if there are none.

        Args:
            most: how many at most.
            without: markets to leave out.
        """
        pending = (m for m in self.matches.values() if m.state is MatchState.PENDING)
        first = next((m for m in pending if m.taker.order.market not in without), None)
        if first is None:
            return []
        same = self._of_order[first.taker.sequence].values()
        chosen = [m for m in same if m.taker is first.taker and m.state is MatchState.PENDING]
        return chosen[:most]

    def sent(self) -> list[Match]:
        """Return the matches of which it is not known whether they were executed."""
        return [m for m in self.matches.values() if m.state is MatchState.SENT]

    def mark_sent(self, matches: Sequence[Match], ticket: int, filled: dict[bytes, int]) -> None:
        """Note what is about to be sent; it must be durable before it is.

        Args:
            matches: of one taker.
            ticket: what makes the sending unique.
            filled: amounts on chain by order hash, WAD.
        """
        for match in matches:
            match.state = MatchState.SENT
            match.ticket = ticket
            match.taker_before = filled[match.taker.hash]
            match.maker_before = filled[match.maker.hash]
            self._journal.save_match(match)

    def mark_pending(self, matches: Sequence[Match]) -> None:
        """Note that matches were certainly not executed, and may be sent again."""
        for match in matches:
            match.state = MatchState.PENDING
            match.ticket = None
            self._journal.save_match(match)

    def settle(self, matches: Sequence[Match], transaction: str) -> None:
        """Note that matches were executed."""
        for match in matches:
            self._forget(match, MatchState.SETTLED, transaction)
            for entry in (match.taker, match.maker):
                entry.in_flight -= match.size
                entry.settled += match.size
                self._changed(entry)

    def drop(self, entry: Entry, reason: str, state: State = State.REFUSED) -> None:
        """Take an order out that the chain does not take, and void its matches.

        The other orders of these matches get their sizes back, in their old places, and match again
        if they cross.

        Args:
            entry: an order that the matcher keeps.
            reason: why.
            state: what becomes of it, if it is open.
        """
        if entry.state is State.OPEN:
            self._close(entry, state, reason)
        for match in list(self._of_order.get(entry.sequence, {}).values()):
            self._void(match, reason)
        self._uncross(entry.order.market)

    def adopt(self, entry: Entry, filled: int) -> None:
        """Take over the filled amount of the chain where others have filled an order as well.

        Not to be asked while a match of the order is sent. Matches that no longer fit are void, the
        last ones first.

        Args:
            entry: an order that the matcher keeps.
            filled: WAD; less than what is known changes nothing.
        """
        extra = filled - entry.settled
        if extra <= 0:
            return
        for match in reversed(list(self._of_order.get(entry.sequence, {}).values())):
            if entry.remaining >= extra:
                break
            self._void(match, "filled elsewhere")
        taken = min(extra, entry.remaining)
        if entry.is_resting:
            self.book(entry.order.market).reduce(entry, taken)
        else:
            entry.remaining -= taken
        entry.settled += taken
        self._changed(entry)
        self._uncross(entry.order.market)

    # ------------------------------------------------------------------ bookkeeping

    def _uncross(self, market: int) -> None:
        for step in self.book(market).uncross():
            if isinstance(step, Removal):
                self._left(step.entry)
                self._changed(step.entry)
                continue
            self._match += 1
            match = Match(self._match, step.taker, step.maker, step.size)
            self._note(match)
            self._journal.save_match(match)
            self._journal.save_order(step.taker)
            self._journal.save_order(step.maker)

    def _keep(self, entry: Entry) -> None:
        self.orders[entry.hash] = entry
        if entry.state is not State.OPEN:
            return
        self._open[entry.order.signer] += 1
        self._open_count += 1
        heapq.heappush(self._expiries, (entry.order.expires_at, entry.sequence, entry))
        if len(self._expiries) > 2 * self._open_count + _SPARE:
            self._expiries = [item for item in self._expiries if item[2].state is State.OPEN]
            heapq.heapify(self._expiries)
        if entry.remaining:
            self.book(entry.order.market).add(entry)

    def _note(self, match: Match) -> None:
        self.matches[match.id] = match
        for entry in (match.taker, match.maker):
            self._of_order.setdefault(entry.sequence, {})[match.id] = match

    def _forget(self, match: Match, state: MatchState, reason: str) -> None:
        match.state = state
        match.reason = reason
        self._journal.save_match(match)
        del self.matches[match.id]
        for entry in (match.taker, match.maker):
            of_order = self._of_order[entry.sequence]
            del of_order[match.id]
            if not of_order:
                del self._of_order[entry.sequence]

    def _void(self, match: Match, reason: str) -> None:
        self._forget(match, MatchState.VOID, reason)
        book = self.book(match.taker.order.market)
        for entry in (match.taker, match.maker):
            entry.in_flight -= match.size
            book.give_back(entry, match.size)
            self._changed(entry)

    def _close(self, entry: Entry, state: State, reason: str = "") -> None:
        self.book(entry.order.market).remove(entry, state, reason)
        self._left(entry)
        self._changed(entry)

    def _left(self, entry: Entry) -> None:
        """Count that an open order is open no more."""
        signer = entry.order.signer
        self._open_count -= 1
        self._open[signer] -= 1
        if not self._open[signer]:
            del self._open[signer]

    def _changed(self, entry: Entry) -> None:
        """Save an order, and let go of it when nothing more can happen to it."""
        if entry.state is State.OPEN and not entry.remaining and not entry.in_flight:
            entry.state = State.FILLED
            self._left(entry)
        self._journal.save_order(entry)
        if entry.state is not State.OPEN and not entry.in_flight:
            self.orders.pop(entry.hash, None)

    @property
    def open_count(self) -> int:
        """How many orders are open."""
        return self._open_count
