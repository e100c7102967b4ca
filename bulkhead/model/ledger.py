"""Twin of ``Ledger``: the clearing ledger as arithmetic on copies in memory.

Every function changes the totals ``t`` and one account's entry ``a`` in place; amounts are WAD of
the settlement token, ``now`` Unix seconds. Casts and checked arithmetic raise as the packed types
do: ``SafeCastOverflow`` where a value does not fit, ``Panic`` 0x11 where a sum leaves its type.
"""

from __future__ import annotations

from bulkhead.model.math import (
    checked_int,
    checked_uint,
    mul_div_down,
    mul_div_up,
    mul_down,
    to_int,
    to_uint,
)
from bulkhead.model.types import (
    AccountLedger,
    ChargeSplit,
    LedgerTotals,
    UnrealizedTotals,
    WriteOffReceipt,
)

_UINT40 = (1 << 40) - 1


def credit(t: LedgerTotals, a: AccountLedger, amount: int) -> int:
    """Book cash that arrived for an account, its debt first; return the debt repaid."""
    repaid = min(debt_of(a), amount)
    t.debt = _less(t.debt, repaid)
    t.pool_cash = _more(t.pool_cash, repaid)
    t.principal = _more(t.principal, amount - repaid)
    a.cash = checked_int(a.cash + to_int(to_int(amount), 128), 128)
    return repaid


def debit(t: LedgerTotals, a: AccountLedger, amount: int) -> None:
    """Take cash out of an account that holds it."""
    t.principal = _less(t.principal, amount)
    a.cash = checked_int(a.cash - to_int(to_int(amount), 128), 128)


def apply_loss(t: LedgerTotals, a: AccountLedger, loss: int, now: int) -> ChargeSplit:
    """Book a realised loss: burn claim, move cash to the pool, owe the rest."""
    from_claim = min(loss, a.claim)
    burn_claim(t, a, from_claim, now)
    from_cash = min(loss - from_claim, principal_of(a))
    debit(t, a, from_cash)
    t.pool_cash = _more(t.pool_cash, from_cash)
    to_debt = loss - from_claim - from_cash
    _owe(t, a, to_debt)
    return ChargeSplit(from_claim, from_cash, to_debt)


def apply_fee(t: LedgerTotals, a: AccountLedger, fee: int, now: int) -> ChargeSplit:
    """Book a fee: cash goes to the fee reserve; what it does not cover is a loss."""
    from_cash = min(fee, principal_of(a))
    debit(t, a, from_cash)
    t.fee_reserve = _more(t.fee_reserve, from_cash)
    from_claim = min(fee - from_cash, a.claim)
    burn_claim(t, a, from_claim, now)
    to_debt = fee - from_cash - from_claim
    _owe(t, a, to_debt)
    return ChargeSplit(from_claim, from_cash, to_debt)


def distribute(
    t: LedgerTotals, amount: int, insurance_share: int, pool_share: int
) -> tuple[int, int]:
    """Move fresh cash of the fee reserve to insurance and pool by their shares; return both."""
    to_insurance = mul_down(amount, insurance_share)
    to_pool = mul_down(amount, pool_share)
    t.fee_reserve = _less(t.fee_reserve, to_insurance + to_pool)
    t.insurance_cash = _more(t.insurance_cash, to_insurance)
    t.pool_cash = _more(t.pool_cash, to_pool)
    return to_insurance, to_pool


def apply_profit(
    t: LedgerTotals, a: AccountLedger, profit: int, period: int, now: int
) -> tuple[int, int]:
    """Book a realised profit; return the debt forgiven and the claim added.

    The unvested part vests over the amount-weighted mean of its remaining times, rounded up;
    ``period`` in seconds is the new profit's.
    """
    repaid = min(debt_of(a), profit)
    t.debt = _less(t.debt, repaid)
    a.cash = checked_int(a.cash + to_int(to_int(repaid), 128), 128)
    claimed = profit - repaid
    if claimed == 0:
        return repaid, claimed

    unvested = unvested_of(a, now)
    remaining = max(0, a.vesting_ends_at - now)
    weighted = checked_uint(unvested * remaining + claimed * period)
    merged = mul_div_up(weighted, 1, unvested + claimed)
    a.unvested = to_uint(unvested + claimed, 128)
    a.vesting_updated_at = now & _UINT40
    a.vesting_ends_at = (now + merged) & _UINT40
    a.claim = _more(a.claim, claimed)
    t.claims = _more(t.claims, claimed)
    return repaid, claimed


def convert(t: LedgerTotals, a: AccountLedger, u: UnrealizedTotals, amount: int) -> int:
    """Burn matured claim and return the cash paid for it: ⌊amount · h⌋."""
    paid = haircut(t, u, amount)
    burn_matured(t, a, amount)
    t.pool_cash = _less(t.pool_cash, paid)
    credit(t, a, paid)
    return paid


def write_off(t: LedgerTotals, a: AccountLedger, u: UnrealizedTotals) -> WriteOffReceipt:
    """Write off an account's debt: insurance, then the pool's equity, then junior claims."""
    debt = debt_of(a)
    insurance = min(debt, t.insurance_cash)
    t.insurance_cash = _less(t.insurance_cash, insurance)
    t.pool_cash = _more(t.pool_cash, insurance)
    t.debt = _less(t.debt, debt)
    a.cash = 0

    rest = debt - insurance
    lacking = max(0, t.claims + u.positive - t.pool_cash)
    junior = min(rest, lacking)
    return WriteOffReceipt(debt, insurance, 0, rest - junior, junior)


def burn_claim(t: LedgerTotals, a: AccountLedger, amount: int, now: int) -> None:
    """Burn claim, the unvested part first."""
    if amount == 0:
        return
    unvested = unvested_of(a, now)
    a.unvested = to_uint(unvested - min(unvested, amount), 128)
    a.vesting_updated_at = now & _UINT40
    a.claim = _less(a.claim, amount)
    t.claims = _less(t.claims, amount)


def burn_matured(t: LedgerTotals, a: AccountLedger, amount: int) -> None:
    """Burn claim that has matured; what has not goes on vesting as it did."""
    a.claim = _less(a.claim, amount)
    t.claims = _less(t.claims, amount)


def principal_of(a: AccountLedger) -> int:
    """Return max(cash, 0)."""
    return max(a.cash, 0)


def debt_of(a: AccountLedger) -> int:
    """Return max(−cash, 0)."""
    return max(-a.cash, 0)


def unvested_of(a: AccountLedger, now: int) -> int:
    """Return the part of the claim that has not vested, rounded up."""
    if now >= a.vesting_ends_at:
        return 0
    span = checked_uint(a.vesting_ends_at - a.vesting_updated_at, 40)
    return mul_div_up(a.unvested, a.vesting_ends_at - now, span)


def matured_of(a: AccountLedger, now: int) -> int:
    """Return the part of the claim that may be converted."""
    return checked_uint(a.claim - unvested_of(a, now))


def haircut(t: LedgerTotals, u: UnrealizedTotals, amount: int) -> int:
    """Return ⌊amount · min(1, L / (J + U⁺))⌋."""
    return share_of(amount, t.pool_cash, t.claims + u.positive)


def share_of(amount: int, pool_cash: int, junior: int) -> int:
    """Return ⌊amount · min(1, pool_cash / junior)⌋."""
    return amount if junior <= pool_cash else mul_div_down(amount, pool_cash, junior)


def _owe(t: LedgerTotals, a: AccountLedger, amount: int) -> None:
    t.debt = _more(t.debt, amount)
    a.cash = checked_int(a.cash - to_int(to_int(amount), 128), 128)


def _more(total: int, amount: int) -> int:
    return checked_uint(total + to_uint(amount, 128), 128)


def _less(total: int, amount: int) -> int:
    return checked_uint(total - to_uint(amount, 128), 128)
