"""What keepers, the guardian and outsiders do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Share, Step, part
from bulkhead.fuzz.suite.user_operations import (
    ACTORS,
    SUB_ACCOUNTS,
    Actor,
    Bps,
    Collateral,
    Market,
)
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.types import AccountId

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe


Anyone = Annotated[int, Index((ACTORS + 1) * SUB_ACCOUNTS)]
Stray = Annotated[int, Index(4)]
"""3: take any account, whatever its state; else one that the operation is meant for."""


def _target(u: Universe, stray: int, index: int, fitting: Callable[[AccountId], bool]) -> AccountId:
    """Return the account that an operation is aimed at; any, if there is none that fits."""
    found = [] if stray == 3 else [account for account in u.accounts if fitting(account)]
    candidates = found or u.accounts
    return candidates[index % len(candidates)]


def _item(stray: int, index: int, fitting: Sequence[int]) -> int:
    return index if stray == 3 or not fitting else fitting[index % len(fitting)]


@dataclass(frozen=True, slots=True)
class Liquidate(Operation):
    """Liquidate a position; the keeper may be the account's owner."""

    weight = 10

    keeper: Actor
    target: Anyone
    market: Market
    stray: Stray

    def resolve(self, u: Universe) -> Step | None:
        account = _target(
            u, self.stray, self.target, lambda a: u.is_unhealthy(a) and bool(u.markets_of(a))
        )
        args = (account, _item(self.stray, self.market, u.markets_of(account)))
        return Step((Call(u.actors[self.keeper], "LiquidationEngine", "liquidate", args),))


@dataclass(frozen=True, slots=True)
class StartAuction(Operation):
    """Put collateral up for auction."""

    weight = 8

    target: Anyone
    collateral: Collateral
    stray: Stray

    def resolve(self, u: Universe) -> Step | None:
        account = _target(u, self.stray, self.target, lambda a: u.is_unhealthy(a) and u.debt(a) > 0)
        args = (account, _item(self.stray, self.collateral, u.collaterals_of(account)))
        return Step((Call(u.keeper, "LiquidationEngine", "startAuction", args),))


@dataclass(frozen=True, slots=True)
class EndAuction(Operation):
    """End an auction."""

    weight = 2

    target: Anyone
    collateral: Collateral
    stray: Stray

    def resolve(self, u: Universe) -> Step | None:
        account = _target(u, self.stray, self.target, lambda a: bool(u.auctions_of(a)))
        args = (account, _item(self.stray, self.collateral, u.auctions_of(account)))
        return Step((Call(u.keeper, "LiquidationEngine", "endAuction", args),))


@dataclass(frozen=True, slots=True)
class TakeAuction(Operation):
    """Buy a share of what an account has up for auction, at most at today's price, or below it."""

    weight = 8

    buyer: Actor
    target: Anyone
    collateral: Collateral
    stray: Stray
    cheap: Annotated[int, Index(8)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        account = _target(u, self.stray, self.target, lambda a: bool(u.auctions_of(a)))
        collateral = _item(self.stray, self.collateral, u.auctions_of(account))
        buyer = u.actors[self.buyer]
        amount = part(u.held(account, collateral), self.share)
        max_price = UINT256_MAX
        if self.cheap == 7:
            try:
                price = u.model.liquidation_engine.auction_price(account, collateral)
            except ModelRevert:
                return None
            # Time passes before the call: just above or just below today's price is either.
            max_price = price * 9_990 // 10_000
        args = (account, collateral, amount, max_price, buyer, b"")
        return Step((Call(buyer, "LiquidationEngine", "takeAuction", args),))


@dataclass(frozen=True, slots=True)
class WriteOff(Operation):
    """Write off an account's debt."""

    weight = 6

    target: Anyone
    stray: Stray

    def resolve(self, u: Universe) -> Step | None:
        account = _target(
            u, self.stray, self.target, lambda a: u.debt(a) > 0 and not u.markets_of(a)
        )
        return Step((Call(u.keeper, "LiquidationEngine", "writeOff", (account,)),))


@dataclass(frozen=True, slots=True)
class Upkeep(Operation):
    """One of the permissionless pokes."""

    weight = 8

    what: Annotated[int, Index(8)]

    def resolve(self, u: Universe) -> Step | None:
        calls = (
            ("PerpExchange", "poke", (0,)),
            ("PerpExchange", "poke", (1,)),
            ("CircuitBreaker", "poke", ()),
            ("OracleAggregator", "record", ("BTC",)),
            ("OracleAggregator", "record", ("ETH",)),
            ("OracleAggregator", "record", ("LST/ETH",)),
            ("PegMonitor", "poke", ("LST",)),
            ("PerpExchange", "poke", (7,)),
        )
        contract, function, args = calls[self.what]
        return Step((Call(u.keeper, contract, function, args),))


@dataclass(frozen=True, slots=True)
class RaiseTier(Operation):
    """The guardian, or somebody who is not, raises the breaker's tier."""

    who: Annotated[int, Index(4)]
    tier: Annotated[int, Index(6)]
    share: Annotated[int, Share()]

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[0] if self.who == 3 else u.guardian
        duration = part(u.model.risk_parameters.breaker_timing().max_halt, self.share)
        return Step((Call(sender, "CircuitBreaker", "raise", (self.tier, duration)),))


@dataclass(frozen=True, slots=True)
class Intrude(Operation):
    """An outsider calls what only parts of the compartment may call."""

    actor: Actor
    what: Annotated[int, Index(14)]

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[self.actor]
        mine = u.account(sender, 0)
        other = u.account(u.actors[(self.actor + 1) % ACTORS], 0)
        calls = (
            ("MarginEngine", "enter", ()),
            ("MarginEngine", "exit", ()),
            ("MarginEngine", "settle", (mine, 0, 10**18, 0, 0)),
            ("MarginEngine", "reportUnrealized", (0, 0)),
            ("MarginEngine", "creditPool", (1,)),
            ("MarginEngine", "debitPool", (1, sender)),
            ("MarginEngine", "creditInsurance", (1,)),
            ("MarginEngine", "debitInsurance", (1, sender)),
            ("MarginEngine", "chargePenalty", (other, 1, mine, 1)),
            ("MarginEngine", "seizeCollateral", (other, 1, 1, sender)),
            ("MarginEngine", "creditAuctionProceeds", (mine, sender, 1)),
            ("MarginEngine", "writeOff", (mine,)),
            ("PerpExchange", "liquidatePosition", (other, 0, -1)),
            ("PerpExchange", "refreshAll", ()),
        )
        contract, function, args = calls[self.what]
        return Step((Call(sender, contract, function, args),))
