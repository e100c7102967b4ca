"""How far an attacker gets with a minority, half and a majority of the weight."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import pairwise

import pytest

from bulkhead.chain.artifacts import load_artifacts
from bulkhead.experiments.aggregator import MAX_DEVIATION, MAX_MOVE, WHOLE, open_actions
from bulkhead.experiments.weights import (
    HALF,
    LEAST,
    MAJORITY,
    MINORITY,
    MOST,
    OUTAGE,
    PRICE,
    SHARES,
    SPREAD_BPS,
    Scene,
    cases,
    explore,
    honest_answers,
    split,
)
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.types import Action

HONEST = Decimal(SPREAD_BPS) / 10_000
DEVIATION = Decimal(MAX_DEVIATION) / 10**18
MOVES = (Decimal("0.01"), Decimal("0.05"), Decimal("0.1"))


@pytest.fixture(scope="module")
def by_case(findings):
    return {(f.case.share, f.case.quorum): f for f in findings.weights}


@pytest.mark.parametrize(("weight", "count"), [(10_000, 3), (10_000, 7), (5_000, 3), (5, 5)])
def test_split__a_weight__sums_to_it_in_equal_parts(weight, count):
    parts = split(weight, count)
    assert len(parts) == count
    assert sum(parts) == weight
    assert max(parts) - min(parts) <= 1


def test_cases__each__give_the_attacker_what_they_say():
    for case in cases([3, 5, 7], [5_001]):
        assert sum(case.honest) + sum(case.silent) + case.weight == WHOLE
        assert bool(case.silent) == (case.share == OUTAGE)
        is_minority = case.weight < WHOLE / 2
        holds = {MINORITY: is_minority, OUTAGE: is_minority, HALF: case.weight * 2 == WHOLE}
        assert holds.get(case.share, case.weight > WHOLE / 2)
        assert len(case.attackers) == case.sources // 2 + (case.share == MAJORITY)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_honest_answers__any_number__span_the_spread_around_the_price(count):
    answers = honest_answers(count)
    assert len(answers) == count
    reach = PRICE * SPREAD_BPS // 10_000 if count > 1 else 0
    assert (answers[0], answers[-1]) == (PRICE - reach, PRICE + reach)


def test_minority__best_answer__stays_within_the_honest_range(findings):
    checked = [f for f in findings.weights if f.case.share == MINORITY]
    assert checked
    for f in checked:
        assert f.is_bounded
        assert all(0 <= r.move <= HONEST for r in f.up)
        assert all(-HONEST <= r.move <= 0 for r in f.down)
        assert set(f.targets.values()) == {None}


def test_minority__any_answers_at_all__stay_within_the_honest_range(sender):
    case = next(c for c in cases([5], [5_001]) if c.share == MINORITY)
    scene = Scene(sender, load_artifacts(check=False), case)
    honest = honest_answers(len(case.honest))
    draw = random.Random(7)
    for _ in range(25):
        answers = [draw.choice((draw.randint(LEAST, MOST), PRICE)) for _ in case.attackers]
        reading = scene.read_apart(answers)
        assert min(honest) <= reading.price // 10**10 <= max(honest), answers
        assert reading.status > PriceStatus.STALE


def test_outage__as_many_are_silent__as_the_quorum_permits():
    for case in cases([3, 5, 7], [5_001, 6_667]):
        if case.share == OUTAGE:
            answering = case.weight + sum(case.honest)
            assert answering >= case.quorum
            assert len(case.honest) == 1 or answering - case.honest[0] < case.quorum
    assert [c.sources for c in cases([3, 5, 7], [6_667]) if c.share == OUTAGE] == [5, 7]


def test_outage__a_minority__is_bounded_by_the_deviation_alone(by_case):
    found = by_case[OUTAGE, 5_001]
    assert found.is_bounded
    assert found.targets[Decimal("0.05")] == PriceStatus.VALID
    assert found.targets[Decimal("0.1")] is None
    assert found.up[-1].move <= DEVIATION * Decimal("1.1")


def test_half__valid__by_about_the_deviation_and_no_further(by_case):
    for quorum in (5_001, 6_667):
        found = by_case[HALF, quorum]
        assert found.is_bounded
        assert found.up[0].status == PriceStatus.VALID
        assert DEVIATION <= found.up[-1].move <= DEVIATION * Decimal("1.1")
        assert DEVIATION * Decimal("0.9") <= -found.down[-1].move <= DEVIATION
        assert found.targets == dict(
            zip(MOVES, (PriceStatus.VALID, PriceStatus.VALID, None), strict=True)
        )
        assert found.worst == PriceStatus.STALE


def test_majority__that_is_the_quorum__goes_anywhere(by_case):
    found = by_case[MAJORITY, 5_001]
    assert not found.is_bounded
    assert found.up[-1].move == Decimal(MOST - 1) / PRICE - 1
    assert found.down[-1].move == Decimal(LEAST + 1) / PRICE - 1
    assert found.up[-1].status == PriceStatus.UNCONFIRMED
    assert found.targets[Decimal("0.1")] == PriceStatus.UNCONFIRMED
    assert found.held == PriceStatus.DEGRADED
    assert found.up[-2].status == PriceStatus.DEGRADED
    assert found.up[-2].move <= Decimal(MAX_MOVE) / 10**18


def test_majority__below_the_quorum__is_bounded_by_the_deviation(by_case):
    found = by_case[MAJORITY, 6_667]
    assert found.is_bounded
    assert found.up[-1].move <= DEVIATION * Decimal("1.1")
    assert found.targets[Decimal("0.1")] is None


def test_minority__above_what_the_quorum_leaves__can_only_silence(sender):
    case = next(c for c in cases([5], [6_667]) if c.share == MINORITY)
    [found] = explore(sender, load_artifacts(check=False), [case], MOVES, lambda: None)
    assert found.worst == PriceStatus.STALE
    assert all(abs(r.move) <= HONEST for r in (*found.up, *found.down))


def test_shares__of_the_quick_version__are_all_there(by_case):
    # With two thirds as the quorum, no source of three may be missing.
    assert set(by_case) == {(s, q) for s in SHARES for q in (5_001, 6_667)} - {(OUTAGE, 6_667)}


def test_open_actions__a_worse_status__never_opens_more():
    opened = [set(open_actions(status)) for status in sorted(PriceStatus)]
    assert all(worse <= better for worse, better in pairwise(opened))
    assert set(open_actions(PriceStatus.VALID)) == set(Action)
    assert Action.LIQUIDATE in open_actions(PriceStatus.DEGRADED)
    assert Action.WITHDRAW not in open_actions(PriceStatus.DEGRADED)
    assert open_actions(PriceStatus.STALE) == (Action.DEPOSIT,)
    assert open_actions(PriceStatus.UNCONFIRMED) == (Action.DEPOSIT,)
