"""What ``OracleAggregator`` stores of an asset with sources, and what its twin remembers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bulkhead.model.aggregate_rules import AssetConfig, Formed
from bulkhead.model.move_check import Confirmation
from bulkhead.model.price_series import PriceSeries
from bulkhead.model.prices import PriceData, PriceStatus
from bulkhead.model.source_set import Answers, SourceSet


@dataclass(frozen=True, slots=True)
class AssetState:
    """An asset's storage; replaced as a whole, so that it can be undone."""

    config: AssetConfig
    sources: SourceSet
    series: PriceSeries
    cache: PriceData = field(default_factory=PriceData)
    fresh_until: int = 0
    confirmation: Confirmation = field(default_factory=Confirmation)

    @property
    def held(self) -> int:
        """The price since the last record: while the cached one is not trusted, the anchor."""
        trusted = self.cache.status >= PriceStatus.DEGRADED
        return self.cache.price if trusted else self.confirmation.anchor

    def confirmation_at(self, now: int) -> Confirmation:
        """Return what is compared with now: if a period has ended, the anchor is renewed."""
        c = self.confirmation
        if not c.anchor or not self.series.is_due(now):
            return c
        return Confirmation(self.held, c.candidate, c.candidate_at)

    def marked_stale(self, now: int) -> AssetState:
        """Return the asset with a stale cache; what held until now is taken in."""
        if self.cache.status == PriceStatus.STALE:
            return self
        return self.settled(now)

    def last_known(self, now: int) -> PriceData:
        """Return the last price that was accepted, as stale: the anchor for one never confirmed."""
        cache = self.cache
        if cache.status == PriceStatus.UNCONFIRMED:
            cache = replace(cache, price=self.confirmation_at(now).anchor, confidence=0)
        return replace(cache, status=PriceStatus.STALE)

    def settled(self, now: int) -> AssetState:
        """Return the asset with a stale cache, and what held until now taken in."""
        anchor = self.confirmation_at(now).anchor
        if not anchor:
            return self
        return replace(
            self,
            cache=self.last_known(now),
            series=self.series.advance(self.held, now),
            confirmation=replace(self.confirmation, anchor=anchor),
        )

    def accepted(self, data: PriceData, following: Confirmation, now: int) -> AssetState:
        """Return the asset with a new aggregate, and what the next is compared with."""
        held, series, config = self.held, self.series, self.config
        holds = data.price if data.status >= PriceStatus.DEGRADED else following.anchor
        if not held:
            series = series.begin(holds, now)
        elif held != holds or series.is_due(now):
            series = series.advance(held, now)
        fresh_until = min(now + config.max_cache_age, data.published_at + config.max_staleness)
        return AssetState(config, self.sources, series, data, fresh_until, following)


@dataclass(frozen=True, slots=True)
class Known:
    """What votes came to, and from when until when the same answers come to the same."""

    config: AssetConfig
    sources: SourceSet
    answers: Answers
    since: int
    until: int
    formed: Formed | None

    @classmethod
    def of(
        cls,
        config: AssetConfig,
        sources: SourceSet,
        answers: Answers,
        formed: Formed | None,
        now: int,
        is_steady: bool,
    ) -> Known:
        """Return what is known; while shares move it holds for this second only."""
        until = _until(answers, config.max_staleness, now) if is_steady else now
        return cls(config, sources, answers, now, until, formed)

    def holds(self, state: AssetState, answers: Answers, now: int) -> bool:
        """Return whether the same comes of an asset's answers at a time."""
        return (
            self.since <= now <= self.until
            and self.sources is state.sources
            and self.config is state.config
            and self.answers == answers
        )


def _until(answers: Answers, max_staleness: int, now: int) -> int:
    """Return until when the same answers are the same votes, if no share moves."""
    given = [answer[2] for answer in answers if answer is not None]
    if any(published_at > now for published_at in given):
        return now  # It will be of the past.
    ends = (published_at + max_staleness for published_at in given)
    return min((end for end in ends if end >= now), default=now + max_staleness)
