"""Replays as a table in a terminal, as a page of the documentation, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bulkhead import ROOT
from bulkhead.deployment.units import WAD
from bulkhead.model.prices import PriceStatus
from bulkhead.report.files import write_text
from bulkhead.report.tables import money
from bulkhead.scenarios.incidents.base import Incident, Outcome

PAGE = ROOT / "docs" / "spec" / "incidents.md"
BEGIN = "<!-- incidents: begin; written by `ape run scenario incidents --write` -->"
END = "<!-- incidents: end -->"
MARK = "†"
"""Behind a loss that is not all; see ``Incident.caveat``."""
_SMALL = 1_000 * WAD
"""Below it a figure is a price or a ratio, and shown with more decimals."""


class PageError(Exception):
    """The page cannot be written; the message says why."""


@dataclass(frozen=True, slots=True)
class Played:
    """An incident and what came of it.

    Attributes:
        incident: which.
        outcome: with the suite as it is meant.
        control: without the defence; None if that was not played.
        second_line: without it, but with a confirmation as on the devnet; None likewise.
    """

    incident: Incident
    outcome: Outcome
    control: Outcome | None = None
    second_line: Outcome | None = None

    @property
    def has_held(self) -> bool:
        """Whether this suite lost nothing and liquidated nobody who was sound."""
        return self.outcome.suite_loss == 0 and self.outcome.suite_liquidated == 0


def print_list(incidents: Sequence[Incident], console: Console) -> None:
    """Print name, month and what happened."""
    table = Table(box=None, show_header=False)
    for incident in incidents:
        table.add_row(f"[bold]{incident.name}[/bold]", incident.when, incident.happened)
    console.print(table)


def print_table(played: Sequence[Played], console: Console) -> None:
    """Print what each cost whom, and what made the difference. Amounts in settlement units."""
    table = Table(title="Incidents: what a naive rule and this suite lose", title_justify="left")
    table.add_column("incident", style="bold", no_wrap=True)
    table.add_column("reported")
    table.add_column("naive rule", justify="right")
    table.add_column("this suite", justify="right")
    has_controls = any(p.control for p in played)
    if has_controls:
        table.add_column("without the defence", justify="right")
    table.add_column("what made the difference")
    for p in played:
        tone = "green" if p.has_held else "bold red"
        row = [p.incident.name, p.incident.reported, _naive(p.outcome)]
        row.append(f"[{tone}]{_marked(p)}[/{tone}]")
        if has_controls:
            row.append(_suite(p.control) if p.control else "")
        table.add_row(*row, p.incident.defence)
    console.print(table)
    for p in played:
        if p.incident.caveat:
            console.print(f"{MARK} {p.incident.name}: {p.incident.caveat}", highlight=False)


def as_json(played: Sequence[Played]) -> dict[str, Any]:
    """Return all outcomes by incident, with amounts as integers in WAD."""
    return {
        p.incident.name: {
            "held": p.has_held,
            "defended": asdict(p.outcome),
            "without_defence": asdict(p.control) if p.control else None,
            "confirmation_alone": asdict(p.second_line) if p.second_line else None,
        }
        for p in played
    }


def write_page(played: Sequence[Played], page: Path = PAGE) -> None:
    """Put the outcomes between the page's markers.

    Raises:
        PageError: the page or a marker is missing.
        OSError: it cannot be written.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PageError(f"{page} does not exist") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise PageError(f"{page}: the line {END if begin else BEGIN} is missing")
    write_text(page, f"{before}{BEGIN}\n\n{as_markdown(played)}\n{END}{after}")


def as_markdown(played: Sequence[Played]) -> str:
    """Return table and sections of the page, with a newline at the end."""
    rows = [
        "| incident | reported | naive rule | this suite | without the defence |",
        "| --- | --- | --- | --- | --- |",
    ]
    for p in played:
        control = _suite(p.control) if p.control else ""
        name = f"[{p.incident.name}](#{p.incident.name})"
        cells = name, p.incident.reported, _naive(p.outcome), _marked(p), control
        rows.append(_row(*cells))
    if any(p.incident.caveat for p in played):
        rows += ["", f"{MARK} Not all of it: the section says what this leaves out."]
    return "\n".join(rows) + "\n" + "".join(f"\n{_section(p)}" for p in played)


def _section(p: Played) -> str:
    incident, outcome = p.incident, p.outcome
    lines = [
        f"## {incident.name}",
        "",
        f"{incident.happened} ({incident.when}; reported: {incident.reported})",
        "",
        f"* naive rule: {incident.naive_rule}",
        f"* loss: {incident.loss_means}",
        f"* this suite: {outcome.answer}",
        f"* what made the difference: {incident.defence}",
        f"* without it: {incident.without}",
    ]
    if incident.caveat:
        lines.append(f"* {MARK} {incident.caveat}")
    if p.second_line:
        lines.append(
            f"* confirmation alone, as on the devnet (loss {_suite(p.second_line)}): "
            f"{incident.second_line}"
        )
    lines.append("")
    others = [played for played in (p.control, p.second_line) if played]
    heads = ["without the defence", "confirmation alone"][: len(others)]
    if outcome.refusals:
        lines += _head("tried", "refused with", *heads)
        for what, error in outcome.refusals.items():
            cells = [_ended(o.refusals[what]) if what in o.refusals else "" for o in others]
            lines.append(_row(what, _ended(error), *cells))
        lines.append("")
    if outcome.figures:
        lines += _head("figure", "value", *heads)
        for name, value in outcome.figures.items():
            cells = [_value(name, o.figures[name]) if name in o.figures else "" for o in others]
            lines.append(_row(_label(name), _value(name, value), *cells))
        lines.append("")
    return "\n".join(lines)


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row(*("---" for _ in cells))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _naive(outcome: Outcome) -> str:
    return _cost(outcome.naive_loss, outcome.naive_liquidated, outcome.accounts)


def _suite(outcome: Outcome) -> str:
    return _cost(outcome.suite_loss, outcome.suite_liquidated, outcome.accounts)


def _marked(p: Played) -> str:
    return f"{_suite(p.outcome)} {MARK}" if p.incident.caveat else _suite(p.outcome)


def _cost(loss: int, liquidated: int, accounts: int) -> str:
    hit = f" ({liquidated} of {accounts} liquidated)" if accounts else ""
    return f"{money(loss, 0)}{hit}"


def _ended(error: str) -> str:
    return f"`{error}`" if error else "accepted"


def _label(name: str) -> str:
    return name.removesuffix("_wad").replace("_", " ")


def _value(name: str, value: int) -> str:
    if name.startswith("status"):
        return PriceStatus(value).name.capitalize()
    if not name.endswith("_wad") or value == 0:
        return f"{value:,}"
    return money(value, 0) if abs(value) >= 10 * _SMALL else money(value, 4)
