"""Plays a market scenario on a live local chain and reports who bore what.

ape run scenario depeg-cascade --help
ape run scenario incidents --help
"""

from __future__ import annotations

from pathlib import Path

import click

from bulkhead.scenarios.command import play_depeg_cascade
from bulkhead.scenarios.depeg_cascade import MIN_STEPS, DepegOptions
from bulkhead.scenarios.incidents.command import play_incidents

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


@cli.command("incidents", short_help="Real incidents, against a naive rule and against this suite.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "only_list", is_flag=True, help="Only list the incidents.")
@click.option(
    "--control",
    is_flag=True,
    help="Replay each without its defence too, and with confirmation alone.",
)
@click.option(
    "--write",
    is_flag=True,
    help="Put all incidents, with their controls, into docs/spec/incidents.md.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("reports/incidents.json"),
    show_default=True,
    help="Where to write the numbers.",
)
def incidents(
    names: tuple[str, ...], only_list: bool, control: bool, write: bool, out: Path
) -> None:
    """Replay the mechanism of real incidents, all of them unless some are named.

    Each is set up with this suite's contracts on a local chain of its own, in seconds. The table
    says what the original lost as publicly reported (mostly from secondary sources), what a naive
    rule loses on the replayed data, what this suite loses, and what made the difference.

    Exit status: 0 if this suite lost nothing, 1 if it did or a replay failed, 2 for wrong options,
    130 if interrupted.
    """
    raise SystemExit(
        play_incidents(names, only_list=only_list, control=control, write=write, out=out)
    )
