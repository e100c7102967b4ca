"""This project's contracts for stacks that send one transaction after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bulkhead.bench.target_workload import TargetWorkload
from bulkhead.bench.workload import Action, Mismatch
from bulkhead.chain.artifacts import Artifacts
from bulkhead.fuzz.suite.universe import Universe
from bulkhead.model import invariants


class SuiteWorkload(TargetWorkload):
    """The suite's operations; after each call conservation has to hold, as in ``tests/forge``.

    The model picks the arguments and judges nothing.

    Args:
        operations: names; None: all.
        artifacts: what is deployed; None: the last build.
    """

    def __init__(
        self, operations: Iterable[str] | None = None, artifacts: Artifacts | None = None
    ) -> None:
        self._universe = Universe(artifacts)
        super().__init__(self._universe, operations)

    def judge(
        self,
        action: Action,
        accepted: bool,  # noqa: ARG002
        expected: bool,  # noqa: ARG002
        seen: Any,
    ) -> None:
        """Check CUS-1, LED-2, the range of h, LED-4 and PNL-1 on the stored words.

        Raises:
            Mismatch: one of them is broken.
        """
        broken = invariants.check_state(self._universe.observe((seen,)).snapshot)
        if broken:
            raise Mismatch(f"{action}: {broken[0].id}: {broken[0].message}")
