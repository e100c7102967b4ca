"""Traders who sign, a clock that is told the time, and a chain in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bulkhead.matcher.book import Entry, State
from bulkhead.matcher.engine import Match
from bulkhead.matcher.orders import Domain, SignedOrder, address_of, recover, sign
from bulkhead.matcher.settlement import Batch, BatchRefused, SettlementUnavailable

WAD = 10**18
NOW = 1_800_000_000
DOMAIN = Domain(31_337, "0x" + "5a" * 20)


@dataclass(frozen=True)
class Trader:
    """Somebody with a key, who signs for her own account."""

    key: bytes
    address: str
    sub_account: int = 0

    @property
    def account(self) -> int:
        return int(self.address, 16) << 96 | self.sub_account

    def order(
        self,
        size: int,
        price: int,
        nonce: int = 0,
        flags: int = 0,
        market: int = 0,
        expires_at: int = NOW + 3_600,
    ) -> SignedOrder:
        """An order of whole units; size and price in units, not WAD."""
        return SignedOrder(
            self.account,
            self.address,
            market,
            size * WAD,
            price * WAD,
            expires_at,
            nonce,
            flags,
        )

    def sign(self, digest: bytes) -> bytes:
        return sign(self.key, digest)


def trader(number: int) -> Trader:
    """The trader with a number."""
    key = number.to_bytes(32, "big")
    return Trader(key, address_of(key))


ALICE, BOB, CAROL, DAVE = (trader(n) for n in (1, 2, 3, 4))


def signed(who: Trader, order: SignedOrder) -> tuple[SignedOrder, bytes, bytes]:
    """An order, its hash and its signature: what ``Matcher.place`` takes."""
    digest = DOMAIN.order_hash(order)
    return order, digest, who.sign(digest)


class MemoryJournal:
    """Keeps what it is given; nothing is ever written."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.matches: dict[int, Match] = {}

    def save_order(self, entry: Entry) -> None:
        self.entries[entry.hash] = entry

    def save_match(self, match: Match) -> None:
        self.matches[match.id] = match

    def find(self, order_hash: bytes) -> Entry | None:
        return self.entries.get(order_hash)


@dataclass
class FakeChain:
    """The contract's rules in memory: all makers of a call or none, filled amounts per hash.

    Attributes:
        bad: order hashes that it refuses, and with which names in the error.
        fail_when: asked before and after executing; True lets the answer get lost.
    """

    domain: Domain = DOMAIN
    now: int = NOW
    bad: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    amounts: Counter[bytes] = field(default_factory=Counter)
    calls: list[Batch] = field(default_factory=list)
    tried: int = 0
    nonce: int = 0
    lose_before: int = 0
    lose_after: int = 0
    refuse_all: BatchRefused | None = None
    check: Callable[[Batch], None] | None = None

    def filled(self, order_hashes: Sequence[bytes]) -> list[int]:
        return [self.amounts[h] for h in order_hashes]

    def ticket(self) -> int:
        return self.nonce

    def submit(self, batch: Batch, ticket: int) -> str:
        self.tried += 1
        if self.lose_before:
            self.lose_before -= 1
            raise SettlementUnavailable("nobody answers")
        if ticket != self.nonce:
            raise SettlementUnavailable(f"ticket {ticket} is not {self.nonce}")
        if self.refuse_all is not None:
            raise self.refuse_all
        if self.check is not None:
            self.check(batch)
        moved = self._checked(batch)
        self.amounts.update(moved)
        self.calls.append(batch)
        self.nonce += 1
        if self.lose_after:
            self.lose_after -= 1
            raise SettlementUnavailable("the answer got lost")
        return f"0x{self.nonce:064x}"

    def _checked(self, batch: Batch) -> Counter[bytes]:
        taker = batch.order
        moved: Counter[bytes] = Counter()
        parts = [(f.order, f.signature, f.size) for f in batch.fills]
        total = sum(size for _, _, size in parts)
        for order, signature, size in [(taker, batch.signature, total), *parts]:
            order_hash = self.domain.order_hash(order)
            moved[order_hash] += size
            if order_hash in self.bad:
                raise BatchRefused("SignedOrders_Bad", self.bad[order_hash])
            assert recover(order_hash, signature) == order.signer
            assert size > 0
            assert self.now < order.expires_at
            assert self.amounts[order_hash] + moved[order_hash] <= order.quantity
        assert not taker.is_post_only
        for maker, _, _ in parts:
            assert maker.is_buy != taker.is_buy
            assert maker.owner != taker.owner
            assert maker.market == taker.market
            buy, sell = (maker, taker) if maker.is_buy else (taker, maker)
            assert buy.limit_price >= sell.limit_price
        return moved


def altered(order: SignedOrder, name: str) -> SignedOrder:
    """The order with one field changed, still within its bounds."""
    value = getattr(order, name)
    if name == "signer":
        return replace(order, signer=BOB.address if value != BOB.address else ALICE.address)
    return replace(order, **{name: value ^ 1 if name == "flags" else value + 1})


def total(entries: Sequence[Entry]) -> int:
    """What all of these have settled, WAD."""
    return sum(e.settled for e in entries)


def is_conserved(entry: Entry) -> bool:
    """Whether an order's parts make up the whole, and its state is what they say."""
    parts = (entry.remaining, entry.in_flight, entry.settled)
    is_filled = entry.settled == entry.order.quantity
    return (
        min(parts) >= 0
        and sum(parts) == entry.order.quantity
        and (entry.state is not State.FILLED or is_filled)
        and (entry.state is not State.OPEN or not is_filled)
    )
