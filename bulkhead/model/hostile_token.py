"""Twin of ``HostileToken``: takes a fee, blocks holders, returns nothing or calls back."""

from __future__ import annotations

from collections.abc import Callable

from bulkhead.model.context import Cell, Context, Table, external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import checked_uint
from bulkhead.model.tokens import OwnableUnauthorizedAccount, Token
from bulkhead.model.types import ZERO_ADDRESS, Address

BPS = 10_000

Callback = Callable[[Address, bytes], tuple[bool, object]]
"""Calls an address with calldata in the token's name; returns success and the returned word."""


class HostileToken_Blocked(ModelRevert):  # noqa: N801
    """``(account)``: it may neither send nor receive."""


class HostileToken(Token):
    """Twin of the contract.

    Args:
        context, address, decimals: as of every token.
        owner: may tell it what to do.
        perform: how it calls back.
    """

    def __init__(
        self,
        context: Context,
        address: Address,
        decimals: int,
        owner: Address,
        perform: Callback,
    ) -> None:
        super().__init__(context, address, decimals)
        self._owner = owner
        self._perform = perform
        self._fee_bps = Cell(context, 0)
        self._silent = Cell(context, False)
        self._blocked: Table[Address, bool] = Table(context)
        self._callback: Cell[tuple[Address, bytes]] = Cell(context, (ZERO_ADDRESS, b""))

    @external
    def set_fee(self, sender: Address, fee_bps: int) -> None:
        """Set the part of each transfer that is burned.

        Raises:
            OwnableUnauthorizedAccount: the sender is not the owner; so do all below.
        """
        self._only_owner(sender)
        self._fee_bps.set(fee_bps)

    @external
    def set_silent(self, sender: Address, is_silent: bool) -> None:
        """Choose whether transfers return no data at all; nothing else depends on it."""
        self._only_owner(sender)
        self._silent.set(is_silent)

    @external
    def set_blocked(self, sender: Address, account: Address, is_blocked: bool) -> None:
        """Block an account, or let it go."""
        self._only_owner(sender)
        self._blocked[account] = is_blocked

    @external
    def set_callback(self, sender: Address, callee: Address, data: bytes) -> None:
        """Choose whom every transfer calls before it moves anything; the zero address: nobody."""
        self._only_owner(sender)
        self._callback.set((callee, data))

    @property
    def is_tame(self) -> bool:
        """Whether it takes no fee, blocks nobody and calls nobody."""
        free = self._fee_bps.value == 0 and not any(self._blocked.values())
        return free and self._callback.value[0] == ZERO_ADDRESS

    def blocked(self) -> list[Address]:
        """Return whom it blocks."""
        return [account for account, is_blocked in self._blocked.items() if is_blocked]

    def _only_owner(self, sender: Address) -> None:
        if sender != self._owner:
            raise OwnableUnauthorizedAccount(sender)

    def _update(self, from_: Address, to: Address, value: int) -> None:
        for account in (from_, to):
            if self._blocked.get(account):
                raise HostileToken_Blocked(account)
        callee, data = self._callback.value
        if callee != ZERO_ADDRESS:
            success, returned = self._perform(callee, data)
            self._emit("CalledBack", success=success, returndata=returned)
        moves = ZERO_ADDRESS not in (from_, to)
        fee = value * self._fee_bps.value // BPS if moves else 0
        super()._update(from_, to, checked_uint(value - fee))
        if fee:
            super()._update(from_, ZERO_ADDRESS, fee)
