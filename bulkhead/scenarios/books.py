"""What can be known from events without asking the chain: balances, auctions, orders and such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bulkhead.agents.view import PendingOrder, Redemption

_TRIGGER_ABOVE = 2


class EventBooks:
    """Follows token transfers, auctions, redemptions and orders from a chain's first block on.

    Args:
        tokens: token name by address; vault shares are tokens too.
        staking_token: address of the token with the redemption queue.
        liquidation_engine: address whose auctions count.
        delayed_orders: address whose orders count; None: there are none.
    """

    def __init__(
        self,
        tokens: Mapping[str, str],
        staking_token: str,
        liquidation_engine: str,
        delayed_orders: str | None = None,
    ) -> None:
        self._tokens = dict(tokens)
        self._staking_token = staking_token
        self._engine = liquidation_engine
        self._delayed_orders = delayed_orders
        self.balances: dict[tuple[str, str], int] = {}
        self.auctions: dict[tuple[bytes, int], int] = {}
        self.redemptions: dict[int, Redemption] = {}
        self.orders: dict[int, PendingOrder] = {}

    def apply_all(self, events: Iterable[Any]) -> None:
        """Apply decoded events in their order."""
        for event in events:
            if event.name == "Transfer":
                self._transfer(event)
            elif event.address == self._engine:
                self._auction(event)
            elif event.address == self._staking_token:
                self._redemption(event)
            elif event.address == self._delayed_orders:
                self._order(event)

    def _transfer(self, event: Any) -> None:
        token = self._tokens.get(event.address)
        if token is None:
            return
        sender, receiver, amount = event.args
        # Balances from before the first block seen are unknown, so only gains make an entry.
        if (sender, token) in self.balances:
            self.balances[sender, token] -= amount
        self.balances[receiver, token] = self.balances.get((receiver, token), 0) + amount

    def _auction(self, event: Any) -> None:
        if event.name == "AuctionStarted":
            self.auctions[event.args.account, event.args.collateral] = event.args.startedAt
        elif event.name == "AuctionEnded":
            self.auctions.pop((event.args.account, event.args.collateral), None)

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
