"""Unrealised profit of a self-traded perp, borrowed against (2022-10).

Two accounts of one attacker traded a perpetual against each other. The thin spot venues that priced
it were bought up many times over within minutes, and everything that others had deposited was
borrowed against the profit of the long account; the short account's loss was nobody's. Figures are
as publicly reported, mostly from secondary sources.

Replayed: a small token with three real Uniswap v3 pools of 100,000 on each side, whose averages
over ten minutes are all the oracle has. Alice is long and bob short, against the pool, ten million
each. First one venue is bought up and held, then all of them, which is a majority that nothing
outvotes. Looks are half a minute apart. As soon as the price is confirmed, and before anybody else
acts, alice tries to take her profit out, realises it, and tries to convert it at once; then the
keeper liquidates bob, writes his debt off and pokes the breaker; then the tokens are sold back.

The naive rule counts unrealised profit as margin for withdrawing, pays out of everything that is
in custody, and is computed at the moment when alice realises. That an unrealised profit counts
nothing for withdrawing, that a withdrawal pays principal only and that others' principal is never
touched cannot be switched off by parameters: the control has no vesting and a maxMove of 100 %, and
loses what the pool has, but no trader's deposit.

What this shows is time, not safety. A majority of the venues is false here, which is outside of
what the oracle promises. Vesting and the breaker keep the profit from leaving for a while; but
nothing takes a claim back, and the pool is worth nothing to its owners as soon as it stands. Once
it has vested and the breaker comes down to tier 2, the pool pays it by h, as far as it has cash.
Alice pokes the breaker herself and converts before anybody else acts. The guardian tries to raise
the tier all the time and may not: her order has to be above the tier that stands, and a halt was
just over. The governor can make the breaker remember the bad debt for a week.

Vesting is meant to be longer while
volatility is high, but a jump is in the volatility only after the sample of five minutes in which
it was confirmed, and who realises in the first moment vests as in calm markets. What bounds all of
it is the open interest that a market is allowed, which has to follow what moving its venues costs.
"""

from __future__ import annotations

from typing import NamedTuple

from bulkhead.deployment.units import WAD
from bulkhead.model.prices import PriceStatus
from bulkhead.scenarios.incidents.base import Incident, Outcome, Refusal, ReplayError
from bulkhead.scenarios.incidents.compartment import (
    TOKEN_UNIT,
    cash_of,
    close,
    convert,
    ledger_of,
    poke_breaker,
    pool_value,
    position_of,
    set_compartment,
    watch_price,
    what_if,
)
from bulkhead.scenarios.incidents.venue import Pool, Venue
from bulkhead.scenarios.incidents.votes import AS_ON_DEVNET, HARDLY
from bulkhead.scenarios.incidents.world import (
    DAY,
    HOUR,
    MINUTE,
    SETTLEMENT,
    USDB,
    IncidentWorld,
    incident_world,
)

ASSET = "MNGO"
FEES = 500, 3_000, 10_000
PRICE = WAD
DEPTH = 100_000 * WAD
PUSH = 185_000 * USDB
"""Buys one venue up to about eight times its price."""
WINDOW, CARDINALITY, THIN_LIQUIDITY = 600, 150, 2
LOOK, LONGEST_HOLD, LONGEST_WAIT = 30, 30 * MINUTE, DAY
STOPPING = 4, 3
"""Tiers in which nothing is converted."""
LONGEST_MEMORY = 7 * DAY
"""Of bad debt in the breaker; the largest that may be configured."""
SIZE, SKEW_SCALE = 10_000_000 * WAD, 500_000_000 * WAD
MARGIN, BYSTANDERS_MARGIN = 5_000_000 * USDB, 5_000_000 * USDB


class Mango(Incident):
    """Profit that is not there, borrowed against."""

    name = "mango"
    when = "2022-10"
    happened = (
        "A perp was traded against oneself, its thin spot pumped, and the profit borrowed on."
    )
    reported = "~$116M"
    naive_rule = "count unrealised profit as margin for withdrawing, and pay from all that is there"
    loss_means = (
        "what the two accounts can take out beyond what they put in, until the push is over; what "
        "the claim is paid once it has vested is a figure below"
    )
    defence = (
        "unrealised profit counts nothing for withdrawing, and realised profit is a junior claim "
        "that vests; a price that jumped has to be seen twice"
    )
    without = (
        "no vesting and a maxMove of 100 %; that unrealised profit frees no margin, and that a "
        "profit is paid by the pool and not from others' deposits, is not up to parameters"
    )

    caveat = (
        "nothing takes a realised claim back: it is paid as soon as it has vested and the breaker "
        "comes to rest, which the governor can put off and the guardian cannot; the pool's shares "
        "are worth nothing from the moment it stands"
    )

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _Replay(world, defended).play()


class _Later(NamedTuple):
    """What happens later.

    Attributes:
        paid: for the claim, WAD.
        at: when, Unix seconds.
        bystander: what the bystander withdraws, WAD.
        orders: how often the guardian could raise the tier until then.
    """

    paid: int
    at: int
    bystander: int
    orders: int


class _Replay:
    def __init__(self, world: IncidentWorld, defended: bool) -> None:
        self.world = world
        self.usdb = world.named("USDB")
        self.token = world.token(ASSET, below=self.usdb)
        venue = Venue(world)
        shape = PRICE, DEPTH, CARDINALITY
        self.pools = [venue.pool(self.token, self.usdb, fee, *shape) for fee in FEES]
        world.give(self.usdb, "alice", PUSH * len(FEES))
        venue.let_trade("alice", self.token, self.usdb)
        world.skip(WINDOW)
        sources = [pool.twap(WINDOW, THIN_LIQUIDITY) for pool in self.pools]
        world.price(ASSET, sources, AS_ON_DEVNET if defended else HARDLY)
        if not defended:
            set_compartment(world, vesting_period=0)
        # As every index of the devnet.
        watch_price(world, ASSET)
        limits = {"skew_scale": SKEW_SCALE, "max_open_interest": SIZE}
        self.market = world.list_market(ASSET, **limits)

    def play(self) -> Outcome:
        """Open, push, realise, let go; see the module."""
        world = self.world
        for who in ("alice", "bob"):
            world.deposit(who, self.usdb, SETTLEMENT, MARGIN)
        world.deposit("carol", self.usdb, SETTLEMENT, BYSTANDERS_MARGIN)
        world.trade("alice", SIZE, self.market).require("the long")
        world.trade("bob", -SIZE, self.market).require("the short")
        pool_before = pool_value(world)

        bought = [self._buy(self.pools[0])]
        self._look_for(WINDOW + 2 * LOOK)
        one_pushed = world.latest(ASSET)
        tried = {"withdraw margin, one venue pushed": self._withdraw_margin()}

        bought += [self._buy(pool) for pool in self.pools[1:]]
        pushed_at = world.now
        self._look_for(WINDOW // 2)
        with what_if(world):
            tried["withdraw margin, the average moving"] = self._withdraw_margin()
            tried["realise, the average moving"] = close(world, "alice", self.market)
        self._look_for(WINDOW // 2)
        while world.latest(ASSET).status != PriceStatus.VALID:
            if world.now > pushed_at + LONGEST_HOLD:
                raise ReplayError("the pushed price was not confirmed")
            self._look_for(LOOK)
        held = world.now - pushed_at
        pushed = world.latest(ASSET).price
        naive = self._naive_credit()
        vesting = self._vesting()

        tried |= self._take_profit()
        realised_at = world.now
        claim = int(ledger_of(world, "alice").claim)
        self._keep()
        debt = max(0, -cash_of(world, "bob"))
        insured = self._insurance()
        if debt:
            account = world.account("bob")
            world.send(world.liquidation, "writeOff", account, by="keeper")
        tier = poke_breaker(world)
        returned = sum(self._sell(p, b) for p, b in zip(self.pools, bought, strict=True))
        self._look_for(WINDOW + 2 * LOOK)
        let_go = world.latest(ASSET).price
        loss = max(0, self._cash() - 2 * MARGIN * TOKEN_UNIT)
        pool_after = pool_value(world)
        later = self._afterwards()
        if claim:
            tried["convert it within a day, the governor acting"] = self._stopped()
        return Outcome(
            naive_loss=max(0, naive - 2 * MARGIN * TOKEN_UNIT),
            suite_loss=loss,
            answer=(
                "paid nothing while the price was false: profit was no margin, and became a claim "
                "that vests; it stays a claim, and is paid later unless the governor stops it"
            ),
            refusals={what: refused.error for what, refused in tried.items()},
            figures={
                "price_one_venue_pushed_wad": one_pushed.price,
                "status_one_venue_pushed": one_pushed.status,
                "price_all_venues_pushed_wad": pushed,
                "price_after_the_push_wad": let_go,
                "seconds_held_until_confirmed": held,
                "cost_of_the_push_wad": (PUSH * len(FEES) - returned) * TOKEN_UNIT,
                "naive_credit_wad": naive,
                "claim_of_the_long_wad": claim,
                "minutes_of_vesting": vesting // MINUTE,
                "minutes_of_vesting_after_the_push": self._vesting() // MINUTE,
                "bad_debt_of_the_short_wad": debt,
                "insurance_paid_wad": insured - self._insurance(),
                "tier_of_the_breaker_then": tier,
                "pool_before_wad": pool_before,
                "pool_less_claims_after_wad": pool_after,
                "bystander_withdrew_later_wad": later.bystander,
                **(_unattended(later, realised_at) if claim else {}),
            },
        )

    # ------------------------------------------------------------------ the attack

    def _take_profit(self) -> dict[str, Refusal]:
        """Try to take an unrealised profit out, realise it, and try to be paid at once."""
        world = self.world
        tried = {
            "withdraw the unrealised profit": world.withdraw("alice", 2 * MARGIN),
            "withdraw margin against it": self._withdraw_margin(),
        }
        close(world, "alice", self.market).require("realising")
        tried["convert it at once"] = convert(world, "alice", int(ledger_of(world, "alice").claim))
        with what_if(world):
            tried["withdraw it at once"] = world.withdraw("alice", 2 * MARGIN)
        return tried

    def _withdraw_margin(self) -> Refusal:
        return self.world.withdraw("alice", MARGIN * 9 // 10)

    def _naive_credit(self) -> int:
        """Return what a rule that counts unrealised profit lets alice take out, WAD."""
        value = self.world.valuation("alice")
        custody = self.world.named("CollateralVault").address
        there = int(self.usdb.call("balanceOf", custody)) * TOKEN_UNIT
        return min(there, max(0, int(value.equityMaintenance - value.initialMargin)))

    def _vesting(self) -> int:
        """Return the seconds over which a profit that is realised now vests."""
        return int(self.world.valuer.call("vestingPeriod", self.market))

    def _buy(self, pool: Pool) -> int:
        return pool.buy(self.token, PUSH, "alice")

    def _sell(self, pool: Pool, amount: int) -> int:
        return pool.sell(self.token, amount, "alice")

    # ------------------------------------------------------------------ everybody else

    def _look_for(self, seconds: int) -> None:
        """Let time pass while keepers record the price."""
        until = self.world.now + seconds
        while self.world.now < until:
            self.world.skip(LOOK - 1)
            self.world.look(ASSET)

    def _keep(self) -> None:
        """Let the keeper liquidate bob."""
        world = self.world
        while position_of(world, "bob", self.market):
            arguments = world.account("bob"), self.market
            world.send(world.liquidation, "liquidate", *arguments, by="keeper")

    def _cash(self) -> int:
        """Return what alice and bob could take out, WAD."""
        return sum(max(0, cash_of(self.world, who)) for who in ("alice", "bob"))

    def _insurance(self) -> int:
        return int(self.world.margin.call("totals").insuranceCash)

    def _afterwards(self) -> _Later:
        """Let alice try until her claim is paid, then let the bystander leave. Left undone."""
        world = self.world
        claim = int(ledger_of(world, "alice").claim)
        with what_if(world):
            before, started, orders = cash_of(world, "alice"), world.now, 0
            while claim and not self._tries_again(claim).accepted:
                if world.now > started + LONGEST_WAIT:
                    raise ReplayError("the claim is not paid")
                orders += self._guardian_orders()
            at = world.now
            while poke_breaker(world):
                self._wait()
            world.withdraw("carol", BYSTANDERS_MARGIN).require("the bystander's withdrawal")
            paid = cash_of(world, "alice") - before
        return _Later(paid, at, BYSTANDERS_MARGIN * TOKEN_UNIT, orders)

    def _stopped(self) -> Refusal:
        """Let the governor lengthen the breaker's memory; return how the last try of a day ends."""
        world = self.world
        claim = int(ledger_of(world, "alice").claim)
        with what_if(world):
            watch_price(world, ASSET, volume_window=LONGEST_MEMORY)
            until = world.now + DAY
            tried = self._tries_again(claim, HOUR)
            while world.now < until and not tried.accepted:
                tried = self._tries_again(claim, HOUR)
            return tried

    def _tries_again(self, claim: int, after: int = 0) -> Refusal:
        """Let alice poke everything after a while, and try to convert before anybody else acts."""
        self._wait(after)
        return convert(self.world, "alice", claim)

    def _guardian_orders(self) -> int:
        """Let the guardian raise the tier if she may; return how many of her orders stand."""
        breaker = self.world.named("CircuitBreaker")
        orders = [
            self.world.attempt(breaker, "raise", tier, HOUR, by="guardian") for tier in STOPPING
        ]
        return sum(order.accepted for order in orders)

    def _wait(self, seconds: int = 0) -> None:
        """Let seconds or the breaker's dwell pass; then do everything that conversions ask for."""
        self.world.skip(seconds or self.world.book.parameters.breaker.timing.min_dwell)
        self._refresh()
        poke_breaker(self.world)

    def _refresh(self) -> None:
        """Let feeds answer, and record everything that conversions ask for."""
        self.world.refresh()
        self.world.look_twice(ASSET)
        for market in range(self.market + 1):
            self.world.send(self.world.perps, "poke", market)


def _unattended(later: _Later, realised_at: int) -> dict[str, int]:
    """Return what a claim is paid in the end, and when."""
    return {
        "paid_unless_the_governor_acts_wad": later.paid,
        "orders_of_the_guardian_until_then": later.orders,
        "minutes_from_realising_until_paid": (later.at - realised_at) // MINUTE,
    }
