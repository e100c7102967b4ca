"""What must hold of the suite: the invariants of ``docs/invariants.md`` on what a call did.

``bulkhead/model/invariants.py`` states them; here is when each is asked, and of what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import Call, Operation
from bulkhead.fuzz.suite.ending_operations import FixSettlement, WindDown
from bulkhead.fuzz.suite.fields import MARKETS, ODD_ID, STRAY
from bulkhead.fuzz.suite.keeper_operations import Liquidate, StartAuction, WriteOff
from bulkhead.fuzz.suite.leaving import CalmDown, EveryoneCloses, EveryoneLeaves
from bulkhead.fuzz.suite.market_operations import MovePrice, Squeeze, Wait
from bulkhead.fuzz.suite.order_operations import orders_in
from bulkhead.fuzz.suite.trips import RoundTrip, VaultRoundTrip
from bulkhead.fuzz.suite.user_operations import Deposit, Trade
from bulkhead.model import invariants
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import WAD
from bulkhead.model.operators import TRADE, WITHDRAW
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.trials import refreshed
from bulkhead.model.types import AccountId, WriteOffReceipt

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

_SEEN_TWICE = Wait(how_long=1, silent=0)
"""Longer than a price that moved far waits: whoever needs it next has it confirmed."""
_UP: tuple[Operation, ...] = (MovePrice(asset=0, factor=13, poke=4), _SEEN_TWICE)
_DOWN: tuple[Operation, ...] = (MovePrice(asset=0, factor=14, poke=4), _SEEN_TWICE)

CRASH: tuple[Operation, ...] = (
    *_DOWN,
    Liquidate(keeper=0, target=0, market=0, stray=0),
    Liquidate(keeper=3, target=1, market=0, stray=0),
    StartAuction(target=0, collateral=0, stray=0),
)
BOOM: tuple[Operation, ...] = (
    *_UP,
    Trade(actor=0, market=0, mode=0, tolerance=0, stray=0, share=10_000),
    Wait(how_long=4, silent=0),
)
_BIG: tuple[Operation, ...] = (
    Deposit(actor=1, sub=1, collateral=0, how=0, share=10_000),
    Trade(actor=5, market=0, mode=1, tolerance=0, stray=STRAY, share=9_000),
)
"""Bob buys for half a million, which is more than the pool can pay him if he is right."""
RUSH: tuple[Operation, ...] = (
    *_BIG,
    *_UP,
    Trade(actor=5, market=0, mode=0, tolerance=0, stray=STRAY, share=5_000),
    Wait(how_long=3, silent=0),
)
"""He is right, and h falls below 1."""
RUIN: tuple[Operation, ...] = (
    Deposit(actor=1, sub=1, collateral=2, how=21, share=0),
    *_BIG,
    *_DOWN,
    Liquidate(keeper=4, target=0, market=0, stray=0),
    Liquidate(keeper=4, target=0, market=0, stray=0),
    WriteOff(target=0, stray=0),
)
"""He is wrong, and owes more than he has, which is one satoshi."""
DUEL: tuple[Operation, ...] = (
    *_BIG,
    Deposit(actor=2, sub=1, collateral=0, how=0, share=4_000),
    Trade(actor=6, market=0, mode=2, tolerance=0, stray=STRAY, share=9_000),
    *_UP,
    Liquidate(keeper=4, target=0, market=0, stray=0),
    WriteOff(target=0, stray=0),
)
"""He is right, and Carol, who bet against him, cannot pay: junior profit bears it."""
PUSH: tuple[Operation, ...] = (
    Deposit(actor=1, sub=1, collateral=0, how=0, share=10_000),
    Trade(actor=5, market=0, mode=2, tolerance=0, stray=STRAY, share=9_000),
    Squeeze(target=0, market=0, depth=3, poke=0),
    Liquidate(keeper=1, target=0, market=0, stray=STRAY - 2),
)
"""He pushes the mark below the index: Alice lacks margin at the one, but not at the other."""
END: tuple[Operation, ...] = (
    *_BIG,
    WindDown(market=0, how=0),
    FixSettlement(market=0, when=0, silent=0),
)
"""His market ends while he is in it."""
OPENINGS: tuple[tuple[Operation, ...], ...] = (
    (),
    CRASH,
    BOOM,
    (*CRASH, MovePrice(asset=0, factor=16, poke=4), _SEEN_TWICE),
    RUSH,
    RUIN,
    (*RUIN, *RUSH),
    DUEL,
    PUSH,
    END,
)


INVARIANTS = (
    *("CUS-1", "CUS-2", "LED-1", "LED-2", "LED-3", "LED-4", "PNL-1", "PNL-2"),
    *("INT-1", "MAR-2", "LIQ-1", "INS-1", "VLT-1", "EXIT-1", "ORD-1", "EVT-1"),
)
"""The ids that a campaign may report."""

_CALM = (CalmDown(),) * 8
_EXODUS: tuple[Operation, ...] = (*_CALM, EveryoneCloses(), *_CALM, EveryoneLeaves())
EXODUS_EVERY = 8


def epilogue(number: int) -> tuple[Operation, ...]:
    """Return what a sequence ends with: two round trips, and sometimes that everybody leaves."""
    share = (10_000, 10_500, 5_000, 1)[number // 4 % 4]
    sizes = RoundTrip(number % 2, number // 2 % 2, number % 6, number // 6 % 2, share)
    vaults = VaultRoundTrip(number % 4, number // 4 % 4, number % 5, number % 4, 10_000)
    return (sizes, vaults, *(_EXODUS if number % EXODUS_EVERY == EXODUS_EVERY - 1 else ()))


def violations(j: Judged) -> Iterator[Violation]:
    """Yield the invariants that a call broke, by the chain's state before and after it."""
    if j.accepted:
        yield from j.after.broken
        if j.after is not j.before:
            losers = j.expected.note or ()
            before, after = j.before.snapshot, j.after.snapshot
            yield from _one(invariants.led_1(before, after, j.call.sender, losers))
            yield from _one(invariants.int_1_step(before, after))
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
        yield from _one(invariants.ins_1(receipt, before.totals, after.unrealized_totals))


_MAY_LOSE = TRADE | WITHDRAW


def may_lose(u: Universe, call: Call) -> tuple[int, ...]:
    """Return the accounts besides the sender's own that may lose something by a call.

    LED-1 knows four: the unhealthy account that a call of the liquidation engine is aimed at,
    those whose owners let the sender trade or withdraw, those whose own order is settled or
    filled, and the one whose position in a settled market is closed. Where h is below 1, a
    liquidation itself records prices first: what moves with them, volatility above all, is part of
    its judgement.
    """
    if call.function == "matchOrders":
        return tuple(orders_in(call.args))
    if call.function == "settlePosition":
        return (int(call.args[0]),)
    if call.contract in ("MarginEngine", "PerpExchange", "DelayedOrders"):
        held = u.model.account_operators.permissions_of
        acts = call.args[1] if call.function == "batch" else ()
        matches = [act.args for act in acts if act.function == "match_orders"]
        filled = [account for args in matches for account in orders_in(args)]
        trusting = (a for a in u.accounts if held(a, call.sender) & _MAY_LOSE)
        return (*filled, *trusting, *_of_orders(u, call))
    if call.contract != "LiquidationEngine" or not call.args:
        return ()
    account = int(call.args[0])
    if u.is_unhealthy(account):
        return (account,)
    try:
        v = refreshed(u.model, [account])[account]
    except ModelRevert:
        return ()
    lacks = v.equity_maintenance < v.maintenance_margin and v.buffer_at_index < 0
    return (account,) if lacks else ()


def _of_orders(u: Universe, call: Call) -> tuple[int, ...]:
    """Return the accounts whose own orders a call may settle."""
    if not call.function.startswith("settle"):
        return ()
    ids = call.args[0] if call.function == "settleMany" else (call.args[0],)
    return tuple(u.model.delayed_orders.order(order_id).account for order_id in ids)


def probe(u: Universe) -> Iterator[Violation]:
    """Yield what the model shows broken when it is tried whole: every account, every vault."""
    yield from invariants.liq_1_of_all(u.model, [a for a in u.accounts if not _is_frozen(u, a)])
    yield from _one(invariants.vlt_1(u.model))
    yield from invariants.vlt_1_limits(u.model, u.actors)
    for account in u.accounts:
        v = u.valuation(account)
        if v is not None:
            moving = not all(map(u.model.perp_exchange.is_settled, u.markets_of(account)))
            yield from _one(invariants.mar_2(v, has_positions=moving))


def _is_frozen(u: Universe, account: AccountId) -> bool:
    """Return whether an account holds a token that custody cannot send, so that nothing helps."""
    custody = u.model.addresses.collateral_vault
    return custody in u.model.odd.blocked() and u.held(account, ODD_ID) > 0


def regime(u: Universe) -> str:
    """Return the breaker's tier, whether h is below 1, and how bad the worst index price is."""
    tier = u.model.circuit_breaker.tier()
    worst = min(u.index_status(market) for market in range(MARKETS))
    h = "=" if u.model.margin_engine.haircut_ratio() >= WAD else "<"
    return (
        f"tier {tier}, h {h} 1{f', {worst.name.lower()}' if worst < PriceStatus.DEGRADED else ''}"
    )


def measures(u: Universe) -> dict[str, float]:
    """Return bad debt in settlement units, and what h lacks to 1."""
    return {
        "debt": u.model.margin_engine.totals().debt / WAD,
        "haircut": 1 - u.model.margin_engine.haircut_ratio() / WAD,
    }


def _one(violation: Any) -> Sequence[Violation]:
    return () if violation is None else (violation,)
