"""The result of ``throughput.measure`` as tables for people, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bulkhead.bench.throughput import STACKS

TITLES: Mapping[str, str] = {"example": "examples/share-vault", "suite": "this project's contracts"}
_SHARES: Mapping[str, str] = {
    "draw": "Hypothesis",
    "generate": "model",
    "execute": "waiting for the EVM",
    "judge": "judging",
    "busy": "EVM at work",
}
_WIDE = 160
_DISTURBING_CORES = 0.1
_NOTHING = "–"


def print_throughput(result: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what was measured; what was not is left out.

    Args:
        result: of ``measure``, perhaps of an interrupted one.
        console: where to; None: standard output.
    """
    out = console or Console()
    if not out.is_terminal:
        out = Console(file=out.file, width=_WIDE)
    for subject, title in TITLES.items():
        if result.get(subject):
            out.print(_speeds(title, result[subject], result["details"][subject]))
            out.print(_shares(result["details"][subject]))
    if disturbed := _disturbed(result):
        out.print(f"Other programs ran meanwhile, so these are too slow: {disturbed}.")


def _disturbed(result: Mapping[str, Any]) -> str:
    """Return what was measured while others used more than a little of the machine."""
    found = [
        f"{subject}, {STACKS.get(key, key)} ({others:.1f} cores)"
        for subject in TITLES
        for key, d in result.get("details", {}).get(subject, {}).items()
        if (others := d.get("cores_used_by_others") or 0) > _DISTURBING_CORES
    ]
    return "; ".join(found)


def _speeds(title: str, speeds: Mapping[str, float | None], details: Mapping[str, Any]) -> Table:
    table = Table(title=title, title_justify="left", box=box.MARKDOWN)
    table.add_column("stack")
    for name in ("checked steps/s", "× plain Ape", "transactions/s", "refused"):
        table.add_column(name, justify="right")
    table.add_column("checked after each step", overflow="fold")
    for key, speed in speeds.items():
        d = details[key]
        if speed is None:
            row = (_NOTHING,) * 4
            checks = d["missing"]
        else:
            row = (
                number(speed),
                ratio(speed, speeds.get("ape")),
                number(d["transactions_per_second"]),
                f"{d['refused_share']:.0%}",
            )
            checks = d["checks"]
        table.add_row(STACKS.get(key, key), *row, checks)
    return table


def _shares(details: Mapping[str, Any]) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("part of the time")
    for name in _SHARES.values():
        table.add_column(name, justify="right")
    for key, d in details.items():
        shares = d.get("time_shares")
        if shares:
            cells = (f"{shares[part]:.0%}" if part in shares else _NOTHING for part in _SHARES)
            table.add_row(STACKS.get(key, key), *cells)
    return table


def number(value: float) -> str:
    """Return a speed, with a decimal where that says something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ratio(value: float, unit: float | None) -> str:
    """Return how many times as fast one is as the other, with two or three digits."""
    return number(value / unit) if unit else _NOTHING
