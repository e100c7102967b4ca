"""Compares chain and model after every call, and checks the invariants on the chain's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bulkhead.fuzz.executor import Outcome, TimedCall
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.universe import Universe
from bulkhead.fuzz.views import ChainView, differences, model_derived, model_snapshot, numbers
from bulkhead.model import invariants
from bulkhead.model.errors import ModelRevert
from bulkhead.model.invariants import Snapshot, Violation
from bulkhead.model.types import WriteOffReceipt


class Disagreement(AssertionError):  # noqa: N818
    """Chain and model, or chain and an invariant, disagree.

    Attributes:
        oracle: ``"model"`` or the invariant's id.
    """

    def __init__(self, oracle: str, message: str) -> None:
        super().__init__(f"{oracle}: {message}")
        self.oracle = oracle


@dataclass(frozen=True, slots=True)
class Expected:
    """What the model says of a call: what it returns, or what it reverts with, and what it knew
    before and after."""

    returned: Any
    error: ModelRevert | None
    before: Snapshot
    after: Snapshot
    derived: dict[str, Any]
    unhealthy: frozenset[int]
    liq_1: tuple[Violation, ...]


def play_on_model(u: Universe, timed: TimedCall) -> Expected:
    """Play a call on the model and keep what the chain will be compared with."""
    u.model.now = timed.timestamp
    before = model_snapshot(u.model)
    unhealthy = frozenset(a for a in u.accounts if u.is_unhealthy(a))
    returned, error = None, None
    try:
        returned = u.play(timed.call)
    except ModelRevert as revert:
        error = revert
    broken = [invariants.liq_1(u.model, a) for a in u.accounts if _may_be_judged(u, a)]
    return Expected(
        returned,
        error,
        before,
        model_snapshot(u.model),
        model_derived(u, u.accounts),
        unhealthy,
        tuple(v for v in broken if v),
    )


class Judge:
    """Judges one sequence; remembers the chain's last state.

    Args:
        use_model: compare with the model.
        use_invariants: check the invariants on the chain's state.
    """

    def __init__(self, *, use_model: bool = True, use_invariants: bool = True) -> None:
        self._use_model = use_model
        self._use_invariants = use_invariants
        self._last: ChainView | None = None

    def judge(self, timed: TimedCall, expected: Expected, outcome: Outcome) -> None:
        """Judge one call.

        Raises:
            Disagreement: chain and model differ, or an invariant is broken.
        """
        if self._use_invariants:
            for violation in self._violations(timed.call, expected, outcome):
                raise Disagreement(violation.id, f"{violation.message}\n  after {timed.call}")
        if self._use_model:
            _compare(timed, expected, outcome)
        self._last = outcome.view

    def _violations(self, call: Call, expected: Expected, outcome: Outcome) -> list[Violation]:
        after = outcome.view.snapshot()
        found: list[Violation | None] = list(invariants.check_state(after))
        before = self._last.snapshot() if self._last else expected.before
        if not outcome.accepted:
            if before.totals != after.totals or before.accounts != after.accounts:
                found.append(Violation("CUS-2", "a reverted call changed the ledger"))
        else:
            found.append(invariants.led_1(before, after, call.sender, expected.unhealthy))
        found.extend(_of_call(call, before, after, outcome))
        if self._use_model:
            found.extend(expected.liq_1)
        return [v for v in found if v is not None]


def _of_call(
    call: Call, before: Snapshot, after: Snapshot, outcome: Outcome
) -> list[Violation | None]:
    """What an invariant says of one kind of call."""
    if call.function == "convert" and outcome.accepted:
        paid = int(outcome.returned)
        return [invariants.led_3_conversion(before, after, int(call.args[1]), paid)]
    error = outcome.error
    if error is not None and error.name == "LiquidationEngine_Healthy":
        _, equity, margin = error.args
        if equity < margin and call.function != "writeOff":
            message = f"refused as healthy with {equity} < {margin}"
            return [Violation("LIQ-1", message)]
    if call.function == "writeOff" and outcome.accepted:
        receipt = WriteOffReceipt(*outcome.returned)
        return [invariants.ins_1(receipt, before.totals, before.unrealized_totals)]
    return []


def _compare(timed: TimedCall, expected: Expected, outcome: Outcome) -> None:
    error = expected.error
    where = f"\n  in {timed.call} at {timed.timestamp}"
    if outcome.accepted != (error is None):
        model = error or f"accepts, returning {expected.returned}"
        chain = outcome.error or f"accepts, returning {outcome.returned}"
        raise Disagreement("model", f"model: {model}; chain: {chain}{where}")
    if error is not None and outcome.error is not None:
        if (error.name, numbers(error.args)) != (outcome.error.name, numbers(outcome.error.args)):
            raise Disagreement("model", f"model: {error}; chain: {outcome.error}{where}")
    elif (
        expected.returned is not None
        and outcome.returned is not None
        and numbers(expected.returned) != numbers(outcome.returned)
    ):
        message = f"model returns {expected.returned}, chain {outcome.returned}{where}"
        raise Disagreement("model", message)
    found = [
        *differences(expected.after, outcome.view.snapshot(), "state"),
        *differences(expected.derived, outcome.view.derived(), "derived"),
    ]
    if found:
        raise Disagreement("model", "; ".join(found[:6]) + where)


def _may_be_judged(u: Universe, account: int) -> bool:
    """LIQ-1 speaks of accounts whose prices are good enough to act on."""
    try:
        v = u.model.margin_engine.valuation(account)
    except ModelRevert:
        return False
    return bool(v.status >= 1)


Observer = Callable[[TimedCall, Expected, Outcome], None]
