"""What liquidity providers and stakers of the insurance fund do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from bulkhead.fuzz.operation import Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, Actor, Bps, Stray, gives_up
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, Action, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions
    from bulkhead.model.vaults import LedgerVault

Vault = Annotated[int, Index(2)]

_PRICED = frozenset({"LedgerVault_ZeroAmount", "MarginEngine_StaleUnrealized"})


@dataclass(frozen=True, slots=True)
class EnterVault(Operation):
    """Deposit or mint in the pool or the insurance fund."""

    weight = 7
    refusals = (
        may.BLOCKED
        | may.TOKEN
        | _PRICED
        | {"ERC4626ExceededMaxDeposit", "ERC4626ExceededMaxMint", "ERC20InvalidReceiver"}
    )

    actor: Actor
    vault: Vault
    by_shares: Annotated[int, Index(2)]
    receiver: Annotated[int, Index(16)]
    """15: nobody; 14: somebody else."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        if gives_up(u, (Action.POOL_DEPOSIT, Action.FUND_DEPOSIT)[self.vault], self.stray):
            return None
        sender = u.actors[self.actor]
        others = {14: u.actors[(self.actor + 1) % ACTORS], 15: ZERO_ADDRESS}
        receiver = others.get(self.receiver, sender)
        name, vault = u.vault(self.vault)
        assets = part(u.wallet(sender, SETTLEMENT) // 100, self.share)
        if not self.by_shares:
            return Step((Call(sender, name, "deposit", (assets, receiver)),))
        try:
            shares = vault.preview_deposit(assets)
        except ModelRevert:
            return None
        return Step((Call(sender, name, "mint", (shares, receiver)),))


@dataclass(frozen=True, slots=True)
class LeaveVault(Operation):
    """Redeem or withdraw from the pool or the insurance fund; sometimes another's shares."""

    weight = 7
    refusals = _PRICED | {
        "ERC4626ExceededMaxWithdraw",
        "ERC4626ExceededMaxRedeem",
        "ERC20InsufficientAllowance",
        "MarginEngine_InvalidReceiver",
    }

    actor: Actor
    vault: Vault
    by_assets: Annotated[int, Index(2)]
    how: Annotated[int, Index(24)]
    """23: another's shares; 22: to nobody; 20, 21: without asking who holds any."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        if gives_up(u, (Action.POOL_WITHDRAW, Action.FUND_WITHDRAW)[self.vault], self.stray):
            return None
        name, vault = u.vault(self.vault)
        holders = [a for a in _people(u) if vault.balance_of(a)] if self.how < 20 else u.actors
        if not holders:
            return None
        owner = holders[self.actor % len(holders)]
        sender = _spender(u, vault, owner) if self.how == 23 else owner
        receiver = ZERO_ADDRESS if self.how == 22 else sender
        shares = part(vault.balance_of(owner), self.share)
        if not self.by_assets:
            return Step((Call(sender, name, "redeem", (shares, receiver, owner)),))
        try:
            assets = vault.preview_redeem(shares)
        except ModelRevert:
            return None
        return Step((Call(sender, name, "withdraw", (assets, receiver, owner)),))


@dataclass(frozen=True, slots=True)
class MoveShares(Operation):
    """Transfer shares of a vault, allow somebody to, or use that allowance."""

    weight = 2
    refusals = may.TOKEN | {"ERC20InvalidReceiver", "ERC20InvalidSpender"}

    vault: Vault
    what: Annotated[int, Index(3)]
    """0: transfer; 1: approve; 2: transferFrom."""
    actor: Actor
    to: Annotated[int, Index(4 * ACTORS + 1)]
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        name, vault = u.vault(self.vault)
        holders = [a for a in _people(u) if vault.balance_of(a)] or u.actors
        owner = holders[self.actor % len(holders)]
        to = ZERO_ADDRESS if self.to == 4 * ACTORS else u.actors[self.to % ACTORS]
        amount = part(vault.balance_of(owner), self.share)
        if self.what == 2:
            sender = _spender(u, vault, owner)
            amount = part(min(vault.balance_of(owner), vault.allowance(owner, sender)), self.share)
            return Step((Call(sender, name, "transferFrom", (owner, to, amount)),))
        if self.what == 1 and self.share == 10_000:
            amount = UINT256_MAX
        args: tuple[Any, ...] = (to, amount)
        return Step((Call(owner, name, ("transfer", "approve")[self.what], args),))


def _people(u: Questions) -> tuple[Address, ...]:
    """Return everybody who may hold shares, the first staker among them."""
    return (*u.actors, u.keeper, u.staker)


def _spender(u: Questions, vault: LedgerVault, owner: Address) -> Address:
    """Return an actor who may spend the owner's shares, or else one who may not."""
    others = [actor for actor in u.actors if actor != owner]
    return next((a for a in others if vault.allowance(owner, a)), others[0])
