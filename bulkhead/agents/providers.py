"""Those who put capital at risk: liquidity providers and insurance stakers."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bulkhead.agents.view import WAD, MarketView, Transaction

_CASH_UNIT = 10**6  # One settlement token.


@dataclass(slots=True)
class _VaultStaker:
    """Shared behaviour: leave in fear, come back in calm. See the subclasses.

    Where leaving takes a request, fear makes her ask, and what has cooled she takes out.

    Attributes:
        address: of the wallet.
        nerve: loss per share, a fraction of the best seen, at which she wants out.
        contract: the vault's name; ``shares`` the name of its share token.
        purpose: what the capital is, in words.
        asks: whether she has to ask before she leaves.
    """

    address: str
    nerve: float
    contract: str = field(init=False)
    purpose: str = field(init=False)
    asks: bool = field(default=False, init=False)
    _best: float = field(default=0.0, init=False)

    def _value(self, view: MarketView) -> float:
        raise NotImplementedError

    def act(self, view: MarketView, rng: Random) -> list[Transaction]:
        """Try to leave if the share has lost more than she bears or the breaker has tripped."""
        value = self._value(view)
        self._best = max(self._best, value)
        shares = view.balance(self.address, self.contract)
        tier = view.compartment.tier
        lost = 1 - value / self._best if self._best > 0 else 0.0
        # A breaker that has tripped frightens some of those who have lost nothing yet.
        frightened = rng.random() < (0.06 if lost > self.nerve else 0.015 if tier > 0 else 0.0)
        asked = view.exits.get((self.address, self.contract))
        if asked is not None and view.timestamp <= asked.expires_at:
            return [self._leave(asked.shares)] if view.timestamp >= asked.unlocks_at else []
        if shares and frightened:
            leaving = max(1, int(shares * rng.choice((0.2, 0.35, 0.6))))
            return [self._ask(leaving) if self.asks else self._leave(leaving)]
        cash = view.balance(self.address, "USDB")
        if not frightened and tier == 0 and cash > 1_000 * _CASH_UNIT and rng.random() < 0.03:
            return [
                Transaction(
                    self.address,
                    self.contract,
                    "deposit",
                    (cash // 2, self.address),
                    f"deposit {self.purpose}",
                )
            ]
        return []

    def _ask(self, shares: int) -> Transaction:
        purpose = f"ask for {self.purpose}"
        return Transaction(self.address, self.contract, "requestRedeem", (shares,), purpose)

    def _leave(self, shares: int) -> Transaction:
        args = (shares, self.address, self.address)
        return Transaction(self.address, self.contract, "redeem", args, f"withdraw {self.purpose}")


class LiquidityProvider(_VaultStaker):
    """Owns shares of the pool."""

    def __init__(self, address: str, nerve: float) -> None:
        super().__init__(address, nerve)
        self.contract, self.purpose = "LiquidityVault", "pool capital"
        self.asks = True

    def _value(self, view: MarketView) -> float:
        c = view.compartment
        return max(0, c.pool_to_leave) / c.pool_shares if c.pool_shares else 0.0


class InsuranceStaker(_VaultStaker):
    """Owns shares of the insurance fund."""

    def __init__(self, address: str, nerve: float) -> None:
        super().__init__(address, nerve)
        self.contract, self.purpose = "InsuranceFund", "insurance capital"

    def _value(self, view: MarketView) -> float:
        c = view.compartment
        return c.insurance_cash / c.fund_shares if c.fund_shares else 0.0


def settlement_tokens(units: float) -> int:
    """Return raw settlement token units (6 decimals)."""
    return round(units * _CASH_UNIT)


def wad(units: float) -> int:
    """Return WAD."""
    return round(units * WAD)
