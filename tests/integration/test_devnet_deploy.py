"""``ape run deploy`` on a running chain: refused, shown, done, and the same as the devnet's."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bulkhead import ROOT
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.deployment.addresses import DEPLOYMENTS, AddressBook
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet
from bulkhead.deployment.plan import GOVERNOR
from bulkhead.deployment.sender import RpcSender

NAME = f"test-deploy-{os.getpid()}"


@pytest.fixture(scope="module")
def chain():
    """A chain with tokens and feeds, and the devnet's deployment on them."""
    artifacts = ensure_compiled()
    with Anvil() as anvil:
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        book = deploy_devnet(sender, DevnetOptions(seed_accounts=False), artifacts=artifacts)
        yield anvil, book
    (DEPLOYMENTS / f"{NAME}.json").unlink(missing_ok=True)


@pytest.fixture
def raw(chain):
    """A parameter file's content for this chain."""
    anvil, book = chain
    data = json.loads(book.parameters.model_dump_json())
    data["chain_id"] = 31_337
    data["external"] = {"tokens": dict(book.tokens), "feeds": dict(book.feeds)}
    data["roles"] = {"governor": anvil.accounts[5].address}
    return data


@pytest.fixture
def arguments(chain, tmp_path):
    """Write parameters to a file; return the command's arguments."""

    def _arguments(data, *more: str) -> list[str]:
        file = tmp_path / "parameters.json"
        file.write_text(json.dumps(data))
        network = f"ethereum:local:{chain[0].url}"
        return ["--parameters", str(file), "--name", NAME, "--network", network, *more]

    return _arguments


@pytest.fixture
def deploy(arguments):
    """Run the command in this process; return status and output."""
    command = runpy.run_path(str(ROOT / "scripts" / "deploy.py"))["cli"]

    def _deploy(data, *more: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, arguments(data, *more))
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    return _deploy


def test_deploy__wrong_parameter__refused_in_one_line(deploy, raw):
    raw["markets"][0]["taker_fee"] = "0.02"
    status, output = deploy(raw)
    assert status == 1
    assert "parameters.json: markets.ETH-PERP.taker_fee: 0.02 is above the limit 0.01" in output


def test_deploy__wrong_address__refused_before_anything_is_sent(chain, deploy, raw):
    raw["external"]["feeds"]["BTC-1"] = raw["external"]["tokens"]["USDB"]
    block = chain[0].rpc.block_number()
    status, output = deploy(raw)
    assert status == 1
    assert "oracle.BTC.sources.0" in output
    assert chain[0].rpc.block_number() == block


def test_deploy__unknown_account__one_clear_line(deploy, raw):
    status, output = deploy(raw, "--account", "nobody-of-this-name")
    assert status == 2
    assert "there is no account nobody-of-this-name" in output


def test_deploy__dry_run__shows_all_and_sends_nothing(chain, deploy, raw):
    block = chain[0].rpc.block_number()
    status, output = deploy(raw, "--dry-run")
    assert status == 0
    assert "deploy MarginEngine" in output
    assert "list market BTC-PERP" in output
    assert "Nothing was sent." in output
    assert chain[0].rpc.block_number() == block


def test_deploy__signed_by_ape__same_code_as_the_devnets(chain, arguments, raw):
    anvil, devnet = chain
    run = subprocess.run(
        [str(Path(sys.prefix) / "bin" / "ape"), "run", "deploy", *arguments(raw)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "deployer gives up governance" in run.stdout
    book = AddressBook.load(NAME)
    assert book.chain_id == 31_337
    assert book.url is None
    assert book.deployer == anvil.accounts[0].address
    # These have no immutables but what both deployments share.
    for name in ("RoleRegistry", "ETH adapter 1"):
        assert book.code_hashes[name] == devnet.code_hashes[name]
    assert not set(book.contracts.values()) & set(devnet.contracts.values())
    roles = book.contract(anvil.rpc, "RoleRegistry")
    assert book.parameters.roles.governor == anvil.accounts[5].address
    assert not roles.call("hasRole", GOVERNOR, book.deployer)
