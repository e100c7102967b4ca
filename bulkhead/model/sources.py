"""What the oracle asks: twins of ``ChainlinkAdapter`` and of a source that never changes.

Those of the other adapters are in ``adapters`` and ``tick``. Prices are WAD, times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY

MAX_HEARTBEAT = 7 * DAY
LARGEST_ANSWER = 2**191 - 1


class ChainlinkAdapter_NonPositiveAnswer(ModelRevert):  # noqa: N801
    """``(answer)``."""


class ChainlinkAdapter_AnswerOutOfRange(ModelRevert):  # noqa: N801
    """``(answer, minAnswer, maxAnswer)``: not strictly between the bounds."""


class ChainlinkAdapter_MissedHeartbeat(ModelRevert):  # noqa: N801
    """``(age, heartbeat)``."""


class ChainlinkAdapter_IncompleteRound(ModelRevert):  # noqa: N801
    """``(roundId, answeredInRound, updatedAt)``."""


class PriceSource(Protocol):
    """What an adapter answers."""

    def latest(self, now: int) -> tuple[int, int, int]:
        """Return ``(price WAD, confidence WAD, publishedAt)`` or raise ``ModelRevert``."""
        ...


@dataclass(frozen=True, slots=True)
class FixedSource:
    """A source that always answers the same."""

    price: int
    confidence: int
    published_at: int

    def latest(self, now: int) -> tuple[int, int, int]:  # noqa: ARG002
        return self.price, self.confidence, self.published_at


@dataclass(frozen=True, slots=True)
class ChainlinkAdapter:
    """Twin of ``ChainlinkAdapter``, over one round of its feed; its bounds as wide as they go."""

    decimals: int
    round_id: int
    answer: int
    updated_at: int
    answered_in_round: int
    min_answer: int = 0
    max_answer: int = LARGEST_ANSWER
    heartbeat: int = MAX_HEARTBEAT

    def latest(self, now: int) -> tuple[int, int, int]:
        """Return the answer scaled to WAD.

        Raises:
            ChainlinkAdapter_IncompleteRound: no answer yet, or a carried-over one.
            ChainlinkAdapter_NonPositiveAnswer: zero or negative.
            ChainlinkAdapter_AnswerOutOfRange: at or beyond a bound.
            ChainlinkAdapter_MissedHeartbeat: too old.
        """
        reading = self.reading()
        self.require_heartbeat(now)
        return reading

    def reading(self) -> tuple[int, int, int]:
        """Return the answer scaled to WAD, however old it is.

        Raises:
            As ``latest``, but for ``ChainlinkAdapter_MissedHeartbeat``.
        """
        if self.updated_at == 0 or self.answered_in_round < self.round_id:
            raise ChainlinkAdapter_IncompleteRound(
                self.round_id, self.answered_in_round, self.updated_at
            )
        if self.answer <= 0:
            raise ChainlinkAdapter_NonPositiveAnswer(self.answer)
        if not self.min_answer < self.answer < self.max_answer:
            raise ChainlinkAdapter_AnswerOutOfRange(self.answer, self.min_answer, self.max_answer)
        return self.answer * 10 ** (18 - self.decimals), 0, self.updated_at

    def require_heartbeat(self, now: int) -> None:
        """Revert if the answer is too old.

        Raises:
            ChainlinkAdapter_MissedHeartbeat: it is.
        """
        if now - self.updated_at > self.heartbeat:
            raise ChainlinkAdapter_MissedHeartbeat(now - self.updated_at, self.heartbeat)
