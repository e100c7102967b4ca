"""Signed orders: matched by anyone, filled in parts, altered, replayed, cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import (
    ACTORS,
    MARKETS,
    STRAY,
    UNLISTED,
    Bps,
    Market,
    Stray,
    gives_up,
    listed,
)
from bulkhead.model import eip712
from bulkhead.model.exchange_markets import mark
from bulkhead.model.math import WAD
from bulkhead.model.operators import MANAGE_ORDERS, TRADE
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.signed_orders import POST_ONLY, REDUCE_ONLY, MakerFill, SignedOrder
from bulkhead.model.types import AccountId, Action, owner_of

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_CONTRACT = "SignedOrders"
_NONCES = 24
_LIFE = 86_400
_STEPS = 8
"""Of the price on each side of mark within the band."""
_SMALL = WAD // 1_000
_FIELDS = 8


class Odd(IntEnum):
    """What is odd about a match; below these, nothing."""

    NOBODY = 63
    ALTERED = 62
    OTHER_KEY = 61
    SPOILT = 60
    EXPIRED = 59
    LAST_SECOND = 58
    TAKES_POST_ONLY = 57
    UNKNOWN_FLAG = 56
    NOTHING = 55
    TOO_MUCH = 54
    SAME_SIDE = 53
    ELSEWHERE = 52
    APART = 51
    OWN = 50
    CANCELLED = 49
    NO_SIZE = 48
    RESTS = 47
    REDUCES = 46
    ONE_MAKER_TWICE = 45
    BY_OPERATOR = 44


_CANCELLED = (Odd.CANCELLED, 43, 42)


@dataclass(frozen=True, slots=True)
class MatchOrders(Operation):
    """One order is filled against one to three of others, within the band or just outside of it."""

    weight = 9
    refusals = (
        may.BLOCKED
        | may.ENDING
        | may.MARGIN
        | may.NOT_OWNER
        | {
            "PerpExchange_NotReducing",
            "PerpExchange_OpenInterestCap",
            "PerpExchange_PoolShare",
            "PerpExchange_PriceOutOfBand",
            "RiskParameters_UnknownMarket",
            "SignedOrders_Cancelled",
            "SignedOrders_Expired",
            "SignedOrders_InvalidSignature",
            "SignedOrders_NoMakers",
            "SignedOrders_NotCrossing",
            "SignedOrders_OtherMarket",
            "SignedOrders_Overfill",
            "SignedOrders_PostOnly",
            "SignedOrders_SameSide",
            "SignedOrders_SelfTrade",
            "SignedOrders_UnknownFlags",
            "SignedOrders_ZeroSize",
            # As of trades.
            "SkewPricing_NonPositivePrice",
        }
    )

    taker: Annotated[int, Index(2 * ACTORS)]
    maker: Annotated[int, Index(2 * ACTORS)]
    count: Annotated[int, Index(3)]
    """Makers, less one."""
    market: Market
    mode: Annotated[int, Index(4)]
    """0: the taker reduces; 1: buys; 2: sells; 3: goes through zero."""
    price: Annotated[int, Index(2 * _STEPS + 3)]
    """From below the band to above it."""
    nonce: Annotated[int, Index(_NONCES)]
    how: Annotated[int, Index(64)]
    again: Annotated[int, Index(8)]
    """5 to 7: the same once more; odd: the makers' orders are three times what is filled; from 2 on
    the taker's are."""
    stray: Stray
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        # Some side increases a position, nearly always.
        if gives_up(u, Action.INCREASE_POSITION, self.stray) or not self._is_priced(u):
            return None
        args = self._args(u)
        if args is None:
            return None
        call = Call(u.keeper, _CONTRACT, "matchOrders", args)
        return Step((call, call) if self.again >= 5 else (call,))

    def _is_priced(self, u: Questions) -> bool:
        market = listed(self.market, MARKETS)
        if market == UNLISTED or self.stray >= STRAY - 2:
            return True
        return u.index_status(market) == PriceStatus.VALID

    def _args(self, u: Questions) -> tuple[Any, ...] | None:
        market = listed(self.market, MARKETS)
        found = self._sides(u, market)
        if found is None:
            return None
        taker, *makers = found
        if self.how == Odd.OWN:
            makers = [taker ^ 1]
        elif self.how == Odd.ONE_MAKER_TWICE:
            makers = [makers[0]] * len(makers)
        if market == UNLISTED:
            prices, sizes = [WAD] * len(makers), [_SMALL] * len(makers)
            buys = True
        else:
            total = self._size(u, taker, makers, market)
            buys = total > 0
            sizes = [max(1, abs(total) // len(makers))] * len(makers)
            prices = self._prices(u, market, len(makers))
        return self._signed(u, market, taker, makers, sizes, prices, buys)

    def _size(
        self, u: Questions, taker: AccountId, makers: Sequence[AccountId], market: int
    ) -> int:
        size = u.model.perp_exchange.position(taker, market).size
        if size and (
            self.mode == 0 or not u.model.circuit_breaker.is_allowed(Action.INCREASE_POSITION)
        ):
            return -(part(abs(size), self.share) or 1) * (1 if size > 0 else -1)
        most = min(u.affordable_size(taker, market), *_shares(u, makers, market))
        # Off mark, one side has less margin afterwards than the other gained.
        wanted = part(most if self.stray == STRAY else most * 4 // 5, self.share) or _SMALL
        if self.mode == 3 and size:
            return -size + (-1 if size > 0 else 1) * wanted
        return wanted if self.mode != 2 else -wanted

    def _sides(self, u: Questions, market: int) -> list[AccountId] | None:
        """Return a taker's account and makers' of other owners: who can trade, as far as known."""
        own = [a for a in u.accounts if owner_of(a) != u.keeper]
        size_of, affordable = u.model.perp_exchange.position, u.affordable_size
        able = [a for a in own if affordable(a, market) > _SMALL] or own
        holders = [a for a in own if market != UNLISTED and size_of(a, market).size]
        firsts = holders if self.mode == 0 and holders else able
        taker = firsts[self.taker % len(firsts)]
        others = [a for a in able if owner_of(a) != owner_of(taker)]
        if self.stray == STRAY:
            others = [a for a in own if owner_of(a) != owner_of(taker)]
        if not others:
            return None
        return [taker, *(others[(self.maker + i) % len(others)] for i in range(self.count + 1))]

    def _prices(self, u: Questions, market: int, count: int) -> list[int]:
        exchange = u.model.perp_exchange
        p = u.model.risk_parameters.market_trading(market)
        middle = mark(exchange.market_state(market), p, exchange.index_price(market)[0])
        width = middle * p.price_band // WAD
        steps = self.price - _STEPS - 1
        edge = _STEPS - abs(steps)
        # The outermost is one wei beyond the band.
        offset = width * steps // _STEPS if edge >= 0 else (width + 1) * (1 if steps > 0 else -1)
        inwards = -1 if steps > 0 else 1
        return [max(0, middle + offset + inwards * i * (width // 50)) for i in range(count)]

    def _signed(
        self,
        u: Questions,
        market: int,
        taker: AccountId,
        makers: Sequence[AccountId],
        sizes: Sequence[int],
        prices: Sequence[int],
        buys: bool,
    ) -> tuple[Any, ...]:
        sign = 1 if buys else -1
        room = 3 if self.again % 2 else 1
        takers_room = 3 if self.again >= 2 else 1
        limit = max(prices) if buys else min(prices)
        if self.how == Odd.APART:
            limit -= sign
        how = self.how
        fills = []
        for i, (account, size, price) in enumerate(zip(makers, sizes, prices, strict=True)):
            last = i == len(makers) - 1
            whole = size * room * (makers.count(account) if how == Odd.ONE_MAKER_TWICE else 1)
            if last and how == Odd.TOO_MUCH:
                whole = max(1, size - 1)
            side = sign if last and how == Odd.SAME_SIDE else -sign
            where = (market + 1) % MARKETS if last and how == Odd.ELSEWHERE else market
            order = self._order(u, account, where, side * whole, max(0, price), last)
            filled = 0 if last and how == Odd.NOTHING else size
            fills.append(MakerFill(order, self._signature(u, order, last), filled))
            if last and how == Odd.ALTERED and self.stray % 2:
                fills[-1] = MakerFill(altered(u, order, self.nonce % _FIELDS), *fills[-1][1:])
        order = self._order(u, taker, market, sign * sum(sizes) * takers_room, max(0, limit), False)
        signature = self._signature(u, order, False)
        if how == Odd.ALTERED and self.stray % 2 == 0:
            order = altered(u, order, self.nonce % _FIELDS)
        if how == Odd.TAKES_POST_ONLY:
            order = order._replace(flags=POST_ONLY)
            signature = self._signature(u, order, False)
        return order, signature, [] if how == Odd.NOBODY else fills

    def _order(
        self, u: Questions, account: AccountId, market: int, size: int, limit: int, odd: bool
    ) -> SignedOrder:
        """Return an order; one of them, the odd one, has what is odd."""
        how = self.how
        expires_at = u.now + _LIFE
        if odd and how in (Odd.EXPIRED, Odd.LAST_SECOND):
            expires_at = u.now + BLOCK_SECONDS + (1 if how == Odd.LAST_SECOND else 0)
        flags = 0
        if how == Odd.REDUCES:
            flags = REDUCE_ONLY
        elif odd and how in (Odd.RESTS, Odd.UNKNOWN_FLAG):
            flags = POST_ONLY if how == Odd.RESTS else 4
        signer = owner_of(account)
        if how == Odd.BY_OPERATOR:
            allowed = u.model.account_operators.is_authorized
            found = [g for g in u.grantees if g != signer and allowed(account, g, TRADE)]
            signer = found[0] if found else signer if self.stray < STRAY - 3 else u.keeper
        nonce = _free_nonce(u, account, self.nonce)
        if odd and how in _CANCELLED:
            least = u.model.signed_orders.least_nonce(account)
            nonce = least - 1 if least and self.nonce % 2 else self.nonce
        size = 0 if odd and how == Odd.NO_SIZE else size
        return SignedOrder(account, signer, market, size, limit, expires_at, nonce, flags)

    def _signature(self, u: Questions, order: SignedOrder, odd: bool) -> bytes:
        key = u.keys[order.signer]
        if odd and self.how == Odd.OTHER_KEY:
            key = u.keys[u.staker]
        signature = eip712.sign(key, u.model.signed_orders.hash_order(order))
        return signature[:-1] if odd and self.how == Odd.SPOILT else signature


@dataclass(frozen=True, slots=True)
class CancelOrders(Operation):
    """Some nonces of an account are cancelled, or all below one, by whoever may or may not."""

    weight = 2
    refusals = may.NOT_OWNER | {"SignedOrders_NonceNotHigher"}

    account: Annotated[int, Index(2 * ACTORS)]
    how: Annotated[int, Index(16)]
    """15: a stranger; 13, 14: somebody who may manage orders; 8 to 12: all below a nonce."""
    nonce: Annotated[int, Index(_NONCES)]

    def resolve(self, u: Questions) -> Step | None:
        account = u.accounts[self.account]
        sender = owner_of(account)
        if self.how >= 13:
            allowed = u.model.account_operators.is_authorized
            others = [g for g in u.grantees if g != sender]
            found = [g for g in others if allowed(account, g, MANAGE_ORDERS)]
            sender = (found if found and self.how < 15 else others)[0]
        if 8 <= self.how < 13:
            least = u.model.signed_orders.least_nonce(account)
            # One in five is no higher than before.
            args: tuple[Any, ...] = (account, least + (self.nonce % 5))
            return Step((Call(sender, _CONTRACT, "cancelOrdersBelow", args),))
        word = 1 if self.nonce == _NONCES - 1 else 0
        return Step((Call(sender, _CONTRACT, "cancelOrders", (account, word, 1 << self.nonce)),))


def _shares(u: Questions, makers: Sequence[AccountId], market: int) -> list[int]:
    """Return what each maker could afford of all, if all took as much."""
    each = [u.affordable_size(a, market) for a in makers]
    return [len(makers) * a // makers.count(m) for a, m in zip(each, makers, strict=True)]


def pair(
    u: Questions, taker: AccountId, maker: AccountId, market: int, size: int
) -> tuple[SignedOrder, bytes, list[MakerFill]]:
    """Return the arguments that match two owners at mark, > 0: the first buys."""
    exchange = u.model.perp_exchange
    p = u.model.risk_parameters.market_trading(market)
    price = mark(exchange.market_state(market), p, exchange.index_price(market)[0])
    signed: list[Any] = []
    for account, sized in ((taker, size), (maker, -size)):
        nonce = _free_nonce(u, account, 0)
        owner = owner_of(account)
        order = SignedOrder(account, owner, market, sized, price, u.now + _LIFE, nonce)
        hash_ = u.model.signed_orders.hash_order(order)
        signed += [order, eip712.sign(u.keys[owner], hash_)]
    return signed[0], signed[1], [MakerFill(signed[2], signed[3], abs(size))]


def orders_in(args: Sequence[Any]) -> Iterator[AccountId]:
    """Yield the accounts whose orders the arguments of a match are."""
    taker, _, makers = args
    yield taker[0]
    for maker in makers:
        yield maker[0][0]


def altered(u: Questions, order: SignedOrder, field: int) -> SignedOrder:
    """Return an order of which one field is not what was signed."""
    values: list[Any] = list(order)
    value = values[field]
    if field == 1:
        values[field] = u.staker
    elif field == 0:
        values[field] = value ^ 1
    elif field == 2:
        values[field] = (value + 1) % MARKETS
    else:
        # A flag that is known, a size of the same sign, a nonce and times that are good.
        values[field] = value ^ 1 if field == 7 else value + (1 if value >= 0 else -1)
    return SignedOrder(*values)


def _free_nonce(u: Questions, account: AccountId, first: int) -> int:
    """Return the least nonce from one on that is not cancelled."""
    cancelled = u.model.signed_orders.is_cancelled
    nonce = first
    while cancelled(account, nonce):
        nonce += 1
    return nonce
