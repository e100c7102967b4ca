"""Twin of ``LedgerVault``: ERC-4626 shares in a part of the ledger.

Assets are token units of the settlement token, shares raw; the assets themselves are figures in the
margin engine's ledger. Entering is priced on the higher of two values, leaving on the lower.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from bulkhead.model.context import external
from bulkhead.model.errors import ARITHMETIC, Panic
from bulkhead.model.exit_requests import ExitRequests
from bulkhead.model.math import UINT256_MAX, checked_uint
from bulkhead.model.parts import Parts
from bulkhead.model.reverts import (
    ERC4626ExceededMaxDeposit,
    ERC4626ExceededMaxMint,
    ERC4626ExceededMaxRedeem,
    ERC4626ExceededMaxWithdraw,
    LedgerVault_Coverage,
    LedgerVault_TransferFee,
    LedgerVault_ZeroAmount,
)
from bulkhead.model.types import Action, Address

DECIMALS_OFFSET = 6
_VIRTUAL_SHARES = 10**DECIMALS_OFFSET
_UINT128_MAX = 2**128 - 1


class LedgerVault(ExitRequests, ABC):
    """What pool and insurance fund have in common."""

    def __init__(
        self, parts: Parts, address: Address, enter_action: Action, leave_action: Action
    ) -> None:
        self._asset = parts.token(parts.addresses.settlement_token)
        super().__init__(parts, address, self._asset.decimals + DECIMALS_OFFSET)
        self._enter_action = enter_action
        self._leave_action = leave_action

    # ------------------------------------------------------------------- what a vault defines

    @abstractmethod
    def _enter_value(self, *, strict: bool) -> tuple[int, bool]:
        """Return what all shares are worth to one who enters, token units up, and whether one may.

        Raises:
            LiquidityVault_Unpriced: strict, and it rests on a price that is not firm.
        """

    @abstractmethod
    def _leave_value(self, *, strict: bool) -> tuple[int, int]:
        """Return what all shares are worth to one who leaves, and what may leave, token units down.

        Raises:
            LiquidityVault_Unpriced: strict, and it rests on a price that is not firm.
        """

    @abstractmethod
    def _refresh(self) -> None:
        """Bring what others read of what leaving rests on up to date."""

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
            LiquidityVault_Unpriced: a market with positions has no firm price (pool only).
            ERC4626ExceededMaxDeposit: the vault is closed.
            LedgerVault_ZeroAmount: nothing is paid or minted.
            LedgerVault_TransferFee: less arrived than was sent.
        """
        self._lock()
        self._parts.circuit_breaker.require_allowed(self._enter_action)
        value, is_open = self._enter_value(strict=True)
        limit = self._most_assets() if is_open else 0
        if assets > limit:
            raise ERC4626ExceededMaxDeposit(receiver, assets, limit)
        shares = self._to_shares(assets, value, up=False)
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
        self._parts.circuit_breaker.require_allowed(self._enter_action)
        value, is_open = self._enter_value(strict=True)
        limit = self._to_shares(self._most_assets(), value, up=False) if is_open else 0
        if shares > limit:
            raise ERC4626ExceededMaxMint(receiver, shares, limit)
        assets = self._to_assets(shares, value, up=True)
        self._enter_vault(sender, receiver, assets, shares)
        self._unlock()
        return assets

    @external
    def withdraw(self, sender: Address, assets: int, receiver: Address, owner: Address) -> int:
        """Pay out ``assets`` and return the shares burned.

        Raises:
            CompartmentLock_Locked: called from within a call.
            CircuitBreaker_Blocked: the tier does not allow it.
            LedgerVault_NotRequested: the owner has no request (pool only).
            LedgerVault_Cooling, LedgerVault_Lapsed: it is too young, or too old.
            LiquidityVault_Unpriced: a market with positions has no firm price (pool only).
            ERC4626ExceededMaxWithdraw: the owner's requested shares are worth less.
            LedgerVault_ZeroAmount: nothing is paid or burned.
            LedgerVault_Coverage: less would stay than open interest has to be covered with.
            ERC20InsufficientAllowance: the sender may not spend the owner's shares.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
        """
        self._lock()
        cooled, value, free = self._before_leaving(owner)
        limit = self._to_assets(cooled, value, up=False)
        if assets > limit:
            raise ERC4626ExceededMaxWithdraw(owner, assets, min(limit, free))
        shares = self._to_shares(assets, value, up=True)
        self._leave_vault(sender, receiver, owner, assets, shares, free)
        self._unlock()
        return shares

    @external
    def redeem(self, sender: Address, shares: int, receiver: Address, owner: Address) -> int:
        """Burn ``shares`` and return the assets paid out.

        Raises:
            ERC4626ExceededMaxRedeem: the owner has requested fewer shares.
            Else as ``withdraw``.
        """
        self._lock()
        cooled, value, free = self._before_leaving(owner)
        if not self._to_assets(cooled, value, up=False):
            cooled = 0
        if shares > cooled:
            raise ERC4626ExceededMaxRedeem(owner, shares, self._within(cooled, value, free))
        assets = self._to_assets(shares, value, up=False)
        self._leave_vault(sender, receiver, owner, assets, shares, free)
        self._unlock()
        return assets

    # ---------------------------------------------------------------------------------- views

    def total_assets(self) -> int:
        """Return what leaving shares are worth.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call; so do all views below.
        """
        self._when_unlocked()
        return self._leave_value(strict=False)[0]

    def max_deposit(self, receiver: Address) -> int:  # noqa: ARG002
        """Return the most assets that may be paid in now."""
        self._when_unlocked()
        if not self._parts.circuit_breaker.is_allowed(self._enter_action):
            return 0
        return self._most_assets() if self._enter_value(strict=False)[1] else 0

    def max_mint(self, receiver: Address) -> int:  # noqa: ARG002
        """Return the most shares that may be minted now."""
        self._when_unlocked()
        if not self._parts.circuit_breaker.is_allowed(self._enter_action):
            return 0
        value, is_open = self._enter_value(strict=False)
        return self._to_shares(self._most_assets(), value, up=False) if is_open else 0

    def max_withdraw(self, owner: Address) -> int:
        """Return the most assets that an owner may take out now."""
        self._when_unlocked()
        if not self._parts.circuit_breaker.is_allowed(self._leave_action):
            return 0
        value, free = self._leave_value(strict=False)
        return min(self._to_assets(self._cooled(owner), value, up=False), free)

    def max_redeem(self, owner: Address) -> int:
        """Return the most shares that an owner may burn now."""
        self._when_unlocked()
        if not self._parts.circuit_breaker.is_allowed(self._leave_action):
            return 0
        value, free = self._leave_value(strict=False)
        return self._within(self._cooled(owner), value, free)

    def preview_deposit(self, assets: int) -> int:
        """Return the shares that ``deposit`` would mint."""
        self._when_unlocked()
        return self._to_shares(assets, self._enter_value(strict=False)[0], up=False)

    def preview_mint(self, shares: int) -> int:
        """Return the assets that ``mint`` would take."""
        self._when_unlocked()
        return self._to_assets(shares, self._enter_value(strict=False)[0], up=True)

    def preview_withdraw(self, assets: int) -> int:
        """Return the shares that ``withdraw`` would burn."""
        self._when_unlocked()
        return self._to_shares(assets, self._leave_value(strict=False)[0], up=True)

    def preview_redeem(self, shares: int) -> int:
        """Return the assets that ``redeem`` would pay."""
        self._when_unlocked()
        return self._to_assets(shares, self._leave_value(strict=False)[0], up=False)

    def convert_to_shares(self, assets: int) -> int:
        """Return assets in shares at the leaving value, rounded down."""
        self._when_unlocked()
        return self._to_shares(assets, self._leave_value(strict=False)[0], up=False)

    def convert_to_assets(self, shares: int) -> int:
        """Return shares in assets at the leaving value, rounded down."""
        self._when_unlocked()
        return self._to_assets(shares, self._leave_value(strict=False)[0], up=False)

    # ------------------------------------------------------------------------------- internal

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

    def _before_leaving(self, owner: Address) -> tuple[int, int, int]:
        """Return the shares that have cooled, what all are worth, and what may leave."""
        self._parts.circuit_breaker.require_allowed(self._leave_action)
        cooled = self._require_cooled(owner)
        self._refresh()
        return cooled, *self._leave_value(strict=True)

    def _leave_vault(
        self,
        sender: Address,
        receiver: Address,
        owner: Address,
        assets: int,
        shares: int,
        free: int,
    ) -> None:
        if assets == 0 or shares == 0:
            raise LedgerVault_ZeroAmount()
        if assets > free:
            raise LedgerVault_Coverage(assets, free)
        if sender != owner:
            self._spend_allowance(owner, sender, shares)
        self._use_request(owner, shares)
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

    def _most_assets(self) -> int:
        return int(_UINT128_MAX // (1000 * 10 ** (18 - self._asset.decimals)))

    def _within(self, shares: int, value: int, free: int) -> int:
        """Return the most of ``shares`` that pay no more than ``free``; 0 if they pay nothing."""
        if self._to_assets(shares, value, up=False) > free:
            shares = self._to_shares(free + 1, value, up=True) - 1
        return shares if self._to_assets(shares, value, up=False) else 0

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
