"""A campaign as tables for people and as ``summary.json`` for machines."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.failures import replay_command
from bulkhead.fuzz.readable import with_names

_PARTS = {
    "draw": "drawing (Hypothesis)",
    "generate": "model",
    "execute": "waiting for the EVM",
    "judge": "judging",
}


def summary(campaign: Campaign, *, is_interrupted: bool) -> dict[str, Any]:
    """Return a campaign as a JSON object."""
    s = campaign.statistics
    target = campaign.session.target
    return {
        "target": campaign.session.spec,
        "executor": campaign.session.executor.name,
        "profile": campaign.profile.name,
        "seed": campaign.seed,
        "bytecode": campaign.session.bytecode,
        "interrupted": is_interrupted,
        "seconds": round(campaign.elapsed, 1),
        "sequences": s.sequences,
        "steps": s.steps,
        "steps_per_second": round(s.steps / max(campaign.elapsed, 1e-9), 1),
        "accepted": s.accepted,
        "refused": s.refused,
        "operations": s.by_operation(),
        "never_accepted": sorted(
            name
            for name in campaign.catalogue.names
            if not s.by_operation().get(name, {}).get("accepted")
        ),
        "regimes": dict(s.regimes.most_common()),
        "invariants": list(target.invariants),
        "searched_for": {name: round(value, 6) for name, value in s.best.items()},
        "time_shares": s.shares(),
        "node_restarts": s.restarts,
        "failing_sequences": s.failing,
        "failures": [found.summary() for found in campaign.found.values()],
    }


def progress_line(campaign: Campaign) -> Text:
    """Return how far a campaign is, in one line."""
    s, p = campaign.statistics, campaign.profile
    elapsed = campaign.elapsed
    parts = [
        f"{_clock(elapsed)}" + (f" of {_clock(p.seconds)}" if p.seconds else ""),
        f"{s.steps:,} steps" + (f" of {p.steps:,}" if p.steps else ""),
        f"{s.steps / max(elapsed, 1e-9):,.0f}/s",
        f"{s.sequences:,} sequences",
        f"{100 * s.accepted / max(s.steps, 1):.0f} % accepted",
        f"{len(campaign.found)} failures",
    ]
    return Text("[fuzz] " + " · ".join(parts))


def report(campaign: Campaign, console: Console, *, is_interrupted: bool) -> None:
    """Print what was done and what was found."""
    s = campaign.statistics
    if is_interrupted:
        console.print("[yellow]interrupted: this is what was done so far[/yellow]")
    console.print(progress_line(campaign), highlight=False)
    console.print(_operations(campaign))
    regimes = ", ".join(f"{name}: {count:,}" for name, count in s.regimes.most_common(12))
    console.print(f"calls by state: {regimes}", style="dim", highlight=False)
    reached = ", ".join(f"{name} {value:,.4g}" for name, value in s.best.items())
    if reached:
        console.print(f"furthest the search drove: {reached}", style="dim", highlight=False)
    shares = ", ".join(f"{_PARTS[k]} {100 * v:.0f} %" for k, v in s.shares().items())
    console.print(f"time: {shares}", style="dim", highlight=False)
    if s.restarts:
        console.print(f"the node had to be started again {s.restarts} times", style="yellow")
    for found in campaign.found.values():
        console.print()
        words = with_names(str(found.failure), campaign.session.target.deployment.accounts)
        console.print(f"[bold red]{words}[/bold red]", highlight=False)
        console.print(
            f"  {found.steps} calls; {found.times} sequences failed with it; first after "
            f"{found.steps_to_find:,} steps ({found.seconds_to_find:.1f} s)",
            highlight=False,
        )
        console.print(f"  replay it:  {replay_command(found.trace)}", highlight=False)
        console.print(f"  as a test:  {found.test}", highlight=False)


def _operations(campaign: Campaign) -> Table:
    table = Table(title="Operations", title_justify="left", box=None)
    table.add_column("operation")
    table.add_column("accepted", justify="right")
    table.add_column("refused", justify="right")
    table.add_column("by which errors", overflow="fold")
    for name, row in campaign.statistics.by_operation().items():
        refused = sorted(row["refused"].items(), key=lambda item: -item[1])
        errors = ", ".join(f"{error} {count:,}" for error, count in refused[:5])
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        total = sum(row["refused"].values())
        table.add_row(name, f"{row['accepted']:,}", f"{total:,}", errors + more)
    return table


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
