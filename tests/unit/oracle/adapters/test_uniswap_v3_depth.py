"""The virtual reserve of a pool: a scripted pool for the arithmetic, a real one for the meaning."""

from __future__ import annotations

from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome
from tests.unit.oracle.adapters.test_uniswap_v3_twap_adapter import pool_word

WAD = 10**18
WINDOW = 600
PER_EXAMPLE = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def scripted_pool(project, governor, tokens):
    return governor.deploy(project.FixedTickPool, *tokens)


@pytest.fixture(scope="module")
def sources(project, governor, scripted_pool, tokens):
    """By token: SIX (token0, 6 decimals) and ETN (token1, 18)."""
    return [
        governor.deploy(project.UniswapV3Depth, scripted_pool, token, WINDOW) for token in tokens
    ]


@pytest.fixture(scope="module")
def real_sources(project, governor, real_pool, tokens):
    return [governor.deploy(project.UniswapV3Depth, real_pool, token, WINDOW) for token in tokens]


@pytest.fixture(scope="module", autouse=True)
def _deployed(sources, real_sources):
    """Deploy before any test's own state, so that a test's rollback never reaches these."""


@pytest.fixture
def read(calls, scripted_pool, sources):
    def _read(token, tick_seconds, seconds_per_liquidity_x128):
        word = pool_word(tick_seconds, seconds_per_liquidity_x128)
        return outcome(
            lambda: calls.call(
                sources[token], "depth", overrides={scripted_pool.address: {0: word}}
            )
        )

    return _read


@pytest.fixture
def deploy_error(project, calls, scripted_pool, tokens):
    def _deploy_error(**replaced):
        arguments = {"pool": scripted_pool, "token": tokens[0], "window": WINDOW} | replaced
        return outcome(lambda: calls.deploy(project.UniswapV3Depth, *arguments.values()))

    return _deploy_error


def test_deploy__bad_argument__reverts(deploy_error, stranger, tokens):
    expected = ("UniswapV3Depth_NotAContract", stranger.address.lower())
    assert deploy_error(pool=stranger) == expected
    assert deploy_error(window=0) == ("UniswapV3Depth_ZeroWindow",)
    addresses = [token.address.lower() for token in tokens]
    expected = ("UniswapV3Depth_NotInPool", stranger.address.lower(), *addresses)
    assert deploy_error(token=stranger) == expected


def test_deploy__more_than_18_decimals__reverts(project, governor, deploy_error, tokens):
    fine = governor.deploy(project.DevToken, "Nineteen", "NIN", 19)
    pool = governor.deploy(project.FixedTickPool, fine, tokens[0])
    expected = ("UniswapV3Depth_UnsupportedDecimals", fine.address.lower(), 19, 18)
    assert deploy_error(pool=pool, token=fine) == expected


def test_depth__tick_zero__is_the_liquidity_in_units_of_each_token(read):
    per_liquidity = (WINDOW << 128) // 5_000_000
    # Five million raw units: 5.0 of SIX, and 5·10⁻¹² of ETN.
    assert read(0, 0, per_liquidity) == 5 * WAD
    assert read(1, 0, per_liquidity) == 5_000_000


@PER_EXAMPLE
@given(
    tick=st.integers(-200_000, 200_000),
    liquidity=st.integers(10**6, 10**24),
    token=st.integers(0, 1),
)
def test_depth__any_history__is_the_virtual_reserve(read, tick, liquidity, token):
    """Against exact arithmetic: x = L/√P and y = L·√P, but for the rounding of the root."""
    answer = read(token, tick * WINDOW, (WINDOW << 128) // liquidity)
    power = 10**60
    price = power
    base = 10001 if tick >= 0 else 10000
    over = 10000 if tick >= 0 else 10001
    numerator, denominator = base ** abs(tick), over ** abs(tick)
    root = isqrt(price * price * numerator // denominator)
    raw = liquidity * power // root if token == 0 else liquidity * root // power
    scale = 10**12 if token == 0 else 1
    # One raw unit of rounding and a relative 1e-9 of the library's root and of the mean liquidity.
    assert abs(answer - raw * scale) <= scale * (2 + raw // 10**6 + raw // liquidity)


def test_depth__real_pool__is_the_reserve_of_the_range_in_use(
    calls, real_sources, real_pool, chain
):
    chain.mine(timestamp=chain.blocks.head.timestamp + WINDOW)
    slot = real_pool.slot0()
    liquidity = real_pool.liquidity()
    root = slot.sqrtPriceX96
    for source, reserve, unit in (
        (real_sources[0], (liquidity << 96) // root, 10**12),
        (real_sources[1], liquidity * root >> 96, 1),
    ):
        measured = calls.call(source, "depth")
        # The mean tick is rounded down by less than one tick: half of 1.0001 in the root.
        assert abs(measured - reserve * unit) <= reserve * unit // 10_000 + unit


def test_depth__window_longer_than_the_pools_history__reverts(project, calls, governor, real_pool):
    ages = 30 * 86_400
    [token] = [real_pool.token0()]
    source = governor.deploy(project.UniswapV3Depth, real_pool, token, ages)
    assert outcome(lambda: calls.call(source, "depth")) == ("Error", "OLD")
