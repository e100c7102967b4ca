"""Orders and matches in SQLite, so that a killed matcher goes on where it was.

Changes are collected in memory and written by ``flush`` in one transaction, synchronised to the
disk before it returns: many clients share one wait for the disk. What a transaction contains is
whole operations, so the file never shows half of one.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from bulkhead.matcher.book import Entry, State
from bulkhead.matcher.engine import Match, MatchState
from bulkhead.matcher.orders import Domain, SignedOrder

VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS domain (version INTEGER, chain_id INTEGER, contract TEXT);
CREATE TABLE IF NOT EXISTS orders (
    sequence INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    account BLOB NOT NULL,
    signer TEXT NOT NULL,
    market INTEGER NOT NULL,
    size TEXT NOT NULL,
    limit_price TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    nonce BLOB NOT NULL,
    flags INTEGER NOT NULL,
    signature BLOB NOT NULL,
    remaining TEXT NOT NULL,
    settled TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS open_orders ON orders (sequence) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS matches (
    id INTEGER PRIMARY KEY,
    taker INTEGER NOT NULL REFERENCES orders (sequence),
    maker INTEGER NOT NULL REFERENCES orders (sequence),
    size TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    ticket INTEGER,
    taker_before TEXT NOT NULL,
    maker_before TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS unsettled ON matches (id) WHERE state IN ('pending', 'sent');
"""
_SAVE_ORDER = """
INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sequence) DO UPDATE SET
    remaining = excluded.remaining, settled = excluded.settled,
    state = excluded.state, reason = excluded.reason
"""
_SAVE_MATCH = """
INSERT INTO matches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, ticket = excluded.ticket,
    taker_before = excluded.taker_before, maker_before = excluded.maker_before
"""
_OPEN_MATCHES = "state IN ('pending', 'sent')"


class StoreError(Exception):
    """The file is in use, of another contract, or not what was written; the message says which."""


class Kept(NamedTuple):
    """What a store knows after a restart.

    Attributes:
        entries: open orders, and those of the matches.
        matches: neither settled nor void.
        last_sequence: the highest number of an order.
        last_match: the highest number of a match.
    """

    entries: list[Entry]
    matches: list[Match]
    last_sequence: int
    last_match: int


class Pending(NamedTuple):
    """Rows that are to be written in one transaction."""

    orders: list[tuple[Any, ...]]
    matches: list[tuple[Any, ...]]


class Store:
    """One matcher's file. A journal for ``Matcher``.

    ``take`` belongs to the thread of the matcher; ``write`` may run in another one meanwhile.

    Args:
        path: the database; made if it is not there.
        domain: whose orders these are.

    Raises:
        StoreError: another process has it, or it is of another contract or version.
    """

    def __init__(self, path: Path, domain: Domain) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = path.with_name(path.name + ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise StoreError(f"{path} is in use by another matcher") from None
        self._orders: dict[int, Entry] = {}
        self._matches: dict[int, Match] = {}
        self._unwritten: dict[bytes, Entry] = {}
        try:
            self._writer = _connect(path)
            self._reader = _connect(path)
            self._claim(path, domain)
        except sqlite3.Error as error:
            self._lock.close()
            raise StoreError(f"{path}: {error}") from error
        except StoreError:
            self._lock.close()
            raise

    def _claim(self, path: Path, domain: Domain) -> None:
        """Make the tables, or check whose they are."""
        self._writer.executescript(_SCHEMA)
        mine = (VERSION, domain.chain_id, domain.contract)
        found = self._writer.execute("SELECT * FROM domain").fetchone()
        if found is None:
            self._writer.execute("INSERT INTO domain VALUES (?, ?, ?)", mine)
        elif found != mine:
            raise StoreError(
                f"{path} is version {found[0]} for contract {found[2]} on chain {found[1]}, "
                f"not {VERSION}, {mine[2]}, {mine[1]}"
            )

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self.flush()
        self._writer.close()
        self._reader.close()
        self._lock.close()

    # ------------------------------------------------------------------ the matcher's journal

    def save_order(self, entry: Entry) -> None:
        """Note an order; see ``Journal``."""
        self._orders[entry.sequence] = entry
        self._unwritten[entry.hash] = entry

    def save_match(self, match: Match) -> None:
        """Note a match; see ``Journal``."""
        self._matches[match.id] = match

    def find(self, order_hash: bytes) -> Entry | None:
        """Return an order that was ever saved, written yet or not."""
        entry = self._unwritten.get(order_hash)
        if entry is not None:
            return entry
        row = self._reader.execute("SELECT * FROM orders WHERE hash = ?", (order_hash,)).fetchone()
        return None if row is None else _entry(row)

    # ------------------------------------------------------------------ writing

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to write."""
        return bool(self._orders or self._matches)

    def take(self) -> Pending:
        """Return all changes since the last time, for ``write``."""
        pending = Pending(
            [_order_row(e) for e in self._orders.values()],
            [_match_row(m) for m in self._matches.values()],
        )
        self._orders.clear()
        self._matches.clear()
        return pending

    def write(self, pending: Pending) -> None:
        """Write changes durably, all or nothing.

        Raises:
            sqlite3.Error: they are not written; what is in memory is ahead of the disk, so stop.
        """
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            self._writer.executemany(_SAVE_ORDER, pending.orders)
            self._writer.executemany(_SAVE_MATCH, pending.matches)
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")

    def written(self, pending: Pending) -> None:
        """Forget what is found on disk from now on."""
        for row in pending.orders:
            if row[0] not in self._orders:
                self._unwritten.pop(row[1], None)

    def flush(self) -> None:
        """Write everything, in this thread."""
        if self.is_dirty:
            pending = self.take()
            self.write(pending)
            self.written(pending)

    # ------------------------------------------------------------------ reading

    def load(self) -> Kept:
        """Return what to go on with.

        Raises:
            StoreError: amounts of an order and its matches do not add up.
        """
        read = self._reader.execute
        rows = read(
            "SELECT * FROM orders WHERE state = 'open' OR sequence IN "
            f"(SELECT taker FROM matches WHERE {_OPEN_MATCHES} "
            f"UNION SELECT maker FROM matches WHERE {_OPEN_MATCHES})"
        )
        entries = {row[0]: _entry(row) for row in rows}
        matches = []
        for row in read(f"SELECT * FROM matches WHERE {_OPEN_MATCHES} ORDER BY id"):
            match = _match(row, entries)
            for entry in (match.taker, match.maker):
                entry.in_flight += match.size
            matches.append(match)
        _check_sums(entries.values())
        last_sequence = read("SELECT coalesce(max(sequence), 0) FROM orders").fetchone()[0]
        last_match = read("SELECT coalesce(max(id), 0) FROM matches").fetchone()[0]
        return Kept(list(entries.values()), matches, last_sequence, last_match)


def _check_sums(entries: Iterable[Entry]) -> None:
    for entry in entries:
        total = entry.remaining + entry.in_flight + entry.settled
        if total != entry.order.quantity:
            raise StoreError(
                f"order {entry.sequence}: {entry.remaining} open, {entry.in_flight} matched and "
                f"{entry.settled} settled are not its size {entry.order.quantity}"
            )


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are begun by hand; calls come from one thread at a time.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _order_row(entry: Entry) -> tuple[Any, ...]:
    order = entry.order
    return (
        entry.sequence,
        entry.hash,
        order.account.to_bytes(32, "big"),
        order.signer,
        order.market,
        str(order.size),
        str(order.limit_price),
        order.expires_at,
        order.nonce.to_bytes(32, "big"),
        order.flags,
        entry.signature,
        str(entry.remaining),
        str(entry.settled),
        entry.state.value,
        entry.reason,
    )


def _entry(row: tuple[Any, ...]) -> Entry:
    order = SignedOrder(
        int.from_bytes(row[2], "big"),
        row[3],
        row[4],
        int(row[5]),
        int(row[6]),
        row[7],
        int.from_bytes(row[8], "big"),
        row[9],
    )
    return Entry(
        sequence=row[0],
        hash=row[1],
        order=order,
        signature=row[10],
        remaining=int(row[11]),
        settled=int(row[12]),
        state=State(row[13]),
        reason=row[14],
    )


def _match_row(match: Match) -> tuple[Any, ...]:
    return (
        match.id,
        match.taker.sequence,
        match.maker.sequence,
        str(match.size),
        match.state.value,
        match.reason,
        match.ticket,
        str(match.taker_before),
        str(match.maker_before),
    )


def _match(row: tuple[Any, ...], entries: dict[int, Entry]) -> Match:
    return Match(
        id=row[0],
        taker=entries[row[1]],
        maker=entries[row[2]],
        size=int(row[3]),
        state=MatchState(row[4]),
        reason=row[5],
        ticket=row[6],
        taker_before=int(row[7]),
        maker_before=int(row[8]),
    )
