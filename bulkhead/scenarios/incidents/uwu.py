"""A median of eleven inputs, five of them spot prices (2024-06).

A lender took the median of eleven inputs. Five were spot prices of pools, which a flash trade moves
at will; the rest were averages. The median then stood wherever the outermost of the others stood,
and one more input that could be moved gave it away altogether. Figures are as publicly reported,
mostly from secondary sources; pools and amounts here are of the replay.

Replayed: five real Uniswap v3 pools of one token against five dollars, a little apart from one
another, and a feed: eleven inputs are five spot prices, five averages over ten minutes and the
feed. The attacker first pushes all five spot prices up, then down, within one second. Then she
holds one pool for ten minutes, so that its average is hers too, and pushes the other four: six of
eleven. This suite's price has the five averages and two feeds as sources, and no spot price.
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.chain.contract import Contract
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.venue import Pool, Venue
from bulkhead.scenarios.incidents.votes import AS_ON_DEVNET, AT_NEXT_LOOK, HARDLY, Asking
from bulkhead.scenarios.incidents.world import IncidentWorld, incident_world

ASSET = "sUSX"
PRICES = (990, 995, 1_000, 1_010, 1_030)
"""Of the five pools, in thousandths."""
FEED_PRICE = WAD
FEE = 500
DEPTH = 2_000_000 * WAD
LEAST_LIQUIDITY = 10**24
"""Half of a pool's liquidity."""
CARDINALITY = 100
WINDOW = 600
FLASH_WINDOW = 1
PUSH = 450_000 * WAD
"""Moves a pool by half."""
WEALTH = 20_000_000 * WAD
HELD_POOL = 2
LET_GO = (3, 4)
"""In the end the other three of seven sources are pushed, for a whole window."""
AMOUNT = 1_000_000 * WAD
HAIRCUT = WAD // 10


class Uwu(Incident):
    """A median that a minority and one more decide."""

    name = "uwu"
    when = "2024-06"
    happened = (
        "Five of eleven inputs to a lender's median were spot prices, pushed by flash trades."
    )
    reported = "~$19.4M"
    naive_rule = "lend against the plain median of five spot prices, five averages and a feed"
    loss_means = "credit beyond what the collateral is worth at the feed"
    defence = (
        "no source reads a spot price; with less than half of the weight pushed the median stays "
        "between honest prices, and an outlier makes it Degraded, on which nothing opens"
    )
    without = "the same five pools over one second are the only sources, and maxMove is 100 %"
    second_line = (
        "nothing opens on the price until it was held against arbitrage for confirmationDelay, "
        "which no flash trade is; then it is confirmed"
    )

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _Replay(world).play(defended, AT_NEXT_LOOK if defended else HARDLY)

    def play_second_line(self) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _Replay(world).play(False, AS_ON_DEVNET)


class _Replay:
    def __init__(self, world: IncidentWorld) -> None:
        self.world = world
        dollars = [world.token(f"USD{i}") for i in range(len(PRICES))]
        lowest = min(dollars, key=lambda dollar: int(dollar.address, 16))
        self.token = world.token(ASSET, below=lowest)
        venue = Venue(world)
        self.pools = [self._pool(venue, *priced) for priced in zip(dollars, PRICES, strict=True)]
        world.give(self.token, "alice", WEALTH)
        venue.let_trade("alice", self.token)
        world.skip(WINDOW)
        self.averages = [pool.twap(WINDOW, LEAST_LIQUIDITY) for pool in self.pools]
        self.feeds = [world.chainlink(world.feed(FEED_PRICE)) for _ in range(2)]

    def play(self, defended: bool, asking: Asking) -> Outcome:
        """Push, look, push the other way, hold, push; see the module."""
        world = self.world
        short = [pool.twap(FLASH_WINDOW, LEAST_LIQUIDITY) for pool in self.pools]
        world.price(ASSET, [*self.averages, *self.feeds] if defended else short, asking)
        collateral = world.list_collateral(ASSET, self.token, ASSET, haircut=HAIRCUT)
        world.deposit("alice", self.token, collateral, AMOUNT)

        before, suite_before = self.naive_median(), self.suite_price()
        up = self._flash(self.pools, up=True)
        down = self._flash(self.pools, up=False)

        held = self.pools[HELD_POOL]
        self._push(held, up=True)
        world.skip(WINDOW)
        others = {pool: self._push(pool, up=True) for pool in self.pools if pool is not held}
        world.skip(FLASH_WINDOW)
        world.look_twice(ASSET)
        pushed = self.naive_median()
        naive_credit = AMOUNT * pushed // WAD * (WAD - HAIRCUT) // WAD
        worth = AMOUNT * FEED_PRICE // WAD
        credit = world.credit("alice")
        status = world.latest(ASSET).status
        suite_pushed = self.suite_price()
        refused = world.probe("alice", naive_credit)
        world.skip(world.devnet_rules.confirmation_delay)
        world.look(ASSET)
        status_held = world.latest(ASSET).status

        for pool, bought in others.items():
            if self.pools.index(pool) in LET_GO:
                pool.sell(self.token, bought, "alice")
        world.skip(WINDOW)
        world.look_twice(ASSET)
        honest = [self.world.source_price(self.averages[i]) for i in LET_GO]
        return Outcome(
            naive_loss=max(0, naive_credit - worth),
            suite_loss=max(0, credit - worth),
            answer="kept the honest price, marked it Degraded, opened nothing on it",
            refusals={"open on the pushed price": refused.error},
            figures={
                "naive_before_wad": before,
                "naive_five_pushed_up_wad": up[0],
                "naive_five_pushed_down_wad": down[0],
                "naive_six_pushed_wad": pushed,
                "suite_before_wad": suite_before,
                "suite_five_pushed_up_wad": up[1],
                "suite_five_pushed_down_wad": down[1],
                "suite_six_pushed_wad": suite_pushed,
                "status_six_pushed": status,
                "status_six_held": status_held,
                "suite_three_of_seven_held_wad": self.suite_price(),
                "honest_least_wad": min(*honest, FEED_PRICE),
                "honest_most_wad": max(*honest, FEED_PRICE),
                "naive_credit_wad": naive_credit,
                "suite_credit_wad": credit,
            },
        )

    def naive_median(self) -> int:
        """Return the plain median of the eleven inputs, WAD."""
        spots = [pool.spot() for pool in self.pools]
        averages = [self.world.source_price(source) for source in (*self.averages, self.feeds[0])]
        inputs = sorted([*spots, *averages])
        return inputs[len(inputs) // 2]

    def suite_price(self) -> int:
        """Return this suite's price now, WAD."""
        return int(self.world.latest(ASSET).price)

    def _pool(self, venue: Venue, dollar: Contract, thousandths: int) -> Pool:
        """Create a pool against a dollar of its own, which alice has and may trade."""
        price = thousandths * WAD // 1_000
        pool = venue.pool(self.token, dollar, FEE, price, DEPTH, CARDINALITY)
        self.world.give(dollar, "alice", WEALTH)
        venue.let_trade("alice", dollar)
        return pool

    def _flash(self, pools: Sequence[Pool], *, up: bool) -> tuple[int, int]:
        """Push pools within one second and undo it; return the naive and the suite's price."""
        got = {pool: self._push(pool, up=up, frozen=True) for pool in pools}
        prices = self.naive_median(), self.suite_price()
        for pool, bought in got.items():
            self.world.freeze()
            pool.sell(self._bought(pool, up), bought, "alice")
        return prices

    def _push(self, pool: Pool, *, up: bool, frozen: bool = False) -> int:
        """Trade a pool's price up or down; return what was bought, raw units."""
        if frozen:
            self.world.freeze()
        return pool.buy(self._bought(pool, up), PUSH, "alice")

    def _bought(self, pool: Pool, up: bool) -> Contract:
        return pool.base if up else pool.quote
