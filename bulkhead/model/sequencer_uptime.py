"""Twin of ``SequencerUptime``: whether a rollup's sequencer has been up for long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY

MAX_GRACE_PERIOD = DAY

Round = tuple[int, int, int, int, int]
"""Round id, answer, Unix seconds started at and updated at, round answered in."""


class RoundFeed(Protocol):
    """What a feed answers."""

    def latest_round(self, now: int) -> Round:
        """Return the latest round, or raise ``ModelRevert`` where a call would fail."""
        ...


@dataclass(frozen=True, slots=True)
class FixedRound:
    """A feed that always answers the same."""

    answer: int = 0
    started_at: int = 1

    def latest_round(self, now: int) -> Round:  # noqa: ARG002
        return 1, self.answer, self.started_at, self.started_at, 1


@dataclass(frozen=True, slots=True)
class UptimeConfig:
    """A feed's name, empty if there is none, and the seconds that the sequencer must be up."""

    feed: str = ""
    grace_period: int = 0


def is_settled(config: UptimeConfig, feeds: Mapping[str, RoundFeed], now: int) -> bool:
    """Return whether prices may be better than unconfirmed.

    True without a feed. A feed that fails, or whose round has not started, says nothing good.
    """
    if not config.feed:
        return True
    feed = feeds.get(config.feed)
    if feed is None:
        return False
    try:
        _, answer, started_at, _, _ = feed.latest_round(now)
    except ModelRevert:
        return False
    if answer != 0 or started_at == 0 or started_at > now:
        return False
    return now - started_at >= config.grace_period
