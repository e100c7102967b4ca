"""Price-time priority against a book that is nothing but a list, and the rules of matching."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.matcher.book import POST_ONLY_CROSSED, SELF_TRADE, State
from bulkhead.matcher.engine import Limits, Matcher
from bulkhead.matcher.orders import POST_ONLY, OrderRefused
from tests.unit.matcher.naive import NaiveBook
from tests.unit.matcher.support import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NOW,
    WAD,
    MemoryJournal,
    Trader,
    is_conserved,
    signed,
)

LIMITS = Limits(open_per_signer=10_000)


class Exchange:
    """A matcher, the naive book, and what both are told."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.matcher = Matcher(self.journal, LIMITS)
        self.naive = NaiveBook()
        self.placed: list[bytes] = []
        self.nonce = 0

    def place(self, who: Trader, size: int, price: int, flags: int = 0) -> bytes:
        """Place an order with both; refused by both or by none."""
        self.nonce += 1
        order, digest, signature = signed(who, who.order(size, price, self.nonce, flags))
        if order.is_post_only and not self.naive.may_rest(order):
            with pytest.raises(OrderRefused, match="take instead of resting"):
                self.matcher.place(order, digest, signature, NOW)
            return digest
        self.matcher.place(order, digest, signature, NOW)
        self.naive.place(order)
        self.placed.append(digest)
        return digest

    def cancel(self, which: int) -> None:
        """Cancel one of the orders that were placed, if it is open."""
        digest = self.placed[which % len(self.placed)]
        sequence = self.journal.entries[digest].sequence
        if self.journal.entries[digest].state is State.OPEN:
            self.matcher.cancel(digest)
            self.naive.orders[sequence - 1].is_open = False

    def drop(self, which: int, is_taker: bool) -> None:
        """Let the chain refuse an order of an unsettled match."""
        matches = list(self.matcher.matches.values())
        match = matches[which % len(matches)]
        guilty = match.taker if is_taker else match.maker
        pairs = [
            (m.taker.sequence, m.maker.sequence, m.size)
            for m in matches
            if guilty in (m.taker, m.maker)
        ]
        self.matcher.drop(guilty, "refused")
        for pair in pairs:
            self.naive.undo(pair, guilty.sequence)
        self.naive.match()

    def settle(self, which: int) -> None:
        """Let the chain execute a match."""
        matches = list(self.matcher.matches.values())
        self.matcher.settle([matches[which % len(matches)]], "0x")

    def compare(self) -> None:
        """Same pairs in the same order, same sides in the same priority, nothing lost."""
        made = [(m.taker.sequence, m.maker.sequence, m.size) for m in self.journal.matches.values()]
        assert made == self.naive.made
        book = self.matcher.book(0)
        for side, is_buy in ((book.bids, True), (book.asks, False)):
            expected = self.naive.resting(is_buy)
            assert [(e.sequence, e.remaining) for e in side] == [
                (o.sequence, o.remaining) for o in expected
            ]
            levels: dict[int, int] = {}
            for o in expected:
                price = o.order.limit_price
                levels[price] = levels.get(price, 0) + o.remaining
            assert side.depth(1_000) == list(levels.items())
            assert side.depth(1) == list(levels.items())[:1]
        assert all(map(is_conserved, self.journal.entries.values()))
        is_open = [e for e in self.journal.entries.values() if e.state is State.OPEN]
        assert self.matcher.open_count == len(is_open)


traders = st.sampled_from([ALICE, BOB, CAROL, DAVE])
sizes = st.integers(-6, 6).filter(bool)
prices = st.integers(95, 105)
placements = st.tuples(
    st.just("place"), traders, sizes, prices, st.sampled_from([0, 0, 0, POST_ONLY])
)
others = st.tuples(st.sampled_from(["cancel", "drop", "settle"]), st.integers(0, 99), st.booleans())
steps = st.lists(st.one_of(placements, placements, others), max_size=60)


@given(steps)
def test_matcher__any_sequence__is_the_naive_book(sequence) -> None:
    exchange = Exchange()
    for step in sequence:
        if step[0] == "place":
            exchange.place(*step[1:])
        elif step[0] == "cancel" and exchange.placed:
            exchange.cancel(step[1])
        elif step[0] == "drop" and exchange.matcher.matches:
            exchange.drop(step[1], step[2])
        elif step[0] == "settle" and exchange.matcher.matches:
            exchange.settle(step[1])
        exchange.compare()


@given(steps)
def test_matches__of_any_sequence__keep_to_limits_and_sizes(sequence) -> None:
    exchange = Exchange()
    for step in sequence:
        if step[0] == "place":
            exchange.place(*step[1:])
    sold = bought = 0
    for match in exchange.journal.matches.values():
        maker, taker = match.maker.order, match.taker.order
        price = maker.limit_price
        buy, sell = (maker, taker) if maker.is_buy else (taker, maker)
        assert buy.is_buy
        assert not sell.is_buy
        assert sell.limit_price <= price <= buy.limit_price
        assert buy.owner != sell.owner
        assert match.maker.sequence < match.taker.sequence
        assert match.size > 0
        bought += match.size
        sold += match.size
    entries = exchange.journal.entries.values()
    assert sum(e.in_flight for e in entries if e.order.is_buy) == bought
    assert sum(e.in_flight for e in entries if not e.order.is_buy) == sold
    assert all(e.in_flight <= e.order.quantity for e in entries)


def test_place__two_makers_at_one_price__the_earlier_is_filled_first() -> None:
    x = Exchange()
    first = x.place(ALICE, -3, 100)
    second = x.place(BOB, -3, 100)
    better = x.place(CAROL, -1, 99)
    x.place(DAVE, 5, 101)
    filled = [x.journal.entries[h].in_flight // WAD for h in (first, second, better)]
    assert filled == [3, 1, 1]
    assert x.matcher.book(0).bids.best() is None
    assert x.matcher.book(0).asks.depth(9) == [(100 * WAD, 2 * WAD)]


def test_place__partly_filled_maker__keeps_its_place() -> None:
    x = Exchange()
    first = x.place(ALICE, -3, 100)
    x.place(BOB, -3, 100)
    x.place(DAVE, 1, 100)
    x.place(DAVE, 2, 100)
    assert x.journal.entries[first].in_flight == 3 * WAD


def test_drop__taker__gives_the_maker_its_old_place_back() -> None:
    x = Exchange()
    first = x.place(ALICE, -3, 100)
    second = x.place(BOB, -3, 100)
    taker = x.place(DAVE, 3, 100)
    x.matcher.drop(x.journal.entries[taker], "no margin")
    x.place(CAROL, 3, 100)
    assert x.journal.entries[first].in_flight == 3 * WAD
    assert x.journal.entries[second].in_flight == 0
    assert x.journal.entries[taker].state is State.REFUSED
    assert x.journal.entries[taker].reason == "no margin"


def test_drop__maker_comes_back_into_a_crossed_book__the_later_order_takes() -> None:
    x = Exchange()
    ask = x.place(ALICE, -3, 100)
    taker = x.place(BOB, 3, 100)
    bid = x.place(CAROL, 2, 103)
    x.matcher.drop(x.journal.entries[taker], "no margin")
    (match,) = x.matcher.matches.values()
    assert (match.taker.hash, match.maker.hash, match.size) == (bid, ask, 2 * WAD)


def test_drop__maker_comes_back_to_a_post_only_order__which_makes() -> None:
    x = Exchange()
    ask = x.place(ALICE, -3, 100)
    taker = x.place(BOB, 3, 100)
    bid = x.place(CAROL, 2, 103, POST_ONLY)
    x.matcher.drop(x.journal.entries[taker], "no margin")
    (match,) = x.matcher.matches.values()
    assert (match.taker.hash, match.maker.hash, match.size) == (ask, bid, 2 * WAD)


def test_drop__both_are_post_only__the_later_one_goes() -> None:
    x = Exchange()
    ask = x.place(ALICE, -3, 100, POST_ONLY)
    taker = x.place(BOB, 3, 100)
    bid = x.place(CAROL, 2, 103, POST_ONLY)
    x.matcher.drop(x.journal.entries[taker], "no margin")
    assert x.matcher.matches == {}
    assert x.journal.entries[bid].reason == POST_ONLY_CROSSED
    assert x.journal.entries[ask].state is State.OPEN


def test_place__own_order_on_the_other_side__takes_the_new_one_out() -> None:
    x = Exchange()
    resting = x.place(ALICE, -3, 100)
    other = x.place(BOB, -1, 99)
    new = x.place(ALICE, 5, 101)
    assert x.journal.entries[other].in_flight == WAD
    entry = x.journal.entries[new]
    assert (entry.state, entry.reason) == (State.CANCELLED, SELF_TRADE)
    assert (entry.in_flight, entry.remaining) == (WAD, 4 * WAD)
    assert x.journal.entries[resting].remaining == 3 * WAD


def test_place__another_sub_account_of_the_owner__is_a_self_trade_too() -> None:
    x = Exchange()
    x.place(ALICE, -3, 100)
    new = x.place(Trader(ALICE.key, ALICE.address, sub_account=7), 1, 101)
    assert x.journal.entries[new].reason == SELF_TRADE


def test_place__post_only_that_would_take__is_refused_and_changes_nothing() -> None:
    x = Exchange()
    x.place(ALICE, -3, 100)
    refused = x.place(BOB, 3, 100, POST_ONLY)
    assert x.matcher.find(refused) is None
    assert x.place(BOB, 3, 99, POST_ONLY) in x.matcher.orders
    x.compare()


def test_side__many_orders_cancelled_deep_in_the_book__takes_no_more_room() -> None:
    x = Exchange()
    x.place(ALICE, 1, 100)
    matcher = x.matcher
    for n in range(3_000):
        order, digest, signature = BOB.order(1, 1 + n % 90, n), n.to_bytes(32, "big"), b""
        matcher.place(order, digest, signature, NOW)
        matcher.cancel(digest)
    assert len(matcher.book(0).bids._heap) < 200
    assert len(matcher._expiries) < 3_000
    assert [e.sequence for e in matcher.book(0).bids] == [1]
