"""Measure what the suite's operations cost: ``ape run bench``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bulkhead import ROOT


@click.command(short_help="Measure gas by receipt and write reports/bench.json.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "reports" / "bench.json",
    help="Where to write the measurements [default: reports/bench.json].",
)
def cli(out: Path) -> None:
    """Measure the gas of every operation on a fresh local chain.

    Numbers are exact: `make check` compares them with gas-snapshot.json, `make snapshot` renews it.
    """
    from bulkhead.bench.gas import BUDGETS, measure
    from bulkhead.chain.artifacts import ensure_compiled

    gas = measure(ensure_compiled(), progress=lambda what: click.echo(f"[bench] {what}"))
    out.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    out.write_text(json.dumps({**known, "gas": gas}, indent=2) + "\n", encoding="utf-8")

    width = max(map(len, gas))
    click.echo(f"\n{'operation':<{width}}  {'gas':>9}  {'budget':>9}")
    for name, used in gas.items():
        budget = BUDGETS.get(name)
        over = f"  over by {used - budget:,}" if budget is not None and used > budget else ""
        shown = "–" if budget is None else f"{budget:,}"
        click.echo(f"{name:<{width}}  {used:>9,}  {shown:>9}{over}")
    click.echo(f"\nwritten to {out}")
