"""A node with a target on it and an executor: where sequences are played."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.rpc import RpcConnectionError
from bulkhead.fuzz.executors.base import Executor, Outcome
from bulkhead.fuzz.executors.registry import make_executor
from bulkhead.fuzz.judge import Judge, Judged
from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.sequence import DEEP_EVERY, Generated, generate
from bulkhead.fuzz.target import GENESIS, Target

SUITE = "suite"
"""The target's name that stands for this project's own contracts."""


class TargetError(ValueError):
    """There is no such target; one line says what was looked for."""


def load_target(spec: str) -> Target:
    """Return a new target: ``suite``, or ``path/to/file.py:ClassName``.

    Raises:
        TargetError: no such file or class, or the class is no ``Target``.
    """
    if spec == SUITE:
        from bulkhead.fuzz.suite.universe import Universe

        return Universe()
    path, _, name = spec.rpartition(":")
    file = Path(path)
    if not path or not file.is_file():
        raise TargetError(f"no target {spec!r}: give {SUITE!r}, or FILE.py:CLASS of a file")
    module_name = f"fuzz_target_{file.resolve().as_posix().replace('/', '_').removesuffix('.py')}"
    module = sys.modules.get(module_name)
    if module is None:
        found = importlib.util.spec_from_file_location(module_name, file)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[module_name] = module  # Dataclasses look their module up.
        found.loader.exec_module(module)
    kind = getattr(module, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Target)):
        raise TargetError(f"{path} has no Target called {name}")
    return kind()


class Session:
    """A context manager around one node, one deployment and one executor.

    Args:
        spec: as for ``load_target``.
        executor: a name of ``executors.registry.EXECUTORS``.
        use_model, use_invariants: as for ``Judge``.
        make_target: makes the target in the place of ``load_target(spec)``: of changed code, say.

    Attributes:
        target: deployed.
        executor: on the node.
        initial: the state before any sequence, as ``Target.state``.
        bytecode: hash of the code of all contracts.
    """

    def __init__(
        self,
        spec: str = SUITE,
        executor: str = "anvil-sim",
        *,
        use_model: bool = True,
        use_invariants: bool = True,
        make_target: Callable[[], Target] | None = None,
    ) -> None:
        self.spec = spec
        self._make_target = make_target or (lambda: load_target(spec))
        self._executor_name = executor
        self._judging = {"use_model": use_model, "use_invariants": use_invariants}
        self._open = ExitStack()
        self.target: Target
        self.executor: Executor
        self.node: Anvil
        self.initial: Any = None
        self.bytecode = ""

    def __enter__(self) -> Session:
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
        """Start a node, deploy, and make the executor. Prefer ``with``.

        Raises:
            TargetError, AnvilError, ExecutorError: one of them cannot.
        """
        target = self._make_target()
        with ExitStack() as opening:
            self.node = opening.enter_context(Anvil(base_fee=0, timestamp=GENESIS))
            # Blocks do not follow the wall clock: the same bytes are the same sequence every time.
            self.node.rpc.request("anvil_setBlockTimestampInterval", [1])
            target.install(self.node)
            self.executor = make_executor(self._executor_name, self.node, target)
            opening.callback(self.executor.close)
            self.target = target
            self.initial = target.state()
            self.bytecode = target.bytecode_hash(self.node)
            self._judge = Judge(target, **self._judging)
            self._open = opening.pop_all()

    def stop(self) -> None:
        """Stop the node."""
        self._open.close()

    def restart(self) -> None:
        """Begin anew on a new node, e.g. because the old one was killed."""
        with suppress(RpcConnectionError):
            self.stop()
        self.start()

    def block(self) -> dict[str, Any]:
        """Return the block environment from which every sequence begins."""
        rpc = self.node.rpc
        block = rpc.request("eth_getBlockByNumber", ["latest", False])
        return {
            "number": int(block["number"], 16),
            "timestamp": int(block["timestamp"], 16),
            "baseFee": int(block["baseFeePerGas"], 16),
            "gasLimit": int(block["gasLimit"], 16),
            "chainId": int(rpc.request("eth_chainId"), 16),
        }

    def generate(
        self,
        operations: Sequence[Operation],
        *,
        deep_every: int = DEEP_EVERY,
        glancing: bool = False,
    ) -> Generated:
        """Play operations on a fresh model; see ``sequence.generate``."""
        # Invariants alone need the whole state.
        glancing = glancing and self._judging["use_model"]
        return generate(self.target, operations, deep_every=deep_every, glancing=glancing)

    def judge(self, generated: Generated, outcomes: Sequence[Outcome]) -> list[Judged]:
        """Judge what the chain did.

        Raises:
            Disagreement: something is not as it must be.
        """
        return self._judge.judge(self.initial, generated.played, outcomes)

    def run(self, operations: Sequence[Operation], *, deep_every: int = DEEP_EVERY) -> list[Judged]:
        """Generate, execute and judge.

        Raises:
            Disagreement: something is not as it must be.
        """
        generated = self.generate(operations, deep_every=deep_every)
        return self.judge(generated, self.executor.run(generated.transactions))
