"""A tick's price against 1.0001^tick at 200 digits."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from eth_utils.crypto import keccak

WAD = 10**18
MAX_TICK = 887_272
CONTEXT = Context(prec=200)
INVALID_TICK = "0x" + keccak(text="InvalidTick(int24)")[:4].hex()


def exact(tick: int, multiplier: int) -> Decimal:
    return CONTEXT.multiply(CONTEXT.power(Decimal("1.0001"), tick), Decimal(multiplier))


@pytest.mark.parametrize("multiplier", [10**6, WAD, 10**30, 10**36])
@pytest.mark.parametrize("tick", [0, 1, -1, 69_081, -69_081, 276_324, -276_324, 443_636, 443_637])
def test_price_at_tick__either_side__is_the_power_within_the_roots_precision(
    harness, tick, multiplier
):
    for is_token0, sign in ((True, 1), (False, -1)):
        price = harness.call("priceAtTick", tick, is_token0, multiplier)
        expected = exact(sign * tick, multiplier)
        # The Q64.96 root is exact to one part in 2^32 at worst, at the far end to many more digits.
        tolerance = max(Decimal(1), expected / 10**9 if abs(tick) > 400_000 else expected / 10**18)
        assert abs(Decimal(price) - expected) <= tolerance


def test_price_at_tick__zero__is_one(harness):
    for is_token0 in (True, False):
        assert harness.call("priceAtTick", 0, is_token0, WAD) == WAD


@pytest.mark.parametrize("tick", [MAX_TICK, -MAX_TICK])
def test_price_at_tick__ends_of_the_range__do_not_overflow(harness, tick):
    for is_token0 in (True, False):
        sign = 1 if is_token0 else -1
        price = harness.call("priceAtTick", tick, is_token0, 10**36)
        expected = exact(sign * tick, 10**36)
        assert abs(Decimal(price) - expected) <= max(Decimal(1), expected / 10**9)


def test_price_at_tick__beyond_the_range__refused(harness, refuses):
    for tick in (MAX_TICK + 1, -MAX_TICK - 1):
        with refuses(INVALID_TICK):
            harness.call("priceAtTick", tick, True, WAD)
