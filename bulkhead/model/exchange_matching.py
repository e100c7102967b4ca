"""Twin of ``PerpMatching``: fills between accounts, at prices that their owners agreed on.

Sizes are WAD base units, prices WAD settlement units per 1.0 of base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulkhead.model import matched_premium, positions, pricing
from bulkhead.model.context import external
from bulkhead.model.exchange_markets import (
    FLAT,
    mark,
    require_phase,
    require_pool_share,
    require_size,
)
from bulkhead.model.exchange_views import PerpViews
from bulkhead.model.math import WAD, mul_div_down, mul_div_up, mul_down, mul_up
from bulkhead.model.oracle import PriceData
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    PerpExchange_NotReducing,
    PerpExchange_NotSignedOrders,
    PerpExchange_OpenInterestCap,
    PerpExchange_PriceOutOfBand,
)
from bulkhead.model.types import (
    AccountId,
    Action,
    Address,
    Fill,
    Market,
    MarketTrading,
    Position,
)


@dataclass(frozen=True, slots=True)
class MatchTaker:
    """The taking side of a match."""

    account: AccountId
    buys: bool
    reduce_only: bool


@dataclass(frozen=True, slots=True)
class MatchMaker:
    """One resting side of a match."""

    account: AccountId
    size: int
    price: int
    reduce_only: bool


@dataclass(slots=True)
class _Match:
    """What all sides have in common; ``seen`` are the actions found allowed."""

    market: int
    index: PriceData
    skew: int
    seen: set[Action]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side, moved and not booked yet."""

    account: AccountId
    size_delta: int
    fill: Fill
    fee: int
    position: Position
    action: Action
    must_meet_margin: bool


class PerpMatching(PerpViews):
    """Fills that the pool takes no part in."""

    @external
    def match_trade(
        self, sender: Address, market: int, taker: MatchTaker, makers: Sequence[MatchMaker]
    ) -> Fill:
        """Trade accounts against each other at the makers' prices.

        Raises:
            CompartmentLock_Locked: called from within a call.
            PerpExchange_NotSignedOrders: the sender is another.
            RiskParameters_UnknownMarket: the market is not listed.
            PerpExchange_PriceOutOfBand: a price is too far from the curve's mark.
            PerpExchange_ZeroSize, PerpExchange_SizeTooLarge: the size is not allowed.
            PerpExchange_NotReducing: a side that may only reduce would not.
            PerpExchange_WindingDown, PerpExchange_Settled: the market is ending.
            CircuitBreaker_Blocked: the tier does not allow a side.
            ActionPolicy_PriceStatus: the index is too bad for a side.
            PerpExchange_OpenInterestCap, PerpExchange_PoolShare: the market would be too big.
            MarginEngine_BelowInitialMargin: see there.
        """
        engine = self._parts.margin_engine
        engine.enter(self.address)
        if sender != self._parts.addresses.signed_orders:
            raise PerpExchange_NotSignedOrders(sender)
        p = self._parts.risk_parameters.market_trading(market)
        index = self._parts.feeds.fetch(p.index_asset)
        m = self._accrued(market, p, index.price)
        require_phase(market, m.phase, reduces=True)
        x = _Match(market, index, positions.skew(m), set())
        open_long, open_short = m.open_interest_long, m.open_interest_short

        sides = self._matched(x, m, p, taker, makers)
        assert positions.skew(m) == x.skew
        _require_open_interest(market, m.open_interest_long, open_long, p.max_open_interest)
        _require_open_interest(market, m.open_interest_short, open_short, p.max_open_interest)
        self._markets[market] = m
        self._emit(
            "MatchedPremiumMoved",
            market=market,
            premium=m.matched_premium,
            endsAt=m.matched_premium_ends_at,
        )
        unrealized = positions.close_out_total(m, index.price, p.skew_scale)
        cash = 0
        for s in sides:
            cash = self._book(
                s.account, market, s.position, s.size_delta, s.fill, s.fee, 0, unrealized
            )
        if m.open_interest_long > open_long:
            side = max(m.open_interest_long, m.open_interest_short)
            require_pool_share(market, side, index.price, cash, p)
        for s in sides:
            if s.must_meet_margin:
                engine.require_initial_margin(self.address, s.account, s.action)
        engine.exit(self.address)
        return sides[0].fill

    def _matched(
        self,
        x: _Match,
        m: Market,
        p: MarketTrading,
        taker: MatchTaker,
        makers: Sequence[MatchMaker],
    ) -> list[_Side]:
        middle = mark(m, p, x.index.price)
        size = cost = 0
        for maker in makers:
            _require_band(x.market, maker.price, middle, p.price_band)
            size += maker.size
            cost += pricing.fill_cost(_signed(maker.size, taker.buys), maker.price)
        require_size(size)
        paid = abs(cost)
        price = mul_div_up(paid, WAD, size) if taker.buys else mul_div_down(paid, WAD, size)
        matched_premium.blend(m, x.index.price, middle, price, size, p)
        delta = _signed(size, taker.buys)
        fee = mul_up(paid, p.taker_fee)
        sides = [self._side(x, m, p, taker.account, delta, price, cost, fee, taker.reduce_only)]
        for maker in makers:
            delta = _signed(maker.size, not taker.buys)
            cost = pricing.fill_cost(delta, maker.price)
            fee = mul_up(abs(cost), p.maker_fee)
            only = maker.reduce_only
            sides.append(self._side(x, m, p, maker.account, delta, maker.price, cost, fee, only))
        return sides

    def _side(
        self,
        x: _Match,
        m: Market,
        p: MarketTrading,
        account: AccountId,
        size_delta: int,
        price: int,
        cost: int,
        fee: int,
        reduce_only: bool,
    ) -> _Side:
        held = self._positions.get((account, x.market), FLAT)
        reduces = positions.is_reduction(held.size, size_delta)
        if reduce_only and not reduces:
            raise PerpExchange_NotReducing(account, x.market, held.size, size_delta)
        require_phase(x.market, m.phase, reduces)
        action = Action.REDUCE_POSITION if reduces else Action.INCREASE_POSITION
        if action not in x.seen:
            self._parts.circuit_breaker.require_allowed(action)
            require_status(action, x.index.status)
            x.seen.add(action)
        must_meet_margin = not reduces or cost > _pool_cost(x, size_delta, p.skew_scale)
        fill = positions.quote_at(m, held, size_delta, price, cost)
        position = self._move(account, x.market, m, size_delta, fill)
        return _Side(account, size_delta, fill, fee, position, action, must_meet_margin)


def _pool_cost(x: _Match, size_delta: int, skew_scale: int) -> int:
    """Return what the same trade against the pool would cost instead of the match."""
    price = pricing.fill_price(x.index.price, x.skew, size_delta, skew_scale)
    return pricing.fill_cost(size_delta, price)


def _require_band(market: int, price: int, middle: int, band: int) -> None:
    width = mul_down(middle, band)
    if not middle - width <= price <= middle + width:
        raise PerpExchange_PriceOutOfBand(market, price, middle - width, middle + width)


def _require_open_interest(market: int, now: int, before: int, maximum: int) -> None:
    if before < now > maximum:
        raise PerpExchange_OpenInterestCap(market, now, maximum)


def _signed(size: int, buys: bool) -> int:
    return size if buys else -size
