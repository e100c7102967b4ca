"""Twin of ``PerpMarkets``: what every change of a market has in common.

Sizes are WAD base units, prices and values WAD settlement units.
"""

from __future__ import annotations

from bulkhead.model import funding, matched_premium, positions, pricing
from bulkhead.model.context import Contract, Table
from bulkhead.model.math import WAD, checked_uint, mul_div_down, mul_div_up, mul_up, to_int
from bulkhead.model.operators import TRADE
from bulkhead.model.oracle import PriceData, PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    PerpExchange_OpenInterestCap,
    PerpExchange_PoolShare,
    PerpExchange_PremiumCap,
    PerpExchange_Settled,
    PerpExchange_SizeTooLarge,
    PerpExchange_WindingDown,
    PerpExchange_ZeroSize,
)
from bulkhead.model.types import (
    AccountId,
    Action,
    Address,
    Fill,
    Market,
    MarketExposure,
    MarketPhase,
    MarketTrading,
    Position,
    Settlement,
    owner_of,
)

MAX_SIZE = 10**36
_BPS = 10**4
FLAT = Position()
EMPTY = Market()
NO_SETTLEMENT = Settlement()


class PerpMarkets(Contract):
    """Storage, funding, booking and caps."""

    def __init__(self, parts: Parts) -> None:
        context = parts.context
        super().__init__(context, parts.addresses.perp_exchange)
        self._parts = parts
        self._markets: Table[int, Market] = Table(context)
        self._positions: Table[tuple[AccountId, int], Position] = Table(context)
        self._settlements: Table[int, Settlement] = Table(context)
        self._market_mask: Table[AccountId, int] = Table(context)

    def position(self, account: AccountId, market: int) -> Position:
        """Return an account's position."""
        return self._positions.get((account, market), FLAT).copy()

    def market_state(self, market: int) -> Market:
        """Return a market's state as of its last touch."""
        return self._markets.get(market, EMPTY).copy()

    def _require_authorized(self, sender: Address, account: AccountId) -> None:
        engine = self._parts.margin_engine
        caller = engine.actor() if sender == engine.address else sender
        if owner_of(account) != caller:
            self._parts.account_operators.require_authorized(account, caller, TRADE)

    def _when_unlocked(self) -> None:
        if self._parts.margin_engine.is_locked():
            raise CompartmentLock_Locked()

    def _poke(self, market: int) -> None:
        p = self._parts.risk_parameters.market_trading(market)
        index = self._fetched(market, p.index_asset)
        m = self._markets.get(market, EMPTY)
        empty = m.open_interest_long == 0 and m.open_interest_short == 0
        if not empty and index.status == PriceStatus.UNCONFIRMED:
            return
        m = self._accrued(market, p, index.price)
        self._markets[market] = m
        if empty or index.status != PriceStatus.STALE:
            total = positions.close_out_total(m, index.price, p.skew_scale)
            self._parts.margin_engine.report_unrealized(self.address, market, total)

    def _close(self, account: AccountId, market: int, held: Position, size_delta: int) -> Fill:
        """Close without a fee, on the curve or at a settled market's last price."""
        p = self._parts.risk_parameters.market_trading(market)
        index = self._fetched(market, p.index_asset)
        require_status(Action.LIQUIDATE, index.status)
        m = self._accrued(market, p, index.price)
        fill = positions.quote_fill(m, held, size_delta, index.price, p.skew_scale)
        self._apply(account, market, m, size_delta, fill, 0, 0, index.price, p)
        return fill

    def _apply(
        self,
        account: AccountId,
        market: int,
        m: Market,
        size_delta: int,
        fill: Fill,
        fee: int,
        rebate: int,
        index: int,
        p: MarketTrading,
    ) -> int:
        position = self._move(account, market, m, size_delta, fill)
        self._markets[market] = m
        unrealized = positions.close_out_total(m, index, p.skew_scale)
        return self._book(account, market, position, size_delta, fill, fee, rebate, unrealized)

    def _move(
        self, account: AccountId, market: int, m: Market, size_delta: int, fill: Fill
    ) -> Position:
        """Move position, mask and, in memory, the market's sums; return the position after it."""
        position = self.position(account, market)
        positions.apply_fill(m, position, size_delta, fill)
        if abs(position.size) > MAX_SIZE:
            raise PerpExchange_SizeTooLarge(position.size, MAX_SIZE)
        self._positions[account, market] = position
        mask = self._market_mask.get(account, 0)
        bit = 1 << market
        new_mask = mask & ~bit if position.size == 0 else mask | bit
        if new_mask != mask:
            self._market_mask[account] = new_mask
        return position

    def _book(
        self,
        account: AccountId,
        market: int,
        position: Position,
        size_delta: int,
        fill: Fill,
        fee: int,
        rebate: int,
        unrealized: int,
    ) -> int:
        """Tell the world and the ledger what a fill was; return L after it."""
        self._emit(
            "Traded",
            account=account,
            market=market,
            sizeDelta=size_delta,
            quoteDelta=fill.quote_delta,
            realizedPnl=fill.realized_pnl,
            fundingPaid=fill.funding_paid,
            fee=fee,
            position=position,
        )
        return self._parts.margin_engine.settle(
            self.address, account, market, fill.realized_pnl, fee, rebate, unrealized
        )

    def _accrued(self, market: int, p: MarketTrading, index: int) -> Market:
        m, moved = self._accrued_view(market, p, index)
        if m.phase == MarketPhase.SETTLED:
            return m
        if moved:
            self._emit(
                "FundingAccrued",
                market=market,
                fundingRate=m.funding_rate,
                cumulativeFundingPerUnit=m.cumulative_funding_per_unit,
                indexPrice=index,
            )
        gain = self._gain(market)
        if gain != (m.funding_gain or funding.BPS):
            m.funding_gain = gain
            self._emit("FundingGainChanged", market=market, gainBps=gain)
        return m

    def _gain(self, market: int) -> int:
        """Return what the breaker's tier multiplies the velocity of funding by, in basis points."""
        tier = self._parts.circuit_breaker.tier()
        return self._parts.risk_parameters.funding_gain(market, tier) if tier else funding.BPS

    def _accrued_view(self, market: int, p: MarketTrading, index: int) -> tuple[Market, bool]:
        m = self.market_state(market)
        if m.phase == MarketPhase.SETTLED:
            return m, False
        now = self._context.now
        elapsed = checked_uint(now - m.funding_updated_at)
        moved = elapsed != 0 and m.funding_updated_at != 0
        if moved:
            premium = pricing.premium(positions.skew(m), p.skew_scale)
            if m.matched_premium:
                elapsed = matched_premium.accrue(m, premium, elapsed, index, p)
            if elapsed:
                funding.accrue_market(m, premium, elapsed, index, p)
        m.funding_updated_at = now
        return m, moved

    def _current(self, market: int) -> tuple[Market, MarketTrading, PriceData]:
        p = self._parts.risk_parameters.market_trading(market)
        index = self._index_of(market, p.index_asset)
        return self._accrued_view(market, p, index.price)[0], p, index

    def _index_of(self, market: int, asset: str) -> PriceData:
        """Return the oracle's word, or the one that was fixed for good."""
        if self._markets.get(market, EMPTY).phase == MarketPhase.SETTLED:
            return PriceData(self._settlements[market].price, 0, 0, 0, PriceStatus.VALID)
        return self._parts.feeds.latest(asset)

    def _fetched(self, market: int, asset: str) -> PriceData:
        """Return the same, recorded where the oracle had to form it."""
        if self._markets.get(market, EMPTY).phase == MarketPhase.SETTLED:
            return self._index_of(market, asset)
        return self._parts.feeds.fetch(asset)

    def _exposure(self, account: AccountId, market: int) -> MarketExposure:
        m, p, index = self._current(market)
        held = self._positions[account, market]
        settled = m.phase == MarketPhase.SETTLED
        # Nothing is asked for what cannot move any more, nor does it offset what can.
        notional = 0 if settled else mul_up(abs(held.size), index.price)
        scale = p.skew_scale
        cost = 0 if settled else pricing.close_out_cost(index.price, held.size, scale)
        return MarketExposure(
            market=market,
            index_asset=p.index_asset,
            notional=to_int(notional) if held.size >= 0 else -to_int(notional),
            unrealized_pnl=positions.unrealized_of(m, held, mark(m, p, index.price)),
            index_pnl=positions.unrealized_of(m, held, index.price),
            close_out_cost=cost,
            status=index.status,
        )


def mark(m: Market, p: MarketTrading, index: int) -> int:
    return positions.mark_price(m, index, p.skew_scale)


def require_phase(market: int, phase: MarketPhase, reduces: bool) -> None:
    """Raise unless a market's phase lets an account trade in it."""
    if phase == MarketPhase.SETTLED:
        raise PerpExchange_Settled(market)
    if phase == MarketPhase.WINDING_DOWN and not reduces:
        raise PerpExchange_WindingDown(market)


def require_caps(
    market: int, m: Market, skew_before: int, size_delta: int, p: MarketTrading
) -> None:
    open_interest = m.open_interest_long if size_delta > 0 else m.open_interest_short
    if open_interest > p.max_open_interest:
        raise PerpExchange_OpenInterestCap(market, open_interest, p.max_open_interest)
    skew_now = positions.skew(m)
    turns = skew_now != 0 and (skew_now > 0) != (skew_before > 0)
    if turns or abs(skew_now) > abs(skew_before):
        premium = mul_div_up(abs(skew_now), WAD, p.skew_scale)
        if premium > p.max_premium:
            raise PerpExchange_PremiumCap(market, premium, p.max_premium)


def require_pool_share(
    market: int, side: int, index: int, pool_cash: int, p: MarketTrading
) -> None:
    notional = mul_up(side, index)
    maximum = mul_div_down(pool_cash, p.max_pool_share_bps, _BPS)
    if notional > maximum:
        raise PerpExchange_PoolShare(market, notional, maximum)


def require_size(size_delta: int) -> None:
    if size_delta == 0:
        raise PerpExchange_ZeroSize()
    if abs(size_delta) > MAX_SIZE:
        raise PerpExchange_SizeTooLarge(size_delta, MAX_SIZE)
