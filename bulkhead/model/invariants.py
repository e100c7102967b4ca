"""The invariants of ``docs/invariants.md`` as functions of states: a violation, or None.

They read a ``Snapshot``, which ``snapshot`` takes of a compartment of the model and which a reader
of a chain fills with the same structs. Where a bound is not zero, the docstring derives it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bulkhead.model import interest_curve, positions, pricing, token_scale
from bulkhead.model.errors import Violation
from bulkhead.model.interest_curve import BorrowState
from bulkhead.model.ledger import haircut
from bulkhead.model.math import WAD
from bulkhead.model.trials import liq_1 as liq_1
from bulkhead.model.trials import liq_1_of_all as liq_1_of_all
from bulkhead.model.trials import vlt_1_limits as vlt_1_limits
from bulkhead.model.types import (
    SETTLEMENT,
    AccountId,
    AccountLedger,
    AccountValuation,
    Address,
    LedgerTotals,
    Market,
    MarketUnrealized,
    Position,
    UnrealizedTotals,
    WriteOffReceipt,
    owner_of,
)
from bulkhead.model.world import Compartment


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A compartment's state; structs as in storage, not to be changed.

    Attributes:
        custody: token units that custody holds, by collateral id (0: settlement token).
        collateral: token units by account and collateral id.
        total_collateral: token units by collateral id.
        marks: WAD mark price by market, for ``markets`` as they are here.
        debt_index: RAY, of accounts that owe: where their debt was last booked.
        order_escrow: WAD of the fee reserve that is the fees of open orders.
    """

    settlement_decimals: int
    totals: LedgerTotals
    unrealized_totals: UnrealizedTotals
    accounts: Mapping[AccountId, AccountLedger]
    collateral: Mapping[tuple[AccountId, int], int]
    total_collateral: Mapping[int, int]
    custody: Mapping[int, int]
    markets: Mapping[int, Market]
    positions: Mapping[tuple[AccountId, int], Position]
    market_unrealized: Mapping[int, MarketUnrealized]
    marks: Mapping[int, int]
    borrow: BorrowState
    debt_index: Mapping[AccountId, int]
    order_escrow: int = 0


def snapshot(world: Compartment[Any, Any]) -> Snapshot:
    """Return the state of a compartment of the model, between calls."""
    engine, exchange = world.margin_engine, world.perp_exchange
    parameters, custody = world.risk_parameters, world.collateral_vault.address
    held = {SETTLEMENT: world.settlement.balance_of(custody)}
    for collateral in range(1, parameters.collateral_count + 1):
        token = world.tokens[parameters.collateral_config(collateral).token]
        held[collateral] = token.balance_of(custody)
    marks = {}
    for market, m in exchange._markets.items():
        index, _ = exchange.index_price(market)
        scale = parameters.market_trading(market).skew_scale
        marks[market] = pricing.mark_price(index, positions.skew(m), scale)
    return Snapshot(
        settlement_decimals=world.settlement.decimals,
        totals=engine.totals(),
        unrealized_totals=engine.unrealized_totals(),
        accounts=dict(engine._accounts),
        collateral=dict(engine._collateral),
        total_collateral=dict(engine._total_collateral),
        custody=held,
        markets=dict(exchange._markets),
        positions={key: p for key, p in exchange._positions.items() if p.size},
        market_unrealized=dict(engine._unrealized),
        marks=marks,
        borrow=engine.borrow_state(),
        debt_index={a: index for a, index in engine._debt_index.items() if index},
        order_escrow=engine.order_escrow(),
    )


def check_state(s: Snapshot) -> list[Violation]:
    """Return every violation that one state shows by itself."""
    found = (cus_1(s), led_2(s), led_3(s), led_4(s), int_1(s), pnl_1(s), ord_1(s))
    return [violation for violation in found if violation is not None]


# -------------------------------------------------------------------------------- custody, ledger


def cus_1(s: Snapshot) -> Violation | None:
    """CUS-1: P + L + I + F ≤ custody, the totals are the sums, and collateral is there."""
    t, accounts = s.totals, s.accounts.values()
    owed = t.principal + t.pool_cash + t.insurance_cash + t.fee_reserve
    custody = token_scale.to_wad(s.custody[SETTLEMENT], s.settlement_decimals)
    if owed > custody:
        return Violation("CUS-1", f"P + L + I + F = {owed} > custody {custody} ({t})")
    sums = {
        "P": (t.principal, sum(max(a.cash, 0) for a in accounts)),
        "D": (t.debt, sum(max(-a.cash, 0) for a in accounts)),
        "J": (t.claims, sum(a.claim for a in accounts)),
    }
    for name, (total, expected) in sums.items():
        if total != expected:
            return Violation("CUS-1", f"{name} = {total}, Σ over accounts = {expected}")
    for collateral, total in s.total_collateral.items():
        parts = sum(amount for (_, i), amount in s.collateral.items() if i == collateral)
        if not parts == total <= s.custody[collateral]:
            held = s.custody[collateral]
            return Violation("CUS-1", f"collateral {collateral}: Σ {parts}, {total}, held {held}")
    return None


def led_1(
    before: Snapshot,
    after: Snapshot,
    actor: Address,
    unhealthy: Collection[AccountId] = (),
) -> Violation | None:
    """LED-1: no account but the actor's loses cash or collateral, save the interest on its debt.

    ``unhealthy`` are accounts that were below their maintenance margin before the call.
    """
    for account, a in before.accounts.items():
        if owner_of(account) == actor or account in unhealthy:
            continue
        cash = after.accounts[account].cash
        least = a.cash
        if least < 0 and account in after.debt_index:
            booked, index = before.debt_index[account], after.debt_index[account]
            least = -interest_curve.grown(-least, booked, index)
        if cash < least:
            return Violation("LED-1", f"{account:#066x}: cash {a.cash} → {cash} by {actor}")
    for (account, collateral), amount in before.collateral.items():
        if owner_of(account) == actor or account in unhealthy:
            continue
        left = after.collateral.get((account, collateral), 0)
        if left < amount:
            message = f"{account:#066x}: collateral {collateral} {amount} → {left} by {actor}"
            return Violation("LED-1", message)
    return None


def led_2(s: Snapshot) -> Violation | None:
    """LED-2: Σ positive cash ≤ custody of S less I and F."""
    principal = sum(max(a.cash, 0) for a in s.accounts.values())
    custody = token_scale.to_wad(s.custody[SETTLEMENT], s.settlement_decimals)
    available = custody - s.totals.insurance_cash - s.totals.fee_reserve
    if principal > available:
        return Violation("LED-2", f"Σ cash⁺ = {principal} > custody − I − F = {available}")
    return None


def led_3(s: Snapshot) -> Violation | None:
    """LED-3, the state's part: h ∈ [0, 1]."""
    h = haircut(s.totals, s.unrealized_totals, WAD)
    return None if 0 <= h <= WAD else Violation("LED-3", f"h = {h}")


def led_3_conversion(before: Snapshot, after: Snapshot, burned: int, paid: int) -> Violation | None:
    """LED-3, a conversion's part: it pays m·h less one wei at most, and h does not fall.

    With B = J + U⁺ > L, m·L/B − 1 < paid ≤ m·L/B leaves (L − paid) / (B − m) at h or above it.
    """
    t0, t1 = before.totals, after.totals
    base0 = t0.claims + before.unrealized_totals.positive
    base1 = t1.claims + after.unrealized_totals.positive
    if base0 - base1 != burned or t0.pool_cash - t1.pool_cash > paid:
        message = f"burned {burned}, paid {paid}: J + U⁺ {base0} → {base1}, L moved otherwise"
        return Violation("LED-3", message)
    if base0 <= t0.pool_cash:
        return None if paid == burned else Violation("LED-3", f"h = 1 but {burned} paid {paid}")
    if not (paid * base0 <= burned * t0.pool_cash < (paid + 1) * base0):
        return Violation("LED-3", f"{burned} · {t0.pool_cash} / {base0} paid {paid}")
    if t1.pool_cash * base0 < t0.pool_cash * base1:
        message = f"h fell: {t0.pool_cash} / {base0} → {t1.pool_cash} / {base1}"
        return Violation("LED-3", message)
    return None


def ord_1(s: Snapshot) -> Violation | None:
    """ORD-1: the fees of open orders are in the fee reserve, whatever else was paid out of it."""
    if s.order_escrow > s.totals.fee_reserve:
        return Violation("ORD-1", f"escrow {s.order_escrow} > F = {s.totals.fee_reserve}")
    return None


def led_4(s: Snapshot) -> Violation | None:
    """LED-4: no account owes and claims at once; the unvested part is a part of the claim."""
    for account, a in s.accounts.items():
        if a.cash < 0 < a.claim:
            return Violation("LED-4", f"{account:#066x}: cash {a.cash}, claim {a.claim}")
    return None


def int_1(s: Snapshot) -> Violation | None:
    """INT-1, the state's part: the scaled sum is exact, and accrued debt follows from it.

    With n debtors, each owing x_a exactly and ⌈x_a⌉ in whole wei, and an index of 10^35 at most:
    Σ x_a ≤ S·index < Σ x_a + n·10⁻¹⁰, so −1 ≤ Σ ⌈x_a⌉ − ⌈S·index⌉ ≤ n − 1.
    """
    owing = {account: -a.cash for account, a in s.accounts.items() if a.cash < 0}
    if owing.keys() != s.debt_index.keys():
        return Violation("INT-1", f"{len(owing)} accounts owe, {len(s.debt_index)} have an index")
    b = s.borrow
    late = [index for index in s.debt_index.values() if not interest_curve.RAY <= index <= b.index]
    if late:
        return Violation("INT-1", f"debt booked at {late[0]}, the index is {b.index}")
    parts = (interest_curve.scaled(debt, s.debt_index[a]) for a, debt in owing.items())
    if b.scaled_debt != (expected := sum(parts)):
        return Violation("INT-1", f"scaled sum {b.scaled_debt}, Σ over accounts {expected}")
    if not owing and b.rate:
        return Violation("INT-1", f"nobody owes, yet the rate is {b.rate}")
    owed = sum(interest_curve.grown(x, s.debt_index[a], b.index) for a, x in owing.items())
    total = interest_curve.total(b.scaled_debt, b.index)
    if not -1 <= owed - total <= max(len(owing) - 1, 0):
        return Violation("INT-1", f"{len(owing)} accounts owe {owed}, together {total}")
    return None


def int_1_step(before: Snapshot, after: Snapshot) -> Violation | None:
    """INT-1, a call's part: the index is what the rate before made of it, and so never falls."""
    b0, b1 = before.borrow, after.borrow
    if b1.updated_at < b0.updated_at:
        return Violation("INT-1", f"accrual went back from {b0.updated_at} to {b1.updated_at}")
    expected = interest_curve.current_index(b0, b1.updated_at)
    if b1.index != expected:
        return Violation("INT-1", f"index {b0.index} became {b1.index}, not {expected}")
    return None


# ------------------------------------------------------------------------------------------ perps


def pnl_1(s: Snapshot) -> Violation | None:
    """PNL-1: sums over positions are exact, and 0 ≤ U_m − Σ uPnL_i < number of positions.

    Quotes are whole numbers and each account's product is rounded down once, as is their sum.
    """
    for market, m in s.markets.items():
        held = [p for (_, i), p in s.positions.items() if i == market]
        expected = (
            sum(max(p.size, 0) for p in held),
            sum(max(-p.size, 0) for p in held),
            sum(p.quote for p in held),
            sum(p.size * p.funding_entry for p in held),
        )
        actual = (
            m.open_interest_long,
            m.open_interest_short,
            m.quote,
            m.funding_entry_product,
        )
        if actual != expected:
            return Violation("PNL-1", f"market {market}: sums {actual}, over accounts {expected}")
        mark = s.marks[market]
        total = positions.unrealized_total(m, mark)
        parts = sum(positions.unrealized_of(m, p, mark) for p in held)
        if not 0 <= total - parts <= max(len(held) - 1, 0):
            message = f"market {market}: U = {total}, Σ = {parts} over {len(held)} positions"
            return Violation("PNL-1", message)
    figures = [u.unrealized for u in s.market_unrealized.values()]
    reported = UnrealizedTotals(sum(max(f, 0) for f in figures), sum(figures))
    if reported != s.unrealized_totals:
        return Violation("PNL-1", f"totals {s.unrealized_totals}, Σ over markets {reported}")
    return None


def pnl_2(realized: int, fees: int = 0) -> Violation | None:
    """PNL-2: what a round trip at constant index and funding realised, less fees, is no profit."""
    if realized - fees > 0:
        return Violation("PNL-2", f"a round trip realised {realized} and paid {fees}")
    return None


def fun_1(before: Snapshot, after: Snapshot, market: int) -> Violation | None:
    """FUN-1: over a call without trades, received ≤ paid plus the pool's part.

    The pool's part is −skew · Δindex; what each position owes is rounded up.
    """
    m0, m1 = before.markets[market], after.markets[market]
    moved = m1.cumulative_funding_per_unit - m0.cumulative_funding_per_unit
    held = [p for (_, i), p in after.positions.items() if i == market]
    owed = sum(-(-p.size * moved // WAD) for p in held)
    pool = positions.skew(m1) * moved
    if owed * WAD < pool:
        return Violation("FUN-1", f"market {market}: Σ owed {owed} < skew · Δ = {pool} / 1e18")
    return None


# ---------------------------------------------------------------------------- margin, liquidation


def mar_1(v: AccountValuation) -> Violation | None:
    """MAR-1: after an action that raises risk, equity for initial margin ≥ IM ≥ MM."""
    if v.equity_initial < v.initial_margin or v.initial_margin < v.maintenance_margin:
        message = f"equity {v.equity_initial}, IM {v.initial_margin}, MM {v.maintenance_margin}"
        return Violation("MAR-1", message)
    return None


def mar_2(v: AccountValuation, *, has_positions: bool) -> Violation | None:
    """MAR-2: IM ≥ MM, and MM > 0 with an open position in a market that is not settled."""
    if v.initial_margin < v.maintenance_margin or (has_positions and v.maintenance_margin <= 0):
        return Violation("MAR-2", f"IM {v.initial_margin}, MM {v.maintenance_margin}")
    return None


def liq_2(before: AccountValuation, after: AccountValuation) -> Violation | None:
    """LIQ-2: E'/M' ≥ E/M, unless bankrupt before; M' = 0 is perfect health with E' ≥ 0."""
    e0, m0 = before.equity_maintenance, before.maintenance_margin
    e1, m1 = after.equity_maintenance, after.maintenance_margin
    if e0 <= 0 or (e1 * m0 >= e0 * m1 and e1 >= 0):
        return None
    return Violation("LIQ-2", f"health {e0} / {m0} → {e1} / {m1}")


def ins_1(
    receipt: WriteOffReceipt, before: LedgerTotals, unrealized: UnrealizedTotals
) -> Violation | None:
    """INS-1: the receipt adds up, and a tranche is used only after those before it.

    ``before`` are the totals before the call, ``unrealized`` those that it refreshed.
    """
    r = receipt
    parts = (r.insurance, r.backstop, r.pool, r.junior)
    if sum(parts) != r.debt or min(parts) < 0:
        return Violation("INS-1", f"{r} does not add up")
    if r.insurance != min(r.debt, before.insurance_cash):
        return Violation("INS-1", f"{r}: insurance held {before.insurance_cash}")
    # What the pool's providers still own once the insurance has paid in; h bears the rest.
    lacking = before.claims + unrealized.positive - before.pool_cash - r.insurance
    if r.junior != min(r.debt - r.insurance - r.backstop, max(lacking, 0)):
        return Violation("INS-1", f"{r}: junior profit lacks {lacking}")
    return None


def vlt_1(world: Compartment[Any, Any]) -> Violation | None:
    """VLT-1, the values' part: entering is never cheaper than leaving."""
    to_enter, to_leave = world.liquidity_vault.net_asset_value()
    if to_enter < to_leave:
        return Violation("VLT-1", f"pool: to enter {to_enter} < to leave {to_leave}")
    return None
