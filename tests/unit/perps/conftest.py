"""Traders with margin, and the pool's curve written out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

WAD = 10**18


def ceil_div(n: int, d: int) -> int:
    return -(-n // d)


@dataclass(frozen=True)
class Curve:
    """Prices and costs of one market at one index price; all WAD."""

    index: int
    scale: int

    def mark(self, skew: int) -> int:
        return self.index * (self.scale + skew) // self.scale

    def price(self, skew: int, size_delta: int) -> int:
        numerator = self.index * (2 * (self.scale + skew) + size_delta)
        if size_delta > 0:
            return ceil_div(numerator, 2 * self.scale)
        return numerator // (2 * self.scale)

    def cost(self, skew: int, size_delta: int) -> int:
        return ceil_div(size_delta * self.price(skew, size_delta), WAD)

    def close_out(self, skew: int, quote: int) -> int:
        """U_m while no funding has accrued: all positions closed on the curve, rounded up."""
        return ceil_div(skew * (2 * self.scale + skew) * self.index, 2 * self.scale * WAD) - quote


@pytest.fixture
def curve(world):
    """The curve of a market as it is now."""

    def _curve(market=0):
        return Curve(world.index(market), world.risk.call("marketTrading", market).skewScale)

    return _curve


@pytest.fixture
def fund(world):
    """Give accounts margin, in whole settlement units."""

    def _fund(*people, units=3_000_000):
        for who in people:
            world.deposit(who, units * 10**6)

    return _fund


@pytest.fixture
def fee_of(world):
    """A trade's fee, rounded up."""

    def _fee_of(notional, market=0):
        return ceil_div(notional * world.risk.call("marketTrading", market).takerFee, WAD)

    return _fee_of
