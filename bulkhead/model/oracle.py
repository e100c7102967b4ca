"""Twin of ``OracleAggregator``: weighted median, outliers, quorum, status, cache, derived assets.

Gas is not modelled: a source that the contract would leave out because its call failed is one whose
``latest`` raises ``ModelRevert``. Authority and events are those of ``shared.OracleContract``.
Asset names are plain strings, times Unix seconds, prices WAD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, WAD, mul_down
from bulkhead.model.prices import MAX_PRICE as MAX_PRICE
from bulkhead.model.prices import Derivation as Derivation
from bulkhead.model.prices import Operation as Operation
from bulkhead.model.prices import PriceData as PriceData
from bulkhead.model.prices import PriceStatus as PriceStatus
from bulkhead.model.prices import combine, invert
from bulkhead.model.sources import FixedSource as FixedSource
from bulkhead.model.sources import PriceSource as PriceSource

MAX_SAMPLES = 7
MAX_STALENESS = 7 * DAY
MAX_DEPTH = 3


class OracleAggregator_UnknownAsset(ModelRevert):  # noqa: N801
    """``(asset)``: the asset has no configuration."""


class OracleAggregator_AlreadyConfigured(ModelRevert):  # noqa: N801
    """``(asset)``: it would be derived though known, or get sources though derived."""


class OracleAggregator_TooDeep(ModelRevert):  # noqa: N801
    """``(asset, depth, maximum)``: too many levels of derivation."""


class OracleAggregator_UnusedPart(ModelRevert):  # noqa: N801
    """``(part)``: an inverse names a second part."""


class OracleAggregator_SourceCount(ModelRevert):  # noqa: N801
    """``(count, maximum)``: no sources, or too many."""


class OracleAggregator_NotAContract(ModelRevert):  # noqa: N801
    """``(adapter)``: there is no code at a source's address."""


class OracleAggregator_DuplicateSource(ModelRevert):  # noqa: N801
    """``(adapter)``: the same adapter is listed twice."""


class OracleAggregator_ZeroWeight(ModelRevert):  # noqa: N801
    """``(adapter)``: a weight is zero."""


class OracleAggregator_Quorum(ModelRevert):  # noqa: N801
    """``(quorumWeight, totalWeight)``: the quorum is no majority, or more than everything."""


class OracleAggregator_OutOfBounds(ModelRevert):  # noqa: N801
    """``(parameter, value, minimum, maximum)``."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """An adapter's name and its voting weight."""

    adapter: str
    weight: int


@dataclass(frozen=True, slots=True)
class AssetConfig:
    """An asset's rules: seconds, seconds, weight, WAD fraction."""

    max_staleness: int
    max_cache_age: int
    quorum_weight: int
    max_deviation: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One source's vote; sorted like the packed word of the contract."""

    price: int
    published_at: int
    weight: int


@dataclass(frozen=True, slots=True)
class _Asset:
    config: AssetConfig
    sources: tuple[SourceConfig, ...]
    cache: PriceData = field(default_factory=PriceData)
    fresh_until: int = 0


_Answers = list[tuple[int, int, int] | None]
"""Price, confidence and time of each source; None of one that did not answer."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An aggregate, and until when the same answers are the same votes."""

    state: _Asset
    answers: _Answers
    since: int
    until: int
    data: PriceData

    def holds(self, state: _Asset, answers: _Answers, now: int) -> bool:
        return self.state is state and self.since <= now <= self.until and self.answers == answers

    def at(self, now: int) -> PriceData:
        d = self.data
        if d.status == PriceStatus.STALE or now == self.since:
            return d
        return PriceData(d.price, d.published_at, now, d.status)


def median(samples: Sequence[Sample]) -> int:
    """Return the weighted median price of samples in ascending order of price.

    The smallest price whose cumulative weight exceeds half of the total; where the samples up to
    some price hold exactly half, the mean of that price and the next, rounded down.
    """
    total = sum(sample.weight for sample in samples)
    cumulative = 0
    for i, sample in enumerate(samples):
        cumulative += sample.weight
        if 2 * cumulative == total:
            return (sample.price + samples[i + 1].price) >> 1
        if 2 * cumulative > total:
            return sample.price
    raise ValueError("no samples")


def aggregate_samples(
    samples: Sequence[Sample], config: AssetConfig, last: PriceData, now: int
) -> PriceData:
    """Return the aggregate of samples that may vote, or ``last`` as stale if they are no quorum."""
    ordered = sorted(samples, key=lambda s: (s.price, s.published_at, s.weight))
    total = sum(sample.weight for sample in ordered)
    stale = replace(last, status=PriceStatus.STALE)
    if total < config.quorum_weight:
        return stale
    price = median(ordered)
    tolerance = mul_down(price, config.max_deviation)
    members = [sample for sample in ordered if abs(sample.price - price) <= tolerance]
    counted = sum(sample.weight for sample in members)
    if counted < config.quorum_weight:
        return stale
    return PriceData(
        price=price,
        published_at=min([now, *(sample.published_at for sample in members)]),
        recorded_at=now,
        status=PriceStatus.DEGRADED if counted < total else PriceStatus.VALID,
    )


@dataclass(slots=True)
class OracleAggregator:
    """Twin of the contract.

    Attributes:
        adapters: what answers now, by an adapter's name; one that is not there never answers.
        is_contract: whether there is code at an adapter's name.
        on_record: is told each aggregate that was recorded.
    """

    adapters: Mapping[str, PriceSource]
    _assets: dict[str, _Asset] = field(default_factory=dict)
    is_contract: Callable[[str], bool] = lambda _: True
    on_record: Callable[[str, PriceData], None] = lambda _, __: None
    _known: dict[str, _Known] = field(default_factory=dict)
    _derived: dict[str, tuple[Derivation, int]] = field(default_factory=dict)

    def configure(self, asset: str, config: AssetConfig, sources: Sequence[SourceConfig]) -> None:
        """Replace an asset's sources and rules; the cached price is kept as stale.

        Raises:
            OracleAggregator_AlreadyConfigured: the asset is derived.
            OracleAggregator_OutOfBounds: a parameter lies outside of its bounds.
            OracleAggregator_SourceCount: no sources, or more than seven.
            OracleAggregator_NotAContract: there is nothing at a source's address.
            OracleAggregator_ZeroWeight: a source cannot vote.
            OracleAggregator_DuplicateSource: a source would vote twice.
            OracleAggregator_Quorum: the quorum is no majority, or more than everything.
        """
        if asset in self._derived:
            raise OracleAggregator_AlreadyConfigured(asset)
        _require_bounds("maxStaleness", config.max_staleness, 1, MAX_STALENESS)
        _require_bounds("maxCacheAge", config.max_cache_age, 0, config.max_staleness)
        _require_bounds("maxDeviation", config.max_deviation, 1, WAD)
        if not 1 <= len(sources) <= MAX_SAMPLES:
            raise OracleAggregator_SourceCount(len(sources), MAX_SAMPLES)
        total = 0
        seen: set[str] = set()
        for source in sources:
            if not self.is_contract(source.adapter):
                raise OracleAggregator_NotAContract(source.adapter)
            if source.weight == 0:
                raise OracleAggregator_ZeroWeight(source.adapter)
            if source.adapter in seen:
                raise OracleAggregator_DuplicateSource(source.adapter)
            seen.add(source.adapter)
            total += source.weight
        if 2 * config.quorum_weight <= total or config.quorum_weight > total:
            raise OracleAggregator_Quorum(config.quorum_weight, total)
        known = self._assets.get(asset)
        if known is None:
            self._assets[asset] = _Asset(config, tuple(sources))
            return
        cache = replace(known.cache, status=PriceStatus.STALE)
        self._assets[asset] = _Asset(config, tuple(sources), cache, known.fresh_until)

    def derive(self, asset: str, derivation: Derivation) -> None:
        """Derive an asset from others, for good.

        Raises:
            OracleAggregator_AlreadyConfigured: the asset is known.
            OracleAggregator_UnknownAsset: a part is not.
            OracleAggregator_UnusedPart: an inverse has a second part.
            OracleAggregator_TooDeep: too many levels of derivation.
        """
        if asset in self._assets or asset in self._derived:
            raise OracleAggregator_AlreadyConfigured(asset)
        depth = self.derivation(derivation.left)[1]
        if derivation.operation != Operation.INVERSE:
            depth = max(depth, self.derivation(derivation.right)[1])
        elif derivation.right:
            raise OracleAggregator_UnusedPart(derivation.right)
        if depth + 1 > MAX_DEPTH:
            raise OracleAggregator_TooDeep(asset, depth + 1, MAX_DEPTH)
        self._derived[asset] = derivation, depth + 1

    def record(self, asset: str, now: int) -> PriceData:
        """Aggregate live and cache the result; of a derived asset, that of its parts.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            data = self._compose(asset, self.record, now)
            self.on_record(asset, data)
            return data
        data = self.aggregate(asset, now)
        state = self._assets[asset]
        fresh_until = min(
            data.recorded_at + state.config.max_cache_age,
            data.published_at + state.config.max_staleness,
        )
        self._assets[asset] = _Asset(state.config, state.sources, data, fresh_until)
        self.on_record(asset, data)
        return data

    def fetch(self, asset: str, now: int) -> PriceData:
        """Return the cached aggregate if fresh, else refresh the cache.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return self._compose(asset, self.fetch, now)
        return self._cached(asset, now) or self.record(asset, now)

    def latest(self, asset: str, now: int) -> PriceData:
        """Return what ``fetch`` would, without writing.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return self._compose(asset, self.latest, now)
        return self._cached(asset, now) or self.aggregate(asset, now)

    def aggregate(self, asset: str, now: int) -> PriceData:
        """Aggregate live, whatever is cached, without writing.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return self._compose(asset, self.aggregate, now)
        state = self._require(asset)
        answers = self._ask(state, now)
        known = self._known.get(asset)
        if known is not None and known.holds(state, answers, now):
            return known.at(now)
        samples = _votes(state, answers, now)
        data = aggregate_samples(samples, state.config, state.cache, now)
        self._known[asset] = _Known(state, answers, now, _until(state, answers, now), data)
        return data

    def derivation(self, asset: str) -> tuple[Derivation, int]:
        """Return how an asset is derived, and its depth: 1 if it has sources.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return self._derived[asset]
        self._require(asset)
        return Derivation(), 1

    def sourced(self, asset: str) -> set[str]:
        """Return the assets whose caches an asset answers from: itself, or those under it."""
        if asset not in self._derived:
            return {asset} & self._assets.keys()
        derivation, _ = self._derived[asset]
        return self.sourced(derivation.left) | self.sourced(derivation.right)

    def _compose(self, asset: str, ask: Callable[[str, int], PriceData], now: int) -> PriceData:
        derivation, _ = self._derived[asset]
        left = ask(derivation.left, now)
        if derivation.operation == Operation.INVERSE:
            return invert(left)
        return combine(derivation.operation, left, ask(derivation.right, now))

    def asset_config(self, asset: str) -> tuple[AssetConfig, tuple[SourceConfig, ...]]:
        """Return an asset's rules and sources; zeros and none if it is derived.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return AssetConfig(0, 0, 0, 0), ()
        state = self._require(asset)
        return state.config, state.sources

    def _ask(self, state: _Asset, now: int) -> _Answers:
        answers: _Answers = []
        for source in state.sources:
            adapter = self.adapters.get(source.adapter)
            try:
                answers.append(None if adapter is None else adapter.latest(now))
            except ModelRevert:
                answers.append(None)
        return answers

    def _cached(self, asset: str, now: int) -> PriceData | None:
        state = self._require(asset)
        fresh = state.cache.status != PriceStatus.STALE and now <= state.fresh_until
        return state.cache if fresh else None

    def _require(self, asset: str) -> _Asset:
        if asset not in self._assets:
            raise OracleAggregator_UnknownAsset(asset)
        return self._assets[asset]


def _until(state: _Asset, answers: _Answers, now: int) -> int:
    """Return until when the same answers are the same votes."""
    given = [answer[2] for answer in answers if answer is not None]
    if any(published_at > now for published_at in given):
        return now  # It will be of the past.
    ends = (published_at + state.config.max_staleness for published_at in given)
    return min((end for end in ends if end >= now), default=now + MAX_STALENESS)


def _votes(state: _Asset, answers: _Answers, now: int) -> list[Sample]:
    """Return the answers that may vote, by the asset's rules."""
    samples = []
    for source, answer in zip(state.sources, answers, strict=True):
        if answer is None:
            continue
        price, confidence, published_at = answer
        if not 0 < price <= MAX_PRICE:
            continue
        if published_at > now or now - published_at > state.config.max_staleness:
            continue
        if confidence > mul_down(price, state.config.max_deviation):
            continue
        samples.append(Sample(price, published_at, source.weight))
    return samples


def _require_bounds(parameter: str, value: int, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise OracleAggregator_OutOfBounds(parameter, value, minimum, maximum)
