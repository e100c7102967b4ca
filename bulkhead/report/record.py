"""What a run leaves behind: the only thing that figures, page and tables are made from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bulkhead.report.files import write_json

SUMMARY_FILE = "summary.json"
SERIES_FILE = "series.json"
REPORT_FILE = "report.html"
FORMAT = 1

COLUMNS = {
    "block": "block number",
    "step": "scenario step",
    "hours": "hours of chain time since the first block",
    "eth_outside": "outside price of ETH, settlement units",
    "eth_index": "index price of ETH-PERP",
    "eth_mark": "mark price of ETH-PERP",
    "eth_pool": "spot price in the WETH/USDB pool",
    "btc_outside": "outside price of BTC",
    "btc_index": "index price of BTC-PERP",
    "ratio_outside": "outside price of the LST as a fraction of fair value",
    "ratio_spot": "spot price in the LST/WETH pool as a fraction of fair value",
    "ratio_market": "market price that the peg monitor recorded, as a fraction of fair value",
    "ratio_maintenance": "valuation for maintenance as a fraction of fair value",
    "ratio_initial": "valuation for initial margin as a fraction of fair value",
    "stress": "peg stress, 0 to 1",
    "queue_days": "waiting time of the redemption queue, days",
    "oi_long": "open long interest of all markets, settlement units at the index",
    "oi_short": "open short interest of all markets, settlement units at the index",
    "premium": "premium of ETH-PERP, a fraction",
    "funding_rate": "funding rate of ETH-PERP per day, a fraction",
    "btc_premium": "premium of BTC-PERP, a fraction",
    "btc_funding_rate": "funding rate of BTC-PERP per day, a fraction",
    "health_negative": "accounts with negative equity",
    "health_below_1": "accounts with health from 0 to 1: liquidatable",
    "health_below_1_5": "accounts with health from 1 to 1.5",
    "health_below_3": "accounts with health from 1.5 to 3",
    "health_below_6": "accounts with health from 3 to 6",
    "health_above_6": "accounts with health of 6 or more",
    "health_median": "median health ratio, at most 20",
    "accounts_open": "accounts with positions or debt",
    "accounts_unhealthy": "accounts below their maintenance margin",
    "liquidations": "positions liquidated in the block",
    "liquidated_notional": "their notional, settlement units",
    "auctions_started": "auctions started in the block",
    "auctions_taken": "purchases from auctions in the block",
    "auction_payments": "paid for them, settlement units",
    "write_offs": "accounts written off in the block",
    "bad_debt": "written off in the block, settlement units",
    "tier": "circuit breaker's tier",
    "principal": "P, settlement units",
    "pool_cash": "L, settlement units",
    "insurance_cash": "I, settlement units",
    "fee_reserve": "F, settlement units",
    "debt": "D, settlement units",
    "claims": "J, settlement units",
    "unrealized_positive": "U⁺, settlement units",
    "unrealized_net": "ΣU, settlement units",
    "haircut_ratio": "h, 0 to 1",
    "pool_share_price": "leaving value of a pool share, relative to the beginning",
    "transactions": "transactions in the block",
    "refused": "of which refused",
}
"""Every column of the series: one value per recorded block. Health is equity over maintenance
margin, of accounts with positions or debt."""


@dataclass(slots=True)
class RunRecord:
    """A finished or interrupted run.

    Attributes:
        scenario, title: its name and headline.
        summary: the contents of ``summary.json``.
        series: one list per name in ``COLUMNS``.
        flows: WAD by ledger row and pot, as decimal strings.
        collateral: one row per token: symbol, decimals, and raw units as decimal strings: opening,
            deposited, withdrawn, auctioned, forfeited, closing (by the ledger), custody.
        losses: WAD by tranche, as decimal strings, in the order of the waterfall.
        refusals: count by error, then by what was tried.
        invariants: id, description, result, checks and the first violation.
        tier_changes: block, hours, from, to, cause, value.
        notes: sources of prices, parameters and other facts to show.
        violations: every broken invariant, as block and numbers.
    """

    scenario: str
    title: str
    summary: dict[str, Any]
    series: dict[str, list[Any]]
    flows: dict[str, dict[str, str]] = field(default_factory=dict)
    collateral: list[dict[str, Any]] = field(default_factory=list)
    losses: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, dict[str, int]] = field(default_factory=dict)
    invariants: list[dict[str, Any]] = field(default_factory=list)
    tier_changes: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    violations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_interrupted(self) -> bool:
        """Whether the run was stopped before its end."""
        return bool(self.summary.get("status") == "interrupted")

    def write(self, folder: Path) -> None:
        """Write ``summary.json`` and ``series.json``.

        Raises:
            OSError: the folder cannot be written.
        """
        content = asdict(self)
        summary = content.pop("summary")
        write_json(folder / SERIES_FILE, {"format": FORMAT, **content}, indent=None)
        write_json(folder / SUMMARY_FILE, summary)


def load_record(folder: Path) -> RunRecord:
    """Read a run back.

    Raises:
        OSError: a file is missing.
        ValueError: a file is not what ``RunRecord.write`` writes.
    """
    content = json.loads((folder / SERIES_FILE).read_text(encoding="utf-8"))
    summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise ValueError(f"{folder / SERIES_FILE} was not written by this version")
    try:
        return RunRecord(summary=summary, **content)
    except TypeError as error:
        raise ValueError(f"{folder / SERIES_FILE}: {error}") from error
