"""The operations as a state machine: what a person steps through to see how something happened."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bulkhead.fuzz.machine import machine_for
from bulkhead.fuzz.session import Session


def test_compartment__any_operations_in_any_order__keep_every_invariant(session: Session) -> None:
    """Every oracle after every step: the model, the invariants, the refusals."""
    run_state_machine_as_test(
        machine_for(session),
        settings=settings(
            # Each step plays all those before it again; campaigns are for quantity.
            max_examples=max(5, settings().max_examples // 10),
            stateful_step_count=15,
            suppress_health_check=list(HealthCheck),
        ),
    )
