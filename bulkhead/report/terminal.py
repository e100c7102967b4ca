"""The run as tables in a terminal, readable by somebody who was not there."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from bulkhead.report.record import RunRecord
from bulkhead.report.story import headline_numbers, story
from bulkhead.report.tables import (
    COLLATERAL_COLUMNS,
    collateral_rows,
    exact,
    ledger_rows,
    money,
    waterfall_rows,
)

_WIDE = 118
"""Columns from which the ledger is shown with decimals."""


def print_run(record: RunRecord, console: Console) -> None:
    """Print story, headline numbers, the ledger, the waterfall, refusals and invariants."""
    console.print()
    console.print(f"[bold]{record.title}[/bold]")
    if record.is_interrupted:
        console.print("[yellow]interrupted: this is what was recorded so far[/yellow]")
    console.print(story(record))
    console.print()
    console.print(_headline(record))
    console.print(_ledger(record, console.width < _WIDE))
    console.print(_proof(record), style="dim", highlight=False)
    console.print()
    if record.collateral:
        console.print(_collateral(record))
    console.print(_waterfall(record))
    if record.refusals:
        console.print(_refusals(record))
    console.print(_invariants(record))
    for violation in record.violations[:20]:
        console.print(
            f"[bold red]{violation['id']} broken in block {violation['block']}:[/bold red] "
            f"{violation['message']}",
            highlight=False,
        )


def _headline(record: RunRecord) -> Table:
    table = Table(title="Key numbers", title_justify="left", show_header=False, box=None)
    table.add_column(justify="right", style="bold")
    table.add_column()
    for number, label, tone in headline_numbers(record):
        style = {"good": "green", "bad": "red"}.get(tone, "")
        table.add_row(f"[{style}]{number}[/{style}]" if style else number, label)
    return table


def _ledger(record: RunRecord, is_narrow: bool) -> Table:
    table = Table(
        title="Where every unit went (USDB; rows inside of the compartment sum to zero)",
        title_justify="left",
        padding=(0, 0 if is_narrow else 1),
    )
    table.add_column("", no_wrap=True)
    names = ("principal", "pool", "insurance", "fees", "custody", "(debt", "claims)")
    shown = 5 if is_narrow else 7
    for name in names[:shown]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in ledger_rows(record):
        amounts = (*row.pots, row.total, row.debt, row.claims)[:shown]
        cells = [money(a, 0 if is_narrow else 2) if a else "·" for a in amounts]
        table.add_row(row.label, *cells, style="bold" if row.is_sum else "")
    return table


def _collateral(record: RunRecord) -> Table:
    table = Table(title="Collateral in custody (whole tokens)", title_justify="left")
    table.add_column("")
    for name in COLLATERAL_COLUMNS:
        table.add_column(name, justify="right")
    for token, cells in collateral_rows(record):
        table.add_row(token, *cells)
    return table


def _proof(record: RunRecord) -> str:
    """Return the sum of the ledger's last rows in full."""
    rows = ledger_rows(record)
    if len(rows) < 3:
        return ""
    closing, surplus, custody = rows[-3:]
    names = ("principal", "pool", "insurance", "fees")
    parts = [f"{exact(amount)} ({name})" for amount, name in zip(closing.pots, names, strict=True)]
    total = sum(closing.pots) + surplus.total
    sign = "=" if total == custody.total else "≠"
    return " + ".join([*parts, f"{exact(surplus.total)} (surplus)"]) + (
        f" {sign} {exact(custody.total)} in custody, to the wei"
    )


def _waterfall(record: RunRecord) -> Table:
    table = Table(title="Who bore the losses (USDB)", title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("", justify="right", no_wrap=True)
    for i, (_, label, amount) in enumerate(waterfall_rows(record)):
        table.add_row(label, money(amount), style="bold" if i == 0 else "")
    return table


def _refusals(record: RunRecord) -> Table:
    table = Table(title="Refused transactions", title_justify="left")
    table.add_column("error")
    table.add_column("count", justify="right")
    table.add_column("what was tried")
    order = sorted(record.refusals.items(), key=lambda x: -sum(x[1].values()))
    for error, by_purpose in order:
        tried = Counter(by_purpose).most_common()
        text = ", ".join(f"{purpose} ({count})" for purpose, count in tried)
        table.add_row(error, str(sum(by_purpose.values())), text)
    return table


def _invariants(record: RunRecord) -> Table:
    table = Table(title="Invariants, checked after every block", title_justify="left")
    table.add_column("id")
    table.add_column("statement")
    table.add_column("checks", justify="right")
    table.add_column("result")
    for item in record.invariants:
        style = {"held": "green", "broken": "bold red"}.get(item["result"], "yellow")
        table.add_row(
            item["id"],
            item["description"],
            f"{item['checks']:,}",
            f"[{style}]{item['result']}[/{style}]",
        )
    return table
