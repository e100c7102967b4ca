"""What events alone tell: balances, auctions, redemptions, pending exits, orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bulkhead.agents.view import Exit, Redemption


class EventBooks:
    """Follows tokens, auctions, the redemption queue and orders from a chain's first block on.

    Args:
        tokens: token name by address; vault shares are tokens too.
        staking_token: address of the token with the redemption queue.
        liquidation_engine: address whose auctions count.
        signed_orders: address whose orders count.

    Attributes:
        filled: WAD base units by an order's digest.
        cancelled: bits by account and word of nonces.
        least_nonces: by account.
    """

    def __init__(
        self,
        tokens: Mapping[str, str],
        staking_token: str,
        liquidation_engine: str,
        signed_orders: str,
    ) -> None:
        self._tokens = dict(tokens)
        self._staking_token = staking_token
        self._engine = liquidation_engine
        self._orders = signed_orders
        self.balances: dict[tuple[str, str], int] = {}
        self.auctions: dict[tuple[bytes, int], int] = {}
        self.redemptions: dict[int, Redemption] = {}
        self.exits: dict[tuple[str, str], Exit] = {}
        self.filled: dict[bytes, int] = {}
        self.cancelled: dict[tuple[bytes, int], int] = {}
        self.least_nonces: dict[bytes, int] = {}

    def apply_all(self, events: Iterable[Any]) -> None:
        """Apply decoded events in their order."""
        for event in events:
            if event.name == "Transfer":
                self._transfer(event)
            elif event.address == self._engine:
                self._auction(event)
            elif event.address == self._orders:
                self._order(event)
            elif event.address == self._staking_token:
                self._redemption(event)
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

    def _order(self, event: Any) -> None:
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
