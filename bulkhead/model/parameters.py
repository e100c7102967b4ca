"""Twin of ``RiskParameters``: every tunable within hard bounds."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model import correlations, interest_bounds, roles
from bulkhead.model.bounds import MAX_AMOUNT, bound
from bulkhead.model.context import Cell, Contract, Table, external
from bulkhead.model.interest_curve import InterestParameters
from bulkhead.model.math import WAD
from bulkhead.model.parameter_bounds import (
    BPS,
    bound_name,
    require_breaker,
    require_compartment,
    require_margin,
    require_market,
    require_orders,
    require_pool,
)
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    RiskParameters_Immutable,
    RiskParameters_PairCount,
    RiskParameters_TokenAlreadyListed,
    RiskParameters_UnknownCollateral,
    RiskParameters_UnknownMarket,
    TokenScreen_Rebasing,
)
from bulkhead.model.types import (
    ZERO_ADDRESS,
    Address,
    BreakerThresholds,
    BreakerTiming,
    CollateralConfig,
    CompartmentParameters,
    MarginParameters,
    MarketLiquidation,
    MarketMargin,
    MarketTrading,
    OrderParameters,
    PoolParameters,
)

MAX_MARKETS = 16
MAX_COLLATERALS = 8
MAX_DEPTH = 10**31

BreakerRules = tuple[BreakerThresholds, tuple[str, ...], tuple[str, ...]]


class RiskParameters(Contract):
    """Parameters of one compartment; only the governor changes them."""

    def __init__(
        self,
        parts: Parts,
        parameters: CompartmentParameters,
        interest: InterestParameters,
        margin: MarginParameters,
        orders: OrderParameters,
        pool: PoolParameters,
        timing: BreakerTiming,
        thresholds: BreakerThresholds,
        watched_prices: Sequence[str],
        watched_pegs: Sequence[str],
    ) -> None:
        context = parts.context
        super().__init__(context, parts.addresses.risk_parameters)
        self._parts = parts
        self._market_count = Cell(context, 0)
        self._collateral_count = Cell(context, 0)
        self._trading: Table[int, MarketTrading] = Table(context)
        self._liquidation: Table[int, MarketLiquidation] = Table(context)
        self._collateral: Table[int, CollateralConfig] = Table(context)
        self._correlations: Table[int, int] = Table(context)
        self._depth_sources: Table[int, Address] = Table(context)
        require_compartment(parameters)
        interest_bounds.require_within(interest)
        require_margin(margin)
        require_orders(orders)
        require_pool(pool)
        require_breaker(timing, thresholds, watched_prices, watched_pegs)
        self._compartment = Cell(context, parameters)
        self._interest = Cell(context, interest)
        self._margin = Cell(context, margin)
        self._orders = Cell(context, orders)
        self._pool = Cell(context, pool)
        self._timing = Cell(context, timing)
        rules: BreakerRules = (thresholds, tuple(watched_prices), tuple(watched_pegs))
        self._rules = Cell(context, rules)

    # ------------------------------------------------------------------------- state-changing

    @external
    def set_market(
        self,
        sender: Address,
        market: int,
        trading: MarketTrading,
        liquidation: MarketLiquidation,
    ) -> None:
        """List the next market, or change a listed one.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_UnknownMarket: neither listed nor the next.
            RiskParameters_Immutable: the index asset of a listed market would change.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        count = self.market_count
        bound("market", market, 0, MAX_MARKETS - 1)
        if market > count:
            raise RiskParameters_UnknownMarket(market)
        if market == count:
            self._market_count.set(count + 1)
        elif self._trading[market].index_asset != trading.index_asset:
            raise RiskParameters_Immutable("indexAsset")
        known = self._trading.get(market)
        require_market(trading, liquidation, known.skew_scale if known else 0)
        self._trading[market] = trading
        self._liquidation[market] = liquidation
        self._emit("MarketConfigured", market=market, trading=trading, liquidation=liquidation)

    @external
    def set_collateral(self, sender: Address, collateral: int, config: CollateralConfig) -> None:
        """List the next collateral, or change a listed one.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_UnknownCollateral: neither listed nor the next.
            RiskParameters_TokenAlreadyListed: as another collateral, or as settlement token.
            RiskParameters_Immutable: what a listed collateral is would change.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        count = self.collateral_count
        bound("collateral", collateral, 1, MAX_COLLATERALS)
        if collateral > count + 1:
            raise RiskParameters_UnknownCollateral(collateral)
        if collateral == count + 1:
            self._collateral_count.set(collateral)
            self._require_listable(config, count)
        else:
            old = self._collateral[collateral]
            for name in ("token", "decimals", "pegged", "asset"):
                if getattr(old, name) != getattr(config, name):
                    raise RiskParameters_Immutable(name)
        bound_name("asset", config.asset)
        least, most = (0, 0) if config.pegged else (WAD // 100, WAD * 9 // 10)
        bound("haircut", config.haircut, least, most)
        bound("cap", config.cap, 0, MAX_AMOUNT)
        bound("depth", config.depth, 0, MAX_DEPTH)
        self._collateral[collateral] = config
        self._emit("CollateralConfigured", collateral=collateral, config=config)

    @external
    def set_compartment(self, sender: Address, parameters: CompartmentParameters) -> None:
        """Set the compartment's parameters.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        require_compartment(parameters)
        self._compartment.set(parameters)
        self._emit("CompartmentConfigured", parameters=parameters)

    @external
    def set_interest(self, sender: Address, parameters: InterestParameters) -> None:
        """Set what debt costs.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        interest_bounds.require_within(parameters)
        self._interest.set(parameters)
        self._emit("InterestConfigured", parameters=parameters)

    @external
    def set_margin(self, sender: Address, parameters: MarginParameters) -> None:
        """Set how margin adapts.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        require_margin(parameters)
        self._margin.set(parameters)
        self._emit("MarginConfigured", parameters=parameters)

    @external
    def set_orders(self, sender: Address, parameters: OrderParameters) -> None:
        """Set the rules of orders.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        require_orders(parameters)
        self._orders.set(parameters)
        self._emit("OrdersConfigured", parameters=parameters)

    @external
    def set_pool(self, sender: Address, parameters: PoolParameters) -> None:
        """Set the pool's rules.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        require_pool(parameters)
        self._pool.set(parameters)
        self._emit("PoolConfigured", parameters=parameters)

    @external
    def set_correlations(self, sender: Address, lower: Sequence[int]) -> None:
        """Set the correlations of the first markets: basis points, row by row.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_PairCount: not the pairs of at most all listed markets.
            RiskParameters_OutOfBounds: a correlation leaves its bounds.
            Correlations_NotPositiveDefinite: nothing can be correlated like that.
        """
        self._only_governor(sender)
        size = 1
        while correlations.index(size, 0) < len(lower):
            size += 1
        if correlations.index(size, 0) != len(lower) or size > self.market_count:
            raise RiskParameters_PairCount(len(lower), self.market_count)
        for value in lower:
            bound("correlation", value, 0, BPS - 1)
        correlations.require_positive_definite(lower, size)
        for i in range(MAX_MARKETS):
            self._correlations[i] = correlations.row(lower, size, i) if i < size else 0
        self._emit("CorrelationsConfigured", lower=tuple(lower))

    @external
    def set_depth_source(self, sender: Address, collateral: int, source: Address) -> None:
        """Set what measures the depth of a collateral's market; zero: nothing.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_UnknownCollateral: it is not listed.
        """
        self._only_governor(sender)
        self.collateral_config(collateral)
        self._depth_sources[collateral] = source
        self._emit("DepthSourceConfigured", collateral=collateral, source=source)

    @external
    def set_breaker(
        self,
        sender: Address,
        timing: BreakerTiming,
        thresholds: BreakerThresholds,
        watched_prices: Sequence[str],
        watched_pegs: Sequence[str],
    ) -> None:
        """Set the breaker's windows, thresholds and what it watches.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            RiskParameters_OutOfBounds: a parameter leaves its bounds.
        """
        self._only_governor(sender)
        require_breaker(timing, thresholds, watched_prices, watched_pegs)
        prices, pegs = tuple(watched_prices), tuple(watched_pegs)
        self._timing.set(timing)
        self._rules.set((thresholds, prices, pegs))
        self._emit(
            "BreakerConfigured",
            timing=timing,
            thresholds=thresholds,
            watchedPrices=prices,
            watchedPegs=pegs,
        )

    # ---------------------------------------------------------------------------------- views

    @property
    def market_count(self) -> int:
        """Number of listed markets."""
        return self._market_count.value

    @property
    def collateral_count(self) -> int:
        """Number of listed collaterals, the settlement token not counted."""
        return self._collateral_count.value

    def market_trading(self, market: int) -> MarketTrading:
        """Return a market's trading parameters.

        Raises:
            RiskParameters_UnknownMarket: it is not listed.
        """
        trading = self._trading.get(market)
        if trading is None:
            raise RiskParameters_UnknownMarket(market)
        return trading

    def funding_gain(self, market: int, tier: int) -> int:
        """Return what a tier, 1 to 4, multiplies the velocity of funding by, in basis points."""
        t = self.market_trading(market)
        return (t.funding_gain1, t.funding_gain2, t.funding_gain3, t.funding_gain4)[tier - 1]

    def market_liquidation(self, market: int) -> MarketLiquidation:
        """Return a market's liquidation parameters.

        Raises:
            RiskParameters_UnknownMarket: it is not listed.
        """
        if market >= self.market_count:
            raise RiskParameters_UnknownMarket(market)
        return self._liquidation[market]

    def market_margin(self, market: int) -> MarketMargin:
        """Return the part of a market's rules that its margin follows from.

        Raises:
            RiskParameters_UnknownMarket: it is not listed.
        """
        t = self.market_trading(market)
        return MarketMargin(
            t.initial_margin_ratio,
            t.maintenance_margin_ratio,
            t.max_initial_margin_ratio,
            t.volatility_multiplier,
        )

    def margin_parameters(self) -> MarginParameters:
        """Return how margin adapts."""
        return self._margin.value

    def order_parameters(self) -> OrderParameters:
        """Return the rules of orders."""
        return self._orders.value

    def pool_parameters(self) -> PoolParameters:
        """Return the pool's rules."""
        return self._pool.value

    def correlation_rows(self, markets: Sequence[int]) -> list[int]:
        """Return each market's row: 16 bits per other market, basis points plus one; 0: unknown."""
        return [self._correlations.get(market, 0) for market in markets]

    def depth_source(self, collateral: int) -> Address:
        """Return what measures the depth of a collateral's market; zero: nothing."""
        return self._depth_sources.get(collateral, ZERO_ADDRESS)

    def collateral_config(self, collateral: int) -> CollateralConfig:
        """Return a collateral's parameters.

        Raises:
            RiskParameters_UnknownCollateral: it is not listed.
        """
        config = self._collateral.get(collateral)
        if config is None:
            raise RiskParameters_UnknownCollateral(collateral)
        return config

    def compartment_parameters(self) -> CompartmentParameters:
        """Return the parameters of the whole compartment."""
        return self._compartment.value

    def interest_parameters(self) -> InterestParameters:
        """Return what debt costs."""
        return self._interest.value

    def breaker_timing(self) -> BreakerTiming:
        """Return the breaker's windows."""
        return self._timing.value

    def breaker_thresholds(self) -> BreakerRules:
        """Return the breaker's thresholds, and the prices and pegs that it watches."""
        return self._rules.value

    # ------------------------------------------------------------------------------- internal

    def _only_governor(self, sender: Address) -> None:
        self._parts.roles.require_role(roles.GOVERNOR, sender)

    def _require_listable(self, config: CollateralConfig, count: int) -> None:
        if config.token == self._parts.addresses.settlement_token:
            raise RiskParameters_TokenAlreadyListed(config.token)
        if any(self._collateral[i].token == config.token for i in range(1, count + 1)):
            raise RiskParameters_TokenAlreadyListed(config.token)
        token = self._parts.token(config.token)
        if token.rebases:
            raise TokenScreen_Rebasing(config.token, token.rebases)
        actual = token.decimals
        bound("decimals", config.decimals, actual, actual)
        bound("decimals", config.decimals, 0, 18)
