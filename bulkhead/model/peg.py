"""Twin of ``PegMonitor`` and ``PegMath``: discount, stress, haircut, valuations.

Rates, fractions and prices are WAD, times Unix seconds. Authority and events are those of
``shared.PegContract``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, WAD, mul_div_down, mul_div_up, mul_up
from bulkhead.model.oracle import OracleAggregator, PriceData, PriceStatus
from bulkhead.model.reverts import EmptyRevert

MAX_AGE = DAY
MIN_DECAY_PERIOD = 3_600
MAX_DECAY_PERIOD = 365 * DAY
MAX_SLOPE = 10 * WAD
UINT64_MAX = 2**64 - 1


class PegMonitor_UnknownAsset(ModelRevert):  # noqa: N801
    """``(asset)``: the asset has no peg configuration."""


class PegMonitor_OutOfBounds(ModelRevert):  # noqa: N801
    """``(parameter, value, minimum, maximum)``."""


class PegMonitor_NotAContract(ModelRevert):  # noqa: N801
    """``(rateSource)``: there is no code at the rate source's address."""


class PegMonitor_RateOutOfRange(ModelRevert):  # noqa: N801
    """``(asset, rate)``: the fair rate does not fit 64 bits."""


@dataclass(frozen=True, slots=True)
class PegConfig:
    """An asset's rules; ``rate_source`` names one of the monitor's rates, None stands for 1.0."""

    underlying: str
    market_ratio: str
    rate_source: str | None
    max_age: int
    deadband: int
    stress_per_day: int
    decay_period: int
    base_haircut: int
    discount_slope: int
    stress_slope: int
    max_haircut: int


@dataclass(frozen=True, slots=True)
class PegState:
    """Recorded state of a pegged asset."""

    fair_rate: int
    market_rate: int
    stress: int
    poked_at: int
    market_status: PriceStatus


@dataclass(frozen=True, slots=True)
class PegValuation:
    """What one token is worth as collateral."""

    initial_price: int
    maintenance_price: int
    market_price: int
    haircut: int
    discount: int
    status: PriceStatus


def discount(fair_rate: int, market_rate: int) -> int:
    """Return 1 − market/fair, rounded up; 0 at or above fair."""
    return 0 if market_rate >= fair_rate else WAD - mul_div_down(market_rate, WAD, fair_rate)


def haircut(config: PegConfig, discount_: int, stress: int) -> int:
    """Return base plus slopes, each product rounded up, at most the cap."""
    total = config.base_haircut + mul_up(config.discount_slope, discount_)
    return min(total + mul_up(config.stress_slope, stress), config.max_haircut)


def advance(config: PegConfig, stress: int, last: int, current: int, elapsed: int) -> int:
    """Return stress after ``elapsed`` seconds that began with one discount and end with another."""
    attested = min(elapsed, config.max_age)
    stress = _integrate(config, stress, last, attested)
    return _integrate(config, stress, min(last, current), elapsed - attested)


def _integrate(config: PegConfig, stress: int, discount_: int, dt: int) -> int:
    if discount_ > config.deadband:
        per_day = config.stress_per_day * (discount_ - config.deadband)
        return min(WAD, stress + mul_div_up(per_day, dt, WAD * DAY))
    return stress - min(stress, mul_div_down(WAD, dt, config.decay_period))


def valuation_at(
    config: PegConfig, state: PegState, stress: int, underlying: PriceData
) -> PegValuation:
    """Return the valuations at a state whose stress was carried forward to ``stress``."""
    d = discount(state.fair_rate, state.market_rate)
    h = haircut(config, d, stress)
    least = min(state.fair_rate, state.market_rate)
    blend = state.fair_rate * (WAD - stress) + least * stress
    return PegValuation(
        initial_price=mul_div_down(least * (WAD - h), underlying.price, WAD**2),
        maintenance_price=mul_div_down(blend * (WAD - h), underlying.price, WAD**3),
        market_price=mul_div_down(state.market_rate, underlying.price, WAD),
        haircut=h,
        discount=d,
        status=min(state.market_status, underlying.status),
    )


@dataclass(slots=True)
class PegMonitor:
    """Twin of the contract.

    Attributes:
        rates: ``rate()`` by a rate source's name; one that is not there has no such function.
        is_contract: whether there is code at a rate source's name.
        on_configure: is told an asset's new rules, before it is poked under them.
        on_poke: is told a state that was recorded, with its discount and haircut.
    """

    oracle: OracleAggregator
    rates: Mapping[str, Callable[[], int]]
    _configs: dict[str, PegConfig] = field(default_factory=dict)
    _states: dict[str, PegState] = field(default_factory=dict)
    is_contract: Callable[[str], bool] = lambda _: True
    on_configure: Callable[[str, PegConfig], None] = lambda _, __: None
    on_poke: Callable[[str, PegState, int, int], None] = lambda *_: None

    def configure(self, asset: str, config: PegConfig, now: int) -> None:
        """Settle stress under the old rules, set the new ones, and poke.

        Raises:
            PegMonitor_NotAContract: there is nothing at the rate source's address.
            PegMonitor_OutOfBounds: a parameter lies outside of its bounds.
            OracleAggregator_UnknownAsset: the oracle does not know one of the prices.
            PegMonitor_RateOutOfRange: the fair rate does not fit 64 bits.
            EmptyRevert: the rate source does not answer.
        """
        if config.rate_source is not None and not self.is_contract(config.rate_source):
            raise PegMonitor_NotAContract(config.rate_source)
        _require_bounds("maxAge", config.max_age, 1, MAX_AGE)
        _require_bounds("deadband", config.deadband, 0, WAD - 1)
        _require_bounds("stressPerDay", config.stress_per_day, 0, MAX_SLOPE)
        _require_bounds("decayPeriod", config.decay_period, MIN_DECAY_PERIOD, MAX_DECAY_PERIOD)
        _require_bounds("maxHaircut", config.max_haircut, 0, WAD - 1)
        _require_bounds("baseHaircut", config.base_haircut, 0, config.max_haircut)
        _require_bounds("discountSlope", config.discount_slope, 0, MAX_SLOPE)
        _require_bounds("stressSlope", config.stress_slope, 0, MAX_SLOPE)
        self.oracle.asset_config(config.underlying)
        self.oracle.asset_config(config.market_ratio)
        state = self._states.get(asset)
        if state is not None:
            stress = self._stress_now(self._configs[asset], state, state, now)
            self._states[asset] = replace(state, stress=stress, poked_at=now)
        self._configs[asset] = config
        self.on_configure(asset, config)
        self.poke(asset, now)

    def poke(self, asset: str, now: int) -> PegState:
        """Record rate, market ratio and stress.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
            PegMonitor_RateOutOfRange: the fair rate does not fit 64 bits.
        """
        config = self.peg_config(asset)
        state = self._observe(asset, config, self.oracle.fetch(config.market_ratio, now), now)
        last = self._states.get(asset)
        stress = 0 if last is None else self._stress_now(config, last, state, now)
        state = replace(state, stress=stress)
        self._states[asset] = state
        gap = discount(state.fair_rate, state.market_rate)
        self.on_poke(asset, state, gap, haircut(config, gap, stress))
        return state

    def peg_state(self, asset: str) -> PegState:
        """Return the state as of the last poke.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
        """
        self.peg_config(asset)
        return self._states[asset]

    def peg_config(self, asset: str) -> PegConfig:
        """Return the rules of an asset.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
        """
        if asset not in self._configs:
            raise PegMonitor_UnknownAsset(asset)
        return self._configs[asset]

    def valuation(self, asset: str, now: int) -> PegValuation:
        """Return the two valuations, from the recorded state if fresh, else from live prices.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
            PegMonitor_RateOutOfRange: the fair rate does not fit 64 bits.
        """
        config = self.peg_config(asset)
        recorded = self._states[asset]
        state = recorded
        if now - recorded.poked_at > config.max_age:
            state = self._observe(asset, config, self.oracle.latest(config.market_ratio, now), now)
        stress = self._stress_now(config, recorded, state, now)
        return valuation_at(config, state, stress, self.oracle.latest(config.underlying, now))

    def _observe(self, asset: str, config: PegConfig, market: PriceData, now: int) -> PegState:
        fair_rate = WAD if config.rate_source is None else self._rate(config.rate_source)
        if fair_rate > UINT64_MAX:
            raise PegMonitor_RateOutOfRange(asset, fair_rate)
        return PegState(fair_rate, min(market.price, UINT64_MAX), 0, now, market.status)

    def _rate(self, source: str) -> int:
        if source not in self.rates:
            raise EmptyRevert()
        return self.rates[source]()

    @staticmethod
    def _stress_now(config: PegConfig, last: PegState, current: PegState, now: int) -> int:
        if last.market_rate == 0:
            return last.stress
        return advance(
            config,
            last.stress,
            discount(last.fair_rate, last.market_rate),
            discount(current.fair_rate, current.market_rate),
            now - last.poked_at,
        )


def _require_bounds(parameter: str, value: int, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise PegMonitor_OutOfBounds(parameter, value, minimum, maximum)
