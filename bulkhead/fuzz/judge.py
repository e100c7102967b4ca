"""Judges what a chain did: against the model, against invariants, against what may be refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from bulkhead.chain.contract import DecodedError
from bulkhead.fuzz.compare import event_difference, matches
from bulkhead.fuzz.executors.base import REVERTED, Outcome, Transaction
from bulkhead.fuzz.operation import Call, Operation
from bulkhead.fuzz.target import Logged, Target
from bulkhead.model.errors import ModelRevert, Violation

__all__ = ["Disagreement", "Expected", "Judge", "Judged", "Played", "Violation"]

MODEL = "model"
"""The oracle's name where the chain differs from the model."""
REVERT = "REVERT"
"""The oracle's name where a call reverted with an error that its operation does not list."""

VIEW = "VIEW"
"""The oracle's name where a view reverted."""

_STATE = "state "
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|-?\d+")


class Expected(NamedTuple):
    """What the model says of a call.

    Attributes:
        returned: what Solidity returns, or None.
        error: what it reverts with, or None.
        events: what the contracts of ``Target.logging`` log.
        views: what the target's views return after it, encoded.
        state: the model's state after it, as ``Target.state``.
        note: what ``Target.note`` said before it.
        broken: the invariants that ``Target.probe`` found broken, where it was asked.
    """

    returned: Any
    error: ModelRevert | None
    events: tuple[Logged, ...]
    views: tuple[bytes, ...]
    state: Any
    broken: tuple[Violation, ...] = ()
    note: Any = None


class Played(NamedTuple):
    """One call of a sequence.

    Attributes:
        operation: that made it.
        call, transaction: what it is, and encoded.
        expected: the model's answer.
        ends_operation: it is the last call of the operation.
        regime: what state it met, as ``Target.regime`` calls it.
        number: of the operation in the sequence, from 0.
    """

    operation: Operation
    call: Call
    transaction: Transaction
    expected: Expected
    ends_operation: bool
    regime: str
    number: int = 0


@dataclass
class Judged:
    """A call that was executed: what invariants and verdicts read.

    Attributes:
        call: what was called.
        timestamp: Unix seconds of its block.
        accepted: the chain did not revert.
        expected: what the model says.
        before, after: the chain's state, as ``Target.observe`` gives it.
    """

    target: Target
    call: Call
    timestamp: int
    outcome: Outcome
    expected: Expected
    before: Any
    after: Any

    @property
    def accepted(self) -> bool:
        """Whether the chain accepted the call."""
        return self.outcome.accepted

    @cached_property
    def returned(self) -> Any:
        """What the chain returned, decoded; None if it reverted or returns nothing."""
        if not self.outcome.accepted or not self.outcome.data:
            return None
        return self.target.contract(self.call.contract).decode(
            self.call.function, self.outcome.data
        )

    @cached_property
    def error(self) -> DecodedError | None:
        """What the chain reverted with, decoded; None if it did not."""
        return None if self.outcome.accepted else self.target.decode_error(self.outcome.data)

    @property
    def result(self) -> str:
        """``"accepted"``, or the error's name."""
        return "accepted" if self.error is None else self.error.name or "(no data)"


class Disagreement(AssertionError):  # noqa: N818
    """Chain and model, or chain and an invariant, disagree.

    Attributes:
        oracle: ``"model"``, ``"REVERT"`` or an invariant's id.
        key: what two failures of the same kind have in common.
        at: number of the call in its sequence.
        judged: the calls up to it.
    """

    def __init__(
        self, oracle: str, key: str, message: str, at: int = 0, judged: Sequence[Judged] = ()
    ) -> None:
        super().__init__(f"{oracle}: {message}")
        self.oracle = oracle
        self.key = key
        self.at = at
        self.judged = judged

    @property
    def identity(self) -> tuple[str, str]:
        """Oracle and key: failures with the same identity are reported once."""
        return self.oracle, self.key


class Judge:
    """Judges sequences of one target.

    Args:
        target: whose contracts were called.
        use_model: compare with the model.
        use_invariants: check the invariants on the chain's state.
    """

    def __init__(
        self, target: Target, *, use_model: bool = True, use_invariants: bool = True
    ) -> None:
        self._target = target
        self._use_model = use_model
        self._use_invariants = use_invariants

    def judge(
        self, initial: Any, played: Sequence[Played], outcomes: Sequence[Outcome]
    ) -> list[Judged]:
        """Judge a sequence, call by call.

        Args:
            initial: ``Target.state`` before the sequence.
            played: what was generated.
            outcomes: what the chain did, in the same order.

        Returns:
            every call, for statistics.

        Raises:
            Disagreement: the first call that is not as it must be.
        """
        judged: list[Judged] = []
        begin, before = 0, initial
        for at, (p, outcome) in enumerate(zip(played, outcomes, strict=True)):
            self._require_views(p, outcome, at, judged)
            agrees = outcome.views == p.expected.views
            if p.transaction.looks is not None and not agrees:
                short = f"{p.call.contract}.{p.call.function}: at a glance"
                raise Disagreement(MODEL, short, f"the state differs\n  in {p.call}", at, judged)
            after = p.expected.state if agrees else self._observe(outcome)
            j = Judged(
                self._target, p.call, p.transaction.timestamp, outcome, p.expected, before, after
            )
            judged.append(j)
            group = judged[begin:] if p.ends_operation else ()
            for oracle, key, message in self._complaints(p, j, group, agrees=agrees):
                where = f"{message}\n  in {p.call} at {p.transaction.timestamp}"
                raise Disagreement(oracle, _NUMBER.sub("#", key), where, at, judged)
            begin = at + 1 if p.ends_operation else begin
            before = after
        if self._use_invariants:
            for at, violation in self._target.review(judged):
                j = judged[at]
                key = f"{j.call.contract}.{j.call.function}"
                where = f"{violation.message}\n  in {j.call} at {j.timestamp}"
                raise Disagreement(violation.id, key, where, at, judged[: at + 1])
        return judged

    def _require_views(
        self, p: Played, outcome: Outcome, at: int, judged: Sequence[Judged]
    ) -> None:
        for i, view in enumerate(outcome.views):
            if view.startswith(REVERTED):
                name = self._target.view_name(i)
                error = self._target.decode_error(view[len(REVERTED) :])
                key = f"{p.call.contract}.{p.call.function}: {name} reverts with {error.name}"
                message = f"{name} reverts with {error}\n  after {p.call}"
                raise Disagreement(VIEW, key, message, at, judged)

    def _observe(self, outcome: Outcome) -> Any:
        count = len(self._target.views)
        views = [self._target.decode_view(i, d) for i, d in enumerate(outcome.views[:count])]
        return self._target.observe(views)

    def _complaints(
        self, p: Played, j: Judged, group: Sequence[Judged], *, agrees: bool
    ) -> Iterator[tuple[str, str, str]]:
        """Yield oracle, key and message of what is not as it must be.

        What a call itself shows has its function in the key. What only a deep look shows may be due
        to any call before it, so it must not be told apart by the one after which it was seen.
        """
        function = f"{p.call.contract}.{p.call.function}"
        if self._use_invariants:
            for violation in self._target.violations(j):
                yield violation.id, function, violation.message
            for violation in p.operation.verdict(self._target, group) if group else ():
                yield violation.id, type(p.operation).__name__, violation.message
            if self._use_model:
                for violation in p.expected.broken:
                    yield violation.id, "probe", violation.message
        if self._use_model:
            difference = self._difference(p.expected, j, agrees=agrees)
            if difference is not None:
                count = len(self._target.views)
                is_late = j.outcome.views[:count] == p.expected.views[:count]
                key, message = difference
                if not (is_late and key.startswith(_STATE)):
                    key = f"{function}: {key}"
                yield MODEL, key, message
        if j.error is not None and j.error.name not in p.operation.refusals:
            name = type(p.operation).__name__
            message = f"{name} does not list {j.error} among its refusals"
            yield REVERT, f"{function}: {j.result}", message

    def _difference(self, e: Expected, j: Judged, *, agrees: bool) -> tuple[str, str] | None:
        """Return how the chain differs from the model: key and message."""
        if j.accepted != (e.error is None):
            model = e.error.name if e.error else "accepts"
            said = e.error or f"accepts, returning {e.returned}"
            chain = j.error or f"accepts, returning {j.returned}"
            return f"model {model}, chain {j.result}", f"model: {said}; chain: {chain}"
        if e.error is not None and j.error is not None:
            if e.error.name != j.error.name:
                key = f"model {e.error.name}, chain {j.result}"
                return key, f"model: {e.error}; chain: {j.error}"
            if not matches(e.error.args, tuple(j.error.args)):
                return f"arguments of {e.error.name}", f"model: {e.error}; chain: {j.error}"
        elif e.returned is not None and j.outcome.data and not matches(e.returned, j.returned):
            return "returned", f"model returns {e.returned}, chain {j.returned}"
        event = event_difference(self._target, e.events, j.outcome.logs)
        if event is not None:
            return event
        if agrees:
            return None
        lines = list(self._target.view_differences(e.views, j.outcome.views))
        first = lines[0].partition(": ")[0] if lines else "views"
        return f"{_STATE}{first}", "; ".join(lines[:6]) or "the views differ"
