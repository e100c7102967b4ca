"""Twin of ``types/Price.sol`` and of ``DerivedPrice``: prices, and prices made of other prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from bulkhead.model.math import WAD, mul_div_down

MAX_PRICE = 2**127 - 1


class PriceStatus(IntEnum):
    """How far an aggregate can be trusted; a smaller value is a worse price."""

    STALE = 0
    UNCONFIRMED = 1
    DEGRADED = 2
    VALID = 3


@dataclass(frozen=True, slots=True)
class PriceData:
    """One aggregate: WAD price, Unix seconds, status."""

    price: int = 0
    published_at: int = 0
    recorded_at: int = 0
    status: PriceStatus = PriceStatus.STALE


class Operation(IntEnum):
    """How a derived price comes from its parts."""

    INVERSE = 0
    PRODUCT = 1
    QUOTIENT = 2


@dataclass(frozen=True, slots=True)
class Derivation:
    """Parts and operation; an inverse has no right part."""

    left: str = ""
    right: str = ""
    operation: Operation = Operation.INVERSE


def invert(part: PriceData) -> PriceData:
    """Return 1 / part, rounded down; stale if that is no price."""
    return _bounded(part, WAD, WAD, part.price)


def combine(operation: Operation, left: PriceData, right: PriceData) -> PriceData:
    """Return the product or quotient, rounded down; as old and as good as the worse part."""
    data = PriceData(
        0,
        min(left.published_at, right.published_at),
        min(left.recorded_at, right.recorded_at),
        min(left.status, right.status),
    )
    if operation == Operation.PRODUCT:
        return _bounded(data, left.price, right.price, WAD)
    return _bounded(data, left.price, WAD, right.price)


def _bounded(data: PriceData, x: int, y: int, d: int) -> PriceData:
    price = mul_div_down(x, y, d) if d else 0
    status = data.status if 0 < price <= MAX_PRICE else PriceStatus.STALE
    return replace(data, price=min(price, MAX_PRICE), status=status)
