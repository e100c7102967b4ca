"""``ape run matcher`` starts where it may, says what is wrong where not, and ends when told to."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from bulkhead import ROOT
from bulkhead.deployment.addresses import AddressBook, AddressBookError
from bulkhead.matcher import command
from bulkhead.matcher.alone import matcher_process
from bulkhead.matcher.command import Backing, MatcherError, MatcherOptions, connect
from bulkhead.matcher.engine import Limits
from bulkhead.matcher.orders import Domain
from bulkhead.matcher.store import Store
from tests.unit.matcher.support import ALICE, DOMAIN


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("matcher_script", ROOT / "scripts" / "matcher.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options(folder: Path, **changes: Any) -> MatcherOptions:
    values = {
        "host": "127.0.0.1",
        "port": 0,
        "database": folder / "o.sqlite",
        "deployment": "local",
        "url": None,
        "sender": None,
        "batch_interval_seconds": 0.01,
        "limits": Limits(),
    }
    return MatcherOptions(**{**values, **changes})


def test_cli__without_options__has_sensible_ones(monkeypatch) -> None:
    seen: list[MatcherOptions] = []
    monkeypatch.setattr(command, "run_matcher", lambda given: seen.append(given) or 0)
    result = CliRunner().invoke(load().cli, [])
    assert result.exit_code == 0
    (given,) = seen
    assert (given.host, given.port, given.deployment) == ("127.0.0.1", 8_600, "local")
    assert given.database == ROOT / "reports" / "matcher.sqlite"
    assert given.limits == Limits(200, 100_000, 10**15)


@pytest.mark.parametrize(
    "bad", [["--port", "65536"], ["--batch-interval", "0"], ["--open-orders", "0"], ["more"]]
)
def test_cli__wrong_options__is_status_2(bad) -> None:
    assert CliRunner().invoke(load().cli, bad).exit_code == 2


def test_cli__no_deployment__says_how_to_get_one(tmp_path) -> None:
    missing = str(tmp_path / "nowhere.json")
    result = CliRunner().invoke(load().cli, ["--deployment", missing])
    assert result.exit_code == 1
    assert "ape run devnet" in result.output


def test_cli__database_of_another_contract__is_status_1(tmp_path, monkeypatch) -> None:
    path = tmp_path / "o.sqlite"
    Store(path, Domain(1, ALICE.address)).close()
    monkeypatch.setattr(command, "connect", lambda _: Backing(DOMAIN, None, None, "no chain"))
    result = CliRunner().invoke(load().cli, ["--database", str(path), "--port", "0"])
    assert result.exit_code == 1
    assert "is version 1 for contract" in result.output


def test_serve__port_is_taken__says_so_and_lets_go_of_the_database(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = options(tmp_path, port=taken.getsockname()[1])
        backing = Backing(DOMAIN, None, None, "no chain")
        with pytest.raises(MatcherError, match="cannot listen on 127"):
            asyncio.run(command.serve(given, backing, lambda _: None))
    Store(given.database, DOMAIN).close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_matcher__told_to_stop__ends_well(tmp_path, number) -> None:
    with matcher_process(tmp_path / "o.sqlite", DOMAIN) as (process, _):
        process.send_signal(number)
        assert process.wait() == 0
    Store(tmp_path / "o.sqlite", DOMAIN).close()


class Book:
    """An address book with or without signed orders."""

    network, chain_id, url = "local", 31_337, None

    def __init__(self, *contracts: str) -> None:
        self.contracts = dict.fromkeys(contracts, DOMAIN.contract)


def test_connect__deployment_without_signed_orders__says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(AddressBook, "load", lambda _: Book())
    with pytest.raises(MatcherError, match="local has no SignedOrders"):
        connect(options(tmp_path))
    monkeypatch.setattr(AddressBook, "load", lambda _: Book("SignedOrders"))
    with pytest.raises(MatcherError, match="names no node: give one with --url"):
        connect(options(tmp_path))
    with pytest.raises(MatcherError, match="not an HTTP address"):
        connect(options(tmp_path, url="ws://x"))
    with pytest.raises(MatcherError, match="no answer from"):
        connect(options(tmp_path, url="http://127.0.0.1:1"))


def test_connect__no_such_book__is_an_error_of_the_book(tmp_path) -> None:
    with pytest.raises(AddressBookError):
        connect(options(tmp_path, deployment=str(tmp_path / "none.json")))
