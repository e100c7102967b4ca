"""ERC-20 balances and allowances with OpenZeppelin's errors. Amounts in token units."""

from __future__ import annotations

from collections.abc import Callable

from bulkhead.model.context import Cell, Context, Contract, Table, external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX, WAD, checked_uint, mul_up
from bulkhead.model.reverts import (
    EmptyRevert,
    ERC20InsufficientAllowance,
    ERC20InsufficientBalance,
    ERC20InvalidApprover,
    ERC20InvalidReceiver,
    ERC20InvalidSender,
    ERC20InvalidSpender,
)
from bulkhead.model.types import ZERO_ADDRESS, Address


class OwnableUnauthorizedAccount(ModelRevert):
    """``(account)``: OpenZeppelin's; the caller does not own the contract."""


class ERC20(Contract):
    """Twin of OpenZeppelin's ``ERC20``."""

    def __init__(self, context: Context, address: Address, decimals: int) -> None:
        super().__init__(context, address)
        self.decimals = decimals
        self.rebases = b""
        """The first question of ``TokenScreen`` that it answers; empty: none."""
        self.balances: Table[Address, int] = Table(context)
        self.allowances: Table[tuple[Address, Address], int] = Table(context)
        self._supply = Cell(context, 0)

    @property
    def total_supply(self) -> int:
        """Token units of all holders together."""
        return self._supply.value

    def balance_of(self, holder: Address) -> int:
        """Return a holder's token units."""
        return self.balances.get(holder, 0)

    def allowance(self, owner: Address, spender: Address) -> int:
        """Return what a spender may take from an owner."""
        return self.allowances.get((owner, spender), 0)

    @external
    def approve(self, sender: Address, spender: Address, value: int) -> bool:
        """Set what ``spender`` may take from ``sender``.

        Raises:
            ERC20InvalidApprover: the zero address approves.
            ERC20InvalidSpender: the zero address would spend.
        """
        if sender == ZERO_ADDRESS:
            raise ERC20InvalidApprover(sender)
        if spender == ZERO_ADDRESS:
            raise ERC20InvalidSpender(spender)
        self.allowances[sender, spender] = value
        self._emit("Approval", owner=sender, spender=spender, value=value)
        return True

    @external
    def transfer(self, sender: Address, to: Address, value: int) -> bool:
        """Move token units of ``sender``.

        Raises:
            ERC20InvalidSender: from the zero address.
            ERC20InvalidReceiver: to the zero address.
            ERC20InsufficientBalance: the sender has less.
        """
        self._transfer(sender, to, value)
        return True

    @external
    def transfer_from(self, sender: Address, from_: Address, to: Address, value: int) -> bool:
        """Move token units that ``from_`` allowed ``sender`` to take.

        Raises:
            ERC20InsufficientAllowance: less was allowed.
            ERC20InvalidSender: from the zero address.
            ERC20InvalidReceiver: to the zero address.
            ERC20InsufficientBalance: the holder has less.
        """
        self._spend_allowance(from_, sender, value)
        self._transfer(from_, to, value)
        return True

    def permit(self, *_arguments: object) -> None:
        """Do what ERC-2612 says; a token without it reverts.

        Raises:
            EmptyRevert: it has no such function.
        """
        raise EmptyRevert()

    def _transfer(self, from_: Address, to: Address, value: int) -> None:
        if from_ == ZERO_ADDRESS:
            raise ERC20InvalidSender(from_)
        if to == ZERO_ADDRESS:
            raise ERC20InvalidReceiver(to)
        self._update(from_, to, value)

    def _update(self, from_: Address, to: Address, value: int) -> None:
        if from_ == ZERO_ADDRESS:
            self._supply.set(checked_uint(self._supply.value + value))
        else:
            balance = self.balance_of(from_)
            if balance < value:
                raise ERC20InsufficientBalance(from_, balance, value)
            self.balances[from_] = balance - value
        if to == ZERO_ADDRESS:
            self._supply.set(self._supply.value - value)
        else:
            self.balances[to] = self.balance_of(to) + value
        self._emit("Transfer", **{"from": from_, "to": to, "value": value})

    def _mint(self, account: Address, value: int) -> None:
        if account == ZERO_ADDRESS:
            raise ERC20InvalidReceiver(account)
        self._update(ZERO_ADDRESS, account, value)

    def _burn(self, account: Address, value: int) -> None:
        if account == ZERO_ADDRESS:
            raise ERC20InvalidSender(account)
        self._update(account, ZERO_ADDRESS, value)

    def _spend_allowance(self, owner: Address, spender: Address, value: int) -> None:
        allowed = self.allowance(owner, spender)
        if allowed == UINT256_MAX:
            return
        if allowed < value:
            raise ERC20InsufficientAllowance(spender, allowed, value)
        if owner == ZERO_ADDRESS:
            raise ERC20InvalidApprover(owner)
        if spender == ZERO_ADDRESS:
            raise ERC20InvalidSpender(spender)
        self.allowances[owner, spender] = allowed - value


class Token(ERC20):
    """A token of the outside world that anyone may mint.

    ``transfer_fee`` is the WAD fraction that a transfer burns, rounded up; ``hook`` is called after
    each transfer with ``(from, to, value)``, as by a token with callbacks.
    """

    def __init__(
        self, context: Context, address: Address, decimals: int, transfer_fee: int = 0
    ) -> None:
        super().__init__(context, address, decimals)
        if not 0 <= transfer_fee <= WAD:
            raise ValueError(f"transfer fee {transfer_fee} outside of [0, {WAD}]")
        self.transfer_fee = transfer_fee
        self.hook: Callable[[Address, Address, int], None] | None = None

    @external
    def mint(self, account: Address, value: int) -> None:
        """Create token units.

        Raises:
            ERC20InvalidReceiver: for the zero address.
            Panic: 0x11, the supply would exceed 256 bits.
        """
        self._mint(account, value)

    def _transfer(self, from_: Address, to: Address, value: int) -> None:
        super()._transfer(from_, to, value)
        if self.transfer_fee:
            self._burn(to, mul_up(value, self.transfer_fee))
        if self.hook is not None:
            self.hook(from_, to, value)
