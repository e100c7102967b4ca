"""What liquidity providers and stakers of the insurance fund do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, STRAY, Actor, Bps, Stray, gives_up
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, Action, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions
    from bulkhead.model.vaults import LedgerVault

Vault = Annotated[int, Index(2)]
LONGEST = 3 * 86_400
"""Seconds that an operation waits for a request at most."""

_PRICED = frozenset({"LedgerVault_ZeroAmount", "LiquidityVault_Unpriced"})


@dataclass(frozen=True, slots=True)
class EnterVault(Operation):
    """Deposit or mint in the pool or the insurance fund."""

    weight = 6
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
class RequestRedeem(Operation):
    """Ask for shares to be redeemed later, or think better of it."""

    weight = 3
    refusals = frozenset(
        {
            "LedgerVault_InsufficientShares",
            "LedgerVault_NoRequestNeeded",
            "LedgerVault_NotRequested",
            "LedgerVault_ZeroAmount",
        }
    )

    actor: Actor
    what: Annotated[int, Index(8)]
    """7: cancel; 6: as if nothing were requested; 5: of the insurance fund."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        name, vault = u.vault(int(self.what == 5))
        holders = [a for a in _people(u) if vault.balance_of(a)] or u.actors
        owner = holders[self.actor % len(holders)]
        if self.what == 7:
            asked = [a for a in holders if vault.exit_request(a).shares]
            owner = asked[self.actor % len(asked)] if asked else owner
            name, _ = u.vault(int(self.share % 8 == 7))
            return Step((Call(owner, name, "cancelRequest"),))
        free = u.unrequested(vault, owner) if self.what < 5 else vault.balance_of(owner)
        return Step((Call(owner, name, "requestRedeem", (part(free, self.share),)),))


@dataclass(frozen=True, slots=True)
class LeaveVault(Operation):
    """Redeem or withdraw from the pool or the insurance fund; sometimes another's shares.

    VLT-1: what is asked for within the limits that the model knows goes through, and no unit more.
    """

    weight = 6
    refusals = (
        may.BLOCKED
        | _PRICED
        | {
            "ERC4626ExceededMaxWithdraw",
            "ERC4626ExceededMaxRedeem",
            "ERC20InsufficientAllowance",
            "LedgerVault_Cooling",
            "LedgerVault_Coverage",
            "LedgerVault_Lapsed",
            "LedgerVault_NotRequested",
            "MarginEngine_InvalidReceiver",
        }
    )

    actor: Actor
    vault: Vault
    by_assets: Annotated[int, Index(2)]
    how: Annotated[int, Index(24)]
    """23: another's shares; 22: to nobody; 20, 21: without asking who holds any."""
    when: Annotated[int, Index(8)]
    """4 to 7: a second before the request has cooled, then, in its last second, and after it."""
    of: Annotated[int, Index(3)]
    """What the share is of: the limit, the request, or all shares."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        if gives_up(u, (Action.POOL_WITHDRAW, Action.FUND_WITHDRAW)[self.vault], self.stray):
            return None
        name, vault = u.vault(self.vault)
        holders = [a for a in _people(u) if vault.balance_of(a)] if self.how < 20 else u.actors
        asked = [a for a in holders if vault.exit_request(a).shares]
        if self.vault == 0 and asked and self.stray < STRAY - 2:
            holders = asked
        if not holders:
            return None
        owner = holders[self.actor % len(holders)]
        sender = _spender(u, vault, owner) if self.how == 23 else owner
        receiver = ZERO_ADDRESS if self.how == 22 else sender
        calls = self._calls(name, vault, (sender, receiver, owner))
        return Step(calls, self._wait(u, vault, owner))

    def _wait(self, u: Questions, vault: LedgerVault, owner: Address) -> int:
        r = vault.exit_request(owner)
        edges = (r.unlocks_at - 1, r.unlocks_at, r.expires_at, r.expires_at + 1)
        wait = edges[self.when - 4] - u.now if self.when >= 4 else 0
        return wait if 0 < wait <= LONGEST else BLOCK_SECONDS

    def _calls(
        self, name: str, vault: LedgerVault, who: tuple[Address, Address, Address]
    ) -> Iterator[Call]:
        sender, receiver, owner = who
        try:
            limits = vault.max_withdraw(owner), vault.max_redeem(owner)
            whole = (limits[1], vault.exit_request(owner).shares, vault.balance_of(owner))[self.of]
            if self.by_assets:
                of = limits[0] if self.of == 0 else vault.preview_redeem(whole)
                asked = part(of, self.share)
                yield Call(sender, name, "withdraw", (asked, receiver, owner))
            else:
                yield Call(sender, name, "redeem", (part(whole, self.share), receiver, owner))
        except ModelRevert:
            return


@dataclass(frozen=True, slots=True)
class MoveShares(Operation):
    """Transfer shares of a vault, allow somebody to, or use that allowance."""

    weight = 2
    refusals = may.TOKEN | {
        "ERC20InvalidReceiver",
        "ERC20InvalidSpender",
        "LedgerVault_InsufficientShares",
    }

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
