"""What events alone tell: balances, auctions, redemptions, pending exits, orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bulkhead.agents.view import Exit, PendingOrder, Redemption

_TRIGGER_ABOVE = 2


class EventBooks:
    """Follows tokens, auctions, the redemption queue and orders from a chain's first block on.

    Args:
        tokens: token name by address; vault shares are tokens too.
        staking_token: address of the token with the redemption queue.
        liquidation_engine: address whose auctions count.
        signed_orders: address whose orders are matched.
        delayed_orders: address whose orders are open until they are closed.

    Attributes:
        filled: WAD base units by a signed order's digest.
        cancelled: bits of signed orders by account and word of nonces.
        least_nonces: of signed orders by account.
        orders: open delayed orders by id.
    """

    def __init__(
        self,
        tokens: Mapping[str, str],
        staking_token: str,
        liquidation_engine: str,
        signed_orders: str,
        delayed_orders: str,
    ) -> None:
        self._tokens = dict(tokens)
        self._staking_token = staking_token
        self._engine = liquidation_engine
        self._signed_orders = signed_orders
        self._delayed_orders = delayed_orders
        self.balances: dict[tuple[str, str], int] = {}
        self.auctions: dict[tuple[bytes, int], int] = {}
        self.redemptions: dict[int, Redemption] = {}
        self.exits: dict[tuple[str, str], Exit] = {}
        self.filled: dict[bytes, int] = {}
        self.cancelled: dict[tuple[bytes, int], int] = {}
        self.least_nonces: dict[bytes, int] = {}
        self.orders: dict[int, PendingOrder] = {}

    def apply_all(self, events: Iterable[Any]) -> None:
        """Apply decoded events in their order."""
        for event in events:
            if event.name == "Transfer":
                self._transfer(event)
            elif event.address == self._engine:
                self._auction(event)
            elif event.address == self._signed_orders:
                self._signed_order(event)
            elif event.address == self._staking_token:
                self._redemption(event)
            elif event.address == self._delayed_orders:
                self._order(event)
            elif event.name in ("RedeemRequested", "RequestCancelled", "Withdraw"):
                self._exit(event)

    def _transfer(self, event: Any) -> None:
        token = self._tokens.get(event.address)
        if token is None:
            return
        sender, receiver, amount = event.args
        # Balances from before the first block seen are unknown, so only gains make an entry.
        if (sender, token) in self.balances:
            self.balances[sender, token] -= amount
        self.balances[receiver, token] = self.balances.get((receiver, token), 0) + amount

    def _exit(self, event: Any) -> None:
        vault, a = self._tokens.get(event.address), event.args
        if vault is None:
            return
        key = a.owner, vault
        if event.name == "RedeemRequested":
            self.exits[key] = Exit(a.totalShares, a.unlocksAt, a.expiresAt)
            return
        asked = self.exits.pop(key, None)
        if event.name == "Withdraw" and asked is not None and a.shares < asked.shares:
            left = asked.shares - a.shares
            self.exits[key] = Exit(left, asked.unlocks_at, asked.expires_at)

    def _auction(self, event: Any) -> None:
        if event.name == "AuctionStarted":
            self.auctions[event.args.account, event.args.collateral] = event.args.startedAt
        elif event.name == "AuctionEnded":
            self.auctions.pop((event.args.account, event.args.collateral), None)

    def _signed_order(self, event: Any) -> None:
        a = event.args
        if event.name == "OrdersMatched":
            # Both by what was added: what was filled so far is there to be compared.
            for hash_ in (a.takerHash, a.makerHash):
                self.filled[hash_] = self.filled.get(hash_, 0) + a.size
        elif event.name == "OrdersCancelled":
            self.cancelled[a.account, a.word] = a.mask
        elif event.name == "OrdersCancelledBelow":
            self.least_nonces[a.account] = a.nonce

    def _redemption(self, event: Any) -> None:
        a = event.args
        if event.name == "WithdrawalRequested":
            self.redemptions[a.id] = Redemption(a.id, a.receiver, a.claimableAt)
        elif event.name == "WithdrawalClaimed":
            self.redemptions.pop(a.id, None)

    def _order(self, event: Any) -> None:
        a = event.args
        if event.name == "OrderCommitted":
            o = a.order
            self.orders[a.orderId] = PendingOrder(
                a.orderId,
                a.account,
                a.market,
                o.sizeDelta,
                o.settleFrom,
                o.expiresAt,
                o.triggerPrice,
                bool(o.flags & _TRIGGER_ABOVE),
            )
        elif event.name == "OrderTriggered":
            known = self.orders[a.orderId]
            self.orders[a.orderId] = replace(
                known, settle_from=a.settleFrom, expires_at=a.expiresAt
            )
        elif event.name == "OrderClosed":
            del self.orders[a.orderId]
