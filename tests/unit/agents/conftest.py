"""A moment of the chain, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bulkhead.agents.view import (
    WAD,
    AccountState,
    CollateralState,
    CompartmentState,
    MarketView,
    OutsidePrices,
    PegView,
    PerpState,
    PoolState,
    account_id,
)

LST, WETH, USDB, WBTC = (f"0x{i:040x}" for i in (0x11, 0x22, 0x33, 0x44))


def pool_at(base: str, quote: str, quote_decimals: int, price: float) -> PoolState:
    pool = PoolState(base, quote, 18, quote_decimals, 500, 1)
    return replace(pool, sqrt_price_x96=pool.sqrt_price_at(price))


@pytest.fixture
def view() -> MarketView:
    """Calm: ETH at 3,000, the LST at par, nobody in trouble."""
    markets = tuple(
        PerpState(i, 0, 0, price * WAD, 2, price * WAD, 0, 0)
        for i, price in enumerate((3_000, 60_000))
    )
    collaterals = (
        CollateralState(LST, 0, 0, 2_850 * WAD, 2_850 * WAD, 3_000 * WAD, 2),
        CollateralState(WBTC, 0, 0, 54_000 * WAD, 54_000 * WAD, 60_000 * WAD, 2),
        CollateralState(WETH, 0, 0, 2_760 * WAD, 2_760 * WAD, 3_000 * WAD, 2),
    )
    compartment = CompartmentState(
        principal=0,
        debt=0,
        accrued_debt=0,
        borrow_rate=0,
        claims=0,
        pool_cash=10**6 * WAD,
        insurance_cash=10**5 * WAD,
        fee_reserve=0,
        unrealized_positive=0,
        unrealized_net=0,
        haircut_ratio=WAD,
        tier=0,
        custody_tokens=0,
        custody_surplus=0,
        pool_shares=10**12,
        pool_to_enter=10**6 * WAD,
        pool_to_leave=10**6 * WAD,
        fund_shares=10**11,
        markets=markets,
        collaterals=collaterals,
    )
    return MarketView(
        step=20,
        timestamp=1_800_000_000,
        outside=OutsidePrices(3_000.0, 60_000.0, 1.0),
        compartment=compartment,
        accounts={},
        peg=PegView(WAD, WAD, 0, 0, 0, 2_850 * WAD, 2_850 * WAD, 3_000 * WAD),
        pools={
            "LST/WETH": pool_at(LST, WETH, 18, 1.0),
            "WETH/USDB": pool_at(WETH, USDB, 6, 3_000.0),
        },
        balances={},
    )


@pytest.fixture
def at_price(view: MarketView) -> Callable[[str, float], MarketView]:
    """The view with one pool at another price."""

    def _at_price(name: str, price: float) -> MarketView:
        pool = view.pools[name]
        moved = replace(pool, sqrt_price_x96=pool.sqrt_price_at(price))
        return replace(view, pools={**view.pools, name: moved})

    return _at_price


@pytest.fixture
def account() -> Callable[..., AccountState]:
    """An account of an owner; without changes it is empty and healthy."""

    def _account(owner: str, **changes: Any) -> AccountState:
        empty = AccountState(
            account_id(owner), owner, 0, 0, 0, 0, (0, 0, 0), (), 0, 0, 0, 0, 0, 0, True
        )
        changed = replace(empty, **changes)
        # No premium: what the index says is what the curve says.
        buffer = changed.equity_maintenance - changed.maintenance_margin
        return replace(changed, **{"buffer_at_index": buffer, **changes})

    return _account
