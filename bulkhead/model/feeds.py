"""Where a world's prices come from: the twins of oracle and peg monitor, or prices set by hand."""

from __future__ import annotations

from typing import Any, Protocol

from bulkhead.model.context import Context, Table
from bulkhead.model.math import WAD, mul_down
from bulkhead.model.oracle import (
    OracleAggregator,
    OracleAggregator_UnknownAsset,
    PriceData,
    PriceStatus,
)
from bulkhead.model.peg import PegMonitor_UnknownAsset
from bulkhead.model.peg_math import PegCondition, PegValuation


class PriceFeed(Protocol):
    """What the compartment asks of the oracle; ``now`` in Unix seconds."""

    def fetch(self, asset: str, now: int) -> PriceData:
        """Return the aggregate, recording it where it had to be formed."""
        ...

    def record(self, asset: str, now: int) -> PriceData:
        """Return a new aggregate and record it, whatever is cached."""
        ...

    def latest(self, asset: str, now: int) -> PriceData:
        """Return what ``fetch`` would, without writing."""
        ...

    def volatility(self, asset: str) -> int:
        """Return the realised volatility, WAD per square root of a day."""
        ...

    def twap(self, asset: str, window: int, now: int) -> int:
        """Return the mean over ``window`` seconds, WAD; reverts where too little is known."""
        ...


class PegFeed(Protocol):
    """What the compartment asks of the peg monitor."""

    def valuation(self, asset: str, now: int) -> PegValuation:
        """Return what one token is worth as collateral."""
        ...


class StaticOracle:
    """Prices set by hand."""

    def __init__(self) -> None:
        self._prices: dict[str, PriceData] = {}
        self._volatilities: dict[str, int] = {}

    def set(
        self,
        asset: str,
        price: int,
        status: PriceStatus = PriceStatus.VALID,
        published_at: int = 0,
        recorded_at: int = 0,
    ) -> None:
        """Set an asset's aggregate: WAD price, status, Unix seconds."""
        self._prices[asset] = PriceData(price, 0, published_at, recorded_at, status)

    def fetch(self, asset: str, now: int) -> PriceData:
        """Return the price that was set.

        Raises:
            OracleAggregator_UnknownAsset: none was.
        """
        return self.latest(asset, now)

    def record(self, asset: str, now: int) -> PriceData:
        """Return the price that was set.

        Raises:
            OracleAggregator_UnknownAsset: none was.
        """
        return self.latest(asset, now)

    def volatility(self, asset: str) -> int:
        """Return the volatility that was set, else zero."""
        return self._volatilities.get(asset, 0)

    def twap(self, asset: str, window: int, now: int) -> int:  # noqa: ARG002
        """Return the price that was set.

        Raises:
            OracleAggregator_UnknownAsset: none was.
        """
        return self.latest(asset, now).price

    def set_volatility(self, asset: str, volatility: int) -> None:
        """Set an asset's volatility, WAD per square root of a day."""
        self._volatilities[asset] = volatility

    def latest(self, asset: str, now: int) -> PriceData:  # noqa: ARG002
        """Return the price that was set.

        Raises:
            OracleAggregator_UnknownAsset: none was.
        """
        if asset not in self._prices:
            raise OracleAggregator_UnknownAsset(asset)
        return self._prices[asset]


class StaticPeg:
    """Valuations set by hand."""

    def __init__(self) -> None:
        self._valuations: dict[str, PegValuation] = {}

    def set(
        self,
        asset: str,
        market_price: int,
        haircut: int = 0,
        discount: int = 0,
        status: PriceStatus = PriceStatus.VALID,
    ) -> None:
        """Set a valuation: both prices are the market's less the haircut. WAD."""
        kept = mul_down(market_price, WAD - haircut)
        values = kept, kept, market_price, haircut, haircut, discount, 0
        self.put(asset, PegValuation(*values, PegCondition.SOUND, status))

    def put(self, asset: str, valuation: PegValuation) -> None:
        """Set a whole valuation."""
        self._valuations[asset] = valuation

    def valuation(self, asset: str, now: int) -> PegValuation:  # noqa: ARG002
        """Return the valuation that was set.

        Raises:
            PegMonitor_UnknownAsset: none was.
        """
        if asset not in self._valuations:
            raise PegMonitor_UnknownAsset(asset)
        return self._valuations[asset]


class Feeds:
    """Oracle and peg monitor as a compartment calls them: at block time, undone by reverts."""

    def __init__(self, context: Context, oracle: PriceFeed, peg: PegFeed) -> None:
        self._context = context
        self._oracle = oracle
        self._peg = peg

    def fetch(self, asset: str) -> PriceData:
        """Return the price, recording it where it had to be formed."""
        self._keep(asset)
        return self._oracle.fetch(asset, self._context.now)

    def record(self, asset: str) -> PriceData:
        """Return a new price, and record it."""
        self._keep(asset)
        return self._oracle.record(asset, self._context.now)

    def _keep(self, asset: str) -> None:
        if isinstance(self._oracle, OracleAggregator):
            assets: dict[str, Any] = self._oracle._assets
            if not isinstance(assets, Table):
                for name in self._oracle.sourced(asset):
                    self._context.undo.append((assets, name, assets[name]))

    def latest(self, asset: str) -> PriceData:
        """Return the price, without writing."""
        return self._oracle.latest(asset, self._context.now)

    def volatility(self, asset: str) -> int:
        """Return the realised volatility, WAD per square root of a day."""
        return self._oracle.volatility(asset)

    def twap(self, asset: str, window: int) -> int:
        """Return the mean price over the last ``window`` seconds, WAD."""
        return self._oracle.twap(asset, window, self._context.now)

    def peg(self, asset: str) -> PegValuation:
        """Return a pegged asset's valuation."""
        return self._peg.valuation(asset, self._context.now)
