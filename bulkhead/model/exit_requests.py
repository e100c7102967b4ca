"""Twin of ``ExitRequests``: leaving a vault takes asking, and redeeming within a window."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from bulkhead.model.context import Table, external
from bulkhead.model.math import to_uint
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    LedgerVault_Cooling,
    LedgerVault_InsufficientShares,
    LedgerVault_Lapsed,
    LedgerVault_NoRequestNeeded,
    LedgerVault_NotRequested,
    LedgerVault_ZeroAmount,
)
from bulkhead.model.tokens import ERC20
from bulkhead.model.types import ZERO_ADDRESS, Address


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """Raw shares to be redeemed from one second to another, Unix seconds, both inclusive."""

    shares: int = 0
    unlocks_at: int = 0
    expires_at: int = 0


NO_REQUEST = ExitRequest()


class ExitRequests(ERC20):
    """Shares that their owners keep while they wait to be redeemed."""

    def __init__(self, parts: Parts, address: Address, decimals: int) -> None:
        super().__init__(parts.context, address, decimals)
        self._parts = parts
        self._requests: Table[Address, ExitRequest] = Table(parts.context)

    @abstractmethod
    def _exit_terms(self) -> tuple[int, int]:
        """Return the seconds that a request cools, and can be used then; 0: nobody has to ask."""

    @external
    def request_redeem(self, sender: Address, shares: int) -> None:
        """Ask for shares to be redeemed, on top of what was asked for; all of it cools anew.

        Raises:
            CompartmentLock_Locked: called from within a call.
            LedgerVault_NoRequestNeeded: nobody has to ask.
            LedgerVault_ZeroAmount: for nothing.
            LedgerVault_InsufficientShares: fewer are not requested yet.
        """
        self._lock()
        cooldown, window = self._exit_terms()
        if window == 0:
            raise LedgerVault_NoRequestNeeded()
        if shares == 0:
            raise LedgerVault_ZeroAmount()
        requested = self._live(sender).shares
        free = self.balance_of(sender) - requested
        if shares > free:
            raise LedgerVault_InsufficientShares(sender, free, shares)
        unlocks_at = self._context.now + cooldown
        total = to_uint(requested + shares, 176)
        self._requests[sender] = ExitRequest(total, unlocks_at, unlocks_at + window)
        self._emit(
            "RedeemRequested",
            owner=sender,
            shares=shares,
            totalShares=total,
            unlocksAt=unlocks_at,
            expiresAt=unlocks_at + window,
        )
        self._unlock()

    @external
    def cancel_request(self, sender: Address) -> None:
        """Withdraw the sender's request.

        Raises:
            CompartmentLock_Locked: called from within a call.
            LedgerVault_NotRequested: there is none, or it has lapsed.
        """
        self._lock()
        shares = self._live(sender).shares
        if shares == 0:
            raise LedgerVault_NotRequested(sender)
        self._requests[sender] = NO_REQUEST
        self._emit("RequestCancelled", owner=sender, shares=shares)
        self._unlock()

    def exit_request(self, owner: Address) -> ExitRequest:
        """Return an owner's request, also one that has lapsed."""
        return self._requests.get(owner, NO_REQUEST)

    # ------------------------------------------------------------------------------- internal

    def _lock(self) -> None:
        self._parts.margin_engine.enter(self.address)

    def _unlock(self) -> None:
        self._parts.margin_engine.exit(self.address)

    def _when_unlocked(self) -> None:
        if self._parts.margin_engine.is_locked():
            raise CompartmentLock_Locked()

    def _live(self, owner: Address) -> ExitRequest:
        r = self.exit_request(owner)
        return NO_REQUEST if self._context.now > r.expires_at else r

    def _cooled(self, owner: Address) -> int:
        """Return the shares that their owner may redeem now."""
        if self._exit_terms()[1] == 0:
            return self.balance_of(owner)
        r = self._live(owner)
        return 0 if self._context.now < r.unlocks_at else r.shares

    def _require_cooled(self, owner: Address) -> int:
        """Return the same.

        Raises:
            LedgerVault_NotRequested: there is no request.
            LedgerVault_Cooling: it has not cooled.
            LedgerVault_Lapsed: it is too old.
        """
        if self._exit_terms()[1] == 0:
            return self.balance_of(owner)
        r, now = self.exit_request(owner), self._context.now
        if r.shares == 0:
            raise LedgerVault_NotRequested(owner)
        if now < r.unlocks_at:
            raise LedgerVault_Cooling(owner, now, r.unlocks_at)
        if now > r.expires_at:
            raise LedgerVault_Lapsed(owner, now, r.expires_at)
        return r.shares

    def _use_request(self, owner: Address, shares: int) -> None:
        r = self._live(owner)
        if r.shares == 0:
            return
        if r.shares <= shares:
            self._requests[owner] = NO_REQUEST
        else:
            self._requests[owner] = ExitRequest(r.shares - shares, r.unlocks_at, r.expires_at)

    def _update(self, from_: Address, to: Address, value: int) -> None:
        if ZERO_ADDRESS not in (from_, to):
            requested, held = self._live(from_).shares, self.balance_of(from_)
            if requested and held - requested < value <= held:
                raise LedgerVault_InsufficientShares(from_, held - requested, value)
        super()._update(from_, to, value)
