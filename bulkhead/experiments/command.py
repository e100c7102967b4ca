"""What ``ape run experiment`` does between its options and its exit status."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.artifacts import ArtifactError, ensure_compiled
from bulkhead.chain.codec import CodecError
from bulkhead.chain.contract import ContractReverted
from bulkhead.chain.rpc import RpcConnectionError, RpcError
from bulkhead.chain.signals import exiting_on_signals
from bulkhead.deployment.sender import DeploymentError
from bulkhead.experiments.document import DocumentError, with_numbers, write_numbers
from bulkhead.experiments.pool import SwapError
from bulkhead.experiments.registry import Experiment, Outcome, experiments
from bulkhead.report.files import write_json
from bulkhead.report.page import render_figures
from bulkhead.report.picture import PictureError, photograph

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130
PICTURE_WIDTH, PICTURE_HEIGHT = 1_600, 700
_FILE_COLUMNS = 130
_FAILURES = (
    AnvilError,
    ArtifactError,
    CodecError,
    ContractReverted,
    DeploymentError,
    RpcConnectionError,
    RpcError,
    SwapError,
)


def list_experiments(console: Console | None = None) -> None:
    """Print what there is."""
    out = console or Console()
    for e in experiments().values():
        out.print(f"{e.name}\n    {e.summary}", highlight=False)


def run_experiment(
    experiment: Experiment,
    *,
    quick: bool,
    write: bool,
    out_file: Path,
    console: Console | None = None,
) -> int:
    """Run an experiment, print what it found and write it; return the exit status.

    Args:
        experiment: which.
        quick: smaller, for a look; its numbers are not for the document.
        write: renew the numbers of its document, and its picture.
        out_file: the JSON file.
        console: where to print; None: the terminal.

    Returns:
        0: done; 1: it failed, and the reason was printed; 130: interrupted, nothing was written.

    Raises:
        ValueError: a quick run is to be written.
    """
    if quick and write:
        raise ValueError("the document's numbers are those of the whole experiment: leave out one")
    out = console or Console()
    if console is None and not out.is_terminal:
        out.width = _FILE_COLUMNS
    try:
        with exiting_on_signals():
            with out.status("compiling the contracts, if any has changed"):
                ensure_compiled()
            outcome = _measure(experiment, quick, out)
    except KeyboardInterrupt:
        out.print("[yellow]interrupted: nothing was written[/yellow]")
        return EXIT_INTERRUPTED
    except SystemExit:  # A terminating signal; Ape makes one of Ctrl-C, too.
        out.print("[yellow]interrupted: nothing was written[/yellow]")
        raise
    except _FAILURES as error:
        out.print(str(error), style="red", highlight=False, markup=False)
        return EXIT_FAILED
    _show(experiment, outcome, out)
    try:
        write_json(out_file, dict(outcome.data))
        written = [out_file]
        if write:
            written += _write(experiment, outcome)
    except (DocumentError, PictureError, OSError) as error:
        out.print(str(error), style="red", highlight=False, markup=False)
        return EXIT_FAILED
    for path in written:
        out.print(f"written to {path}", style="dim", highlight=False, soft_wrap=True)
    return 0


def _measure(experiment: Experiment, quick: bool, out: Console) -> Outcome:
    bar = Progress(
        SpinnerColumn(),
        TextColumn(experiment.name),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
        console=out,
        transient=True,
    )
    with bar:
        task = bar.add_task(experiment.name, total=experiment.steps(quick), state="deploying")
        return experiment.run(quick, lambda state: bar.update(task, advance=1, state=state))


def _show(experiment: Experiment, outcome: Outcome, out: Console) -> None:
    out.print(f"[bold]{experiment.summary}[/bold]", highlight=False)
    for line in outcome.headline:
        out.print(f"  {line}", highlight=False, markup=False)


def _write(experiment: Experiment, outcome: Outcome) -> Sequence[Path]:
    """Renew document and picture: both, or neither if the document has not the right markers."""
    with_numbers(experiment.document.read_text(encoding="utf-8"), outcome.sections)
    written = [experiment.document]
    if experiment.image is not None:
        page = render_figures(experiment.summary, "", list(outcome.panels))
        photograph(page, experiment.image, PICTURE_WIDTH, PICTURE_HEIGHT)
        written.append(experiment.image)
    write_numbers(experiment.document, outcome.sections)
    return written
