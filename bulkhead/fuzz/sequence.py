"""From operations to a judged sequence: generate on the model, execute in bulk, judge in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bulkhead.fuzz.executors.base import Executor, Transaction
from bulkhead.fuzz.judge import Expected, Judge, Judged, Played
from bulkhead.fuzz.operation import Call, Operation
from bulkhead.fuzz.target import Target
from bulkhead.model.errors import ModelRevert

DEEP_EVERY = 48
"""How often, in calls, the deep views are looked at and the model is probed, but for the end."""
MAX_CALLS = 240
"""Calls of one sequence; operations after that are left out."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A generated sequence: its operations and the calls that they became."""

    operations: tuple[Operation, ...]
    played: tuple[Played, ...]

    @property
    def transactions(self) -> list[Transaction]:
        """What an executor runs."""
        return [p.transaction for p in self.played]

    def until(self, at: int) -> tuple[Operation, ...]:
        """Return the operations up to the one that made the call of a number."""
        last = self.played[at].number
        return self.operations[: last + 1]


def generate(
    target: Target,
    operations: Iterable[Operation],
    *,
    deep_every: int = DEEP_EVERY,
    glancing: bool = False,
) -> Generated:
    """Play operations on a fresh model; return the calls that they became and what it expects.

    Args:
        target: it goes back to its beginning.
        operations: those that have nothing to do become no call.
        glancing: after most calls only ``Target.glance``.
        deep_every: a deep look at each so many calls, and at the last.
    """
    target.begin()
    played: list[Played] = []
    kept: list[Operation] = []
    last = _Unchanged(glancing)
    for operation in operations:
        if len(played) >= MAX_CALLS:
            break
        kept.append(operation)
        step = operation.resolve(target)
        if step is None:
            continue
        timestamp = target.now + step.seconds
        first = len(played)
        for call in step.calls:
            deep = (len(played) + 1) % deep_every == 0
            number = len(kept) - 1
            played.append(_play(target, operation, number, call, timestamp, last, deep=deep))
            timestamp += step.apart
        if len(played) == first:
            target.now = timestamp  # Time passes without calls, too.
        else:
            played[-1] = played[-1]._replace(ends_operation=True)
    if played and not played[-1].transaction.deep:
        played[-1] = _deepened(target, played[-1])
    return Generated(tuple(kept), tuple(played))


def run(
    target: Target, executor: Executor, operations: Sequence[Operation], judge: Judge | None = None
) -> list[Judged]:
    """Generate, execute and judge.

    Raises:
        Disagreement: something is not as it must be.
    """
    initial = initial_state(target)
    sequence = generate(target, operations)
    outcomes = executor.run(sequence.transactions)
    return (judge or Judge(target)).judge(initial, sequence.played, outcomes)


def initial_state(target: Target) -> object:
    """Return the state before any sequence."""
    target.begin()
    return target.state()


class _Unchanged:
    """The last accepted call's views and state, which a refused one leaves as they are."""

    def __init__(self, glancing: bool) -> None:
        self.glancing = glancing
        self.views: tuple[bytes, ...] | None = None
        self.state: object = None


def _play(
    target: Target,
    operation: Operation,
    number: int,
    call: Call,
    timestamp: int,
    last: _Unchanged,
    *,
    deep: bool,
) -> Played:
    target.now = timestamp
    regime = target.regime()
    to, data = target.encode_call(call)
    note = target.note(call)
    returned, error = None, None
    try:
        returned = target.play(call)
    except ModelRevert as revert:
        error = revert
    events = tuple(target.take_events())
    if error is None or last.views is None or target.views_follow_time:
        last.views, last.state = target.look()
    views, looks = last.views, None
    if deep:
        views = target.expected_data(deep=True)
    elif last.glancing and (glance := target.glance(call)) is not None:
        looks, views = glance
    broken = tuple(target.probe()) if deep else ()
    expected = Expected(returned, error, events, views, last.state, broken, note)
    transaction = Transaction(call.sender, to, data, timestamp, deep, looks)
    return Played(operation, call, transaction, expected, False, regime, number)


def _deepened(target: Target, p: Played) -> Played:
    """Return the last call of a sequence with a deep look after it; the model is still there."""
    t, e = p.transaction, p.expected
    now, target.now = target.now, t.timestamp
    views, broken = target.expected_data(deep=True), tuple(target.probe())
    target.now = now
    looking = replace(t, deep=True, looks=None)
    return p._replace(transaction=looking, expected=e._replace(views=views, broken=broken))
