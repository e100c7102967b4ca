"""A matcher that is killed under load has every order that it accepted when it is back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from typing import Any

import aiohttp
import pytest

from bulkhead.matcher.alone import matcher_process
from bulkhead.matcher.book import State
from bulkhead.matcher.store import Store
from tests.unit.matcher.support import DOMAIN, Trader, is_conserved, signed, trader

TRADERS = [trader(100 + n) for n in range(8)]
CLIENTS = 8
ENOUGH = 150
"""Accepted orders before the kill."""


def request(who: Trader, nonce: int) -> tuple[bytes, dict[str, Any]]:
    """An order that crosses others now and then, its hash and the body that places it."""
    size = (1 + nonce % 5) * (1 if nonce % 2 else -1)
    order = who.order(size, 100 + nonce * 7 % 11 - 5, nonce, expires_at=int(time.time()) + 10_000)
    _, digest, signature = signed(who, order)
    return digest, {"order": order.as_json(), "signature": "0x" + signature.hex()}


async def load(
    url: str, process: subprocess.Popen[str]
) -> tuple[dict[bytes, Any], set[bytes], list[dict[str, Any]]]:
    """Place and cancel until the matcher is killed; return what it accepted and cancelled, and with
    which bodies it was asked to accept."""
    accepted: dict[bytes, Any] = {}
    bodies: list[dict[str, Any]] = []
    cancelled: set[bytes] = set()

    async def client(number: int) -> None:
        who = TRADERS[number]
        async with aiohttp.ClientSession() as session:
            for nonce in range(number, 100 * ENOUGH, CLIENTS):
                digest, body = request(who, nonce)
                async with session.post(f"{url}/orders", json=body) as answer:
                    if answer.status == 201:
                        accepted[digest] = await answer.json()
                        bodies.append(body)
                if nonce % 3 == 0 and digest in accepted:
                    signature = who.sign(DOMAIN.cancel_hash(digest))
                    body = {"signature": "0x" + signature.hex()}
                    path = f"{url}/orders/0x{digest.hex()}"
                    async with session.delete(path, json=body) as answer:
                        if answer.status == 200:
                            cancelled.add(digest)
                if len(accepted) >= ENOUGH and process.poll() is None:
                    process.send_signal(signal.SIGKILL)

    await asyncio.gather(*(client(n) for n in range(CLIENTS)), return_exceptions=True)
    return accepted, cancelled, bodies


async def states(url: str, hashes: list[bytes]) -> dict[bytes, Any]:
    """What the matcher says of orders; None where it knows none."""
    found = {}
    async with aiohttp.ClientSession() as session:
        for order_hash in hashes:
            async with session.get(f"{url}/orders/0x{order_hash.hex()}") as answer:
                found[order_hash] = await answer.json() if answer.status == 200 else None
    return found


async def replay(url: str, bodies: list[dict[str, Any]]) -> set[str]:
    """Place orders again; return the errors."""
    errors = set()
    async with aiohttp.ClientSession() as session:
        for body in bodies:
            async with session.post(f"{url}/orders", json=body) as answer:
                errors.add((await answer.json())["error"])
    return errors


@pytest.mark.parametrize("_round", range(2))
def test_matcher__killed_under_load__has_every_order_that_it_accepted(tmp_path, _round) -> None:
    database = tmp_path / "orders.sqlite"
    with matcher_process(database, DOMAIN) as (process, url):
        accepted, cancelled, _ = asyncio.run(load(url, process))
        assert process.wait() == -signal.SIGKILL
    assert len(accepted) >= ENOUGH
    assert cancelled

    with matcher_process(database, DOMAIN) as (process, url):
        found = asyncio.run(states(url, list(accepted)))
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    for order_hash, told in accepted.items():
        now = found[order_hash]
        assert now is not None
        assert (now["order"], now["sequence"]) == (told["order"], told["sequence"])
        if order_hash in cancelled:
            assert now["state"] == "cancelled"
        # Matched is matched: nothing that was told comes back into the book by itself.
        assert int(now["matched"]) >= int(told["matched"])
    assert len({now["sequence"] for now in found.values()}) == len(accepted)

    store = Store(database, DOMAIN)
    kept = store.load()
    assert all(map(is_conserved, kept.entries))
    sequences = [e.sequence for e in kept.entries]
    assert len(set(sequences)) == len(sequences)
    still = {e.hash for e in kept.entries if e.state is State.OPEN}
    assert {h for h, now in found.items() if now["state"] == "open"} <= still
    store.close()


def test_matcher__after_a_kill__refuses_what_it_has_and_keeps_priorities(tmp_path) -> None:
    database = tmp_path / "orders.sqlite"
    with matcher_process(database, DOMAIN) as (process, url):
        _, _, sent = asyncio.run(load(url, process))
    store = Store(database, DOMAIN)
    before = {e.sequence: e.remaining for e in store.load().entries if e.is_resting}
    bids = [e for e in store.load().entries if e.is_resting and e.order.is_buy]
    best = min(bids, key=lambda e: (-e.order.limit_price, e.sequence))
    store.close()
    with matcher_process(database, DOMAIN) as (process, url):
        assert asyncio.run(replay(url, sent[:20])) == {"known"}
        # The smallest sale at any price meets the bid that was the first before the kill.
        seller = trader(999)
        order = seller.order(-1, 1, expires_at=int(time.time()) + 10_000)
        signature = signed(seller, order)[2]
        body = {"order": order.as_json(), "signature": "0x" + signature.hex()}

        async def sell() -> Any:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{url}/orders", json=body) as answer,
            ):
                return await answer.json()

        assert asyncio.run(sell())["matched"] == str(order.quantity)
        found = asyncio.run(states(url, [best.hash]))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    told = found[best.hash]
    assert int(told["remaining"]) == before[best.sequence] - order.quantity
