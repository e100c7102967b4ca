"""Twin of ``SourceSet``: the sources of one asset, their shares and their repute.

Shares are basis points; in force, basis points times seconds of ``seasoning``. Weights are shares
in force times seconds of repute: whole numbers, so that asking often loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, WAD, mul_div_down, mul_down
from bulkhead.model.oracle_reverts import OracleAggregator_SourceCount
from bulkhead.model.prices import MAX_PRICE
from bulkhead.model.sources import PriceSource

MAX_SAMPLES = 7
TOTAL_SHARE = 10_000
RECOVERY_PERIOD = DAY
FALL_FACTOR = 24
UNIT = 2**24
"""Parts of a basis point in which the shares at a change are kept."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """An adapter's name and its share of the vote in basis points."""

    adapter: str
    share: int


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as it votes now: WAD share, basis points aimed at, WAD reputation."""

    adapter: str
    share: int
    target_share: int
    reputation: int
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A source: basis points · ``UNIT`` before, basis points aimed at, seconds of repute."""

    adapter: str
    before: int
    target: int
    credit: int
    is_counted: bool

    @property
    def reputation(self) -> int:
        """WAD factor in [0.5, 1], rounded down."""
        return mul_div_down(RECOVERY_PERIOD + self.credit, WAD, 2 * RECOVERY_PERIOD)


Answers = list[tuple[int, int, int] | None]
"""Price, confidence and time of each source; None of one that did not answer or was not asked."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A source's answer that counts: WAD price and confidence, weight, share in force, index."""

    price: int
    confidence: int
    published_at: int
    weight: int
    share: int
    index: int


@dataclass(frozen=True, slots=True)
class SourceSet:
    """The sources of one asset.

    Attributes:
        quorum_before: basis points · ``UNIT`` at the last change.
        quorum_target: basis points aimed at.
        changed_at: Unix seconds of the last change.
        entries: the sources, with those that are leaving.
    """

    quorum_before: int = 0
    quorum_target: int = 0
    changed_at: int = 0
    entries: tuple[Source, ...] = ()

    def elapsed(self, seasoning: int, now: int) -> int:
        """Return the seconds of the way to the new shares that are behind us."""
        return min(now - self.changed_at, seasoning)

    def is_steady(self, seasoning: int, now: int) -> bool:
        """Return whether shares and quorum will stay as they are until the next change."""
        return now - self.changed_at >= seasoning or (
            self.quorum_before == self.quorum_target
            and all(source.before == source.target for source in self.entries)
        )

    def quorum(self, seasoning: int, now: int) -> int:
        """Return the share in force that must be counted."""
        elapsed = self.elapsed(seasoning, now)
        return _between(self.quorum_before, self.quorum_target, elapsed, seasoning)

    def ask(self, adapters: Mapping[str, PriceSource], seasoning: int, now: int) -> Answers:
        """Return what each source that has a share answers."""
        elapsed = self.elapsed(seasoning, now)
        answers: Answers = []
        for source in self.entries:
            adapter = adapters.get(source.adapter)
            if adapter is None or not _share(source, elapsed, seasoning):
                answers.append(None)
                continue
            try:
                answers.append(adapter.latest(now))
            except ModelRevert:
                answers.append(None)
        return answers

    def votes(
        self, answers: Answers, seasoning: int, max_staleness: int, max_deviation: int, now: int
    ) -> Sequence[Vote]:
        """Return the answers that may vote.

        Prices in (0, ``MAX_PRICE``], published within the last ``max_staleness`` seconds, with a
        confidence of at most the fraction ``max_deviation`` (WAD) of the price.
        """
        elapsed = self.elapsed(seasoning, now)
        votes = []
        for i, (source, answer) in enumerate(zip(self.entries, answers, strict=True)):
            if answer is None:
                continue
            price, confidence, published_at = answer
            if not 0 < price <= MAX_PRICE:
                continue
            if not now - max_staleness <= published_at <= now:
                continue
            if confidence > mul_down(price, max_deviation):
                continue
            share = _share(source, elapsed, seasoning)
            weight = share * (RECOVERY_PERIOD + source.credit)
            votes.append(Vote(price, confidence, published_at, weight, share, i))
        return votes

    def judge(self, counted: frozenset[int], elapsed: int) -> tuple[SourceSet, list[Source]]:
        """Credit or debit every source with the seconds since the last judgement.

        Returns the set, which is this one if nothing changed, and the sources that changed.
        """
        changed, sources = [], []
        for i, source in enumerate(self.entries):
            is_counted = i in counted
            credit = source.credit
            if is_counted and source.is_counted:
                credit = min(RECOVERY_PERIOD, credit + elapsed)
            elif not is_counted and not source.is_counted:
                credit = max(0, credit - FALL_FACTOR * elapsed)
            judged = source
            if credit != source.credit or is_counted != source.is_counted:
                judged = replace(source, credit=credit, is_counted=is_counted)
                changed.append(judged)
            sources.append(judged)
        return (replace(self, entries=tuple(sources)) if changed else self), changed

    def change(
        self, quorum: int, sources: Sequence[SourceConfig], seasoning: int, now: int
    ) -> SourceSet:
        """Return the set whose shares move to those of a checked list; the first are there at once.

        Raises:
            OracleAggregator_SourceCount: with those that are leaving there are too many.
        """
        if not self.entries:
            first = (
                Source(s.adapter, s.share * UNIT, s.share, RECOVERY_PERIOD, True) for s in sources
            )
            return SourceSet(quorum * UNIT, quorum, now, tuple(first))
        elapsed = self.elapsed(seasoning, now)
        known = {
            source.adapter: replace(
                source, before=_share(source, elapsed, seasoning) // seasoning, target=0
            )
            for source in self.entries
        }
        following = []
        for s in sources:
            source = known.pop(s.adapter, None) or Source(s.adapter, 0, 0, 0, False)
            following.append(replace(source, target=s.share))
        following += [source for source in known.values() if source.before]
        if len(following) > MAX_SAMPLES:
            raise OracleAggregator_SourceCount(len(following), MAX_SAMPLES)
        # Rounding takes less than a unit from each share: what was a quorum stays one.
        before = self.quorum(seasoning, now) // seasoning - MAX_SAMPLES
        before = max(before, TOTAL_SHARE * UNIT // 2 + 1)
        return SourceSet(before, quorum, now, tuple(following))

    def suspend(self, adapter: str) -> SourceSet | None:
        """Return the set without a source's share, now and in future; None if there is none."""
        if all(source.adapter != adapter for source in self.entries):
            return None
        return replace(
            self,
            entries=tuple(
                replace(source, before=0, target=0) if source.adapter == adapter else source
                for source in self.entries
            ),
        )

    def states(self, seasoning: int, now: int) -> tuple[SourceState, ...]:
        """Return the sources as they vote now."""
        elapsed = self.elapsed(seasoning, now)
        return tuple(
            SourceState(
                s.adapter,
                mul_div_down(_share(s, elapsed, seasoning), WAD, TOTAL_SHARE * UNIT * seasoning),
                s.target,
                s.reputation,
                s.is_counted,
            )
            for s in self.entries
        )

    def targets(self) -> tuple[SourceConfig, ...]:
        """Return the list that the shares move to."""
        return tuple(SourceConfig(s.adapter, s.target) for s in self.entries if s.target)


def _share(source: Source, elapsed: int, seasoning: int) -> int:
    return _between(source.before, source.target, elapsed, seasoning)


def _between(before: int, target: int, elapsed: int, seasoning: int) -> int:
    """Basis points · ``UNIT`` · seconds."""
    return before * (seasoning - elapsed) + target * UNIT * elapsed
