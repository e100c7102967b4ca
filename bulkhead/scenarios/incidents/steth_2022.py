"""A staking token 6 % below its rate for weeks, with redemptions closed (2022-06).

stETH traded about 5 to 7 % below ether for weeks while it could not be redeemed; leveraged loops
unwound into the same pool and large holders became insolvent. Who went on valuing it at par lent
more than it fetched. Figures are as publicly reported, mostly from secondary sources.

Replayed: a sale into the real pool LST/WETH takes its price down by 6 %, and it stays there for two
weeks, with a queue of redemptions of two years. The naive rule goes on at the redemption rate. This
suite must *recognise* a discount that lasts: new credit goes by the market at once, and the
valuation for maintenance goes with stress.

The parameters are the devnet's: stress grows by 10 per day and 1.0 of discount above the dead-band
of 1 %, the first 0.03 of it is not recognised, full stress adds 15 % of haircut and half of the
discount to the 5 % at peg, and 0.9 is a broken peg, which gives no credit at all. A discount d is
recognised in full after T(d) = 1 / (stress_per_day · (d − deadband)) days, two for 6 %, and begins
to be after 3 % of that, an hour and a half. One parameter differs: the monitor does not watch the
queue, because in 2022 there was none that a contract could ask. What the devnet's rules say about a
queue of two years (the largest haircut, at once) is shown beside it.
"""

from __future__ import annotations

from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.depeg import (
    BASE_HAIRCUT,
    PEG,
    RATIO_ASSET,
    Depeg,
    at_redemption,
    stock_up,
)
from bulkhead.scenarios.incidents.world import DAY, HOUR, MINUTE, IncidentWorld, incident_world

MARKET_RATIO = 94 * WAD // 100
CAPACITY_PER_DAY = 10 * WAD
QUEUED = 8_000 * WAD
TWAP_SECONDS = 10 * MINUTE
READINGS = {"1h": HOUR, "1d": DAY, "3d": 3 * DAY, "7d": 7 * DAY, "14d": 14 * DAY}
LOOK_SECONDS = 6 * HOUR
AMOUNT = 100 * WAD
MINUTES_PER_DAY = DAY // MINUTE


class StEth2022(Incident):
    """A discount that lasts."""

    name = "steth-2022"
    when = "2022-06"
    happened = "stETH traded 5 to 7 % below ETH for weeks while it could not be redeemed."
    reported = "liquidations, funds insolvent"
    naive_rule = "lend against the redemption rate, less the same haircut"
    loss_means = "credit beyond what the collateral fetches in the pool after two weeks"
    defence = (
        "PegMonitor gives new credit at the lesser of rate and market at once, and takes the "
        "maintenance valuation below the market within T(d) = 1 / (stress_per_day · (d − "
        "deadband)) days"
    )
    without = "the token listed at its redemption rate, past the peg monitor"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        without = () if defended else (PEG,)
        with incident_world(
            spot_markets=True, without_collateral=without, lst_capacity_per_day=CAPACITY_PER_DAY
        ) as world:
            stock_up(world)
            if defended:
                world.set_peg(PEG, PEG, queue=None)
            collateral = world.book.collaterals[PEG] if defended else at_redemption(world)
            return _play(world, Depeg(world, collateral))


def _play(world: IncidentWorld, depeg: Depeg) -> Outcome:
    token = world.named(PEG)
    world.send(token, "requestWithdrawal", QUEUED, world.governor)
    depeg.set_spot(MARKET_RATIO)
    depeg.look(TWAP_SECONDS, feed_ratio=MARKET_RATIO)
    started = world.now
    world.deposit("alice", token, depeg.collateral, AMOUNT)

    is_watched = PEG in world.book.collaterals
    figures = {"credit_at_once_wad": world.credit("alice")}
    for name, seconds in READINGS.items():
        while world.now + LOOK_SECONDS < started + seconds:
            depeg.look(LOOK_SECONDS, feed_ratio=MARKET_RATIO)
        depeg.look(started + seconds - world.now, feed_ratio=MARKET_RATIO)
        value = world.valuer.call("collateralValuation", depeg.collateral)
        if is_watched:
            figures[f"stress_after_{name}_wad"] = int(world.peg_value(PEG).stress)
        figures[f"maintenance_after_{name}_wad"] = int(value.maintenancePrice)
        figures[f"initial_after_{name}_wad"] = int(value.initialPrice)
    rate = int(token.call("rate"))
    par = AMOUNT * rate // WAD * int(world.latest("ETH").price) // WAD
    naive_credit = par * (WAD - BASE_HAIRCUT) // WAD
    fetches = depeg.proceeds(AMOUNT)
    credit = world.credit("alice")
    market = world.peg_value(PEG).marketPrice
    refused = world.probe("alice", naive_credit)
    if is_watched:
        figures |= _recognition(world, depeg)
    return Outcome(
        naive_loss=max(0, naive_credit - fetches),
        suite_loss=max(0, credit - fetches),
        answer=(
            "gave credit by the market at once and none once stress passed 0.9; maintenance was "
            "below the market within a day, and went wholly by it within three"
        ),
        refusals={"open on credit at par": refused.error},
        figures={
            **figures,
            "market_ratio_wad": world.latest(RATIO_ASSET).price,
            "market_price_wad": market,
            "redemption_rate_wad": rate,
            "queue_days": int(token.call("queueDelay", WAD)) // DAY,
            "naive_credit_wad": naive_credit,
            "suite_credit_wad": credit,
            "fetches_wad": fetches,
        },
    )


def _recognition(world: IncidentWorld, depeg: Depeg) -> dict[str, int]:
    """Return T(d) and its beginning, in minutes, and the valuation by the devnet's own rules."""
    rules = world.peg_rules(PEG)
    per_day = rules.stress_per_day * (world.peg_value(PEG).discount - rules.deadband) // WAD
    # The last thing that happens here: from now on the monitor watches the queue.
    world.set_peg(PEG, PEG)
    value = world.valuer.call("collateralValuation", depeg.collateral)
    return {
        "minutes_until_recognised_at_all": MINUTES_PER_DAY * rules.grace_stress // per_day,
        "minutes_until_recognised_in_full": MINUTES_PER_DAY * WAD // per_day,
        "maintenance_if_the_queue_is_watched_wad": int(value.maintenancePrice),
    }
