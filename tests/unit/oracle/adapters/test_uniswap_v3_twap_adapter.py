"""A pool's TWAP as a price source: a scripted pool for the extremes, a real one for the truth."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome
from bulkhead.model.tick import (
    MAX_TICK,
    history_seconds,
    mean_liquidity,
    mean_tick,
    price_at_tick,
    require_history,
)
from tests.unit.oracle.conftest import DEFAULTS, as_tuple

WAD = 10**18
VALID = 3
WINDOW = 600
MIN_LIQUIDITY = 1_000
MIN_CARDINALITY = 30
NOBODY = "0x" + "00" * 20

PER_EXAMPLE = settings(max_examples=120, deadline=None)


def pool_word(tick_seconds: int, seconds_per_liquidity_x128: int) -> int:
    """The scripted pool's only slot."""
    return tick_seconds % 2**56 | seconds_per_liquidity_x128 << 56


# Seconds per liquidity of a window at exactly the minimum liquidity.
AT_THE_BOUND = (WINDOW << 128) // MIN_LIQUIDITY


@pytest.fixture(scope="module")
def scripted_pool(project, governor, tokens):
    return governor.deploy(project.FixedTickPool, *tokens)


@pytest.fixture(scope="module")
def adapters(project, governor, scripted_pool, tokens):
    """Adapters by base token: SIX (token0) and ETN (token1)."""
    return [
        governor.deploy(
            project.UniswapV3TwapAdapter,
            scripted_pool,
            base,
            WINDOW,
            MIN_LIQUIDITY,
            MIN_CARDINALITY,
        )
        for base in tokens
    ]


@pytest.fixture
def read(calls, scripted_pool, adapters):
    """What an adapter answers over a scripted history."""

    def _read(base, tick_seconds, seconds_per_liquidity_x128=AT_THE_BOUND):
        word = pool_word(tick_seconds, seconds_per_liquidity_x128)
        return outcome(
            lambda: calls.call(
                adapters[base], "latest", overrides={scripted_pool.address: {0: word}}
            )
        )

    return _read


@pytest.fixture
def deploy_error(project, calls, scripted_pool, tokens):
    """How the constructor reverts with one argument replaced."""

    def _deploy_error(**replaced):
        arguments = {
            "pool": scripted_pool,
            "base": tokens[0],
            "window": WINDOW,
            "liquidity": MIN_LIQUIDITY,
            "cardinality": MIN_CARDINALITY,
        }
        arguments |= replaced
        return outcome(lambda: calls.deploy(project.UniswapV3TwapAdapter, *arguments.values()))

    return _deploy_error


def test_deploy__pool_without_code__reverts(deploy_error, stranger):
    expected = ("UniswapV3TwapAdapter_NotAContract", stranger.address.lower())
    assert deploy_error(pool=stranger) == expected


def test_deploy__zero_window__reverts(deploy_error):
    assert deploy_error(window=0) == ("UniswapV3TwapAdapter_ZeroWindow",)


@pytest.mark.parametrize("bound", [0, 1])
def test_deploy__liquidity_bound_that_an_empty_pool_meets__reverts(deploy_error, bound):
    assert deploy_error(liquidity=bound) == ("UniswapV3TwapAdapter_LiquidityBound", bound, 2)


def test_deploy__base_not_in_pool__reverts(deploy_error, stranger, tokens):
    addresses = [token.address.lower() for token in tokens]
    expected = ("UniswapV3TwapAdapter_NotInPool", stranger.address.lower(), *addresses)
    assert deploy_error(base=stranger) == expected


@pytest.mark.parametrize("position", [0, 1])
def test_deploy__more_than_18_decimals__reverts(project, governor, deploy_error, tokens, position):
    fine = governor.deploy(project.DevToken, "Nineteen", "NIN", 19)
    pair = [tokens[0], tokens[0]]
    pair[position] = fine
    pool = governor.deploy(project.FixedTickPool, *pair)
    expected = ("UniswapV3TwapAdapter_UnsupportedDecimals", fine.address.lower(), 19, 18)
    assert deploy_error(pool=pool, base=pair[0]) == expected


def test_deploy__valid__shows_its_parameters(calls, adapters, scripted_pool, tokens):
    for adapter, base, quote in zip(adapters, tokens, reversed(tokens), strict=True):
        assert calls.call(adapter, "pool") == scripted_pool.address.lower()
        assert calls.call(adapter, "baseToken") == base.address.lower()
        assert calls.call(adapter, "quoteToken") == quote.address.lower()
        assert calls.call(adapter, "windowSeconds") == WINDOW
        assert calls.call(adapter, "minLiquidity") == MIN_LIQUIDITY
        assert calls.call(adapter, "minCardinality") == MIN_CARDINALITY


@pytest.mark.parametrize("bound", [0, 1])
def test_deploy__cardinality_bound_that_every_pool_meets__reverts(deploy_error, bound):
    expected = ("UniswapV3TwapAdapter_CardinalityBound", bound, 2)
    assert deploy_error(cardinality=bound) == expected


def ring_word(index, cardinality, oldest, first, is_full) -> int:
    """The scripted pool's second slot."""
    return index | cardinality << 16 | oldest << 32 | first << 64 | is_full << 96


@pytest.mark.parametrize("cardinality", [1, MIN_CARDINALITY - 1])
def test_deploy__pool_forgets_too_soon__reverts(
    deploy_error, project, governor, tokens, cardinality
):
    pool = governor.deploy(project.FixedTickPool, *tokens)
    pool.setRing((0, cardinality, 0, 0, True), sender=governor)
    expected = ("UniswapV3TwapAdapter_CardinalityTooLow", cardinality, MIN_CARDINALITY)
    assert deploy_error(pool=pool) == expected


@pytest.fixture
def read_ring(calls, scripted_pool, adapters):
    """What the adapter answers over a scripted ring of observations."""

    def _read_ring(*ring):
        slots = {0: pool_word(0, AT_THE_BOUND), 1: ring_word(*ring)}
        overrides = {scripted_pool.address: slots}
        history = outcome(lambda: calls.call(adapters[0], "historySeconds", overrides=overrides))
        return history, outcome(lambda: calls.call(adapters[0], "latest", overrides=overrides))

    return _read_ring


def test_latest__oldest_observation_as_old_as_the_window__answers(read_ring, chain):
    now = chain.blocks.head.timestamp
    history, answer = read_ring(3, 50, now - WINDOW, now, True)
    assert (history, len(answer)) == (WINDOW, 3)


def test_latest__oldest_observation_younger_than_the_window__reverts_with_both(read_ring, chain):
    now = chain.blocks.head.timestamp
    history, answer = read_ring(3, 50, now - WINDOW + 1, 0, True)
    assert history == WINDOW - 1
    assert answer == ("UniswapV3TwapAdapter_HistoryTooShort", WINDOW - 1, WINDOW)


def test_latest__ring_never_full__first_observation_is_the_oldest(read_ring, chain):
    now = chain.blocks.head.timestamp
    assert read_ring(3, 50, 0, now - 5, False)[1][0] == "UniswapV3TwapAdapter_HistoryTooShort"
    assert len(read_ring(3, 50, 0, now - WINDOW, False)[1]) == 3


@PER_EXAMPLE
@given(
    index=st.integers(0, 49),
    cardinality=st.integers(1, 50),
    ages=st.tuples(*(st.integers(0, 2 * WINDOW) | st.integers(0, 2**32 - 1),) * 2),
    is_full=st.booleans(),
)
def test_latest__any_ring__equals_the_model(read_ring, chain, index, cardinality, ages, is_full):
    now = chain.blocks.head.timestamp
    index %= cardinality
    oldest, first = ((now - age) % 2**32 for age in ages)
    following = (index + 1) % cardinality
    written = {0: first} | ({following: oldest} if is_full else {})
    if following == 0 and not is_full:
        return  # The place that a pool writes first is never empty.
    history = history_seconds(now, index, cardinality, written)
    assert read_ring(index, cardinality, oldest, first, is_full)[0] == history
    expected = outcome(lambda: require_history(history, WINDOW))
    actual = read_ring(index, cardinality, oldest, first, is_full)[1]
    assert (actual == expected) if expected else (len(actual) == 3)


@pytest.mark.parametrize(
    ("tick_seconds", "tick"),
    [
        (0, 0),
        (1, 0),
        (WINDOW - 1, 0),
        (WINDOW, 1),
        (-1, -1),
        (-WINDOW, -1),
        (-WINDOW - 1, -2),
    ],
)
def test_latest__mean_tick_not_whole__rounds_towards_minus_infinity(read, tick_seconds, tick):
    assert read(1, tick_seconds)[0] == price_at_tick(tick, False, 10**30)


def test_latest__tick_zero__scales_by_decimals(read, chain):
    # One raw unit for one raw unit: 1.0 of SIX (6 decimals) is 10^-12 of ETN (18), and back.
    now = chain.blocks.head.timestamp
    assert read(0, 0) == (10**6, 0, now)
    assert read(1, 0) == (10**30, 0, now)


def test_latest__liquidity_at_the_bound__answers(read):
    assert mean_liquidity(AT_THE_BOUND, WINDOW) == MIN_LIQUIDITY
    assert len(read(0, 0)) == 3


def test_latest__liquidity_below_the_bound__reverts_with_both(read):
    # The mean is rounded down: a hair more seconds per liquidity is below the bound.
    expected = ("UniswapV3TwapAdapter_LiquidityTooLow", MIN_LIQUIDITY - 1, MIN_LIQUIDITY)
    assert read(0, 0, AT_THE_BOUND + 1) == expected


def test_latest__empty_pool__reverts(read):
    expected = ("UniswapV3TwapAdapter_LiquidityTooLow", 1, MIN_LIQUIDITY)
    assert read(0, 0, WINDOW << 128) == expected


def test_latest__nonsense_pool__reverts(read):
    assert read(0, 0, 0) == ("FullMulDivFailed",)
    assert read(0, (MAX_TICK + 1) * WINDOW)[0].startswith("0x")  # the tick library's own error


@PER_EXAMPLE
@given(tick_seconds=st.integers(-MAX_TICK * WINDOW, MAX_TICK * WINDOW), base=st.integers(0, 1))
@example(tick_seconds=MAX_TICK * WINDOW, base=0)
@example(tick_seconds=MAX_TICK * WINDOW, base=1)
@example(tick_seconds=-MAX_TICK * WINDOW, base=0)
@example(tick_seconds=-MAX_TICK * WINDOW, base=1)
@example(tick_seconds=443_635 * WINDOW, base=0)  # the root passes 2^128 around here
@example(tick_seconds=443_637 * WINDOW, base=1)
def test_latest__any_history__equals_the_model(read, chain, tick_seconds, base):
    multiplier = (10**6, 10**30)[base]
    price = price_at_tick(mean_tick(tick_seconds, WINDOW), base == 0, multiplier)
    assert read(base, tick_seconds) == (price, 0, chain.blocks.head.timestamp)


@settings(max_examples=200, deadline=None)
@given(tick=st.integers(-300_000, 300_000))
def test_price_at_tick__any_tick__close_to_the_power(tick):
    """The root's precision allows 2^-60 or so; rounding adds less than one unit, downwards."""
    with localcontext(prec=80):
        exact = Decimal("1.0001") ** tick
        up = Decimal(price_at_tick(tick, True, 10**36)).scaleb(-36)
        down = Decimal(price_at_tick(tick, False, 10**36)).scaleb(-36)
        assert abs(up / exact - 1) < Decimal("1e-12")
        assert abs(down * exact - 1) < Decimal("1e-12")


@pytest.fixture(scope="module")
def real_adapters(project, governor, real_pool, tokens):
    return [
        governor.deploy(
            project.UniswapV3TwapAdapter, real_pool, base, WINDOW, 10**12, MIN_CARDINALITY
        )
        for base in tokens
    ]


@pytest.fixture(scope="module", autouse=True)
def _deployed(adapters, real_adapters, aggregator):
    """Deploy before any test's own state, so that a test's rollback never reaches these."""


def test_latest__real_pool_younger_than_the_window__reverts(calls, real_adapters):
    history = calls.call(real_adapters[0], "historySeconds")
    expected = ("UniswapV3TwapAdapter_HistoryTooShort", history, WINDOW)
    assert outcome(lambda: calls.call(real_adapters[0], "latest")) == expected
    assert 0 < history < WINDOW


def test_latest__real_pool_at_the_window_exactly__answers(
    project, calls, governor, real_pool, tokens, chain
):
    """The adapter refuses just where the pool itself would, and not a second sooner."""
    # The pool had no liquidity at its birth: any bound but the smallest would refuse for that.
    arguments = (real_pool, tokens[0], WINDOW, 2, MIN_CARDINALITY)
    adapter = governor.deploy(project.UniswapV3TwapAdapter, *arguments)
    born = real_pool.observations(0).blockTimestamp
    chain.mine(timestamp=born + WINDOW - 1)
    assert calls.call(adapter, "historySeconds") == WINDOW - 1
    assert outcome(lambda: calls.call(adapter, "latest"))[1:] == (WINDOW - 1, WINDOW)
    assert outcome(lambda: calls.call(real_pool, "observe", [WINDOW, 0])) == ("Error", "OLD")
    chain.mine(timestamp=born + WINDOW)
    assert len(calls.call(adapter, "latest")) == 3


def test_deploy__real_pool_with_fewer_observations__reverts(
    project, calls, real_adapters, real_pool, tokens
):
    """The pool was told to keep 50 and has room for them; nobody gets more by asking."""
    arguments = (real_pool, tokens[0], WINDOW, 10**12)
    calls.deploy(project.UniswapV3TwapAdapter, *arguments, 50)
    error = outcome(lambda: calls.deploy(project.UniswapV3TwapAdapter, *arguments, 51))
    assert error == ("UniswapV3TwapAdapter_CardinalityTooLow", 50, 51)


def test_latest__history_pushed_out_of_a_real_pool__reverts_until_it_has_grown_again(
    calls, real_adapters, real_pool, tokens, swap, chain
):
    """Whoever swaps in every block for fifty blocks silences this source, and cannot move it."""
    chain.mine(deltatime=WINDOW + 1)
    before = calls.call(real_adapters[1], "latest")[0]
    for i in range(50):
        chain.pending_timestamp = chain.blocks.head.timestamp + 1
        # There and back by a few ticks: a pool writes an observation only when the tick moves.
        swap(*(tokens if i % 2 else tokens[::-1]), (WAD // 2, 10**9)[i % 2])
    name, history, window = outcome(lambda: calls.call(real_adapters[1], "latest"))
    assert (name, window) == ("UniswapV3TwapAdapter_HistoryTooShort", WINDOW)
    assert history == 49
    chain.mine(deltatime=WINDOW)
    after = calls.call(real_adapters[1], "latest")[0]
    assert abs(after - before) < before // 1_000


def test_latest__real_pool_undisturbed__its_price(calls, real_adapters, chain):
    chain.mine(deltatime=WINDOW + 1)
    six_in_etn = calls.call(real_adapters[0], "latest")[0]
    etn_in_six = calls.call(real_adapters[1], "latest")[0]
    # One tick is one basis point, and the mean tick is rounded down.
    assert abs(etn_in_six - 2_000 * WAD) < 2_000 * WAD // 9_000
    assert abs(six_in_etn - WAD // 2_000) < WAD // 2_000 // 9_000


def test_latest__real_pool_after_a_dump__moves_with_time_only(
    calls, real_adapters, real_pool, tokens, swap, chain
):
    chain.mine(deltatime=WINDOW + 1)
    before = calls.call(real_adapters[1], "latest")[0]
    swap(tokens[1], tokens[0], 100 * WAD)
    at_once = calls.call(real_adapters[1], "latest")[0]
    assert abs(at_once - before) < before // 1_000
    spot_tick = real_pool.slot0().tick
    spot = price_at_tick(spot_tick, False, 10**30)
    assert spot < before * 85 // 100
    chain.mine(deltatime=WINDOW // 2)
    halfway = calls.call(real_adapters[1], "latest")[0]
    assert spot < halfway < before
    chain.mine(deltatime=WINDOW)
    assert calls.call(real_adapters[1], "latest")[0] == spot


def test_latest__real_pool__equals_the_model_over_its_cumulatives(
    calls, real_adapters, real_pool, tokens, swap, chain
):
    chain.mine(deltatime=WINDOW + 1)
    for i in range(6):
        swap(*(tokens if i % 2 else tokens[::-1]), (10**9, 5 * WAD)[(i + 1) % 2])
        chain.mine(deltatime=37)
    ticks, seconds = calls.call(real_pool, "observe", [WINDOW, 0])
    tick = mean_tick(ticks[1] - ticks[0], WINDOW)
    assert calls.call(real_adapters[1], "latest")[0] == price_at_tick(tick, False, 10**30)
    assert calls.call(real_adapters[0], "latest")[0] == price_at_tick(tick, True, 10**6)
    liquidity = real_pool.liquidity()
    measured = mean_liquidity(seconds[1] - seconds[0], WINDOW)
    assert liquidity <= measured <= liquidity + liquidity // 10**6


def test_latest__gas(real_adapters, chain, governor):
    chain.mine(deltatime=WINDOW + 1)
    for name in ("latest", "historySeconds"):
        used = getattr(real_adapters[0], name).estimate_gas_cost(sender=governor) - 21_000
        print(f"UniswapV3TwapAdapter.{name}:", used)
        assert used < 60_000


def test_aggregate__twap_of_a_real_pool__fits_the_allowance(
    calls, aggregator, governor, real_adapters, real_pool, tokens, swap, chain
):
    """A read that searches a long history stays far below what the aggregator grants a source."""
    for i in range(12):
        swap(*(tokens if i % 2 else tokens[::-1]), (10**9, 5 * WAD)[(i + 1) % 2])
        chain.mine(deltatime=13 + WINDOW // 10)
    asset = b"ETN".ljust(32, b"\0")
    [adapter] = real_adapters[1:]
    rules = replace(
        DEFAULTS, max_staleness=WINDOW, max_cache_age=0, max_deviation=WAD, max_move=WAD
    )
    aggregator.configure(asset, as_tuple(rules), [(adapter.address, 10_000)], sender=governor)
    aggregator.record(asset, sender=governor)
    chain.mine(deltatime=5)
    receipt = aggregator.record(asset, sender=governor)
    assert calls.call(aggregator, "latest", asset)[4] == VALID
    print("record, one TWAP over 50 observations:", receipt.gas_used)
    assert receipt.gas_used < 120_000
