"""How many order operations per second the matcher takes on one core.

An operation is an order that is placed, which half of the time matches others at once, or one that
is cancelled; three of ten are. It counts when it is durable: synchronised to the disk.

Two figures: ``book_and_store`` is matching and writing alone, in groups that share a wait for the
disk; ``http`` is a matcher process on a core of its own, asked by signed requests from another one,
so it contains HTTP, JSON, hashing and recovering signatures. ``http_many`` is the same with many
orders in a request, and without cancelling, which goes one by one.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import aiohttp
from rich import box
from rich.console import Console
from rich.table import Table

from bulkhead.bench.neighbours import Neighbours
from bulkhead.bench.workload import MeasurementError
from bulkhead.matcher.alone import matcher_process
from bulkhead.matcher.book import Entry, State
from bulkhead.matcher.engine import Limits, Matcher
from bulkhead.matcher.orders import Domain, SignedOrder, address_of, sign
from bulkhead.matcher.store import Store

AIM_PER_SECOND = 2_000
GROUP = 64
"""Operations that share a wait for the disk; in HTTP as many clients wait at a time."""
MANY = 50
"""Orders of one request in ``http_many``."""
_SEED = 1
_WAD = 10**18
_TRADERS = 50
_DOMAIN = Domain(31_337, "0x" + "5a" * 20)
_CANCELLED = 0.3
_RESTING = 2_000
"""Orders that are cancelled at random are among so many of the last."""
_FOREVER = (1 << 40) - 1
_PER_SECOND = 3_000
"""Requests that are prepared for each second of measuring."""

FIGURES = {
    "book_and_store": "book and store",
    "http": "signed, over HTTP, one by one",
    "http_many": f"signed, over HTTP, {MANY} orders in a request",
}
"""How people call them."""
_WIDE = 130

Progress = Callable[[str], None]


class Request(NamedTuple):
    """A request made ready: its method, path and body."""

    method: str
    path: str
    body: dict[str, Any]


class Trader(NamedTuple):
    """A key and its account."""

    key: bytes
    address: str


def print_matcher(result: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what ``measure`` returned, as a table in Markdown."""
    out = console or Console(width=_WIDE)
    table = Table(title="the matcher", title_justify="left", box=box.MARKDOWN)
    table.add_column("durable operations")
    for name in ("per second", "per processor second", "aim", "cores used by others"):
        table.add_column(name, justify="right")
    for key, words in FIGURES.items():
        details = result["details"][key]
        per_core, others = details["per_processor_second"], details["cores_used_by_others"]
        table.add_row(
            words,
            f"{result[key]:,.0f}",
            "–" if per_core is None else f"{per_core:,.0f}",
            f"{AIM_PER_SECOND:,}",
            "–" if others is None else f"{others:.1f}",
        )
    out.print(table)


def measure(seconds: float, progress: Progress | None = None) -> dict[str, Any]:
    """Measure all figures, each for about so many seconds.

    Args:
        seconds: how long each.
        progress: is told what is measured next.

    Returns:
        operations per second by figure; ``details`` has, by the same keys, how they came about:
        ``per_processor_second`` counts only the time that the matcher's process used, so other
        programs change it little, and it knows no waits.

    Raises:
        MeasurementError: an operation was refused that should not be.
    """
    result: dict[str, Any] = {"details": {}}
    figures = {"book_and_store": _book_and_store, "http": _http, "http_many": _http_many}
    with tempfile.TemporaryDirectory(prefix="matcher-") as folder:
        for name, figure in figures.items():
            if progress is not None:
                progress(f"matcher: {FIGURES[name]}")
            neighbours = Neighbours()
            details = figure(seconds, Path(folder) / f"{name}.sqlite")
            others = neighbours.cores()
            operations, used = details["operations"], details["processor_seconds"]
            result[name] = round(operations / details["seconds"], 1)
            result["details"][name] = {
                **details,
                "seconds": round(details["seconds"], 2),
                "processor_seconds": round(used, 2),
                "per_processor_second": round(operations / used, 1) if used else None,
                "cores_used_by_others": None if others is None else round(others, 2),
            }
    return result


# ---------------------------------------------------------------------- without HTTP


def _book_and_store(seconds: float, database: Path) -> dict[str, Any]:
    random = Random(_SEED)
    store = Store(database, _DOMAIN)
    matcher = Matcher(store, Limits(open_per_signer=1 << 30, open_orders=1 << 30))
    traders = _traders()
    last: list[Entry] = []
    operations = matched = cancelled = 0
    spent = used = 0.0
    while spent < seconds:
        orders = [_order(random, traders, operations + i) for i in range(GROUP)]
        hashed = [(order, _DOMAIN.order_hash(order), bytes(65)) for order, _ in orders]
        started, busy = time.perf_counter(), time.process_time()
        for order, order_hash, signature in hashed:
            gone = _any_open(random, last) if random.random() < _CANCELLED else None
            if gone is not None:
                matcher.cancel(gone.hash)
                cancelled += 1
            else:
                last.append(matcher.place(order, order_hash, signature, 0))
            operations += 1
        store.flush()
        # The chain takes them; the next group's transaction says so.
        while batch := matcher.next_batch(GROUP):
            matched += len(batch)
            matcher.settle(batch, "0x")
        spent += time.perf_counter() - started
        used += time.process_time() - busy
        del last[:-_RESTING]
    store.close()
    return {
        "operations": operations,
        "matches": matched,
        "cancelled": cancelled,
        "seconds": spent,
        "processor_seconds": used,
    }


def _any_open(random: Random, last: list[Entry]) -> Entry | None:
    """Return one of the last orders that is open, and forget those that are met and are not."""
    while last:
        entry = last.pop(random.randrange(len(last)))
        if entry.state is State.OPEN:
            return entry
    return None


# ---------------------------------------------------------------------- through HTTP


def _http(seconds: float, database: Path) -> dict[str, Any]:
    random = Random(_SEED)
    traders = _traders()
    requests: list[Request] = []
    placed: list[tuple[Trader, bytes]] = []
    for n in range(int(seconds * _PER_SECOND)):
        if len(placed) > GROUP and random.random() < _CANCELLED:
            # Not one of the very last, whose placing may still be under way.
            trader, order_hash = placed.pop(random.randrange(max(1, len(placed) - GROUP)))
            signature = sign(trader.key, _DOMAIN.cancel_hash(order_hash))
            path = f"/orders/0x{order_hash.hex()}"
            requests.append(Request("DELETE", path, {"signature": "0x" + signature.hex()}))
            continue
        order, trader = _order(random, traders, n)
        placed.append((trader, _DOMAIN.order_hash(order)))
        del placed[:-_RESTING]
        requests.append(Request("POST", "/orders", _body(order, trader)))
    return _play(requests, database, len(requests))


def _http_many(seconds: float, database: Path) -> dict[str, Any]:
    random = Random(_SEED)
    traders = _traders()
    requests = []
    for n in range(int(seconds * _PER_SECOND) // MANY):
        orders = [_order(random, traders, n * MANY + i) for i in range(MANY)]
        bodies = [_body(order, trader) for order, trader in orders]
        requests.append(Request("POST", "/orders", {"orders": bodies}))
    return _play(requests, database, len(requests) * MANY)


def _play(requests: list[Request], database: Path, operations: int) -> dict[str, Any]:
    with matcher_process(database, _DOMAIN) as (process, url), _apart_from(process.pid):
        before = _processor_seconds(process.pid)
        spent, too_late = asyncio.run(_ask_all(url, requests))
        used = _processor_seconds(process.pid) - before
    return {
        "operations": operations,
        "cancelled_too_late": too_late,
        "seconds": spent,
        "processor_seconds": used,
    }


async def _ask_all(url: str, requests: list[Request]) -> tuple[float, int]:
    """Make all requests, some at a time; return how long it took and how many came too late."""
    rest = iter(requests)
    too_late = 0

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal too_late
        for request in rest:
            async with session.request(
                request.method, url + request.path, json=request.body
            ) as answer:
                told = await answer.json()
            many = [r["status"] for r in told["results"]] if "results" in told else []
            if answer.status == 409 and told["error"] == "not_open":
                too_late += 1
            elif answer.status not in (200, 201) or set(many) - {201}:
                raise MeasurementError(f"{request.method} {request.path}: {told}")

    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(GROUP)))
        return time.perf_counter() - started, too_late


@contextmanager
def _apart_from(pid: int) -> Iterator[None]:
    """Give a process a core to itself, and this one the others, where the system lets us."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    mine = os.sched_getaffinity(0)
    if len(mine) < 2:
        yield
        return
    core = max(mine)
    os.sched_setaffinity(pid, {core})
    os.sched_setaffinity(0, mine - {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process; 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---------------------------------------------------------------------- the workload


def _traders() -> list[Trader]:
    keys = [n.to_bytes(32, "big") for n in range(1, _TRADERS + 1)]
    return [Trader(key, address_of(key)) for key in keys]


def _order(random: Random, traders: list[Trader], nonce: int) -> tuple[SignedOrder, Trader]:
    """Return an order around a price of 2,000; about half of them cross."""
    trader = traders[random.randrange(len(traders))]
    sign_of = 1 if random.random() < 0.5 else -1
    price = 2_000_00 + sign_of * random.randint(-60, 60)
    order = SignedOrder(
        account=int(trader.address, 16) << 96,
        signer=trader.address,
        market=0,
        size=sign_of * random.randint(1, 500) * _WAD // 100,
        limit_price=price * _WAD // 100,
        expires_at=_FOREVER,
        nonce=nonce,
        flags=0,
    )
    return order, trader


def _body(order: SignedOrder, trader: Trader) -> dict[str, Any]:
    signature = sign(trader.key, _DOMAIN.order_hash(order))
    return {"order": order.as_json(), "signature": "0x" + signature.hex()}
