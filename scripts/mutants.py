"""Plant known bugs and see each one found: ``ape run mutants``."""

from __future__ import annotations

from pathlib import Path

import click

from bulkhead import ROOT

EXECUTORS = ("anvil-sim", "evm", "ape")


@click.command(short_help="Plant known bugs in the contracts and see each one found.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "only_list", is_flag=True, help="Only list the planted bugs.")
@click.option("-v", "--verbose", is_flag=True, help="Show what was wrong, and what replays it.")
@click.option(
    "--oracles",
    type=click.Choice(("both", "model", "invariants", "all")),
    default="both",
    show_default=True,
    help="What judges a call; all: each of the three by itself.",
)
@click.option(
    "--steps", type=click.IntRange(1), help="Judged calls, in the place of each bug's budget."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of all draws.")
@click.option("--executor", type=click.Choice(EXECUTORS), default=EXECUTORS[0], show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "reports" / "mutants.json",
    help="Where to write the results [default: reports/mutants.json].",
)
def cli(
    names: tuple[str, ...],
    only_list: bool,
    verbose: bool,
    oracles: str,
    steps: int | None,
    seed: int,
    executor: str,
    out: Path,
) -> None:
    """Build each planted bug of tests/mutants/ and fuzz it until the bug is found.

    Each has a budget of steps, and a bound on what shrinking may leave. Ends with 1 if both oracles
    together miss one. Ctrl-C keeps what was measured. What was compiled once is kept until the
    contracts change; compiling takes about ten seconds a bug.
    """
    from bulkhead.bench.bugs import WAYS, Options
    from bulkhead.bench.bugs_report import list_mutants, run

    if only_list:
        list_mutants(names)
        return
    ways = tuple(WAYS) if oracles == "all" else (oracles,)
    options = Options(ways, executor, seed, out.with_suffix(""), steps)
    raise SystemExit(run(names, options, out, verbose=verbose))
