"""Twin of ``PerpViews``: what the exchange answers."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.model import matched_premium, positions, pricing
from bulkhead.model.exchange_markets import FLAT, mark, require_size
from bulkhead.model.exchange_winding_down import WindingDown
from bulkhead.model.math import WAD, mul_down, mul_up
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.reverts import PerpExchange_Settled
from bulkhead.model.types import (
    ZERO_ADDRESS,
    AccountId,
    Address,
    Fill,
    MarketExposure,
    MarketPhase,
)


@dataclass(slots=True)
class PoolExposure:
    """What the open positions of all markets mean to the pool; WAD settlement units."""

    positive: int = 0
    net: int = 0
    open_interest: int = 0
    worst: int = 0
    status: PriceStatus = PriceStatus.VALID


class PerpViews(WindingDown):
    """Views; none changes anything."""

    def exposures_of(self, account: AccountId) -> list[MarketExposure]:
        """Return every open position of an account, valued at current prices."""
        mask = self._market_mask.get(account, 0)
        return [self._exposure(account, i) for i in range(mask.bit_length()) if mask >> i & 1]

    def has_exposure(self, account: AccountId) -> bool:
        """Return whether an account has any open position."""
        return self._market_mask.get(account, 0) != 0

    def preview_trade(self, account: AccountId, market: int, size_delta: int) -> tuple[Fill, int]:
        """Return what ``trade`` would do now, and its fee with the instant spread.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
            PerpExchange_ZeroSize, PerpExchange_SizeTooLarge: the size is not allowed.
            PerpExchange_Settled: the market's last price is fixed.
        """
        self._when_unlocked()
        require_size(size_delta)
        m, p, index = self._current(market)
        if m.phase == MarketPhase.SETTLED:
            raise PerpExchange_Settled(market)
        held = self._positions.get((account, market), FLAT)
        fill = positions.quote_fill(m, held, size_delta, index.price, p.skew_scale)
        spread = 0 if positions.is_reduction(held.size, size_delta) else p.instant_spread
        return fill, mul_up(fill.notional, p.taker_fee + spread)

    def index_price(self, market: int) -> tuple[int, PriceStatus]:
        """Return the index price and its status.

        Raises:
            RiskParameters_UnknownMarket: the market is not listed.
        """
        trading = self._parts.risk_parameters.market_trading(market)
        data = self._index_of(market, trading.index_asset)
        return data.price, data.status

    def mark_price(self, market: int) -> int:
        """Return index · (1 + premium): that of the skew and that of pairs.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        if m.matched_premium == 0:
            return mark(m, p, index.price)
        premium = pricing.premium(positions.skew(m), p.skew_scale)
        premium = matched_premium.total(premium, m.matched_premium, p.max_premium)
        return mul_down(index.price, (WAD + premium) % 2**256)

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

    def pool_exposure(self, *, caller: Address = ZERO_ADDRESS) -> PoolExposure:
        """Return what all positions together mean to the pool, accrued to this second.

        Raises:
            CompartmentLock_Locked: another than the liquidity vault asks in the middle of a call.
        """
        if caller != self._parts.addresses.liquidity_vault:
            self._when_unlocked()
        e = PoolExposure()
        for market in range(self._parts.risk_parameters.market_count):
            stored = self.market_state(market)
            side = max(stored.open_interest_long, stored.open_interest_short)
            if side == 0:
                continue
            m, p, index = self._current(market)
            unrealized = positions.close_out_total(m, index.price, p.skew_scale)
            e.net += unrealized
            e.positive += max(unrealized, 0)
            if m.phase != MarketPhase.SETTLED:
                e.open_interest += mul_up(side, index.price)
            if index.status < e.status:
                e.worst, e.status = market, index.status
        return e

    def unrealized_pnl(self, market: int) -> int:
        """Return Σ unrealised profit of a market at mark, accrued to this second.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        return positions.unrealized_total(m, mark(m, p, index.price))

    def unrealized_pnl_of(self, account: AccountId, market: int) -> int:
        """Return a position's unrealised profit at mark, funding included.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        m, p, index = self._current(market)
        held = self._positions.get((account, market), FLAT)
        return positions.unrealized_of(m, held, mark(m, p, index.price))
