"""The invariants of the design, evaluated on the state and events of one block of a live chain.

They share no code with the contracts' twin in ``bulkhead.model``: a second opinion, made from what
any outsider can see: the lens, the receipts, and calls that are only simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bulkhead.agents.view import WAD, AccountState, CompartmentState
from bulkhead.scenarios.ledger import Conversion, LedgerReplay, WriteOff

DESCRIPTIONS = {
    "CUS-1": "custody covers principal, pool, insurance and fees, and every booked collateral",
    "CUS-2": "tokens leave custody only to those whom the ledger pays in the same transaction",
    "LED-1": "nobody's cash or collateral falls but by her own act or her liquidation",
    "LED-2": "principal is backed by custody less insurance and fees",
    "LED-3": "the haircut ratio is within 0 and 1, and no conversion lowers it",
    "PNL-1": "all positions' unrealised profit adds up to the market's, within 1 wei per account",
    "PNL-2": "a round trip, simulated on the latest block, does not profit",
    "LIQ-1": "healthy accounts cannot be liquidated, unhealthy ones can",
    "INS-1": "every write-off's receipt adds up and uses the tranches in order",
    "GRD-1": "no deposit or reduction is refused below a halt, and no halt outlasts its maximum",
    "EVT-1": "the events alone rebuild every account and every pot",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken invariant: its id, the block, and the numbers."""

    invariant: str
    block: int
    message: str


@dataclass(slots=True)
class InvariantLog:
    """What was checked, how often, and what broke.

    Attributes:
        checks: number of checks by id.
        violations: in the order in which they were found.
    """

    checks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DESCRIPTIONS, 0))
    violations: list[Violation] = field(default_factory=list)

    def require(self, invariant: str, block: int, holds: bool, message: str) -> None:
        """Count a check and remember it if it failed."""
        self.checks[invariant] += 1
        if not holds:
            self.violations.append(Violation(invariant, block, message))

    def counted(self, invariant: str, number: int) -> None:
        """Count checks that are part of one that was recorded."""
        self.checks[invariant] += number

    @property
    def results(self) -> dict[str, str]:
        """``held``, ``broken`` or ``not checked`` by id."""
        broken = {v.invariant for v in self.violations}
        return {
            name: "broken" if name in broken else "held" if count else "not checked"
            for name, count in self.checks.items()
        }


@dataclass(frozen=True, slots=True)
class TransactionEvents:
    """The decoded events of one successful transaction, and who sent it."""

    sender: str
    events: Sequence[Any]


def check_custody(log: InvariantLog, block: int, c: CompartmentState) -> None:
    """CUS-1 and LED-2 on the state after a block."""
    log.require(
        "CUS-1",
        block,
        c.custody_surplus >= 0,
        f"custody is {-c.custody_surplus} WAD short of P + L + I + F",
    )
    for i, token in enumerate(c.collaterals):
        log.require(
            "CUS-1",
            block,
            token.custody_tokens >= token.booked_tokens,
            f"collateral {i + 1}: {token.custody_tokens} in custody, {token.booked_tokens} booked",
        )
    backing = c.custody_surplus + c.principal + c.pool_cash
    log.require(
        "LED-2", block, c.principal <= backing, f"principal {c.principal}, backed by {backing}"
    )


def check_haircut(
    log: InvariantLog, block: int, c: CompartmentState, conversions: Sequence[Conversion]
) -> None:
    """LED-3: h after the block, and every conversion in it."""
    log.require("LED-3", block, 0 <= c.haircut_ratio <= WAD, f"h is {c.haircut_ratio}")
    for x in conversions:
        covered = x.junior_before <= x.pool_before
        due = x.amount if covered else x.amount * x.pool_before // x.junior_before
        pool, junior = x.pool_before - x.paid, x.junior_before - x.amount
        # min(1, L/(J+U)) after ≥ before, without dividing.
        not_lower = pool >= junior or (
            not covered and pool * x.junior_before >= x.pool_before * junior
        )
        log.require(
            "LED-3",
            block,
            x.paid == due and not_lower,
            f"converting {x.amount} paid {x.paid}, due {due}; L {x.pool_before}, "
            f"J + U {x.junior_before}",
        )


def check_unrealized(
    log: InvariantLog, block: int, c: CompartmentState, accounts: Sequence[AccountState]
) -> None:
    """PNL-1: unrealised profit and open interest over all accounts against the market's sums."""
    for market in c.markets:
        positions = [p for a in accounts for p in a.positions if p.market == market.market]
        total = sum(p.unrealized_pnl for p in positions)
        log.require(
            "PNL-1",
            block,
            abs(market.unrealized_pnl - total) <= len(positions),
            f"market {market.market}: U is {market.unrealized_pnl}, Σ uPnL {total} over "
            f"{len(positions)} positions",
        )
        longs = sum(p.size for p in positions if p.size > 0)
        shorts = -sum(p.size for p in positions if p.size < 0)
        log.require(
            "PNL-1",
            block,
            (longs, shorts) == (market.open_interest_long, market.open_interest_short),
            f"market {market.market}: sizes add up to {longs} / {shorts}, open interest is "
            f"{market.open_interest_long} / {market.open_interest_short}",
        )


def check_write_offs(
    log: InvariantLog,
    block: int,
    c: CompartmentState,
    write_offs: Sequence[WriteOff],
    insurance: int,
) -> None:
    """INS-1: receipts add up, and a later tranche is used only when the earlier is empty.

    Args:
        insurance: WAD of insurance cash if it paid what its receipts say and nothing else.
    """
    log.require(
        "INS-1",
        block,
        c.insurance_cash == insurance,
        f"insurance cash is {c.insurance_cash}, by its receipts {insurance}",
    )
    for w in write_offs:
        total = w.insurance + w.backstop + w.pool + w.junior
        rest = w.debt - w.insurance
        log.require(
            "INS-1",
            block,
            total == w.debt == w.debt_before
            and w.insurance == min(w.debt, w.insurance_before)
            and w.junior == min(rest, w.junior_lacking),
            f"account 0x{w.account.hex()}: debt {w.debt} (ledger {w.debt_before}), insurance "
            f"{w.insurance} of {w.insurance_before}, backstop {w.backstop}, pool {w.pool}, "
            f"junior {w.junior} of {w.junior_lacking}",
        )


_LOWERING = {
    "Withdrawn",
    "LossApplied",
    "FeeCharged",
    "Converted",
    "CollateralSeized",
    "CollateralForfeited",
}


def check_attribution(
    log: InvariantLog, block: int, transactions: Sequence[TransactionEvents], engine: str
) -> None:
    """LED-1: whose account fell in each transaction, against who sent it and who was liquidated."""
    for transaction in transactions:
        liquidated = {
            e.args.account
            for e in transaction.events
            if e.name in ("Liquidated", "AuctionTaken", "BadDebtWrittenOff")
        }
        sender = bytes.fromhex(transaction.sender[2:])
        for event in transaction.events:
            if event.name not in _LOWERING or event.address != engine:
                continue
            account: bytes = event.args.account
            log.require(
                "LED-1",
                block,
                account[:20] == sender or account in liquidated,
                f"{event.name} lowered account 0x{account.hex()} in a transaction of "
                f"{transaction.sender}",
            )


def check_payments(
    log: InvariantLog,
    block: int,
    transactions: Sequence[TransactionEvents],
    vault: str,
    tokens: Mapping[int, str],
    engine: str,
) -> None:
    """CUS-2: token transfers out of custody against what the ledger paid in the transaction.

    Args:
        tokens: token address by collateral id, 0 the settlement token.
    """
    for transaction in transactions:
        left: list[tuple[str, str, int]] = []
        paid: list[tuple[str, str, int]] = []
        vault_payouts = [e for e in transaction.events if e.name == "Withdraw"]
        for event in transaction.events:
            a = event.args
            if event.name == "Transfer" and a[0] == vault:
                left.append((event.address, a[1], a[2]))
            elif event.name in ("Withdrawn", "CollateralSeized") and event.address == engine:
                paid.append((tokens[a.collateral], a.receiver, a.amountTokens))
        paid += [(tokens[0], e.args.receiver, e.args.assets) for e in vault_payouts]
        log.require(
            "CUS-2",
            block,
            sorted(left) == sorted(paid),
            f"left custody: {sorted(left)}; paid by the ledger: {sorted(paid)}",
        )


_ALWAYS_ALLOWED = {"add margin", "reduce position", "take profit"}
_HALT = 4


def check_breaker(
    log: InvariantLog,
    block: int,
    outcomes: Sequence[Any],
    highest_tier: int,
    halted_seconds: int,
    max_halt: int,
) -> None:
    """GRD-1: no halt outlasts its maximum, and below one the breaker lets everybody reduce risk.

    Args:
        outcomes: of the block's transactions, with ``transaction.purpose`` and ``error``.
        highest_tier: that held at any time during the block.
        halted_seconds: how long the running halt has lasted; 0 if there is none.
        max_halt: seconds.
    """
    log.require(
        "GRD-1",
        block,
        halted_seconds < max_halt,
        f"halted for {halted_seconds} s, the maximum is {max_halt}",
    )
    for outcome in outcomes:
        if outcome.transaction.purpose in _ALWAYS_ALLOWED:
            log.require(
                "GRD-1",
                block,
                outcome.error != "CircuitBreaker_Blocked" or highest_tier >= _HALT,
                f"{outcome.transaction.purpose} was refused in tier {highest_tier}",
            )


def check_replay(
    log: InvariantLog,
    block: int,
    c: CompartmentState,
    accounts: Sequence[AccountState],
    replay: LedgerReplay,
) -> None:
    """EVT-1: pots and accounts as the events say, against the chain."""
    chain = {
        "principal": c.principal,
        "pool": c.pool_cash,
        "insurance": c.insurance_cash,
        "fees": c.fee_reserve,
        "debt": c.debt,
        "claims": c.claims,
    }
    for pot, amount in chain.items():
        log.require(
            "EVT-1",
            block,
            replay.pots[pot] == amount,
            f"{pot}: chain {amount}, events {replay.pots[pot]}",
        )
    wrong = None
    for a in accounts:
        entry = replay.entry(a.account)
        held = tuple(entry.collateral.get(i + 1, 0) for i in range(len(a.collateral_tokens)))
        if (a.booked_cash, a.claim, a.collateral_tokens) != (entry.cash, entry.claim, held):
            wrong = (
                f"account 0x{a.account.hex()}: chain cash {a.booked_cash} claim {a.claim} "
                f"collateral {a.collateral_tokens}, events {entry.cash} {entry.claim} {held}"
            )
            # A fall that no event explains is a fall that nobody answers for.
            fallen = a.booked_cash < entry.cash or any(
                x < y for x, y in zip(a.collateral_tokens, held, strict=True)
            )
            if fallen:
                log.require("LED-1", block, False, wrong)
            break
    log.require("EVT-1", block, wrong is None, wrong or "")
    log.counted("EVT-1", max(0, len(accounts) - 1))
    sums = {
        "principal": sum(max(0, a.cash) for a in accounts),
        "debt": sum(a.booked_debt for a in accounts),
        "claims": sum(a.claim for a in accounts),
    }
    for pot, amount in sums.items():
        log.require(
            "LED-2",
            block,
            amount == chain[pot],
            f"{pot}: accounts add up to {amount}, the ledger says {chain[pot]}",
        )
