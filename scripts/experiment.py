"""Answer a question about the protocol by numbers: ``ape run experiment oracle-attacks``."""

from __future__ import annotations

from pathlib import Path

import click

from bulkhead import ROOT


@click.command(short_help="Answer a question about the protocol by numbers from a local chain.")
@click.argument("name", required=False)
@click.option("--list", "only_list", is_flag=True, help="Only list the experiments.")
@click.option("--quick", is_flag=True, help="A smaller version, in seconds; not for the document.")
@click.option(
    "--write/--no-write",
    default=False,
    show_default=True,
    help="Renew the numbers in the experiment's document, and its picture (needs Chromium).",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the measurements [default: reports/NAME.json].",
)
def cli(name: str | None, only_list: bool, quick: bool, write: bool, out: Path | None) -> None:
    """Run the experiment NAME on a local chain, print what it found and write it as JSON.

    Numbers are exact: two runs on the same contracts give the same. Exit status: 0 if it ran, 1 if
    it failed, 2 for wrong options, 130 if interrupted (then nothing is written).
    """
    from bulkhead.experiments.command import list_experiments, run_experiment
    from bulkhead.experiments.registry import UnknownExperimentError, find_experiment

    if only_list:
        list_experiments()
        return
    if name is None:
        raise click.UsageError("name an experiment; --list shows which there are")
    if quick and write:
        raise click.UsageError("--write needs the whole experiment: leave out --quick")
    try:
        experiment = find_experiment(name)
    except UnknownExperimentError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    out = out or ROOT / "reports" / f"{name}.json"
    raise SystemExit(run_experiment(experiment, quick=quick, write=write, out_file=out))
