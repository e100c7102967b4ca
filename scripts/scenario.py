"""Plays a market scenario on a live local chain and reports who bore what.

ape run scenario depeg-cascade --help
"""

from __future__ import annotations

from pathlib import Path

import click

from bulkhead.scenarios.command import play_depeg_cascade
from bulkhead.scenarios.depeg_cascade import MIN_STEPS, DepegOptions

_DEFAULTS = DepegOptions()


@click.group()
def cli() -> None:
    """Play a market scenario on a live local chain."""


@cli.command(
    "depeg-cascade", short_help="A staking token loses its peg; leveraged positions unwind."
)
@click.option("--seed", type=int, default=_DEFAULTS.seed, show_default=True, help="Of all draws.")
@click.option(
    "--steps",
    type=click.IntRange(MIN_STEPS, 5_000),
    default=_DEFAULTS.steps,
    show_default=True,
    help="Steps, two blocks each.",
)
@click.option(
    "--traders",
    type=click.IntRange(1, 200),
    default=_DEFAULTS.traders,
    show_default=True,
    help="Leveraged traders.",
)
@click.option(
    "--severity",
    type=click.FloatRange(0, 1),
    default=_DEFAULTS.severity,
    show_default=True,
    help="How deep the peg breaks and ETH falls: 1.0 is a discount of 20 % and a fall of 40 %.",
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Outside prices: `timestamp` and columns ETH, BTC, LST/ETH, LST, or one other, which is "
    "then the LST's price as a fraction of fair value. What is missing is generated.",
)
@click.option(
    "--ratio-column", metavar="NAME", help="Column of the price file to use as that fraction."
)
@click.option("--rpc", metavar="URL", help="A running Anvil node.  [default: starts its own]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/depeg-cascade"),
    show_default=True,
    help="Folder for summary.json, series.json and report.html.",
)
def depeg_cascade(
    seed: int,
    steps: int,
    traders: int,
    severity: float,
    prices: Path | None,
    ratio_column: str | None,
    rpc: str | None,
    out: Path,
) -> None:
    """A liquid staking token loses its peg while ETH falls, and leveraged positions unwind.

    Exit status: 0 if every invariant held, 1 if one broke or the run failed, 2 for wrong options,
    130 if interrupted (what was recorded is written all the same).
    """
    raise SystemExit(
        play_depeg_cascade(
            DepegOptions(seed=seed, steps=steps, traders=traders, severity=severity),
            prices=prices,
            ratio_column=ratio_column,
            rpc_url=rpc,
            folder=out,
        )
    )
