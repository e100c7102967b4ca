"""``ape run fuzz``: a campaign with progress, a report, and an exit status."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from hypothesis.errors import HypothesisException
from rich.console import Console
from rich.live import Live

from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.signals import exiting_on_signals
from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.catalogue import UnknownOperationError
from bulkhead.fuzz.executors.base import ExecutorError
from bulkhead.fuzz.failures import Found, replay_command
from bulkhead.fuzz.profiles import PROFILES
from bulkhead.fuzz.report import progress_line, report, summary
from bulkhead.fuzz.session import Session, TargetError
from bulkhead.report.files import write_json

_SAVE_EVERY_SECONDS = 5
_LINE_EVERY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class FuzzOptions:
    """What to fuzz, how, and for how long; see ``ape run fuzz --help``."""

    profile: str
    seconds: float | None
    steps: int | None
    seed: int
    operations: tuple[str, ...] | None
    executor: str
    target: str
    use_model: bool
    use_invariants: bool
    shrink: bool
    out: Path


def fuzz(options: FuzzOptions) -> int:
    """Run a campaign; return the exit status: 0 nothing found, 1 failures, 130 interrupted."""
    profile = PROFILES[options.profile].until(options.seconds, options.steps)
    if not options.shrink:
        profile = replace(profile, shrink_seconds=0)
    session = Session(
        options.target,
        options.executor,
        use_model=options.use_model,
        use_invariants=options.use_invariants,
    )
    console = Console(soft_wrap=True)
    try:
        with exiting_on_signals(), session:
            screen = _Screen(console, options.out / "summary.json")
            campaign = Campaign(
                session,
                profile,
                options.seed,
                options.operations,
                folder=options.out / "failures",
                on_progress=screen.progress,
                on_failure=screen.failure,
            )
            status = _run(campaign, screen)
    except (TargetError, UnknownOperationError) as error:
        raise click.UsageError(str(error)) from None
    except (AnvilError, ExecutorError) as error:
        raise click.ClickException(str(error)) from None
    return status


def _ended_behind(error: BaseException) -> int:
    """Return the status of the signal that an error hides; 0 if there is none.

    A signal that meets Hypothesis between two draws makes it complain of a test that drew less.
    """
    behind = error.__context__
    while behind is not None:
        if isinstance(behind, KeyboardInterrupt):
            return 130
        if isinstance(behind, SystemExit) and isinstance(behind.code, int):
            return behind.code
        behind = behind.__context__
    return 0


def _run(campaign: Campaign, screen: _Screen) -> int:
    status = 0
    with screen:
        try:
            campaign.run()
        except KeyboardInterrupt:
            status = 130
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else 1
        except HypothesisException as error:
            status = _ended_behind(error)
            if status == 0:
                raise
    screen.save(campaign, is_interrupted=status != 0)
    report(campaign, screen.console, is_interrupted=status != 0)
    screen.console.print(f"written to {screen.path}", style="dim", highlight=False)
    return status or (1 if campaign.found else 0)


class _Screen:
    """Progress on a terminal, or a line now and then where there is none; saves the summary."""

    def __init__(self, console: Console, path: Path) -> None:
        self.console = console
        self.path = path
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._printed = self._saved = time.monotonic()

    def __enter__(self) -> _Screen:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._live.stop()

    def progress(self, campaign: Campaign) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if now - self._saved > _SAVE_EVERY_SECONDS:
            self._saved = now
            self.save(campaign, is_interrupted=True)
        if self.console.is_terminal:
            self._live.update(progress_line(campaign))
        elif now - self._printed > _LINE_EVERY_SECONDS:
            self._printed = now
            self.console.print(progress_line(campaign), highlight=False)

    def failure(self, found: Found) -> None:
        """Show a failure when it is found, and again when it is shrunk."""
        if found.seconds_to_shrink == 0:
            first = str(found.failure).splitlines()[0]
            self.console.print(f"[bold red]failure[/bold red] {first}", highlight=False)
        else:
            self.console.print(f"  shrunk to {found.steps} calls", highlight=False)
            self.console.print(f"  {replay_command(found.trace)}", highlight=False)

    def save(self, campaign: Campaign, *, is_interrupted: bool) -> None:
        """Write the summary as it is."""
        write_json(self.path, summary(campaign, is_interrupted=is_interrupted))
