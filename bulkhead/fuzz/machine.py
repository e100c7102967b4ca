"""A Hypothesis state machine over a live chain: every step is sent, mined, and judged.

Slower than ``sequence.run``, which executes a whole sequence in one request, but it stops at the
step that broke, and Hypothesis prints that step as Python.
"""

from __future__ import annotations

from typing import Any

from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bulkhead.fuzz.executor import Executor
from bulkhead.fuzz.judge import Disagreement, Judge, play_on_model
from bulkhead.fuzz.operation import TAPE_BYTES, Operation, decode
from bulkhead.fuzz.operations import OPERATIONS
from bulkhead.fuzz.sequence import resolve
from bulkhead.fuzz.universe import Universe
from bulkhead.model.invariants import pnl_2
from bulkhead.model.math import WAD


class CompartmentMachine(RuleBasedStateMachine):
    """Users, keepers, outsiders and the market act on one compartment in any order.

    Subclasses set ``universe`` and ``executor``; see ``machine_for``.
    """

    universe: Universe
    executor: Executor

    def __init__(self) -> None:
        super().__init__()
        self._snapshot = ""
        self._judge = Judge()

    @initialize()
    def begin(self) -> None:
        """Begin where the prologue ended."""
        self._snapshot = self.universe.rpc.snapshot()
        self.universe.reset()

    def act(self, operation: Operation) -> None:
        """Let one operation happen, on the model and on the chain, and judge every call of it."""
        for timed in resolve(self.universe, operation, self.universe.model.now):
            note(f"{timed.timestamp}: {timed.call}")
            expected = play_on_model(self.universe, timed)
            [outcome] = self.executor.simulate([timed])
            self._judge.judge(timed, expected, outcome)
            if outcome.accepted:
                self.executor.commit(timed)
            else:
                # A refused call changes nothing, but its block has passed.
                self.universe.rpc.mine(timed.timestamp)
            self._try_round_trips(timed.timestamp + 1)
            result = outcome.error.name if outcome.error else "accepted"
            event(f"{timed.call.function}: {result}")

    def _try_round_trips(self, timestamp: int) -> None:
        """PNL-2: there and back at a constant index never profits, from any state, either way."""
        for market, size in ((0, WAD), (1, -WAD // 10)):
            realized = self.executor.round_trip(market, size, timestamp)
            violation = None if realized is None else pnl_2(realized)
            if violation:
                raise Disagreement(violation.id, f"market {market}, {size}: {violation.message}")

    def teardown(self) -> None:
        """Leave the chain as it was."""
        if self._snapshot:
            self.universe.rpc.revert(self._snapshot)


def _add_rules() -> None:
    def add(kind: type[Operation]) -> None:
        # As bytes, which shrink towards zero: the simplest of each operation.
        @rule(data=st.binary(min_size=TAPE_BYTES - 1, max_size=TAPE_BYTES - 1))
        def step(self: Any, data: bytes) -> None:
            operation = decode(kind, data)
            note(str(operation))
            self.act(operation)

        name = "".join("_" + c.lower() if c.isupper() else c for c in kind.__name__).lstrip("_")
        for i in range(max(1, kind.weight // 4)):
            setattr(CompartmentMachine, name if i == 0 else f"{name}_{i}", step)

    for kind in OPERATIONS:
        add(kind)


_add_rules()


def machine_for(universe: Universe, executor: Executor) -> type[CompartmentMachine]:
    """Return a machine that plays on one universe."""
    return type("Machine", (CompartmentMachine,), {"universe": universe, "executor": executor})
