"""Calls that nobody should make: by outsiders, in another's name, with absurd arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from bulkhead.fuzz.operation import Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, UNLISTED, Actor
from bulkhead.model.exchange_matching import MatchMaker, MatchTaker
from bulkhead.model.margin_batch import CallTarget, InnerCall
from bulkhead.model.math import INT256_MAX, INT256_MIN, UINT256_MAX, WAD
from bulkhead.model.signed_orders import MakerFill, SignedOrder
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, AccountId, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_Call = tuple[str, str, tuple[Any, ...]]
_INTRUSIONS = 32
_EXTREMES = 64


@dataclass(frozen=True, slots=True)
class Intrude(Operation):
    """Somebody calls what only parts of the compartment, or an account's owner, may call."""

    weight = 2
    is_refused = True
    refusals = may.NOT_A_PART | may.NOT_OWNER

    who: Annotated[int, Index(ACTORS + 3)]
    """An actor, the keeper, the guardian or the governor."""
    what: Annotated[int, Index(_INTRUSIONS)]

    def resolve(self, u: Questions) -> Step | None:
        people = (*u.actors, u.keeper, u.guardian, u.governor)
        sender = people[self.who]
        other = u.actors[(self.who + 1) % ACTORS]
        if u.model.account_operators.permissions_of(u.account(other, 0), sender):
            return None  # No intruder: the other lets it.
        contract, function, args = intrusions(u, sender, other)[self.what]
        return Step((Call(sender, contract, function, args),))


def intrusions(u: Questions, sender: Address, other: Address) -> tuple[_Call, ...]:
    """Return what the sender should not get away with; the victim is another."""
    mine, theirs = u.account(sender, 0), u.account(other, 0)
    token = u.model.addresses.settlement_token
    return (
        ("MarginEngine", "enter", ()),
        ("MarginEngine", "exit", ()),
        ("MarginEngine", "settle", (mine, 0, WAD, 0, 0, 0)),
        ("MarginEngine", "reportUnrealized", (0, 0)),
        ("MarginEngine", "creditPool", (1,)),
        ("MarginEngine", "debitPool", (1, sender)),
        ("MarginEngine", "creditInsurance", (1,)),
        ("MarginEngine", "debitInsurance", (1, sender)),
        ("MarginEngine", "chargePenalty", (theirs, 1, mine, 1)),
        ("MarginEngine", "seizeCollateral", (theirs, 1, 1, sender)),
        ("MarginEngine", "creditAuctionProceeds", (mine, sender, 1)),
        ("MarginEngine", "writeOff", (mine,)),
        ("PerpExchange", "liquidatePosition", (theirs, 0, -1)),
        ("PerpExchange", "refreshAll", ()),
        ("CircuitBreaker", "recordLiquidation", (UINT256_MAX,)),
        ("CircuitBreaker", "recordBadDebt", (10**6 * WAD,)),
        ("CollateralVault", "pull", (token, other, 1)),
        ("CollateralVault", "push", (token, sender, 1)),
        ("PerpExchange", "trade", (theirs, 0, -WAD, 0)),
        ("MarginEngine", "withdraw", (theirs, SETTLEMENT, 1, sender)),
        ("MarginEngine", "convert", (theirs, 1)),
        ("MarginEngine", "deposit", (theirs, SETTLEMENT, 1)),
        ("CollateralVault", "push", (u.model.odd.address, sender, 1)),
        ("MarginEngine", "requireInitialMargin", (mine, 1)),
        ("MarginEngine", "transfer", (theirs, mine, SETTLEMENT, 1)),
        ("MarginEngine", "seizeCollateral", (mine, UNLISTED, UINT256_MAX, ZERO_ADDRESS)),
        ("PerpExchange", "matchTrade", _pair_of(mine, theirs)),
        ("SignedOrders", "cancelOrders", (theirs, 0, 1)),
        ("MarginEngine", "openOrder", (theirs, 1, 2)),
        ("MarginEngine", "closeOrder", (theirs, 1, 3, mine)),
        ("PerpExchange", "fillOrder", (theirs, 0, -WAD, 0, 1, False)),
        ("DelayedOrders", "commit", (theirs, 0, WAD, 2**128 - 1, 0, 2**40 - 1, 0)),
    )


def _pair_of(mine: AccountId, theirs: AccountId) -> tuple[Any, ...]:
    return 0, MatchTaker(mine, True, False), [MatchMaker(theirs, WAD, 1, False)]


@dataclass(frozen=True, slots=True)
class Extreme(Operation):
    """Somebody calls with zero, with the greatest number there is, or with what does not exist.

    Amounts near 2^256 may end in checked arithmetic (``Panic``), in a cast (``Overflow``) or in a
    quotient (``FullMulDivFailed``) before they are compared with what is held or allowed: the
    refusal is right, if not in the best of words. Nowhere else do operations list these three.
    """

    weight = 3
    is_refused = True
    refusals = (
        may.BLOCKED
        | may.ENDING
        | may.TOKEN
        | may.UNHEALTHY
        | may.NOT_YOURS
        | may.NOT_OWNER
        | {
            "AccountOperators_InvalidOperator",
            "CircuitBreaker_OutOfBounds",
            "DelayedOrders_SizeTooLarge",
            "DelayedOrders_UnknownOrder",
            "DelayedOrders_ZeroSize",
            "ERC20InvalidReceiver",
            "ERC20InvalidSpender",
            "ERC4626ExceededMaxDeposit",
            "ERC4626ExceededMaxMint",
            "ERC4626ExceededMaxRedeem",
            "ERC4626ExceededMaxWithdraw",
            "FullMulDivFailed",
            "LedgerVault_Cooling",
            "LedgerVault_InsufficientShares",
            "LedgerVault_Lapsed",
            "LedgerVault_NoRequestNeeded",
            "LedgerVault_NotRequested",
            "LedgerVault_ZeroAmount",
            "LiquidityVault_Unpriced",
            "LiquidStakingToken_DepositTooSmall",
            "LiquidStakingToken_UnknownRequest",
            "LiquidStakingToken_WipedOut",
            "LiquidStakingToken_WithdrawalTooSmall",
            "LiquidationEngine_NoAuction",
            "LiquidationEngine_NoCollateral",
            "LiquidationEngine_NoDebt",
            "MarginEngine_AccountCount",
            "MarginEngine_CallCount",
            "MarginEngine_ForeignAccount",
            "MarginEngine_NotMatured",
            "MarginEngine_OrdersOpen",
            "MarginEngine_SameAccount",
            "MarginEngine_StaleUnrealized",
            "MarginEngine_ZeroAmount",
            "OracleAggregator_UnknownAsset",
            "Overflow",
            "Panic",
            "PegMonitor_UnknownAsset",
            "ActionPolicy_PriceStatus",
            "PerpExchange_SizeTooLarge",
            "PerpExchange_ZeroSize",
            "RiskParameters_UnknownCollateral",
            "RiskParameters_UnknownMarket",
            "SignedOrders_InvalidSignature",
            "SignedOrders_NonceNotHigher",
            "SkewPricing_NonPositivePrice",
        }
    )

    actor: Actor
    what: Annotated[int, Index(_EXTREMES)]

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[self.actor]
        contract, function, args = extremes(u, sender)[self.what]
        return Step((Call(sender, contract, function, args),))


def extremes(u: Questions, sender: Address) -> tuple[_Call, ...]:
    """Return calls with arguments that no honest caller would choose."""
    mine, most = u.account(sender, 0), UINT256_MAX
    token, far = u.settlement_symbol, 10**36
    endless = SignedOrder(mine, sender, UNLISTED, -(2**127), 2**128 - 1, 2**40 - 1, most, 3)
    nothing = InnerCall(CallTarget.PERP_EXCHANGE, "poke", (UNLISTED,))
    return (
        ("MarginEngine", "deposit", (mine, SETTLEMENT, most)),
        ("MarginEngine", "deposit", (mine, UNLISTED, most)),
        ("MarginEngine", "deposit", (mine, 2, 0)),
        ("MarginEngine", "deposit", (most, SETTLEMENT, 1)),
        ("MarginEngine", "withdraw", (mine, SETTLEMENT, most, sender)),
        ("MarginEngine", "withdraw", (0, SETTLEMENT, 1, sender)),
        ("MarginEngine", "withdraw", (mine, UNLISTED, 1, sender)),
        ("MarginEngine", "convert", (mine, most)),
        ("MarginEngine", "convert", (mine, 0)),
        ("PerpExchange", "trade", (mine, 0, 0, most)),
        ("PerpExchange", "trade", (mine, 0, INT256_MAX, most)),
        ("PerpExchange", "trade", (mine, 0, INT256_MIN, 0)),
        ("PerpExchange", "trade", (mine, 0, far, most)),
        ("PerpExchange", "trade", (mine, 1, -far, 0)),
        ("PerpExchange", "trade", (mine, 1, -far - 1, 0)),
        ("PerpExchange", "trade", (mine, UNLISTED, WAD, most)),
        ("PerpExchange", "trade", (mine, 0, 10**30, most)),
        ("PerpExchange", "poke", (UNLISTED,)),
        ("LiquidationEngine", "liquidate", (0, 0)),
        ("LiquidationEngine", "liquidate", (most, UNLISTED)),
        ("LiquidationEngine", "startAuction", (mine, UNLISTED)),
        ("LiquidationEngine", "endAuction", (most, UNLISTED)),
        ("LiquidationEngine", "takeAuction", (mine, UNLISTED, most, 0, sender, b"")),
        ("LiquidationEngine", "writeOff", (0,)),
        ("LiquidityVault", "deposit", (most, sender)),
        ("LiquidityVault", "mint", (most, sender)),
        ("LiquidityVault", "redeem", (most, sender, sender)),
        ("LiquidityVault", "withdraw", (most, sender, sender)),
        ("InsuranceFund", "deposit", (0, sender)),
        ("InsuranceFund", "mint", (0, sender)),
        ("InsuranceFund", "redeem", (0, sender, sender)),
        ("InsuranceFund", "withdraw", (0, sender, ZERO_ADDRESS)),
        ("InsuranceFund", "transfer", (ZERO_ADDRESS, 0)),
        ("LiquidityVault", "requestRedeem", (most,)),
        ("LiquidityVault", "requestRedeem", (0,)),
        ("InsuranceFund", "requestRedeem", (1,)),
        ("InsuranceFund", "cancelRequest", ()),
        ("LiquidityVault", "transferFrom", (ZERO_ADDRESS, sender, 1)),
        ("InsuranceFund", "approve", (ZERO_ADDRESS, most)),
        (token, "transfer", (sender, most)),
        (token, "transferFrom", (sender, ZERO_ADDRESS, most)),
        ("LST", "deposit", (most, sender)),
        ("LST", "deposit", (0, sender)),
        ("LST", "requestWithdrawal", (most, sender)),
        ("LST", "requestWithdrawal", (0, sender)),
        ("LST", "claim", (most,)),
        ("CircuitBreaker", "raise", (255, 2**40 - 1)),
        ("OracleAggregator", "record", ("NONE",)),
        ("OracleAggregator", "fetch", ("NONE",)),
        ("PegMonitor", "poke", ("NONE",)),
        ("MarginEngine", "transfer", (mine, mine, SETTLEMENT, 1)),
        ("MarginEngine", "transfer", (mine, most, SETTLEMENT, 1)),
        ("MarginEngine", "transfer", (mine, mine ^ 1, UNLISTED, 1)),
        ("MarginEngine", "transfer", (mine, mine ^ 1, SETTLEMENT, most)),
        ("MarginEngine", "batch", ([mine], [])),
        ("MarginEngine", "batch", ([mine] * 33, [nothing])),
        ("MarginEngine", "batch", ([], [nothing] * 33)),
        ("AccountOperators", "setOperator", (mine, sender, 1, 2**40 - 1)),
        ("AccountOperators", "setOperator", (mine, ZERO_ADDRESS, 1, 2**40 - 1)),
        (
            "SignedOrders",
            "matchOrders",
            (endless, b"", [MakerFill(endless, bytes(65), 2**128 - 1)]),
        ),
        ("SignedOrders", "cancelOrdersBelow", (mine, 0)),
        ("SignedOrders", "cancelOrders", (most, most, most)),
        ("DelayedOrders", "commit", (mine, 0, 0, 0, 0, 2**40 - 1, 255)),
        ("DelayedOrders", "commit", (mine, 0, -(2**127), 0, 1, 2**40 - 1, 1)),
        ("DelayedOrders", "settle", (0, mine)),
        ("DelayedOrders", "trigger", (most,)),
        ("DelayedOrders", "cancel", (most,)),
        ("DelayedOrders", "fix", (UNLISTED,)),
    )
