"""How fast other ways of sending transactions are, on the same calls.

A checked step is one transaction of a random actor with sensible arguments, then one view function
that is checked. Deploying, compiling and the first steps are not counted.
"""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Protocol
from unittest.mock import patch

from bulkhead.bench.workload import Action, Look, Throughput, Workload
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import DEFAULT_TIMEOUT_SECONDS, Rpc, RpcConnectionError
from bulkhead.fuzz.executors.base import CALL_GAS
from bulkhead.fuzz.target import GENESIS

SEED = 1
WARM_UP_STEPS = 10
SEQUENCE = 100
"""Steps after which the chain is set back to the deployed state."""
RECEIVE_BYTES = 1 << 16


class Stack(Protocol):
    """A way to send transactions and to look at what became of them."""

    def send(self, action: Action) -> bool:
        """Send a transaction, wait for it, and return whether it was accepted."""

    def look(self, look: Look) -> Any:
        """Return what a view function returns."""

    def undone(self) -> AbstractContextManager[None]:
        """Set the chain back, at the end, to what it is now."""


def ape(workload: Workload, seconds: float) -> Throughput:
    """Measure eth-ape's contract objects in a loop, on an Anvil of its own."""
    with _ape_stack(workload) as stack:
        return _play(workload, stack, seconds)


def ape_rbsm(workload: Workload, seconds: float) -> Throughput:
    """Measure the same in a Hypothesis state machine that sets the chain back after each example.

    Only Hypothesis' generation is measured: there is no shrinking and no database.
    """
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

    with _ape_stack(workload) as stack:
        meter = _Meter(seconds)

        class Machine(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                self._undone = stack.undone()
                self._undone.__enter__()
                self._number = 0
                workload.begin()

            @rule(seed=st.integers(0, 2**64 - 1))
            def act(self, seed: int) -> None:
                # Hypothesis begins with an example of zeros alone, and there is no time for many.
                self._number += 1
                accepted = _step(workload, stack, Random(f"{seed} {self._number}"))
                if meter.is_over(accepted):
                    raise _TimeUp

            def teardown(self) -> None:
                self._undone.__exit__(None, None, None)

        with suppress(_TimeUp):
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    phases=(Phase.generate,),
                    stateful_step_count=SEQUENCE,
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
        with (
            _anvil("--ipc", str(path), "--prune-history") as anvil,
            _IpcRpc(anvil.url, path) as rpc,
        ):
            return _play(workload, _RpcStack(rpc, workload.deploy(anvil)), seconds)


def _anvil(*arguments: str) -> Anvil:
    """Return a node like the harness's."""
    return Anvil(base_fee=0, timestamp=GENESIS, arguments=arguments)


# ---------------------------------------------------------------------- the loop


class _TimeUp(BaseException):
    """Ends Hypothesis, which takes every ``Exception`` for a failure to look into."""


class _Meter:
    """Counts steps for a time that begins after the warm-up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._steps = -WARM_UP_STEPS
        self._refused = 0
        self._begin = self._now = 0.0

    def is_over(self, accepted: bool) -> bool:
        """Count a step that was made; return whether the time is over."""
        self._steps += 1
        self._now = time.perf_counter()
        if self._steps <= 0:
            self._begin = self._now
            return False
        self._refused += not accepted
        return self._now - self._begin >= self._seconds

    def result(self) -> Throughput:
        return Throughput(max(self._steps, 0), self._now - self._begin, self._refused)


def _play(workload: Workload, stack: Stack, seconds: float) -> Throughput:
    rng = Random(SEED)
    meter = _Meter(seconds)
    while True:
        with stack.undone():
            workload.begin()
            for _ in range(SEQUENCE):
                if meter.is_over(_step(workload, stack, rng)):
                    return meter.result()


def _step(workload: Workload, stack: Stack, rng: Random) -> bool:
    action = workload.next_call(rng)
    accepted = stack.send(action)
    workload.check(action, accepted, stack.look(workload.view))
    return accepted


# ---------------------------------------------------------------------- eth-ape


class _ApeStack:
    """Ape's own objects, as an Ape user has them at hand; Ape signs for its test accounts."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        from ape import Contract as ApeContract
        from ape import accounts, chain
        from ape.exceptions import ContractLogicError

        self._refused = ContractLogicError
        self._chain = chain
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
        if action.at is not None:
            self._chain.pending_timestamp = action.at
        function = getattr(self._contracts[action.contract], action.function)
        try:
            function(*action.args, sender=account)
        except self._refused:
            return False
        return True

    def look(self, look: Look) -> Any:
        return getattr(self._contracts[look.contract], look.function)(*look.args)

    @contextmanager
    def undone(self) -> Iterator[None]:
        start = self._chain.snapshot()
        try:
            yield
        finally:
            self._chain.restore(start)


@contextmanager
def _ape_stack(workload: Workload) -> Iterator[_ApeStack]:
    """Start an Anvil, connect Ape to it, and keep Ape from writing about every transaction.

    Without that it would log the accepted ones, and print a trace of each refused one.
    """
    from ape import networks
    from ape.logging import LogLevel, logger
    from ape_ethereum.trace import Trace

    with _anvil() as anvil:
        contracts = workload.deploy(anvil)
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

    def __init__(self, rpc: Rpc, contracts: Mapping[str, Contract]) -> None:
        self._rpc = rpc
        self._contracts = {
            name: Contract(rpc, contract.address, contract.abi, name)
            for name, contract in contracts.items()
        }

    def send(self, action: Action) -> bool:
        if action.at is not None:
            self._rpc.set_next_timestamp(action.at)
        contract = self._contracts[action.contract]
        data = contract.encode(action.function, *action.args)
        return self._rpc.send_sync(action.sender, contract.address, data, gas=CALL_GAS).success

    def look(self, look: Look) -> Any:
        return self._contracts[look.contract].call(look.function, *look.args)

    @contextmanager
    def undone(self) -> Iterator[None]:
        start = self._rpc.snapshot()
        try:
            yield
        finally:
            self._rpc.revert(start)


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
