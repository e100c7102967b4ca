"""Start a local chain with the whole suite on it: ``ape run devnet``."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import click

# Ape takes the project off the module path before a command runs: import the package here, and its
# modules where they are needed, so that `ape run` stays quick for the other scripts.
from bulkhead import ROOT


@click.command(short_help="Start a local chain with everything deployed and funded.")
@click.option("--port", default=8545, show_default=True, help="TCP port; 0 takes a free one.")
@click.option(
    "--block-time",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="Mine a block every so often. Without it, each transaction is mined at once.",
)
@click.option("--name", default="local", show_default=True, help="Name of the address book.")
@click.option("--feeds-only", is_flag=True, help="Leave out Uniswap: prices come from feeds alone.")
@click.option(
    "--parameters",
    "parameter_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Parameter file; else deployments/parameters/devnet.toml.",
)
@click.option(
    "--heartbeat",
    default=600,
    show_default=True,
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="Let the feeds repeat their prices this often, so that none goes stale; 0: never.",
)
def cli(
    port: int,
    block_time: int | None,
    name: str,
    feeds_only: bool,
    parameter_file: Path | None,
    heartbeat: int,
) -> None:
    """Start Anvil, deploy and seed the suite, and stay up until Ctrl-C.

    Addresses go to deployments/NAME.json. The chain is gone when this command ends.
    """
    from bulkhead.chain.anvil import Anvil, AnvilError
    from bulkhead.chain.artifacts import ArtifactError, ensure_compiled
    from bulkhead.deployment.devnet import (
        DEVNET_PARAMETERS,
        DevnetOptions,
        deploy_devnet,
        feeds_only_parameters,
        refresh_feeds,
        warm_up_seconds,
    )
    from bulkhead.deployment.parameters import ParameterError, load_parameters
    from bulkhead.deployment.sender import DeploymentError, RpcSender

    # A shell's background jobs ignore Ctrl-C unless told otherwise, and this must be stoppable.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        parameters = load_parameters(parameter_file or DEVNET_PARAMETERS)
        if feeds_only:
            parameters = feeds_only_parameters(parameters)
        artifacts = ensure_compiled(lambda what: click.echo(f"{what} …"))
        # Building it moves the clock on, up to now.
        genesis = int(time.time()) - warm_up_seconds(parameters)
        with Anvil(port, timestamp=genesis) as anvil:
            started = time.monotonic()
            book = deploy_devnet(
                RpcSender(anvil.rpc, anvil.accounts[0].address),
                DevnetOptions(spot_markets=not feeds_only, network=name, parameters=parameters),
                artifacts=artifacts,
                progress=_progress,
            )
            _progress("")
            file = book.save()
            if block_time is not None:
                anvil.rpc.request("evm_setIntervalMining", [block_time])
            _summary(book, anvil, file, time.monotonic() - started)
            while not anvil.wait(heartbeat or None):
                refresh_feeds(anvil.rpc, book)
            raise click.ClickException("anvil ended by itself")
    except KeyboardInterrupt:
        click.echo("\nStopped.")
    except (AnvilError, ArtifactError, DeploymentError, ParameterError) as error:
        raise click.ClickException(str(error)) from None


def _progress(what: str) -> None:
    """Show the current step in one line of the terminal; say nothing in a pipe."""
    if click.get_text_stream("stdout").isatty():
        click.echo(f"\r\033[K{what}", nl=False)


def _summary(book, anvil, file: Path, seconds: float) -> None:
    count = len(book.contracts) + len(book.tokens) + len(book.feeds) + len(book.oracles)
    click.echo(f"{count} contracts deployed and verified in {seconds:.1f} s\n")
    _table("Contracts", book.contracts)
    _table("Tokens", book.tokens)
    _table("Feeds", book.feeds)
    _table("Oracles", book.oracles)
    _table("Pools", book.pools)
    _table("Markets", {name: str(i) for name, i in book.markets.items()})
    _table("Collaterals", {name: str(i) for name, i in book.collaterals.items()})
    keys = {account.address: account.private_key for account in anvil.accounts}
    click.secho("Accounts with ether and every token; their keys are public", bold=True)
    for name, address in book.accounts.items():
        click.echo(f"  {name:<26} {address}  {keys[address]}")
    click.echo(f"\nListening on {book.url} (chain {book.chain_id}). Addresses: {_shown(file)}")
    click.echo("Ctrl-C stops it.")


def _table(title: str, rows: dict[str, str]) -> None:
    if rows:
        click.secho(title, bold=True)
        for name, value in rows.items():
            click.echo(f"  {name:<26} {value}")
        click.echo()


def _shown(file: Path) -> str:
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)
