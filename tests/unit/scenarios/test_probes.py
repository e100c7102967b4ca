"""LIQ-1 as a scenario asks it: who must be open to liquidation, and when nobody need be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bulkhead.agents.view import AccountState, MarketView, PositionState, Transaction
from bulkhead.scenarios.invariants import InvariantLog
from bulkhead.scenarios.probes import check_liquidatable
from tests.unit.agents.conftest import account, view  # noqa: F401

WAD = 10**18
OWNER, KEEPER = (f"0x{i:040x}" for i in (0xA1, 0xB2))
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)


class Answering:
    """A world in which every call ends with the same error, or works."""

    def __init__(self, error: str | None) -> None:
        self.error = error

    def simulate(self, transactions: Sequence[Transaction]) -> list[str | None]:
        return [self.error for _ in transactions]


@pytest.fixture
def broken(view: MarketView, account: Callable[..., AccountState]) -> Callable[..., bool]:  # noqa: F811
    """Whether LIQ-1 is said to be broken of an unhealthy account, or a healthy one."""

    def _broken(
        error: str | None,
        *,
        is_healthy: bool = False,
        market_status: int = VALID,
        collateral_status: int = VALID,
        held: tuple[int, ...] = (WAD, 0, 0),
        tier: int = 0,
    ) -> bool:
        equity = 100 * WAD if is_healthy else -WAD
        someone = account(
            OWNER,
            cash=-10 * WAD,
            collateral_tokens=held,
            positions=(PositionState(0, WAD, 3_000 * WAD, 0),),
            equity_maintenance=equity,
            maintenance_margin=WAD,
        )
        c = view.compartment
        markets = (replace(c.markets[0], status=market_status), *c.markets[1:])
        collaterals = (replace(c.collaterals[0], status=collateral_status), *c.collaterals[1:])
        changed = replace(
            view,
            compartment=replace(c, markets=markets, collaterals=collaterals, tier=tier),
            accounts={someone.account: someone},
        )
        log = InvariantLog()
        world: Any = Answering(error)
        check_liquidatable(log, 1, world, changed, KEEPER)
        return bool(log.violations)

    return _broken


def test_liquidatable__unhealthy_and_no_path__is_broken(broken: Callable[..., bool]) -> None:
    assert broken("LiquidationEngine_Healthy")
    assert not broken(None)


def test_liquidatable__healthy_and_a_path__is_broken(broken: Callable[..., bool]) -> None:
    assert broken(None, is_healthy=True)
    assert not broken("LiquidationEngine_Healthy", is_healthy=True)


@pytest.mark.parametrize("status", [STALE, UNCONFIRMED])
def test_liquidatable__doubtful_price__nobody_need_be(
    broken: Callable[..., bool], status: int
) -> None:
    error = "ActionPolicy_PriceStatus"
    assert not broken(error, market_status=status)
    assert not broken(error, collateral_status=status)
    assert broken(error, collateral_status=status, held=(0, WAD, 0)), "of what she does not hold"


def test_liquidatable__degraded_price__excuses_nothing(broken: Callable[..., bool]) -> None:
    assert broken("ActionPolicy_PriceStatus", market_status=DEGRADED)
    assert broken("ActionPolicy_PriceStatus", collateral_status=DEGRADED)


def test_liquidatable__halt__nobody_need_be(broken: Callable[..., bool]) -> None:
    assert not broken("CircuitBreaker_Blocked", tier=4)
    assert broken("CircuitBreaker_Blocked", tier=3)


@pytest.mark.parametrize("status", [STALE, UNCONFIRMED])
def test_liquidatable__healthy_and_a_path_at_a_doubtful_price__is_broken(
    broken: Callable[..., bool], status: int
) -> None:
    assert broken(None, is_healthy=True, market_status=status, collateral_status=status)
