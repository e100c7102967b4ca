"""Prices of pools go to roots and back, whichever token comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.agents.view import PoolState, account_id

LOW, HIGH = "0x" + "01" * 20, "0x" + "fe" * 20


@pytest.mark.parametrize(("base", "quote"), [(LOW, HIGH), (HIGH, LOW)])
@pytest.mark.parametrize("price", [0.87, 1.0, 3_000.0, 1e-6])
@pytest.mark.parametrize("decimals", [(18, 18), (18, 6), (8, 6)])
def test_pool__sqrt_price_at__is_the_inverse_of_price(
    base: str, quote: str, price: float, decimals: tuple[int, int]
) -> None:
    pool = PoolState(base, quote, *decimals, 500, 0)
    moved = replace(pool, sqrt_price_x96=pool.sqrt_price_at(price))
    assert moved.price == pytest.approx(price, rel=1e-6)


def test_account_id__is_owner_and_number() -> None:
    assert account_id(LOW, 5) == bytes.fromhex("01" * 20) + (5).to_bytes(12, "big")
