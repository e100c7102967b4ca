"""Every operation on the suite.

Adding an operation is one class in one of the ``*_operations`` modules and its name here.
"""

from __future__ import annotations

from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.suite.access_operations import ActFor, Batch, SetOperator, Transfer
from bulkhead.fuzz.suite.delayed_operations import (
    CancelOrder,
    CommitOrder,
    FixPrice,
    SettleOrders,
    TriggerOrder,
)
from bulkhead.fuzz.suite.ending_operations import FixSettlement, SettlePosition, WindDown
from bulkhead.fuzz.suite.feed_operations import BadRound, BreakFeed, MoveFeed, RepairFeeds
from bulkhead.fuzz.suite.governance_operations import (
    GrantRole,
    RevokeRole,
    SetBreaker,
    SetCollateral,
    SetCompartment,
    SetInterest,
    SetMarket,
    SetOrders,
    SetPool,
)
from bulkhead.fuzz.suite.keeper_operations import (
    AccrueInterest,
    EndAuction,
    Liquidate,
    MeasureDepth,
    PokeRisk,
    RaiseTier,
    StartAuction,
    TakeAuction,
    Upkeep,
    WriteOff,
)
from bulkhead.fuzz.suite.leaving import CalmDown, EveryoneCloses, EveryoneLeaves
from bulkhead.fuzz.suite.market_operations import MovePrice, Squeeze, Wait
from bulkhead.fuzz.suite.oracle_operations import (
    ClearPeg,
    ConfigureOracle,
    ConfigurePeg,
    Derive,
    Sequencer,
    SuspendSource,
)
from bulkhead.fuzz.suite.order_operations import CancelOrders, MatchOrders
from bulkhead.fuzz.suite.outsider_operations import Extreme, Intrude
from bulkhead.fuzz.suite.risk_operations import (
    MoveDepth,
    SetCorrelations,
    SetDepthSource,
    SetMargin,
)
from bulkhead.fuzz.suite.staking_operations import (
    Claim,
    ReportRewards,
    RequestWithdrawal,
    Slash,
    Stake,
)
from bulkhead.fuzz.suite.token_operations import Approve, Donate, Misbehave, MoveTokens
from bulkhead.fuzz.suite.trips import RoundTrip, VaultRoundTrip
from bulkhead.fuzz.suite.user_operations import Convert, Deposit, Trade, Withdraw
from bulkhead.fuzz.suite.vault_operations import (
    EnterVault,
    LeaveVault,
    MoveShares,
    RequestRedeem,
)

OPERATIONS: tuple[type[Operation], ...] = (
    # The first is what a shrinker makes of everything that does not matter.
    Wait,
    Deposit,
    Withdraw,
    Trade,
    Convert,
    MatchOrders,
    CancelOrders,
    CommitOrder,
    SettleOrders,
    TriggerOrder,
    CancelOrder,
    FixPrice,
    SetOperator,
    Transfer,
    ActFor,
    Batch,
    MovePrice,
    Squeeze,
    Liquidate,
    StartAuction,
    TakeAuction,
    EndAuction,
    WriteOff,
    AccrueInterest,
    Upkeep,
    EnterVault,
    RequestRedeem,
    LeaveVault,
    MoveShares,
    RaiseTier,
    MoveFeed,
    BreakFeed,
    BadRound,
    RepairFeeds,
    Donate,
    MoveTokens,
    Approve,
    Misbehave,
    Stake,
    RequestWithdrawal,
    Claim,
    ReportRewards,
    Slash,
    SetMarket,
    SetCollateral,
    SetCompartment,
    SetInterest,
    SetBreaker,
    SetOrders,
    SetPool,
    SetMargin,
    SetCorrelations,
    SetDepthSource,
    WindDown,
    FixSettlement,
    SettlePosition,
    PokeRisk,
    MeasureDepth,
    MoveDepth,
    GrantRole,
    RevokeRole,
    ConfigureOracle,
    SuspendSource,
    Sequencer,
    Derive,
    ConfigurePeg,
    ClearPeg,
    Intrude,
    Extreme,
    RoundTrip,
    VaultRoundTrip,
    CalmDown,
    EveryoneCloses,
    EveryoneLeaves,
)
