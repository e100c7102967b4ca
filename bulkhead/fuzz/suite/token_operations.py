"""What happens to tokens outside of the compartment, and how one of them misbehaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, COLLATERALS, ODD_ID, Actor, Bps
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_FEES_BPS = (0, 1, 100, 2_500, 10_000, 0)
_OUTSIDERS = 16

Who = Annotated[int, Index(_OUTSIDERS)]
"""15: somebody who does not own the contract."""


@dataclass(frozen=True, slots=True)
class Donate(Operation):
    """Send tokens to custody, a vault or the staking token, unasked."""

    weight = 2
    refusals = may.TOKEN | may.ODD

    actor: Actor
    collateral: Annotated[int, Index(COLLATERALS)]
    target: Annotated[int, Index(4)]
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[self.actor]
        a = u.model.addresses
        places = (a.collateral_vault, a.liquidity_vault, a.insurance_fund, u.model.lst.address)
        amount = part(u.wallet(sender, self.collateral) // 1_000, self.share)
        args = (places[self.target], amount)
        return Step((Call(sender, u.symbol(self.collateral), "transfer", args),))


@dataclass(frozen=True, slots=True)
class MoveTokens(Operation):
    """Move tokens between people: a transfer, by allowance, or fresh ones."""

    weight = 3
    refusals = may.TOKEN | may.ODD | may.TURNED_AWAY | {"ERC20InvalidReceiver"}

    collateral: Annotated[int, Index(COLLATERALS)]
    what: Annotated[int, Index(4)]
    """0, 1: transfer; 2: transferFrom, by one who may or not; 3: mint."""
    actor: Actor
    to: Annotated[int, Index(4 * ACTORS + 1)]
    who: Who
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        owner, symbol = u.actors[self.actor], u.symbol(self.collateral)
        to = ZERO_ADDRESS if self.to == 4 * ACTORS else u.actors[self.to % ACTORS]
        amount = part(u.wallet(owner, self.collateral), self.share)
        if self.what == 3:
            minter = owner if self.who == _OUTSIDERS - 1 else u.governor
            if symbol in ("WETH", "LST"):
                return None
            return Step((Call(minter, symbol, "mint", (to, amount // 10)),))
        if self.what == 2:
            spender = _spender(u, self.collateral, owner, stray=self.who == _OUTSIDERS - 1)
            return Step((Call(spender, symbol, "transferFrom", (owner, to, amount)),))
        return Step((Call(owner, symbol, "transfer", (to, amount)),))


@dataclass(frozen=True, slots=True)
class Approve(Operation):
    """Allow custody, a vault or another actor to take tokens: nothing, a part, or everything."""

    weight = 3
    refusals = frozenset({"ERC20InvalidSpender"})

    actor: Actor
    collateral: Annotated[int, Index(COLLATERALS)]
    spender: Annotated[int, Index(16)]
    """0 to 11: places; 12 to 14: an actor; 15: nobody."""
    amount: Annotated[int, Index(4)]
    """0, 1: everything; 2: a part; 3: nothing."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        owner = u.actors[self.actor]
        a = u.model.addresses
        spenders: Sequence[Address] = (
            *3 * (a.collateral_vault, a.liquidity_vault, a.insurance_fund, u.model.lst.address),
            *u.actors[:3],
            ZERO_ADDRESS,
        )
        some = part(u.wallet(owner, self.collateral), self.share)
        amount = (UINT256_MAX, UINT256_MAX, some, 0)[self.amount]
        args = (spenders[self.spender], amount)
        return Step((Call(owner, u.symbol(self.collateral), "approve", args),))


@dataclass(frozen=True, slots=True)
class Misbehave(Operation):
    """The fourth collateral takes a fee, blocks a holder, returns nothing or calls back; use it."""

    weight = 4
    refusals = (
        may.TURNED_AWAY
        | may.TOKEN
        | may.ODD
        | may.BLOCKED
        | may.MARGIN
        | {"MarginEngine_CollateralCap", "MarginEngine_ZeroAmount"}
    )

    what: Annotated[int, Index(8)]
    """0, 1: behave; 2, 3: fee; 4, 5: block; 6: silence; 7: call back."""
    level: Annotated[int, Index(6)]
    who: Who
    use: Annotated[int, Index(4)]
    """0: nobody uses it; 1: deposit; 2: transfer; 3: withdraw."""

    def resolve(self, u: Questions) -> Step | None:
        calls = taming(u) if self.what < 2 else (self._misbehave(u),)
        return Step((*calls, *self._uses(u)))

    def _misbehave(self, u: Questions) -> Call:
        sender = u.actors[0] if self.who == _OUTSIDERS - 1 else u.governor
        people = (*u.actors, u.model.addresses.collateral_vault, u.keeper)
        callbacks = ((ZERO_ADDRESS, b""), (u.actors[3], b"\1"), *u.model.callbacks)
        function, args = (
            ("setFee", (_FEES_BPS[self.level],)),
            ("setFee", (_FEES_BPS[self.level],)),
            ("setBlocked", (people[self.level], True)),
            ("setBlocked", (people[self.level - 1], True)),
            ("setSilent", (self.level % 2 == 1,)),
            ("setCallback", callbacks[self.level % len(callbacks)]),
        )[self.what - 2]
        return Call(sender, u.symbol(ODD_ID), function, args)

    def _uses(self, u: Questions) -> tuple[Call, ...]:
        user, other = u.actors[self.level % ACTORS], u.actors[(self.level + 1) % ACTORS]
        account, some = u.account(user, 0), u.wallet(user, ODD_ID) // 100
        if self.use == 1:
            return (Call(user, "MarginEngine", "deposit", (account, ODD_ID, some)),)
        if self.use == 2:
            return (Call(user, u.symbol(ODD_ID), "transfer", (other, some)),)
        held = u.held(account, ODD_ID)
        if self.use == 3 and held:
            return (Call(user, "MarginEngine", "withdraw", (account, ODD_ID, held, user)),)
        return ()


def taming(u: Questions) -> tuple[Call, ...]:
    """Return what makes the fourth collateral behave."""
    symbol, token = u.symbol(ODD_ID), u.model.odd
    if token.is_tame:
        return ()
    freed = tuple(
        Call(u.governor, symbol, "setBlocked", (account, False)) for account in token.blocked()
    )
    return (
        Call(u.governor, symbol, "setFee", (0,)),
        Call(u.governor, symbol, "setCallback", (ZERO_ADDRESS, b"")),
        *freed,
    )


def callbacks(u: Questions) -> tuple[Call, ...]:
    """Return what the fourth collateral calls back, in its own name.

    Behind the lock each of these is refused for the lock, and elsewhere for an error without
    arguments; only the breaker may be poked by anyone at any time.
    """
    token = u.model.odd.address
    own = u.account(token, 0)
    return (
        Call(token, "MarginEngine", "deposit", (own, SETTLEMENT, 0)),
        Call(token, "MarginEngine", "withdraw", (own, SETTLEMENT, 0, token)),
        Call(token, "PerpExchange", "trade", (own, 0, 0, 0)),
        Call(token, "CircuitBreaker", "poke"),
    )


def _spender(u: Questions, collateral: int, owner: Address, *, stray: bool) -> Address:
    """Return an actor who may take the owner's tokens, if there is one and nobody strays."""
    token = u.token(collateral)
    others = [actor for actor in u.actors if actor != owner]
    if token is None or stray:
        return others[0]
    return next((a for a in others if token.allowance(owner, a)), others[0])
