"""One market of the integer twin, a crowd that wants to be long or short, and an arbitrageur.

The crowd has a demand and trades towards it whatever it costs. The arbitrageur hedges elsewhere, so
the index is no risk to him: he holds against the crowd as much as premium and funding pay for. Both
act once an hour. All sizes are WAD base units; randomness is seeded, so a run is repeatable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from random import Random

from bulkhead.deployment.devnet import devnet_parameters
from bulkhead.model import invariants, positions, presets, pricing
from bulkhead.model.math import DAY, UINT256_MAX, WAD
from bulkhead.model.reverts import PerpExchange_OpenInterestCap, PerpExchange_PremiumCap
from bulkhead.model.types import MarketLiquidation, MarketTrading, address, pack
from bulkhead.model.world import World

HOUR = 3_600
MARKET = 0
START = 1_700_000_000
PRICE = 3_000 * WAD
_UNIT = 10**6
_DEPOSIT = 10**12 * _UNIT
_CROWD, _ARBITRAGEUR, _LP = address(1), address(2), address(3)
_LEAST_TRADE = WAD // 1_000
"""Smaller gaps are not worth a trade to anyone."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the arbitrageur behaves.

    Attributes:
        elasticity: WAD: share of the skew scale that he holds per 1.0 of what a day pays.
        speed: WAD: share of the gap to what he wants that he trades within an hour.
    """

    elasticity: int
    speed: int = WAD // 4


@dataclass(frozen=True, slots=True)
class Hour:
    """The market after an hour's trades: WAD premium, WAD funding rate per day."""

    premium: int
    funding_rate: int


class FundingMarket:
    """The devnet's first market with another funding velocity, on a world of the integer twin.

    Args:
        velocity: WAD per day per day: ``maxFundingVelocity``.
        habits: the arbitrageur's; None: there is none.
        seed: of the index price's path and whatever the caller draws from ``random``.
        volatility: of the index per square root of a day; 0: it stands still.
    """

    def __init__(
        self, velocity: int, habits: Habits | None, *, seed: int = 0, volatility: float = 0.0
    ) -> None:
        self.random = Random(seed)
        self._habits = habits
        self._volatility = volatility
        self._price = PRICE
        self.refused = 0
        """Trades of the crowd that a cap refused."""
        self.world = World(now=START, interest=presets.FREE)
        self.rules = self._list_market(velocity)
        for holder in (_CROWD, _ARBITRAGEUR, _LP):
            self.world.fund(holder, _DEPOSIT)
        self.world.liquidity_vault.deposit(_LP, _DEPOSIT, _LP)
        for holder in (_CROWD, _ARBITRAGEUR):
            self.world.margin_engine.deposit(holder, pack(holder, 0), 0, _DEPOSIT)

    def _list_market(self, velocity: int) -> MarketTrading:
        listed = devnet_parameters(spot_markets=False).markets[0]
        rules = MarketTrading(**{f.name: getattr(listed, f.name) for f in fields(MarketTrading)})
        rules = replace(rules, max_funding_velocity=velocity)
        liquidation = MarketLiquidation(
            **{f.name: getattr(listed, f.name) for f in fields(MarketLiquidation)}
        )
        self.world.oracle.set(rules.index_asset, self._price)
        self.world.risk_parameters.set_market(self.world.governor, MARKET, rules, liquidation)
        return rules

    def hour(self, demand: int) -> Hour:
        """Let an hour pass; the crowd then wants to hold ``demand``, the arbitrageur reacts.

        Returns:
            the market afterwards.
        """
        self.world.now += HOUR
        if self._volatility:
            step = math.exp(self._volatility * math.sqrt(HOUR / DAY) * self.random.gauss(0, 1))
            self._price = int(self._price * step) or 1
            self.world.oracle.set(self.rules.index_asset, self._price)
        self._trade(_CROWD, demand - self._held(_CROWD))
        if self._habits is not None:
            gap = self._wanted(self._habits) - self._held(_ARBITRAGEUR)
            self._trade(_ARBITRAGEUR, gap * self._habits.speed // WAD)
        return self._look()

    def check(self) -> None:
        """Check the ledger and the market's sums.

        Raises:
            AssertionError: an invariant does not hold; the message begins with its id.
        """
        wrong = invariants.check_state(invariants.snapshot(self.world))
        assert not wrong, "; ".join(map(str, wrong))

    def paid_by_the_crowd(self) -> int:
        """WAD that funding has cost the crowd's present position since it was last settled."""
        m = self.world.perp_exchange._current(MARKET)[0]
        held = self.world.perp_exchange.position(pack(_CROWD, 0), MARKET)
        return positions.funding_owed(m, held)

    def _wanted(self, habits: Habits) -> int:
        """What a day of funding and the premium pay beyond the fees of a round trip, times k."""
        now = self._look()
        pays = now.premium + now.funding_rate
        hurdle = 2 * self.rules.taker_fee
        beyond = max(0, abs(pays) - hurdle) * habits.elasticity // WAD
        size = min(beyond * self.rules.skew_scale // WAD, self.rules.max_open_interest)
        return -size if pays > 0 else size

    def _look(self) -> Hour:
        m = self.world.perp_exchange._current(MARKET)[0]
        return Hour(
            pricing.premium(positions.skew(m), self.rules.skew_scale),
            m.funding_rate,
        )

    def _held(self, trader: str) -> int:
        return self.world.perp_exchange.position(pack(trader, 0), MARKET).size

    def _trade(self, trader: str, size_delta: int) -> None:
        if abs(size_delta) < _LEAST_TRADE:
            return
        limit = UINT256_MAX if size_delta > 0 else 0
        exchange = self.world.perp_exchange
        try:
            self.world.execute(
                lambda: exchange.trade(trader, pack(trader, 0), MARKET, size_delta, limit)
            )
        except (PerpExchange_OpenInterestCap, PerpExchange_PremiumCap):
            self.refused += trader == _CROWD
