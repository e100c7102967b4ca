"""Accounts with results booked on them, as the exchange would."""

from __future__ import annotations

import pytest

WAD = 10**18


@pytest.fixture
def owe(world):
    """Put an account into debt, by a loss beyond what it holds."""

    def _owe(who: str, debt: int) -> None:
        held = world.ledger(who).cash
        world.settle(who, -(debt + held))
        assert world.ledger(who).cash == -debt

    return _owe


@pytest.fixture
def lose(world):
    """Bring cash into the pool: a third person's realised loss."""

    def _lose(amount: int) -> None:
        world.deposit("dave", -(-amount // 10**12))
        world.settle("dave", -amount)

    return _lose
