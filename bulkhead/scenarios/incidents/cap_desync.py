"""A growth cap whose ratio and timestamp were updated apart (2026-03-10).

A capped exchange-rate source kept a reference ratio and the time of that ratio in two places. A
step of the ratio was itself limited, so that an update raised it by part of what was meant, while
the timestamp moved all the way. The cap then stood about 2.85 % below the token's true rate, and
healthy accounts were liquidated. Figures are as publicly reported, mostly from secondary sources.

Replayed: a staking token that earns for 200 days, a naive cap that is then updated as above, and
six leveraged accounts that are healthy at the true rate by 0.9 to 4.9 % of their collateral.
``ExchangeRateAdapter`` writes ratio and time as one word, and only a ratio that the token had.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.votes import Vote
from bulkhead.scenarios.incidents.world import DAY, IncidentWorld, incident_world

RATE_ASSET, VALUE_ASSET = "RST/ETH", "RST/USD"
RATE_KIND = 2
HAIRCUT = 8 * WAD // 100
START_PRICE, LATER_PRICE = 3_000 * WAD, 2_900 * WAD
PERIODS, PERIOD_DAYS = 20, 10
REWARD_RATIO = 30_640 * WAD // 10_000_000
"""0.3064 % in ten days: 11 % per year."""
GROWTH_PER_DAY = WAD // 2_000
NO_GROWTH = 1
"""10^-18 per day: a cap that was never stepped at all."""

NAIVE_GROWTH_PER_DAY = WAD // 2_500
NAIVE_STEP = 3 * WAD // 100
NAIVE_LAG_DAYS = 7

COLLATERAL = 50 * WAD
SIZES = {
    "alice": 686 * WAD,
    "bob": 675 * WAD,
    "carol": 655 * WAD,
    "dave": 636 * WAD,
    "arbitrageur": 606 * WAD,
    "lp": 590 * WAD,
}
"""Long ETH by account."""


@dataclass
class NaiveCap:
    """A cap on a rate as a ratio and a time that are updated one after the other.

    Attributes:
        ratio: WAD.
        at: Unix seconds.
    """

    ratio: int
    at: int

    def update(self, ratio: int, at: int) -> None:
        """Step to a ratio and its time: the ratio's step is limited, the time's is not."""
        self.ratio = min(ratio, self.ratio + self.ratio * NAIVE_STEP // WAD)
        self.at = at

    def most(self, now: int) -> int:
        """Return the most that it believes, WAD."""
        return self.ratio + NAIVE_GROWTH_PER_DAY * (now - self.at) // DAY


class CapDesync(Incident):
    """A cap that was stepped apart."""

    name = "cap-desync"
    when = "2026-03"
    happened = "A growth cap's ratio and timestamp were updated apart; the token was under-priced."
    reported = "34 healthy accounts liquidated"
    naive_rule = "cap the rate at ratio + growth · age, with ratio and age updated apart"
    loss_means = "liquidation penalties of accounts that are healthy at the true rate"
    defence = "ExchangeRateAdapter writes ratio and time together, and only ratios the token had"
    without = "a cap that does not grow at all"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world(without_collateral=("LST",)) as world:
            return _play(world, GROWTH_PER_DAY if defended else NO_GROWTH)


def _play(world: IncidentWorld, growth: int) -> Outcome:
    token = world.named("LST")
    adapter = world.deploy("ExchangeRateAdapter", token.address, RATE_KIND, growth)
    world.price(RATE_ASSET, [Vote(adapter.address)])
    world.derive_product(VALUE_ASSET, RATE_ASSET, "ETH")
    collateral = world.list_collateral("LST", token, VALUE_ASSET, haircut=HAIRCUT)

    naive = NaiveCap(int(token.call("rate")), world.now)
    lagged = _earn(world)
    world.send(adapter, "poke")
    world.refresh({"ETH": START_PRICE})
    naive.update(lagged, world.now - NAIVE_LAG_DAYS * DAY)
    for who, size in SIZES.items():
        world.deposit(who, token, collateral, COLLATERAL)
        world.trade(who, size).require(f"{who}'s trade")
    world.refresh({"ETH": LATER_PRICE})

    raw = int(token.call("rate"))
    priced = world.latest(RATE_ASSET).price
    naive_rate = min(raw, naive.most(world.now))
    # Healthy is who is healthy at what the token redeems for.
    healthy = [w for w in SIZES if not world.is_unhealthy_at(w, raw * WAD // priced)]
    naive_hit = [w for w in healthy if world.is_unhealthy_at(w, naive_rate * WAD // priced)]
    penalties = {who: world.full_penalty(who) for who in healthy}
    ends = {who: world.liquidate(who) for who in healthy}
    hit = [who for who in healthy if ends[who].accepted]
    return Outcome(
        naive_loss=sum(penalties[who] for who in naive_hit),
        suite_loss=sum(penalties[who] for who in hit),
        answer="priced the token at its rate; no liquidation was accepted",
        accounts=len(healthy),
        naive_liquidated=len(naive_hit),
        suite_liquidated=len(hit),
        refusals={f"liquidate {who}": ends[who].error for who in healthy},
        figures={
            "true_rate_wad": raw,
            "naive_rate_wad": naive_rate,
            "naive_underpricing_wad": WAD - naive_rate * WAD // raw,
            "suite_rate_wad": priced,
        },
    )


def _earn(world: IncidentWorld) -> int:
    """Let the token earn for 200 days; return the rate that it had seven days before the end."""
    token, weth = world.named("LST"), world.named("WETH")
    world.approve(weth, "deployer", token)
    rate = 0
    for _ in range(PERIODS):
        rate = int(token.call("rate"))
        world.skip(PERIOD_DAYS * DAY)
        reward = int(token.call("totalPooled")) * REWARD_RATIO // WAD
        world.send(token, "reportRewards", reward)
    return rate
