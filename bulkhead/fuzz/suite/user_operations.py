"""What traders do with their accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import (
    ACTORS,
    COLLATERALS,
    MARKETS,
    STRAY,
    UNLISTED,
    Actor,
    Bps,
    Collateral,
    Market,
    Stray,
    SubAccount,
    account_for,
    choose,
    gives_up,
    listed,
)
from bulkhead.model import token_scale
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX, WAD, mul_div_down
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, AccountId, Action, owner_of

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_DEPOSITS = 20
"""So many full deposits a wallet lasts for."""


@dataclass(frozen=True, slots=True)
class Deposit(Operation):
    """Deposit a share of what is left of a wallet's first part; at times to another's account."""

    weight = 8
    refusals = (
        may.NOT_OWNER
        | may.TOKEN
        | may.ODD
        | {
            "MarginEngine_ZeroAmount",
            "MarginEngine_CollateralCap",
            "RiskParameters_UnknownCollateral",
        }
    )

    actor: Actor
    sub: SubAccount
    collateral: Collateral
    how: Annotated[int, Index(24)]
    """23: to another's account; 22: of all that the wallet has; 21: a single token unit."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[self.actor]
        owner = u.actors[(self.actor + 1) % ACTORS] if self.how == 23 else sender
        collateral = listed(self.collateral, COLLATERALS)
        wallet = u.wallet(sender, collateral)
        amount = part(wallet if self.how == 22 else wallet // _DEPOSITS, self.share)
        if self.how == 21:
            amount = 1
        args = (u.account(owner, self.sub), collateral, amount)
        return Step((Call(sender, "MarginEngine", "deposit", args),))


@dataclass(frozen=True, slots=True)
class Withdraw(Operation):
    """Withdraw a share of what the margin leaves free, or of all; at times what is another's."""

    weight = 8
    refusals = (
        may.NOT_OWNER
        | may.BLOCKED
        | may.ORDERS
        | may.MARGIN
        | may.ODD
        | {
            "MarginEngine_ZeroAmount",
            "MarginEngine_InvalidReceiver",
            "MarginEngine_ReceiverNotOwner",
            "MarginEngine_InsufficientBalance",
            "RiskParameters_UnknownCollateral",
        }
    )

    actor: Actor
    collateral: Collateral
    how: Annotated[int, Index(32)]
    """31: another's; 30: to nobody; 29: into custody; 24 to 28: a share of all, free or not."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        id_ = listed(self.collateral, COLLATERALS)
        account = account_for(u, self.stray, self.actor, lambda a: free_of(u, a, id_) > 0)
        if account is None or gives_up(u, Action.WITHDRAW, self.stray):
            return None
        sender = owner_of(account)
        if self.how == 31:
            sender = next(actor for actor in u.actors if actor != sender)
        receivers = {30: ZERO_ADDRESS, 29: u.model.addresses.collateral_vault}
        most = u.held(account, id_) if self.how >= 24 else free_of(u, account, id_)
        args = (account, id_, part(most, self.share), receivers.get(self.how, sender))
        return Step((Call(sender, "MarginEngine", "withdraw", args),))


@dataclass(frozen=True, slots=True)
class Trade(Operation):
    """Buy or sell a share of what the margin allows, or of the open position."""

    weight = 14
    refusals = (
        may.BLOCKED
        | may.ENDING
        | may.MARGIN
        | {
            "PerpExchange_ZeroSize",
            "PerpExchange_PriceNotAcceptable",
            "ActionPolicy_PriceStatus",
            "PerpExchange_OpenInterestCap",
            "PerpExchange_PoolShare",
            "PerpExchange_PremiumCap",
            "RiskParameters_UnknownMarket",
            # At an index of next to nothing the margin carries more than the curve has prices for.
            "SkewPricing_NonPositivePrice",
        }
    )

    actor: Annotated[int, Index(2 * ACTORS)]
    market: Market
    mode: Annotated[int, Index(4)]
    """0: reduce; 1: buy; 2: sell; 3: through zero, to the other side."""
    tolerance: Annotated[int, Index(32)]
    """31: at a price that nobody offers."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        if gives_up(u, Action.REDUCE_POSITION, self.stray):
            return None
        market = listed(self.market, MARKETS)
        reduces = self.mode == 0 or not u.model.circuit_breaker.is_allowed(Action.INCREASE_POSITION)
        fits = _holders(u, market) if reduces and market != UNLISTED else _traders(u)
        own = [u.account(actor, sub) for sub in (0, 1) for actor in u.actors]
        account = choose(self.stray, self.actor, fits, own)
        if account is None:
            return None
        size_delta = self._size(u, account, market, reduces)
        if not size_delta and self.stray < STRAY:
            return None
        limit = UINT256_MAX if size_delta > 0 else 0
        if self.tolerance == 31:
            limit = UINT256_MAX - limit
        args = (account, market, size_delta, limit)
        return Step((Call(owner_of(account), "PerpExchange", "trade", args),))

    def _size(self, u: Questions, account: AccountId, market: int, reduces: bool) -> int:
        size = u.model.perp_exchange.position(account, market).size
        if reduces:
            return -part(abs(size), self.share) * (1 if size > 0 else -1)
        wanted = part(u.affordable_size(account, market), self.share)
        if not wanted and size:
            # Nothing is left to buy or sell with, but there is something to give up.
            return self._size(u, account, market, True)
        if self.mode == 3:
            # What the position is, and then as much on the other side.
            return -size + (-1 if size > 0 else 1) * wanted
        return wanted if self.mode == 1 else -wanted


@dataclass(frozen=True, slots=True)
class Convert(Operation):
    """Convert a share of a matured claim, after bringing every market's figure up to date."""

    weight = 8
    refusals = may.BLOCKED | {
        "MarginEngine_ZeroAmount",
        "MarginEngine_NotMatured",
        "MarginEngine_StaleUnrealized",
    }

    actor: Annotated[int, Index(2 * (ACTORS + 1))]
    fresh: Annotated[int, Index(8)]
    """7: leave the figures as old as they are."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        engine = u.model.margin_engine
        account = account_for(u, self.stray, self.actor, lambda a: engine.matured_claim(a) > 0)
        if account is None or gives_up(u, Action.CONVERT, self.stray):
            return None
        amount = part(engine.matured_claim(account), self.share)
        call = Call(owner_of(account), "MarginEngine", "convert", (account, amount))
        pokes = [Call(u.keeper, "PerpExchange", "poke", (market,)) for market in range(MARKETS)]
        return Step((call,) if self.fresh == 7 else (*pokes, call))


def free_of(u: Questions, account: AccountId, collateral: int) -> int:
    """Return about the token units of a collateral that an account's margin can do without."""
    held = u.held(account, collateral)
    v = u.valuation(account) if held and not u.is_flat(account) else None
    if v is None:
        return held
    free = max(0, v.equity_initial - v.initial_margin)
    if collateral == SETTLEMENT:
        return min(held, token_scale.to_tokens_down(free, u.model.settlement.decimals))
    try:
        price = u.model.risk_engine.collateral_valuation(collateral).initial_price
        decimals = u.model.risk_parameters.collateral_config(collateral).decimals
    except ModelRevert:
        return held
    if price == 0:
        return held
    return min(held, token_scale.to_tokens_down(mul_div_down(free, WAD, price), decimals))


def _holders(u: Questions, market: int) -> list[AccountId]:
    """Return the actors' accounts with a position in a market."""
    exchange = u.model.perp_exchange
    return [a for a in u.accounts if a != u.prober and exchange.position(a, market).size]


def _traders(u: Questions) -> list[AccountId]:
    """Return the actors' accounts that hold anything to trade with."""
    held = [a for a in u.accounts if owner_of(a) != u.keeper]
    return [a for a in held if u.held(a, SETTLEMENT) or u.collaterals_of(a)]
