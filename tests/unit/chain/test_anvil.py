"""However the code around a node ends, the node ends too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from bulkhead.chain import anvil as module
from bulkhead.chain.anvil import Anvil, AnvilError

PROGRAM = """
import sys, time
from bulkhead.chain.anvil import Anvil
with Anvil() as anvil:
    print(anvil.pid, flush=True)
    try:
        time.sleep(60)
    finally:
        print("left", flush=True)
"""


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has waited for yet has ended all the same.
    stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(stat.stdout.strip()) and not stat.stdout.strip().startswith("Z")


def _wait_until_gone(pid: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not _is_running(pid):
            return True
        time.sleep(0.02)
    return False


def test_enter__defaults__answers_with_accounts():
    with Anvil(accounts=2) as anvil:
        assert anvil.rpc.chain_id() == 31_337
        assert int(anvil.rpc.block()["gasLimit"], 16) == 30_000_000
        assert [a.address for a in anvil.accounts] == [
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        ]
        assert len(anvil.accounts[0].private_key) == 66
        pid = anvil.pid
    assert _wait_until_gone(pid)


def test_enter__options__are_the_nodes():
    options = {"timestamp": 2_000_000_000, "base_fee": 0, "gas_limit": 10**9, "balance": 7}
    with Anvil(accounts=1, mine=False, chain_id=99, **options) as anvil:
        genesis = anvil.rpc.block(0)
        assert int(genesis["timestamp"], 16) == 2_000_000_000
        assert int(genesis["baseFeePerGas"], 16) == 0
        assert int(genesis["gasLimit"], 16) == 10**9
        assert anvil.rpc.chain_id() == 99
        assert anvil.rpc.balance(anvil.accounts[0].address) == 7 * 10**18
        anvil.rpc.send(anvil.accounts[0].address, anvil.accounts[0].address, b"")
        assert anvil.rpc.block_number() == 0


def test_enter__port_taken__says_which():
    with Anvil() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(AnvilError, match=f"port {port} is taken"):
            Anvil(port).start()


def test_enter__unknown_argument__reports_the_nodes_words():
    with pytest.raises(AnvilError, match="no-such-flag"):
        Anvil(arguments=("--no-such-flag",)).start()


def test_enter__no_binary__says_what_to_run(monkeypatch, tmp_path):
    monkeypatch.setattr(module.sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AnvilError, match="make setup"):
        Anvil().start()


def test_rpc__not_running__refused():
    with pytest.raises(AnvilError, match="not running"):
        _ = Anvil().rpc


def test_exit__exception__node_is_gone():
    anvil = Anvil()

    def fail() -> None:
        with anvil:
            pids.append(anvil.pid)
            raise RuntimeError("boom")

    pids: list[int] = []
    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert _wait_until_gone(pids[0])


def test_exit__states_on_disk__go_with_the_node(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Anvil() as anvil:
        anvil.rpc.mine(anvil.rpc.timestamp() + 1)
        assert len(list(tmp_path.glob("bulkhead-anvil-*"))) == 1
    assert list(tmp_path.glob("bulkhead-anvil-*")) == []


def test_stop__twice__harmless():
    anvil = Anvil()
    anvil.start()
    anvil.stop()
    anvil.stop()


def test_wait__node_dies__noticed():
    with Anvil() as anvil:
        assert not anvil.wait(0)
        os.kill(anvil.pid, signal.SIGKILL)
        assert anvil.wait(10)


def test_exit__signal_handlers__as_before():
    before = signal.getsignal(signal.SIGTERM)
    with Anvil():
        pass
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_signal__to_the_parent__node_is_gone(number):
    if number == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux can end a node whose parent is killed")
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # As in a terminal: a background job would ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert _is_running(pid)
    parent.send_signal(number)
    rest = parent.stdout.read()
    parent.wait(10)
    assert ("left" in rest) == (number != signal.SIGKILL)
    assert _wait_until_gone(pid)
