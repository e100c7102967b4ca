"""From operations to a judged sequence: generate on the model, execute in bulk, judge in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bulkhead.fuzz.executor import Executor, Outcome, TimedCall
from bulkhead.fuzz.judge import Expected, Judge, play_on_model
from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Operation
from bulkhead.fuzz.universe import Universe
from bulkhead.model.math import UINT256_MAX, WAD


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


def prologue(u: Universe) -> list[Call]:
    """Return what everybody does first, so that a sequence begins with something at stake.

    A long paid for in cash, a long on staked ether alone, a short on bitcoin, an LP with a hedge,
    and money for the prober.
    """
    alice, bob, carol, lp = u.actors
    deposits = ((alice, 0, 60_000 * 10**6), (bob, 1, 20 * WAD), (carol, 2, 10**8), (lp, 0, 10**10))
    probing = Call(u.keeper, "MarginEngine", "deposit", (u.prober, 0, 50_000 * 10**6))
    trades = ((alice, 0, 150 * WAD), (bob, 0, 120 * WAD), (carol, 0, -60 * WAD), (lp, 1, -WAD))
    return (
        [probing]
        + [
            Call(who, "MarginEngine", "deposit", (u.account(who, 0), token, amount))
            for who, token, amount in deposits
        ]
        + [
            Call(
                who, "PerpExchange", "trade", (u.account(who, 0), m, size, UINT256_MAX * (size > 0))
            )
            for who, m, size in trades
        ]
    )


def settle_in(u: Universe, executor: Executor) -> None:
    """Commit the prologue to the chain, and make it part of the universe's origin.

    Raises:
        ContractReverted: one of its calls was refused.
    """
    timestamp = u.rpc.timestamp()
    committed = []
    for call in prologue(u):
        timestamp += 1
        executor.commit(TimedCall(call, timestamp))
        committed.append((call, timestamp))
    u.remember(committed)


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
        calls = resolve(u, operation, u.model.now)
        sequence.extend((timed, play_on_model(u, timed)) for timed in calls)
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
