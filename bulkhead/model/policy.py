"""Twin of ``ActionPolicy``: what is allowed in which tier, and on which prices."""

from __future__ import annotations

from bulkhead.model.errors import ModelRevert
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.types import Action

HALT = 4


class ActionPolicy_PriceStatus(ModelRevert):  # noqa: N801
    """``(action, status, required)``: a price is not good enough for an act."""


_MAX_TIER = {
    Action.DEPOSIT: HALT,
    Action.WITHDRAW: 2,
    Action.INCREASE_POSITION: 1,
    Action.REDUCE_POSITION: 3,
    Action.CONVERT: 2,
    Action.LIQUIDATE: 3,
    Action.TAKE_AUCTION: 3,
    Action.WRITE_OFF: 3,
    Action.POOL_DEPOSIT: 3,
    Action.POOL_WITHDRAW: 1,
    Action.FUND_DEPOSIT: 3,
    Action.FUND_WITHDRAW: 1,
    Action.TRANSFER: 3,
}


def max_tier(action: Action) -> int:
    """Return the highest tier in which an action is still allowed."""
    return _MAX_TIER[action]


def min_status(action: Action) -> PriceStatus:
    """Return the worst price status with which an action is still allowed."""
    if action == Action.DEPOSIT:
        return PriceStatus.STALE
    if action in (Action.WITHDRAW, Action.INCREASE_POSITION, Action.TRANSFER):
        return PriceStatus.VALID
    return PriceStatus.DEGRADED


def require_status(action: Action, status: PriceStatus) -> None:
    """Revert if a price is not good enough for an act.

    Raises:
        ActionPolicy_PriceStatus: it is not.
    """
    required = min_status(action)
    if status < required:
        raise ActionPolicy_PriceStatus(action, status, required)
