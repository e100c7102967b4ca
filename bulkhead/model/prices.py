"""Twin of ``types/Price.sol`` and of ``DerivedPrice``: prices, and prices made of other prices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bulkhead.model.math import WAD, mul_div_down, mul_div_up

MAX_PRICE = 2**96 - 1


class PriceStatus(IntEnum):
    """How far an aggregate can be trusted; a smaller value is a worse price."""

    STALE = 0
    UNCONFIRMED = 1
    DEGRADED = 2
    VALID = 3


@dataclass(frozen=True, slots=True)
class PriceData:
    """One aggregate: WAD price, WAD half-width of its uncertainty, Unix seconds, status."""

    price: int = 0
    confidence: int = 0
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
    price, status = _bounded(part.status, WAD, WAD, part.price)
    confidence = _share(price, part)
    return PriceData(price, confidence, part.published_at, part.recorded_at, status)


def combine(operation: Operation, left: PriceData, right: PriceData) -> PriceData:
    """Return the product or quotient, rounded down; as old and as good as the worse part.

    Relative confidences add up.
    """
    y, d = (right.price, WAD) if operation == Operation.PRODUCT else (WAD, right.price)
    price, status = _bounded(min(left.status, right.status), left.price, y, d)
    return PriceData(
        price,
        _share(price, left) + _share(price, right),
        min(left.published_at, right.published_at),
        min(left.recorded_at, right.recorded_at),
        status,
    )


def _bounded(status: PriceStatus, x: int, y: int, d: int) -> tuple[int, PriceStatus]:
    price = mul_div_down(x, y, d) if d else 0
    return min(price, MAX_PRICE), status if 0 < price <= MAX_PRICE else PriceStatus.STALE


def _share(price: int, part: PriceData) -> int:
    """Return what a part's relative confidence is of a price, rounded up."""
    return mul_div_up(price, part.confidence, part.price) if part.price else 0
