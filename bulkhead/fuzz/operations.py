"""The catalogue: every operation, and how a tape of bytes stands for a sequence of them.

Adding an operation is one class in one of the ``*_operations`` modules and its name here.
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.fuzz.keeper_operations import (
    EndAuction,
    Intrude,
    Liquidate,
    RaiseTier,
    StartAuction,
    TakeAuction,
    Upkeep,
    WriteOff,
)
from bulkhead.fuzz.market_operations import MoveFeed, MovePrice, Wait
from bulkhead.fuzz.operation import Operation, decode
from bulkhead.fuzz.user_operations import (
    Convert,
    Deposit,
    Donate,
    EnterVault,
    LeaveVault,
    Trade,
    Withdraw,
)

OPERATIONS: tuple[type[Operation], ...] = (
    # The first is what a shrinker makes of everything that does not matter.
    Wait,
    Deposit,
    Withdraw,
    Trade,
    Convert,
    MovePrice,
    MoveFeed,
    Liquidate,
    StartAuction,
    TakeAuction,
    EndAuction,
    WriteOff,
    Upkeep,
    EnterVault,
    LeaveVault,
    Donate,
    RaiseTier,
    Intrude,
)

_WEIGHTED = tuple(kind for kind in OPERATIONS for _ in range(kind.weight))


def from_bytes(data: bytes) -> Operation:
    """Return the operation that one piece of a tape stands for; any bytes stand for one."""
    return decode(_WEIGHTED[data[0] % len(_WEIGHTED)], data[1:])


def from_tape(tape: Sequence[bytes]) -> list[Operation]:
    """Return the operations of a tape."""
    return [from_bytes(data) for data in tape]
