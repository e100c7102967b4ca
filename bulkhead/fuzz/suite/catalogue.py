"""Every operation on the suite.

Adding an operation is one class in one of the ``*_operations`` modules and its name here.
"""

from __future__ import annotations

from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.suite.keeper_operations import (
    EndAuction,
    Intrude,
    Liquidate,
    RaiseTier,
    StartAuction,
    TakeAuction,
    Upkeep,
    WriteOff,
)
from bulkhead.fuzz.suite.market_operations import MoveFeed, MovePrice, Wait
from bulkhead.fuzz.suite.user_operations import (
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
