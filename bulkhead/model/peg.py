"""Twin of ``PegMonitor``: what watches pegged assets, over its sources and an oracle.

The formulas are in ``peg_math``; authority and events are those of ``shared.PegContract``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, WAD
from bulkhead.model.oracle import OracleAggregator
from bulkhead.model.peg_math import (
    NO_SOURCE,
    PegCondition,
    PegConfig,
    PegState,
    PegValuation,
    advance,
    condition,
    discount,
    haircut,
    intrinsic_haircut,
    largest_step,
    recognition,
    valuation_at,
)
from bulkhead.model.prices import PriceData, PriceStatus

MAX_AGE = DAY
MIN_DECAY_PERIOD = 3_600
MAX_DECAY_PERIOD = 365 * DAY
MAX_SLOPE = 10 * WAD
UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1


class PegMonitor_UnknownAsset(ModelRevert):  # noqa: N801
    """``(asset)``: the asset has no peg configuration."""


class PegMonitor_OutOfBounds(ModelRevert):  # noqa: N801
    """``(parameter, value, minimum, maximum)``."""


class PegMonitor_NotAContract(ModelRevert):  # noqa: N801
    """``(source)``: there is no code at a source's address."""


class PegMonitor_SourceFailed(ModelRevert):  # noqa: N801
    """``(source)``: it does not answer when it is configured, or not with a number that fits."""


@dataclass(slots=True)
class PegMonitor:
    """Twin of the contract.

    Attributes:
        rates, backings, queues: what sources answer, by their names; one that is not there, or
            raises ``ModelRevert``, does not answer.
        is_contract: whether there is code at a source's name.
        on_configure: is told an asset's new rules, before it is poked under them.
        on_clear: is told an asset that was cleared, before it is poked.
        on_poke: is told a state that was recorded, with its discount, haircut and last condition.
    """

    oracle: OracleAggregator
    rates: Mapping[str, Callable[[], int]]
    _configs: dict[str, PegConfig] = field(default_factory=dict)
    _states: dict[str, PegState] = field(default_factory=dict)
    is_contract: Callable[[str], bool] = lambda _: True
    on_configure: Callable[[str, PegConfig], None] = lambda _, __: None
    on_poke: Callable[[str, PegState, int, int, PegCondition], None] = lambda *_: None
    on_clear: Callable[[str], None] = lambda _: None
    backings: Mapping[str, Callable[[], int]] = field(default_factory=dict)
    queues: Mapping[str, Callable[[int], int]] = field(default_factory=dict)

    def configure(self, asset: str, config: PegConfig, now: int) -> None:
        """Settle stress under the old rules, set the new ones, and poke.

        Raises:
            PegMonitor_NotAContract: there is nothing at a source's address.
            PegMonitor_OutOfBounds: a parameter lies outside of its bounds.
            OracleAggregator_UnknownAsset: the oracle does not know one of the prices.
            PegMonitor_SourceFailed: a source does not answer.
        """
        self._require_valid(config)
        state = self._states.get(asset)
        if state is not None:
            old = self._configs[asset]
            stress = _stress_after(old, state, state, now - state.poked_at)
            highest = state.highest_rate if old.rate_source == config.rate_source else 0
            state = replace(state, stress=stress, poked_at=now, highest_rate=highest)
        # The oracle's answer comes first on chain too; here it keeps a refusal from leaving traces.
        answered = self._observe(config, state or PegState(), self._market(config, now), now)[1]
        for ok, source in zip(
            answered, (config.rate_source, config.backing_source, config.queue), strict=True
        ):
            if not ok:
                raise PegMonitor_SourceFailed(source)
        if state is not None:
            self._states[asset] = state
        self._configs[asset] = config
        self.on_configure(asset, config)
        self._poke(asset, now, PegCondition.SOUND if state is None else state.condition)

    def clear(self, asset: str, now: int) -> None:
        """Let a broken peg be judged anew, and poke it.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
        """
        state = self.peg_state(asset)
        self._states[asset] = replace(state, condition=PegCondition.SOUND, highest_rate=0)
        self.on_clear(asset)
        self._poke(asset, now, state.condition)

    def poke(self, asset: str, now: int) -> PegState:
        """Record rates, reserves, delay, stress and condition.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
        """
        return self._poke(asset, now, self.peg_state(asset).condition)

    def peg_state(self, asset: str) -> PegState:
        """Return the state as of the last poke.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
        """
        if asset not in self._configs:
            raise PegMonitor_UnknownAsset(asset)
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
        """Return the two valuations, from the recorded state if fresh and firm, else live.

        Raises:
            PegMonitor_UnknownAsset: the asset has no peg configuration.
        """
        recorded = self.peg_state(asset)
        config = self._configs[asset]
        state = recorded
        live = now - recorded.poked_at > config.max_age or recorded.status < PriceStatus.DEGRADED
        if live:
            market = self.oracle.latest(config.market_ratio, now)
            state = self._observe(config, recorded, market, now)[0]
        elapsed = now - recorded.poked_at
        if live and state.poked_at == recorded.poked_at:
            elapsed = min(elapsed, config.max_age)
        stress = _stress_after(config, recorded, state, elapsed)
        current = state.condition
        if live:
            gap = discount(state.fair_rate, state.market_rate)
            current = max(current, condition(config, replace(state, stress=stress), gap))
        elif stress >= config.broken_at:
            current = PegCondition.BROKEN
        underlying = PriceData(WAD, status=PriceStatus.VALID)
        if config.underlying:
            underlying = self.oracle.latest(config.underlying, now)
        return valuation_at(config, state, stress, current, underlying)

    def _poke(self, asset: str, now: int, before: PegCondition) -> PegState:
        config, last = self._configs[asset], self._states.get(asset, PegState())
        market = self.oracle.fetch(config.market_ratio, now)
        state = self._observe(config, last, market, now)[0]
        if last.poked_at:
            elapsed = state.poked_at - last.poked_at
            state = replace(state, stress=_stress_after(config, last, state, elapsed))
        gap = discount(state.fair_rate, state.market_rate)
        state = replace(state, condition=condition(config, state, gap))
        self._states[asset] = state
        recognised = recognition(config, state.stress)
        h = haircut(config, state.intrinsic_haircut, gap, recognised)
        self.on_poke(asset, state, gap, h, before)
        return state

    def _observe(
        self, config: PegConfig, last: PegState, market: PriceData, now: int
    ) -> tuple[PegState, tuple[bool, bool, bool]]:
        """Return the state but for stress and condition, and which sources answered."""
        rate = _ask(self.rates, config.rate_source, WAD)
        if rate is not None and rate > UINT64_MAX:
            rate = None
        backing = _ask(self.backings, config.backing_source, WAD)
        delay = _ask(self.queues, config.queue, 0, 0)
        answered = rate is not None, backing is not None, delay is not None
        fair_rate = last.fair_rate if rate is None else rate
        backing = last.backing if backing is None else min(backing, WAD)
        delay = last.redemption_delay if delay is None else min(delay, UINT32_MAX)
        status = market.status
        if not all(answered):
            status = min(status, PriceStatus.DEGRADED)
        market_rate, poked_at = min(market.price, UINT64_MAX), now
        if market.status == PriceStatus.UNCONFIRMED and last.poked_at:
            market_rate, poked_at = last.market_rate, last.poked_at
        elif market.status == PriceStatus.STALE and not 0 < market.price <= UINT64_MAX:
            market_rate = last.market_rate
        state = PegState(
            fair_rate=fair_rate,
            market_rate=market_rate,
            stress=last.stress,
            poked_at=poked_at,
            status=status if answered[0] else PriceStatus.STALE,
            condition=last.condition,
            highest_rate=max(last.highest_rate, fair_rate),
            backing=backing,
            redemption_delay=delay,
            intrinsic_haircut=intrinsic_haircut(config, backing, delay),
        )
        return state, answered

    def _market(self, config: PegConfig, now: int) -> PriceData:
        return self.oracle.latest(config.market_ratio, now)

    def _require_valid(self, config: PegConfig) -> None:
        for source in (config.rate_source, config.backing_source, config.queue):
            if source != NO_SOURCE and not self.is_contract(source):
                raise PegMonitor_NotAContract(source)
        _require_bounds("maxAge", config.max_age, 1, MAX_AGE)
        _require_bounds("decayPeriod", config.decay_period, MIN_DECAY_PERIOD, MAX_DECAY_PERIOD)
        _require_bounds("deadband", config.deadband, 0, WAD - 1)
        _require_bounds("stressPerDay", config.stress_per_day, 0, MAX_SLOPE)
        _require_bounds("graceStress", config.grace_stress, 2 * largest_step(config), WAD - 1)
        _require_bounds("stressedAt", config.stressed_at, config.grace_stress + 1, WAD)
        _require_bounds("brokenAt", config.broken_at, config.stressed_at, WAD)
        _require_bounds("maxHaircut", config.max_haircut, 0, WAD - 1)
        _require_bounds("baseHaircut", config.base_haircut, 0, config.max_haircut)
        _require_bounds("discountSlope", config.discount_slope, 0, MAX_SLOPE)
        _require_bounds("stressSlope", config.stress_slope, 0, MAX_SLOPE)
        _require_bounds("backingSlope", config.backing_slope, 0, MAX_SLOPE)
        _require_bounds("delaySlope", config.delay_slope, 0, MAX_SLOPE)
        _require_bounds("maxRateFall", config.max_rate_fall, 0, WAD - 1)
        _require_bounds("maxShortfall", config.max_shortfall, 0, WAD - 1)
        if config.underlying:
            self.oracle.derivation(config.underlying)
        self.oracle.derivation(config.market_ratio)


def _ask(
    sources: Mapping[str, Callable[..., int]], source: str, none: int, *arguments: int
) -> int | None:
    """Return what a source says, ``none`` if there is no such source, None if it is silent."""
    if source == NO_SOURCE:
        return none
    if source not in sources:
        return None
    try:
        return sources[source](*arguments)
    except ModelRevert:
        return None


def _stress_after(config: PegConfig, last: PegState, current: PegState, elapsed: int) -> int:
    if last.market_rate == 0:
        return last.stress
    return advance(
        config,
        last.stress,
        discount(last.fair_rate, last.market_rate),
        discount(current.fair_rate, current.market_rate),
        elapsed,
    )


def _require_bounds(parameter: str, value: int, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise PegMonitor_OutOfBounds(parameter, value, minimum, maximum)
