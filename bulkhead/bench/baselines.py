"""How fast other ways of testing contracts are, on the same calls.

A checked step is one transaction of a random actor with sensible arguments, then one view function
compared with a model of a few integers. Deploying, compiling and the first steps are not counted.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Protocol
from unittest.mock import patch

from bulkhead.bench.share_vault import EXAMPLE, ShareVaultWorkload
from bulkhead.bench.workload import Action, Look, Throughput, Workload
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import DEFAULT_TIMEOUT_SECONDS, Rpc, RpcConnectionError
from bulkhead.chain.signals import exiting_on_signals

SEED = 1
WARM_UP_STEPS = 10
STEPS_PER_EXAMPLE = 50
FORGE_TEST = "ShareVaultTotals"
RECEIVE_BYTES = 1 << 16
MOST_RUNS = 2**32 - 1

_DURATION_PART = re.compile(r"([\d.]+)(h|ms|m|s|µs|us|ns)")
_UNIT_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}

Progress = Callable[[str], None]


class BaselineError(Exception):
    """A stack could not be measured; the message says why."""


class Stack(Protocol):
    """A way to send transactions and to look at what became of them."""

    def send(self, action: Action) -> bool:
        """Send a transaction, wait for it, and return whether it was accepted."""

    def look(self, look: Look) -> Any:
        """Return what a view function returns."""


def measure_example(seconds: float, progress: Progress | None = None) -> dict[str, Throughput]:
    """Return how fast each stack tests ``examples/share-vault``, by its name.

    Args:
        seconds: how long each is measured.
        progress: is told what is measured next.

    Raises:
        ProjectError: the example does not compile.
        BaselineError: a stack does not work here.
        Mismatch: the vault did something wrong.
    """
    workload = ShareVaultWorkload()
    stacks: dict[str, Callable[[], Throughput]] = {
        "ape": lambda: ape(workload, seconds),
        "ape_rbsm": lambda: ape_rbsm(workload, seconds),
        "raw_ipc": lambda: raw_ipc(workload, seconds),
        "forge": lambda: forge(seconds),
    }
    measured = {}
    for name, measure in stacks.items():
        if progress is not None:
            progress(name)
        measured[name] = measure()
    return measured


def ape(workload: Workload, seconds: float) -> Throughput:
    """Measure eth-ape's contract objects in a loop, on an Anvil of its own."""
    with _ape_stack(workload) as stack:
        return _play(workload, stack, seconds)


def ape_rbsm(workload: Workload, seconds: float) -> Throughput:
    """Measure the same in a Hypothesis state machine that sets the chain back after each example.

    Only Hypothesis' generation is measured: there is no shrinking and no database.
    """
    from ape import chain
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

    with _ape_stack(workload) as stack:
        meter = _Meter(seconds)

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                self._snapshot = chain.snapshot()
                workload.begin()

            @rule(seed=st.integers(0, 2**64 - 1))
            def act(self, seed: int) -> None:
                _step(workload, stack, Random(seed))
                if meter.is_over():
                    raise _TimeUp

            def teardown(self) -> None:
                chain.restore(self._snapshot)

        with suppress(_TimeUp):
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    phases=(Phase.generate,),
                    stateful_step_count=STEPS_PER_EXAMPLE,
                    max_examples=10**9,
                    database=None,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        return meter.result()


def raw_ipc(workload: Workload, seconds: float) -> Throughput:
    """Measure bare JSON-RPC over Anvil's Unix socket, with accounts that Anvil signs for.

    Anvil is told to forget old states, without which it is clearly slower.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "anvil.ipc"
        arguments = ("--ipc", str(path), "--prune-history")
        with Anvil(arguments=arguments) as anvil, _IpcRpc(anvil.url, path) as rpc:
            return _play(workload, _RpcStack(workload.deploy(rpc)), seconds)


def forge(seconds: float, project: Path = EXAMPLE, test: str = FORGE_TEST) -> Throughput:
    """Measure forge's invariant testing of a Foundry project by its own clock.

    Args:
        seconds: how long, rounded to whole seconds, at least one.
        project: folder with ``foundry.toml``.
        test: name of a test contract with one invariant function, checked after every call.

    Raises:
        BaselineError: forge is missing, or the test failed.
    """
    _run_forge(project, {}, "build")
    limits = {
        "FOUNDRY_INVARIANT_TIMEOUT": str(max(1, round(seconds))),
        "FOUNDRY_INVARIANT_RUNS": str(MOST_RUNS),
    }
    output = _run_forge(project, limits, "test", "--json", "--match-contract", f"^{test}$")
    return _forge_result(output, test)


# ---------------------------------------------------------------------- the loop


class _TimeUp(BaseException):
    """Ends Hypothesis, which takes every ``Exception`` for a failure to look into."""


class _Meter:
    """Counts steps for a time that begins after the warm-up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._steps = -WARM_UP_STEPS
        self._begin = self._now = 0.0

    def is_over(self) -> bool:
        """Count a step that was made; return whether the time is over."""
        self._steps += 1
        self._now = time.perf_counter()
        if self._steps <= 0:
            self._begin = self._now
            return False
        return self._now - self._begin >= self._seconds

    def result(self) -> Throughput:
        return Throughput(max(self._steps, 0), self._now - self._begin)


def _play(workload: Workload, stack: Stack, seconds: float) -> Throughput:
    rng = Random(SEED)
    meter = _Meter(seconds)
    while True:
        _step(workload, stack, rng)
        if meter.is_over():
            return meter.result()


def _step(workload: Workload, stack: Stack, rng: Random) -> None:
    action = workload.next_call(rng)
    accepted = stack.send(action)
    workload.check(action, accepted, stack.look(workload.view))


# ---------------------------------------------------------------------- eth-ape


class _ApeStack:
    """Ape's own objects, as an Ape user has them at hand; Ape signs for its test accounts."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        from ape import Contract as ApeContract
        from ape import accounts
        from ape.exceptions import ContractLogicError

        self._refused = ContractLogicError
        self._contracts = {
            name: ApeContract(contract.address, abi=list(contract.abi))
            for name, contract in contracts.items()
        }
        self._impersonate = accounts.__getitem__
        self._accounts = {account.address: account for account in accounts.test_accounts}

    def send(self, action: Action) -> bool:
        account = self._accounts.get(action.sender)
        if account is None:
            account = self._accounts[action.sender] = self._impersonate(action.sender)
        function = getattr(self._contracts[action.contract], action.function)
        try:
            function(*action.args, sender=account)
        except self._refused:
            return False
        return True

    def look(self, look: Look) -> Any:
        return getattr(self._contracts[look.contract], look.function)(*look.args)


@contextmanager
def _ape_stack(workload: Workload) -> Iterator[_ApeStack]:
    """Start an Anvil, connect Ape to it, and keep Ape from writing about every transaction.

    Without that it would log the accepted ones, and print a trace of each refused one.
    """
    from ape import networks
    from ape.logging import LogLevel, logger
    from ape_ethereum.trace import Trace

    with Anvil() as anvil:
        contracts = workload.deploy(anvil.rpc)
        connection = networks.parse_network_choice(
            "ethereum:local:foundry",
            provider_settings={"host": anvil.url},
            disconnect_on_exit=True,
        )
        quiet = patch.object(Trace, "show", lambda *_, **__: None)
        with quiet, logger.at_level(LogLevel.ERROR), connection:
            yield _ApeStack(contracts)


# ---------------------------------------------------------------------- bare JSON-RPC


class _RpcStack:
    """One request for a transaction with its receipt, one for a look."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._contracts = contracts

    def send(self, action: Action) -> bool:
        contract = self._contracts[action.contract]
        data = contract.encode(action.function, *action.args)
        return contract.rpc.send_sync(action.sender, contract.address, data).success

    def look(self, look: Look) -> Any:
        return self._contracts[look.contract].call(look.function, *look.args)


class _IpcRpc(Rpc):
    """JSON-RPC over a Unix socket: a document each way, the answer's ended by a line break."""

    def __init__(self, url: str, path: Path) -> None:
        super().__init__(url)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEFAULT_TIMEOUT_SECONDS)
        self._socket.connect(str(path))

    def __enter__(self) -> _IpcRpc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()
        super().close()

    def _exchange(self, body: bytes, repeatable: bool) -> Any:  # noqa: ARG002
        with self._lock:
            self._socket.sendall(body)
            parts = []
            while True:
                part = self._socket.recv(RECEIVE_BYTES)
                if not part:
                    raise RpcConnectionError("the node closed its socket")
                parts.append(part)
                if part.endswith(b"\n"):
                    return json.loads(b"".join(parts))


# ---------------------------------------------------------------------- forge


def _run_forge(project: Path, environment: Mapping[str, str], *arguments: str) -> str:
    binary = Path(sys.prefix) / "bin" / "forge"
    if not binary.exists():
        raise BaselineError("the program `forge` is missing: run `make setup`")
    inherited = {name: value for name, value in os.environ.items() if name != "PLANTED_BUG"}
    with exiting_on_signals():
        done = subprocess.run(
            [str(binary), *arguments],
            cwd=project,
            env={**inherited, **environment},
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-500:]
        raise BaselineError(f"`forge {arguments[0]}` failed in {project}: {words}")
    return done.stdout


def _forge_result(output: str, test: str) -> Throughput:
    """Return the calls of all invariant functions and the time they took, compiling apart."""
    suites = [suite for name, suite in json.loads(output).items() if name.endswith(f":{test}")]
    results = [result for suite in suites for result in suite["test_results"].values()]
    if not results:
        raise BaselineError(f"forge found no test {test}")
    calls = sum(result["kind"]["Invariant"]["calls"] for result in results)
    return Throughput(calls, sum(_seconds(result["duration"]) for result in results))


def _seconds(duration: str) -> float:
    """Return a duration as forge writes it, e.g. ``3s 15ms 835µs``, in seconds."""
    return sum(float(n) * _UNIT_SECONDS[unit] for n, unit in _DURATION_PART.findall(duration))
