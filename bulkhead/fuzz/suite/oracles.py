"""What must hold of the suite: the invariants of ``docs/invariants.md`` on what a call did.

``bulkhead/model/invariants.py`` states them; here is when each is asked, and of what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import Call, Operation
from bulkhead.fuzz.suite.keeper_operations import Liquidate, StartAuction
from bulkhead.fuzz.suite.market_operations import MovePrice, Wait
from bulkhead.fuzz.suite.user_operations import Trade
from bulkhead.model import invariants
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import WAD
from bulkhead.model.types import WriteOffReceipt

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

CRASH: tuple[Operation, ...] = (
    MovePrice(asset=0, factor=8),
    Liquidate(keeper=0, target=0, market=0, stray=0),
    Liquidate(keeper=3, target=1, market=0, stray=0),
    StartAuction(target=0, collateral=0, stray=0),
)
BOOM: tuple[Operation, ...] = (
    MovePrice(asset=0, factor=7),
    Trade(actor=0, sub=0, market=0, mode=0, tolerance=0, share=10_000),
    Wait(how_long=4, silent=0),
)
OPENINGS: tuple[tuple[Operation, ...], ...] = (
    (),
    CRASH,
    BOOM,
    (*CRASH, MovePrice(asset=0, factor=10)),
)


def violations(j: Judged) -> Iterator[Violation]:
    """Yield the invariants that a call broke, by the chain's state before and after it."""
    if j.accepted:
        before, after = j.before.snapshot, j.after.snapshot
        yield from invariants.check_state(after)
        unhealthy = j.expected.note or ()
        yield from _one(invariants.led_1(before, after, j.call.sender, unhealthy))
        yield from _of_function(j)
    elif j.before.stored != j.after.stored:
        yield Violation("CUS-2", "a refused call changed what is stored")
    elif j.error is not None and j.error.name == "LiquidationEngine_Healthy":
        _, equity, margin = j.error.args
        if equity < margin and j.call.function != "writeOff":
            yield Violation("LIQ-1", f"refused as healthy with {equity} < {margin}")


def _of_function(j: Judged) -> Iterator[Violation]:
    before, after = j.before.snapshot, j.after.snapshot
    if j.call.function == "convert":
        burned = int(j.call.args[1])
        yield from _one(invariants.led_3_conversion(before, after, burned, int(j.returned)))
    elif j.call.function == "writeOff":
        receipt = WriteOffReceipt(*j.returned)
        yield from _one(invariants.ins_1(receipt, before.totals, before.unrealized_totals))


def unhealthy_target(u: Universe, call: Call) -> tuple[int, ...]:
    """Return the account that a call of the liquidation engine is aimed at, if it is unhealthy.

    LED-1 lets nobody else lose anything by another's call.
    """
    if call.contract != "LiquidationEngine" or not call.args:
        return ()
    account = int(call.args[0])
    return (account,) if u.is_unhealthy(account) else ()


def probe(u: Universe) -> Iterator[Violation]:
    """Yield what the model shows broken when every path is tried on every account."""
    for account in u.accounts:
        try:
            v = u.model.margin_engine.valuation(account)
        except ModelRevert:
            continue
        # LIQ-1 speaks of accounts whose prices are good enough to act on.
        if v.status >= 1:
            yield from _one(invariants.liq_1(u.model, account))
    yield from _one(invariants.vlt_1(u.model))


def regime(u: Universe) -> str:
    """Return the breaker's tier and whether h is below 1."""
    tier = u.model.circuit_breaker.tier()
    return f"tier {tier}, h {'=' if u.model.margin_engine.haircut_ratio() >= WAD else '<'} 1"


def measures(u: Universe) -> dict[str, float]:
    """Return bad debt in settlement units, and what h lacks to 1."""
    return {
        "debt": u.model.margin_engine.totals().debt / WAD,
        "haircut": 1 - u.model.margin_engine.haircut_ratio() / WAD,
    }


def _one(violation: Any) -> Sequence[Violation]:
    return () if violation is None else (violation,)
