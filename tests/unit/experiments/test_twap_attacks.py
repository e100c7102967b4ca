"""Attacks on real pools cost what the closed form says, and more where there is more to move."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest

from bulkhead.experiments import oracle_attacks_report as report
from bulkhead.experiments.constant_product import TICK_BASE, ticks_of
from bulkhead.experiments.oracle_attacks import QUICK
from bulkhead.experiments.pool import FEE, AttackedPool
from bulkhead.experiments.twap_attacks import HOLD, MODELS, ONE_BLOCK, UNOPPOSED, attack

TOLERANCE = Decimal("0.00001")
"""0.001 %, as docs/spec/oracle-attacks.md states."""
CLIFF_TOLERANCE = Decimal("0.001")
"""The ends of a range lie on its spacing of ten ticks."""
MILLION = 10**6


@pytest.fixture
def by_key(findings):
    return {(a.model, a.window, a.move, a.value): a for a in findings.attacks}


def series(findings, key):
    """Attacks in lists that agree in everything but one field, ascending in it."""
    fields = ["model", "value", "window", "move"]
    fields.remove(key)
    lists = defaultdict(list)
    for a in findings.attacks:
        lists[tuple(getattr(a, f) for f in fields)].append(a)
    return [sorted(found, key=lambda a: getattr(a, key)) for found in lists.values()]


def test_attacks__all__were_executed(findings):
    wanted = len(QUICK.values) * len(QUICK.windows) * len(QUICK.moves) * len(MODELS)
    assert len(findings.attacks) == wanted
    assert all(a.cost is not None for a in findings.attacks)


def test_attacks__each__move_the_reported_price_as_far_as_wanted(findings):
    for a in findings.attacks:
        # To the tick: the adapter reports the price at the mean tick.
        assert abs(a.reached - (TICK_BASE ** ticks_of(a.move) - 1)) < Decimal("1e-6"), a


def test_attacks__each__agree_with_the_closed_form(findings):
    for a in findings.attacks:
        for measured, predicted in zip(a.cost, a.predicted, strict=True):
            assert predicted > 0
            assert abs(measured / predicted - 1) < TOLERANCE, a
        assert a.error < TOLERANCE


def test_costs__with_ten_times_the_liquidity__are_tenfold(findings):
    for small, large in series(findings, "value"):
        ratio = Decimal(large.value) / small.value
        for a, b in zip(small.cost, large.cost, strict=True):
            assert abs(b / (a * ratio) - 1) < TOLERANCE, (small, large)


def test_costs__of_a_greater_move__are_greater(findings):
    for ordered in series(findings, "move"):
        for smaller, greater in pairwise(ordered):
            assert greater.cost.capital > smaller.cost.capital
            assert greater.cost.loss > smaller.cost.loss


def test_costs__of_a_longer_window__are_greater_unless_nobody_arbitrages(findings):
    for shorter, longer in series(findings, "window"):
        if shorter.model == UNOPPOSED:
            assert longer.cost == shorter.cost
        else:
            assert longer.cost.capital > shorter.cost.capital
            assert longer.cost.loss > shorter.cost.loss


def test_hold__of_ten_times_the_window__loses_ten_times_as_much(findings):
    # Almost: the first push starts at the price, the others where arbitrage ends.
    for shorter, longer in series(findings, "window"):
        if shorter.model == HOLD:
            blocks = Decimal(longer.window) / shorter.window
            assert abs(longer.cost.loss / (shorter.cost.loss * blocks) - 1) < Decimal("0.01")


def test_one_block__of_ten_times_the_window__needs_far_more_than_ten_times_as_much(by_key):
    value, move = QUICK.values[0], Decimal("0.1")
    shorter, longer = (by_key[ONE_BLOCK, window, move, value] for window in QUICK.windows)
    assert longer.cost.capital > 30 * shorter.cost.capital


def test_one_block__beyond_the_last_tick__is_not_reachable(venue):
    pool = AttackedPool(venue, MILLION, [600])
    found = list(attack(pool, MILLION, [600], [Decimal(10)], lambda: None))
    one_block = next(a for a in found if a.model == ONE_BLOCK)
    assert (one_block.cost, one_block.predicted, one_block.reached) == (None, None, None)
    others = [a for a in found if a.model != ONE_BLOCK]
    assert len(others) == 2
    assert all(a.cost is not None for a in others)
    table = report.attacks_table(found, ONE_BLOCK, [MILLION])
    assert table.splitlines()[-1] == "| 10 min | 1,000 % | not reachable |"


def test_attacks__after_each__pool_and_price_are_as_before(venue):
    venue.rpc.set_automine(True)
    pool = AttackedPool(venue, MILLION, [60])
    before = pool.spot(), pool.twap(60), pool.balance(venue.attacker)
    for _ in attack(pool, MILLION, [60], [Decimal("0.05")], lambda: None):
        pass
    assert (pool.spot(), pool.twap(60), pool.balance(venue.attacker)) == before


def test_pool__as_deployed__holds_its_value_on_both_sides(venue):
    venue.rpc.set_automine(True)
    pool = AttackedPool(venue, MILLION, [60])
    held = pool.balance(pool.pool.address)
    assert abs(Decimal(held.quote) / 10**6 / MILLION - 1) < TOLERANCE
    assert abs(pool.value_of_base(held.base) / MILLION - 1) < TOLERANCE


def test_cliff__without_liquidity_beyond_it__is_refused(findings):
    first, _ = findings.cliffs
    assert first.refusal == "UniswapV3TwapAdapter_LiquidityTooLow"
    assert first.reached is None
    assert first.own_value == 0


def test_cliff__with_liquidity_of_the_attackers__moves_the_price(findings):
    _, second = findings.cliffs
    assert second.refusal == ""
    assert second.reached >= second.move
    assert 0 < second.own_value < second.value // MILLION


def test_cliff__whatever_the_window__takes_the_pools_base_and_no_more(findings):
    for cliff in findings.cliffs:
        assert abs(cliff.cost.capital / cliff.predicted - 1) < CLIFF_TOLERANCE
        assert 0 < cliff.cost.loss < 2 * cliff.cost.capital * FEE / MILLION
