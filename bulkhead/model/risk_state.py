"""Twin of ``RiskState``: what adapts in margin: rates, stress and market depth. WAD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bulkhead.model import margin_rates
from bulkhead.model.context import Cell, Contract, Table, external
from bulkhead.model.math import DAY, UINT256_MAX, WAD, mul_div_down, mul_div_up, to_uint
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import RiskEngine_NoDepthSource
from bulkhead.model.types import ZERO_ADDRESS, Address, MarginParameters

MAX_DEPTH_FALL = WAD // 2
MAX_VESTING = 30 * DAY
UNBOUNDED = UINT256_MAX

DepthSource = Callable[[], int | None]
"""What a depth source answers; None: it fails."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A figure that rises at a bounded speed; 0 seconds: never moved."""

    value: int = 0
    moved_at: int = 0


@dataclass(frozen=True, slots=True)
class DepthState:
    """Depth of a collateral's market, in WAD units of the token; 0 seconds: never measured."""

    measured: int = 0
    kept: int = 0
    measured_at: int = 0


class RiskState(Contract):
    """Margin rates, stress and depth, and those who move them.

    Attributes:
        depth_sources: what the sources of depth answer, by address.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.context, parts.addresses.risk_engine)
        self._parts = parts
        self._ratios: Table[int, Followed] = Table(parts.context)
        self._stress = Cell(parts.context, Followed())
        self._depths: Table[int, DepthState] = Table(parts.context)
        self.depth_sources: dict[Address, DepthSource] = {}

    # ------------------------------------------------------------------------- state-changing

    @external
    def poke(self, sender: Address, market: int) -> None:  # noqa: ARG002
        """Let a market's maintenance rate and the stress of maintenance follow their targets.

        Raises:
            RiskParameters_UnknownMarket: it is not listed.
        """
        p = self._parts.risk_parameters.margin_parameters()
        tier = self._parts.circuit_breaker.tier()
        asset = self._parts.risk_parameters.market_trading(market).index_asset
        _, ratio = self._rates(market, asset, p, tier)
        if self._has_moved(self._ratios.get(market, Followed()), ratio):
            self._ratios[market] = Followed(to_uint(ratio, 128), self._context.now)
            self._emit("MaintenanceRateMoved", market=market, ratio=ratio)
        _, stress = self._stress_now(p, tier)
        if self._has_moved(self._stress.value, stress):
            self._stress.set(Followed(to_uint(stress, 128), self._context.now))
            self._emit("StressMoved", stress=stress)

    @external
    def measure_depth(self, sender: Address, collateral: int) -> None:  # noqa: ARG002
        """Measure the depth of a collateral's market.

        Raises:
            RiskParameters_UnknownCollateral: it is not listed.
            RiskEngine_NoDepthSource: nothing measures it, or ever did.
        """
        c = self._parts.risk_parameters.collateral_config(collateral)
        source = self._parts.risk_parameters.depth_source(collateral)
        if source == ZERO_ADDRESS:
            if not self._depths.get(collateral, DepthState()).measured_at:
                raise RiskEngine_NoDepthSource(collateral)
            del self._depths[collateral]
            self._emit("DepthMeasured", collateral=collateral, measured=c.depth, kept=c.depth)
            return
        ask = self.depth_sources.get(source)
        answer = ask() if ask else None
        measured = min(answer or 0, c.depth)
        s = self._depths.get(collateral, DepthState())
        kept = max(measured, self._least_depth(s) if s.measured_at else c.depth)
        self._depths[collateral] = DepthState(
            to_uint(measured, 104), to_uint(kept, 104), self._context.now
        )
        self._emit("DepthMeasured", collateral=collateral, measured=measured, kept=kept)

    # ---------------------------------------------------------------------------------- views

    def margin_rates(self, market: int) -> tuple[int, int]:
        """Return the initial and the maintenance rate of a market now.

        Raises:
            RiskParameters_UnknownMarket: it is not listed.
        """
        asset = self._parts.risk_parameters.market_trading(market).index_asset
        p = self._parts.risk_parameters.margin_parameters()
        return self._rates(market, asset, p, self._parts.circuit_breaker.tier())

    def vesting_period(self, market: int) -> int:
        """Return the seconds over which a profit from a market vests if it is made now.

        Raises:
            RiskParameters_UnknownMarket: it is not listed.
        """
        period = self._parts.risk_parameters.compartment_parameters().vesting_period
        initial, _ = self.margin_rates(market)
        least = self._parts.risk_parameters.market_margin(market).initial_ratio
        return min(MAX_VESTING, mul_div_up(period, initial, least))

    def stress_levels(self) -> tuple[int, int]:
        """Return stress for initial and for maintenance margin now."""
        p = self._parts.risk_parameters.margin_parameters()
        return self._stress_now(p, self._parts.circuit_breaker.tier())

    def depths(self, collateral: int) -> tuple[int, int]:
        """Return the depth of a collateral's market for initial and maintenance valuation.

        Raises:
            RiskParameters_UnknownCollateral: it is not listed.
        """
        believed = self._parts.risk_parameters.collateral_config(collateral).depth
        return self._depths_of(collateral, believed)

    def followed_ratio(self, market: int) -> Followed:
        """Return a market's maintenance rate as last moved."""
        return self._ratios.get(market, Followed())

    def followed_stress(self) -> Followed:
        """Return the stress of maintenance as last moved."""
        return self._stress.value

    def depth_state(self, collateral: int) -> DepthState:
        """Return a collateral's depth as last measured."""
        return self._depths.get(collateral, DepthState())

    # ------------------------------------------------------------------------------- internal

    def _rates(self, market: int, asset: str, p: MarginParameters, tier: int) -> tuple[int, int]:
        m = self._parts.risk_parameters.market_margin(market)
        volatility = self._parts.feeds.volatility(asset)
        initial = margin_rates.initial_rate(m, p, volatility, tier)
        target = margin_rates.maintenance_target(m, initial)
        at_rest = m.maintenance_ratio
        followed = self._follow(self.followed_ratio(market), at_rest, target, p.max_ratio_rise)
        return initial, max(m.maintenance_ratio, followed)

    def _stress_now(self, p: MarginParameters, tier: int) -> tuple[int, int]:
        initial = margin_rates.stress(p, tier)
        at_rest = margin_rates.stress(p, 0)
        return initial, self._follow(self._stress.value, at_rest, initial, p.max_stress_rise)

    def _depths_of(self, collateral: int, believed: int) -> tuple[int, int]:
        if believed == 0:
            return UNBOUNDED, UNBOUNDED
        s = self._depths.get(collateral, DepthState())
        if s.measured_at == 0:
            return believed, believed
        return min(s.measured, believed), min(s.kept, believed)

    def _follow(self, f: Followed, at_rest: int, target: int, rise_per_day_bps: int) -> int:
        start = f.value if f.moved_at else at_rest
        elapsed = self._context.now - f.moved_at
        return margin_rates.follow(start, elapsed, target, rise_per_day_bps)

    @staticmethod
    def _has_moved(f: Followed, value: int) -> bool:
        return f.value != value

    def _least_depth(self, s: DepthState) -> int:
        elapsed = min(self._context.now - s.measured_at, margin_rates.MAX_SAVED)
        return s.kept - mul_div_down(s.kept, MAX_DEPTH_FALL * elapsed, WAD * DAY)
