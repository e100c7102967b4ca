"""Twin of ``LedgerVault``: ERC-4626 shares in a part of the ledger.

Assets are token units of the settlement token, shares raw; the assets themselves are figures in the
margin engine's ledger. Entering is priced on the higher of two values, leaving on the lower.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from bulkhead.model.context import external
from bulkhead.model.errors import ARITHMETIC, Panic
from bulkhead.model.math import UINT256_MAX, checked_uint
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    ERC4626ExceededMaxDeposit,
    ERC4626ExceededMaxMint,
    ERC4626ExceededMaxRedeem,
    ERC4626ExceededMaxWithdraw,
    LedgerVault_TransferFee,
    LedgerVault_ZeroAmount,
)
from bulkhead.model.tokens import ERC20
from bulkhead.model.types import Action, Address

DECIMALS_OFFSET = 6
_VIRTUAL_SHARES = 10**DECIMALS_OFFSET
_UINT128_MAX = 2**128 - 1


class LedgerVault(ERC20, ABC):
    """What pool and insurance fund have in common."""

    def __init__(
        self, parts: Parts, address: Address, enter_action: Action, leave_action: Action
    ) -> None:
        self._asset = parts.token(parts.addresses.settlement_token)
        super().__init__(parts.context, address, self._asset.decimals + DECIMALS_OFFSET)
        self._parts = parts
        self._enter_action = enter_action
        self._leave_action = leave_action

    # ------------------------------------------------------------------- what a vault defines

    @abstractmethod
    def _enter_value(self) -> int:
        """Return what all shares are worth to one who enters, token units, rounded up."""

    @abstractmethod
    def _leave_value(self) -> int:
        """Return what all shares are worth to one who leaves, token units, rounded down."""

    @abstractmethod
    def _is_open(self) -> bool:
        """Return whether shares may be bought at all."""

    @abstractmethod
    def _is_priced(self) -> bool:
        """Return whether the values rest on prices good enough to trade shares on."""

    @abstractmethod
    def _refresh(self) -> None:
        """Bring what the values depend on up to date."""

    @abstractmethod
    def _book(self, amount_tokens: int) -> None:
        """Book token units that arrived."""

    @abstractmethod
    def _pay(self, amount_tokens: int, receiver: Address) -> None:
        """Pay token units out of custody."""

    # ------------------------------------------------------------------------- state-changing

    @external
    def deposit(self, sender: Address, assets: int, receiver: Address) -> int:
        """Pay ``assets`` and return the shares minted.

        Raises:
            CompartmentLock_Locked: called from within a call.
            CircuitBreaker_Blocked: the tier does not allow it.
            MarginEngine_StaleUnrealized: a market's figure is too old (pool only).
            ERC4626ExceededMaxDeposit: the vault is closed.
            LedgerVault_ZeroAmount: nothing is paid or minted.
            LedgerVault_TransferFee: less arrived than was sent.
        """
        self._lock()
        self._before_entering()
        limit = self._max_deposit()
        if assets > limit:
            raise ERC4626ExceededMaxDeposit(receiver, assets, limit)
        shares = self._to_shares(assets, self._enter_value(), up=False)
        self._enter_vault(sender, receiver, assets, shares)
        self._unlock()
        return shares

    @external
    def mint(self, sender: Address, shares: int, receiver: Address) -> int:
        """Mint ``shares`` and return the assets paid.

        Raises:
            As ``deposit``.
        """
        self._lock()
        self._before_entering()
        limit = self._max_mint()
        if shares > limit:
            raise ERC4626ExceededMaxMint(receiver, shares, limit)
        assets = self._to_assets(shares, self._enter_value(), up=True)
        self._enter_vault(sender, receiver, assets, shares)
        self._unlock()
        return assets

    @external
    def withdraw(self, sender: Address, assets: int, receiver: Address, owner: Address) -> int:
        """Pay out ``assets`` and return the shares burned.

        Raises:
            CompartmentLock_Locked: called from within a call.
            MarginEngine_StaleUnrealized: a market's figure is too old (pool only).
            ERC4626ExceededMaxWithdraw: the owner's shares are worth less, or the tier forbids.
            LedgerVault_ZeroAmount: nothing is paid or burned.
            ERC20InsufficientAllowance: the sender may not spend the owner's shares.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
        """
        self._lock()
        self._refresh()
        limit = self._max_withdraw(owner)
        if assets > limit:
            raise ERC4626ExceededMaxWithdraw(owner, assets, limit)
        shares = self._to_shares(assets, self._leave_value(), up=True)
        self._leave_vault(sender, receiver, owner, assets, shares)
        self._unlock()
        return shares

    @external
    def redeem(self, sender: Address, shares: int, receiver: Address, owner: Address) -> int:
        """Burn ``shares`` and return the assets paid out.

        Raises:
            ERC4626ExceededMaxRedeem: the owner has fewer shares, or the tier forbids.
            Else as ``withdraw``.
        """
        self._lock()
        self._refresh()
        limit = self._max_redeem(owner)
        if shares > limit:
            raise ERC4626ExceededMaxRedeem(owner, shares, limit)
        assets = self._to_assets(shares, self._leave_value(), up=False)
        self._leave_vault(sender, receiver, owner, assets, shares)
        self._unlock()
        return assets

    # ---------------------------------------------------------------------------------- views

    def total_assets(self) -> int:
        """Return what leaving shares are worth.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call; so do all views below.
        """
        self._when_unlocked()
        return self._leave_value()

    def max_deposit(self, receiver: Address) -> int:  # noqa: ARG002
        """Return the most assets that may be paid in now."""
        self._when_unlocked()
        return self._max_deposit()

    def max_mint(self, receiver: Address) -> int:  # noqa: ARG002
        """Return the most shares that may be minted now."""
        self._when_unlocked()
        return self._max_mint()

    def max_withdraw(self, owner: Address) -> int:
        """Return the most assets that an owner may take out now."""
        self._when_unlocked()
        return self._max_withdraw(owner)

    def max_redeem(self, owner: Address) -> int:
        """Return the most shares that an owner may burn now."""
        self._when_unlocked()
        return self._max_redeem(owner)

    def preview_deposit(self, assets: int) -> int:
        """Return the shares that ``deposit`` would mint."""
        self._when_unlocked()
        return self._to_shares(assets, self._enter_value(), up=False)

    def preview_mint(self, shares: int) -> int:
        """Return the assets that ``mint`` would take."""
        self._when_unlocked()
        return self._to_assets(shares, self._enter_value(), up=True)

    def preview_withdraw(self, assets: int) -> int:
        """Return the shares that ``withdraw`` would burn."""
        self._when_unlocked()
        return self._to_shares(assets, self._leave_value(), up=True)

    def preview_redeem(self, shares: int) -> int:
        """Return the assets that ``redeem`` would pay."""
        self._when_unlocked()
        return self._to_assets(shares, self._leave_value(), up=False)

    def convert_to_shares(self, assets: int) -> int:
        """Return assets in shares at the leaving value, rounded down."""
        self._when_unlocked()
        return self._to_shares(assets, self._leave_value(), up=False)

    def convert_to_assets(self, shares: int) -> int:
        """Return shares in assets at the leaving value, rounded down."""
        self._when_unlocked()
        return self._to_assets(shares, self._leave_value(), up=False)

    # ------------------------------------------------------------------------------- internal

    def _lock(self) -> None:
        self._parts.margin_engine.enter(self.address)

    def _unlock(self) -> None:
        self._parts.margin_engine.exit(self.address)

    def _when_unlocked(self) -> None:
        if self._parts.margin_engine.is_locked():
            raise CompartmentLock_Locked()

    def _before_entering(self) -> None:
        self._parts.circuit_breaker.require_allowed(self._enter_action)
        self._refresh()

    def _enter_vault(self, sender: Address, receiver: Address, assets: int, shares: int) -> None:
        if assets == 0 or shares == 0:
            raise LedgerVault_ZeroAmount()
        custody = self._parts.addresses.collateral_vault
        before = self._asset.balance_of(custody)
        self._asset.transfer_from(self.address, sender, custody, assets)
        received = checked_uint(self._asset.balance_of(custody) - before)
        if received != assets:
            raise LedgerVault_TransferFee(received, assets)
        self._mint(receiver, shares)
        self._book(assets)
        self._emit("Deposit", sender=sender, owner=receiver, assets=assets, shares=shares)

    def _leave_vault(
        self, sender: Address, receiver: Address, owner: Address, assets: int, shares: int
    ) -> None:
        if assets == 0 or shares == 0:
            raise LedgerVault_ZeroAmount()
        self._parts.circuit_breaker.require_allowed(self._leave_action)
        if sender != owner:
            self._spend_allowance(owner, sender, shares)
        self._burn(owner, shares)
        self._emit(
            "Withdraw",
            sender=sender,
            receiver=receiver,
            owner=owner,
            assets=assets,
            shares=shares,
        )
        self._pay(assets, receiver)

    def _max_deposit(self) -> int:
        allowed = self._parts.circuit_breaker.is_allowed(self._enter_action)
        if not allowed or not self._is_open() or not self._is_priced():
            return 0
        return int(_UINT128_MAX // (1000 * 10 ** (18 - self._asset.decimals)))

    def _max_mint(self) -> int:
        return self._to_shares(self._max_deposit(), self._enter_value(), up=False)

    def _max_withdraw(self, owner: Address) -> int:
        return self._to_assets(self._max_redeem(owner), self._leave_value(), up=False)

    def _max_redeem(self, owner: Address) -> int:
        allowed = self._parts.circuit_breaker.is_allowed(self._leave_action)
        if not allowed or not self._is_priced():
            return 0
        shares = self.balance_of(owner)
        return shares if self._to_assets(shares, self._leave_value(), up=False) else 0

    def _to_shares(self, assets: int, value: int, *, up: bool) -> int:
        return _mul_div(assets, self.total_supply + _VIRTUAL_SHARES, value + 1, up)

    def _to_assets(self, shares: int, value: int, *, up: bool) -> int:
        return _mul_div(shares, value + 1, self.total_supply + _VIRTUAL_SHARES, up)


def _mul_div(x: int, y: int, denominator: int, up: bool) -> int:
    """Return x·y / denominator as OpenZeppelin's ``Math.mulDiv``: overflow is ``Panic`` 0x11."""
    product = x * y
    result = product // denominator
    if result > UINT256_MAX:
        raise Panic(ARITHMETIC)
    return checked_uint(result + 1) if up and product % denominator else result
