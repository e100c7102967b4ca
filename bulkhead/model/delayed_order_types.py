"""Structs and errors of ``DelayedOrders``. Sizes and prices WAD, times Unix seconds."""
# ruff: noqa: N801

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bulkhead.model.errors import ModelRevert
from bulkhead.model.oracle import PriceStatus

REDUCE_ONLY = 1
"""Flag: never opens or turns a position."""
TRIGGER_ABOVE = 2
"""Flag: the trigger is met at or above its price, else at or below."""
ALL_FLAGS = 3


class OrderOutcome(IntEnum):
    """What became of an order."""

    FILLED = 0
    CANCELLED = 1
    EXPIRED = 2
    LATE = 3
    UNCERTAIN = 4
    PRICE = 5
    CAP = 6
    NOTHING = 7
    BLOCKED = 8
    MARGIN = 9


@dataclass(frozen=True, slots=True)
class DelayedOrder:
    """An order; ``account`` 0: none. ``settle_from`` 0: it waits for its trigger."""

    account: int = 0
    size_delta: int = 0
    acceptable_price: int = 0
    executor_fee: int = 0
    settle_from: int = 0
    cancel_from: int = 0
    expires_at: int = 0
    market: int = 0
    flags: int = 0
    trigger_price: int = 0


@dataclass(frozen=True, slots=True)
class Fixing:
    """An index price that was recorded for orders."""

    price: int = 0
    published_at: int = 0
    recorded_at: int = 0
    status: PriceStatus = PriceStatus.STALE


class DelayedOrders_UnknownOrder(ModelRevert):
    """``(orderId)``."""


class DelayedOrders_ZeroSize(ModelRevert):
    """A size is zero."""


class DelayedOrders_SizeTooLarge(ModelRevert):
    """``(size, maximum)``."""


class DelayedOrders_UnknownFlags(ModelRevert):
    """``(flags, known)``."""


class DelayedOrders_TriggerMustReduce(ModelRevert):
    """``(flags)``."""


class DelayedOrders_ExpiresTooSoon(ModelRevert):
    """``(expiresAt, earliest)``."""


class DelayedOrders_TooEarly(ModelRevert):
    """``(publishedAt, from)``."""


class DelayedOrders_NotTriggered(ModelRevert):
    """``(orderId)``."""


class DelayedOrders_AlreadyBinding(ModelRevert):
    """``(orderId, settleFrom)``."""


class DelayedOrders_NotReached(ModelRevert):
    """``(indexPrice, triggerPrice)``."""


class DelayedOrders_Expired(ModelRevert):
    """``(expiresAt, timestamp)``."""


class DelayedOrders_Binding(ModelRevert):
    """``(timestamp, cancelFrom)``."""


class DelayedOrders_Pinned(ModelRevert):
    """``(publishedAt, from)``."""
