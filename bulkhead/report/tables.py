"""Tables of a run: rows of numbers, for the page and for the terminal alike."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.report.record import RunRecord

POTS = ("principal", "pool", "insurance", "fees")
OPENING, CLOSING, SURPLUS = "opening balance", "closing balance", "surplus"
WATERFALL = (
    ("total", "losses, fees and interest of all traders"),
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
    """One row of the double entry. Amounts in WAD.

    Attributes:
        label: what moved.
        pots: P, L, I, F.
        total: all four together: what entered or left custody.
        debt, claims: D and J, which are promises and not cash.
        is_sum: a balance, not a movement.
    """

    label: str
    pots: tuple[int, int, int, int]
    total: int
    debt: int = 0
    claims: int = 0
    is_sum: bool = False


def ledger_rows(record: RunRecord) -> list[LedgerRow]:
    """Return opening balance, every movement, closing balance, surplus and custody."""
    rows: list[LedgerRow] = []
    for name, flow in record.flows.items():
        if name == SURPLUS:
            continue
        principal, pool, insurance, fees = (int(flow.get(pot, "0")) for pot in POTS)
        debt, claims = int(flow.get("debt", "0")), int(flow.get("claims", "0"))
        pots = (principal, pool, insurance, fees)
        is_sum = name in (OPENING, CLOSING)
        if is_sum or any(pots) or debt or claims:
            rows.append(LedgerRow(name, pots, sum(pots), debt, claims, is_sum))
    if rows and SURPLUS in record.flows:
        surplus = int(record.flows[SURPLUS]["custody"])
        rows.append(LedgerRow("surplus (rounding)", (0, 0, 0, 0), surplus))
        closing = next(r.total for r in rows if r.label == CLOSING)
        rows.append(LedgerRow("tokens in custody", (0, 0, 0, 0), closing + surplus, is_sum=True))
    return rows


def waterfall_rows(record: RunRecord) -> list[tuple[str, str, int]]:
    """Return name, label and WAD of each tranche that was used, the total first."""
    amounts = {name: int(text) for name, text in record.losses.items()}
    return [
        (name, label, amounts[name])
        for name, label in WATERFALL
        if name in amounts and (amounts[name] or name in ("total", "nobody"))
    ]


COLLATERAL_COLUMNS = (
    "opening",
    "deposited",
    "withdrawn",
    "auctioned",
    "forfeited",
    "closing",
    "custody",
)


def collateral_rows(record: RunRecord) -> list[tuple[str, list[str]]]:
    """Return a token's symbol and its amounts by ``COLLATERAL_COLUMNS``, in whole tokens."""
    return [
        (
            str(row["token"]),
            [
                money(int(row[column]) * 10 ** (18 - int(row["decimals"])), 4)
                for column in COLLATERAL_COLUMNS
            ],
        )
        for row in record.collateral
    ]


def money(wad: int, decimals: int = 2) -> str:
    """Return WAD as settlement units with thousands separators, rounded to 0 … 18 decimals."""
    unit = 10**decimals
    rounded = (abs(wad) * unit + WAD // 2) // WAD
    sign = "−" if wad < 0 and rounded else ""
    fraction = f".{rounded % unit:0{decimals}d}" if decimals else ""
    return f"{sign}{rounded // unit:,}{fraction}"


def exact(wad: int) -> str:
    """Return WAD as settlement units in full: nothing rounded, no exponent."""
    sign = "-" if wad < 0 else ""
    whole, rest = divmod(abs(wad), WAD)
    return f"{sign}{whole}" + (f".{rest:018d}".rstrip("0") if rest else "")
