"""Every invariant after every step, while anybody does anything."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bulkhead.fuzz.executor import Executor
from bulkhead.fuzz.machine import machine_for
from bulkhead.fuzz.universe import Universe


def test_compartment__any_sequence_of_calls__keeps_every_invariant(
    fuzzed: tuple[Universe, Executor],
) -> None:
    """CUS-1, LED-1 … LED-4, PNL-1, PNL-2, LIQ-1, INS-1 on the chain, and the model agrees."""
    run_state_machine_as_test(
        machine_for(*fuzzed),
        settings=settings(
            max_examples=max(20, settings().max_examples // 5),
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
