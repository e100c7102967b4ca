"""``ape run devnet`` as a person uses it: start, look, trade, Ctrl-C."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from bulkhead import ROOT
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.chain.codec import asset_id
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.addresses import DEPLOYMENTS, AddressBook
from bulkhead.deployment.uniswap import Token, spot_price, swap_exact_in

APE = str(Path(sys.prefix) / "bin" / "ape")
NAME = f"test-{os.getpid()}"
READY = "Ctrl-C stops it"
WAD = 10**18
VALID = 3


def _descendants(pid: int) -> set[int]:
    """Return the ids of all processes below one."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in table.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, queue = set(), [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            found.add(child)
            queue.append(child)
    return found


def _alive(pids: set[int]) -> set[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return {int(pid) for pid, state in rows if not state.startswith("Z")}


class Devnet:
    """A running command: what it printed, and how to stop it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [APE, "run", "devnet", "--port", "0", "--name", NAME, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if READY in line:
                break
        else:
            raise AssertionError(self.output)

    def stop(self, number: int) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.output += self.process.stdout.read()
        return self.process.wait(20)


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compile before the clock of any test runs; tidy up the address book."""
    ensure_compiled()
    yield
    (DEPLOYMENTS / f"{NAME}.json").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def devnet():
    running = Devnet()
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def book(devnet):
    return AddressBook.load(NAME)


@pytest.fixture(scope="module")
def rpc(book):
    return Rpc(book.url)


def test_output__names_every_address_and_key(devnet, book):
    for address in (*book.contracts.values(), *book.tokens.values(), *book.accounts.values()):
        assert address in devnet.output
    assert "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" in devnet.output
    assert f"deployments/{NAME}.json" in devnet.output


def test_chain__clock__is_about_now(rpc):
    assert abs(rpc.timestamp() - time.time()) < 60


def test_protocol__new__prices_valid_and_pool_filled(rpc, book):
    view = book.contract(rpc, "Lens").call("compartment")
    assert [market.status for market in view.markets] == [VALID, VALID]
    assert view.totals.poolCash == 20_000_000 * WAD
    assert view.custodySurplus == 0


def test_swap__real_uniswap__moves_spot_then_the_oracle(rpc, book):
    base, quote = (Token(book.tokens[s], book.decimals[s]) for s in ("LST", "WETH"))
    alice = book.accounts["alice"]
    oracle = book.contract(rpc, "OracleAggregator")
    before = spot_price(rpc, book.pools["LST/WETH"], base, quote)
    data = swap_exact_in(base.address, quote.address, 500, alice, 3_000 * WAD)
    assert rpc.send_sync(alice, book.contracts["SwapRouter"], data).success
    after = spot_price(rpc, book.pools["LST/WETH"], base, quote)
    assert before == WAD
    assert after < WAD * 999 // 1_000
    # The pool outvotes the feed: ten minutes later the oracle has its price.
    rpc.mine(rpc.timestamp() + 700)
    ratio = oracle.call("aggregate", asset_id("LST/ETH")).price
    assert abs(ratio - after) <= WAD // 10_000


def test_trade__through_the_public_interface__opens_a_position(rpc, book):
    bob = book.accounts["bob"]
    account = bytes.fromhex(bob[2:]) + bytes(12)
    book.contract(rpc, "MarginEngine").transact("deposit", account, 0, 10_000 * 10**6, sender=bob)
    perps = book.contract(rpc, "PerpExchange")
    receipt = perps.transact("trade", account, 1, WAD // 10, 2**255, sender=bob)
    [event] = perps.events(receipt, "Traded")
    assert event.args.position.size == WAD // 10


def test_interrupt__ctrl_c__leaves_no_process(devnet, rpc):
    family = _descendants(devnet.process.pid)
    assert _alive(family)  # Anvil at least.
    assert devnet.stop(signal.SIGINT) == 0
    assert devnet.output.rstrip().endswith("Stopped.")
    assert not _alive(family)


def test_terminate__sigterm__leaves_no_process():
    running = Devnet("--feeds-only", "--block-time", "1", "--heartbeat", "1")
    family = _descendants(running.process.pid)
    book = AddressBook.load(NAME)
    rpc = Rpc(book.url)
    assert book.pools == {}
    # Blocks come by themselves, and with them the heartbeat's prices.
    feed = book.contract(rpc, "BTC-1")
    first = feed.call("latestRoundData").roundId
    end = time.monotonic() + 15
    while feed.call("latestRoundData").roundId == first:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert running.stop(signal.SIGTERM) != 0
    assert not _alive(family)


@pytest.fixture
def refused():
    """Run the command in this process, to be refused; return its output."""
    command = runpy.run_path(str(ROOT / "scripts" / "devnet.py"))["cli"]

    def _refused(*arguments: str) -> str:
        handler = signal.getsignal(signal.SIGINT)
        try:
            result = CliRunner().invoke(command, [*arguments, "--name", NAME])
        finally:
            signal.signal(signal.SIGINT, handler)
        assert isinstance(result.exception, SystemExit)
        assert result.exit_code != 0
        return result.output

    return _refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parameters", "missing.toml"], "missing.toml: No such file"),
        (["--block-time", "0"], "block-time"),
        (["--port", "http"], "port"),
    ],
)
def test_start__wrong_option__one_clear_line(refused, arguments, message):
    assert message in refused(*arguments)


def test_start__port_taken__one_clear_line(refused):
    with Anvil(accounts=1) as anvil:
        port = anvil.url.rpartition(":")[2]
        assert f"port {port} is taken" in refused("--port", port)
