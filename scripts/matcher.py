"""Match signed orders off chain and settle them on chain: ``ape run matcher``."""

from __future__ import annotations

from pathlib import Path

import click

from bulkhead import ROOT

WAD = 10**18


@click.command(short_help="Match signed orders and settle them on chain.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8_600,
    show_default=True,
    help="TCP port; 0 takes a free one.",
)
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "reports" / "matcher.sqlite",
    help="Where orders are kept [default: reports/matcher.sqlite].",
)
@click.option(
    "--deployment",
    default="local",
    show_default=True,
    help="Address book: the name of a network in deployments/, or a file.",
)
@click.option("--url", help="The node  [default: the address book's].")
@click.option(
    "--sender",
    help="Account that the node holds; nothing else may send from it  [default: its last one].",
)
@click.option(
    "--batch-interval",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Pause between rounds of settlement.",
)
@click.option(
    "--open-per-signer",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Orders that one signer may have open.",
)
@click.option(
    "--open-orders",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Orders that may be open in all.",
)
@click.option(
    "--minimum-size",
    type=click.FloatRange(min=0),
    default=0.001,
    show_default=True,
    help="Least size of an order, in base units.",
)
def cli(
    host: str,
    port: int,
    database: Path,
    deployment: str,
    url: str | None,
    sender: str | None,
    batch_interval: float,
    open_per_signer: int,
    open_orders: int,
    minimum_size: float,
) -> None:
    """Take signed orders over HTTP, match them by price and time, and settle them on chain.

    An order that was answered 201 is on disk: it survives the end of this process, however it ends.
    docs/matcher.md has the API. Exit status: 0 when stopped by Ctrl-C or SIGTERM, 1 if it cannot
    start or go on, 2 for wrong options.
    """
    from bulkhead.matcher.command import MatcherOptions, run_matcher
    from bulkhead.matcher.engine import Limits

    options = MatcherOptions(
        host=host,
        port=port,
        database=database,
        deployment=deployment,
        url=url,
        sender=sender,
        batch_interval_seconds=batch_interval,
        limits=Limits(open_per_signer, open_orders, round(minimum_size * WAD)),
    )
    raise SystemExit(run_matcher(options))
