"""A local Anvil node that cannot outlive the code that started it."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from bulkhead.chain.rpc import Rpc, RpcConnectionError
from bulkhead.chain.signals import exiting_on_signals

CHAIN_ID = 31_337
BLOCK_GAS_LIMIT = 30_000_000
START_TIMEOUT_SECONDS = 20.0
STOP_TIMEOUT_SECONDS = 2.0

_PR_SET_PDEATHSIG = 1
_ACCOUNT_LINE = re.compile(r"^\((\d+)\) (0x[0-9a-fA-F]{40}) ")
_KEY_LINE = re.compile(r"^\((\d+)\) (0x[0-9a-fA-F]{64})$")
_LISTENING_LINE = re.compile(r"^Listening on \S*:(\d+)")


class AnvilError(Exception):
    """Anvil could not be started; the message says why and what to do."""


class DevAccount(NamedTuple):
    """A funded account of Anvil's public mnemonic. The key is no secret."""

    address: str
    private_key: str


class Anvil:
    """A context manager around one ``anvil`` process.

    Whatever ends the ``with`` block ends the process: leaving it, an exception, SIGINT, SIGTERM or
    SIGHUP; on Linux also the sudden death of the parent.

    Args:
        port: TCP port; 0 takes a free one.
        accounts: how many funded accounts.
        balance: ether of each.
        timestamp: Unix seconds of the genesis block; None: now.
        block_time: seconds between blocks; None mines each transaction at once.
        mine: False mines only when told (``rpc.mine``), transactions in order of arrival.
        hardfork: EVM rules.
        gas_limit: gas per block.
        base_fee: wei per gas of the first block; None leaves it to Anvil.
        chain_id: the chain's id.
        arguments: more command line arguments, passed on as they are.

    Attributes:
        url: where the node listens.
        rpc: a connection to it.
        accounts: address and private key of each funded account.

    Raises:
        AnvilError: on entering: the binary is missing, the port is taken, or it did not start.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        accounts: int = 10,
        balance: int = 1_000_000,
        timestamp: int | None = None,
        block_time: int | None = None,
        mine: bool = True,
        hardfork: str = "cancun",
        gas_limit: int = BLOCK_GAS_LIMIT,
        base_fee: int | None = None,
        chain_id: int = CHAIN_ID,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self._arguments = [
            *("--port", str(port), "--accounts", str(accounts), "--balance", str(balance)),
            *("--hardfork", hardfork, "--gas-limit", str(gas_limit), "--chain-id", str(chain_id)),
            *("--auto-impersonate", "--order", "fifo", "--color", "never"),
        ]
        if timestamp is not None:
            self._arguments += ["--timestamp", str(timestamp)]
        if block_time is not None:
            self._arguments += ["--block-time", str(block_time)]
        if not mine:
            self._arguments += ["--no-mining"]
        if base_fee is not None:
            self._arguments += ["--block-base-fee-per-gas", str(base_fee)]
        self._arguments += arguments
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._open = contextlib.ExitStack()
        self.accounts: tuple[DevAccount, ...] = ()
        self.url = ""
        self._rpc: Rpc | None = None

    @property
    def rpc(self) -> Rpc:
        """The connection to the running node."""
        if self._rpc is None:
            raise AnvilError("this Anvil is not running: use it in a `with` block")
        return self._rpc

    @property
    def pid(self) -> int:
        """Process id of the running node."""
        if self._process is None:
            raise AnvilError("this Anvil is not running: use it in a `with` block")
        return self._process.pid

    def __enter__(self) -> Anvil:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the node and return once it answers. Prefer ``with``."""
        binary = find_anvil()
        self._open.enter_context(exiting_on_signals())
        # Anvil writes old states to disk and leaves them there; this folder goes with the node.
        states = self._open.enter_context(tempfile.TemporaryDirectory(prefix="bulkhead-anvil-"))
        try:
            self._process = subprocess.Popen(
                [binary, *self._arguments, "--cache-path", states],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # A Ctrl-C on the terminal is for the parent, who then stops the node in order.
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
            atexit.register(self.stop)
            self._await_answer(self._process)
        except BaseException:
            self.stop()
            raise

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the node ends by itself; return whether it did before the timeout."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Stop the node. Harmless if it is not running."""
        atexit.unregister(self.stop)
        if self._rpc is not None:
            self._rpc.close()
            self._rpc = None
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._open.close()

    def _await_answer(self, process: subprocess.Popen[str]) -> None:
        """Read the banner up to its last line, then let the node go quiet."""
        assert process.stdout is not None
        # A node that hangs before its last line would block the reading below for ever.
        deadline = threading.Timer(START_TIMEOUT_SECONDS, process.kill)
        deadline.daemon = True
        deadline.start()
        lines: list[str] = []
        addresses: list[str] = []
        keys: list[str] = []
        port = None
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                if match := _ACCOUNT_LINE.match(line):
                    addresses.append(match[2])
                elif match := _KEY_LINE.match(line):
                    keys.append(match[2])
                elif match := _LISTENING_LINE.match(line):
                    port = int(match[1])
                    break
        finally:
            deadline.cancel()
        if port is None:
            raise AnvilError(_reason(lines, self._port, process.wait()))
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        self.accounts = tuple(map(DevAccount, addresses, keys))
        self.url = f"http://127.0.0.1:{port}"
        self._rpc = Rpc(self.url)
        end = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                self._rpc.request("anvil_setLoggingEnabled", [False])
                return
            except RpcConnectionError:
                if time.monotonic() > end or process.poll() is not None:
                    raise AnvilError("anvil started but does not answer") from None


def find_anvil() -> str:
    """Return the path of the ``anvil`` binary: that of this environment, else of ``PATH``.

    Raises:
        AnvilError: there is none.
    """
    beside = Path(sys.prefix) / "bin" / "anvil"
    found = str(beside) if beside.exists() else shutil.which("anvil")
    if found is None:
        raise AnvilError("the program `anvil` is missing: run `make setup`")
    return found


def _drain(process: subprocess.Popen[str]) -> None:
    """Keep the pipe from filling up; after the banner next to nothing comes."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):
        for _ in process.stdout:
            pass


def _die_with_parent() -> Callable[[], None] | None:
    """Return what the child runs before it becomes Anvil: ask Linux to end it with its parent.

    Linux means the parent *thread*, so this is only for the main one; elsewhere ``atexit`` must do.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # It died before we asked.
            os._exit(1)

    return ask


def _reason(lines: list[str], port: int, status: int) -> str:
    text = "\n".join(lines)
    if "in use" in text:
        return f"port {port} is taken: choose another, or stop what listens there"
    words = [line for line in lines if line][-3:]
    return f"anvil did not start (exit status {status}): {' / '.join(words) or 'no output'}"
