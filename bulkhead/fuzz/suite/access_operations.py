"""What owners let others do, and what is done in another's name, between accounts or at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import (
    ACTORS,
    COLLATERALS,
    MARKETS,
    STRAY,
    SUB_ACCOUNTS,
    Actor,
    Bps,
    Collateral,
    Stray,
    SubAccount,
    account_for,
    gives_up,
    listed,
)
from bulkhead.fuzz.suite.order_operations import MatchOrders, pair
from bulkhead.fuzz.suite.user_operations import Convert, Deposit, Trade, Withdraw, free_of
from bulkhead.model import eip712
from bulkhead.model.margin_batch import CallTarget, InnerCall
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, AccountId, Action, Address, owner_of

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_DEPOSITS = 20
_GRANTEES = ACTORS + 1
_LIVES = (*(BLOCK_SECONDS * n for n in (2, 3, 50)), 86_400, 30 * 86_400, BLOCK_SECONDS)
"""Seconds from now; the last ends with the call that grants it."""
_BITS = (1, 2, 4, 8, 16, 31, 31, 5, 6, 27, 0, 32)
_ALTERED = 7
_SMALL = WAD // 1_000
"""Base units of a trade where there is neither a position nor margin for one."""
_OPERATORS = "AccountOperators"
_Grant = tuple[AccountId, Address, int, int]


@dataclass(frozen=True, slots=True)
class SetOperator(Operation):
    """An owner grants or revokes, by call or signature; an operator gives up; nonces are spent."""

    weight = 4
    refusals = frozenset(
        {
            "AccountOperators_NotOwner",
            "AccountOperators_SignatureExpired",
            "AccountOperators_NonceUsed",
            "AccountOperators_InvalidSignature",
            "AccountOperators_UnknownPermissions",
            "AccountOperators_ExpiryInPast",
            "AccountOperators_InvalidOperator",
            "AccountOperators_NoGrant",
        }
    )

    actor: Actor
    sub: SubAccount
    grantee: Annotated[int, Index(2 * _GRANTEES + 1)]
    """The greatest: nobody."""
    how: Annotated[int, Index(16)]
    """0 to 6: call; 7 to 12: signature; 13: renounce; 14: nonces are cancelled; 15: a stranger."""
    bits: Annotated[int, Index(len(_BITS))]
    life: Annotated[int, Index(len(_LIVES))]
    stray: Stray
    """Of a signature, 15: signed by another; 14: too late; 13: a nonce once more; 12: an altered
    field."""

    def resolve(self, u: Questions) -> Step | None:
        owner = u.actors[self.actor]
        account = u.account(owner, self.sub)
        nobody = self.grantee == 2 * _GRANTEES
        operator = ZERO_ADDRESS if nobody else u.grantees[self.grantee % _GRANTEES]
        grant = (account, operator, _BITS[self.bits], u.now + _LIVES[self.life])
        if self.how >= 15:
            return _one(u.keeper, "setOperator", grant)
        if self.how == 14:
            return _one(owner, "invalidateNonces", (self.life % 2, 1 << (self.bits + self.stray)))
        if self.how == 13:
            return _one(u.keeper if nobody else operator, "renounce", (account,))
        if self.how < 7:
            return _one(owner, "setOperator", grant)
        return self._signed(u, owner, grant)

    def _signed(self, u: Questions, owner: Address, grant: _Grant) -> Step | None:
        used = u.model.account_operators.used_nonces(owner, 0)
        nonce = next((i for i in range(256) if not used >> i & 1), None)
        if self.stray == STRAY - 2 and used:
            nonce = used.bit_length() - 1
        if nonce is None:
            return None
        late = self.stray == STRAY - 1
        deadline = u.now + (BLOCK_SECONDS - 1 if late else BLOCK_SECONDS)
        signer = u.actors[(self.actor + 1) % ACTORS] if self.stray == STRAY else owner
        message = u.model.account_operators.digest(*grant, nonce, deadline)
        signature = eip712.sign(u.keys[signer], message)
        args: list[Any] = [*grant, nonce, deadline, signature]
        if self.stray == STRAY - 3:
            field = self.grantee % _ALTERED
            args[field] = _altered(u, args[field])
        return _one(u.keeper, "setOperatorBySignature", tuple(args))


def _altered(u: Questions, value: Any) -> Any:
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return u.staker if isinstance(value, str) else value + 1


def _one(sender: Address, function: str, args: tuple[Any, ...]) -> Step:
    return Step((Call(sender, _OPERATORS, function, args),))


@dataclass(frozen=True, slots=True)
class Transfer(Operation):
    """Move a share of what an account's margin leaves free, or of all, to the owner's other one."""

    weight = 4
    refusals = (
        may.NOT_OWNER
        | may.BLOCKED
        | may.ORDERS
        | may.MARGIN
        | {
            "MarginEngine_ForeignAccount",
            "MarginEngine_InsufficientBalance",
            "MarginEngine_SameAccount",
            "MarginEngine_ZeroAmount",
            "RiskParameters_UnknownCollateral",
        }
    )

    actor: Actor
    collateral: Collateral
    how: Annotated[int, Index(16)]
    """15: another's; 14: to another; 13: to itself; 10 to 12: a share of all, free or not."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        id_ = listed(self.collateral, COLLATERALS)
        account = account_for(u, self.stray, self.actor, lambda a: free_of(u, a, id_) > 0)
        if account is None or gives_up(u, Action.TRANSFER, self.stray):
            return None
        owner = sender = owner_of(account)
        other = next(actor for actor in u.actors if actor != owner)
        to = account ^ 1
        if self.how == 15:
            sender = other
        elif self.how == 14:
            to = u.account(other, 0)
        elif self.how == 13:
            to = account
        most = u.held(account, id_) if self.how >= 10 else free_of(u, account, id_)
        args = (account, to, id_, part(most, self.share))
        return Step((Call(sender, "MarginEngine", "transfer", args),))


_USUAL = (
    Deposit.refusals | Withdraw.refusals | Trade.refusals | Convert.refusals | Transfer.refusals
)


@dataclass(frozen=True, slots=True)
class ActFor(Operation):
    """Somebody acts for another's account: with the permission, with another, or with none."""

    weight = 6
    refusals = _USUAL | {"AccountOperators_ExpiryInPast", "MarginEngine_ReceiverNotOwner"}

    operator: Annotated[int, Index(_GRANTEES)]
    target: Annotated[int, Index(2 * ACTORS)]
    what: Annotated[int, Index(7)]
    """0: deposit; 1: withdraw; 2: trade; 3: convert; 4: transfer; 5: deposit with a permit; 6:
    withdraw to oneself."""
    market: Annotated[int, Index(MARKETS)]
    stray: Stray
    """15: whatever is permitted; 13, 14: with some permission."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        operator = u.grantees[self.operator]
        model = u.model.account_operators
        needed = (1, 4, 2, 8, 5, 1, 4)[self.what]
        others = [a for a in u.accounts if owner_of(a) != operator]
        fits = [a for a in others if model.is_authorized(a, operator, needed)]
        some = [a for a in others if model.permissions_of(a, operator)]
        found = (some if STRAY - 3 < self.stray < STRAY else fits) or others
        if self.stray == STRAY:
            found = others
        account = found[self.target % len(found)]
        call = self._act(u, account, operator)
        if call is None:
            return None
        if self.stray >= STRAY - 2 or model.is_authorized(account, operator, needed):
            return Step((call,))
        grants = [
            Call(owner_of(a), _OPERATORS, "setOperator", (a, operator, needed, u.now + 86_400))
            for a in ((account, account ^ 1) if self.what == 4 else (account,))
        ]
        return Step((*grants, call))

    def _act(self, u: Questions, account: AccountId, operator: Address) -> Call | None:
        if self.what in (0, 5):
            amount = part(u.wallet(operator, SETTLEMENT) // _DEPOSITS, self.share)
            if self.what == 0:
                args: tuple[Any, ...] = (account, SETTLEMENT, amount)
                return Call(operator, "MarginEngine", "deposit", args)
            args = (account, SETTLEMENT, amount, u.now, 27, bytes(32), bytes(32))
            return Call(operator, "MarginEngine", "depositWithPermit", args)
        if self.what in (1, 6):
            to = operator if self.what == 6 else owner_of(account)
            amount = part(free_of(u, account, SETTLEMENT), self.share)
            return Call(operator, "MarginEngine", "withdraw", (account, SETTLEMENT, amount, to))
        if self.what == 2:
            args = _trade(u, account, self.market, self.share)
            return Call(operator, "PerpExchange", "trade", args) if args[2] else None
        if self.what == 3:
            amount = part(u.model.margin_engine.matured_claim(account), self.share)
            return Call(operator, "MarginEngine", "convert", (account, amount)) if amount else None
        amount = part(free_of(u, account, SETTLEMENT), self.share)
        args = (account, account ^ 1, SETTLEMENT, amount)
        return Call(operator, "MarginEngine", "transfer", args)


@dataclass(frozen=True, slots=True)
class Batch(Operation):
    """Two to four acts at once; some of them only do because of what follows."""

    weight = 7
    refusals = (
        _USUAL
        | MatchOrders.refusals
        | {
            "MarginEngine_NestedBatch",
            "MarginEngine_ReceiverNotOwner",
            "MarginEngine_Simulated",
        }
    )

    target: Annotated[int, Index(2 * ACTORS)]
    plan: Annotated[int, Index(12)]
    market: Annotated[int, Index(MARKETS)]
    accounts: Annotated[int, Index(8)]
    """0 to 3: both of the actor's; 4: both, twice; 5: none; 6: the other; 7: also another's."""
    how: Annotated[int, Index(8)]
    """6: simulated by another before it is sent; 7: simulated only."""
    first: Bps
    second: Bps

    def resolve(self, u: Questions) -> Step | None:
        own = [u.account(actor, sub) for sub in range(SUB_ACCOUNTS) for actor in u.actors]
        rich = [a for a in own if u.held(a, SETTLEMENT)] or own
        account = rich[self.target % len(rich)]
        sender, other = owner_of(account), account ^ 1
        theirs = next(a for a in own if owner_of(a) != sender)
        both = [account, other]
        lists: tuple[list[AccountId], ...]
        lists = (both, both, both, both, both + both, [], [other], [*both, theirs])
        calls = tuple(self._calls(u, sender, account, theirs))
        args = (lists[self.accounts], calls)
        tried = Call(u.keeper, "MarginEngine", "simulate", (sender, *args))
        sent = Call(sender, "MarginEngine", "batch", args)
        return Step(((sent,), (tried, sent), (tried,))[max(0, self.how - 5)])

    def _calls(
        self, u: Questions, sender: Address, account: AccountId, theirs: AccountId
    ) -> Iterator[InnerCall]:
        held, wallet = u.held(account, SETTLEMENT), u.wallet(sender, SETTLEMENT) // _DEPOSITS
        plan, other = self.plan, account ^ 1
        taken, moved = max(1, part(held, self.first)), max(1, part(held, self.first) // 3)
        add = _engine("deposit", account, SETTLEMENT, max(1, part(wallet, self.first)))
        trade = _exchange("trade", *_trade(u, account, self.market, self.second))
        over = _engine("transfer", account, other, SETTLEMENT, moved)
        if plan in (0, 8):
            # What margin was is out and in again, perhaps with a trade and its undoing in between.
            size = _trade(u, account, self.market, self.second)
            undo = (account, self.market, -size[2], UINT256_MAX - size[3])
            yield _engine("withdraw", account, SETTLEMENT, taken, sender)
            if plan == 8:
                yield from (_exchange("trade", *size), _exchange("trade", *undo))
            yield _engine("deposit", account, SETTLEMENT, max(1, part(taken, self.second)))
        elif plan in (1, 2):
            yield from (add, trade) if plan == 1 else (trade, add)
        elif plan in (3, 4):
            elsewhere = _exchange("trade", *_trade(u, other, self.market, self.second))
            yield from (over, elsewhere) if plan == 3 else (elsewhere, over)
        elif plan == 5:
            free = max(1, part(free_of(u, account, SETTLEMENT), self.first) // 2)
            yield from (trade, _engine("withdraw", account, SETTLEMENT, free, sender))
            yield _exchange("poke", self.market)
        elif plan == 6:
            matured = part(u.model.margin_engine.matured_claim(account), self.first)
            yield from [_engine("convert", account, matured)] if matured else []
            yield from (over, _engine("withdraw", account, SETTLEMENT, moved, sender))
        elif plan == 7:
            yield from (_engine("withdraw", account, SETTLEMENT, moved, sender), over, trade, add)
        elif plan == 9:
            yield InnerCall(CallTarget.SIGNED_ORDERS, "cancel_orders", (account, 0, 1 << 20))
            yield from (over, add)
        elif plan == 10:
            # A match on margin that comes in only after it.
            wanted = _trade(u, account, self.market, self.second)[2]
            matched = pair(u, account, theirs, self.market, wanted)
            yield from (InnerCall(CallTarget.SIGNED_ORDERS, "match_orders", matched), add)
        elif self.first % 2:
            yield from (add, _engine("batch", [account], (add,)))
        else:
            yield from (add, _engine("withdraw", theirs, SETTLEMENT, 1, sender))


def _exchange(function: str, *args: Any) -> InnerCall:
    return InnerCall(CallTarget.PERP_EXCHANGE, function, args)


def _engine(function: str, *args: Any) -> InnerCall:
    return InnerCall(CallTarget.MARGIN_ENGINE, function, args)


def _trade(u: Questions, account: AccountId, market: int, share: int) -> tuple[int, int, int, int]:
    """Return arguments: a share of the position is closed, or of what is affordable bought."""
    size = u.model.perp_exchange.position(account, market).size
    wanted = part(u.affordable_size(account, market), share)
    delta = -part(abs(size), share) * (1 if size > 0 else -1) if size else wanted
    delta = delta or _SMALL
    return account, market, delta, UINT256_MAX if delta > 0 else 0
