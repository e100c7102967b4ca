"""LIQ-1 and the limits of VLT-1, which are tried: calls are played on the model, and undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from bulkhead.model.errors import ModelRevert, Violation
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.policy import HALT
from bulkhead.model.types import AccountId, AccountValuation, Address
from bulkhead.model.vaults import LedgerVault
from bulkhead.model.world import Compartment

R = TypeVar("R")


def liq_1(world: Compartment[Any, Any], account: AccountId) -> Violation | None:
    """LIQ-1: a healthy account is never liquidatable, an unhealthy one by some path, unless halted.

    Tries every path as a call that is undone: first as things are, and on an unhealthy account also
    after pokes, which anyone may send: an h that is not of this moment may stand in the way.
    Where a stale price could be hiding what the account lacks, either answer is right, and where
    only what was recorded last, or only what would be recorded now, makes the account healthy.
    """
    return _liq_1(world, account, refreshed(world, [account])[account])


def liq_1_of_all(
    world: Compartment[Any, Any], accounts: Collection[AccountId]
) -> Iterator[Violation]:
    """LIQ-1 for all accounts whose prices are good enough to act on."""
    try:
        valued = refreshed(world, accounts)
    except ModelRevert:
        return  # Nobody can act at such prices.
    for account, v in valued.items():
        if v.status >= PriceStatus.DEGRADED:
            violation = _liq_1(world, account, v)
            if violation is not None:
                yield violation


def vlt_1_limits(world: Compartment[Any, Any], owners: Collection[Address]) -> Iterator[Violation]:
    """VLT-1, the limits' part: what they allow goes through to the unit, and no unit more.

    Of entering only whether anything goes through: nobody has as much as may be paid in.
    """
    for vault in (world.liquidity_vault, world.insurance_fund):
        who = world.governor
        opened = _attempt(world, partial(_enter, world, vault, who)) is None
        if opened != (vault.max_deposit(who) > 0):
            yield Violation("VLT-1", f"maxDeposit is {vault.max_deposit(who)}, deposit: {opened}")
        for owner in owners:
            for name, most, act in (
                ("Redeem", vault.max_redeem(owner), vault.redeem),
                ("Withdraw", vault.max_withdraw(owner), vault.withdraw),
            ):
                if most and _attempt(world, partial(act, owner, most, owner, owner)) is not None:
                    yield Violation("VLT-1", f"max{name} is {most}, which is refused")
                if _attempt(world, partial(act, owner, most + 1, owner, owner)) is None:
                    yield Violation("VLT-1", f"max{name} is {most}, and one more is paid")


def _enter(world: Compartment[Any, Any], vault: LedgerVault, who: Address) -> None:
    world.fund(who, 10**12)
    vault.deposit(who, 10**12, who)


def refreshed(
    world: Compartment[Any, Any], accounts: Collection[AccountId]
) -> dict[AccountId, AccountValuation]:
    """Return what accounts are worth on figures of this moment: once every market was poked.

    Raises:
        ModelRevert: a market cannot be poked.
    """

    def refresh() -> dict[AccountId, AccountValuation]:
        _poke(world)
        return {account: world.margin_engine.valuation(account) for account in accounts}

    return _peek(world, refresh)


def _poke(world: Compartment[Any, Any]) -> None:
    for market in range(world.risk_parameters.market_count):
        world.perp_exchange.poke(world.governor, market)


def _liq_1(
    world: Compartment[Any, Any], account: AccountId, v: AccountValuation
) -> Violation | None:
    healthy = _is_healthy(v)
    # A call that records nothing judges by what was recorded last, volatility above all.
    sound = healthy and _is_healthy(world.margin_engine.valuation(account))
    certain = v.equity_maintenance + v.uncertain < v.maintenance_margin
    refused: list[tuple[str, ModelRevert]] = []
    paths = list(_paths(world, account))
    for path, call in paths:
        error = _attempt(world, call)
        if error is not None:
            refused.append((path, error))
        elif sound:
            message = f"{path} of {account:#066x} with {v.equity_maintenance} ≥"
            return Violation("LIQ-1", f"{message} {v.maintenance_margin} went through")
        else:
            return None
    excused = v.status < PriceStatus.DEGRADED and not certain
    if healthy or excused or world.circuit_breaker.tier() == HALT:
        return None
    if any(_attempt(world, partial(_after_pokes, world, call)) is None for _, call in paths):
        return None
    why = "; ".join(f"{path}: {error}" for path, error in refused)
    return Violation("LIQ-1", f"{account:#066x} {v} is unhealthy: {why}")


def _is_healthy(v: AccountValuation) -> bool:
    return v.equity_maintenance >= v.maintenance_margin or v.buffer_at_index >= 0


class _Undo(Exception):  # noqa: N818
    pass


def _peek(world: Compartment[Any, Any], call: Callable[[], R]) -> R:
    """Return what a call returns, and undo it."""
    results: list[R] = []

    def tried() -> None:
        results.append(call())
        raise _Undo

    with suppress(_Undo):
        world.execute(tried)
    return results[0]


def _attempt(world: Compartment[Any, Any], call: Callable[[], object]) -> ModelRevert | None:
    try:
        _peek(world, call)
    except ModelRevert as error:
        return error
    return None


def _paths(
    world: Compartment[Any, Any], account: AccountId
) -> Iterator[tuple[str, Callable[[], object]]]:
    engine, anyone = world.liquidation_engine, world.governor
    for e in world.perp_exchange.exposures_of(account):
        yield f"liquidate {e.market}", partial(engine.liquidate, anyone, account, e.market)
    for collateral in range(1, world.risk_parameters.collateral_count + 1):
        if engine.auction_started_at(account, collateral):
            yield f"take {collateral}", partial(_take, world, account, collateral)
        # Also where one was started: it may be over.
        call = partial(engine.start_auction, anyone, account, collateral)
        yield f"auction {collateral}", call
    yield "write off", partial(engine.write_off, anyone, account)


def _after_pokes(world: Compartment[Any, Any], call: Callable[[], object]) -> None:
    _poke(world)
    call()


def _take(world: Compartment[Any, Any], account: AccountId, collateral: int) -> None:
    most = 2**127
    world.fund(world.governor, most)
    world.liquidation_engine.take_auction(
        world.governor, account, collateral, most, most, world.governor
    )
