"""A staking token far below its rate on one venue for an hour (2024-04).

A restaking token fell far below what it redeems for on one venue, within minutes, and came back.
Lenders that priced it at the market liquidated loops that were sound by redemption. Figures are as
publicly reported, mostly from secondary sources.

Replayed: a sale into the real pool LST/WETH takes its price down by 60 %, it stays there for an
hour and comes back; the redemption rate never moves. Six leveraged accounts hold the token as
margin; a cushion is the part of it whose loss makes an account unhealthy. The naive rule prices it
at the oracle's market price; this suite lets keepers try to liquidate at every look, five minutes
apart. The pool is a third deeper than the devnet's: that one is too thin at the low for its own
min_liquidity, so that its average would be left out and the market be Stale.

Stress is what decides. In an hour at a discount d it grows by stress_per_day · (d − 1 %) / 24, and
only what is above grace_stress is recognised. The devnet's 10 per day and 0.03 are for a token
whose discount is expected to be small: there, an hour at 60 % is up to 0.25 of stress, and the
valuation falls. For a young token that trades on few venues a risk manager would choose what this
replay has: 2 per day and 0.1, everything else as on the devnet. An hour at 60 % is then at most
0.05 and is not recognised at all; the price is that 6 % are recognised in full after ten days, and
from the first day on. The replay also shows what the devnet's own parameters do, on a second peg of
the same token, and what the market ratio is where the venue has a third of the vote instead of
60 %. The control has 10 per day and the least grace that the contract accepts, twice what one
observation can build.
"""

from __future__ import annotations

from bulkhead.deployment.oracle_models import UniswapV3TwapSource
from bulkhead.deployment.peg_models import PegParameters
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.depeg import (
    BASE_HAIRCUT,
    PEG,
    POOL,
    RATIO_ASSET,
    Depeg,
    stock_up,
)
from bulkhead.scenarios.incidents.votes import AS_ON_DEVNET, Vote
from bulkhead.scenarios.incidents.world import MINUTE, IncidentWorld, incident_world

CRASH_RATIO = 4 * WAD // 10
LATER_PRICE = 2_920 * WAD
LOOKS, LOOK_SECONDS = 12, 5 * MINUTE
CAREFUL = {"stress_per_day": 2 * WAD, "grace_stress": WAD // 10}
"""Parameters for such a token."""
HASTY_STRESS_PER_DAY = 10 * WAD
DEVNET_PEG = "LST-DEVNET"
SPREAD_ASSET = "LST/ETH-SPREAD"
"""The market ratio by three sources of equal share, of which the venue is one."""
POOL_ETHER = 8_000
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


def hasty(pattern: PegParameters) -> dict[str, int]:
    """Return quick stress with the least grace that the contract accepts, else like a peg's."""
    quick = pattern.model_copy(update={"stress_per_day": HASTY_STRESS_PER_DAY})
    return {"stress_per_day": HASTY_STRESS_PER_DAY, "grace_stress": 2 * quick.largest_step}


class EzEth(Incident):
    """A wick on one venue."""

    name = "ezeth"
    when = "2024-04"
    happened = "A restaking token fell far below its rate on one venue for an hour, and came back."
    reported = "$60M+ liquidated"
    naive_rule = "value the token for liquidation at its market price, less the same haircut"
    loss_means = "liquidation penalties of accounts that are healthy at the redemption rate"
    defence = (
        "PegMonitor does not recognise stress up to graceStress, and stress is discount times time "
        "(here 2 per day and 0.1; everything else as on the devnet); before that, the oracle "
        "confirms a market that moved so far only at the second look that agrees"
    )
    without = "10 per day, and the least graceStress that the contract accepts for it"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world(spot_markets=True, lst_pool_ether=POOL_ETHER) as world:
            stock_up(world)
            rules = CAREFUL if defended else hasty(world.peg_rules(PEG))
            world.set_peg(PEG, PEG, **rules)
            world.set_peg(DEVNET_PEG, PEG)
            return _play(world, Depeg(world, world.book.collaterals[PEG]))


def _play(world: IncidentWorld, depeg: Depeg) -> Outcome:
    depeg.look(1, feed_ratio=WAD)
    world.price(SPREAD_ASSET, _spread(world, depeg), AS_ON_DEVNET)
    depeg.enter(COLLATERAL, SIZES)
    # Loops live near their limit: a little of the cushion is gone before anything happens.
    world.refresh({"ETH": LATER_PRICE})
    valued_before = _maintenance_price(world, depeg)
    penalties = {who: world.full_penalty(who) for who in SIZES}
    cushions = [world.cushion(who) for who in SIZES]

    depeg.set_spot(CRASH_RATIO)
    wick = _Wick(world, depeg, valued_before)
    for _ in range(LOOKS):
        # The feed follows another venue, where nothing happened.
        depeg.look(LOOK_SECONDS, feed_ratio=WAD)
        world.poke_peg(DEVNET_PEG)
        world.look(SPREAD_ASSET)
        wick.look()
    crashed = world.latest(RATIO_ASSET).price
    spread = world.latest(SPREAD_ASSET).price
    stress, stress_on_devnet = (world.peg_value(p).stress for p in (PEG, DEVNET_PEG))
    refusals = {
        f"liquidate {who}": "" if who in wick.hit else world.liquidate(who).error for who in SIZES
    }

    on_devnet = {
        "stress_on_the_devnet_wad": stress_on_devnet,
        "maintenance_lowest_on_the_devnet_wad": wick.lowest_on_devnet,
        "liquidated_by_the_devnet's_rules": len(wick.devnet_hit),
    }
    if wick.hit:
        on_devnet = {}  # Whoever was liquidated cannot be compared.

    depeg.set_spot(WAD)
    for _ in range(LOOKS):
        depeg.look(LOOK_SECONDS, feed_ratio=WAD)
    return Outcome(
        naive_loss=sum(penalties[who] for who in wick.naive_hit),
        suite_loss=sum(penalties[who] for who in wick.hit),
        answer="valued the token at its rate all through the wick; nobody was liquidated",
        accounts=len(SIZES),
        naive_liquidated=len(wick.naive_hit),
        suite_liquidated=len(wick.hit),
        refusals=refusals,
        figures={
            "market_ratio_in_the_wick_wad": crashed,
            "market_ratio_with_the_venue_a_minority_wad": spread,
            "redemption_rate_wad": int(world.named(PEG).call("rate")),
            "stress_wad": stress,
            "maintenance_before_wad": valued_before,
            "maintenance_lowest_wad": wick.lowest,
            "maintenance_after_wad": _maintenance_price(world, depeg),
            "cushion_least_wad": min(cushions),
            "cushion_largest_wad": max(cushions),
            **on_devnet,
        },
    )


class _Wick:
    """What was seen in the wick: lowest valuations, WAD, and whom each rule liquidates."""

    def __init__(self, world: IncidentWorld, depeg: Depeg, valued: int) -> None:
        self.world = world
        self.depeg = depeg
        self.lowest = self.lowest_on_devnet = valued
        self.naive_hit: set[str] = set()
        self.devnet_hit: set[str] = set()
        self.hit: set[str] = set()

    def look(self) -> None:
        """Compare the rules at this moment, then let the keeper try everybody."""
        valued = _maintenance_price(self.world, self.depeg)
        on_devnet = int(self.world.peg_value(DEVNET_PEG).maintenancePrice)
        naive = int(self.world.latest(RATIO_ASSET).price) * int(self.world.latest("ETH").price)
        naive = naive // WAD * (WAD - BASE_HAIRCUT) // WAD
        self.lowest = min(self.lowest, valued)
        self.lowest_on_devnet = min(self.lowest_on_devnet, on_devnet)
        self.naive_hit |= self._unhealthy_at(naive * WAD // valued)
        self.devnet_hit |= self._unhealthy_at(on_devnet * WAD // valued)
        self.hit |= {who for who in SIZES if self.world.liquidate(who).accepted}

    def _unhealthy_at(self, collateral_factor: int) -> set[str]:
        return {who for who in SIZES if self.world.is_unhealthy_at(who, collateral_factor)}


def _spread(world: IncidentWorld, depeg: Depeg) -> list[Vote]:
    """Return the venue's average and two feeds of other venues, with one vote each."""
    source = next(
        source
        for asset in world.book.parameters.oracle
        for source in asset.sources
        if isinstance(source, UniswapV3TwapSource) and source.pool == POOL
    )
    bounds = source.window, source.min_liquidity, source.min_cardinality
    adapter = world.deploy("UniswapV3TwapAdapter", depeg.pool, depeg.lst.address, *bounds)
    feeds = [world.chainlink(world.feed(WAD)) for _ in range(2)]
    return [Vote(adapter.address), *feeds]


def _maintenance_price(world: IncidentWorld, depeg: Depeg) -> int:
    """Return what 1.0 of the collateral counts for in maintenance, WAD."""
    return int(world.valuer.call("collateralValuation", depeg.collateral).maintenancePrice)
