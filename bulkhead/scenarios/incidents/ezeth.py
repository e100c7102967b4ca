"""A staking token far below its rate on one venue for an hour (2024-04).

A restaking token fell far below what it redeems for on one venue, within minutes, and came back.
Lenders that priced it at the market liquidated loops that were sound by redemption. Figures are as
publicly reported, mostly from secondary sources.

Replayed: a sale into the real pool LST/WETH takes its price down by 60 %, it stays there for an
hour and comes back; the redemption rate never moves. Six leveraged accounts hold the token as
margin. The naive rule prices it at the oracle's market price; this suite lets keepers try to
liquidate at every look, five minutes apart. Their cushions are 11 to 13 % of their collateral, and
the valuation falls by 6.4 % in that hour: a cushion thinner than that would not have held.
"""

from __future__ import annotations

from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.depeg import (
    BASE_HAIRCUT,
    PEG,
    RATIO_ASSET,
    Depeg,
    at_market,
    stock_up,
    watched,
)
from bulkhead.scenarios.incidents.world import MINUTE, IncidentWorld, incident_world

CRASH_RATIO = 4 * WAD // 10
LATER_PRICE = 2_920 * WAD
LOOKS, LOOK_SECONDS = 12, 5 * MINUTE
COLLATERAL = 50 * WAD
SIZES = {
    "alice": 700 * WAD,
    "bob": 680 * WAD,
    "carol": 660 * WAD,
    "dave": 640 * WAD,
    "arbitrageur": 620 * WAD,
    "keeper": 600 * WAD,
}
"""Long ETH by account."""


class EzEth(Incident):
    """A wick on one venue."""

    name = "ezeth"
    when = "2024-04"
    happened = "A restaking token fell far below its rate on one venue for an hour, and came back."
    reported = "$60M+ liquidated"
    naive_rule = "value the token for liquidation at its market price, less the same haircut"
    loss_means = "liquidation penalties of accounts that are healthy at the redemption rate"
    defence = (
        "PegMonitor blends fair value towards the market by stress, which is discount times time: "
        "an hour at 60 % builds a tenth"
    )
    without = "the token listed at its market price, past the peg monitor"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        without = () if defended else (PEG,)
        with incident_world(spot_markets=True, without_collateral=without) as world:
            stock_up(world)
            collateral = watched(world) if defended else at_market(world)
            return _play(world, Depeg(world, collateral))


def _play(world: IncidentWorld, depeg: Depeg) -> Outcome:
    depeg.look(1, feed_ratio=WAD)
    depeg.enter(COLLATERAL, SIZES)
    # Loops live near their limit: a little of the cushion is gone before anything happens.
    world.refresh({"ETH": LATER_PRICE})
    valued_before = _maintenance_price(world, depeg)
    penalties = {who: world.full_penalty(who) for who in SIZES}

    depeg.set_spot(CRASH_RATIO)
    naive_hit: set[str] = set()
    hit: set[str] = set()
    lowest = valued_before
    for _ in range(LOOKS):
        # The feed follows another venue, where nothing happened.
        depeg.look(LOOK_SECONDS, feed_ratio=WAD)
        valued = _maintenance_price(world, depeg)
        lowest = min(lowest, valued)
        naive = world.peg_value(PEG).marketPrice * (WAD - BASE_HAIRCUT) // WAD
        naive_hit |= {w for w in SIZES if world.is_unhealthy_at(w, naive * WAD // valued)}
        hit |= {who for who in SIZES if world.liquidate(who).accepted}
    crashed = world.latest(RATIO_ASSET).price
    refusals = {
        f"liquidate {who}": "" if who in hit else world.liquidate(who).error for who in SIZES
    }

    depeg.set_spot(WAD)
    for _ in range(LOOKS):
        depeg.look(LOOK_SECONDS, feed_ratio=WAD)
    return Outcome(
        naive_loss=sum(penalties[who] for who in naive_hit),
        suite_loss=sum(penalties[who] for who in hit),
        answer="kept valuing the token near its rate through the wick; nobody was liquidated",
        accounts=len(SIZES),
        naive_liquidated=len(naive_hit),
        suite_liquidated=len(hit),
        refusals=refusals,
        figures={
            "market_ratio_in_the_wick_wad": crashed,
            "redemption_rate_wad": int(world.named(PEG).call("rate")),
            "maintenance_before_wad": valued_before,
            "maintenance_lowest_wad": lowest,
            "maintenance_after_wad": _maintenance_price(world, depeg),
        },
    )


def _maintenance_price(world: IncidentWorld, depeg: Depeg) -> int:
    """Return what 1.0 of the collateral counts for in maintenance, WAD."""
    return int(world.margin.call("collateralValuation", depeg.collateral).maintenancePrice)
