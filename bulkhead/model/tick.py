"""Twin of ``TickPrice`` and of the Uniswap v3 TWAP adapter's averages."""

from __future__ import annotations

from collections.abc import Mapping

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX, div_floor, mul_div_down

MAX_TICK = 887_272

# 2^128 / sqrt(1.0001)^(2^i), as in Uniswap's TickMath.
_FACTORS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)


class InvalidTick(ModelRevert):
    """``(tick)``: beyond ±887272."""


class UniswapV3TwapAdapter_LiquidityTooLow(ModelRevert):  # noqa: N801
    """``(liquidity, minLiquidity)``."""


class UniswapV3TwapAdapter_HistoryTooShort(ModelRevert):  # noqa: N801
    """``(historySeconds, windowSeconds)``."""


def sqrt_price_at_tick(tick: int) -> int:
    """Return √1.0001^tick in Q64.96, as Uniswap's TickMath rounds it.

    Raises:
        InvalidTick: beyond ±887272.
    """
    if abs(tick) > MAX_TICK:
        raise InvalidTick(tick)
    price = 1 << 128
    for i, factor in enumerate(_FACTORS):
        if abs(tick) >> i & 1:
            price = price * factor >> 128
    if tick > 0:
        price = UINT256_MAX // price
    return (price + 2**32 - 1) >> 32


def price_at_tick(tick: int, base_is_token0: bool, multiplier: int) -> int:
    """Return the WAD price of the base at a tick, rounded down.

    ``multiplier`` is 10^(18 + base decimals − quote decimals).

    Raises:
        InvalidTick: beyond ±887272.
    """
    root = sqrt_price_at_tick(tick)
    if root < 1 << 128:
        ratio, one = root * root, 1 << 192
    else:
        ratio, one = mul_div_down(root, root, 1 << 64), 1 << 128
    if base_is_token0:
        return mul_div_down(ratio, multiplier, one)
    return mul_div_down(one, multiplier, ratio)


def mean_tick(tick_seconds: int, window_seconds: int) -> int:
    """Return the arithmetic mean tick, rounded towards −∞."""
    return div_floor(tick_seconds, window_seconds)


def mean_liquidity(seconds_per_liquidity_x128: int, window_seconds: int) -> int:
    """Return the harmonic mean liquidity, rounded down."""
    return mul_div_down(window_seconds, 1 << 128, seconds_per_liquidity_x128)


def history_seconds(now: int, index: int, cardinality: int, observations: Mapping[int, int]) -> int:
    """Return the age of a pool's oldest observation, on the pool's clock of 32 bits.

    Args:
        now: Unix seconds.
        index: place of the newest observation.
        cardinality: observations kept.
        observations: Unix seconds by place, of those that were written.
    """
    following = (index + 1) % cardinality
    oldest = observations[following] if following in observations else observations[0]
    return (now - oldest) % 2**32


def require_history(history: int, window_seconds: int) -> None:
    """Refuse a history shorter than the window.

    Raises:
        UniswapV3TwapAdapter_HistoryTooShort: it is.
    """
    if history < window_seconds:
        raise UniswapV3TwapAdapter_HistoryTooShort(history, window_seconds)
