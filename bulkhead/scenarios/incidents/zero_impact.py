"""An oracle-priced perpetual without price impact, its thin spot venues pushed (2022-09).

An exchange filled any size at the index. The attacker opened a large position there, moved the spot
venues that the index followed by a few purchases, closed at the new index, and let the venues go.
She did it several times. Figures are as publicly reported, mostly from secondary sources.

Replayed: a token with three Uniswap v3 venues of a million settlement units a side. Alice buys it
on the perpetual, pushes all venues, closes, and sells back. Two honest traders take what she
offers: carol sells into the venues once a minute what alice has bought there, so that alice has to
push again in the next block; bob sells the perpetual as soon as it is dearer than the index. She
tries pushes of several sizes, each from the same state and held for the whole window of the
average, and the largest one for a block only. A *gain* is what she has afterwards, in tokens, cash
and claim, beyond what she had before: all that the pushes cost is paid by then.

The naive rule is computed: the whole position at the median of the spot prices, and back at the
median after one push, with this suite's fee. The control has a curve so deep that it has no impact,
an open interest as large as the naive position, and averages of one second. What she gains there is
a claim that vests for an hour; it is counted in full.

The suite refuses no push and no close: it makes them cost more than they bring. The average makes
her hold the push against whoever sells into it, which is what costs most. The curve makes her pay
for the size that she moves in and out, if somebody takes the other side meanwhile; otherwise she
gets back on the way out what she paid on the way in. Where nobody sells into the pushed venues she
gains, and what bounds it is the open interest, which has to follow what the venues hold; no
parameter knows that by itself.
"""

from __future__ import annotations

from statistics import median

from bulkhead.deployment.units import WAD
from bulkhead.model.bounds import MAX_AMOUNT
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.compartment import TOKEN_UNIT, close, ledger_of, what_if
from bulkhead.scenarios.incidents.venue import Pool, Venue
from bulkhead.scenarios.incidents.votes import AT_NEXT_LOOK, HARDLY
from bulkhead.scenarios.incidents.world import (
    MINUTE,
    SETTLEMENT,
    USDB,
    IncidentWorld,
    incident_world,
)

ASSET = "THIN"
FEES = 500, 3_000, 10_000
PRICE, DEPTH = 20 * WAD, 50_000 * WAD
WINDOW, CARDINALITY, THIN_LIQUIDITY = 600, 150, 2
NO_WINDOW = 1
PUSHES = 5_000 * USDB, 20_000 * USDB, 50_000 * USDB
"""Into each venue, about 1 %, 4 % and 10 % up."""
LARGEST = PUSHES[-1]
WANTED = 300_000 * WAD
"""Six million settlement units, against venues of one million a side each."""
ALLOWED, SKEW_SCALE = 25_000 * WAD, 1_250_000 * WAD
"""The most of a side moves the price by 2 %."""
MARGIN, POCKET = 2_000_000 * USDB, 20_000_000 * USDB


class ZeroImpact(Incident):
    """Large positions at an index that small purchases move."""

    name = "zero-impact"
    when = "2022-09"
    happened = "A perp was filled at the index in any size, and the thin spot behind it pushed."
    reported = "~$565k"
    naive_rule = "fill any size at the median of the spot prices"
    loss_means = "what the attacker gains net of what pushing costs her"
    defence = (
        "fills along a curve, a limit of open interest, and an average over ten minutes: what a "
        "push brings is bounded, and it has to be held against whoever sells into it"
    )
    without = (
        "a curve too deep to have an impact, an open interest of the position that she wants, and "
        "averages over one second"
    )
    caveat = (
        "holding a push has to cost something: where nobody sells into the pushed venues she gains "
        "what the figure says, which only the open interest bounds"
    )

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _Replay(world, defended).play()


class _Replay:
    def __init__(self, world: IncidentWorld, defended: bool) -> None:
        self.world = world
        self.defended = defended
        self.usdb = world.named("USDB")
        self.token = world.token(ASSET, below=self.usdb)
        venue = Venue(world)
        shape = PRICE, DEPTH, CARDINALITY
        self.pools = [venue.pool(self.token, self.usdb, fee, *shape) for fee in FEES]
        for who in ("alice", "carol"):
            world.give(self.usdb, who, POCKET)
            world.give(self.token, who, 10 * DEPTH)
            venue.let_trade(who, self.token, self.usdb)
        world.skip(WINDOW)
        window, asking = (WINDOW, AT_NEXT_LOOK) if defended else (NO_WINDOW, HARDLY)
        sources = [pool.twap(window, THIN_LIQUIDITY) for pool in self.pools]
        world.price(ASSET, sources, asking)
        if defended:
            limits = {"skew_scale": SKEW_SCALE, "max_open_interest": ALLOWED}
        else:
            limits = {"skew_scale": MAX_AMOUNT, "max_open_interest": WANTED}
        self.market = world.list_market(ASSET, **limits)
        self.size = ALLOWED if defended else WANTED
        for who in ("alice", "bob"):
            world.deposit(who, self.usdb, SETTLEMENT, MARGIN)

    def play(self) -> Outcome:
        """Try every push, each from the same state; see the module."""
        world = self.world
        naive, cost, before, after = self._naive()
        with what_if(world):
            wanted = world.trade("alice", WANTED, self.market)
        with what_if(world):
            world.trade("alice", self.size, self.market).require("the long")
            paid = -int(world.perps.call("position", world.account("alice"), self.market).quote)
        gains = {f"gain_by_a_block_of_{_percent(LARGEST)}_wad": self._gain(LARGEST, minutes=0)}
        figures = {
            "spot_before_wad": before,
            "spot_pushed_wad": after,
            "cost_of_one_push_wad": cost,
            "largest_position_units_wad": self.size,
            "impact_on_entry_wad": abs(paid) * WAD // self.size - int(world.latest(ASSET).price),
        }
        if self.defended:
            held = WINDOW // MINUTE
            gains |= {
                f"gain_by_{_percent(push)}_held_wad": self._gain(push, held) for push in PUSHES
            }
            figures |= {
                "gain_if_nobody_sells_into_the_push_wad": self._gain(LARGEST, held, carol=False),
                "gain_if_nobody_sells_the_perp_wad": max(
                    self._gain(push, held, bob=False) for push in PUSHES
                ),
            }
        return Outcome(
            naive_loss=naive,
            suite_loss=max(0, *gains.values()),
            answer=(
                "refused the position that she wanted; let her push and close the largest that is "
                "allowed, and every push cost her more than it brought"
            ),
            refusals={"open the whole position": wanted.error},
            figures=gains | figures,
        )

    # ------------------------------------------------------------------ the attack

    def _naive(self) -> tuple[int, int, int, int]:
        """Return gain net of costs, cost of the push, spot before and after it; all WAD."""
        with what_if(self.world):
            before, wallet = self._spot(), self._wallet()
            bought = self._push(LARGEST)
            after = self._spot()
            self._sell("alice", bought)
            cost = wallet - self._wallet()
        rate = self.world.book.parameters.markets[0].taker_fee
        fees = WANTED * (before + after) // WAD * rate // WAD
        return WANTED * (after - before) // WAD - fees - cost, cost, before, after

    def _gain(self, push: int, minutes: int, *, bob: bool = True, carol: bool = True) -> int:
        """Return what alice has more after a push (raw units per venue) held so long, WAD.

        Args:
            push: raw settlement units into each venue.
            minutes: that it is held; 0: for one block.
            bob: he sells the perpetual when it is dear.
            carol: she sells into the venues, once a minute.
        """
        world = self.world
        with what_if(world):
            before = self._wealth()
            world.trade("alice", self.size, self.market).require("the long")
            if bob and self.defended:
                world.trade("bob", -self.size, self.market).require("the short against it")
            bought = self._push(push)
            held = list(bought)
            for _ in range(minutes):
                world.skip(MINUTE)
                world.look(ASSET)
                if carol:
                    self._sell("carol", bought)
                    bought = self._push(push)
                    held = [all_ + more for all_, more in zip(held, bought, strict=True)]
            # The least that an average over one second sees.
            world.skip(NO_WINDOW)
            world.look(ASSET)
            close(world, "alice", self.market).require("closing")
            self._sell("alice", held)
            return self._wealth() - before

    def _push(self, amount: int) -> list[int]:
        return [pool.buy(self.token, amount, "alice") for pool in self.pools]

    def _sell(self, who: str, amounts: list[int]) -> None:
        for pool, amount in zip(self.pools, amounts, strict=True):
            pool.sell(self.token, amount, who)

    # ------------------------------------------------------------------ what there is

    def _spot(self) -> int:
        return int(median(Pool.spot(pool) for pool in self.pools))

    def _wallet(self) -> int:
        return int(self.usdb.call("balanceOf", self.world.address("alice"))) * TOKEN_UNIT

    def _wealth(self) -> int:
        """Return alice's tokens of settlement, cash and claim, WAD."""
        entry = ledger_of(self.world, "alice")
        return self._wallet() + int(entry.cash) + int(entry.claim)


def _percent(push: int) -> str:
    return f"{push // USDB}_per_venue"
