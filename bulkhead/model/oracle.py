"""Twin of ``OracleAggregator``: aggregation, confirmation, cache, series, derived assets.

Gas is not modelled: a source that the contract would leave out because its call failed is one whose
``latest`` raises ``ModelRevert``. Authority and events are those of ``shared.OracleContract``.
Asset names are plain strings, times Unix seconds, prices WAD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bulkhead.model import move_check, sequencer_uptime
from bulkhead.model.aggregate_rules import NO_CONFIG, AssetConfig, Formed, form, require_valid
from bulkhead.model.math import DAY, WAD, mul_div_down, mul_down
from bulkhead.model.move_check import Confirmation
from bulkhead.model.oracle_reverts import (
    OracleAggregator_AlreadyConfigured,
    OracleAggregator_HistoryTooShort,
    OracleAggregator_NoAverage,
    OracleAggregator_NotAContract,
    OracleAggregator_TooDeep,
    OracleAggregator_UnknownAsset,
    OracleAggregator_UnknownSource,
    OracleAggregator_UnusedPart,
    require_bounds,
)
from bulkhead.model.oracle_state import AssetState, Known
from bulkhead.model.price_series import MAX_WINDOW, PriceSeries
from bulkhead.model.prices import (
    MAX_PRICE,
    Derivation,
    Operation,
    PriceData,
    PriceStatus,
    combine,
    invert,
)
from bulkhead.model.sequencer_uptime import RoundFeed, UptimeConfig
from bulkhead.model.source_set import SourceConfig, SourceSet, SourceState
from bulkhead.model.sources import FixedSource, PriceSource

__all__ = [
    "MAX_PRICE",
    "AssetConfig",
    "Confirmation",
    "Derivation",
    "FixedSource",
    "Operation",
    "OracleAggregator",
    "OracleAggregator_UnknownAsset",
    "PriceData",
    "PriceSource",
    "PriceStatus",
    "SourceConfig",
    "SourceState",
]

HOUR = 3_600
MIN_SEASONING = HOUR
MAX_SEASONING = 30 * DAY
MAX_DEPTH = 3


@dataclass(slots=True)
class OracleAggregator:
    """Twin of the contract.

    Attributes:
        adapters: what answers now, by an adapter's name; one that is not there never answers.
        seasoning: seconds that shares take to move to those of a new list, in [1 hour, 30 days].
        is_contract: whether there is code at the name of an adapter or feed.
        uptime_feeds: what tells of the sequencer, by a feed's name.
        on_record: is told each aggregate that was recorded.
        on_reputation: is told asset, adapter, WAD reputation and membership when they change.
    """

    adapters: Mapping[str, PriceSource]
    seasoning: int
    _assets: dict[str, AssetState] = field(default_factory=dict)
    is_contract: Callable[[str], bool] = lambda _: True
    uptime_feeds: Mapping[str, RoundFeed] = field(default_factory=dict)
    on_record: Callable[[str, PriceData], None] = lambda _, __: None
    on_reputation: Callable[[str, str, int, bool], None] = lambda _, __, ___, ____: None
    _known: dict[str, Known] = field(default_factory=dict)
    _derived: dict[str, tuple[Derivation, int]] = field(default_factory=dict)
    _uptime: dict[str, UptimeConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_bounds("seasoning", self.seasoning, MIN_SEASONING, MAX_SEASONING)

    def configure(
        self, asset: str, config: AssetConfig, sources: Sequence[SourceConfig], now: int
    ) -> None:
        """Set an asset's rules and let its sources' shares move; the cached price turns stale.

        Raises:
            OracleAggregator_AlreadyConfigured: the asset is derived.
            OracleAggregator_SourceCount: with those that are leaving there are too many sources.
            Else as ``aggregate_rules.require_valid``.
        """
        if asset in self._derived:
            raise OracleAggregator_AlreadyConfigured(asset)
        require_valid(config, sources, self.is_contract)
        period, initial = config.volatility_period, config.initial_volatility
        state = self._assets.get(asset)
        if state is None:
            state = AssetState(config, SourceSet(), PriceSeries(period, initial))
        state = state.settled(now)
        self._assets[asset] = replace(
            state,
            config=config,
            sources=state.sources.change(config.quorum, sources, self.seasoning, now),
            series=replace(state.series, volatility_period=period, initial_volatility=initial),
        )

    def suspend(self, asset: str, adapter: str, now: int) -> None:
        """Take a source's vote at once; the cached price turns stale.

        Raises:
            OracleAggregator_UnknownSource: the asset has no such source.
        """
        state = self._assets.get(asset)
        sources = state.sources.suspend(adapter) if state else None
        if state is None or sources is None:
            raise OracleAggregator_UnknownSource(asset, adapter)
        self._assets[asset] = replace(state.marked_stale(now), sources=sources)

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

    def set_uptime_feed(self, feed: str, grace_period: int) -> None:
        """Set the feed that says whether the sequencer is up; an empty name: none.

        Raises:
            OracleAggregator_NotAContract: there is nothing at the feed's address.
            OracleAggregator_OutOfBounds: the grace period exceeds a day, or zero without a feed.
        """
        if feed and not self.is_contract(feed):
            raise OracleAggregator_NotAContract(feed)
        maximum = sequencer_uptime.MAX_GRACE_PERIOD if feed else 0
        require_bounds("gracePeriod", grace_period, 0, maximum)
        self._uptime[""] = UptimeConfig(feed, grace_period)

    def record(self, asset: str, now: int) -> PriceData:
        """Aggregate live and cache the result; of a derived asset, that of its parts.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            data = self._compose(asset, self.record, now)
            self.on_record(asset, data)
            return data
        state = self._require(asset)
        found = self._live(asset, state, now)
        if found is None:
            state = self._assets[asset] = state.marked_stale(now)
            data = state.cache
        else:
            formed, data, following = found
            state = self._judge(asset, state, formed, now)
            self._assets[asset] = state.accepted(data, following, now)
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
        found = self._live(asset, state, now)
        return state.last_known(now) if found is None else found[1]

    def twap(self, asset: str, window: int, now: int) -> int:
        """Return the average of the accepted prices over the last ``window`` seconds.

        Raises:
            OracleAggregator_OutOfBounds: the window is no 1 to 4,500 seconds.
            OracleAggregator_UnknownAsset: the asset has no configuration.
            OracleAggregator_HistoryTooShort: too little is known of the past.
            FullMulDivFailed: a part's average, itself derived, is zero.
        """
        require_bounds("window", window, 1, MAX_WINDOW)
        return self._twap(asset, window, now)

    def volatility(self, asset: str) -> int:
        """Return the realised volatility, WAD per square root of a day; of parts, their sum.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset not in self._derived:
            return self._require(asset).series.volatility()
        derivation, _ = self._derived[asset]
        left = self.volatility(derivation.left)
        if derivation.operation == Operation.INVERSE:
            return left
        return left + self.volatility(derivation.right)

    def asset_config(self, asset: str) -> tuple[AssetConfig, tuple[SourceConfig, ...]]:
        """Return an asset's rules and the sources it is on its way to; none if it is derived.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return NO_CONFIG, ()
        state = self._require(asset)
        return state.config, state.sources.targets()

    def sources(self, asset: str, now: int) -> tuple[SourceState, ...]:
        """Return an asset's sources as they vote now; none if it is derived.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return ()
        return self._require(asset).sources.states(self.seasoning, now)

    def confirmation(self, asset: str, now: int) -> Confirmation:
        """Return what the next aggregate is compared with; zeros if the asset is derived.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return Confirmation()
        return self._require(asset).confirmation_at(now)

    def derivation(self, asset: str) -> tuple[Derivation, int]:
        """Return how an asset is derived, and its depth: 1 if it has sources.

        Raises:
            OracleAggregator_UnknownAsset: the asset has no configuration.
        """
        if asset in self._derived:
            return self._derived[asset]
        self._require(asset)
        return Derivation(), 1

    def uptime_feed(self) -> tuple[str, int]:
        """Return the sequencer's feed, empty if there is none, and its grace period."""
        uptime = self._uptime.get("", UptimeConfig())
        return uptime.feed, uptime.grace_period

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

    def _live(
        self, asset: str, state: AssetState, now: int
    ) -> tuple[Formed, PriceData, Confirmation] | None:
        """Return what the sources come to and what is compared next; None without a quorum."""
        formed = self._formed(asset, state, now)
        if formed is None:
            return None
        following = state.confirmation_at(now)
        is_accepted = True
        if following.anchor == 0:
            following = Confirmation(formed.price)
        else:
            c = state.config
            is_accepted, following = move_check.judge(
                following, formed.price, c.max_move, c.confirmation_delay, now
            )
        status = formed.status
        uptime = self._uptime.get("", UptimeConfig())
        if not is_accepted or not sequencer_uptime.is_settled(uptime, self.uptime_feeds, now):
            status = PriceStatus.UNCONFIRMED
        data = PriceData(formed.price, formed.confidence, formed.published_at, now, status)
        return formed, data, following

    def _formed(self, asset: str, state: AssetState, now: int) -> Formed | None:
        sources, config, seasoning = state.sources, state.config, self.seasoning
        answers = sources.ask(self.adapters, seasoning, now)
        known = self._known.get(asset)
        if known is not None and known.holds(state, answers, now):
            return known.formed
        votes = sources.votes(answers, seasoning, config.max_staleness, config.max_deviation, now)
        formed = form(config, votes, sources.quorum(seasoning, now), now)
        is_steady = sources.is_steady(seasoning, now)
        self._known[asset] = Known.of(config, sources, answers, formed, now, is_steady)
        return formed

    def _judge(self, asset: str, state: AssetState, formed: Formed, now: int) -> AssetState:
        last = state.cache.recorded_at
        elapsed = min(now - last, state.config.max_staleness) if last else 0
        sources, changed = state.sources.judge(formed.counted, elapsed)
        for source in changed:
            self.on_reputation(asset, source.adapter, source.reputation, source.is_counted)
        return state if sources is state.sources else replace(state, sources=sources)

    def _cached(self, asset: str, now: int) -> PriceData | None:
        state = self._require(asset)
        fresh = state.cache.status >= PriceStatus.DEGRADED and now <= state.fresh_until
        return state.cache if fresh else None

    def _twap(self, asset: str, window: int, now: int) -> int:
        if asset not in self._derived:
            state = self._require(asset)
            held = state.held
            price, known = state.series.average(held, window, now) if held else (None, 0)
            if price is None:
                raise OracleAggregator_HistoryTooShort(asset, known, window)
            return price
        derivation, _ = self._derived[asset]
        left = self._twap(derivation.left, window, now)
        if derivation.operation == Operation.INVERSE:
            price = mul_div_down(WAD, WAD, left)
        else:
            right = self._twap(derivation.right, window, now)
            product = derivation.operation == Operation.PRODUCT
            price = mul_down(left, right) if product else mul_div_down(left, WAD, right)
        if not 0 < price <= MAX_PRICE:
            raise OracleAggregator_NoAverage(asset, price)
        return price

    def _require(self, asset: str) -> AssetState:
        if asset not in self._assets:
            raise OracleAggregator_UnknownAsset(asset)
        return self._assets[asset]
