"""The TWAP of one thin pool pushed over a few blocks and borrowed against (2022-04).

A lender priced a governance token by the TWAP of one thin pool. Buying from it moved the price many
times over; holding that for a few blocks moved the average far enough to borrow against. Figures
are as publicly reported, mostly from secondary sources; amounts here are smaller than the
original's.

Replayed: a real Uniswap v3 pool with 50,000 units on each side, at a price of 1. The attacker buys
for 350,000, holds for three blocks of twelve seconds, and uses 400,000 tokens as collateral. The
naive lender reads the pool's TWAP over two minutes. The price is recorded at every block of the
push, and once more after it was held for a whole window of two minutes and the devnet's
confirmation delay.
"""

from __future__ import annotations

from bulkhead.chain.contract import Contract
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.venue import Pool, Venue
from bulkhead.scenarios.incidents.votes import (
    AS_ON_DEVNET,
    AT_NEXT_LOOK,
    HARDLY,
    Asking,
    Vote,
)
from bulkhead.scenarios.incidents.world import USDB, IncidentWorld, incident_world

ASSET, SECOND_ASSET = "THIN", "THIN-2"
FEE = 3_000
PRICE = WAD
DEPTH = 50_000 * WAD
PUSH_USDB = 350_000 * USDB
BLOCKS = 3
BLOCK_SECONDS = 12
NAIVE_WINDOW = 120
SUITE_WINDOW = 600
CARDINALITY = 150
HELD = 400_000 * WAD
HAIRCUT = WAD // 2
THIN_LIQUIDITY = 2
"""Lets any pool but an empty one pass."""
DEEP_LIQUIDITY = 10**18
"""√(raw tokens · raw USDB) of a pool with a million units on each side."""


class ThinTwap(Incident):
    """A thin pool's average."""

    name = "thin-twap"
    when = "2022-04"
    happened = "The TWAP of one thin pool was pushed over a few blocks and borrowed against."
    reported = "~$15M"
    naive_rule = "lend against the pool's TWAP over two minutes, less the same haircut"
    loss_means = "credit beyond what the collateral is worth before the push"
    defence = (
        "UniswapV3TwapAdapter asks for depth (harmonic mean liquidity) and averages over ten "
        "minutes; in the median the pool is a minority beside two feeds"
    )
    without = (
        "the thin pool is the only source, without a bound on liquidity, over two minutes, and "
        "maxMove is 100 %"
    )
    second_line = (
        "while the average moves, no two looks agree, and nothing opens on it; held for its whole "
        "window it stands still and is confirmed"
    )

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _play(world, defended, AT_NEXT_LOOK if defended else HARDLY)

    def play_second_line(self) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _play(world, False, AS_ON_DEVNET)


def _play(world: IncidentWorld, defended: bool, asking: Asking) -> Outcome:
    usdb = world.named("USDB")
    token = world.token(ASSET, below=usdb)
    venue = Venue(world)
    pool = venue.pool(token, usdb, FEE, PRICE, DEPTH, CARDINALITY)
    world.give(token, "alice", HELD)
    world.give(usdb, "alice", PUSH_USDB)
    venue.let_trade("alice", token, usdb)
    world.skip(SUITE_WINDOW)

    naive_source = pool.twap(NAIVE_WINDOW, THIN_LIQUIDITY)
    feeds = [world.chainlink(world.feed(PRICE)) for _ in range(2)]
    guarded = [*(Vote(f.adapter, 2) for f in feeds), pool.twap(SUITE_WINDOW, DEEP_LIQUIDITY)]
    unguarded = pool.twap(SUITE_WINDOW, THIN_LIQUIDITY)
    sources = guarded if defended else [naive_source]
    world.price(ASSET, sources, asking)
    # Even without its bound on liquidity the pool has one vote of five.
    world.price(SECOND_ASSET, [*guarded[:-1], unguarded])
    collateral = world.list_collateral(ASSET, token, ASSET, haircut=HAIRCUT)
    world.deposit("alice", token, collateral, HELD)

    bought = _push(world, pool, token)
    naive_price = world.source_price(naive_source)
    naive_credit = HELD * naive_price // WAD * (WAD - HAIRCUT) // WAD
    worth = HELD * PRICE // WAD

    credit = world.credit("alice")
    pushed = world.latest(ASSET)
    refusals = {
        "source": _refusal(world, sources[-1]),
        "open on the pushed price": world.probe("alice", naive_credit).error,
    }
    by_minority = world.latest(SECOND_ASSET)
    pushed_slowly = world.source_price(unguarded)
    world.skip(NAIVE_WINDOW)
    world.look(ASSET)
    world.skip(world.devnet_rules.confirmation_delay)
    world.look(ASSET)
    held = world.latest(ASSET)
    returned = pool.sell(token, bought, "alice")
    return Outcome(
        naive_loss=max(0, naive_credit - worth),
        suite_loss=max(0, credit - worth),
        answer="left the thin pool out and kept the feeds' price; no more credit than before",
        refusals=refusals,
        figures={
            "spot_after_push_wad": pool.spot_after_push,
            "naive_twap_wad": naive_price,
            "suite_window_twap_wad": pushed_slowly,
            "suite_price_wad": pushed.price,
            "status_pushed": pushed.status,
            "suite_price_held_wad": held.price,
            "status_held": held.status,
            "price_beside_pushed_minority_wad": by_minority.price,
            "status_beside_pushed_minority": by_minority.status,
            "naive_credit_wad": naive_credit,
            "suite_credit_wad": credit,
            "worth_wad": worth,
            "cost_of_the_push_wad": (PUSH_USDB - returned) * 10**12,
        },
    )


def _push(world: IncidentWorld, pool: Pool, token: Contract) -> int:
    """Buy the pool up, hold for some blocks; return what was bought, raw units."""
    bought = pool.buy(token, PUSH_USDB, "alice")
    started = world.now
    for block in range(1, BLOCKS + 1):
        # The record takes the last second of the block.
        world.skip(started + block * BLOCK_SECONDS - 1 - world.now)
        world.look(ASSET)
    return bought


def _refusal(world: IncidentWorld, source: Vote) -> str:
    answer = world.source_says(source)
    return answer if isinstance(answer, str) else ""
