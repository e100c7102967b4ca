"""The HTTP API: what it takes, what it says, and what it refuses without changing anything."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bulkhead.matcher.engine import Limits
from bulkhead.matcher.orders import CANCEL_TYPE, Domain, SignedOrder
from bulkhead.matcher.server import MAX_ORDERS, application
from bulkhead.matcher.service import Service
from bulkhead.matcher.settlement import SettlementUnavailable
from bulkhead.matcher.store import Store
from tests.unit.matcher.support import (
    ALICE,
    BOB,
    CAROL,
    DOMAIN,
    NOW,
    WAD,
    FakeChain,
    Trader,
    altered,
    signed,
)

Scene = Callable[["Desk"], Awaitable[None]]


class Wallets:
    """What the chain says of contracts and operators."""

    def __init__(self) -> None:
        self.signed: set[tuple[str, bytes]] = set()
        self.operators: set[tuple[int, str]] = set()
        self.is_away = False
        self.asked = 0

    def _ask(self) -> None:
        self.asked += 1
        if self.is_away:
            raise SettlementUnavailable("nobody answers")

    def is_valid(self, signer: str, digest: bytes, signature: bytes) -> bool:
        self._ask()
        return (signer, digest) in self.signed and signature == b"yes"

    def may_trade(self, account: int, signer: str) -> bool:
        self._ask()
        return (account, signer) in self.operators


class Desk:
    """A served matcher, and a client of it."""

    def __init__(self, service: Service, client: TestClient, wallets: Wallets) -> None:
        self.service = service
        self.client = client
        self.wallets = wallets
        self.now = NOW

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.client.request(method, path, json=body) as answer:
            return answer.status, await answer.json()

    async def post(self, order: SignedOrder, signature: bytes) -> tuple[int, Any]:
        body = {"order": order.as_json(), "signature": "0x" + signature.hex()}
        return await self.ask("POST", "/orders", body)

    async def place(self, who: Trader, *args, **fields) -> dict[str, Any]:
        order, _, signature = signed(who, who.order(*args, **fields))
        status, told = await self.post(order, signature)
        assert status == 201, told
        return told

    async def cancel(self, told: dict[str, Any], signature: bytes) -> tuple[int, Any]:
        body = {"signature": "0x" + signature.hex()}
        return await self.ask("DELETE", f"/orders/{told['hash']}", body)


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Play a scene on a fresh matcher."""

    def run(scene: Scene, **options: Any) -> None:
        async def whole() -> None:
            wallets = Wallets()
            store = Store(tmp_path / "o.sqlite", DOMAIN)
            service = Service(
                DOMAIN, store, authority=wallets, clock=lambda: desk.now if desk else NOW, **options
            )
            client = TestClient(TestServer(application(service)))
            desk: Desk | None = None
            async with client:
                desk = Desk(service, client, wallets)
                try:
                    await scene(desk)
                finally:
                    await service.stop()

        asyncio.run(whole())

    return run


def test_post__good_order__rests_and_is_shown(play) -> None:
    async def scene(desk: Desk) -> None:
        told = await desk.place(ALICE, -3, 100, nonce=2**200)
        assert told["hash"] == "0x" + DOMAIN.order_hash(ALICE.order(-3, 100, 2**200)).hex()
        assert (told["state"], told["remaining"], told["sequence"]) == ("open", str(3 * WAD), 1)
        assert await desk.ask("GET", f"/orders/{told['hash']}") == (200, told)
        assert told["order"] == ALICE.order(-3, 100, 2**200).as_json()
        assert desk.wallets.asked == 0

    play(scene)


def test_post__crossing_order__is_matched_in_the_answer(play) -> None:
    async def scene(desk: Desk) -> None:
        maker = await desk.place(ALICE, -3, 100)
        taker = await desk.place(BOB, 5, 101)
        assert (taker["matched"], taker["remaining"]) == (str(3 * WAD), str(2 * WAD))
        _, maker = await desk.ask("GET", f"/orders/{maker['hash']}")
        assert (maker["matched"], maker["remaining"]) == (str(3 * WAD), "0")
        assert await desk.ask("GET", "/book/0") == (
            200,
            {"market": 0, "bids": [[str(101 * WAD), str(2 * WAD)]], "asks": []},
        )

    play(scene)


@pytest.mark.parametrize("name", [f.name for f in fields(SignedOrder)])
def test_post__any_field_altered_after_signing__is_refused(play, name) -> None:
    async def scene(desk: Desk) -> None:
        order, _, signature = signed(ALICE, ALICE.order(-3, 100))
        status, told = await desk.post(altered(order, name), signature)
        assert (status, told["error"]) == (401, "bad_signature")
        assert desk.service.matcher.orders == {}

    play(scene)


@pytest.mark.parametrize("domain", [Domain(1, DOMAIN.contract), Domain(31_337, BOB.address)])
def test_post__signed_for_another_chain_or_contract__is_refused(play, domain) -> None:
    async def scene(desk: Desk) -> None:
        order = ALICE.order(-3, 100)
        status, told = await desk.post(order, ALICE.sign(domain.order_hash(order)))
        assert (status, told["error"]) == (401, "bad_signature")

    play(scene)


def test_post__replayed__is_refused_also_when_it_is_closed(play) -> None:
    async def scene(desk: Desk) -> None:
        order, digest, signature = signed(ALICE, ALICE.order(-3, 100))
        status, told = await desk.post(order, signature)
        assert status == 201
        for _ in range(2):
            status, again = await desk.post(order, signature)
            assert (status, again["error"]) == (409, "known")
            await desk.cancel(told, ALICE.sign(DOMAIN.cancel_hash(digest)))

    play(scene)


def test_post__expired__is_refused_and_what_expires_leaves_the_book(play) -> None:
    async def scene(desk: Desk) -> None:
        order, _, signature = signed(ALICE, ALICE.order(-3, 100, expires_at=NOW))
        status, told = await desk.post(order, signature)
        assert (status, told["error"]) == (400, "expired")
        told = await desk.place(ALICE, -3, 100, expires_at=NOW + 5)
        desk.now += 5
        assert (await desk.ask("GET", "/book/0"))[1]["asks"] == []
        assert (await desk.ask("GET", f"/orders/{told['hash']}"))[1]["state"] == "expired"

    play(scene)


def test_post__operator__needs_the_permission_to_trade(play) -> None:
    async def scene(desk: Desk) -> None:
        order = ALICE.order(-3, 100)
        order = SignedOrder(order.account, BOB.address, *order.as_tuple()[2:])
        _, digest, signature = signed(BOB, order)
        status, told = await desk.post(order, signature)
        assert (status, told["error"]) == (403, "not_authorized")
        desk.wallets.operators.add((order.account, BOB.address))
        status, told = await desk.post(order, signature)
        assert status == 201
        assert (await desk.cancel(told, ALICE.sign(DOMAIN.cancel_hash(digest))))[0] == 200

    play(scene)


def test_post__wallet_with_code__is_asked(play) -> None:
    async def scene(desk: Desk) -> None:
        order = ALICE.order(-3, 100)
        assert (await desk.post(order, b"yes"))[0] == 401
        desk.wallets.signed.add((ALICE.address, DOMAIN.order_hash(order)))
        assert (await desk.post(order, b"no"))[0] == 401
        assert (await desk.post(order, b"yes"))[0] == 201

    play(scene)


def test_post__chain_is_away__refuses_only_what_needs_it(play) -> None:
    async def scene(desk: Desk) -> None:
        desk.wallets.is_away = True
        status, told = await desk.post(ALICE.order(-3, 100), b"yes")
        assert (status, told["error"]) == (503, "chain_unavailable")
        await desk.place(ALICE, -3, 100)

    play(scene)


def test_post__many__are_judged_one_by_one(play) -> None:
    async def scene(desk: Desk) -> None:
        bodies: list[Any] = []
        for nonce in range(3):
            order, _, signature = signed(ALICE, ALICE.order(-1, 100, nonce))
            bodies.append({"order": order.as_json(), "signature": "0x" + signature.hex()})
        bodies[1] = {"order": 7, "signature": "0x"}
        status, told = await desk.ask("POST", "/orders", {"orders": bodies})
        assert status == 200
        assert [r["status"] for r in told["results"]] == [201, 400, 201]
        assert told["results"][1]["error"] == "malformed"
        assert (await desk.ask("GET", "/book/0"))[1]["asks"] == [[str(100 * WAD), str(2 * WAD)]]

    play(scene)


def test_post__more_than_a_signers_limit__is_told(play) -> None:
    async def scene(desk: Desk) -> None:
        await desk.place(ALICE, 1, 100)
        order, _, signature = signed(ALICE, ALICE.order(1, 100, nonce=1))
        status, told = await desk.post(order, signature)
        assert (status, told["error"]) == (429, "too_many_orders")
        await desk.place(BOB, 1, 100)

    play(scene, limits=Limits(open_per_signer=1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 50_000,
        b"{}",
        b'{"order": {}}',
        b'{"order": {}, "signature": "0x", "more": 1}',
        b'{"orders": []}',
        b'{"orders": {}}',
        b'{"orders": [1], "more": 1}',
        b'{"order": {}, "signature": 5}',
        b'{"orders": [' + b"1," * MAX_ORDERS + b"1]}",
        b'{"order": {"size": ' + b"1" * 5_000 + b'}, "signature": "0x"}',
    ],
)
def test_post__malformed__is_400(play, body) -> None:
    async def scene(desk: Desk) -> None:
        async with desk.client.post("/orders", data=body) as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "malformed")

    play(scene)


def test_post__too_large__is_413(play) -> None:
    async def scene(desk: Desk) -> None:
        async with desk.client.post("/orders", data=b" " * 300_000) as answer:
            assert answer.status == 413
            assert (await answer.json())["error"] == "request_entity_too_large"

    play(scene)


def test_delete__by_signer__takes_it_out(play) -> None:
    async def scene(desk: Desk) -> None:
        told = await desk.place(ALICE, -3, 100)
        digest = DOMAIN.order_hash(ALICE.order(-3, 100))
        signature = ALICE.sign(DOMAIN.cancel_hash(digest))
        status, gone = await desk.cancel(told, signature)
        assert (status, gone["state"], gone["reason"]) == (200, "cancelled", "on request")
        status, again = await desk.cancel(told, signature)
        assert (status, again["error"]) == (409, "not_open")

    play(scene)


def test_delete__by_a_stranger_or_for_another_order__is_refused(play) -> None:
    async def scene(desk: Desk) -> None:
        first = await desk.place(ALICE, -3, 100)
        digest = DOMAIN.order_hash(ALICE.order(-3, 100))
        other = DOMAIN.order_hash(ALICE.order(-3, 100, nonce=1))
        for signature in (
            BOB.sign(DOMAIN.cancel_hash(digest)),
            ALICE.sign(DOMAIN.cancel_hash(other)),
            ALICE.sign(digest),
            b"",
        ):
            status, told = await desk.cancel(first, signature)
            assert (status, told["error"]) == (401, "bad_signature")
        assert (await desk.ask("GET", f"/orders/{first['hash']}"))[1]["state"] == "open"
        assert CANCEL_TYPE == "CancelOrder(bytes32 orderHash)"

    play(scene)


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/orders/0x" + "00" * 32, 404, "unknown"),
        ("GET", "/orders/0x00", 400, "malformed"),
        ("DELETE", "/orders/0x" + "00" * 32, 404, "unknown"),
        ("GET", "/book/256", 400, "malformed"),
        ("GET", "/book/x", 400, "malformed"),
        ("GET", "/book/0?depth=201", 400, "malformed"),
        ("GET", "/book/0?depth=-1", 400, "malformed"),
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/orders", 405, "method_not_allowed"),
    ],
)
def test_ask__wrong_place__is_told_precisely(play, method, path, status, error) -> None:
    async def scene(desk: Desk) -> None:
        found, told = await desk.ask(method, path, {"signature": "0x"})
        assert (found, told["error"]) == (status, error)

    play(scene)


def test_book__depth__is_the_best_of_each_side(play) -> None:
    async def scene(desk: Desk) -> None:
        for n, price in enumerate((100, 102, 101)):
            await desk.place(ALICE, -1, price, nonce=n)
            await desk.place(BOB, 1, price - 10, nonce=n)
        _, book = await desk.ask("GET", "/book/0?depth=2")
        assert [int(p) // WAD for p, _ in book["asks"]] == [100, 101]
        assert [int(p) // WAD for p, _ in book["bids"]] == [92, 91]
        assert (await desk.ask("GET", "/book/9"))[1] == {"market": 9, "bids": [], "asks": []}

    play(scene)


def test_settlement__in_the_background__fills_and_is_told(play) -> None:
    chain = FakeChain()

    async def scene(desk: Desk) -> None:
        maker = await desk.place(ALICE, -3, 100)
        taker = await desk.place(BOB, 3, 100)
        while (await desk.ask("GET", "/health"))[1]["unsettledMatches"]:
            continue
        for told in (maker, taker):
            _, now = await desk.ask("GET", f"/orders/{told['hash']}")
            assert (now["state"], now["settled"]) == ("filled", str(3 * WAD))
        assert len(chain.calls) == 1
        assert (await desk.ask("GET", "/health"))[1]["status"] == "ok"

    play(scene, settlement=chain, batch_interval_seconds=0.001)


def test_health__chain_is_away__is_degraded_and_takes_orders(play) -> None:
    chain = FakeChain(lose_before=10**9)

    async def scene(desk: Desk) -> None:
        await desk.place(ALICE, -3, 100)
        await desk.place(BOB, 3, 100)
        while (await desk.ask("GET", "/health"))[1]["status"] == "ok":
            continue
        status, told = await desk.ask("GET", "/health")
        assert (status, told["status"], told["problem"]) == (200, "degraded", "nobody answers")
        assert told["unsettledMatches"] == 1
        await desk.place(CAROL, -3, 100)

    play(scene, settlement=chain, batch_interval_seconds=0.001)


def test_store__fails__nothing_is_promised_any_more(play, monkeypatch) -> None:
    async def scene(desk: Desk) -> None:
        def fail(*_: Any) -> None:
            raise sqlite3.OperationalError("disk is full")

        monkeypatch.setattr(desk.service._store, "write", fail)
        for nonce in range(2):
            order, _, signature = signed(ALICE, ALICE.order(-1, 100, nonce))
            status, told = await desk.post(order, signature)
            assert (status, told["error"]) == (500, "store_failed")
        assert isinstance(desk.service.failed.exception(), sqlite3.OperationalError)
        status, told = await desk.ask("GET", "/health")
        assert (status, told["status"]) == (503, "failed")

    play(scene)


def test_answers__are_only_given_when_it_is_on_disk(play, tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        reader = sqlite3.connect(tmp_path / "o.sqlite")

        async def one(nonce: int) -> None:
            told = await desk.place(ALICE, 1, 100, nonce=nonce)
            found = reader.execute(
                "SELECT sequence FROM orders WHERE hash = ?", (bytes.fromhex(told["hash"][2:]),)
            ).fetchone()
            assert found == (told["sequence"],)

        await asyncio.gather(*(one(n) for n in range(60)))

    play(scene)
