"""What traders, liquidity providers and stakers do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Share, Step, part
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX, WAD, mul_div_down
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, owner_of

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

ACTORS = 4
SUB_ACCOUNTS = 2
COLLATERAL_IDS = 5
"""The settlement token, three collaterals, and one id that is not listed."""
MARKET_IDS = 3
"""Two markets, and one id that is not listed."""

Actor = Annotated[int, Index(ACTORS)]
SubAccount = Annotated[int, Index(SUB_ACCOUNTS)]
Collateral = Annotated[int, Index(COLLATERAL_IDS)]
Market = Annotated[int, Index(MARKET_IDS)]
Bps = Annotated[int, Share()]


@dataclass(frozen=True, slots=True)
class Deposit(Operation):
    """Deposit a share of the wallet; one in eight deposits goes to somebody else's account."""

    weight = 6

    actor: Actor
    sub: SubAccount
    collateral: Collateral
    foreign: Annotated[int, Index(8)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[self.actor]
        owner = u.actors[(self.actor + 1) % ACTORS] if self.foreign == 7 else sender
        # A hundredth of the wallet at most: wallets are made to last for a whole sequence.
        amount = part(u.wallet(sender, self.collateral) // 100, self.share)
        args = (u.account(owner, self.sub), self.collateral, amount)
        return Step((Call(sender, "MarginEngine", "deposit", args),))


@dataclass(frozen=True, slots=True)
class Withdraw(Operation):
    """Withdraw a share of what an account holds; at times another's, or to a forbidden receiver."""

    weight = 6

    actor: Actor
    sub: SubAccount
    collateral: Collateral
    receiver: Annotated[int, Index(10)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[self.actor]
        owner = u.actors[(self.actor + 1) % ACTORS] if self.receiver == 7 else sender
        account = u.account(owner, self.sub)
        receivers = {8: ZERO_ADDRESS, 9: u.model.addresses.collateral_vault}
        args = (
            account,
            self.collateral,
            part(u.held(account, self.collateral), self.share),
            receivers.get(self.receiver, sender),
        )
        return Step((Call(sender, "MarginEngine", "withdraw", args),))


@dataclass(frozen=True, slots=True)
class Trade(Operation):
    """Buy or sell a share of what the margin allows, or of the open position."""

    weight = 14

    actor: Actor
    sub: SubAccount
    market: Market
    mode: Annotated[int, Index(4)]
    tolerance: Annotated[int, Index(16)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[self.actor]
        account = u.account(sender, self.sub)
        size = u.model.perp_exchange.position(account, self.market).size
        if self.mode == 0:
            size_delta = -part(abs(size), self.share) * (1 if size > 0 else -1)
        else:
            sign = 1 if self.mode == 1 else -1
            size_delta = sign * part(u.affordable_size(account, self.market), self.share)
            if self.mode == 3:
                # Through zero: what the position is, and then as much on the other side.
                size_delta = -size + (-1 if size > 0 else 1) * abs(size_delta)
        limit = UINT256_MAX if size_delta > 0 else 0
        if self.tolerance == 15:
            limit = UINT256_MAX - limit
        args = (account, self.market, size_delta, limit)
        return Step((Call(sender, "PerpExchange", "trade", args),))


@dataclass(frozen=True, slots=True)
class Convert(Operation):
    """Convert a share of the matured claim."""

    weight = 5

    actor: Actor
    sub: SubAccount
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        account = u.account(u.actors[self.actor], self.sub)
        # Prefer somebody who has something to convert.
        claimants = [a for a in u.accounts if u.model.margin_engine.matured_claim(a)]
        if claimants and self.share < 10_000:
            account = claimants[self.actor % len(claimants)]
        sender = owner_of(account)
        matured = u.model.margin_engine.matured_claim(account)
        args = (account, part(matured, self.share))
        return Step((Call(sender, "MarginEngine", "convert", args),))


@dataclass(frozen=True, slots=True)
class EnterVault(Operation):
    """Deposit or mint in the pool or the insurance fund."""

    weight = 3

    actor: Actor
    vault: Annotated[int, Index(2)]
    by_shares: Annotated[int, Index(2)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[self.actor]
        name, vault = u.vault(self.vault)
        assets = part(u.wallet(sender, SETTLEMENT) // 100, self.share)
        if self.by_shares:
            try:
                shares = vault.preview_deposit(assets)
            except ModelRevert:
                return None
            return Step((Call(sender, name, "mint", (shares, sender)),))
        return Step((Call(sender, name, "deposit", (assets, sender)),))


@dataclass(frozen=True, slots=True)
class LeaveVault(Operation):
    """Redeem or withdraw from the pool or the insurance fund; sometimes another's shares."""

    weight = 4

    actor: Actor
    vault: Annotated[int, Index(2)]
    by_assets: Annotated[int, Index(2)]
    foreign: Annotated[int, Index(8)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        name, vault = u.vault(self.vault)
        # Prefer somebody who has shares.
        holders = [a for a in u.actors if vault.balance_of(a)] if self.foreign < 6 else []
        candidates = holders or u.actors
        sender = candidates[self.actor % len(candidates)]
        owner = u.actors[(self.actor + 1) % ACTORS] if self.foreign == 7 else sender
        shares = part(vault.balance_of(owner), self.share)
        if self.by_assets:
            try:
                assets = vault.preview_redeem(shares)
            except ModelRevert:
                return None
            return Step((Call(sender, name, "withdraw", (assets, sender, owner)),))
        return Step((Call(sender, name, "redeem", (shares, sender, owner)),))


@dataclass(frozen=True, slots=True)
class Donate(Operation):
    """Send settlement tokens to custody or a vault, unasked."""

    actor: Actor
    target: Annotated[int, Index(3)]
    share: Bps

    def resolve(self, u: Universe) -> Step | None:
        sender = u.actors[self.actor]
        a = u.model.addresses
        target = (a.collateral_vault, a.liquidity_vault, a.insurance_fund)[self.target]
        amount = part(u.wallet(sender, SETTLEMENT) // 1_000, self.share)
        return Step((Call(sender, u.settlement_symbol, "transfer", (target, amount)),))


def size_for(notional: int, index_price: int) -> int:
    """Return WAD base units worth a notional, rounded down; 0 without a price."""
    return mul_div_down(notional, WAD, index_price) if index_price else 0
