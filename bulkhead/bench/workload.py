"""What a comparison of test stacks lets each of them do: random calls, and a look after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.contract import Contract


class MeasurementError(Exception):
    """A stack could not be measured; the message says why."""


class Mismatch(AssertionError):  # noqa: N818
    """The contracts did not do what the workload says they must."""


class Action(NamedTuple):
    """One transaction.

    Attributes:
        contract: its name among the deployed ones.
        args: as the ABI wants them.
        sender: checksummed address.
        at: Unix seconds of its block; None: as much after the last block as the node chooses.
    """

    contract: str
    function: str
    args: tuple[Any, ...]
    sender: str
    at: int | None = None

    def __str__(self) -> str:
        arguments = ", ".join(map(str, self.args))
        return f"{self.contract}.{self.function}({arguments}) from {self.sender}"


class Look(NamedTuple):
    """One call of a view function."""

    contract: str
    function: str
    args: tuple[Any, ...] = ()


class Workload(Protocol):
    """Contracts, random calls of them, and a model that picks their arguments."""

    @property
    def view(self) -> Look:
        """What every stack looks at after each call; known once it is deployed."""

    def deploy(self, node: Anvil) -> Mapping[str, Contract]:
        """Deploy on a fresh node and prepare the actors; return the contracts by name.

        The senders of all calls are accounts that the node holds.
        """

    def begin(self) -> None:
        """Set the model to the state after ``deploy``, to which the chain was set back."""

    def next_call(self, rng: Random) -> Action:
        """Return what to send next, from the model's state."""

    def check(self, action: Action, accepted: bool, seen: Any) -> None:
        """Play the call on the model, and check what became of it on the chain.

        Args:
            action: what was sent.
            accepted: whether it did not revert.
            seen: what the view returned afterwards, as the stack decodes it.

        Raises:
            Mismatch: the contracts did something else than they must.
        """


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was checked in how much time.

    Attributes:
        steps: each a transaction, or an operation of several, with the checks after it.
        refused: those of the steps that reverted.
        transactions: that the steps sent, perhaps counted by averages; None: one each.
        shares: part of the time that each kind of work took, where it is known.
        discarded: draws that had nothing to do; no steps, but they took time. None: not counted.
    """

    steps: int
    seconds: float
    refused: int = 0
    transactions: int | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    discarded: int | None = None

    @property
    def per_second(self) -> float:
        """Checked steps per second."""
        return self.steps / self.seconds if self.seconds else 0.0

    @property
    def transactions_per_second(self) -> float:
        """Transactions per second, each of them checked only with the step that it belongs to."""
        sent = self.steps if self.transactions is None else self.transactions
        return sent / self.seconds if self.seconds else 0.0

    @property
    def refused_share(self) -> float:
        """Part of the steps that reverted."""
        return self.refused / self.steps if self.steps else 0.0
