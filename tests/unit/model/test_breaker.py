"""Tiers: what raises them, how they fall, and what they allow."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import policy, presets
from bulkhead.model.math import WAD
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.reverts import (
    CircuitBreaker_Blocked,
    CircuitBreaker_NotLiquidationEngine,
    CircuitBreaker_OutOfBounds,
    CircuitBreaker_Resting,
    RoleRegistry_MissingRole,
)
from bulkhead.model.roles import GUARDIAN
from bulkhead.model.types import Action, BreakerState, Cause, address

GUARD, ANYONE = address(0x6A), address(9)
HOUR = 3_600


@pytest.fixture
def world(make_world):
    world = make_world(watched_prices=("ETH",), watched_pegs=("STETH",))
    world.roles.grant_role(world.governor, GUARDIAN, GUARD)
    return world


@pytest.fixture
def breaker(world):
    return world.circuit_breaker


class TestSignals:
    def test_the_first_poke_takes_references_and_finds_calm(self, breaker):
        assert breaker.poke(ANYONE) == 0
        assert breaker.signal() == (0, Cause.CALM, 0)

    @pytest.mark.parametrize(
        ("price", "tier"),
        [(2_099, 0), (2_100, 1), (1_800, 2), (2_400, 3), (1_600, 3), (1_200, 4), (2_800, 4)],
    )
    def test_a_price_move_raises_the_tier_at_once(self, world, breaker, price, tier):
        breaker.poke(ANYONE)
        world.oracle.set("ETH", price * WAD)
        world.now += 1
        assert breaker.poke(ANYONE) == tier
        if tier:
            move = abs(price - 2_000) * WAD // 2_000
            assert world.events[-1].args == {
                "from": 0,
                "to": tier,
                "cause": Cause.PRICE_MOVE,
                "value": move,
            }

    def test_a_stale_price_is_tier_three(self, world, breaker):
        world.oracle.set("ETH", 2_000 * WAD, PriceStatus.STALE)
        assert breaker.signal() == (3, Cause.PRICE_STALE, 0)

    def test_a_discount_is_graded(self, world, breaker):
        world.peg.set("STETH", 1_800 * WAD, discount=WAD // 10)
        assert breaker.signal() == (3, Cause.PEG_DISCOUNT, WAD // 10)

    def test_the_strongest_signal_wins_and_the_first_of_equals(self, world, breaker):
        breaker.poke(ANYONE)
        world.oracle.set("ETH", 2_200 * WAD)
        world.peg.set("STETH", 1_900 * WAD, discount=WAD // 20)
        assert breaker.signal() == (2, Cause.PRICE_MOVE, WAD // 10)
        world.peg.set("STETH", 1_500 * WAD, discount=WAD // 4)
        assert breaker.signal() == (4, Cause.PEG_DISCOUNT, WAD // 4)

    def test_a_move_across_the_turn_of_a_window_is_seen_whole(self, world, breaker):
        breaker.poke(ANYONE)
        world.oracle.set("ETH", 2_080 * WAD)
        world.now += HOUR
        assert breaker.poke(ANYONE) == 0  # measures 4 %, then takes 2080
        world.oracle.set("ETH", 2_160 * WAD)
        assert breaker.signal() == (1, Cause.PRICE_MOVE, 8 * WAD // 100)
        world.now += HOUR
        assert breaker.poke(ANYONE) == 1  # takes 2160, forgets 2000
        assert breaker.signal() == (0, Cause.CALM, 0)

    def test_a_reference_that_nobody_renewed_says_nothing_of_speed(self, world, breaker):
        breaker.poke(ANYONE)
        world.oracle.set("ETH", 2_400 * WAD)
        world.now += 2 * HOUR
        assert breaker.signal().target == 3
        world.now += 1
        assert breaker.signal() == (0, Cause.CALM, 0)

    def test_volume_leaks_linearly(self, world, breaker):
        engine = world.liquidation_engine.address
        breaker.record_liquidation(engine, 10**6 * WAD)
        assert breaker.signal() == (1, Cause.LIQUIDATION_VOLUME, 10**6 * WAD)
        world.now += HOUR  # of six
        breaker.record_bad_debt(engine, 1)
        assert breaker.signal() == (0, Cause.CALM, 0)
        breaker.record_liquidation(engine, 10**6 * WAD)
        volume = -(-(10**6) * WAD * 5 // 6) + 10**6 * WAD
        assert breaker.signal() == (1, Cause.LIQUIDATION_VOLUME, volume)
        assert world.events[-1].args == {"notional": 10**6 * WAD, "level": volume}
        world.now += 6 * HOUR
        assert breaker.signal() == (0, Cause.CALM, 0)

    def test_only_the_liquidation_engine_reports(self, breaker):
        for report in (breaker.record_liquidation, breaker.record_bad_debt):
            with pytest.raises(CircuitBreaker_NotLiquidationEngine) as caught:
                report(ANYONE, 1)
            assert caught.value.args == (ANYONE,)


class TestTiers:
    def test_a_tier_falls_one_step_per_dwell(self, world, breaker):
        breaker.poke(ANYONE)
        world.oracle.set("ETH", 2_400 * WAD)
        breaker.poke(ANYONE)
        world.oracle.set("ETH", 2_000 * WAD)
        tiers = []
        for _ in range(5):
            world.now += 450
            tiers.append(breaker.poke(ANYONE))
        assert tiers == [3, 2, 2, 1, 1]

    def test_a_halt_ends_by_itself_and_is_followed_by_rest(self, world, breaker):
        max_halt = presets.TIMING.max_halt
        breaker.poke(ANYONE)
        halted_at = world.now
        breaker.raise_(GUARD, 4, max_halt)
        world.now += max_halt - 1
        assert (breaker.tier(), breaker.poke(ANYONE)) == (4, 4)
        world.now += 1
        assert (breaker.tier(), breaker.poke(ANYONE)) == (3, 3)
        assert world.events[-1].args["cause"] == Cause.HALT_EXPIRED
        world.oracle.set("ETH", 200 * WAD)
        assert breaker.signal().target == 4
        assert breaker.poke(ANYONE) == 3
        with pytest.raises(CircuitBreaker_Resting) as caught:
            breaker.raise_(GUARD, 4, 60)
        assert caught.value.args == (halted_at + 2 * max_halt,)
        world.now = halted_at + 2 * max_halt
        breaker.raise_(GUARD, 4, 60)
        assert breaker.tier() == 4

    def test_the_guardian_holds_a_tier_for_a_time(self, world, breaker):
        breaker.raise_(GUARD, 2, 1_000)
        state = BreakerState(2, world.now, 0, 2, world.now + 1_000)
        assert breaker.breaker_state() == state
        world.now += 999
        assert breaker.poke(ANYONE) == 2
        world.now += 1
        assert breaker.poke(ANYONE) == 1

    def test_a_stronger_order_does_not_cut_an_earlier_one_short(self, world, breaker):
        breaker.raise_(GUARD, 2, 10_000)
        until = world.now + 10_000
        breaker.raise_(GUARD, 3, 60)
        assert breaker.breaker_state().guardian_until == until
        assert world.events[-2].args == {"guardian": GUARD, "tier": 3, "until": until}

    def test_the_guardian_only_raises_within_bounds(self, world, breaker):
        with pytest.raises(RoleRegistry_MissingRole) as caught:
            breaker.raise_(ANYONE, 2, 60)
        assert caught.value.args == (ANYONE, GUARDIAN)
        breaker.raise_(GUARD, 2, 60)
        for tier in (2, 5):
            with pytest.raises(CircuitBreaker_OutOfBounds) as caught:
                breaker.raise_(GUARD, tier, 60)
            assert caught.value.args == ("tier", tier, 3, 4)
        for duration in (0, presets.TIMING.max_halt + 1):
            with pytest.raises(CircuitBreaker_OutOfBounds) as caught:
                breaker.raise_(GUARD, 3, duration)
            assert caught.value.args == ("duration", duration, 1, presets.TIMING.max_halt)

    @given(
        steps=st.lists(
            st.tuples(st.integers(500, 4_000), st.integers(0, 4 * HOUR), st.booleans()),
            max_size=30,
        )
    )
    @settings(deadline=None)
    def test_no_halt_outlasts_its_maximum(self, make_world, steps):
        world = make_world(watched_prices=("ETH",))
        world.roles.grant_role(world.governor, GUARDIAN, GUARD)
        breaker, max_halt = world.circuit_breaker, presets.TIMING.max_halt
        halted_since = None
        for price, pause, raises in steps:
            world.oracle.set("ETH", price * WAD)
            breaker.poke(ANYONE)
            if raises and breaker.breaker_state().tier < 4:
                try:
                    breaker.raise_(GUARD, 4, max_halt)
                except CircuitBreaker_Resting:
                    assert world.now < breaker.breaker_state().halted_at + 2 * max_halt
            if breaker.tier() < 4:
                halted_since = None
            elif halted_since is None:
                halted_since = world.now
            assert halted_since is None or world.now - halted_since < max_halt
            world.now += pause


class TestPolicy:
    @pytest.mark.parametrize("tier", range(5))
    def test_each_tier_blocks_what_the_table_says(self, world, breaker, tier):
        if tier:
            breaker.raise_(GUARD, tier, 60)
        allowed = {action for action in Action if breaker.is_allowed(action)}
        blocked_from = {
            2: {Action.INCREASE_POSITION, Action.POOL_WITHDRAW, Action.FUND_WITHDRAW},
            3: {Action.WITHDRAW, Action.CONVERT},
            4: {
                Action.REDUCE_POSITION,
                Action.LIQUIDATE,
                Action.TAKE_AUCTION,
                Action.WRITE_OFF,
                Action.POOL_DEPOSIT,
                Action.FUND_DEPOSIT,
                Action.TRANSFER,
            },
        }
        blocked = set().union(*(b for first, b in blocked_from.items() if tier >= first))
        assert allowed == set(Action) - blocked
        for action in blocked:
            with pytest.raises(CircuitBreaker_Blocked) as caught:
                breaker.require_allowed(action)
            assert caught.value.args == (action, tier, policy.max_tier(action))

    def test_only_what_takes_value_out_or_adds_risk_needs_a_valid_price(self):
        strict = {a for a in Action if policy.min_status(a) == PriceStatus.VALID}
        assert strict == {Action.WITHDRAW, Action.INCREASE_POSITION, Action.TRANSFER}
        free = {a for a in Action if policy.min_status(a) == PriceStatus.STALE}
        assert free == {Action.DEPOSIT}
        assert PriceStatus.UNCONFIRMED not in map(policy.min_status, Action)
