"""From operations to a judged sequence: generate on the model, execute in bulk, judge in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bulkhead.fuzz.executor import Executor, Outcome, TimedCall
from bulkhead.fuzz.judge import Expected, Judge, play_on_model
from bulkhead.fuzz.operation import BLOCK_SECONDS, Operation
from bulkhead.fuzz.universe import Universe


@dataclass(slots=True)
class Statistics:
    """What sequences did: operations by outcome, ``"accepted"`` or the error's name."""

    sequences: int = 0
    calls: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def accepted(self, function: str) -> int:
        """Return how often a function was accepted."""
        return self.outcomes[function, "accepted"]

    def note(self, timed: TimedCall, outcome: Outcome) -> None:
        """Count one call."""
        self.calls += 1
        result = "accepted" if outcome.error is None else outcome.error.name
        self.outcomes[timed.call.function, result] += 1


def resolve(u: Universe, operation: Operation, now: int) -> list[TimedCall]:
    """Return the calls that an operation makes after ``now``, from the model's state."""
    step = operation.resolve(u)
    if step is None:
        return []
    timestamp = now + step.seconds
    calls = []
    for call in step.calls:
        calls.append(TimedCall(call, timestamp))
        timestamp += BLOCK_SECONDS
    return calls


def generate(u: Universe, operations: Iterable[Operation]) -> list[tuple[TimedCall, Expected]]:
    """Play operations on a fresh model; return the calls that they became and what it expects."""
    u.reset()
    sequence: list[tuple[TimedCall, Expected]] = []
    for operation in operations:
        for timed in resolve(u, operation, u.model.now):
            sequence.append((timed, play_on_model(u, timed)))
    return sequence


def run(
    u: Universe,
    executor: Executor,
    operations: Sequence[Operation],
    judge: Judge | None = None,
    statistics: Statistics | None = None,
) -> list[Outcome]:
    """Play operations on the model and on the chain, and judge every call.

    Raises:
        Disagreement: chain and model differ, or an invariant is broken.
    """
    chosen = judge or Judge()
    sequence = generate(u, operations)
    outcomes = executor.simulate([timed for timed, _ in sequence])
    for (timed, expected), outcome in zip(sequence, outcomes, strict=True):
        chosen.judge(timed, expected, outcome)
        if statistics is not None:
            statistics.note(timed, outcome)
    if statistics is not None:
        statistics.sequences += 1
    return outcomes
