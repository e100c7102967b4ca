"""What the replays of trading and clearing need of a compartment, beyond ``IncidentWorld``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bulkhead.chain.codec import asset_id
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Refusal
from bulkhead.scenarios.incidents.world import USDB, IncidentWorld

TOKEN_UNIT = WAD // USDB
"""WAD per raw unit of the settlement token."""


def set_compartment(world: IncidentWorld, **changes: int) -> None:
    """Configure the compartment as on the devnet, with some ``CompartmentParameters`` changed."""
    rules = world.book.parameters.compartment.model_copy(update=changes)
    world.send(world.risk, "setCompartment", rules.struct())


def watch_price(world: IncidentWorld, asset: str, **timing: int) -> None:
    """Let the breaker watch an asset's price too, as it does with every index of the devnet.

    Args:
        world: the world.
        asset: its name.
        timing: parameters of ``BreakerTiming`` that are not the devnet's, seconds.
    """
    p = world.book.parameters.breaker
    prices = [asset_id(name) for name in (*p.watched_prices, asset)]
    pegs = [asset_id(name) for name in p.watched_pegs]
    times = p.timing.model_copy(update=timing).struct()
    world.send(world.risk, "setBreaker", times, p.thresholds.struct(), prices, pegs)
    poke_breaker(world)


def poke_breaker(world: IncidentWorld) -> int:
    """Let the breaker look at its signals; return its tier."""
    breaker = world.named("CircuitBreaker")
    world.send(breaker, "poke")
    return int(breaker.call("tier"))


def convert(world: IncidentWorld, who: str, amount: int) -> Refusal:
    """Let a person try to turn a profit claim (WAD) into cash."""
    return world.attempt(world.margin, "convert", world.account(who), amount, by=who)


def ledger_of(world: IncidentWorld, who: str) -> Any:
    """Return a person's ``AccountLedger``."""
    return world.margin.call("accountLedger", world.account(who))


def cash_of(world: IncidentWorld, who: str) -> int:
    """Return a person's cash in the ledger, WAD; below zero: debt."""
    return int(ledger_of(world, who).cash)


def position_of(world: IncidentWorld, who: str, market: int) -> int:
    """Return the size of a person's position, WAD of base."""
    return int(world.perps.call("position", world.account(who), market).size)


def close(world: IncidentWorld, who: str, market: int) -> Refusal:
    """Let a person try to close her position."""
    return world.trade(who, -position_of(world, who, market), market)


def pool_value(world: IncidentWorld) -> int:
    """Return what all shares of the pool are worth to those who leave, WAD; may be below zero."""
    return int(world.named("LiquidityVault").call("netAssetValue").toLeave)


@contextmanager
def what_if(world: IncidentWorld) -> Iterator[None]:
    """Undo on leaving whatever was done inside."""
    snapshot = world.rpc.snapshot()
    try:
        yield
    finally:
        world.rpc.revert(snapshot)
