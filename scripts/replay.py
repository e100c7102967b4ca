"""Replay a trace that a campaign wrote: ``ape run replay TRACE``.

ape run replay --help
"""

from __future__ import annotations

from pathlib import Path

import click

EXECUTORS = ("anvil-sim", "evm", "ape", "all")


@click.command(short_help="Replay a trace and show the step that broke.")
@click.argument("trace", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--executor",
    type=click.Choice(EXECUTORS),
    default=EXECUTORS[0],
    show_default=True,
    help="Where to play it; all: everywhere, and compare.",
)
@click.option("--step", type=click.IntRange(1), help="Show this call.  [default: the one at fault]")
@click.option("--any-code", is_flag=True, help="Play it although the contracts are other ones now.")
def cli(trace: Path, executor: str, step: int | None, any_code: bool) -> None:
    """Play TRACE again, and show the call at fault: its call tree and the model's view of it.

    Exit status: 0 it fails as it did, 1 it does not, 2 wrong arguments.
    """
    from bulkhead.fuzz.replay import replay

    names = EXECUTORS[:-1] if executor == "all" else (executor,)
    raise SystemExit(replay(trace, names, step=step, any_code=any_code))
