"""Twin of ``PerpExchange``: all perpetual markets of a compartment.

Sizes are WAD base units, prices and values WAD settlement units.
"""

from __future__ import annotations

from bulkhead.model import positions, rebates
from bulkhead.model.context import external
from bulkhead.model.exchange_markets import (
    FLAT,
    require_caps,
    require_phase,
    require_pool_share,
    require_size,
)
from bulkhead.model.exchange_matching import PerpMatching
from bulkhead.model.math import mul_up
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    PerpExchange_NotAuthorized,
    PerpExchange_NotLiquidationEngine,
    PerpExchange_NotReducing,
    PerpExchange_PriceNotAcceptable,
)
from bulkhead.model.types import (
    AccountId,
    Action,
    Address,
    Fill,
)


class PerpExchange(PerpMatching):
    """Fills are made by the pool at a price that depends on the skew."""

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
            PerpExchange_WindingDown, PerpExchange_Settled: the market is ending.
            RiskParameters_UnknownMarket: the market is not listed.
            ActionPolicy_PriceStatus: the index is too bad.
            PerpExchange_PriceNotAcceptable: the fill price is worse.
            PerpExchange_OpenInterestCap, PerpExchange_PremiumCap, PerpExchange_PoolShare: the
                market would be too big.
            MarginEngine_BelowInitialMargin: see there.
        """
        engine = self._parts.margin_engine
        engine.enter(self.address)
        self._require_authorized(sender, account)
        require_size(size_delta)
        fill = self._fill(account, market, size_delta, acceptable_price, 0)
        engine.exit(self.address)
        return fill

    def fill_order(
        self,
        sender: Address,
        account: AccountId,
        market: int,
        size_delta: int,
        acceptable_price: int,
        fixed_price: int,
        reduce_only: bool,
    ) -> Fill:
        """Trade at an index price that was recorded before, for ``DelayedOrders``.

        Raises:
            PerpExchange_NotAuthorized: the sender is another.
            PerpExchange_NotReducing: there is nothing to reduce.
            Else as ``trade``, from the breaker on.
        """
        if sender != self._parts.addresses.delayed_orders:
            raise PerpExchange_NotAuthorized(sender)
        if reduce_only:
            size = self._positions.get((account, market), FLAT).size
            if abs(size_delta) > abs(size) and (size > 0) != (size_delta > 0):
                size_delta = -size
            if not positions.is_reduction(size, size_delta):
                raise PerpExchange_NotReducing(account, market, size, size_delta)
        return self._fill(account, market, size_delta, acceptable_price, fixed_price)

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
        held = self._positions.get((account, market), FLAT)
        if not positions.is_reduction(held.size, size_delta):
            raise PerpExchange_NotReducing(account, market, held.size, size_delta)
        return self._close(account, market, held, size_delta)

    def _fill(
        self,
        account: AccountId,
        market: int,
        size_delta: int,
        acceptable_price: int,
        fixed_price: int,
    ) -> Fill:
        held = self._positions.get((account, market), FLAT)
        reduces = positions.is_reduction(held.size, size_delta)
        action = Action.REDUCE_POSITION if reduces else Action.INCREASE_POSITION
        self._parts.circuit_breaker.require_allowed(action)
        require_phase(market, self.market_state(market).phase, reduces)

        p = self._parts.risk_parameters.market_trading(market)
        index = self._parts.feeds.fetch(p.index_asset)
        require_status(action, index.status)
        m = self._accrued(market, p, index.price)
        at = fixed_price or index.price
        fill = positions.quote_fill(m, held, size_delta, at, p.skew_scale)
        price = fill.fill_price
        if price > acceptable_price if size_delta > 0 else price < acceptable_price:
            raise PerpExchange_PriceNotAcceptable(price, acceptable_price)
        spread = 0 if reduces or fixed_price else p.instant_spread
        fee = mul_up(fill.notional, p.taker_fee + spread)
        skew_before = positions.skew(m)
        rebate = rebates.rebate_of(fill.notional, size_delta, skew_before, p)
        cash = self._apply(account, market, m, size_delta, fill, fee, rebate, index.price, p)
        if not reduces:
            require_caps(market, m, skew_before, size_delta, p)
            side = m.open_interest_long if size_delta > 0 else m.open_interest_short
            require_pool_share(market, side, index.price, cash, p)
            self._parts.margin_engine.require_initial_margin(self.address, account, action)
        return fill
