"""Those who tie the pools to the market outside."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bulkhead.agents.swaps import buy_base, sell_base
from bulkhead.agents.view import MarketView, Transaction

YEAR_SECONDS = 365 * 86_400
_LEAST_TOKENS = 10**15  # 0.001 of an 18-decimal token: below that a swap is not worth its gas.


@dataclass(slots=True)
class SpotArbitrageur:
    """Holds the WETH/USDB pool at the outside price of ETH, within the pool's fee.

    Attributes:
        address: of the wallet that holds both tokens.
    """

    address: str

    def act(self, view: MarketView, _rng: Random) -> list[Transaction]:
        """Trade the pool to the near edge of the band in which a trade no longer pays."""
        pool = view.pools["WETH/USDB"]
        fee = pool.fee / 1e6
        low, high = view.outside.eth * (1 - fee), view.outside.eth * (1 + fee)
        if pool.price < low:
            cash = view.balance(self.address, "USDB")
            return [buy_base(self.address, pool, cash, low, "spot arbitrage")] if cash else []
        if pool.price > high:
            held = view.balance(self.address, "WETH")
            return [sell_base(self.address, pool, held, high, "spot arbitrage")] if held else []
        return []


@dataclass(slots=True)
class PegArbitrageur:
    """Buys the pegged collateral below what it redeems for, and redeems it.

    The discount she asks for pays for the waiting time in the queue. She never pays more than the
    market outside, and commits her capital in parts.

    Attributes:
        address: of the wallet.
        yearly_return: asked for on capital that waits in the queue, a fraction per year.
        least_discount: asked for at any rate, a fraction of fair value.
        commitment: largest part of her cash that she spends in one step.
        edge: how far below the market outside she stops buying, a fraction.
    """

    address: str
    yearly_return: float = 0.25
    least_discount: float = 0.003
    commitment: float = 0.08
    edge: float = 0.0005

    def act(self, view: MarketView, _rng: Random) -> list[Transaction]:
        """Claim what is due, queue what she holds, buy while it pays."""
        sent = [
            Transaction(self.address, "LST", "claim", (r.id,), "claim a redemption")
            for r in view.redemptions
            if r.receiver == self.address and r.claimable_at <= view.timestamp
        ]
        held = view.balance(self.address, "LST")
        if held > _LEAST_TOKENS:
            sent.append(
                Transaction(
                    self.address,
                    "LST",
                    "requestWithdrawal",
                    (held, self.address),
                    "queue a redemption",
                )
            )
        pool = view.pools["LST/WETH"]
        fair = view.peg.fair_rate / 1e18
        wanted = max(
            self.least_discount, self.yearly_return * view.queue_delay_seconds / YEAR_SECONDS
        )
        limit = min(fair * (1 - wanted), fair * view.outside.ratio * (1 - self.edge))
        cash = int(view.balance(self.address, "WETH") * self.commitment)
        if cash > _LEAST_TOKENS and pool.price < limit * (1 - pool.fee / 1e6):
            sent.append(buy_base(self.address, pool, cash, limit, "buy the discount"))
        return sent
