"""Twin of ``WindingDown``: how a market ends.

Prices are WAD settlement units, times Unix seconds.
"""

from __future__ import annotations

from bulkhead.model import positions
from bulkhead.model.context import external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.exchange_markets import EMPTY, FLAT, NO_SETTLEMENT, PerpMarkets
from bulkhead.model.math import DAY, to_uint
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.reverts import (
    PerpExchange_NoSettlementPrice,
    PerpExchange_NoticeRunning,
    PerpExchange_WrongPhase,
    PerpExchange_ZeroSize,
)
from bulkhead.model.roles import GOVERNOR
from bulkhead.model.types import (
    AccountId,
    Action,
    Address,
    Fill,
    MarketPhase,
    Settlement,
)

WIND_DOWN_NOTICE = DAY
SETTLEMENT_WINDOW = 3_600


class WindingDown(PerpMarkets):
    """Reductions only; after a notice one price is fixed, and anyone closes any position at it."""

    @external
    def wind_down(self, sender: Address, market: int) -> None:
        """Let a market end.

        Raises:
            CompartmentLock_Locked: called from within a call.
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_UnknownMarket: the market is not listed.
            PerpExchange_WrongPhase: it is ending already.
        """
        self._parts.margin_engine.enter(self.address)
        self._parts.roles.require_role(GOVERNOR, sender)
        self._parts.risk_parameters.market_trading(market)
        self._require_in(market, MarketPhase.OPEN)
        m = self.market_state(market)
        m.phase = MarketPhase.WINDING_DOWN
        self._markets[market] = m
        fixable_at = self._context.now + WIND_DOWN_NOTICE
        self._settlements[market] = Settlement(0, fixable_at)
        self._emit("WindDownStarted", market=market, fixableAt=fixable_at)
        self._parts.margin_engine.exit(self.address)

    @external
    def fix_settlement(self, sender: Address, market: int) -> None:  # noqa: ARG002
        """Fix the price at which every position of a market is closed; anyone may.

        Raises:
            CompartmentLock_Locked: called from within a call.
            PerpExchange_WrongPhase: the market is not being wound down.
            PerpExchange_NoticeRunning: traders have not had their time to close yet.
            PerpExchange_NoSettlementPrice: there is no price that will do.
        """
        self._parts.margin_engine.enter(self.address)
        self._require_in(market, MarketPhase.WINDING_DOWN)
        fixable_at = self._settlements[market].fixable_at
        if self._context.now < fixable_at:
            raise PerpExchange_NoticeRunning(market, fixable_at)
        p = self._parts.risk_parameters.market_trading(market)
        price = self._final_price(market, p.index_asset, fixable_at)
        m = self._accrued(market, p, price)
        m.phase = MarketPhase.SETTLED
        m.funding_rate = m.matched_premium = m.matched_premium_ends_at = 0
        self._markets[market] = m
        self._settlements[market] = Settlement(to_uint(price, 128), fixable_at)
        self._emit("SettlementFixed", market=market, price=price)
        total = positions.close_out_total(m, price, p.skew_scale)
        self._parts.margin_engine.report_unrealized(self.address, market, total)
        self._parts.margin_engine.exit(self.address)

    @external
    def settle_position(self, sender: Address, account: AccountId, market: int) -> Fill:  # noqa: ARG002
        """Close anybody's position at the price that was fixed; anyone may.

        Raises:
            CompartmentLock_Locked: called from within a call.
            PerpExchange_WrongPhase: the market is not settled.
            CircuitBreaker_Blocked: a halt.
            PerpExchange_ZeroSize: there is no position.
        """
        self._parts.margin_engine.enter(self.address)
        self._require_in(market, MarketPhase.SETTLED)
        self._parts.circuit_breaker.require_allowed(Action.REDUCE_POSITION)
        held = self._positions.get((account, market), FLAT)
        if held.size == 0:
            raise PerpExchange_ZeroSize()
        fill = self._close(account, market, held, -held.size)
        self._parts.margin_engine.exit(self.address)
        return fill

    def settlement(self, market: int) -> Settlement:
        """Return when a market's last price may be fixed, and what it is."""
        return self._settlements.get(market, NO_SETTLEMENT)

    def is_settled(self, market: int) -> bool:
        """Return whether a market's last price is fixed."""
        return self._markets.get(market, EMPTY).phase == MarketPhase.SETTLED

    def _final_price(self, market: int, asset: str, fixable_at: int) -> int:
        try:
            mean = self._parts.feeds.twap(asset, SETTLEMENT_WINDOW)
        except ModelRevert:
            mean = 0
        if mean:
            return mean
        if self._context.now >= fixable_at + WIND_DOWN_NOTICE:
            index = self._parts.feeds.latest(asset)
            if index.status != PriceStatus.UNCONFIRMED and index.price:
                return index.price
        raise PerpExchange_NoSettlementPrice(market, fixable_at + WIND_DOWN_NOTICE)

    def _require_in(self, market: int, phase: MarketPhase) -> None:
        now = self._markets.get(market, EMPTY).phase
        if now != phase:
            raise PerpExchange_WrongPhase(market, now, phase)
