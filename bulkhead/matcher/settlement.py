"""How matches reach the chain: one call per taker, bad orders found and dropped, nothing twice.

Before anything is sent it is on disk as sent, with a ticket and with what the chain had filled of
each order. After a crash, or an answer that never came, the chain's filled amounts tell whether it
was executed; if not, it is sent again under the same ticket, of which the chain takes one only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from bulkhead.matcher.book import Entry, State
from bulkhead.matcher.engine import Match, Matcher, MatchState
from bulkhead.matcher.orders import SignedOrder

MOST_MAKERS = 16
"""Makers of one call, so that it fits into a block."""
FOUND_ON_CHAIN = "found on chain"
_LEAST_NAME = 1 << 96
"""Numbers below are amounts or ids, not accounts or hashes."""

T = TypeVar("T")


class Fill(NamedTuple):
    """A maker's part of a batch; ``size`` WAD, without sign."""

    order: SignedOrder
    signature: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call executes, all or nothing: a taker's order and the makers that fill it."""

    order: SignedOrder
    signature: bytes
    fills: tuple[Fill, ...]


class Fault(StrEnum):
    """Whom a refusal speaks of."""

    UNKNOWN = "unknown"
    """One of the orders."""
    MAKER = "maker"
    """A maker: its limit is the price."""
    MARKET = "market"
    """No order: the market is halted or has no price now."""


class BatchRefused(Exception):  # noqa: N818
    """The contract does not take a batch, and nothing has changed.

    Attributes:
        reason: the error, for people.
        names: account ids and order hashes that the error names, as integers.
        fault: whom it speaks of.
    """

    def __init__(
        self, reason: str, names: Iterable[int] = (), fault: Fault = Fault.UNKNOWN
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.names = frozenset(n for n in names if n >= _LEAST_NAME)
        self.fault = fault


class SettlementUnavailable(Exception):  # noqa: N818
    """The chain does not answer, or not clearly: what was sent may have been executed."""


class Settlement(Protocol):
    """The chain, as far as the matcher needs it. Calls may block; they come one at a time."""

    def filled(self, order_hashes: Sequence[bytes]) -> list[int]:
        """Return what is filled of each order, WAD.

        Raises:
            SettlementUnavailable: it is not known now.
        """

    def ticket(self) -> int:
        """Return a number under which the chain executes one call at most: the sender's nonce.

        It grows when a call was executed, or failed, on chain.

        Raises:
            SettlementUnavailable: it is not known now.
        """

    def submit(self, batch: Batch, ticket: int) -> str:
        """Execute a batch and wait for it; return the transaction.

        Raises:
            BatchRefused: it was not executed and will not be.
            SettlementUnavailable: it may have been executed, or may still be.
        """


class InBackground(Protocol):
    """Runs a blocking call without stopping the others."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """Return what the call returns."""


class _MarketClosed(Exception):  # noqa: N818
    pass


class Settler:
    """Takes the matcher's pending matches to the chain.

    Args:
        matcher: whose matches.
        settlement: the chain.
        flush: makes everything that the matcher has done durable.
        in_background: runs a blocking call without stopping the others.
        clock: Unix seconds.
        most_makers: of one call.
    """

    def __init__(
        self,
        matcher: Matcher,
        settlement: Settlement,
        *,
        flush: Callable[[], Awaitable[None]],
        in_background: InBackground,
        clock: Callable[[], int],
        most_makers: int = MOST_MAKERS,
    ) -> None:
        self._matcher = matcher
        self._settlement = settlement
        self._flush = flush
        self._in_background = in_background
        self._clock = clock
        self._most = most_makers

    async def round(self) -> int:
        """Settle all that is pending; return how many matches were settled.

        Markets that are closed now are left for the next time.

        Raises:
            SettlementUnavailable: the chain does not answer; the next round goes on.
        """
        count = await self._resolve()
        closed: set[int] = set()
        while batch := self._matcher.next_batch(self._most, closed):
            try:
                count += await self._settle(batch)
            except _MarketClosed:
                closed.add(batch[0].taker.order.market)
        await self._flush()
        return count

    async def _resolve(self) -> int:
        """Find out what became of what was sent; send it again if nothing did."""
        sent = self._matcher.sent()
        if not sent:
            return 0
        filled = await self._filled(sent)
        before = {m.maker.hash: m.maker_before for m in sent}
        before[sent[0].taker.hash] = sent[0].taker_before
        moved = {key: filled[key] - before[key] for key in before}
        size: Counter[bytes] = Counter()
        for match in sent:
            size[match.maker.hash] += match.size
            size[match.taker.hash] += match.size
        if all(moved[key] >= size[key] for key in before):
            self._matcher.settle(sent, FOUND_ON_CHAIN)
            return len(sent)
        ticket = sent[0].ticket
        assert ticket is not None
        unused = await self._in_background(self._settlement.ticket) <= ticket
        if unused and not any(moved.values()):
            try:
                await self._send(sent, ticket)
            except BatchRefused:
                # Whose fault it is, the ordinary way finds out.
                self._matcher.mark_pending(sent)
                return 0
            return len(sent)
        self._matcher.mark_pending(sent)
        return 0

    async def _settle(self, matches: Sequence[Match]) -> int:
        """Settle one taker's matches as far as they go; every other one ends void."""
        self._drop_expired(matches)
        filled = await self._filled(_pending(matches))
        for entry in _orders_of(_pending(matches)):
            self._matcher.adopt(entry, filled[entry.hash])
        failed: list[tuple[Match, BatchRefused]] = []
        count = await self._bisect(matches, filled, failed)
        self._judge(failed, count)
        return count

    async def _bisect(
        self,
        matches: Sequence[Match],
        filled: dict[bytes, int],
        failed: list[tuple[Match, BatchRefused]],
    ) -> int:
        """Settle what can be, in halves where the whole is refused; collect what cannot."""
        matches = _pending(matches)
        if not matches:
            return 0
        ticket = await self._in_background(self._settlement.ticket)
        self._matcher.mark_sent(matches, ticket, filled)
        await self._flush()
        try:
            await self._send(matches, ticket)
        except BatchRefused as refused:
            self._matcher.mark_pending(matches)
            if refused.fault is Fault.MARKET:
                raise _MarketClosed from None
            if (culprit := _named(refused, matches)) is not None:
                self._matcher.drop(culprit, refused.reason)
                return await self._bisect(matches, filled, failed)
            if len(matches) == 1:
                failed.append((matches[0], refused))
                return 0
            half = len(matches) // 2
            first = await self._bisect(matches[:half], filled, failed)
            return first + await self._bisect(matches[half:], filled, failed)
        for match in matches:
            filled[match.taker.hash] += match.size
            filled[match.maker.hash] += match.size
        return len(matches)

    async def _send(self, matches: Sequence[Match], ticket: int) -> None:
        batch = batch_of(matches)
        transaction = await self._in_background(lambda: self._settlement.submit(batch, ticket))
        self._matcher.settle(matches, transaction)

    def _judge(self, failed: Sequence[tuple[Match, BatchRefused]], settled: int) -> None:
        """Drop an order of each pair that the chain refused without naming whose fault it is.

        A taker that other makers could fill is not the reason; one that no maker can fill is. A
        single pair tells nothing: the newcomer goes, unless it is the resting order's second time.
        """
        for match, refused in failed:
            if match.state is not MatchState.PENDING:
                continue
            taker, maker = match.taker, match.maker
            if settled or refused.fault is Fault.MAKER:
                culprit = maker
            elif len(failed) > 1:
                culprit = taker
            else:
                maker.strikes += 1
                culprit = maker if maker.strikes > 1 else taker
            self._matcher.drop(culprit, refused.reason)

    def _drop_expired(self, matches: Sequence[Match]) -> None:
        now = self._clock()
        for entry in _orders_of(matches):
            if now >= entry.order.expires_at:
                self._matcher.drop(entry, "expired before it was settled", State.EXPIRED)

    async def _filled(self, matches: Sequence[Match]) -> dict[bytes, int]:
        hashes = [entry.hash for entry in _orders_of(matches)]
        amounts = await self._in_background(lambda: self._settlement.filled(hashes))
        return dict(zip(hashes, amounts, strict=True))


def batch_of(matches: Sequence[Match]) -> Batch:
    """Return the call for matches of one taker."""
    taker = matches[0].taker
    fills = tuple(Fill(m.maker.order, m.maker.signature, m.size) for m in matches)
    return Batch(taker.order, taker.signature, fills)


def _pending(matches: Sequence[Match]) -> list[Match]:
    return [m for m in matches if m.state is MatchState.PENDING]


def _orders_of(matches: Sequence[Match]) -> list[Entry]:
    """Return each order once."""
    return list({e.sequence: e for m in matches for e in (m.taker, m.maker)}.values())


def _named(refused: BatchRefused, matches: Sequence[Match]) -> Entry | None:
    """Return the one order that a refusal names; None if it names none, or several."""
    found = [
        entry
        for entry in _orders_of(matches)
        if {int.from_bytes(entry.hash, "big"), entry.order.account} & refused.names
    ]
    return found[0] if len(found) == 1 else None
