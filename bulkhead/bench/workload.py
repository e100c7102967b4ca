"""What a comparison of test stacks lets each of them do: random calls, and a look after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, Protocol

from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc


class Mismatch(AssertionError):  # noqa: N818
    """The contracts did not do what the workload's model says."""


class Action(NamedTuple):
    """One transaction: contract by its name among the deployed ones, and the sender's address."""

    contract: str
    function: str
    args: tuple[Any, ...]
    sender: str

    def __str__(self) -> str:
        arguments = ", ".join(map(str, self.args))
        return f"{self.contract}.{self.function}({arguments}) from {self.sender}"


class Look(NamedTuple):
    """One call of a view function."""

    contract: str
    function: str
    args: tuple[Any, ...] = ()


class Workload(Protocol):
    """Contracts, random calls of them, and a small model that knows what must come of these."""

    @property
    def view(self) -> Look:
        """What every stack looks at after each call."""

    def deploy(self, rpc: Rpc) -> Mapping[str, Contract]:
        """Deploy on a fresh node and prepare the actors; return the contracts by name.

        The senders of all calls are accounts that the node holds.
        """

    def begin(self) -> None:
        """Set the model to the state after ``deploy``, to which the chain was set back."""

    def next_call(self, rng: Random) -> Action:
        """Return what to send next, from the model's state. It does not change the model."""

    def check(self, action: Action, accepted: bool, seen: Any) -> None:
        """Play the call on the model and compare.

        Args:
            action: what was sent.
            accepted: whether it did not revert.
            seen: what the view returned afterwards, as the stack decodes it.

        Raises:
            Mismatch: the contracts did something else.
        """


@dataclass(frozen=True, slots=True)
class Throughput:
    """How many checked steps took how long."""

    steps: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Checked steps per second."""
        return self.steps / self.seconds if self.seconds else 0.0
