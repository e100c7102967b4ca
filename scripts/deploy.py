"""Deploy the suite to any network that Ape knows: ``ape run deploy``."""

from __future__ import annotations

from pathlib import Path

import click

# Ape takes the project off the module path before a command runs: import the package here, and its
# modules where they are needed, so that `ape run` stays quick for the other scripts.
from bulkhead import ROOT


@click.command(short_help="Deploy the suite from a parameter file.")
@click.option(
    "--parameters",
    "parameter_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML or JSON; deployments/parameters/devnet.toml is an example.",
)
@click.option(
    "--network",
    metavar="CHOICE",
    help="As Ape writes it, such as ethereum:sepolia:node; else the project's default.",
)
@click.option(
    "--account",
    "alias",
    metavar="ALIAS",
    help="Ape account that deploys. On a local chain: its first test account, if left out.",
)
@click.option("--name", help="Name of the address book; else the network's.")
@click.option("--confirmations", type=click.IntRange(min=0), help="Blocks to wait for each time.")
@click.option("--overwrite", is_flag=True, help="Replace an address book of this name.")
@click.option("--dry-run", is_flag=True, help="Check everything and show it, send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before sending to a live network.")
def cli(
    parameter_file: Path,
    network: str | None,
    alias: str | None,
    name: str | None,
    confirmations: int | None,
    overwrite: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Deploy roles, oracle, peg monitor and one compartment, configure and verify them.

    The parameter file is validated before anything is sent, against the contracts' own bounds and
    against what its addresses hold. The address book goes to deployments/NAME.json.
    """
    from ape import networks
    from ape.exceptions import ApeException

    from bulkhead.chain.artifacts import ArtifactError, ensure_compiled
    from bulkhead.deployment.addresses import DEPLOYMENTS
    from bulkhead.deployment.deploy import deploy_core, external_environment, plan_core
    from bulkhead.deployment.parameters import ParameterError, load_parameters
    from bulkhead.deployment.sender import ApeSender, DeploymentError

    try:
        parameters = load_parameters(parameter_file)
        artifacts = ensure_compiled(lambda what: click.echo(f"{what} …"))
        with networks.parse_network_choice(network) as provider:
            is_local = provider.network.is_local
            title = name or provider.network.name
            file = DEPLOYMENTS / f"{title}.json"
            if file.exists() and not (overwrite or dry_run or is_local):
                raise click.ClickException(f"{_shown(file)} exists: choose --name or --overwrite")
            account = _account(alias, is_local)
            sender = ApeSender(account, provider, confirmations)
            environment = external_environment(parameters, title)
            plan = plan_core(sender, parameters, environment, artifacts)
            click.echo(
                f"chain {sender.chain_id()}, {sender.address}, {len(plan.steps)} transactions"
            )
            if dry_run:
                _show(plan)
                return
            if not (is_local or yes):
                click.confirm("Send them?", abort=True)
            if hasattr(account, "set_autosign"):
                account.set_autosign(True)  # One passphrase instead of a question each time.
            number = _Counter(len(plan.steps))
            book = deploy_core(
                sender, parameters, environment, artifacts=artifacts, progress=number.next
            )
            click.echo(f"Deployed and verified. Addresses: {_shown(book.save())}")
            for contract, address in book.contracts.items():
                click.echo(f"  {contract:<20} {address}")
    except (ArtifactError, DeploymentError, ParameterError) as error:
        raise click.ClickException(str(error)) from None
    except ApeException as error:
        raise click.ClickException(str(error).splitlines()[0]) from None


class _Counter:
    """Prints each step with its number."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def next(self, what: str) -> None:
        self._done += 1
        # The step after the last transaction is the verification.
        number = f"{self._done}/{self._total}" if self._done <= self._total else "   "
        click.echo(f"[{number:>7}] {what}")


def _account(alias: str | None, is_local: bool):
    from ape import accounts

    if alias is None:
        if not is_local:
            raise click.UsageError("a live network needs --account ALIAS (see `ape accounts list`)")
        return accounts.test_accounts[0]
    try:
        if alias.startswith("TEST::"):
            return accounts.test_accounts[int(alias.removeprefix("TEST::"))]
        return accounts.load(alias)
    except (KeyError, IndexError, ValueError):
        raise click.UsageError(f"there is no account {alias} (see `ape accounts list`)") from None


def _show(plan) -> None:
    for i, step in enumerate(plan.steps, start=1):
        target = f"creates {step.creates}" if step.creates else f"calls   {step.to}"
        click.echo(f"[{i:>3}] {step.label:<28} {target}  {len(step.data):>6} bytes")
    click.echo("Nothing was sent.")


def _shown(file: Path) -> str:
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)
