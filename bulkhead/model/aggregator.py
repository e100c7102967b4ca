"""Twin of ``DevAggregatorV3`` behind its adapter: a feed that its owner sets and may break."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

from bulkhead.model.context import Cell, Context, Contract, external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import checked_uint
from bulkhead.model.sequencer_uptime import Round
from bulkhead.model.sources import ChainlinkAdapter
from bulkhead.model.tokens import OwnableUnauthorizedAccount
from bulkhead.model.types import Address


class Mode(IntEnum):
    """How reads of a feed behave; the numbers are the contract's."""

    NORMAL = 0
    REVERT = 1
    BURN_GAS = 2


class DevAggregatorV3_Down(ModelRevert):  # noqa: N801
    """The feed was told not to answer."""


class DevAggregatorV3(Contract):
    """Twin of the contract, the ``PriceSource`` that its adapter is, and a ``RoundFeed``.

    Args:
        context, address: as of every twin.
        owner: may set it.
        source: its adapter, over its latest round.
    """

    def __init__(
        self, context: Context, address: Address, owner: Address, source: ChainlinkAdapter
    ) -> None:
        super().__init__(context, address)
        self._owner = owner
        self._source = Cell(context, source)
        self._mode = Cell(context, Mode.NORMAL)
        self._answer = Cell(context, _answer(source))
        self._started_at = Cell(context, source.updated_at)

    @external
    def set_answer(self, sender: Address, answer: int) -> None:
        """Publish an answer in a new, complete round, now.

        Raises:
            OwnableUnauthorizedAccount: the sender is not the owner.
            Panic: 0x11, there is no higher round.
        """
        self._only_owner(sender)
        number = checked_uint(self.round.round_id + 1, 80)
        self._publish(number, answer, self._context.now, self._context.now, number)

    @external
    def set_round(
        self,
        sender: Address,
        round_id: int,
        answer: int,
        started_at: int,
        updated_at: int,
        answered_in_round: int,
    ) -> None:
        """Publish any round at all, consistent or not.

        Raises:
            OwnableUnauthorizedAccount: the sender is not the owner.
        """
        self._only_owner(sender)
        self._publish(round_id, answer, started_at, updated_at, answered_in_round)

    @external
    def set_mode(self, sender: Address, mode: int) -> None:
        """Choose how reads behave.

        Raises:
            OwnableUnauthorizedAccount: the sender is not the owner.
        """
        self._only_owner(sender)
        self._mode.set(Mode(mode))
        down = mode != Mode.NORMAL
        self._answer.set(DevAggregatorV3_Down() if down else _answer(self.round))

    @property
    def round(self) -> ChainlinkAdapter:
        """The adapter over the latest round, whatever the mode."""
        return self._source.value

    @property
    def mode(self) -> Mode:
        """How reads behave."""
        return self._mode.value

    def latest(self, now: int) -> tuple[int, int, int]:
        """Return what the adapter answers.

        Raises:
            DevAggregatorV3_Down: the feed does not answer.
            Else as ``ChainlinkAdapter.latest``.
        """
        answer = self._answer.value
        if isinstance(answer, ModelRevert):
            raise answer
        self.round.require_heartbeat(now)
        return answer

    def latest_round(self, now: int) -> Round:  # noqa: ARG002
        """Return the latest round itself, as the sequencer's feed is read.

        Raises:
            DevAggregatorV3_Down: the feed does not answer.
        """
        if self.mode != Mode.NORMAL:
            raise DevAggregatorV3_Down()
        r = self.round
        return r.round_id, r.answer, self._started_at.value, r.updated_at, r.answered_in_round

    def _only_owner(self, sender: Address) -> None:
        if sender != self._owner:
            raise OwnableUnauthorizedAccount(sender)

    def _publish(
        self, number: int, answer: int, started_at: int, updated_at: int, answered_in: int
    ) -> None:
        latest = replace(
            self.round,
            round_id=number,
            answer=answer,
            updated_at=updated_at,
            answered_in_round=answered_in,
        )
        self._source.set(latest)
        self._started_at.set(started_at)
        if self.mode == Mode.NORMAL:
            self._answer.set(_answer(latest))
        self._emit("AnswerUpdated", current=answer, roundId=number, updatedAt=updated_at)


def _answer(source: ChainlinkAdapter) -> tuple[int, int, int] | ModelRevert:
    """Return what an adapter answers while young, or its revert; reads outnumber rounds by far."""
    try:
        return source.reading()
    except ModelRevert as error:
        return error
