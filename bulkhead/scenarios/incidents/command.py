"""What the incidents command does between its options and its exit status."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.artifacts import ArtifactError, ensure_compiled
from bulkhead.chain.contract import ContractReverted
from bulkhead.chain.rpc import RpcConnectionError, RpcError
from bulkhead.deployment.sender import DeploymentError
from bulkhead.report.files import write_json
from bulkhead.scenarios.incidents.base import Incident, ReplayError
from bulkhead.scenarios.incidents.registry import (
    INCIDENTS,
    UnknownIncidentError,
    chosen_incidents,
)
from bulkhead.scenarios.incidents.report import (
    PAGE,
    PageError,
    Played,
    as_json,
    print_list,
    print_table,
    write_page,
)

EXIT_LOST, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
_FILE_COLUMNS = 150
"""Width of the tables where the output goes to a file."""
_FAILURES = (
    AnvilError,
    ArtifactError,
    ContractReverted,
    DeploymentError,
    RpcError,
    RpcConnectionError,
    ReplayError,
)


def play_incidents(
    names: Sequence[str],
    *,
    only_list: bool = False,
    control: bool = False,
    write: bool = False,
    out: Path | None = None,
    page: Path = PAGE,
    console: Console | None = None,
) -> int:
    """Replay incidents, print a table, write what was asked for; return the exit status.

    Args:
        names: which; none: all.
        only_list: list them instead.
        control: replay each without its defence too.
        write: put all into the page of the documentation; with the controls.
        out: JSON file to write; None: none.
        page: the page.
        console: where to print; None: the terminal.
    """
    terminal = console or Console()
    if console is None and not terminal.is_terminal:
        terminal.width = _FILE_COLUMNS
    try:
        incidents = chosen_incidents(names)
        if write and len(incidents) < len(INCIDENTS):
            raise UnknownIncidentError("--write is for all incidents: name none")
    except UnknownIncidentError as error:
        terminal.print(f"[red]{error}[/red]", highlight=False)
        return EXIT_USAGE
    if only_list:
        print_list(incidents, terminal)
        return 0
    played: list[Played] = []
    try:
        with terminal.status("compiling the contracts, if any has changed"):
            ensure_compiled()
        for number, incident in enumerate(incidents, 1):
            with terminal.status(f"{incident.name} ({number} of {len(incidents)})"):
                played.append(_play(incident, control or write))
    except KeyboardInterrupt:
        print_table(played, terminal)
        terminal.print(f"[yellow]stopped after {len(played)} incidents[/yellow]")
        return EXIT_INTERRUPTED
    except _FAILURES as error:
        terminal.print(f"[red]{error}[/red]", highlight=False)
        return EXIT_LOST
    print_table(played, terminal)
    try:
        if out is not None:
            write_json(out, as_json(played))
            terminal.print(str(out), style="dim", highlight=False)
        if write:
            write_page(played, page)
            terminal.print(str(page), style="dim", highlight=False)
    except (PageError, OSError) as error:
        terminal.print(f"[red]{error}[/red]", highlight=False)
        return EXIT_USAGE
    return 0 if all(p.has_held for p in played) else EXIT_LOST


def _play(incident: Incident, control: bool) -> Played:
    if not control:
        return Played(incident, incident.play())
    without = incident.play(defended=False) if incident.has_control else None
    return Played(incident, incident.play(), without, incident.play_second_line())
