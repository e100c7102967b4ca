"""A matcher that runs: requests in, one wait for the disk shared by many, matches to the chain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from bulkhead.matcher.book import Entry
from bulkhead.matcher.chain import Authority
from bulkhead.matcher.engine import Limits, Matcher
from bulkhead.matcher.orders import (
    MAX_SIGNATURE_BYTES,
    Domain,
    OrderRefused,
    parse_hex,
    parse_order,
    recover,
)
from bulkhead.matcher.settlement import Settlement, SettlementUnavailable, Settler, T
from bulkhead.matcher.store import Store

_DOORMEN = 4
"""Questions to the chain at a time, about signatures that are no key's."""
_FIELDS = {"order", "signature"}


def wall_clock() -> int:
    """Return Unix seconds."""
    return int(time.time())


class Service:
    """Everything between HTTP and the chain. Belongs to one event loop.

    Args:
        domain: whose orders these are.
        store: where they are kept.
        authority: what the chain knows of signatures; None: only owners' keys sign.
        settlement: the chain; None: matches wait.
        limits: what may be asked for.
        batch_interval_seconds: pause between rounds of settlement.
        clock: Unix seconds.
    """

    def __init__(
        self,
        domain: Domain,
        store: Store,
        *,
        authority: Authority | None = None,
        settlement: Settlement | None = None,
        limits: Limits | None = None,
        batch_interval_seconds: float = 1.0,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        kept = store.load()
        self.domain = domain
        self.matcher = Matcher(
            store,
            limits,
            entries=kept.entries,
            matches=kept.matches,
            last_sequence=kept.last_sequence,
            last_match=kept.last_match,
        )
        self.recovered = len(kept.entries), len(kept.matches)
        self.problem = ""
        """Why settlement does not go on now; empty if it does."""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done with an error when nothing can be promised any more."""
        self._store = store
        self._authority = authority
        self._clock = clock
        self._interval = batch_interval_seconds
        self._disk = ThreadPoolExecutor(1, "disk")
        self._chain = ThreadPoolExecutor(1, "chain")
        self._door = ThreadPoolExecutor(_DOORMEN, "door")
        self._waiting: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._broken: Exception | None = None
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._has_work = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._write()))
        if settlement is not None:
            settler = Settler(
                self.matcher,
                settlement,
                flush=self.durable,
                in_background=self._ask_chain,
                clock=clock,
            )
            self._tasks.append(asyncio.create_task(self._settle(settler)))
        for task in self._tasks:
            task.add_done_callback(self._ended)

    # ------------------------------------------------------------------ requests

    async def place(self, raw: Any) -> Entry:
        """Take ``{"order": …, "signature": "0x…"}`` and match it; ``durable`` must follow.

        Raises:
            OrderRefused: and nothing has changed.
        """
        if not isinstance(raw, dict) or set(raw) != _FIELDS:
            raise OrderRefused("malformed", "an object with order and signature expected")
        order = parse_order(raw["order"])
        signature = _signature(raw["signature"])
        digest = self.domain.order_hash(order)
        await self._require_signature({order.signer}, digest, signature)
        if order.signer != order.owner and not await self._may_trade(order.account, order.signer):
            raise OrderRefused(
                "not_authorized",
                f"{order.signer} is neither {order.owner} nor an operator that may trade",
                403,
            )
        return self.matcher.place(order, digest, signature, self._clock())

    async def cancel(self, order_hash: bytes, raw: Any) -> Entry:
        """Take an order out on its signer's or owner's request; ``durable`` must follow.

        Args:
            order_hash: which.
            raw: ``{"signature": "0x…"}`` over ``CancelOrder``.

        Raises:
            OrderRefused: and nothing has changed.
        """
        if not isinstance(raw, dict) or set(raw) != {"signature"}:
            raise OrderRefused("malformed", "an object with signature expected")
        entry = self.matcher.find(order_hash)
        if entry is None:
            raise OrderRefused("unknown", f"no order 0x{order_hash.hex()}", 404)
        digest = self.domain.cancel_hash(order_hash)
        may = {entry.order.signer, entry.order.owner}
        await self._require_signature(may, digest, _signature(raw["signature"]))
        return self.matcher.cancel(order_hash)

    async def durable(self) -> None:
        """Wait until everything that was done before is on disk.

        Raises:
            sqlite3.Error: it is not, and the matcher stops.
        """
        if self._broken is not None:
            raise self._broken
        if self._store.is_dirty and self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
            self._has_work.set()
        # What was taken by the writer a moment ago is not on disk yet either.
        if (waiting := self._waiting or self._writing) is not None:
            await asyncio.shield(waiting)

    def tick(self) -> None:
        """Take out what has expired."""
        self.matcher.expire(self._clock())

    async def stop(self) -> None:
        """End the rounds, write what is left and let go of the file."""
        self._stopping.set()
        self._has_work.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for executor in (self._chain, self._door, self._disk):
            executor.shutdown()
        if not self.failed.done():
            self._store.close()

    # ------------------------------------------------------------------ signatures

    async def _require_signature(self, signers: set[str], digest: bytes, signature: bytes) -> None:
        """Refuse what nobody of these has signed, by key or by contract."""
        if recover(digest, signature) in signers:
            return
        if self._authority is not None:
            authority = self._authority
            for signer in sorted(signers):
                if await self._ask_door(partial(authority.is_valid, signer, digest, signature)):
                    return
        raise OrderRefused("bad_signature", f"not signed by {' or '.join(sorted(signers))}", 401)

    async def _may_trade(self, account: int, signer: str) -> bool:
        authority = self._authority
        if authority is None:
            return False
        return await self._ask_door(partial(authority.may_trade, account, signer))

    async def _ask_door(self, call: Callable[[], bool]) -> bool:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._door, call)
        except SettlementUnavailable as error:
            raise OrderRefused("chain_unavailable", str(error), 503) from error

    async def _ask_chain(self, call: Callable[[], T], /) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._chain, call)

    # ------------------------------------------------------------------ tasks

    async def _write(self) -> None:
        """Write changes whenever somebody waits for them, all who wait at once."""
        loop = asyncio.get_running_loop()
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            self._writing, self._waiting = self._waiting or loop.create_future(), None
            pending = self._store.take()
            try:
                await loop.run_in_executor(self._disk, self._store.write, pending)
            except Exception as error:
                self._broken = error
                for future in (self._writing, self._waiting):
                    if future is not None:
                        future.set_exception(error)
                raise
            self._store.written(pending)
            self._writing.set_result(None)
            self._writing = None
            if self._stopping.is_set() and self._waiting is None and not self._is_settling():
                return

    def _is_settling(self) -> bool:
        return any(not task.done() for task in self._tasks[1:])

    async def _settle(self, settler: Settler) -> None:
        """Settle in rounds until told to stop."""
        while not self._stopping.is_set():
            self.tick()
            try:
                await settler.round()
                self.problem = ""
            except SettlementUnavailable as error:
                self.problem = str(error)
            try:
                await asyncio.wait_for(self._stopping.wait(), self._interval)
            except TimeoutError:
                continue

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell whoever waits when a task ended by an error; wake the writer for its own end."""
        self._has_work.set()
        if task.cancelled() or self.failed.done():
            return
        if (error := task.exception()) is not None:
            self.failed.set_exception(error)


def _signature(raw: Any) -> bytes:
    found = parse_hex(raw, None, "signature")
    if len(found) > MAX_SIGNATURE_BYTES:
        raise OrderRefused(
            "malformed", f"signature: {len(found)} bytes, at most {MAX_SIGNATURE_BYTES}"
        )
    return found
