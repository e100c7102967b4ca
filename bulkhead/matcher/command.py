"""What ``ape run matcher`` does between its options and its exit status."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from aiohttp import web

from bulkhead.chain.codec import CodecError
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc, RpcConnectionError, RpcError
from bulkhead.deployment.addresses import AddressBook, AddressBookError
from bulkhead.matcher.chain import Authority, ChainAuthority, ChainSettlement
from bulkhead.matcher.engine import Limits
from bulkhead.matcher.orders import Domain
from bulkhead.matcher.server import application
from bulkhead.matcher.service import Service
from bulkhead.matcher.settlement import Settlement
from bulkhead.matcher.store import Store, StoreError

CONTRACT = "SignedOrders"
_GRACE_SECONDS = 5.0
"""How long open requests may take once the matcher is told to stop."""


class MatcherError(Exception):
    """The matcher cannot start, or cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class MatcherOptions:
    """What to serve and where; see ``ape run matcher --help``."""

    host: str
    port: int
    database: Path
    deployment: str
    url: str | None
    sender: str | None
    batch_interval_seconds: float
    limits: Limits


@dataclass(frozen=True, slots=True)
class Backing:
    """The chain behind a matcher; without settlement, matches wait."""

    domain: Domain
    authority: Authority | None
    settlement: Settlement | None
    words: str


def run_matcher(options: MatcherOptions) -> int:
    """Serve until told to stop; return the exit status: 0 after SIGINT or SIGTERM.

    Raises:
        click.ClickException: it cannot start or cannot go on.
    """
    try:
        backing = connect(options)
        asyncio.run(serve(options, backing, click.echo))
    except (AddressBookError, MatcherError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    click.echo("Stopped; every accepted order is in the database.")
    return 0


def connect(options: MatcherOptions) -> Backing:
    """Return the deployment's chain.

    Raises:
        AddressBookError: there is no such deployment.
        MatcherError: its node does not answer, or it has no signed orders.
    """
    book = AddressBook.load(options.deployment)
    if CONTRACT not in book.contracts:
        raise MatcherError(f"{book.network} has no {CONTRACT}: deploy it again")
    url = options.url or book.url
    if url is None:
        raise MatcherError(f"{book.network} names no node: give one with --url")
    try:
        rpc = Rpc(url)
        if (chain_id := rpc.chain_id()) != book.chain_id:
            raise MatcherError(f"{url} is chain {chain_id}, {book.network} is on {book.chain_id}")
        held = rpc.request("eth_accounts")
        contract = book.contract(rpc, CONTRACT)
        operators = book.contract(rpc, "AccountOperators")
    except (CodecError, RpcError, RpcConnectionError, ValueError) as error:
        raise MatcherError(str(error)) from error
    sender = options.sender or (held[-1] if held else None)
    if sender is None:
        raise MatcherError(f"{url} holds no account to send from: give one with --sender")
    _require_code(rpc, contract)
    # The door asks at any time, while a round waits for its transaction.
    return Backing(
        Domain(book.chain_id, contract.address),
        ChainAuthority(Rpc(url), operators),
        ChainSettlement(contract, sender),
        f"{book.network}, {CONTRACT} {contract.address} on chain {book.chain_id}, from {sender}",
    )


def _require_code(rpc: Rpc, contract: Contract) -> None:
    if not rpc.code(contract.address):
        raise MatcherError(f"there is no contract at {contract.address}: is it the same chain?")


async def serve(options: MatcherOptions, backing: Backing, say: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        StoreError: the database is in use, or of another contract.
        MatcherError: the port is taken, or the matcher can promise nothing any more.
    """
    told = _told_to_stop()
    store = Store(options.database, backing.domain)
    service = Service(
        backing.domain,
        store,
        authority=backing.authority,
        settlement=backing.settlement,
        limits=options.limits,
        batch_interval_seconds=options.batch_interval_seconds,
    )
    runner = web.AppRunner(application(service), access_log=None, shutdown_timeout=_GRACE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        try:
            await site.start()
        except OSError as error:
            where = f"{options.host}:{options.port}"
            raise MatcherError(f"cannot listen on {where}: {error.strerror}") from error
        orders, matches = service.recovered
        port = runner.addresses[0][1]
        say(f"{backing.words}\n{orders} orders and {matches} matches from {options.database}")
        say(f"Listening on http://{options.host}:{port}. Ctrl-C stops it.")
        await _until(told, service)
    finally:
        await runner.cleanup()
        await service.stop()


def _told_to_stop() -> asyncio.Event:
    """Return what a signal sets; in a shell's background job too, where SIGINT is ignored."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _until(told: asyncio.Event, service: Service) -> None:
    """Wait for a signal, or for the service to fail."""
    waiting = asyncio.create_task(told.wait())
    either: set[asyncio.Future[Any]] = {waiting, service.failed}
    done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if service.failed in done:
        error = service.failed.exception()
        raise MatcherError(f"stopped, and nothing accepted is lost: {error!r}") from error
