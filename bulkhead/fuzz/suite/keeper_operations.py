"""What keepers and the guardian do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Share, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import (
    ACTORS,
    COLLATERALS,
    MARKETS,
    Actor,
    Anyone,
    Bps,
    Collateral,
    Market,
    Stray,
    account_for,
    choose,
    gives_up,
    listed,
)
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.types import ZERO_ADDRESS, AccountId, Action, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

Keeper = Annotated[int, Index(ACTORS + 1)]


@dataclass(frozen=True, slots=True)
class Liquidate(Operation):
    """Liquidate a position; the keeper may be the account's owner."""

    weight = 11
    refusals = (
        may.BLOCKED
        | may.UNHEALTHY
        | {
            "LiquidationEngine_NoPosition",
            "LiquidationEngine_Offsetting",
            "ActionPolicy_PriceStatus",
            "RiskParameters_UnknownMarket",
        }
    )

    keeper: Keeper
    target: Anyone
    market: Market
    stray: Stray

    def resolve(self, u: Questions) -> Step | None:
        def is_due(account: AccountId) -> bool:
            return bool(u.markets_of(account)) and u.is_unhealthy(account)

        account = account_for(u, self.stray, self.target, is_due, u.is_short)
        if account is None or gives_up(u, Action.LIQUIDATE, self.stray):
            return None
        ids = (listed(self.market, MARKETS),)
        market = choose(self.stray, self.market, u.markets_of(account) or ids, ids)
        call = Call(_keeper(u, self.keeper), "LiquidationEngine", "liquidate", (account, market))
        return Step((call,))


@dataclass(frozen=True, slots=True)
class StartAuction(Operation):
    """Put collateral up for auction."""

    weight = 8
    refusals = (
        may.BLOCKED
        | may.UNHEALTHY
        | {
            "LiquidationEngine_AuctionRunning",
            "LiquidationEngine_NoDebt",
            "LiquidationEngine_NoCollateral",
        }
    )

    target: Anyone
    collateral: Collateral
    stray: Stray

    def resolve(self, u: Questions) -> Step | None:
        def is_due(account: AccountId) -> bool:
            sells = u.debt(account) > 0 and bool(_sellable(u, account))
            return sells and u.is_unhealthy(account)

        account = account_for(u, self.stray, self.target, is_due, lambda a: u.debt(a) > 0)
        if account is None or gives_up(u, Action.LIQUIDATE, self.stray):
            return None
        ids = (listed(self.collateral, COLLATERALS),)
        id_ = choose(self.stray, self.collateral, _sellable(u, account) or ids, ids)
        return Step((Call(u.keeper, "LiquidationEngine", "startAuction", (account, id_)),))


@dataclass(frozen=True, slots=True)
class EndAuction(Operation):
    """End an auction that nobody may take from any more."""

    weight = 5
    refusals = frozenset(
        {
            "LiquidationEngine_NoAuction",
            "LiquidationEngine_AuctionRunning",
            "ActionPolicy_PriceStatus",
        }
    )

    target: Anyone
    collateral: Collateral
    stray: Stray

    def resolve(self, u: Questions) -> Step | None:
        def is_over(account: AccountId) -> bool:
            left = u.debt(account) and u.running_auctions_of(account)
            return bool(u.auctions_of(account)) and not (left and u.is_unhealthy(account))

        account = account_for(u, self.stray, self.target, is_over, lambda a: bool(u.auctions_of(a)))
        if account is None:
            return None
        ids = (listed(self.collateral, COLLATERALS),)
        id_ = choose(self.stray, self.collateral, u.auctions_of(account) or ids, ids)
        return Step((Call(u.keeper, "LiquidationEngine", "endAuction", (account, id_)),))


@dataclass(frozen=True, slots=True)
class TakeAuction(Operation):
    """Buy a share of what an account has up for auction, at most at today's price, or below it."""

    weight = 8
    refusals = (
        may.BLOCKED
        | may.UNHEALTHY
        | may.TOKEN
        | may.ODD
        | {
            "LiquidationEngine_NoAuction",
            "LiquidationEngine_PriceTooHigh",
            "LiquidationEngine_NoDebt",
            "LiquidationEngine_ZeroAmount",
            "MarginEngine_InvalidReceiver",
            "",  # Data for a receiver without code.
        }
    )

    buyer: Actor
    target: Anyone
    collateral: Collateral
    stray: Stray
    how: Annotated[int, Index(32)]
    """31: cheaper than it is; 30: sent to nobody; 29: with data for one who has no code."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        account = account_for(
            u,
            self.stray,
            self.target,
            lambda a: bool(u.running_auctions_of(a)) and u.is_unhealthy(a),
        )
        if account is None or gives_up(u, Action.TAKE_AUCTION, self.stray):
            return None
        ids = (listed(self.collateral, COLLATERALS),)
        id_ = choose(self.stray, self.collateral, u.running_auctions_of(account) or ids, ids)
        assert id_ is not None
        buyer = u.actors[self.buyer]
        receiver = ZERO_ADDRESS if self.how == 30 else buyer
        amount = part(u.held(account, id_), self.share)
        most = _below_price(u, account, id_) if self.how == 31 else UINT256_MAX
        args = (account, id_, amount, most, receiver, b"\1" if self.how == 29 else b"")
        return Step((Call(buyer, "LiquidationEngine", "takeAuction", args),))


@dataclass(frozen=True, slots=True)
class WriteOff(Operation):
    """Write off an account's debt."""

    weight = 7
    refusals = may.BLOCKED | {
        "LiquidationEngine_NoDebt",
        "LiquidationEngine_AssetsLeft",
        "LiquidationEngine_Healthy",
    }

    target: Anyone
    stray: Stray

    def resolve(self, u: Questions) -> Step | None:
        def is_bare(account: AccountId) -> bool:
            return u.debt(account) > 0 and not u.markets_of(account) and u.has_only_dust(account)

        account = account_for(u, self.stray, self.target, is_bare, lambda a: u.debt(a) > 0)
        if account is None or gives_up(u, Action.WRITE_OFF, self.stray):
            return None
        return Step((Call(u.keeper, "LiquidationEngine", "writeOff", (account,)),))


@dataclass(frozen=True, slots=True)
class AccrueInterest(Operation):
    """Book an account's interest, if it owes or not."""

    weight = 3

    target: Anyone
    stray: Stray

    def resolve(self, u: Questions) -> Step | None:
        account = account_for(u, self.stray, self.target, lambda a: u.debt(a) > 0)
        if account is None:
            return None
        return Step((Call(u.keeper, "MarginEngine", "accrueInterest", (account,)),))


_UPKEEP = (
    ("CircuitBreaker", "poke", ()),
    ("PerpExchange", "poke", (0,)),
    ("PerpExchange", "poke", (1,)),
    ("CircuitBreaker", "poke", ()),
    ("OracleAggregator", "record", ("BTC",)),
    ("OracleAggregator", "record", ("ETH",)),
    ("OracleAggregator", "fetch", ("LST/ETH",)),
    ("PegMonitor", "poke", ("LST",)),
)


@dataclass(frozen=True, slots=True)
class Upkeep(Operation):
    """One of the permissionless pokes."""

    weight = 8

    what: Annotated[int, Index(len(_UPKEEP))]

    def resolve(self, u: Questions) -> Step | None:
        contract, function, args = _UPKEEP[self.what]
        return Step((Call(u.keeper, contract, function, args),))


@dataclass(frozen=True, slots=True)
class RaiseTier(Operation):
    """The guardian, or somebody who is not, raises the breaker's tier."""

    weight = 3
    refusals = may.NOT_YOURS | {"CircuitBreaker_OutOfBounds", "CircuitBreaker_Resting"}

    who: Annotated[int, Index(8)]
    tier: Annotated[int, Index(8)]
    """Above the tier now, less one; 6: the tier now; 7: a tier that there is not."""
    share: Annotated[int, Share()]

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[0] if self.who == 7 else u.guardian
        now = u.model.circuit_breaker.tier()
        tier = {6: now, 7: 5}.get(self.tier, min(4, now + 1 + self.tier // 2))
        duration = part(u.model.risk_parameters.breaker_timing().max_halt, self.share)
        return Step((Call(sender, "CircuitBreaker", "raise", (tier, duration)),))


@dataclass(frozen=True, slots=True)
class PokeRisk(Operation):
    """Let a market's maintenance rate and the stress of maintenance follow their targets."""

    weight = 2
    refusals = frozenset({"RiskParameters_UnknownMarket"})

    market: Market

    def resolve(self, u: Questions) -> Step | None:
        return Step((Call(u.keeper, "RiskEngine", "poke", (listed(self.market, MARKETS),)),))


@dataclass(frozen=True, slots=True)
class MeasureDepth(Operation):
    """Measure the depth of a collateral's market: mostly of one that has a source."""

    weight = 2
    refusals = frozenset({"RiskEngine_NoDepthSource", "RiskParameters_UnknownCollateral"})

    collateral: Collateral
    anyhow: Annotated[int, Index(8)]
    """0: whether it has a source or not."""

    def resolve(self, u: Questions) -> Step | None:
        number = listed(self.collateral, COLLATERALS)
        source = u.model.risk_parameters.depth_source
        measured = [c for c in range(1, COLLATERALS) if source(c) != ZERO_ADDRESS]
        if self.anyhow and measured:
            number = measured[number % len(measured)]
        return Step((Call(u.keeper, "RiskEngine", "measureDepth", (number,)),))


def _keeper(u: Questions, index: int) -> Address:
    return (*u.actors, u.keeper)[index]


def _sellable(u: Questions, account: AccountId) -> tuple[int, ...]:
    """Return the collaterals of an account that no auction is running for."""
    running = u.running_auctions_of(account)
    return tuple(i for i in u.collaterals_of(account) if i not in running)


def _below_price(u: Questions, account: AccountId, collateral: int) -> int:
    """Return just less than today's price: time passes before the call, so either may be."""
    try:
        price = u.model.liquidation_engine.auction_price(account, collateral)
    except ModelRevert:
        return 0
    return price * 9_990 // 10_000
