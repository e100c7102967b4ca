"""Haircuts and valuations over a real oracle and a real staking token; what a poke costs."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from bulkhead.model.peg_math import PegCondition, PegState, PegValuation
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.conftest import CONFIG, elapsed_stress
from tests.unit.peg.story import HOUR, LST, WAD, Words

pytestmark = pytest.mark.usefixtures("_deployed")


def test_valuation__quotients_not_whole__round_down(value, configured, monitor, eth_source, chain):
    configured(base_haircut=0, discount_slope=0, stress_slope=0)
    now = chain.blocks.head.timestamp
    state = PegState(WAD - 1, WAD - 1, WAD // 2, now, PriceStatus.VALID)
    overrides = {monitor.address: Words.state(state), eth_source.address: {2: 1}}
    assert astuple(value(overrides))[:3] == (0, 0, 0)
    overrides[eth_source.address] = {2: 2}
    assert astuple(value(overrides))[:3] == (1, 1, 1)


def test_valuation__haircut_products_not_whole__round_up(value, configured, monitor, chain):
    configured(base_haircut=0, discount_slope=1, stress_slope=1, deadband=WAD - 1)
    now = chain.blocks.head.timestamp
    state = PegState(WAD, WAD - 1, CONFIG.grace_stress + 1, now, PriceStatus.VALID)
    assert value({monitor.address: Words.state(state)}).haircut == 2


def test_valuation__at_peg__base_haircut(configured, value):
    configured()
    cut = WAD // 20
    expected = (1_900 * WAD, 1_900 * WAD, 2_000 * WAD, cut, cut, 0, 0, PegCondition.SOUND)
    assert value() == PegValuation(*expected, PriceStatus.VALID)


def test_valuation__discount_without_stress__initial_at_market_maintenance_at_fair(
    configured, prices, poke, value
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    seen = value()
    assert (seen.market_price, seen.discount, seen.haircut) == (1_800 * WAD, WAD // 10, WAD // 10)
    # Less 10 % of the market's 1,800; less 5 % of the fair 2,000.
    assert (seen.initial_price, seen.maintenance_price) == (1_620 * WAD, 1_900 * WAD)
    assert seen.maintenance_haircut == WAD // 20


def test_valuation__fresh_state__ignores_a_newer_market(configured, prices, value, chain):
    configured()
    prices(ratio=WAD // 2)
    assert value().discount == 0
    chain.mine(deltatime=HOUR)
    assert value().discount == WAD // 2


def test_valuation__fresh_state__carries_stress_forward(configured, value, chain, monitor, stress):
    configured()
    then = chain.blocks.head.timestamp
    state = PegState(WAD, WAD * 9 // 10, WAD * 3 // 10, then, PriceStatus.VALID)
    overrides = {monitor.address: Words.state(state)}
    chain.mine(timestamp=then + HOUR)
    lasted = chain.blocks.head.timestamp - then
    assert lasted == HOUR
    seen = value(overrides)
    assert seen.stress == WAD * 3 // 10 + elapsed_stress(WAD // 10, HOUR) == 3_075 * WAD // 10_000
    # (0.3075 - 0.165) / (1 - 0.165), and a quarter of it, both rounded up; half of the discount.
    recognised = -(-1_425 * WAD // 8_350)
    assert seen.haircut == -(-recognised // 4) + WAD // 20


def test_valuation__any_age__equals_poke_then_valuation(
    calls, monitor, configured, prices, poke, value, chain
):
    """What the view carries forward is what a poke in the same block would record."""
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    prices(ratio=WAD * 8 // 10)
    chain.mine(deltatime=3 * HOUR)
    before = value()
    chain.pending_timestamp = chain.blocks.head.timestamp + 1
    monitor.poke(LST, sender=chain.provider.account_manager.test_accounts[5])
    after = value()
    assert (before.discount, before.status) == (after.discount, after.status)
    assert (before.discount, before.haircut) == (WAD // 5, after.haircut)
    assert 0 < after.stress - before.stress <= elapsed_stress(WAD // 10, 1) + 1


def test_poke__warm__gas(configured, poke, chain):
    """Two slots of state and a record of the market's ratio."""
    configured()
    poke(after=10)
    receipt = poke(after=10)
    assert receipt.gas_used < 120_000
