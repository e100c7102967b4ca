"""What is written is what was there, through any number of restarts."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.matcher.book import State
from bulkhead.matcher.engine import Limits, Matcher, MatchState
from bulkhead.matcher.orders import Domain, OrderRefused
from bulkhead.matcher.store import Store, StoreError
from tests.unit.matcher.support import ALICE, BOB, CAROL, DAVE, DOMAIN, NOW, WAD, signed

LIMITS = Limits(open_per_signer=10_000)


def revive(store: Store) -> Matcher:
    kept = store.load()
    return Matcher(
        store,
        LIMITS,
        entries=kept.entries,
        matches=kept.matches,
        last_sequence=kept.last_sequence,
        last_match=kept.last_match,
    )


def place(matcher: Matcher, who, *args, **fields):
    return matcher.place(*signed(who, who.order(*args, **fields)), NOW)


def everything(matcher: Matcher) -> tuple:
    """All that decides what happens next."""
    sides = [
        (market, [_order(e) for e in side])
        for market, book in sorted(matcher.books.items())
        for side in (book.bids, book.asks)
        if list(side)
    ]
    matches = [
        (
            m.id,
            m.taker.sequence,
            m.maker.sequence,
            m.size,
            m.state,
            m.ticket,
            m.taker_before,
            m.maker_before,
        )
        for m in matcher.matches.values()
    ]
    kept = sorted(map(_order, matcher.orders.values()))
    return sides, matches, kept, matcher.open_count, matcher._sequence, matcher._match


def _order(entry) -> tuple:
    return (
        entry.sequence,
        entry.hash,
        entry.order.as_tuple(),
        entry.signature,
        entry.remaining,
        entry.in_flight,
        entry.settled,
        entry.state,
        entry.reason,
    )


placements = st.tuples(
    st.just("place"),
    st.sampled_from([ALICE, BOB, CAROL, DAVE]),
    st.integers(-6, 6).filter(bool),
    st.integers(95, 105),
    st.sampled_from([0, 1]),
)
others = st.tuples(
    st.sampled_from(["cancel", "drop", "settle", "send", "crash"]), st.integers(0, 99)
)


@given(st.lists(st.one_of(placements, placements, others), max_size=40))
def test_load__after_any_sequence__goes_on_as_if_nothing_had_happened(
    tmp_path_factory, sequence
) -> None:
    path = tmp_path_factory.mktemp("store") / "orders.sqlite"
    store = Store(path, DOMAIN)
    matcher = revive(store)
    for nonce, (action, first, *rest) in enumerate(sequence):
        if action == "place":
            size, price, market = rest
            place(matcher, first, size, price, nonce=nonce, market=market)
        elif action == "crash":
            before = everything(matcher)
            store.close()
            store = Store(path, DOMAIN)
            matcher = revive(store)
            assert everything(matcher) == before
        elif action == "cancel":
            if resting := [e for e in matcher.orders.values() if e.state is State.OPEN]:
                matcher.cancel(resting[first % len(resting)].hash)
        elif action == "send":
            if batch := matcher.next_batch(3):
                matcher.mark_sent(batch, first, dict.fromkeys(matcher.orders, first))
        elif waiting := list(matcher.matches.values()):
            match = waiting[first % len(waiting)]
            if action == "settle":
                matcher.settle([match], "0x1")
            else:
                matcher.drop(match.taker if first % 2 else match.maker, "refused")
        store.flush()
    before = everything(matcher)
    store.close()
    assert everything(revive(Store(path, DOMAIN))) == before


def test_load__not_flushed__is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "o.sqlite", DOMAIN)
    matcher = revive(store)
    place(matcher, ALICE, 1, 100)
    store.flush()
    place(matcher, ALICE, 1, 100, nonce=1)
    assert [e.order.nonce for e in store.load().entries] == [0]


def test_find__closed_order__is_known_before_and_after_it_is_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "o.sqlite", DOMAIN)
    matcher = revive(store)
    entry = place(matcher, ALICE, 1, 100)
    matcher.cancel(entry.hash)
    for _ in range(2):
        found = matcher.find(entry.hash)
        assert found is not None
        assert (found.state, found.reason) == (State.CANCELLED, "on request")
        with pytest.raises(OrderRefused, match="is cancelled already"):
            place(matcher, ALICE, 1, 100)
        store.flush()
    assert store._unwritten == {}
    assert found.order == entry.order


def test_write__interrupted__writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "o.sqlite", DOMAIN)
    matcher = revive(store)
    place(matcher, ALICE, -1, 100)
    place(matcher, BOB, 1, 100)
    pending = store.take()
    bad = pending._replace(matches=[("not a number",) * 9])
    with pytest.raises(sqlite3.Error):
        store.write(bad)
    assert store.load().entries == []
    store.write(pending)
    assert len(store.load().matches) == 1


def test_write__settled_and_void_matches__stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    store = Store(path, DOMAIN)
    matcher = revive(store)
    place(matcher, ALICE, -2, 100)
    place(matcher, BOB, 1, 100)
    bad = place(matcher, CAROL, 1, 100)
    matcher.settle(matcher.next_batch(9), "0xfeed")
    matcher.drop(bad, "no margin")
    store.close()
    rows = sqlite3.connect(path).execute("SELECT size, state, reason FROM matches").fetchall()
    one = str(WAD)
    assert rows == [(one, "settled", "0xfeed"), (one, "void", "no margin")]


def test_store__second_matcher__is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "o.sqlite", DOMAIN)
    with pytest.raises(StoreError, match="in use by another matcher"):
        Store(tmp_path / "o.sqlite", DOMAIN)
    store.close()
    Store(tmp_path / "o.sqlite", DOMAIN).close()


@pytest.mark.parametrize("other", [Domain(1, DOMAIN.contract), Domain(31_337, ALICE.address)])
def test_store__of_another_contract__is_refused(tmp_path: Path, other: Domain) -> None:
    Store(tmp_path / "o.sqlite", DOMAIN).close()
    with pytest.raises(StoreError, match="is version 1 for contract"):
        Store(tmp_path / "o.sqlite", other)
    Store(tmp_path / "o.sqlite", DOMAIN).close()


def test_store__no_database__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    path.write_text("this is no database, as one can see, and never was one" * 20)
    with pytest.raises(StoreError, match="not a database"):
        Store(path, DOMAIN)


def test_load__amounts_that_do_not_add_up__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    store = Store(path, DOMAIN)
    place(revive(store), ALICE, -2, 100)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE orders SET remaining = '5'")
    connection.close()
    with pytest.raises(StoreError, match="5 open, 0 matched and 0 settled are not its size"):
        Store(path, DOMAIN).load()


def test_mark_sent__is_written_with_its_ticket(tmp_path: Path) -> None:
    store = Store(tmp_path / "o.sqlite", DOMAIN)
    matcher = revive(store)
    maker = place(matcher, ALICE, -2, 100)
    taker = place(matcher, BOB, 1, 100)
    matcher.mark_sent(matcher.next_batch(9), 41, {taker.hash: 5, maker.hash: 7})
    store.flush()
    (match,) = store.load().matches
    assert (match.state, match.ticket) == (MatchState.SENT, 41)
    assert (match.taker_before, match.maker_before) == (5, 7)
