"""A fuzz target's own operations, for stacks that send one transaction after the other.

The harness draws from the same catalogue; here its model only picks the arguments.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from random import Random
from typing import Any, NamedTuple

from bulkhead.bench.workload import Action, Look
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.codec import checksum
from bulkhead.chain.contract import Contract
from bulkhead.fuzz.operation import BLOCK_SECONDS, Call
from bulkhead.fuzz.target import Target, abi_value
from bulkhead.model.errors import ModelRevert


class _Pending(NamedTuple):
    """What was returned last: a call, and the Unix seconds of its block."""

    call: Call
    at: int


class TargetWorkload(ABC):
    """Plays random operations of a target.

    Args:
        target: with one view to look at after each call.
        operations: names of those that are drawn; None: all.
    """

    def __init__(self, target: Target, operations: Iterable[str] | None = None) -> None:
        self.target = target
        whole = target.catalogue
        self._catalogue = whole if operations is None else whole.subset(operations)

    @property
    def view(self) -> Look:
        """What every stack looks at after each call."""
        [view] = self.target.views
        return Look(view.contract, view.function, view.args)

    def deploy(self, node: Anvil) -> Mapping[str, Contract]:
        """Deploy the target; from then on blocks are as far apart as its operations expect."""
        self.target.install(node)
        node.rpc.request("anvil_setBlockTimestampInterval", [BLOCK_SECONDS])
        self.begin()
        return self.target.deployment.contracts

    def begin(self) -> None:
        """Set the model to the state after ``deploy``."""
        self.target.begin()
        self._mined_at = self.target.deployed_at
        self._calls: Iterator[Call] = iter(())
        self._due = self._apart = 0
        self._pending: _Pending | None = None

    def next_call(self, rng: Random) -> Action:
        """Return the next call of an operation, drawing another one when there is none left."""
        while (call := next(self._calls, None)) is None:
            self._draw(rng)
        at = max(self._due, self._mined_at + 1)
        self._due = at + self._apart
        self._pending = _Pending(call, at)
        types = self.target.contract(call.contract).interface.function(call.function).inputs.types
        args = tuple(abi_value(v, kind) for v, kind in zip(call.args, types, strict=True))
        is_next = at == self._mined_at + BLOCK_SECONDS
        return Action(
            call.contract, call.function, args, checksum(call.sender), None if is_next else at
        )

    def check(self, action: Action, accepted: bool, seen: Any) -> None:
        """Play the call on the model, and check.

        Raises:
            Mismatch: the contracts did something else than they must.
        """
        assert self._pending is not None
        call, at = self._pending
        self.target.now = self._mined_at = at
        expected = True
        try:
            self.target.play(call)
        except ModelRevert:
            expected = False
        self.target.take_events()
        self.judge(action, accepted, expected, seen)

    @abstractmethod
    def judge(self, action: Action, accepted: bool, expected: bool, seen: Any) -> None:
        """Check what a call did.

        Args:
            action: what was sent.
            accepted: whether the chain accepted it.
            expected: whether the model did.
            seen: what the view returned afterwards.

        Raises:
            Mismatch: the contracts did something else than they must.
        """

    def _draw(self, rng: Random) -> None:
        operation = self._catalogue.from_bytes(rng.randbytes(self._catalogue.tape_bytes))
        step = operation.resolve(self.target)
        if step is None:
            return
        self._calls = iter(step.calls)
        self._due, self._apart = self.target.now + step.seconds, step.apart
        first = next(self._calls, None)
        if first is None:
            self.target.now = self._due  # Time passes without calls, too.
        else:
            self._calls = chain((first,), self._calls)
