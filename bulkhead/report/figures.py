"""The figures of a run, each made from its record alone, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable

from bulkhead.report import ledger_figures, market_figures
from bulkhead.report.panel import Panel
from bulkhead.report.record import RunRecord


def panels(record: RunRecord) -> list[Panel]:
    """Return every panel of the report, in the order of the page."""
    makers: tuple[Callable[[RunRecord], Panel], ...] = (
        market_figures.peg_panel,
        market_figures.eth_panel,
        market_figures.tier_panel,
        market_figures.interest_panel,
        market_figures.funding_panel,
        ledger_figures.health_panel,
        ledger_figures.liquidation_panel,
        ledger_figures.custody_panel,
        ledger_figures.haircut_panel,
        ledger_figures.waterfall_panel,
        ledger_figures.refusal_panel,
    )
    return [maker(record) for maker in makers]
