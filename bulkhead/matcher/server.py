"""The matcher's HTTP API, in JSON. Every refusal is ``{"error": code, "message": words}``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bulkhead.matcher.book import Entry
from bulkhead.matcher.orders import OrderRefused, parse_hex
from bulkhead.matcher.service import Service

MAX_BODY_BYTES = 256 * 1_024
MAX_ORDERS = 100
"""Of one request."""
MAX_DEPTH, DEFAULT_DEPTH = 200, 20

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(service: Service) -> web.Application:
    """Return the API of a service."""
    api = _Api(service)
    app = web.Application(middlewares=[_refusals], client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/orders", api.post_orders)
    app.router.add_delete("/orders/{hash}", api.delete_order)
    app.router.add_get("/orders/{hash}", api.get_order)
    app.router.add_get("/book/{market}", api.get_book)
    app.router.add_get("/health", api.get_health)
    return app


def shown(entry: Entry) -> dict[str, Any]:
    """Return an order as the API shows it; amounts are WAD in decimal strings."""
    return {
        "hash": "0x" + entry.hash.hex(),
        "sequence": entry.sequence,
        "state": entry.state.value,
        "reason": entry.reason,
        "remaining": str(entry.remaining),
        "matched": str(entry.in_flight),
        "settled": str(entry.settled),
        "order": entry.order.as_json(),
    }


class _Api:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def post_orders(self, request: web.Request) -> web.Response:
        """Take one order, or up to ``MAX_ORDERS`` in ``{"orders": […]}``, each by itself."""
        body = await _json(request)
        if not (isinstance(body, dict) and "orders" in body):
            entry = await self._service.place(body)
            answer = shown(entry)
            await self._service.durable()
            return web.json_response(answer, status=201)
        many = body["orders"]
        if set(body) != {"orders"} or not isinstance(many, list) or not 0 < len(many) <= MAX_ORDERS:
            raise OrderRefused("malformed", f"orders: a list of 1 to {MAX_ORDERS} expected")
        results: list[dict[str, Any]] = []
        for raw in many:
            try:
                results.append({"status": 201, **shown(await self._service.place(raw))})
            except OrderRefused as refused:
                results.append({"status": refused.status, **_words(refused)})
        await self._service.durable()
        return web.json_response({"results": results})

    async def delete_order(self, request: web.Request) -> web.Response:
        """Take an order out of the book."""
        order_hash = parse_hex(request.match_info["hash"], 32, "hash")
        entry = await self._service.cancel(order_hash, await _json(request))
        answer = shown(entry)
        await self._service.durable()
        return web.json_response(answer)

    async def get_order(self, request: web.Request) -> web.Response:
        """Show an order, open or not."""
        order_hash = parse_hex(request.match_info["hash"], 32, "hash")
        self._service.tick()
        entry = self._service.matcher.find(order_hash)
        if entry is None:
            raise OrderRefused("unknown", f"no order 0x{order_hash.hex()}", 404)
        answer = shown(entry)
        await self._service.durable()
        return web.json_response(answer)

    async def get_book(self, request: web.Request) -> web.Response:
        """Show a market's best prices and the sizes there."""
        market = _number(request.match_info["market"], "market", 255)
        depth = _number(request.query.get("depth", str(DEFAULT_DEPTH)), "depth", MAX_DEPTH)
        self._service.tick()
        book = self._service.matcher.books.get(market)
        bids, asks = ([], []) if book is None else (book.bids.depth(depth), book.asks.depth(depth))
        return web.json_response(
            {
                "market": market,
                "bids": [[str(price), str(size)] for price, size in bids],
                "asks": [[str(price), str(size)] for price, size in asks],
            }
        )

    async def get_health(self, _request: web.Request) -> web.Response:
        """Tell whether orders are taken and matches are settled."""
        service = self._service
        has_failed = service.failed.done()
        state = "failed" if has_failed else "degraded" if service.problem else "ok"
        return web.json_response(
            {
                "status": state,
                "problem": service.problem,
                "openOrders": service.matcher.open_count,
                "unsettledMatches": len(service.matcher.matches),
                "chainId": service.domain.chain_id,
                "contract": service.domain.contract,
            },
            status=503 if has_failed else 200,
        )


async def _json(request: web.Request) -> Any:
    body = await request.read()
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise OrderRefused("malformed", "the body is no JSON") from None


def _number(text: str, name: str, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= most:
        return int(text)
    raise OrderRefused("malformed", f"{name}: a number of at most {most} expected")


def _words(refused: OrderRefused) -> dict[str, str]:
    return {"error": refused.code, "message": str(refused)}


@web.middleware
async def _refusals(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn refusals into answers."""
    try:
        return await handler(request)
    except OrderRefused as refused:
        return web.json_response(_words(refused), status=refused.status)
    except sqlite3.Error as error:
        # Nothing is promised: the process is about to end.
        words = {"error": "store_failed", "message": str(error)}
        return web.json_response(words, status=500)
    except web.HTTPException as error:
        words = {"error": error.reason.lower().replace(" ", "_"), "message": error.reason}
        return web.json_response(words, status=error.status)
