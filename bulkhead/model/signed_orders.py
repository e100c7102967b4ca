"""Twin of ``SignedOrders``: orders that are signed off chain and settled between the accounts.

Sizes are WAD base units, prices WAD settlement units per 1.0 of base, times Unix seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkhead.model import eip712
from bulkhead.model.context import Contract, Table, external
from bulkhead.model.exchange_matching import MatchMaker, MatchTaker
from bulkhead.model.operators import MANAGE_ORDERS, TRADE
from bulkhead.model.order_reverts import (
    SignedOrders_Cancelled,
    SignedOrders_Expired,
    SignedOrders_InvalidSignature,
    SignedOrders_NoMakers,
    SignedOrders_NonceNotHigher,
    SignedOrders_NotCrossing,
    SignedOrders_OtherMarket,
    SignedOrders_Overfill,
    SignedOrders_PostOnly,
    SignedOrders_SameSide,
    SignedOrders_SelfTrade,
    SignedOrders_UnknownFlags,
    SignedOrders_ZeroSize,
)
from bulkhead.model.parts import Parts
from bulkhead.model.types import AccountId, Address, Fill, owner_of

POST_ONLY, REDUCE_ONLY, ALL_FLAGS = 1, 2, 3
NAME, VERSION = "Bulkhead SignedOrders", "1"
SIGNED_ORDER = (
    "SignedOrder(bytes32 account,address signer,uint8 market,int128 size,uint128 limitPrice,"
    "uint40 expiresAt,uint256 nonce,uint8 flags)"
)


class SignedOrder(NamedTuple):
    """What a trader signs; ``size`` > 0 buys at ``limit_price`` at most, < 0 sells at least."""

    account: AccountId
    signer: Address
    market: int
    size: int
    limit_price: int
    expires_at: int
    nonce: int
    flags: int = 0


class MakerFill(NamedTuple):
    """An order on the resting side, its signature, and what the taker gets of it."""

    order: SignedOrder
    signature: bytes
    size: int


class SignedOrders(Contract):
    """Remembers how much of each order was filled, and which nonces are cancelled."""

    def __init__(self, parts: Parts, chain_id: int) -> None:
        super().__init__(parts.context, parts.addresses.signed_orders)
        self._parts = parts
        self._chain_id = chain_id
        self._filled: Table[bytes, int] = Table(parts.context)
        self._cancelled: Table[tuple[AccountId, int], int] = Table(parts.context)
        self._least_nonce: Table[AccountId, int] = Table(parts.context)

    # ------------------------------------------------------------------------- state-changing

    @external
    def match_orders(
        self,
        sender: Address,  # noqa: ARG002
        taker: SignedOrder,
        taker_signature: bytes,
        makers: Sequence[MakerFill],
    ) -> Fill:
        """Fill one order against others, each at the other's limit price. Anyone may call it.

        Raises:
            SignedOrders_NoMakers: there is nobody to take from.
            SignedOrders_UnknownFlags, SignedOrders_ZeroSize, SignedOrders_Expired,
            SignedOrders_Cancelled, AccountOperators_NotAuthorized,
            SignedOrders_InvalidSignature: an order is not good, in this order.
            SignedOrders_PostOnly: the taker's only rests.
            SignedOrders_OtherMarket, SignedOrders_SameSide, SignedOrders_NotCrossing,
            SignedOrders_SelfTrade: two do not go together.
            SignedOrders_Overfill: an order would be filled by more than its size.
            Else as ``PerpExchange.match_trade``.
        """
        if not makers:
            raise SignedOrders_NoMakers()
        taker = SignedOrder(*taker)
        fills = [MakerFill(SignedOrder(*m[0]), *m[1:]) for m in makers]
        taker_hash = self._require_valid(taker, taker_signature)
        if taker.flags & POST_ONLY:
            raise SignedOrders_PostOnly(taker_hash)
        hashes = []
        for maker in fills:
            hashes.append(self._require_valid(maker.order, maker.signature))
            _require_pair(taker, maker.order)
        matched = self._fill(taker, taker_hash, fills, hashes)
        side = MatchTaker(taker.account, taker.size > 0, bool(taker.flags & REDUCE_ONLY))
        exchange = self._parts.perp_exchange
        return exchange.match_trade(self.address, taker.market, side, matched)

    @external
    def cancel_orders(self, sender: Address, account: AccountId, word: int, mask: int) -> None:
        """Cancel the account's nonces from ``256 · word`` on whose bits are set.

        Raises:
            AccountOperators_NotAuthorized: neither owner nor one who may manage orders.
        """
        by = self._require_manager(sender, account)
        mask |= self.cancelled_nonces(account, word)
        self._cancelled[account, word] = mask
        self._emit("OrdersCancelled", account=account, word=word, mask=mask, by=by)

    @external
    def cancel_orders_below(self, sender: Address, account: AccountId, nonce: int) -> None:
        """Cancel all orders of the account with nonces below one.

        Raises:
            AccountOperators_NotAuthorized: neither owner nor one who may manage orders.
            SignedOrders_NonceNotHigher: those were cancelled already.
        """
        by = self._require_manager(sender, account)
        least = self.least_nonce(account)
        if nonce <= least:
            raise SignedOrders_NonceNotHigher(account, nonce, least)
        self._least_nonce[account] = nonce
        self._emit("OrdersCancelledBelow", account=account, nonce=nonce, by=by)

    # ---------------------------------------------------------------------------------- views

    def hash_order(self, order: SignedOrder) -> bytes:
        """Return what a signer signs."""
        values = order._replace(size=order.size % 2**256)
        return eip712.digest(self.domain_separator(), SIGNED_ORDER, values)

    def filled(self, hash_: bytes) -> int:
        """Return how much of an order was filled."""
        return self._filled.get(hash_, 0)

    def is_cancelled(self, account: AccountId, nonce: int) -> bool:
        """Return whether a nonce of an account is cancelled."""
        if nonce < self.least_nonce(account):
            return True
        return self.cancelled_nonces(account, nonce >> 8) >> (nonce & 0xFF) & 1 == 1

    def cancelled_nonces(self, account: AccountId, word: int) -> int:
        """Return 256 nonces at once, as bits."""
        return self._cancelled.get((account, word), 0)

    def least_nonce(self, account: AccountId) -> int:
        """Return the least nonce that ``cancel_orders_below`` left."""
        return self._least_nonce.get(account, 0)

    def domain_separator(self) -> bytes:
        """Return what binds a signature to this contract on this chain."""
        return eip712.domain_separator(NAME, VERSION, self._chain_id, self.address)

    # ------------------------------------------------------------------------------- internal

    def _fill(
        self,
        taker: SignedOrder,
        taker_hash: bytes,
        makers: Sequence[MakerFill],
        hashes: Sequence[bytes],
    ) -> list[MatchMaker]:
        matched = []
        taker_filled = self.filled(taker_hash)
        for maker, hash_ in zip(makers, hashes, strict=True):
            order, size = maker.order, maker.size
            if size == 0:
                raise SignedOrders_ZeroSize(hash_)
            taker_filled = _raised(taker_hash, taker_filled, size, taker.size)
            maker_filled = _raised(hash_, self.filled(hash_), size, order.size)
            self._filled[hash_] = maker_filled
            only = bool(order.flags & REDUCE_ONLY)
            matched.append(MatchMaker(order.account, size, order.limit_price, only))
            self._emit(
                "OrdersMatched",
                takerHash=taker_hash,
                makerHash=hash_,
                market=order.market,
                size=size,
                price=order.limit_price,
                takerFilled=taker_filled,
                makerFilled=maker_filled,
            )
        self._filled[taker_hash] = taker_filled
        return matched

    def _require_valid(self, order: SignedOrder, signature: bytes) -> bytes:
        hash_ = self.hash_order(order)
        if order.flags > ALL_FLAGS:
            raise SignedOrders_UnknownFlags(hash_, order.flags, ALL_FLAGS)
        if order.size == 0:
            raise SignedOrders_ZeroSize(hash_)
        if self._context.now >= order.expires_at:
            raise SignedOrders_Expired(hash_, order.expires_at, self._context.now)
        if self.is_cancelled(order.account, order.nonce):
            raise SignedOrders_Cancelled(order.account, order.nonce)
        operators = self._parts.account_operators
        if owner_of(order.account) != order.signer:
            operators.require_authorized(order.account, order.signer, TRADE)
        if not operators.is_signed(order.signer, hash_, signature):
            raise SignedOrders_InvalidSignature(hash_, order.signer)
        return hash_

    def _require_manager(self, sender: Address, account: AccountId) -> Address:
        engine = self._parts.margin_engine
        caller = engine.actor() if sender == engine.address else sender
        if owner_of(account) != caller:
            self._parts.account_operators.require_authorized(account, caller, MANAGE_ORDERS)
        return caller


def _require_pair(taker: SignedOrder, maker: SignedOrder) -> None:
    if taker.market != maker.market:
        raise SignedOrders_OtherMarket(taker.market, maker.market)
    if (taker.size > 0) == (maker.size > 0):
        raise SignedOrders_SameSide(taker.size, maker.size)
    limits = taker.limit_price, maker.limit_price
    buy_limit, sell_limit = limits if taker.size > 0 else limits[::-1]
    if buy_limit < sell_limit:
        raise SignedOrders_NotCrossing(buy_limit, sell_limit)
    if owner_of(taker.account) == owner_of(maker.account):
        raise SignedOrders_SelfTrade(taker.account, maker.account)


def _raised(hash_: bytes, filled: int, size: int, order_size: int) -> int:
    whole = abs(order_size)
    if filled + size > whole:
        raise SignedOrders_Overfill(hash_, filled, size, whole)
    return filled + size
