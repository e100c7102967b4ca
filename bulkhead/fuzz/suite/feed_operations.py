"""How feeds misbehave, and how they recover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.model.aggregator import Mode
from bulkhead.model.oracle import MAX_PRICE
from bulkhead.model.types import ZERO_ADDRESS

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

FEEDS = 6
_FACTORS_BPS = (10_100, 9_900, 10_400, 9_600, 10_800, 9_200, 20_000, 5_000)
_HOUR = 3_600
_ABSURD = 10**6

Feed = Annotated[int, Index(FEEDS)]


@dataclass(frozen=True, slots=True)
class MoveFeed(Operation):
    """One feed alone reports something else, within what is tolerated or not."""

    weight = 2

    feed: Feed
    factor: Annotated[int, Index(len(_FACTORS_BPS))]

    def resolve(self, u: Questions) -> Step | None:
        feed = u.feed_names[self.feed]
        return Step((u.report(feed, u.answer(feed) * _FACTORS_BPS[self.factor] // 10_000),))


@dataclass(frozen=True, slots=True)
class BreakFeed(Operation):
    """A feed stops answering, or answers again; at times somebody else tries to do that."""

    weight = 2
    refusals = may.TURNED_AWAY

    feed: Feed
    mode: Annotated[int, Index(2)]
    who: Annotated[int, Index(16)]
    """15: not the owner."""

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[0] if self.who == 15 else u.governor
        mode = Mode.NORMAL if self.mode else Mode.REVERT
        return Step((Call(sender, u.feed_names[self.feed], "setMode", (int(mode),)),))


@dataclass(frozen=True, slots=True)
class BadRound(Operation):
    """A feed, or both of an asset, publish a round that makes no sense."""

    weight = 2
    refusals = may.TURNED_AWAY

    feed: Feed
    what: Annotated[int, Index(13)]
    """Zero, negative, huge, too old, of the future, carried over, never updated, all at once; on
    the lower bound, above it, below the upper one, on it; as old as the heartbeat allows."""
    both: Annotated[int, Index(4)]
    """3: both feeds of the asset."""
    who: Annotated[int, Index(16)]
    """15: not the owner."""

    def resolve(self, u: Questions) -> Step | None:
        feed = u.feed_names[self.feed]
        feeds = u.feeds_of(feed.rpartition("-")[0]) if self.both == 3 else (feed,)
        sender = u.actors[0] if self.who == 15 else u.governor
        return Step(tuple(Call(sender, f, "setRound", self._round(u, f)) for f in feeds))

    def _round(self, u: Questions, feed: str) -> tuple[int, int, int, int, int]:
        now, last = u.now, u.model.feeds[feed].round
        number, answer = last.round_id + 1, last.answer
        # One feed says what is absurd; two say more than the oracle counts.
        huge = MAX_PRICE if self.both == 3 else max(1, answer) * _ABSURD
        return (
            (number, 0, now, now, number),
            (number, -answer, now, now, number),
            (number, huge, now, now, number),
            (number, answer, now, now - 2 * _HOUR, number),
            (number, answer, now, now + _HOUR, number),
            (number, answer, now, now, number - 1),
            (number, answer, 0, 0, number),
            (number, -huge, now + _HOUR, 0, 0),
            (number, last.min_answer, now, now, number),
            (number, last.min_answer + 1, now, now, number),
            (number, last.max_answer - 1, now, now, number),
            (number, last.max_answer, now, now, number),
            (number, answer, now, now + BLOCK_SECONDS - last.heartbeat, number),
        )[self.what]


@dataclass(frozen=True, slots=True)
class RepairFeeds(Operation):
    """Where an asset has no good price, its feeds answer again, with what makes sense."""

    weight = 4

    def resolve(self, u: Questions) -> Step | None:
        calls = tuple(repairs(u, u.now + BLOCK_SECONDS))
        return Step(calls) if calls else None


def repairs(u: Questions, at: int) -> Iterator[Call]:
    """Yield what makes feeds answer where an asset would not have a good price at a time.

    A price that moved far is recorded, so that it can be confirmed; nobody asks the sequencer.
    """
    if not u.is_sequenced(at):
        yield Call(u.governor, "OracleAggregator", "setUptimeFeed", (ZERO_ADDRESS, 0))
    for asset in u.assets:
        answer = u.sensible_answer(asset)
        feeds = u.feeds_of(asset)
        if u.is_good(asset, at) and answer == u.answer(feeds[0]):
            continue
        for name in feeds:
            if u.model.feeds[name].mode != Mode.NORMAL:
                yield Call(u.governor, name, "setMode", (int(Mode.NORMAL),))
            yield u.report(name, answer)
        yield Call(u.keeper, "OracleAggregator", "record", (asset,))
