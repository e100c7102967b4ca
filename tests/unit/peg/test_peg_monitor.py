"""Rules, discount and stress over time, over a real oracle and a real staking token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.chain.eth_call import outcome
from bulkhead.model.peg_math import PegCondition, PegState
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.conftest import CONFIG, POOLED, SUPPLY, elapsed_stress
from tests.unit.peg.story import DAY, HOUR, LST, WAD, Words, as_struct

pytestmark = pytest.mark.usefixtures("_deployed")

CALM = replace(CONFIG, stress_per_day=WAD // 20, max_age=60, deadband=0)
"""Slow enough for each parameter to go to its bound."""


# --- rules


def test_configure__not_governor__reverts(calls, monitor, stranger):
    error = outcome(
        lambda: calls.call(monitor, "configure", LST, as_struct(CONFIG), sender=stranger)
    )
    assert error[:2] == ("RoleRegistry_MissingRole", stranger.address.lower())


@pytest.mark.parametrize(
    ("field", "parameter", "minimum", "maximum"),
    [
        ("max_age", "maxAge", 1, DAY),
        ("deadband", "deadband", 0, WAD - 1),
        ("stress_per_day", "stressPerDay", 0, 10 * WAD),
        ("decay_period", "decayPeriod", HOUR, 365 * DAY),
        ("max_haircut", "maxHaircut", 0, WAD - 1),
        ("base_haircut", "baseHaircut", 0, CALM.max_haircut),
        ("discount_slope", "discountSlope", 0, 10 * WAD),
        ("stress_slope", "stressSlope", 0, 10 * WAD),
        ("backing_slope", "backingSlope", 0, 10 * WAD),
        ("delay_slope", "delaySlope", 0, 10 * WAD),
        ("max_rate_fall", "maxRateFall", 0, WAD - 1),
        ("max_shortfall", "maxShortfall", 0, WAD - 1),
        ("stressed_at", "stressedAt", CALM.grace_stress + 1, WAD),
        ("broken_at", "brokenAt", CALM.stressed_at, WAD),
    ],
)
def test_configure__parameter__accepted_at_and_refused_beyond_its_bounds(
    calls, monitor, governor, field, parameter, minimum, maximum
):
    def attempt(number):
        config = replace(CALM, **{field: number})
        if field == "max_haircut":
            config = replace(config, base_haircut=0)
        if field == "stressed_at":
            config = replace(config, broken_at=WAD)
        return outcome(
            lambda: calls.call(monitor, "configure", LST, as_struct(config), sender=governor)
        )

    name = parameter.encode().ljust(32, b"\0")
    for number in (minimum, maximum):
        assert attempt(number) == ()
    beyond = [maximum + 1] + ([minimum - 1] if minimum else [])
    for number in beyond:
        expected = ("PegMonitor_OutOfBounds", name, number, minimum, maximum)
        assert attempt(number) == expected


def test_configure__grace_stress__at_least_two_largest_steps(calls, monitor, governor):
    """Ten a day, all but one hundredth of it, for two minutes: 0.01375; twice that is 0.0275."""
    rules = replace(CONFIG, stress_per_day=10 * WAD, max_age=120, stressed_at=WAD)

    def attempt(grace):
        struct = as_struct(replace(rules, grace_stress=grace))
        return outcome(lambda: calls.call(monitor, "configure", LST, struct, sender=governor))

    least, most = 275 * WAD // 10_000, WAD - 1
    name = b"graceStress".ljust(32, b"\0")
    assert attempt(least) == attempt(most) == ()
    for grace in (least - 1, most + 1):
        assert attempt(grace) == ("PegMonitor_OutOfBounds", name, grace, least, most)


def test_configure__largest_step_not_whole__rounds_up(calls, monitor, governor):
    """One wei a day for a second is a fraction of a wei: a step of one, and a grace of two."""
    rules = replace(CONFIG, stress_per_day=1, max_age=1, deadband=0, grace_stress=1)
    error = outcome(
        lambda: calls.call(monitor, "configure", LST, as_struct(rules), sender=governor)
    )
    name = b"graceStress".ljust(32, b"\0")
    assert error == ("PegMonitor_OutOfBounds", name, 1, 2, WAD - 1)


@pytest.mark.parametrize("field", ["rate_source", "backing_source", "queue"])
def test_configure__source_without_code__reverts(calls, monitor, governor, stranger, field):
    struct = as_struct(replace(CONFIG, **{field: stranger.address}))
    error = outcome(lambda: calls.call(monitor, "configure", LST, struct, sender=governor))
    assert error == ("PegMonitor_NotAContract", stranger.address.lower())


@pytest.mark.parametrize("position", [0, 10])
def test_configure__price_unknown_to_the_oracle__reverts(calls, monitor, governor, position):
    struct = list(as_struct(CONFIG))
    struct[position] = b"NONE".ljust(32, b"\0")
    error = outcome(lambda: calls.call(monitor, "configure", LST, tuple(struct), sender=governor))
    assert error == ("OracleAggregator_UnknownAsset", b"NONE".ljust(32, b"\0"))


def test_configure__valid__is_read_back_and_poked(calls, monitor, configured, chain):
    receipt = configured()
    assert calls.call(monitor, "pegConfig", LST) == as_struct(CONFIG)
    now = chain.blocks.head.timestamp
    assert calls.call(monitor, "pegState", LST) == (WAD, WAD, 0, now, 3, 0, WAD, WAD, 0, WAD // 20)
    assert len(receipt.decode_logs(monitor.PegConfigured)) == 1
    assert len(receipt.decode_logs(monitor.PegPoked)) == 1


def test_configure__again__settles_stress_under_the_old_rules(
    configured, prices, poke, stress, chain
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    chain.pending_timestamp = chain.blocks.head.timestamp + 600
    configured(stress_per_day=0)
    assert stress() == elapsed_stress(WAD // 10, 600)


@pytest.mark.parametrize("method", ["pegState", "pegConfig", "poke", "valuation"])
def test_any_call__unknown_asset__reverts(calls, monitor, method):
    unknown = b"NONE".ljust(32, b"\0")
    error = outcome(lambda: calls.call(monitor, method, unknown))
    assert error == ("PegMonitor_UnknownAsset", unknown)


# --- discount and stress


def test_poke__market_above_fair__no_discount(configured, prices, poke, value):
    configured()
    prices(ratio=WAD * 11 // 10)
    poke()
    seen = value()
    assert (seen.discount, seen.haircut) == (0, WAD // 20)
    assert seen.initial_price == seen.maintenance_price == 1_900 * WAD
    assert seen.market_price == 2_200 * WAD


def test_valuation__discount_not_whole__rounds_up(value, configured, monitor, chain):
    # A third of the fair rate: the discount is two thirds, and a bit.
    configured()
    now = chain.blocks.head.timestamp
    state = PegState(3 * WAD, WAD, 0, now, PriceStatus.VALID)
    assert value({monitor.address: Words.state(state)}).discount == 2 * WAD // 3 + 1


def test_poke__discount_at_the_deadband__builds_nothing(configured, prices, poke, stress):
    configured()
    prices(ratio=WAD * 99 // 100)
    poke()
    poke(after=HOUR)
    assert stress() == 0


def test_poke__discount_above_the_deadband__builds_size_times_time(
    configured, prices, poke, stress
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    poke(after=HOUR)
    assert stress() == elapsed_stress(WAD // 10, HOUR) == 75 * WAD // 10_000


def test_poke__gain_not_whole__rounds_up(configured, prices, poke, stress):
    # One wei of discount above the dead-band, at two per day: a fraction of a wei in a second.
    configured()
    prices(ratio=WAD * 99 // 100 - 1)
    poke()
    poke(after=1)
    assert stress() == 1


def test_poke__decay_not_whole__rounds_down(configured, prices, poke, stress):
    configured(decay_period=HOUR + 1, max_age=DAY, stress_per_day=WAD * 8 // 100)
    prices(ratio=WAD // 2)
    poke()
    poke(after=20 * HOUR)
    built = stress()
    prices(ratio=WAD)
    poke()
    grown = stress()
    assert grown > built
    poke(after=7)
    assert stress() == grown - 7 * WAD // (HOUR + 1)


def test_poke__long_peg__stress_ends_at_zero(configured, prices, poke, stress):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    poke(after=HOUR)
    prices(ratio=WAD)
    poke()
    poke(after=DAY)
    assert stress() == 0


def test_poke__lasting_depeg__stress_ends_at_one(configured, prices, poke, stress, value):
    configured()
    prices(ratio=WAD // 2)
    poke()
    prices(ratio=WAD // 2)
    poke(after=3 * DAY)
    assert stress() == WAD
    seen = value()
    assert seen.haircut == seen.maintenance_haircut == CONFIG.max_haircut
    assert seen.maintenance_price == seen.market_price // 2 == 500 * WAD
    assert (seen.initial_price, seen.condition) == (0, PegCondition.BROKEN)


def test_poke__twice_in_a_block__stress_unchanged(calls, monitor, configured, prices, poke):
    configured()
    prices(ratio=WAD // 2)
    poke()
    poke(after=60)
    recorded = calls.call(monitor, "pegState", LST)
    assert calls.call(monitor, "poke", LST) == recorded


def test_poke__more_often_at_constant_discount__changes_rounding_only(
    configured, prices, poke, stress, chain
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    with chain.isolate():
        poke(after=2_400)
        once = stress()
    for _ in range(12):
        poke(after=200)
    assert once <= stress() <= once + 12


def test_poke__one_block_wick__counts_for_the_block_only(configured, prices, poke, stress):
    configured()
    prices(ratio=WAD // 2)
    poke()
    prices(ratio=WAD)
    poke(after=12)
    wick = stress()
    assert wick <= elapsed_stress(WAD // 2, 13)
    poke(after=HOUR)
    assert stress() == max(0, wick - WAD * HOUR // DAY)


def test_poke__wick_poked_then_silence__counts_for_max_age_only(configured, prices, poke, stress):
    """Someone pokes within a wick, and nobody for two days after it."""
    configured(decay_period=365 * DAY)
    prices(ratio=WAD // 2)
    poke()
    prices(ratio=WAD)
    poke(after=2 * DAY)
    charged = elapsed_stress(WAD // 2, HOUR)
    decayed = WAD * (2 * DAY - HOUR) // (365 * DAY)
    # The two publications take a block each.
    assert abs(stress() - (charged - decayed)) <= WAD * 5 // (365 * DAY)


def test_poke__silence_then_poke_in_a_wick__charges_nothing_for_the_silence(
    configured, prices, poke, stress
):
    """Someone waits for a wick after two days without pokes."""
    configured()
    prices(ratio=WAD // 2)
    poke(after=2 * DAY)
    assert stress() == 0


def test_poke__silence_between_two_discounts__counts_the_smaller(
    configured, prices, poke, stress, chain
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    then = chain.blocks.head.timestamp
    prices(ratio=WAD * 7 // 10)
    poke(after=3 * HOUR)
    lasted = chain.blocks.head.timestamp - then
    expected = elapsed_stress(WAD // 10, HOUR) + elapsed_stress(WAD // 10, lasted - HOUR)
    assert stress() == expected


def test_poke__market_never_known__no_stress_and_no_initial_value(
    configured, poke, stress, value, oracle, governor, ratio_source, prices
):
    """Fail closed, but without a clock running against a token that was only just listed."""
    prices(eth=2_000 * WAD)
    ratio_source.set(0, 0, 0, sender=governor)
    configured()
    poke(after=HOUR)
    seen = value()
    assert (seen.initial_price, seen.market_price) == (0, 0)
    assert (seen.discount, seen.status) == (WAD, PriceStatus.STALE)
    assert (seen.haircut, seen.maintenance_haircut) == (CONFIG.max_haircut, WAD // 20)
    assert seen.maintenance_price == 1_900 * WAD
    assert stress() == 0


def test_poke__market_stale__keeps_the_last_ratio_and_says_so(
    configured, prices, poke, value, ratio_source, governor, stress
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    ratio_source.setMode(1, 0, sender=governor)
    poke(after=60)
    assert (value().discount, value().status) == (WAD // 10, PriceStatus.STALE)
    poke(after=600)
    assert stress() > elapsed_stress(WAD // 10, 600)


def test_valuation__underlying_stale__says_so(configured, value, eth_source, governor):
    configured()
    eth_source.setMode(1, 0, sender=governor)
    assert value().status == PriceStatus.STALE


def test_poke__rate_above_64_bits__is_no_answer(calls, monitor, configured, lst):
    configured(rate_source=lst.address)
    fits = {lst.address: {SUPPLY: WAD, POOLED: 2**64 - 1}}
    assert calls.call(monitor, "poke", LST, overrides=fits)[0] == 2**64 - 1
    over = {lst.address: {SUPPLY: WAD, POOLED: 2**64}}
    state = PegState(*calls.call(monitor, "poke", LST, overrides=over))
    assert (state.fair_rate, state.status) == (WAD, PriceStatus.STALE)


def test_poke__market_above_64_bits__saturates(calls, monitor, configured, prices, poke):
    configured()
    prices(ratio=2**80)
    poke()
    state = PegState(*calls.call(monitor, "pegState", LST))
    # The oracle wants to see so large a move again.
    assert (state.market_rate, state.status) == (WAD, PriceStatus.UNCONFIRMED)
    poke()
    state = PegState(*calls.call(monitor, "pegState", LST))
    assert (state.market_rate, state.status) == (2**64 - 1, PriceStatus.VALID)


def test_poke__rate_zero__worthless_without_revert(
    calls, monitor, configured, lst, value, chain, poke
):
    configured(rate_source=lst.address)
    chain.mine(deltatime=2 * HOUR)
    overrides = {lst.address: {SUPPLY: WAD, POOLED: 0}}
    seen = value(overrides)
    assert (seen.initial_price, seen.maintenance_price, seen.discount) == (0, 0, 0)
    assert seen.condition == PegCondition.BROKEN


def test_poke__slashed_token__fair_rate_falls(
    configured, lst, alice, operator, poke, calls, monitor, bob
):
    lst.deposit(100 * WAD, alice, sender=alice)
    configured(rate_source=lst.address)
    lst.slash(10 * WAD, bob, sender=operator)
    poke()
    fair, market, *_ = calls.call(monitor, "pegState", LST)
    assert (fair, market) == (WAD * 9 // 10, WAD)
