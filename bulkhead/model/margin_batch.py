"""Twin of ``MarginBatch``: who acts, whether they may, and acts with one check of margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from bulkhead.model import ledger
from bulkhead.model.context import Cell, Table, external
from bulkhead.model.margin_interest import MarginInterest
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    CompartmentLock_NotAuthorized,
    MarginEngine_AccountCount,
    MarginEngine_CallCount,
    MarginEngine_InvalidActor,
    MarginEngine_NestedBatch,
    MarginEngine_Simulated,
)
from bulkhead.model.types import ZERO_ADDRESS, AccountId, Action, Address, owner_of

MAX_BATCH = 32
_PUT_OFF = 1


class CallTarget(IntEnum):
    """Whom an act of a batch may call; the numbers are those of the contracts."""

    MARGIN_ENGINE = 0
    PERP_EXCHANGE = 1
    SIGNED_ORDERS = 2


@dataclass(frozen=True, slots=True)
class InnerCall:
    """One act of a batch before it is encoded: a twin's method, and arguments without a sender.

    Attributes:
        target: whose twin's.
        function: in snake case; one that takes its sender first.
        args: the others.
    """

    target: CallTarget
    function: str
    args: tuple[Any, ...]


class MarginBatch(MarginInterest):
    """Who acts, whether they may, and batches."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._actor = Cell(parts.context, ZERO_ADDRESS)
        self._entries: Table[AccountId, int] = Table(parts.context)

    @external
    def batch(
        self, sender: Address, accounts: Sequence[AccountId], calls: Sequence[InnerCall]
    ) -> list[Any]:
        """Make several calls, and check the margin of the listed accounts in the end.

        Returns:
            What each call returned, not encoded.

        Raises:
            CompartmentLock_Locked: called from within a call.
            MarginEngine_NestedBatch: called from within a batch.
            MarginEngine_CallCount: none, or more than ``MAX_BATCH``.
            MarginEngine_AccountCount: more than ``MAX_BATCH``.
            ActionPolicy_PriceStatus, MarginEngine_BelowInitialMargin: in the end.
            Else what a call raises.
        """
        return self._batch(sender, sender, accounts, calls)

    @external
    def simulate(
        self,
        sender: Address,
        actor: Address,
        accounts: Sequence[AccountId],
        calls: Sequence[InnerCall],
    ) -> None:
        """Do what a batch by ``actor`` would do, and always revert.

        Raises:
            MarginEngine_InvalidActor: nobody is to act.
            MarginEngine_Simulated: results, then the valuations of the listed accounts.
            Else as ``batch``.
        """
        if actor == ZERO_ADDRESS:
            raise MarginEngine_InvalidActor(actor)
        results = self._batch(sender, actor, accounts, calls)
        engine = self._parts.risk_engine
        raise MarginEngine_Simulated(
            results, [engine.valuation(account, self._standing(account)) for account in accounts]
        )

    def require_initial_margin(self, sender: Address, account: AccountId, action: Action) -> None:
        """Check an account's initial margin for the exchange, now or when the batch ends.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the exchange.
            ActionPolicy_PriceStatus: a price is too bad.
            MarginEngine_BelowInitialMargin: it does not meet it.
        """
        if sender != self._parts.addresses.perp_exchange:
            raise CompartmentLock_NotAuthorized(sender)
        self._require_initial_margin(account, action)

    def actor(self) -> Address:
        """Return whose acts those of the running batch are."""
        return self._actor.value

    def _batch(
        self,
        sender: Address,
        actor: Address,
        accounts: Sequence[AccountId],
        calls: Sequence[InnerCall],
    ) -> list[Any]:
        if self._entered.value:
            raise CompartmentLock_Locked()
        if self._actor.value != ZERO_ADDRESS:
            raise MarginEngine_NestedBatch()
        if not 0 < len(calls) <= MAX_BATCH:
            raise MarginEngine_CallCount(len(calls), MAX_BATCH)
        if len(accounts) > MAX_BATCH:
            raise MarginEngine_AccountCount(len(accounts), MAX_BATCH)
        self._actor.set(actor)
        for account in accounts:
            self._entries[account] = _PUT_OFF
        results = [self._perform(sender, call) for call in calls]
        for account in accounts:
            asked = self._entries[account]
            self._entries[account] = 0
            if asked > _PUT_OFF:
                self._check_initial_margin(account, asked >> 1)
        self._actor.set(ZERO_ADDRESS)
        return results

    def _perform(self, sender: Address, call: InnerCall) -> Any:
        if call.target == CallTarget.MARGIN_ENGINE:
            return getattr(self, call.function)(sender, *call.args)
        parts = self._parts
        to = (None, parts.perp_exchange, parts.signed_orders)[call.target]
        return getattr(to, call.function)(self.address, *call.args)

    def _require_initial_margin(self, account: AccountId, action: Action) -> None:
        entry = self._entries.get(account, 0)
        if entry:
            self._entries[account] = entry | 2 << action
        else:
            self._check_initial_margin(account, 1 << action)

    def _check_initial_margin(self, account: AccountId, actions: int) -> None:
        """Check now; bit a of ``actions`` means that action a asks."""
        s = self._standing(account)
        value = ledger.share_of(s.matured, s.pool_cash, s.junior) if s.is_haircut_fresh else 0
        equity, required = self._parts.risk_engine.uncollateralized(
            account, s.cash, s.claim, value, actions
        )
        if equity >= required:
            return
        self._parts.risk_engine.require_covered(account, s.holdings, equity, required, actions)

    def _require_authorized(self, sender: Address, account: AccountId, permission: int) -> None:
        caller = self._sender(sender)
        if owner_of(account) != caller:
            self._parts.account_operators.require_authorized(account, caller, permission)

    def _sender(self, sender: Address) -> Address:
        """Return whose act a call by ``sender`` is."""
        actor = self._actor.value
        return sender if actor == ZERO_ADDRESS else actor
