"""Tables of a run: rows of numbers, for the page and for the terminal alike."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.report.record import RunRecord

POTS = ("principal", "pool", "insurance", "fees")
OPENING, CLOSING, SURPLUS = "opening balance", "closing balance", "surplus"
WATERFALL = (
    ("total", "losses and fees of all traders"),
    ("from_claim", "their own profit claims"),
    ("from_cash", "their own cash"),
    ("forgiven_by_profit", "their own later profits"),
    ("repaid_by_owner", "repaid by themselves"),
    ("repaid_by_auction", "their collateral at auction"),
    ("outstanding", "still owed, with collateral left"),
    ("insurance", "insurance fund"),
    ("backstop", "backstop"),
    ("pool", "liquidity providers"),
    ("junior", "junior profit, through h"),
    ("nobody", "unexplained"),
)
"""What losses were met with, in the order of the waterfall; all but the first add up to it."""
WAD = 10**18


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of the double entry. Amounts in WAD: P, L, I, F, and all of them together."""

    label: str
    pots: tuple[int, int, int, int]
    total: int
    is_sum: bool = False


def ledger_rows(record: RunRecord) -> list[LedgerRow]:
    """Return opening balance, every movement, closing balance, surplus and custody."""
    rows: list[LedgerRow] = []
    for name, flow in record.flows.items():
        if name == SURPLUS:
            continue
        pots = tuple(int(flow.get(pot, "0")) for pot in POTS)
        if name in (OPENING, CLOSING) or any(pots):
            row = LedgerRow(name, pots, sum(pots), name in (OPENING, CLOSING))  # type: ignore[arg-type]
            rows.append(row)
    if rows and SURPLUS in record.flows:
        surplus = int(record.flows[SURPLUS]["custody"])
        rows.append(LedgerRow("surplus: rounding, in nobody's favour", (0, 0, 0, 0), surplus))
        closing = next(r.total for r in rows if r.label == CLOSING)
        rows.append(LedgerRow("tokens in custody", (0, 0, 0, 0), closing + surplus, True))
    return rows


def waterfall_rows(record: RunRecord) -> list[tuple[str, int]]:
    """Return label and WAD of each tranche that was used, the total first."""
    amounts = {name: int(text) for name, text in record.losses.items()}
    return [
        (label, amounts[name])
        for name, label in WATERFALL
        if name in amounts and (amounts[name] or name in ("total", "nobody"))
    ]


def money(wad: int) -> str:
    """Return WAD as settlement units with thousands separators and two decimals."""
    sign = "−" if wad < 0 else ""
    cents = (abs(wad) * 100 + WAD // 2) // WAD
    return f"{sign}{cents // 100:,}.{cents % 100:02d}"


def exact(wad: int) -> str:
    """Return WAD as settlement units in full: nothing rounded, no exponent."""
    sign = "-" if wad < 0 else ""
    whole, rest = divmod(abs(wad), WAD)
    return f"{sign}{whole}" + (f".{rest:018d}".rstrip("0") if rest else "")
