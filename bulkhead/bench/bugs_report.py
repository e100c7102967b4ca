"""Planted bugs for people and machines: lines while they are looked for, a table, a JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from bulkhead.bench.bugs import TEST, WAYS, Hunt, Options, Row, measure
from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.artifacts import REPLACED_CODE, ArtifactError, ensure_compiled
from bulkhead.chain.signals import exiting_on_signals
from bulkhead.fuzz.executors.base import ExecutorError
from bulkhead.fuzz.failures import replay_command
from bulkhead.fuzz.mutants import Mutant, MutantError, codes_file, load_mutants
from bulkhead.report.files import write_json


def list_mutants(names: Sequence[str]) -> None:
    """Print what the mutants are.

    Raises:
        ClickException: there is none of a name, or a file is wrong.
    """
    for mutant in _load(names):
        contracts = ", ".join(mutant.contracts)
        within = mutant.judge or f"{mutant.budget_steps:,} steps, {mutant.shrunk_calls} calls"
        click.echo(f"{mutant.name} ({contracts}; {within})\n    {mutant.what}")


def run(names: Sequence[str], options: Options, out: Path, *, verbose: bool) -> int:
    """Look for mutants, print and write what became of them; return the exit status.

    Args:
        names: of mutants; none: all.
        options: how to look.
        out: the JSON file; written again after each mutant.
        verbose: show the failures, and the commands that replay them.

    Returns:
        0: all caught; 1: some not; 130: interrupted, what was measured is written.

    Raises:
        ClickException: a mutant, a node or an executor is not as it must be.
    """
    mutants = _load(names)
    rows: list[Row] = []
    status = 0
    try:
        with exiting_on_signals():
            ensure_compiled(click.echo)
            for row in measure(mutants, options, click.echo):
                rows.append(row)
                write_json(out, [r.summary() for r in rows])
                _explain(row, verbose=verbose)
    except KeyboardInterrupt:
        status = 130
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 1
    except (MutantError, ArtifactError, AnvilError, ExecutorError) as error:
        raise click.ClickException(str(error)) from None
    missed = [row.mutant.name for row in rows if row.caught is False]
    _print(rows, missed, len(mutants), out)
    return status or (1 if missed else 0)


def _load(names: Sequence[str]) -> list[Mutant]:
    try:
        return load_mutants(names)
    except MutantError as error:
        raise click.ClickException(str(error)) from None


def _explain(row: Row, *, verbose: bool) -> None:
    """Show each failure and how to replay it; of a test, what it said."""
    for hunt in row.hunts.values():
        if hunt.trace is not None and verbose:
            code = f"{REPLACED_CODE}={codes_file(row.mutant)}"
            click.echo(f"      {hunt.message}\n      {code} {replay_command(hunt.trace)}")
        elif hunt.message and (hunt.oracle == TEST) == verbose and hunt.trace is None:
            click.echo(hunt.message)


def _print(rows: Sequence[Row], missed: Sequence[str], wanted: int, out: Path) -> None:
    if rows:
        click.echo()
        for line in _table(rows):
            click.echo(line)
    if len(rows) < wanted:
        click.echo(f"ended after {len(rows)} of {wanted} bugs")
    asked = sum(row.caught is not None for row in rows)
    if asked:
        click.echo(f"{asked - len(missed)} of {asked} caught")
    if missed:
        click.secho(f"missed: {', '.join(missed)}", fg="red")
    if rows:
        click.echo(f"written to {out}")


def _table(rows: Sequence[Row]) -> list[str]:
    """Return lines: what found each mutant in each way, after how many steps, and how shrunk."""
    ways = [way for way in WAYS if any(way in row.hunts for row in rows)]
    head = ("bug", "contracts", *(f"{way}: by, steps → calls" for way in ways))
    lines = [head]
    for row in rows:
        name = row.mutant.name if row.caught is not False else f"{row.mutant.name} (missed)"
        cells = [_cell(row.hunts.get(way)) for way in ways]
        lines.append((name, ", ".join(row.mutant.contracts), *cells))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _cell(hunt: Hunt | None) -> str:
    if hunt is None:
        return ""
    if not hunt.found:
        return "–"
    if hunt.steps_to_find is None:
        return f"{hunt.oracle}"
    shrunk = "" if hunt.shrunk_steps is None else f" → {hunt.shrunk_steps}"
    return f"{hunt.oracle}, {hunt.steps_to_find:,}{shrunk}"
