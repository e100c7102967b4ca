"""The interface of all executors: encoded transactions in, everything that can be seen of them out.

Every run starts from the state in which the target was deployed and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.rpc import Log
from bulkhead.fuzz.target import Target

CALL_GAS = 6_000_000
"""Gas limit of each transaction."""
VIEW_GAS = 30_000_000
VIEWER = "0x000000000000000000000000000000000000b0b0"
"""Who looks: an address that holds nothing and may do nothing."""


REVERTED = b"reverted: "
"""What stands before the revert data of a view that reverted, in the place of what it returns."""


class ExecutorError(Exception):
    """The backend cannot do what is asked of it; one line says why and what to do."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One encoded call in a block of its own.

    Attributes:
        sender: who sends it.
        to: the callee's address.
        data: selector and arguments.
        timestamp: Unix seconds of its block.
        deep: look at the target's deep views after it as well.
        looks: look at these instead: addresses and calldata.
    """

    sender: str
    to: str
    data: bytes
    timestamp: int
    deep: bool = False
    looks: tuple[tuple[str, bytes], ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did.

    Attributes:
        accepted: it did not revert.
        data: what it returned or reverted with.
        logs: in order; none if it reverted. Addresses are lower-case.
        gas: used; None where a backend's figure would not be a chain's.
        views: what the target's views return after it; the deep ones follow where asked for. One
            that reverted is ``REVERTED`` and its revert data.
    """

    accepted: bool
    data: bytes
    logs: tuple[Log, ...]
    gas: int | None
    views: tuple[bytes, ...]


class Executor(ABC):
    """Plays transactions from the deployed state.

    Args:
        node: where the target is deployed; nothing may be sent to it from elsewhere.
        target: what is deployed there.

    Raises:
        ExecutorError: the backend is not there, or cannot do it.
    """

    name: ClassVar[str]
    is_concurrent: ClassVar[bool] = False
    """Whether ``run`` may be called while another thread waits for it."""

    def __init__(self, node: Anvil, target: Target) -> None:
        self.node = node
        self.target = target
        self.views = [target.encode_view(view) for view in target.views]
        self.deep_views = [*self.views, *(target.encode_view(v) for v in target.deep_views)]

    def looks_after(self, transaction: Transaction) -> Sequence[tuple[str, bytes]]:
        """Return what to look at after a transaction: addresses and calldata."""
        if transaction.looks is not None:
            return transaction.looks
        return self.deep_views if transaction.deep else self.views

    @abstractmethod
    def run(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Return what each transaction does, one block each, after all those before it.

        Block numbers go up by one, from the deployed state's; times are the transactions'.

        Raises:
            ExecutorError: the backend refused the request.
        """

    def close(self) -> None:  # noqa: B027
        """Give back what the backend holds. The node is not its own."""


def digest(outcomes: Sequence[Outcome]) -> str:
    """Return a hash of all that was seen but gas: the same on every executor."""
    state = hashlib.sha256()
    for outcome in outcomes:
        _add(state, b"\1" if outcome.accepted else b"\0", outcome.data)
        for log in outcome.logs:
            _add(state, bytes.fromhex(log.address[2:]), *log.topics, log.data)
        _add(state, *outcome.views)
    return state.hexdigest()


def state_digest(outcomes: Sequence[Outcome]) -> str:
    """Return a hash of all views after the last transaction."""
    state = hashlib.sha256()
    if outcomes:
        _add(state, *outcomes[-1].views)
    return state.hexdigest()


def _add(state: hashlib._Hash, *parts: bytes) -> None:
    for part in parts:
        state.update(len(part).to_bytes(4, "big"))
        state.update(part)
    state.update(b"\xff")
