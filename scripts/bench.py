"""Measure what the suite's operations cost and how fast it is tested: ``ape run bench``.

ape run bench --only gas
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bulkhead import ROOT

PARTS = ("gas", "throughput", "matcher")


@click.command(short_help="Measure gas and speed into reports/bench.json.")
@click.option("--only", type=click.Choice(PARTS), help="Only one of them  [default: all].")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=10,
    show_default=True,
    help="How long each speed is measured: 16 ways of testing, 3 of asking the matcher.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "reports" / "bench.json",
    help="Where to write the measurements [default: reports/bench.json].",
)
def cli(only: str | None, seconds: float, out: Path) -> None:
    """Measure the gas of every operation, checked steps per second, and the matcher's speed.

    Gas is exact: `make check` compares it with gas-snapshot.json, `make snapshot` renews it. Speed
    is that of this machine now, so run nothing else. Ctrl-C leaves what was measured until then.
    """
    from bulkhead.bench.workload import MeasurementError, Mismatch
    from bulkhead.chain.anvil import AnvilError
    from bulkhead.chain.artifacts import ensure_compiled
    from bulkhead.chain.signals import exiting_on_signals
    from bulkhead.fuzz.project import ProjectError

    measured = Measured(out)
    try:
        with exiting_on_signals():
            if only != "matcher":
                ensure_compiled(say)
            if only in (None, "gas"):
                measure_gas(measured)
            if only in (None, "throughput"):
                measure_throughput(measured, seconds)
            if only in (None, "matcher"):
                measure_matcher(measured, seconds)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except (AnvilError, MeasurementError, Mismatch, ProjectError) as error:
        raise click.ClickException(str(error)) from None
    finally:
        if measured.is_written:
            click.echo(f"\nwritten to {out}")


class Measured:
    """The file of measurements; what others wrote into it stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_written = False

    def keep(self, part: str, value: Mapping[str, Any]) -> None:
        """Write one part, in the place of what it was."""
        from bulkhead.report.files import write_json

        known = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        write_json(self._path, {**known, part: value})
        self.is_written = True


def measure_gas(measured: Measured) -> None:
    """Measure gas, keep it and print it."""
    from bulkhead.bench.gas import BUDGETS, measure
    from bulkhead.chain.artifacts import load_artifacts

    gas = measure(load_artifacts(check=False), say)
    measured.keep("gas", gas)
    width = max(map(len, gas))
    click.echo(f"\n{'operation':<{width}}  {'gas':>9}  {'budget':>9}")
    for name, used in gas.items():
        budget = BUDGETS.get(name)
        over = f"  over by {used - budget:,}" if budget is not None and used > budget else ""
        shown = "–" if budget is None else f"{budget:,}"
        click.echo(f"{name:<{width}}  {used:>9,}  {shown:>9}{over}")


def measure_throughput(measured: Measured, seconds: float) -> None:
    """Measure speed, keep it and print it, as far as it gets."""
    from bulkhead.bench.throughput import measure
    from bulkhead.bench.throughput_report import print_throughput

    latest: dict[str, Any] = {}

    def keep(result: dict[str, Any]) -> None:
        latest.update(result)
        measured.keep("throughput", result)

    try:
        measure(seconds, say, keep)
    finally:
        print_throughput(latest)


def measure_matcher(measured: Measured, seconds: float) -> None:
    """Measure the matcher's speed, keep it and print it."""
    from bulkhead.bench.matcher import measure, print_matcher

    result = measure(seconds, say)
    measured.keep("matcher", result)
    print_matcher(result)


def say(what: str) -> None:
    """Print a line of progress."""
    click.echo(f"[bench] {what}")
