"""What the matcher refuses, lets expire, and takes over from the chain."""

from __future__ import annotations

import pytest

from bulkhead.matcher.book import State
from bulkhead.matcher.engine import Limits, Matcher, MatchState
from bulkhead.matcher.orders import OrderRefused
from tests.unit.matcher.support import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    WAD,
    MemoryJournal,
    is_conserved,
    signed,
)


class Desk:
    """A matcher with its journal."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.journal = MemoryJournal()
        self.matcher = Matcher(self.journal, limits)

    def place(self, who, *args, now: int = NOW, **fields):
        return self.matcher.place(*signed(who, who.order(*args, **fields)), now)

    def refuse(self, who, *args, now: int = NOW, **fields) -> OrderRefused:
        before = dict(self.journal.entries)
        with pytest.raises(OrderRefused) as caught:
            self.place(who, *args, now=now, **fields)
        assert self.journal.entries == before
        return caught.value


def test_place__at_its_expiry__is_refused() -> None:
    desk = Desk()
    assert desk.refuse(ALICE, 1, 100, expires_at=NOW).code == "expired"
    assert desk.place(ALICE, 1, 100, expires_at=NOW + 1).state is State.OPEN


def test_place__same_order_again__is_refused_whatever_became_of_it() -> None:
    desk = Desk()
    entry = desk.place(ALICE, 1, 100)
    assert (desk.refuse(ALICE, 1, 100).code, desk.refuse(ALICE, 1, 100).status) == ("known", 409)
    desk.matcher.cancel(entry.hash)
    assert desk.refuse(ALICE, 1, 100).code == "known"
    assert desk.place(ALICE, 1, 100, nonce=1).hash != entry.hash


def test_place__less_than_the_least_size__is_refused() -> None:
    desk = Desk(Limits(minimum_size=2 * WAD))
    assert desk.refuse(ALICE, -1, 100).code == "too_small"
    assert desk.place(ALICE, -2, 100).state is State.OPEN


def test_place__more_than_a_signers_limit__is_refused_until_one_is_gone() -> None:
    desk = Desk(Limits(open_per_signer=2))
    first = desk.place(ALICE, 1, 100, nonce=1)
    desk.place(ALICE, 1, 100, nonce=2)
    refused = desk.refuse(ALICE, 1, 100, nonce=3)
    assert (refused.code, refused.status) == ("too_many_orders", 429)
    desk.place(BOB, 1, 100)
    desk.matcher.cancel(first.hash)
    assert desk.place(ALICE, 1, 100, nonce=3).state is State.OPEN


def test_place__book_is_full__is_refused() -> None:
    desk = Desk(Limits(open_orders=1))
    desk.place(ALICE, 1, 100)
    refused = desk.refuse(BOB, 1, 100)
    assert (refused.code, refused.status) == ("book_full", 503)


def test_place__resting_order_is_dead__is_not_matched() -> None:
    desk = Desk()
    dead = desk.place(ALICE, -1, 100, expires_at=NOW + 10)
    desk.place(BOB, 1, 100, now=NOW + 10)
    assert (dead.state, desk.matcher.matches) == (State.EXPIRED, {})


def test_cancel__matched_part__stays_matched() -> None:
    desk = Desk()
    maker = desk.place(ALICE, -3, 100)
    desk.place(BOB, 1, 100)
    desk.matcher.cancel(maker.hash)
    assert (maker.state, maker.in_flight, maker.remaining) == (State.CANCELLED, WAD, 2 * WAD)
    desk.matcher.settle(list(desk.matcher.matches.values()), "0x1")
    assert (maker.state, maker.settled) == (State.CANCELLED, WAD)
    assert desk.matcher.orders == {}


def test_cancel__not_open_or_unknown__is_refused() -> None:
    desk = Desk()
    entry = desk.place(ALICE, -3, 100)
    desk.matcher.cancel(entry.hash)
    with pytest.raises(OrderRefused, match="is cancelled"):
        desk.matcher.cancel(entry.hash)
    with pytest.raises(OrderRefused, match="no order 0x00"):
        desk.matcher.cancel(bytes(32))


def test_drop__cancelled_order__does_not_come_back() -> None:
    desk = Desk()
    maker = desk.place(ALICE, -3, 100)
    taker = desk.place(BOB, 3, 100)
    desk.matcher.cancel(maker.hash)
    desk.matcher.drop(taker, "no margin")
    assert (maker.state, maker.remaining, maker.in_flight) == (State.CANCELLED, 3 * WAD, 0)
    assert list(desk.matcher.book(0).asks) == []


def test_settle__all_of_both__fills_them() -> None:
    desk = Desk()
    maker, taker = desk.place(ALICE, -3, 100), desk.place(BOB, 3, 100)
    desk.matcher.settle(desk.matcher.next_batch(9), "0xabc")
    assert (maker.state, taker.state) == (State.FILLED, State.FILLED)
    assert desk.journal.matches[1].state is MatchState.SETTLED
    assert desk.journal.matches[1].reason == "0xabc"
    assert (desk.matcher.orders, desk.matcher.open_count) == ({}, 0)


def test_next_batch__several_takers__are_served_in_time_one_by_one() -> None:
    desk = Desk()
    desk.place(ALICE, -5, 100)
    first = desk.place(BOB, 2, 100)
    second = desk.place(CAROL, 2, 100)
    batch = desk.matcher.next_batch(16)
    assert [m.taker for m in batch] == [first]
    desk.matcher.settle(batch, "0x")
    assert [m.taker for m in desk.matcher.next_batch(16)] == [second]
    assert desk.matcher.next_batch(16, {0}) == []


def test_next_batch__many_makers__are_no_more_than_asked_for() -> None:
    desk = Desk()
    for n in range(5):
        desk.place(ALICE, -1, 100, nonce=n)
    desk.place(BOB, 5, 100)
    assert [m.maker.sequence for m in desk.matcher.next_batch(3)] == [1, 2, 3]


def test_adopt__filled_elsewhere__shrinks_what_rests() -> None:
    desk = Desk()
    entry = desk.place(ALICE, -5, 100)
    desk.matcher.adopt(entry, 2 * WAD)
    assert (entry.remaining, entry.settled) == (3 * WAD, 2 * WAD)
    assert desk.matcher.book(0).asks.depth(1) == [(100 * WAD, 3 * WAD)]
    desk.matcher.adopt(entry, 5 * WAD)
    assert entry.state is State.FILLED
    assert desk.matcher.book(0).asks.best() is None


def test_adopt__more_than_rests__voids_the_last_matches() -> None:
    desk = Desk()
    maker = desk.place(ALICE, -5, 100)
    first = desk.place(BOB, 2, 100)
    second = desk.place(CAROL, 3, 100)
    desk.matcher.adopt(maker, 2 * WAD)
    assert is_conserved(maker)
    assert (maker.settled, maker.in_flight, maker.remaining) == (2 * WAD, 3 * WAD, 0)
    assert first.in_flight == 2 * WAD
    assert (second.in_flight, second.remaining) == (WAD, 2 * WAD)
    assert desk.matcher.book(0).bids.depth(1) == [(100 * WAD, 2 * WAD)]
