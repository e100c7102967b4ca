"""The operations of a target as a Hypothesis state machine: for debugging, one rule each.

Slower than a campaign, as every step plays the whole sequence again, but Hypothesis prints what
happened as Python, step by step, and a debugger can stop at any of them.
"""

from __future__ import annotations

from typing import Any

from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bulkhead.fuzz.judge import Judged
from bulkhead.fuzz.operation import Operation, decode, encoded_size
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.target import snake
from bulkhead.fuzz.testing import run_or_explain


class TargetMachine(RuleBasedStateMachine):
    """Anybody does anything in any order. ``machine_for`` adds the session and the rules."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.judged: list[Judged] = []

    def act(self, operation: Operation) -> None:
        """Let one operation happen, and judge every call since the beginning."""
        note(str(operation))
        self.operations.append(operation)
        seen = len(self.judged)
        self.judged = run_or_explain(self.session, self.operations)
        for judged in self.judged[seen:]:
            note(f"  {judged.timestamp}: {judged.call}: {judged.result}")
            event(f"{judged.call.function}: {judged.result}")


def machine_for(session: Session) -> type[TargetMachine]:
    """Return a machine that plays on one session, with a rule for each of its operations."""
    rules: dict[str, Any] = {"session": session}
    for kind in session.target.catalogue.kinds:
        rules[snake(kind.__name__)] = _rule(kind)
    return type("Machine", (TargetMachine,), rules)


def _rule(kind: type[Operation]) -> Any:
    size = encoded_size(kind)

    # As bytes, which shrink towards zero: the simplest of each operation.
    @rule(data=st.binary(min_size=size, max_size=size))
    def step(self: TargetMachine, data: bytes) -> None:
        self.act(decode(kind, data))

    return step
