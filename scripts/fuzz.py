"""Fuzz the suite, or other contracts: ``ape run fuzz``.

ape run fuzz --help
"""

from __future__ import annotations

from pathlib import Path

import click

from bulkhead import ROOT

EXECUTORS = ("anvil-sim", "evm", "ape")
PROFILES = ("dev", "ci", "nightly")


def _seconds(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of ``90``, ``90s``, ``15m`` or ``8h``."""
    if value is None:
        return None
    unit = {"s": 1, "m": 60, "h": 3_600}.get(value[-1:])
    number = value if unit is None else value[:-1]
    try:
        seconds = float(number) * (unit or 1)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time: write 90, 90s, 15m or 8h") from None
    if seconds <= 0:
        raise click.BadParameter("a campaign takes more than no time")
    return seconds


@click.command(short_help="Fuzz the suite, or other contracts.")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="dev",
    show_default=True,
    help="dev: 20 seconds; ci: 100,000 steps, the same everywhere; nightly: eight hours.",
)
@click.option("--time", "seconds", callback=_seconds, metavar="TIME", help="Instead: 90s, 15m, 8h.")
@click.option("--steps", type=click.IntRange(1), help="Instead: so many judged calls.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all draws.")
@click.option(
    "--operations", metavar="NAMES", help="Only these, separated by commas.  [default: all]"
)
@click.option("--executor", type=click.Choice(EXECUTORS), default=EXECUTORS[0], show_default=True)
@click.option(
    "--target",
    default="suite",
    show_default=True,
    help="What to fuzz: `suite`, or FILE.py:CLASS of a Target.",
)
@click.option(
    "--oracles",
    type=click.Choice(("both", "model", "invariants")),
    default="both",
    show_default=True,
    help="What judges a call.",
)
@click.option("--shrink/--no-shrink", default=True, show_default=True, help="Shrink failures.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "reports" / "fuzz",
    help="Where to write summary.json and failures [default: reports/fuzz].",
)
def cli(
    profile: str,
    seconds: float | None,
    steps: int | None,
    seed: int,
    operations: str | None,
    executor: str,
    target: str,
    oracles: str,
    shrink: bool,
    out: Path,
) -> None:
    """Draw sequences of operations, play them on model and chain, and judge every call.

    Goes on after a failure: each kind is shrunk and written as a trace and as a pytest file.
    Ctrl-C ends with a complete report. Exit status: 0 nothing found, 1 failures, 2 wrong arguments.
    """
    from bulkhead.fuzz.command import FuzzOptions, fuzz

    names = None if operations is None else tuple(n.strip() for n in operations.split(","))
    options = FuzzOptions(
        profile=profile,
        seconds=seconds,
        steps=steps,
        seed=seed,
        operations=names,
        executor=executor,
        target=target,
        use_model=oracles != "invariants",
        use_invariants=oracles != "model",
        shrink=shrink,
        out=out,
    )
    raise SystemExit(fuzz(options))
