"""Twin of ``CollateralVault``: holds tokens and knows no accounts."""

from __future__ import annotations

from bulkhead.model.context import Contract
from bulkhead.model.math import checked_uint
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import CollateralVault_NotMarginEngine
from bulkhead.model.types import Address


class CollateralVault(Contract):
    """Custody of a compartment; amounts in token units."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.context, parts.addresses.collateral_vault)
        self._parts = parts

    def pull(self, sender: Address, token: Address, from_: Address, amount_tokens: int) -> int:
        """Take tokens and return what arrived.

        Raises:
            CollateralVault_NotMarginEngine: the sender is another.
            ERC20InsufficientAllowance, ERC20InsufficientBalance: the token refuses.
        """
        self._require_engine(sender)
        erc20 = self._parts.token(token)
        before = erc20.balance_of(self.address)
        erc20.transfer_from(self.address, from_, self.address, amount_tokens)
        return checked_uint(erc20.balance_of(self.address) - before)

    def push(self, sender: Address, token: Address, to: Address, amount_tokens: int) -> None:
        """Send tokens.

        Raises:
            CollateralVault_NotMarginEngine: the sender is another.
            ERC20InsufficientBalance, ERC20InvalidReceiver: the token refuses.
        """
        self._require_engine(sender)
        self._parts.token(token).transfer(self.address, to, amount_tokens)

    def _require_engine(self, sender: Address) -> None:
        if sender != self._parts.addresses.margin_engine:
            raise CollateralVault_NotMarginEngine(sender)
