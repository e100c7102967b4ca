"""The clearing ledger rebuilt from events alone, in double entry.

Every movement is booked in a row of its own with one column per pot, so that at the end a reader
can see where every unit went: a row inside the compartment sums to zero over the four cash pots, a
row that crosses its border to what entered or left custody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

WAD = 10**18
CASH_POTS = ("principal", "pool", "insurance", "fees")
"""P, L, I and F: what custody must cover."""
POTS = (*CASH_POTS, "debt", "claims")

# Rows that cross the border of custody come first.
DEPOSITS = "traders' deposits"
WITHDRAWALS = "traders' withdrawals"
POOL_IN = "liquidity deposits"
POOL_OUT = "liquidity withdrawals"
INSURANCE_IN = "insurance deposits"
INSURANCE_OUT = "insurance withdrawals"
AUCTIONS = "auction payments"
LOSSES = "trading losses"
PROFITS = "trading profits"
FEES = "fees and penalties"
REWARDS = "keeper rewards"
REBATES = "rebates"
FEES_SHARED = "fees passed on"
CONVERSIONS = "profit converted"
INTEREST = "interest on debt"
WRITE_OFFS = "bad debt written off"
BORDER_ROWS = (
    DEPOSITS,
    WITHDRAWALS,
    POOL_IN,
    POOL_OUT,
    INSURANCE_IN,
    INSURANCE_OUT,
    AUCTIONS,
)
INNER_ROWS = (
    LOSSES,
    PROFITS,
    FEES,
    REWARDS,
    REBATES,
    FEES_SHARED,
    CONVERSIONS,
    INTEREST,
    WRITE_OFFS,
)
ROWS = BORDER_ROWS + INNER_ROWS
COLLATERAL_ROWS = ("deposited", "withdrawn", "auctioned", "forfeited")


@dataclass(slots=True)
class Entry:
    """One account by the events: WAD cash and claim, raw token units by collateral id."""

    cash: int = 0
    claim: int = 0
    collateral: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A receipt as emitted, WAD, and what the ledger held just before."""

    account: bytes
    debt: int
    insurance: int
    backstop: int
    pool: int
    junior: int
    debt_before: int
    insurance_before: int
    junior_lacking: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion, WAD: claim burned, cash paid, and pool cash and junior claims just before."""

    account: bytes
    amount: int
    paid: int
    pool_before: int
    junior_before: int


@dataclass(slots=True)
class LossSplit:
    """How losses and fees of all accounts were met, and what became of the debt. WAD."""

    from_claim: int = 0
    from_cash: int = 0
    to_debt: int = 0
    repaid_by_auction: int = 0
    repaid_by_owner: int = 0
    forgiven_by_profit: int = 0
    interest: int = 0


class LedgerReplay:
    """Applies the margin engine's events one by one.

    Args:
        margin_engine: address whose events count.
        token_scale: WAD per raw unit of the settlement token (10^12 for six decimals).
    """

    def __init__(self, margin_engine: str, token_scale: int) -> None:
        self._address = margin_engine
        self._scale = token_scale
        self.accounts: dict[bytes, Entry] = {}
        self.pots = dict.fromkeys(POTS, 0)
        self.flows: dict[str, dict[str, int]] = {row: dict.fromkeys(POTS, 0) for row in ROWS}
        self.collateral_flows: dict[int, dict[str, int]] = {}
        self.unrealized_positive = 0
        self.losses = LossSplit()
        self.write_offs: list[WriteOff] = []
        self.conversions: list[Conversion] = []

    @property
    def cash_total(self) -> int:
        """WAD that custody must cover: P + L + I + F."""
        return sum(self.pots[pot] for pot in CASH_POTS)

    def entry(self, account: bytes) -> Entry:
        """Return an account's entry, a new one if it was never seen."""
        return self.accounts.setdefault(account, Entry())

    def apply_all(self, events: Iterable[Any]) -> None:
        """Apply decoded events in their order; those of other contracts are passed over."""
        for event in events:
            if event.address == self._address:
                handler = getattr(self, f"_on_{event.name}", None)
                if handler is not None:
                    handler(event.args)

    def close_books(self) -> None:
        """Start the flows anew: what the pots hold now is the opening balance."""
        self.flows = {row: dict.fromkeys(POTS, 0) for row in ROWS}
        self.collateral_flows = {}
        self.losses = LossSplit()

    def booked_collateral(self, collateral: int) -> int:
        """Return the raw token units of a collateral that all accounts hold together."""
        return sum(entry.collateral.get(collateral, 0) for entry in self.accounts.values())

    # ------------------------------------------------------------------ booking

    def _book(self, row: str, **amounts: int) -> None:
        flow = self.flows[row]
        for pot, amount in amounts.items():
            flow[pot] += amount
            self.pots[pot] += amount

    def _credit(self, row: str, account: bytes, amount: int, repaid: int) -> None:
        """Cash arrives for an account, which repays its debt to the pool first."""
        self.entry(account).cash += amount
        self._book(row, principal=amount - repaid, pool=repaid, debt=-repaid)

    def _move_collateral(self, row: str, e: Any, amount: int) -> None:
        held = self.entry(e.account).collateral
        held[e.collateral] = held.get(e.collateral, 0) + amount
        flow = self.collateral_flows.setdefault(e.collateral, dict.fromkeys(COLLATERAL_ROWS, 0))
        flow[row] += amount

    # ------------------------------------------------------------------ events

    def _on_Deposited(self, e: Any) -> None:  # noqa: N802
        if e.collateral:
            self._move_collateral("deposited", e, e.amountTokens)
        else:
            self._credit(DEPOSITS, e.account, e.amountTokens * self._scale, e.debtRepaid)
            self.losses.repaid_by_owner += e.debtRepaid

    def _on_Withdrawn(self, e: Any) -> None:  # noqa: N802
        if e.collateral:
            self._move_collateral("withdrawn", e, -e.amountTokens)
        else:
            amount = e.amountTokens * self._scale
            self.entry(e.account).cash -= amount
            self._book(WITHDRAWALS, principal=-amount)

    def _on_Transferred(self, e: Any) -> None:  # noqa: N802
        source, to = self.entry(e[0]), self.entry(e.to)
        if e.collateral:
            source.collateral[e.collateral] -= e.amountTokens
            to.collateral[e.collateral] = to.collateral.get(e.collateral, 0) + e.amountTokens
            return
        source.cash -= e.amountTokens * self._scale
        to.cash += e.amountTokens * self._scale
        # Of the four only what repays a debt moves, as by a deposit of the owner's.
        self._book(DEPOSITS, principal=-e.debtRepaid, pool=e.debtRepaid, debt=-e.debtRepaid)
        self.losses.repaid_by_owner += e.debtRepaid

    def _on_CollateralSeized(self, e: Any) -> None:  # noqa: N802
        self._move_collateral("auctioned", e, -e.amountTokens)

    def _on_CollateralForfeited(self, e: Any) -> None:  # noqa: N802
        # Dust of a bankrupt account: it stays in custody and belongs to nobody.
        self._move_collateral("forfeited", e, -e.amountTokens)

    def _on_AuctionProceedsCredited(self, e: Any) -> None:  # noqa: N802
        self._credit(AUCTIONS, e.account, e.amountTokens * self._scale, e.debtRepaid)
        self.losses.repaid_by_auction += e.debtRepaid

    def _on_KeeperRewarded(self, e: Any) -> None:  # noqa: N802
        self._pay_out(REWARDS, e)

    def _on_RebatePaid(self, e: Any) -> None:  # noqa: N802
        self._pay_out(REBATES, e)

    def _pay_out(self, row: str, e: Any) -> None:
        """Cash for an account out of the fee reserve."""
        self._credit(row, e.account, e.amount, e.debtRepaid)
        self._book(row, fees=-e.amount)
        self.losses.repaid_by_owner += e.debtRepaid

    def _on_OrderFeeEscrowed(self, e: Any) -> None:  # noqa: N802
        self.entry(e.account).cash -= e.fee
        self._book(FEES, principal=-e.fee, fees=e.fee)

    def _on_ProfitApplied(self, e: Any) -> None:  # noqa: N802
        entry = self.entry(e.account)
        entry.cash += e.debtForgiven
        entry.claim += e.claimed
        self._book(PROFITS, debt=-e.debtForgiven, claims=e.claimed)
        self.losses.forgiven_by_profit += e.debtForgiven

    def _on_LossApplied(self, e: Any) -> None:  # noqa: N802
        self._charge(LOSSES, e)
        self._book(LOSSES, pool=e.fromCash)

    def _on_FeeCharged(self, e: Any) -> None:  # noqa: N802
        self._charge(FEES, e)
        self._book(FEES, fees=e.fromCash)
        passed_on = e.toInsurance + e.toPool
        self._book(FEES_SHARED, insurance=e.toInsurance, pool=e.toPool, fees=-passed_on)

    def _charge(self, row: str, e: Any) -> None:
        entry = self.entry(e.account)
        entry.cash -= e.fromCash + e.toDebt
        entry.claim -= e.fromClaim
        self._book(row, principal=-e.fromCash, debt=e.toDebt, claims=-e.fromClaim)
        self.losses.from_claim += e.fromClaim
        self.losses.from_cash += e.fromCash
        self.losses.to_debt += e.toDebt

    def _on_Converted(self, e: Any) -> None:  # noqa: N802
        junior = self.pots["claims"] + self.unrealized_positive
        self.conversions.append(Conversion(e.account, e.amount, e.paid, self.pots["pool"], junior))
        entry = self.entry(e.account)
        entry.claim -= e.amount
        entry.cash += e.paid
        # An account with a claim has no debt, so all of it is principal.
        self._book(CONVERSIONS, principal=e.paid, pool=-e.paid, claims=-e.amount)

    def _on_InterestAccrued(self, e: Any) -> None:  # noqa: N802
        self.entry(e.account).cash -= e.interest
        self._book(INTEREST, debt=e.interest)
        self.losses.interest += e.interest

    def _on_PoolCashChanged(self, e: Any) -> None:  # noqa: N802
        self._book(POOL_IN if e.delta > 0 else POOL_OUT, pool=e.delta)

    def _on_InsuranceCashChanged(self, e: Any) -> None:  # noqa: N802
        self._book(INSURANCE_IN if e.delta > 0 else INSURANCE_OUT, insurance=e.delta)

    def _on_UnrealizedReported(self, e: Any) -> None:  # noqa: N802
        self.unrealized_positive = e.positiveTotal

    def _on_BadDebtWrittenOff(self, e: Any) -> None:  # noqa: N802
        r = e.receipt
        entry = self.entry(e.account)
        junior = self.pots["claims"] + self.unrealized_positive
        self.write_offs.append(
            WriteOff(
                account=e.account,
                debt=r.debt,
                insurance=r.insurance,
                backstop=r.backstop,
                pool=r.pool,
                junior=r.junior,
                debt_before=max(0, -entry.cash),
                insurance_before=self.pots["insurance"],
                junior_lacking=max(0, junior - self.pots["pool"] - r.insurance),
            )
        )
        entry.cash += r.debt
        self._book(WRITE_OFFS, insurance=-r.insurance, pool=r.insurance, debt=-r.debt)
