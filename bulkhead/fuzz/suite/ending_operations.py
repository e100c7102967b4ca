"""How a market ends: reductions only, one last price, and everybody's position closed at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, MARKETS, UNLISTED, Anyone, Stray, account_for
from bulkhead.model.exchange_winding_down import WIND_DOWN_NOTICE
from bulkhead.model.types import AccountId, MarketPhase

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_LATER = 600
"""Seconds for which prices are to stay good."""
_WRONG_PHASE = frozenset({"PerpExchange_WrongPhase"})


@dataclass(frozen=True, slots=True)
class WindDown(Operation):
    """The governor lets a market end, or somebody tries to."""

    weight = 1
    refusals = may.NOT_YOURS | _WRONG_PHASE | {"RiskParameters_UnknownMarket"}

    market: Annotated[int, Index(MARKETS)]
    how: Annotated[int, Index(6)]
    """0 to 2: by the governor; 3, 4: by an actor, the keeper; 5: a market that is not listed."""

    def resolve(self, u: Questions) -> Step | None:
        sender = {3: u.actors[0], 4: u.keeper}.get(self.how, u.governor)
        market = UNLISTED if self.how == 5 else self.market
        return Step((Call(sender, "PerpExchange", "windDown", (market,)),))


@dataclass(frozen=True, slots=True)
class FixSettlement(Operation):
    """Somebody fixes a market's last price, mostly once it may be; feeds may be silent."""

    weight = 2
    refusals = _WRONG_PHASE | {"PerpExchange_NoticeRunning", "PerpExchange_NoSettlementPrice"}

    market: Annotated[int, Index(MARKETS)]
    when: Annotated[int, Index(8)]
    """0 to 2: once it may be; 3: a while after; 4: just too early; 5: once any price will do; 6:
    a second before; 7: now."""
    silent: Annotated[int, Index(4)]
    """3: nothing is said before."""

    def resolve(self, u: Questions) -> Step | None:
        ending = [i for i in range(MARKETS) if _phase(u, i) == MarketPhase.WINDING_DOWN]
        market = ending[self.market % len(ending)] if ending else self.market
        calls = [Call(u.keeper, "PerpExchange", "fixSettlement", (market,))]
        if not ending or self.when == 7:
            return Step(tuple(calls))
        at = u.model.perp_exchange.settlement(market).fixable_at
        at += {3: 7_200, 4: -1, 5: WIND_DOWN_NOTICE, 6: WIND_DOWN_NOTICE - 1}.get(self.when, 0)
        if self.silent != 3:
            later = at + _LATER
            assets = [asset for asset in u.assets if not u.is_good(asset, later)]
            feeds = [feed for asset in assets for feed in u.feeds_of(asset)]
            calls = [*(u.report(feed, u.answer(feed)) for feed in feeds), *calls]
        return Step(tuple(calls), max(0, at - u.now), apart=0)


@dataclass(frozen=True, slots=True)
class SettlePosition(Operation):
    """Somebody closes an account's position in a settled market, or one that is none."""

    weight = 2
    refusals = may.BLOCKED | _WRONG_PHASE | {"PerpExchange_ZeroSize"}

    who: Annotated[int, Index(ACTORS + 1)]
    target: Anyone
    market: Annotated[int, Index(MARKETS)]
    stray: Stray

    def resolve(self, u: Questions) -> Step | None:
        settled = [i for i in range(MARKETS) if _phase(u, i) == MarketPhase.SETTLED]
        market = settled[self.market % len(settled)] if settled else self.market

        def is_open(account: AccountId) -> bool:
            return market in u.markets_of(account)

        account = account_for(u, self.stray, self.target, is_open)
        if account is None:
            return None
        sender = (*u.actors, u.keeper)[self.who]
        return Step((Call(sender, "PerpExchange", "settlePosition", (account, market)),))


def _phase(u: Questions, market: int) -> MarketPhase:
    return u.model.perp_exchange.market_state(market).phase
