"""Holders of the pegged collateral who sell it rather than wait in the redemption queue."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bulkhead.agents.swaps import sell_base
from bulkhead.agents.view import MarketView, Transaction

_LEAST_TOKENS = 10**15


@dataclass(slots=True)
class Staker:
    """Sells in panic once the discount outside is deeper than she can bear.

    She sells as long as the pool pays more than others outside do, or a little longer, so the pool
    follows the outside ratio as far as all inventories and haste allow.

    Attributes:
        address: of the wallet.
        nerve: discount that she bears, a fraction of fair value.
        haste: largest part of her holding that she sells in one step.
    """

    address: str
    nerve: float
    haste: float

    def act(self, view: MarketView, rng: Random) -> list[Transaction]:
        """Sell a part of what she holds down to the outside price, if she has lost her nerve."""
        discount = 1 - view.outside.ratio
        held = view.balance(self.address, "LST")
        # Not everybody looks at every step, nor sells all the way down.
        looks, patience = rng.random() < 0.35, rng.uniform(0, 0.12)
        if discount <= self.nerve or held < _LEAST_TOKENS or not looks:
            return []
        pool = view.pools["LST/WETH"]
        limit = (1 - discount * (1 - patience)) * view.peg.fair_rate / 1e18
        if pool.price <= limit * 1.0005:
            return []
        # The deeper the discount is below what she bears, the more of it she throws at the pool.
        fear = min(1.0, (discount - self.nerve) / 0.05 + 0.3)
        amount = int(held * self.haste * fear * rng.uniform(0.6, 1.0))
        if amount < _LEAST_TOKENS:
            return []
        return [sell_base(self.address, pool, amount, limit, "panic sale")]
