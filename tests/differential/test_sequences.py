"""Chain and model play the same generated sequences: same results, same reverts, same state."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bulkhead.fuzz.executor import Executor
from bulkhead.fuzz.keeper_operations import Liquidate, StartAuction
from bulkhead.fuzz.market_operations import MovePrice, Wait
from bulkhead.fuzz.operation import TAPE_BYTES, Operation
from bulkhead.fuzz.operations import from_tape
from bulkhead.fuzz.sequence import Statistics, run
from bulkhead.fuzz.universe import Universe
from bulkhead.fuzz.user_operations import Trade
from bulkhead.fuzz.views import differences, model_derived, model_snapshot

tapes = st.lists(st.binary(min_size=TAPE_BYTES, max_size=TAPE_BYTES), min_size=15, max_size=50)

CRASH: tuple[Operation, ...] = (
    MovePrice(asset=0, factor=8),
    Liquidate(keeper=0, target=0, market=0, stray=0),
    Liquidate(keeper=3, target=1, market=0, stray=0),
    StartAuction(target=0, collateral=0, stray=0),
)
BOOM: tuple[Operation, ...] = (
    MovePrice(asset=0, factor=7),
    Trade(actor=0, sub=0, market=0, mode=0, tolerance=0, share=10_000),
    Wait(how_long=4, silent=0),
)
openings = st.sampled_from([(), CRASH, BOOM, (*CRASH, MovePrice(asset=0, factor=10))])


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    """What all sequences of this module did."""
    return Statistics()


def test_prologue__both_sides__in_the_same_state(fuzzed: tuple[Universe, Executor]) -> None:
    universe, executor = fuzzed
    universe.reset()
    view = executor.view()
    assert list(differences(model_snapshot(universe.model), view.snapshot())) == []
    derived = model_derived(universe, universe.accounts)
    assert list(differences(derived, view.derived())) == []
    assert len(view.snapshot().positions) == 4


@settings(max_examples=max(160, settings().max_examples), suppress_health_check=list(HealthCheck))
@given(opening=openings, tape=tapes)
def test_sequence__generated__chain_and_model_agree_at_every_step(
    fuzzed: tuple[Universe, Executor],
    statistics: Statistics,
    opening: tuple[Operation, ...],
    tape: list[bytes],
) -> None:
    universe, executor = fuzzed
    before = statistics.calls
    run(universe, executor, [*opening, *from_tape(tape)], statistics=statistics)
    event(f"{(statistics.calls - before) // 20 * 20} calls or more")


def test_sequences__all_together__reached_what_matters(statistics: Statistics) -> None:
    """The test above means something only if the interesting calls went through."""
    for function in (
        "deposit",
        "withdraw",
        "trade",
        "liquidate",
        "startAuction",
        "takeAuction",
        "writeOff",
        "convert",
        "redeem",
        "mint",
        "poke",
    ):
        assert statistics.accepted(function) > 0, (function, statistics.outcomes)
    assert statistics.calls > 3_000
