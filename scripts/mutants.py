"""Plant known bugs and see each one caught: ``ape run mutants``."""

from __future__ import annotations

import json
import sys

import click

from bulkhead import ROOT


@click.command(short_help="Plant known bugs in the contracts and see each one caught.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "only_list", is_flag=True, help="Only list the planted bugs.")
@click.option("--verbose", is_flag=True, help="Show what the judging test said.")
def cli(names: tuple[str, ...], only_list: bool, verbose: bool) -> None:
    """Build each planted bug of tests/mutants/ and run the test that has to fail on it.

    Ends with 1 if one was not caught. Results go to reports/mutants.json. One bug takes from half
    a minute to two minutes, most of it compiling.
    """
    from bulkhead.fuzz.mutants import MutantError, judge, load_mutants

    try:
        mutants = load_mutants(names)
        results = []
        for i, mutant in enumerate(mutants, 1):
            click.echo(f"[{i}/{len(mutants)}] {mutant.name}: {mutant.what}")
            if only_list:
                continue
            verdict = judge(mutant)
            state = f"caught by {mutant.caught_by}" if verdict.caught else "NOT CAUGHT"
            click.echo(f"      {state} in {verdict.seconds:.0f} s")
            if verbose or not verdict.caught:
                click.echo(verdict.output)
            results.append(
                {
                    "mutant": mutant.name,
                    "caught": verdict.caught,
                    "caught_by": mutant.caught_by,
                    "judge": mutant.judge,
                    "seconds": round(verdict.seconds, 1),
                }
            )
    except MutantError as error:
        raise click.ClickException(str(error)) from None
    if only_list:
        return
    report = ROOT / "reports" / "mutants.json"
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    missed = [r["mutant"] for r in results if not r["caught"]]
    click.echo(f"{len(results) - len(missed)} of {len(results)} caught; written to {report}")
    sys.exit(1 if missed else 0)
