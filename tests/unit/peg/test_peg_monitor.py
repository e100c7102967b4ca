"""Rules, discount, stress over time, haircut, valuations; the monitor against its integer twin."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome
from bulkhead.model import peg
from bulkhead.model.oracle import (
    AssetConfig,
    FixedSource,
    OracleAggregator,
    PriceData,
    PriceStatus,
)
from bulkhead.model.oracle import SourceConfig as ModelSource
from bulkhead.model.peg import PegConfig, PegMonitor, PegState

WAD = 10**18
DAY = 86_400
HOUR = 3_600
LST = b"LST".ljust(32, b"\0")
ETH = b"ETH".ljust(32, b"\0")
RATIO = b"LST/ETH".ljust(32, b"\0")
NOBODY = "0x" + "00" * 20
STALE, DEGRADED, VALID = 0, 2, 3
SUPPLY, POOLED = 2, 5

CONFIG = PegConfig(
    underlying="ETH",
    market_ratio="LST/ETH",
    rate_source=None,
    max_age=HOUR,
    deadband=WAD // 100,
    stress_per_day=2 * WAD,
    decay_period=DAY,
    base_haircut=WAD // 20,
    discount_slope=WAD // 2,
    stress_slope=WAD // 4,
    max_haircut=WAD // 2,
)


def as_struct(config: PegConfig, rate_source: str = NOBODY) -> tuple:
    return (ETH, RATIO, rate_source, *astuple(config)[3:])


@pytest.fixture
def configured(monitor, governor):
    """Set the rules; the market is at 1.0 and so is the rate, unless told otherwise."""

    def _configured(rate_source=NOBODY, **replaced):
        struct = as_struct(replace(CONFIG, **replaced), rate_source)
        return monitor.configure(LST, struct, sender=governor)

    return _configured


@pytest.fixture
def poke(monitor, stranger, chain):
    """Poke exactly ``after`` seconds after the last block."""

    def _poke(after=1):
        chain.pending_timestamp = chain.blocks.head.timestamp + after
        return monitor.poke(LST, sender=stranger)

    return _poke


@pytest.fixture
def value(calls, monitor):
    """The valuation as (initial, maintenance, market, haircut, discount, status)."""

    def _value(overrides=None):
        return calls.call(monitor, "valuation", LST, overrides=overrides)

    return _value


@pytest.fixture
def stress(calls, monitor):
    """Recorded stress."""

    def _stress():
        return calls.call(monitor, "pegState", LST)[2]

    return _stress


def elapsed_stress(d: int, seconds: int, config: PegConfig = CONFIG) -> int:
    """What a constant discount builds up, in one piece."""
    per_day = config.stress_per_day * (d - config.deadband)
    return -(-per_day * seconds // (WAD * DAY))


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
        ("base_haircut", "baseHaircut", 0, CONFIG.max_haircut),
        ("discount_slope", "discountSlope", 0, 10 * WAD),
        ("stress_slope", "stressSlope", 0, 10 * WAD),
    ],
)
def test_configure__parameter__accepted_at_and_refused_beyond_its_bounds(
    calls, monitor, governor, field, parameter, minimum, maximum
):
    def attempt(number):
        config = replace(CONFIG, **{field: number})
        if field == "max_haircut":
            config = replace(config, base_haircut=0)
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


def test_configure__rate_source_without_code__reverts(calls, monitor, governor, stranger):
    struct = as_struct(CONFIG, stranger.address)
    error = outcome(lambda: calls.call(monitor, "configure", LST, struct, sender=governor))
    assert error == ("PegMonitor_NotAContract", stranger.address.lower())


@pytest.mark.parametrize("position", [0, 1])
def test_configure__price_unknown_to_the_oracle__reverts(calls, monitor, governor, position):
    struct = list(as_struct(CONFIG))
    struct[position] = b"NONE".ljust(32, b"\0")
    error = outcome(lambda: calls.call(monitor, "configure", LST, tuple(struct), sender=governor))
    assert error == ("OracleAggregator_UnknownAsset", b"NONE".ljust(32, b"\0"))


def test_configure__valid__is_read_back_and_poked(calls, monitor, configured, chain):
    receipt = configured()
    assert calls.call(monitor, "pegConfig", LST) == as_struct(CONFIG)
    now = chain.blocks.head.timestamp
    assert calls.call(monitor, "pegState", LST) == (WAD, WAD, 0, now, VALID)
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
    initial, maintenance, market, haircut, discount, _ = value()
    assert (discount, haircut) == (0, WAD // 20)
    assert initial == maintenance == 1_900 * WAD
    assert market == 2_200 * WAD


def test_valuation__discount_not_whole__rounds_up(value, configured, words, monitor, chain):
    # A third of the fair rate: the discount is two thirds, and a bit.
    configured()
    now = chain.blocks.head.timestamp
    state = PegState(3 * WAD, WAD, 0, now, PriceStatus.VALID)
    assert value({monitor.address: words.state(state)})[4] == 2 * WAD // 3 + 1


def test_valuation__quotients_not_whole__round_down(
    value, configured, words, monitor, eth_source, chain
):
    configured(base_haircut=0, discount_slope=0, stress_slope=0)
    now = chain.blocks.head.timestamp
    state = PegState(WAD - 1, WAD - 1, WAD // 2, now, PriceStatus.VALID)
    overrides = {monitor.address: words.state(state), eth_source.address: {2: 1}}
    assert value(overrides)[:3] == (0, 0, 0)
    overrides[eth_source.address] = {2: 2}
    assert value(overrides)[:3] == (1, 1, 1)


def test_valuation__haircut_products_not_whole__round_up(value, configured, words, monitor, chain):
    configured(base_haircut=0, discount_slope=1, stress_slope=1, deadband=WAD - 1)
    now = chain.blocks.head.timestamp
    state = PegState(WAD, WAD - 1, 1, now, PriceStatus.VALID)
    assert value({monitor.address: words.state(state)})[3] == 2


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
    configured(decay_period=HOUR + 1, max_age=DAY)
    prices(ratio=WAD * 9 // 10)
    poke()
    poke(after=HOUR)
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
    initial, maintenance, market, haircut, _, _ = value()
    assert haircut == CONFIG.max_haircut
    assert initial == maintenance == market // 2


def test_poke__twice_in_a_block__stress_unchanged(calls, monitor, configured, prices, poke, words):
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
    initial, maintenance, market, haircut, discount, status = value()
    assert (initial, market, discount, status) == (0, 0, WAD, STALE)
    assert haircut == CONFIG.max_haircut
    assert maintenance == 1_000 * WAD
    assert stress() == 0


def test_poke__market_stale__keeps_the_last_ratio_and_says_so(
    configured, prices, poke, value, ratio_source, governor, stress
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    ratio_source.setMode(1, 0, sender=governor)
    poke(after=60)
    assert value()[4:] == (WAD // 10, STALE)
    poke(after=600)
    assert stress() > elapsed_stress(WAD // 10, 600)


def test_valuation__underlying_stale__says_so(configured, value, eth_source, governor):
    configured()
    eth_source.setMode(1, 0, sender=governor)
    assert value()[5] == STALE


def test_poke__rate_above_64_bits__reverts(calls, monitor, configured, lst):
    configured(rate_source=lst.address)
    fits = {lst.address: {SUPPLY: WAD, POOLED: 2**64 - 1}}
    assert calls.call(monitor, "poke", LST, overrides=fits)[0] == 2**64 - 1
    over = {lst.address: {SUPPLY: WAD, POOLED: 2**64}}
    error = outcome(lambda: calls.call(monitor, "poke", LST, overrides=over))
    assert error == ("PegMonitor_RateOutOfRange", LST, 2**64)


def test_poke__market_above_64_bits__saturates(calls, monitor, configured, prices):
    configured()
    prices(ratio=2**100)
    assert calls.call(monitor, "poke", LST)[1] == 2**64 - 1


def test_poke__rate_zero__worthless_without_revert(
    calls, monitor, configured, lst, value, chain, poke
):
    configured(rate_source=lst.address)
    chain.mine(deltatime=2 * HOUR)
    overrides = {lst.address: {SUPPLY: WAD, POOLED: 0}}
    initial, maintenance, _, _, discount, _ = value(overrides)
    assert (initial, maintenance, discount) == (0, 0, 0)


def test_poke__slashed_token__fair_rate_falls(
    configured, lst, alice, operator, poke, calls, monitor, bob
):
    lst.deposit(100 * WAD, alice, sender=alice)
    configured(rate_source=lst.address)
    lst.slash(10 * WAD, bob, sender=operator)
    poke()
    fair, market, *_ = calls.call(monitor, "pegState", LST)
    assert (fair, market) == (WAD * 9 // 10, WAD)


# --- haircut and valuations


def test_valuation__at_peg__base_haircut(configured, value):
    configured()
    assert value() == (1_900 * WAD, 1_900 * WAD, 2_000 * WAD, WAD // 20, 0, VALID)


def test_valuation__discount_without_stress__initial_at_market_maintenance_at_fair(
    configured, prices, poke, value
):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    initial, maintenance, market, haircut, discount, _ = value()
    assert (market, discount, haircut) == (1_800 * WAD, WAD // 10, WAD // 10)
    assert (initial, maintenance) == (1_620 * WAD, 1_800 * WAD)


def test_valuation__fresh_state__ignores_a_newer_market(configured, prices, value, chain):
    configured()
    prices(ratio=WAD // 2)
    assert value()[4] == 0
    chain.mine(deltatime=HOUR)
    assert value()[4] == WAD // 2


def test_valuation__fresh_state__carries_stress_forward(configured, prices, poke, value, chain):
    configured()
    prices(ratio=WAD * 9 // 10)
    poke()
    chain.mine(deltatime=HOUR)
    stress = elapsed_stress(WAD // 10, HOUR)
    expected = CONFIG.base_haircut + WAD // 20 + -(-CONFIG.stress_slope * stress // WAD)
    assert value()[3] == expected


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
    assert before[4:] == after[4:]
    assert 0 <= after[3] - before[3] <= elapsed_stress(WAD // 10, 1) // 4 + 1


def test_poke__warm__gas(configured, poke, chain):
    configured()
    poke(after=10)
    receipt = poke(after=10)
    print("poke:", receipt.gas_used)
    assert receipt.gas_used < 110_000


# --- against the model

rates = st.integers(0, 2 * WAD) | st.integers(WAD * 9 // 10, WAD * 11 // 10) | st.just(2**64 - 1)
fractions = st.integers(0, WAD) | st.integers(0, WAD // 100)
configs = st.builds(
    PegConfig,
    underlying=st.just("ETH"),
    market_ratio=st.just("LST/ETH"),
    rate_source=st.just("lst"),
    max_age=st.sampled_from([1, 60, HOUR, DAY]),
    deadband=fractions.filter(lambda f: f < WAD),
    stress_per_day=st.integers(0, 10 * WAD),
    decay_period=st.integers(HOUR, 365 * DAY),
    base_haircut=st.integers(0, WAD // 10),
    discount_slope=st.integers(0, 10 * WAD) | st.integers(0, WAD),
    stress_slope=st.integers(0, 10 * WAD) | st.integers(0, WAD),
    max_haircut=st.integers(WAD // 10, WAD - 1),
)
statuses = st.sampled_from(PriceStatus)
market_prices = rates | st.integers(0, 2**127)
silences = st.integers(0, 120) | st.integers(0, 30 * DAY)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    config=configs,
    fair=rates,
    last=st.tuples(rates, rates, fractions, silences, statuses),
    ratio=market_prices,
    eth=st.integers(0, 2**127) | st.integers(WAD, 5_000 * WAD),
)
def test_poke_and_valuation__any_state__equal_the_model(
    config, fair, last, ratio, eth, calls, monitor, lst, words, eth_source, ratio_source, chain
):
    now = chain.blocks.head.timestamp
    state = PegState(*last[:3], now - last[3], last[4])
    overrides = {
        monitor.address: words.config(config) | words.state(state),
        lst.address: {SUPPLY: WAD, POOLED: fair},
        eth_source.address: {2: eth, 4: now},
        ratio_source.address: {2: ratio, 4: now},
    }
    feeds = {"eth": FixedSource(eth, 0, now), "ratio": FixedSource(ratio, 0, now)}
    oracle = OracleAggregator(feeds)
    for asset, feed in (("ETH", "eth"), ("LST/ETH", "ratio")):
        oracle.configure(asset, AssetConfig(7 * DAY, 0, 1, WAD), [ModelSource(feed, 1)])
    twin = PegMonitor(oracle, {"lst": lambda: fair}, {"LST": config}, {"LST": state})

    valued = outcome(lambda: calls.call(monitor, "valuation", LST, overrides=overrides))
    expected = outcome(lambda: astuple(twin.valuation("LST", now)))
    assert valued == expected
    poked = outcome(lambda: calls.call(monitor, "poke", LST, overrides=overrides))
    assert poked == outcome(lambda: astuple(twin.poke("LST", now)))


@settings(max_examples=300, deadline=None)
@given(config=configs, d=fractions, more_d=fractions, s=fractions, more_s=fractions)
def test_haircut__any_state__monotone_and_capped(config, d, more_d, s, more_s):
    """PEG-1."""
    low = peg.haircut(config, d, s)
    high = peg.haircut(config, min(WAD, d + more_d), min(WAD, s + more_s))
    assert config.base_haircut <= low <= high <= config.max_haircut


@settings(max_examples=300, deadline=None)
@given(config=configs, s=fractions, d=fractions, cuts=st.lists(silences, min_size=1, max_size=6))
def test_advance__constant_discount__independent_of_pokes(config, s, d, cuts):
    """Within one wei for each rounding."""
    whole = peg.advance(config, s, d, d, sum(cuts))
    pieces = s
    for cut in cuts:
        pieces = peg.advance(config, pieces, d, d, cut)
    assert abs(whole - pieces) <= 2 * len(cuts) + 2


@settings(max_examples=300, deadline=None)
@given(config=configs, s=fractions, wick=fractions, calm=fractions, silence=silences)
def test_advance__discount_at_one_end_only__charged_for_max_age_at_most(
    config, s, wick, calm, silence
):
    calm = min(calm, config.deadband)
    gain = config.stress_per_day * max(0, wick - config.deadband) * config.max_age
    assert peg.advance(config, s, wick, calm, silence) <= s + -(-gain // (WAD * DAY))
    assert peg.advance(config, s, calm, wick, silence) <= s


@settings(max_examples=300, deadline=None)
@given(
    config=configs,
    fair=rates,
    market=rates,
    s=fractions,
    eth=st.integers(0, 2**127),
)
def test_valuation__any_state__initial_below_maintenance_below_fair(config, fair, market, s, eth):
    state = PegState(fair, market, 0, 0, PriceStatus.VALID)
    value = peg.valuation_at(config, state, s, PriceData(eth, 0, 0, PriceStatus.VALID))
    assert value.initial_price <= value.maintenance_price <= fair * eth // WAD
    if s == WAD:
        assert value.initial_price == value.maintenance_price
