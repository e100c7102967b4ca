"""Matches reach the chain once, bad orders are found, good ones go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.matcher.book import State
from bulkhead.matcher.engine import Matcher, MatchState
from bulkhead.matcher.settlement import (
    FOUND_ON_CHAIN,
    Batch,
    BatchRefused,
    Fault,
    SettlementUnavailable,
    Settler,
)
from bulkhead.matcher.store import Store
from tests.unit.matcher.support import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    DOMAIN,
    NOW,
    WAD,
    FakeChain,
    is_conserved,
    signed,
    trader,
)


class Floor:
    """A matcher on disk, its settler, and a chain in memory."""

    def __init__(self, path) -> None:
        self.path = path
        self.chain = FakeChain()
        self.clock = NOW
        self.on_flush: Callable[[], None] | None = None
        self.start()

    def start(self) -> None:
        self.store = Store(self.path, DOMAIN)
        kept = self.store.load()
        self.matcher = Matcher(
            self.store,
            entries=kept.entries,
            matches=kept.matches,
            last_sequence=kept.last_sequence,
            last_match=kept.last_match,
        )

        async def flush() -> None:
            self.store.flush()

        async def in_background(call):
            return call()

        self.settler = Settler(
            self.matcher,
            self.chain,
            flush=flush,
            in_background=in_background,
            clock=lambda: self.clock,
        )

    def crash(self) -> None:
        """Lose what was not written, and start again."""
        self.store._orders.clear()
        self.store._matches.clear()
        self.store.close()
        self.start()

    def place(self, who, *args, **fields):
        return self.matcher.place(*signed(who, who.order(*args, **fields)), self.clock)

    def round(self) -> int:
        settled = asyncio.run(self.settler.round())
        for entry in self.matcher.orders.values():
            assert is_conserved(entry)
        return settled

    def try_round(self) -> None:
        """A round in which the chain may go away."""
        with suppress(SettlementUnavailable):
            self.round()

    def row(self, order):
        """The order as it is known, by itself or its hash."""
        return self.matcher.find(order if isinstance(order, bytes) else order.hash)

    def is_open(self, order_hash: bytes) -> bool:
        return self.row(order_hash).state is State.OPEN


@pytest.fixture
def floor(tmp_path) -> Floor:
    return Floor(tmp_path / "orders.sqlite")


def _number(order_hash: bytes) -> int:
    return int.from_bytes(order_hash, "big")


def test_round__taker_with_several_makers__is_one_call(floor) -> None:
    makers = [floor.place(w, -2, p) for w, p in ((ALICE, 101), (BOB, 100), (CAROL, 100))]
    taker = floor.place(DAVE, 5, 101)
    assert floor.round() == 3
    (call,) = floor.chain.calls
    assert call.order == taker.order
    assert [f.order.signer for f in call.fills] == [BOB.address, CAROL.address, ALICE.address]
    assert [f.size for f in call.fills] == [2 * WAD, 2 * WAD, WAD]
    assert floor.row(taker).state is State.FILLED
    assert floor.chain.amounts[makers[0].hash] == floor.row(makers[0]).settled == WAD
    assert floor.round() == 0
    assert len(floor.chain.calls) == 1


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("which", range(7))
def test_round__one_bad_maker_of_seven__is_dropped_alone(floor, which, named) -> None:
    makers = [floor.place(trader(10 + n), -1, 100) for n in range(7)]
    bad = makers[which]
    floor.chain.bad[bad.hash] = (_number(bad.hash),) if named else ()
    taker = floor.place(DAVE, 7, 100)
    assert floor.round() == 6
    assert (bad.state, bad.reason, bad.remaining) == (State.REFUSED, "SignedOrders_Bad", WAD)
    assert (taker.state, taker.settled, taker.remaining) == (State.OPEN, 6 * WAD, WAD)
    assert [e for e in makers if e.state is not State.FILLED] == [bad]
    assert floor.matcher.book(0).bids.best() is taker
    assert floor.chain.tried <= (2 if named else 8)


@pytest.mark.parametrize("named", [True, False])
def test_round__bad_taker__goes_and_the_makers_keep_their_places(floor, named) -> None:
    makers = [floor.place(w, -1, 100) for w in (ALICE, BOB, CAROL)]
    taker = floor.place(DAVE, 3, 100)
    floor.chain.bad[taker.hash] = (taker.order.account,) if named else ()
    assert floor.round() == 0
    assert taker.state is State.REFUSED
    assert list(floor.matcher.book(0).asks) == makers
    assert all(m.remaining == WAD for m in makers)
    assert floor.chain.amounts.total() == 0


def test_round__bad_maker_alone_and_unnamed__goes_the_second_time(floor) -> None:
    maker = floor.place(ALICE, -5, 100)
    floor.chain.bad[maker.hash] = ()
    first = floor.place(BOB, 1, 100)
    floor.round()
    assert (first.state, maker.state) == (State.REFUSED, State.OPEN)
    second = floor.place(CAROL, 1, 100)
    floor.round()
    assert (second.state, maker.state) == (State.OPEN, State.REFUSED)


def test_round__dropped_maker__lets_the_taker_match_the_next(floor) -> None:
    bad, good = floor.place(ALICE, -1, 100), floor.place(BOB, -1, 101)
    floor.chain.bad[bad.hash] = (_number(bad.hash),)
    taker = floor.place(DAVE, 1, 101)
    assert floor.round() == 1
    assert (bad.state, good.state, taker.state) == (State.REFUSED, State.FILLED, State.FILLED)


def test_round__bad_order_in_several_calls__is_dropped_from_all(floor) -> None:
    bad = floor.place(ALICE, -4, 100)
    floor.place(CAROL, -9, 101)
    takers = [floor.place(w, 1, 101) for w in (BOB, DAVE)]
    floor.chain.bad[bad.hash] = (_number(bad.hash),)
    assert floor.round() == 2
    assert [t.state for t in takers] == [State.FILLED] * 2
    assert floor.chain.amounts[bad.hash] == 0


def test_round__price_is_refused__the_maker_goes(floor) -> None:
    maker, taker = floor.place(ALICE, -1, 100), floor.place(BOB, 1, 100)
    floor.chain.refuse_all = BatchRefused("SignedOrders_OutsideBand", fault=Fault.MAKER)
    floor.round()
    assert (maker.state, taker.state) == (State.REFUSED, State.OPEN)


def test_round__market_is_halted__keeps_the_matches_and_serves_others(floor) -> None:
    def halt(batch: Batch) -> None:
        if batch.order.market == 0:
            raise BatchRefused("CircuitBreaker_NotAllowed", fault=Fault.MARKET)

    floor.chain.check = halt
    halted = [floor.place(ALICE, -1, 100), floor.place(BOB, 1, 100)]
    served = [floor.place(ALICE, -1, 100, market=1), floor.place(BOB, 1, 100, market=1)]
    assert floor.round() == 1
    assert [e.state for e in served] == [State.FILLED] * 2
    assert [e.in_flight for e in halted] == [WAD] * 2
    floor.chain.check = None
    assert floor.round() == 1
    assert [e.state for e in halted] == [State.FILLED] * 2


def test_round__expired_meanwhile__is_not_sent_and_the_other_rests_again(floor) -> None:
    maker = floor.place(ALICE, -1, 100)
    taker = floor.place(BOB, 1, 100, expires_at=NOW + 5)
    floor.clock = NOW + 5
    assert floor.round() == 0
    assert (floor.chain.tried, taker.state) == (0, State.EXPIRED)
    assert floor.matcher.book(0).asks.best() is maker


def test_round__chain_is_away__nothing_is_lost_and_it_goes_on(floor) -> None:
    floor.place(ALICE, -1, 100)
    taker = floor.place(BOB, 1, 100)
    floor.chain.lose_before = 2
    for _ in range(2):
        with pytest.raises(SettlementUnavailable):
            floor.round()
    assert floor.round() == 1
    assert (taker.state, len(floor.chain.calls)) == (State.FILLED, 1)


@pytest.mark.parametrize("crash", [False, True])
def test_round__answer_gets_lost_after_executing__is_not_sent_again(floor, crash) -> None:
    maker = floor.place(ALICE, -5, 100)
    taker = floor.place(BOB, 2, 100)
    floor.chain.lose_after = 1
    with pytest.raises(SettlementUnavailable):
        floor.round()
    if crash:
        floor.crash()
    assert floor.round() == 1
    assert len(floor.chain.calls) == 1
    assert floor.row(taker).state is State.FILLED
    assert floor.matcher.orders[maker.hash].settled == 2 * WAD
    assert floor.matcher.book(0).asks.depth(1) == [(100 * WAD, 3 * WAD)]


@pytest.mark.parametrize("crash", [False, True])
def test_round__lost_before_executing__is_sent_under_the_same_ticket(floor, crash) -> None:
    floor.chain.nonce = 17
    floor.place(ALICE, -5, 100)
    taker = floor.place(BOB, 2, 100)
    floor.chain.lose_before = 1
    with pytest.raises(SettlementUnavailable):
        floor.round()
    (sent,) = floor.matcher.sent()
    assert sent.ticket == 17
    if crash:
        floor.crash()
    tickets = []
    submit = floor.chain.submit

    def note(batch, ticket):
        tickets.append(ticket)
        return submit(batch, ticket)

    floor.chain.submit = note
    assert floor.round() == 1
    assert (tickets, floor.chain.nonce) == ([17], 18)
    assert floor.row(taker).state is State.FILLED


def test_round__ticket_was_used_up_without_filling__is_sent_under_a_new_one(floor) -> None:
    floor.place(ALICE, -5, 100)
    floor.place(BOB, 2, 100)
    floor.chain.lose_before = 1
    with pytest.raises(SettlementUnavailable):
        floor.round()
    floor.crash()
    floor.chain.nonce += 1
    assert floor.round() == 1
    assert (len(floor.chain.calls), floor.chain.nonce) == (1, 2)


def test_round__crash_after_one_half_of_a_bisection__fills_nobody_twice(floor) -> None:
    makers = [floor.place(trader(10 + n), -1, 100) for n in range(4)]
    floor.chain.bad[makers[3].hash] = ()
    taker = floor.place(DAVE, 4, 100)
    floor.chain.lose_after = 1
    with pytest.raises(SettlementUnavailable):
        floor.round()
    floor.crash()
    floor.round()
    assert floor.chain.amounts == {taker.hash: 3 * WAD, **{m.hash: WAD for m in makers[:3]}}
    assert floor.row(makers[3]).state is State.REFUSED
    assert floor.row(taker).settled == 3 * WAD
    assert floor.matcher.book(0).bids.depth(1) == [(100 * WAD, WAD)]


def test_resolve__found_on_chain__says_so(floor) -> None:
    floor.place(ALICE, -1, 100)
    floor.place(BOB, 1, 100)
    floor.chain.lose_after = 1
    with pytest.raises(SettlementUnavailable):
        floor.round()
    (match,) = floor.matcher.sent()
    floor.round()
    assert (match.state, match.reason) == (MatchState.SETTLED, FOUND_ON_CHAIN)


def test_round__somebody_else_filled_the_maker__only_the_rest_is_sent(floor) -> None:
    maker = floor.place(ALICE, -5, 100)
    taker = floor.place(BOB, 5, 100)
    floor.chain.amounts[maker.hash] = 2 * WAD
    floor.round()
    floor.round()
    assert floor.chain.amounts[maker.hash] == 5 * WAD
    assert (taker.settled, taker.remaining) == (3 * WAD, 2 * WAD)
    assert floor.row(maker).state is State.FILLED


def test_round__is_on_disk_as_sent__before_it_is_sent(floor) -> None:
    floor.place(ALICE, -1, 100)
    floor.place(BOB, 1, 100)
    seen = []
    floor.chain.check = lambda _: seen.extend(floor.store.load().matches)
    floor.round()
    assert [(m.state, m.ticket) for m in seen] == [(MatchState.SENT, 0)]


traders = st.sampled_from([ALICE, BOB, CAROL, DAVE])
placements = st.tuples(
    st.just("place"), traders, st.integers(-6, 6).filter(bool), st.integers(98, 102)
)
trouble = st.tuples(
    st.sampled_from(
        ["round", "round", "crash", "lose_before", "lose_after", "spoil", "elsewhere", "cancel"]
    ),
    st.integers(0, 99),
)


@given(st.lists(st.one_of(placements, trouble), max_size=40))
def test_rounds__any_trouble__settle_each_match_once(tmp_path_factory, steps) -> None:
    """``FakeChain`` has the chain's rules: it fails if an order is filled beyond its size."""
    floor = Floor(tmp_path_factory.mktemp("floor") / "o.sqlite")
    chain = floor.chain
    hashes: list[bytes] = []
    elsewhere = 0
    for nonce, (what, *rest) in enumerate(steps):
        number = rest[0]
        if what == "place":
            hashes.append(floor.place(*rest, nonce=nonce).hash)
            floor.store.flush()
        elif what == "round":
            floor.try_round()
        elif what == "crash":
            floor.crash()
        elif what in ("lose_before", "lose_after"):
            setattr(chain, what, 1)
        elif hashes and what == "spoil":
            bad = hashes[number % len(hashes)]
            chain.bad[bad] = (_number(bad),) if number % 2 else ()
        elif hashes and what == "elsewhere":
            # Somebody else fills a part of what neither rests filled nor is on its way.
            entry = floor.row(hashes[number % len(hashes)])
            if not floor.matcher.sent() and chain.amounts[entry.hash] < entry.order.quantity:
                chain.amounts[entry.hash] += WAD
                elsewhere += WAD
        elif what == "cancel" and (resting := [h for h in hashes if floor.is_open(h)]):
            floor.matcher.cancel(resting[number % len(resting)])
            floor.store.flush()
    chain.lose_before = chain.lose_after = 0
    floor.try_round()
    floor.try_round()
    assert floor.matcher.matches == {}
    assert chain.amounts.total() == elsewhere + 2 * sum(
        f.size for call in chain.calls for f in call.fills
    )
    for order_hash in hashes:
        entry = floor.row(order_hash)
        assert is_conserved(entry)
        # What others have filled is noticed when the order is next settled, not before.
        assert entry.settled <= chain.amounts[order_hash] <= entry.order.quantity
    if not elsewhere:
        assert all(floor.row(h).settled == chain.amounts[h] for h in hashes)
    floor.store.close()
