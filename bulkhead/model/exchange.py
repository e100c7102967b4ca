"""Twin of ``PerpExchange``: all perpetual markets of a compartment.

Sizes are WAD base units, prices and values WAD settlement units.
"""

from __future__ import annotations

from bulkhead.model import funding, positions, pricing
from bulkhead.model.context import Contract, Table, external
from bulkhead.model.math import WAD, mul_div_up, mul_up, to_int
from bulkhead.model.operators import TRADE
from bulkhead.model.oracle import PriceData, PriceStatus
from bulkhead.model.parts import Parts
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    PerpExchange_NotAuthorized,
    PerpExchange_NotLiquidationEngine,
    PerpExchange_NotReducing,
    PerpExchange_OpenInterestCap,
    PerpExchange_PremiumCap,
    PerpExchange_PriceNotAcceptable,
    PerpExchange_SizeTooLarge,
    PerpExchange_ZeroSize,
)
from bulkhead.model.types import (
    AccountId,
    Action,
    Address,
    Fill,
    Market,
    MarketExposure,
    MarketTrading,
    Position,
    owner_of,
)

MAX_SIZE = 10**36
_FLAT = Position()
_EMPTY = Market()


class PerpExchange(Contract):
    """Fills are made by the pool at a price that depends on the skew."""

    def __init__(self, parts: Parts) -> None:
        context = parts.context
        super().__init__(context, parts.addresses.perp_exchange)
        self._parts = parts
        self._markets: Table[int, Market] = Table(context)
        self._positions: Table[tuple[AccountId, int], Position] = Table(context)
        self._market_mask: Table[AccountId, int] = Table(context)

    # ------------------------------------------------------------------------- state-changing

    @external
    def trade(
        self,
        sender: Address,
        account: AccountId,
        market: int,
        size_delta: int,
        acceptable_price: int,
    ) -> Fill:
        """Trade against the pool: > 0 buys at ``acceptable_price`` at most, < 0 sells at least.

        Raises:
            CompartmentLock_Locked: called from within a call.
            AccountOperators_NotAuthorized: neither owner nor an operator who may trade.
            PerpExchange_ZeroSize, PerpExchange_SizeTooLarge: the size is not allowed.
            CircuitBreaker_Blocked: the tier does not allow it.
            RiskParameters_UnknownMarket: the market is not listed.
            ActionPolicy_PriceStatus: the index is too bad.
            PerpExchange_PriceNotAcceptable: the fill price is worse.
            PerpExchange_OpenInterestCap, PerpExchange_PremiumCap: the market would be too big.
            MarginEngine_BelowInitialMargin: see there.
        """
        engine = self._parts.margin_engine
        engine.enter(self.address)
        self._require_authorized(sender, account)
        _require_size(size_delta)
        held = self._positions.get((account, market), _FLAT)
        reduces = positions.is_reduction(held.size, size_delta)
        action = Action.REDUCE_POSITION if reduces else Action.INCREASE_POSITION
        self._parts.circuit_breaker.require_allowed(action)

        p = self._parts.risk_parameters.market_trading(market)
        index = self._parts.feeds.fetch(p.index_asset)
        require_status(action, index.status)
        m = self._accrued(market, p, index.price)
        fill = positions.quote_fill(m, held, size_delta, index.price, p.skew_scale)
        price = fill.fill_price
        if price > acceptable_price if size_delta > 0 else price < acceptable_price:
            raise PerpExchange_PriceNotAcceptable(price, acceptable_price)
        fee = mul_up(fill.notional, p.taker_fee)
        skew_before = positions.skew(m)
        self._apply(account, market, m, size_delta, fill, fee, index.price, p)
        if not reduces:
            _require_caps(market, m, skew_before, size_delta, p)
            engine.require_initial_margin(self.address, account, action)
        engine.exit(self.address)
        return fill

    @external
    def poke(self, sender: Address, market: int) -> None:  # noqa: ARG002
        """Accrue a market's funding and refresh its U_m. Anyone may call it.

        Raises:
            CompartmentLock_Locked: called from within a call.
            RiskParameters_UnknownMarket: the market is not listed.
        """
        self._parts.margin_engine.enter(self.address)
        self._poke(market)
        self._parts.margin_engine.exit(self.address)

    def refresh_all(self, sender: Address) -> None:
        """Poke every market, for liquidity vault and liquidation engine, which hold the lock.

        Raises:
            PerpExchange_NotAuthorized: the sender is another.
        """
        a = self._parts.addresses
        if sender not in (a.liquidity_vault, a.liquidation_engine):
            raise PerpExchange_NotAuthorized(sender)
        for market in range(self._parts.risk_parameters.market_count):
            self._poke(market)

    def liquidate_position(
        self, sender: Address, account: AccountId, market: int, size_delta: int
    ) -> Fill:
        """Close a part of a position on the pool's curve, without a fee.

        Raises:
            PerpExchange_NotLiquidationEngine: the sender is another.
            PerpExchange_NotReducing: it would not reduce the position.
            ActionPolicy_PriceStatus: the index is too bad.
        """
        if sender != self._parts.addresses.liquidation_engine:
            raise PerpExchange_NotLiquidationEngine(sender)
        held = self._positions.get((account, market), _FLAT)
        if not positions.is_reduction(held.size, size_delta):
            raise PerpExchange_NotReducing(account, market, held.size, size_delta)
        p = self._parts.risk_parameters.market_trading(market)
        index = self._parts.feeds.fetch(p.index_asset)
        require_status(Action.LIQUIDATE, index.status)
        m = self._accrued(market, p, index.price)
        fill = positions.quote_fill(m, held, size_delta, index.price, p.skew_scale)
        self._apply(account, market, m, size_delta, fill, 0, index.price, p)
        return fill

    # ---------------------------------------------------------------------------------- views

    def exposures_of(self, account: AccountId) -> list[MarketExposure]:
        """Return every open position of an account, valued at current prices."""
        mask = self._market_mask.get(account, 0)
        return [self._exposure(account, i) for i in range(mask.bit_length()) if mask >> i & 1]

    def has_exposure(self, account: AccountId) -> bool:
        """Return whether an account has any open position."""
        return self._market_mask.get(account, 0) != 0

    def preview_trade(self, account: AccountId, market: int, size_delta: int) -> tuple[Fill, int]:
        """Return what ``trade`` would do now, and its fee.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
            PerpExchange_ZeroSize, PerpExchange_SizeTooLarge: the size is not allowed.
        """
        self._when_unlocked()
        _require_size(size_delta)
        m, p, index = self._current(market)
        held = self._positions.get((account, market), _FLAT)
        fill = positions.quote_fill(m, held, size_delta, index.price, p.skew_scale)
        return fill, mul_up(fill.notional, p.taker_fee)

    def position(self, account: AccountId, market: int) -> Position:
        """Return an account's position."""
        return self._positions.get((account, market), _FLAT).copy()

    def market_state(self, market: int) -> Market:
        """Return a market's state as of its last touch."""
        return self._markets.get(market, _EMPTY).copy()

    def index_price(self, market: int) -> tuple[int, PriceStatus]:
        """Return the index price and its status.

        Raises:
            RiskParameters_UnknownMarket: the market is not listed.
        """
        trading = self._parts.risk_parameters.market_trading(market)
        data = self._parts.feeds.latest(trading.index_asset)
        return data.price, data.status

    def mark_price(self, market: int) -> int:
        """Return index · (1 + skew / skewScale).

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        return _mark(m, p, index.price)

    def funding_rate(self, market: int) -> int:
        """Return the funding rate per day now."""
        return self._current(market)[0].funding_rate

    def close_out_pnl(self, market: int) -> int:
        """Return U_m: what closing every position of a market would pay, accrued to now.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
            RiskParameters_UnknownMarket: the market is not listed.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        return positions.close_out_total(m, index.price, p.skew_scale)

    def unrealized_pnl(self, market: int) -> int:
        """Return Σ unrealised profit of a market at mark, accrued to this second.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        return positions.unrealized_total(m, _mark(m, p, index.price))

    def unrealized_pnl_of(self, account: AccountId, market: int) -> int:
        """Return a position's unrealised profit at mark, funding included.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        held = self._positions.get((account, market), _FLAT)
        return positions.unrealized_of(m, held, _mark(m, p, index.price))

    # ------------------------------------------------------------------------------- internal

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
        index = self._parts.feeds.fetch(p.index_asset)
        m = self._markets.get(market, _EMPTY)
        empty = m.open_interest_long == 0 and m.open_interest_short == 0
        if not empty and index.status == PriceStatus.UNCONFIRMED:
            return
        m = self._accrued(market, p, index.price)
        self._markets[market] = m
        if empty or index.status != PriceStatus.STALE:
            total = positions.close_out_total(m, index.price, p.skew_scale)
            self._parts.margin_engine.report_unrealized(self.address, market, total)

    def _apply(
        self,
        account: AccountId,
        market: int,
        m: Market,
        size_delta: int,
        fill: Fill,
        fee: int,
        index: int,
        p: MarketTrading,
    ) -> None:
        position = self.position(account, market)
        positions.apply_fill(m, position, size_delta, fill)
        if abs(position.size) > MAX_SIZE:
            raise PerpExchange_SizeTooLarge(position.size, MAX_SIZE)
        self._positions[account, market] = position
        self._markets[market] = m
        mask = self._market_mask.get(account, 0)
        bit = 1 << market
        new_mask = mask & ~bit if position.size == 0 else mask | bit
        if new_mask != mask:
            self._market_mask[account] = new_mask
        unrealized = positions.close_out_total(m, index, p.skew_scale)
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
        self._parts.margin_engine.settle(
            self.address, account, market, fill.realized_pnl, fee, unrealized
        )

    def _accrued(self, market: int, p: MarketTrading, index: int) -> Market:
        m, moved = self._accrued_view(market, p, index)
        if moved:
            self._emit(
                "FundingAccrued",
                market=market,
                fundingRate=m.funding_rate,
                cumulativeFundingPerUnit=m.cumulative_funding_per_unit,
                indexPrice=index,
            )
        return m

    def _accrued_view(self, market: int, p: MarketTrading, index: int) -> tuple[Market, bool]:
        m = self.market_state(market)
        return m, funding.accrue_market(m, p, index, self._context.now)

    def _current(self, market: int) -> tuple[Market, MarketTrading, PriceData]:
        p = self._parts.risk_parameters.market_trading(market)
        index = self._parts.feeds.latest(p.index_asset)
        return self._accrued_view(market, p, index.price)[0], p, index

    def _exposure(self, account: AccountId, market: int) -> MarketExposure:
        m, p, index = self._current(market)
        held = self._positions[account, market]
        notional = mul_up(abs(held.size), index.price)
        return MarketExposure(
            market=market,
            index_asset=p.index_asset,
            notional=to_int(notional) if held.size >= 0 else -to_int(notional),
            unrealized_pnl=positions.unrealized_of(m, held, _mark(m, p, index.price)),
            index_pnl=positions.unrealized_of(m, held, index.price),
            close_out_cost=pricing.close_out_cost(index.price, held.size, p.skew_scale),
            status=index.status,
        )


def _mark(m: Market, p: MarketTrading, index: int) -> int:
    return pricing.mark_price(index, positions.skew(m), p.skew_scale)


def _require_caps(
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


def _require_size(size_delta: int) -> None:
    if size_delta == 0:
        raise PerpExchange_ZeroSize()
    if abs(size_delta) > MAX_SIZE:
        raise PerpExchange_SizeTooLarge(size_delta, MAX_SIZE)
