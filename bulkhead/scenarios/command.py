"""What the scenario commands do between their options and their exit status."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bulkhead.agents.view import MarketView
from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.artifacts import ArtifactError, ensure_compiled
from bulkhead.chain.rpc import RpcConnectionError, RpcError
from bulkhead.deployment.sender import DeploymentError
from bulkhead.report.page import write_report
from bulkhead.report.record import RunRecord
from bulkhead.report.terminal import print_run
from bulkhead.scenarios.depeg_cascade import (
    NAME,
    DepegCascade,
    DepegOptions,
    describe_sources,
    market_path,
)
from bulkhead.scenarios.prices import MAX_GAP_SECONDS, PriceFileError, load_prices
from bulkhead.scenarios.world import WorldError

_FILE_COLUMNS = 130
"""Width of the tables where the output goes to a file."""
EXIT_BROKEN, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
_FAILURES = (AnvilError, ArtifactError, DeploymentError, WorldError, RpcError, RpcConnectionError)


def play_depeg_cascade(
    options: DepegOptions,
    *,
    prices: Path | None,
    ratio_column: str | None,
    rpc_url: str | None,
    folder: Path,
    console: Console | None = None,
) -> int:
    """Play it, print it, write it; return the exit status.

    Args:
        options: without price history.
        prices: price file to replay.
        ratio_column: which of its columns is the collateral's fraction of fair value.
        rpc_url: a running Anvil node; None starts one.
        folder: for the files.
        console: where to print; None: the terminal.
    """
    out = console or Console()
    if console is None and not out.is_terminal:
        out.width = _FILE_COLUMNS
    try:
        if prices is not None:
            options = replace(options, history=load_prices(prices, ratio_column))
        elif ratio_column is not None:
            raise ValueError("--ratio-column needs --prices")
        for line in describe_sources(market_path(options)):
            out.print(line, style="dim", highlight=False)
        _report_gaps(options, out)
        folder.mkdir(parents=True, exist_ok=True)
    except (PriceFileError, ValueError) as error:
        out.print(f"[red]{error}[/red]", highlight=False)
        return EXIT_USAGE
    except OSError as error:
        out.print(f"[red]{folder}: {error.strerror}[/red]", highlight=False)
        return EXIT_USAGE
    try:
        with out.status("compiling the contracts, if any has changed"):
            artifacts = ensure_compiled()
    except ArtifactError as error:
        out.print(f"[red]{error}[/red]", highlight=False)
        return EXIT_BROKEN
    return _play(DepegCascade(options, rpc_url, artifacts), options.steps, folder, out)


def _report_gaps(options: DepegOptions, out: Console) -> None:
    if options.history is None:
        return
    for gap in options.history.gaps[:5]:
        out.print(
            f"[yellow]{options.history.path}, line {gap.line}: {gap.seconds / 3600:.1f} h without "
            f"an observation of {gap.column} (more than {MAX_GAP_SECONDS / 3600:.0f} h); "
            "interpolated[/yellow]",
            highlight=False,
        )
    more = len(options.history.gaps) - 5
    if more > 0:
        out.print(f"[yellow]… and {more} more gaps[/yellow]")


def _play(scenario: DepegCascade, steps: int, folder: Path, out: Console) -> int:
    bar = Progress(
        SpinnerColumn(),
        TextColumn(NAME),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
        console=out,
        transient=True,
    )
    try:
        with bar:
            task = bar.add_task(NAME, total=steps, state="starting Anvil, deploying")

            def show(step: int, view: MarketView) -> None:
                bar.update(task, completed=step, state=_state(view))

            record = scenario.play(show)
    except KeyboardInterrupt:
        _save_interrupted(scenario, folder, out)
        return EXIT_INTERRUPTED
    except SystemExit:
        # A terminating signal: Anvil has been stopped already.
        _save_interrupted(scenario, folder, out)
        raise
    except _FAILURES as error:
        out.print(f"[red]{error}[/red]", highlight=False)
        _save_interrupted(scenario, folder, out)
        return EXIT_BROKEN
    _save(record, folder)
    print_run(record, out)
    _say_where(folder, out)
    return EXIT_BROKEN if record.violations else 0


def _state(view: MarketView) -> str:
    c = view.compartment
    discount = max(0.0, 1 - view.peg.market_rate / view.peg.fair_rate)
    return f"ETH {view.outside.eth:,.0f} · discount {discount:.1%} · tier {c.tier}"


def _save(record: RunRecord, folder: Path) -> None:
    record.write(folder)
    write_report(record, folder)


def _save_interrupted(scenario: DepegCascade, folder: Path, out: Console) -> None:
    try:
        record = scenario.record("interrupted")
    except RuntimeError:
        out.print("[yellow]stopped before the first block: nothing was recorded[/yellow]")
        return
    _save(record, folder)
    blocks = record.summary["blocks"]
    out.print(f"[yellow]stopped after {blocks} blocks; what was recorded:[/yellow]")
    _say_where(folder, out)


def _say_where(folder: Path, out: Console) -> None:
    for name in ("report.html", "summary.json", "series.json"):
        out.print(str(folder / name), style="dim", highlight=False)
