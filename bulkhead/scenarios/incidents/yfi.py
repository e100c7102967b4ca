"""A thin perpetual levered up, its profit taken out, and its spot fallen by 40 % (2023-11).

Accounts of one group held most of a thin market's long side at a high leverage. The price more than
doubled; they took the profit out and bought more with it. Then the spot fell by some 40 % within
hours, their positions could not be closed in time, and the venue's insurance fund paid. Figures are
as publicly reported, mostly from secondary sources.

Replayed: alice is the group and wants two million tokens. The price climbs by a quarter within a
day, in moves of 5 % up and 3 % down. At the top she asks for her profit, unrealised; then realises
it, tries to convert it at once, buys the same position again at the new price, and takes out
whatever her margin does not need. Then the price falls by 40 % within two hours: by 12 % at once,
and by 2 % every six minutes. At each look the keeper closes what is unhealthy. In the end what
alice owes is written off, and carol, a bystander, takes her deposit out.

The naive rule is computed: the position that she wanted at the top, with a fixed margin of 5 % and
all profit gone. Nobody buys two million tokens within two hours, so its fund takes the position
over and holds it to the end of the fall. The control has an open interest of that position, initial
margin fixed at 5 % and no vesting: it pays the profit at once, and insurance and pool pay for the
gap. It loses less than the naive rule, because the pool takes the other side at any time.

Vesting does not keep a true profit in: this replay lets her wait for it, convert and withdraw all
of it before the fall, and that is right, because nobody knows at the top that it is one. What
bounds the loss is the margin of the position that she still has, which follows the volatility of
the climb, and the size that the market allows. A margin covers so much of a gap and no more: the
same fall in four gaps of 12 % leaves bad debt here, too, which insurance pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome, Refusal, ReplayError
from bulkhead.scenarios.incidents.compartment import (
    TOKEN_UNIT,
    cash_of,
    close,
    convert,
    ledger_of,
    poke_breaker,
    position_of,
    set_compartment,
    what_if,
)
from bulkhead.scenarios.incidents.votes import AT_NEXT_LOOK, HARDLY
from bulkhead.scenarios.incidents.world import (
    HOUR,
    MINUTE,
    SETTLEMENT,
    USDB,
    IncidentWorld,
    incident_world,
)

ASSET = "THIN"
PRICE = 10 * WAD
UP, DOWN = 105, 97
"""Per cent of the price before, by turns."""
TURNS, BETWEEN_TURNS = 23, HOUR
TWO_HOURS = 120 * MINUTE
WANTED, ALLOWED = 2_000_000 * WAD, 50_000 * WAD
SKEW_PER_SIZE = 50
"""The most of a side moves the price by 2 %."""
MARGIN, BYSTANDERS_MARGIN = 3_000_000 * USDB, 5_000_000 * USDB
FIXED_MARGIN, LEFT_BEHIND = WAD * 5 // 100, WAD * 55 // 1_000
"""Of the position's value: the naive rule's margin; what she would leave of hers at the top."""
LONGEST_WAIT, BETWEEN_TRIES = 24 * HOUR, 30 * MINUTE


FALL = (88, *(98,) * 19)
"""Per cent of the price before, step by step: a gap, then what keepers can follow."""
IN_GAPS = (88,) * 4


class _Left(NamedTuple):
    """What a fall left, WAD.

    Attributes:
        first: price after the first step.
        last: price after the last.
        margin: alice's cash.
        debt: hers, written off.
        insurance, pool, junior: who paid for it.
        bystander: what carol withdrew.
    """

    first: int
    last: int
    margin: int
    debt: int
    insurance: int
    pool: int
    junior: int
    bystander: int


class Yfi(Incident):
    """Concentrated leverage, profit gone, and then the fall."""

    name = "yfi"
    when = "2023-11"
    happened = "A group levered a thin perp, took its profit out, and spot fell 40 % within hours."
    reported = "~$9M of an insurance fund"
    naive_rule = (
        "any size at a fixed margin of 5 %, profit paid out at once, and a fund that takes over "
        "what nobody buys"
    )
    loss_means = "bad debt, whoever bears it: insurance, pool, or others' profit"
    defence = (
        "margin follows volatility, unrealised profit is no margin, realised profit vests, and the "
        "open interest of a thin market is limited"
    )
    without = (
        "initial margin fixed at 5 %, no vesting, and an open interest of the whole position; that "
        "unrealised profit cannot be withdrawn is not up to parameters"
    )
    caveat = (
        "margin covers a fall as far as it can be closed into: the same fall in four gaps of 12 % "
        "leaves a bad debt, bounded by the open interest, which the figures give"
    )

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _Replay(world, defended).play()


class _Replay:
    def __init__(self, world: IncidentWorld, defended: bool) -> None:
        self.world = world
        self.size = ALLOWED if defended else WANTED
        self.usdb = world.named("USDB")
        self.feed = world.feed(PRICE)
        self.now_at = PRICE
        world.price(ASSET, [world.chainlink(self.feed)], AT_NEXT_LOOK if defended else HARDLY)
        limits = {"skew_scale": SKEW_PER_SIZE * self.size, "max_open_interest": self.size}
        if not defended:
            set_compartment(world, vesting_period=0)
            limits |= {"volatility_multiplier": 0, "initial_margin_ratio": FIXED_MARGIN}
        self.market = world.list_market(ASSET, **limits)
        world.deposit("alice", self.usdb, SETTLEMENT, MARGIN)
        world.deposit("carol", self.usdb, SETTLEMENT, BYSTANDERS_MARGIN)

    def play(self) -> Outcome:
        """Climb, take the profit out, fall; see the module."""
        world = self.world
        with what_if(world):
            tried = {"open the whole position": world.trade("alice", WANTED, self.market)}
        world.trade("alice", self.size, self.market).require("the long")
        for turn in range(TURNS):
            self._move(DOWN if turn % 2 else UP, BETWEEN_TURNS)
        top = self.now_at
        tried |= self._ask_for_the_profit(top)

        close(world, "alice", self.market).require("realising")
        realised = int(ledger_of(world, "alice").claim)
        tried["convert it at once"] = convert(world, "alice", realised)
        waited = self._wait_for_the_claim()
        world.trade("alice", self.size, self.market).require("buying again")
        rate = int(world.valuer.call("marginRates", self.market).initial)
        withdrawn = self._take_what_is_free()
        left = cash_of(world, "alice")

        after = self._falls(FALL)
        gaps = self._falls(IN_GAPS)
        return Outcome(
            naive_loss=WANTED * (top - after.last) // WAD
            - WANTED * top // WAD * FIXED_MARGIN // WAD,
            suite_loss=after.debt,
            answer=(
                "allowed a position of the market's size, paid its profit when it had vested, and "
                "asked for a margin on what was left that the fall did not use up"
            ),
            refusals={what: refused.error for what, refused in tried.items()},
            figures={
                "position_units_wad": self.size,
                "price_at_the_top_wad": top,
                "price_after_the_first_step_wad": after.first,
                "price_after_the_fall_wad": after.last,
                "initial_margin_ratio_of_the_second_position_wad": rate,
                "profit_realised_wad": realised,
                "minutes_until_it_was_paid": waited // MINUTE,
                "withdrawn_before_the_fall_wad": withdrawn,
                "margin_left_for_the_fall_wad": left,
                "margin_left_after_the_fall_wad": after.margin,
                "insurance_paid_wad": after.insurance,
                "pool_paid_wad": after.pool,
                "junior_profit_paid_wad": after.junior,
                "bystander_withdrew_later_wad": after.bystander,
                "bad_debt_if_it_falls_in_four_gaps_wad": gaps.debt,
                "of_which_insurance_paid_wad": gaps.insurance,
            },
        )

    # ------------------------------------------------------------------ the group

    def _ask_for_the_profit(self, top: int) -> dict[str, Refusal]:
        """Try to take the unrealised profit out, and margin because of it."""
        leave = self.size * top // WAD * LEFT_BEHIND // WAD // TOKEN_UNIT
        with what_if(self.world):
            profit = self.world.withdraw("alice", MARGIN + USDB)
        with what_if(self.world):
            margin = self.world.withdraw("alice", MARGIN - leave)
        return {
            "withdraw the unrealised profit": profit,
            f"withdraw all but {LEFT_BEHIND * 1_000 // WAD / 10} % of the position": margin,
        }

    def _wait_for_the_claim(self) -> int:
        """Let alice try until all of her claim is paid; return the seconds that it took."""
        started = self.world.now
        while claim := int(ledger_of(self.world, "alice").claim):
            if self.world.now > started + LONGEST_WAIT:
                raise ReplayError("the claim is not paid")
            self._pass(BETWEEN_TRIES)
            convert(self.world, "alice", claim)
        return self.world.now - started

    def _take_what_is_free(self) -> int:
        """Withdraw all that initial margin does not need; return it, WAD."""
        value = self.world.valuation("alice")
        free = int(value.equityInitial - value.initialMargin) // TOKEN_UNIT
        # Volatility moves a little with the block.
        amount = free * 9_999 // 10_000
        self.world.withdraw("alice", amount).require("taking out what is free")
        return amount * TOKEN_UNIT

    # ------------------------------------------------------------------ everybody else

    def _move(self, percent: int, after: int) -> None:
        """Let the price move after a while, and everybody see it, twice if that is asked."""
        self.now_at = self.now_at * percent // 100
        self._pass(after)

    def _pass(self, seconds: int) -> None:
        """Let time pass; then let feeds answer and record all that trades and conversions ask."""
        world = self.world
        world.skip(seconds)
        world.answer(self.feed, self.now_at)
        world.refresh()
        world.look_twice(ASSET)
        for market in range(self.market + 1):
            world.send(world.perps, "poke", market)

    def _keep(self) -> None:
        """Let the keeper close what is unhealthy."""
        arguments = self.world.account("alice"), self.market
        accepted = True
        while accepted and position_of(self.world, "alice", self.market):
            tried = self.world.attempt(self.world.liquidation, "liquidate", *arguments, by="keeper")
            accepted = tried.accepted

    def _falls(self, fall: Sequence[int]) -> _Left:
        """Let the price fall, the keeper close, and the debt be written off. Left undone."""
        world, at_top, first = self.world, self.now_at, 0
        with what_if(world):
            for percent in fall:
                self._move(percent, TWO_HOURS // len(fall))
                first = first or self.now_at
                self._keep()
            last, cash = self.now_at, cash_of(world, "alice")
            paid = self._write_off() if cash < 0 else (0, 0, 0)
            bystander = self._bystander_leaves()
        self.now_at = at_top
        return _Left(first, last, max(0, cash), max(0, -cash), *paid, bystander)

    def _write_off(self) -> tuple[int, int, int]:
        """Write alice's debt off; return what insurance, pool and profit paid, WAD."""
        world = self.world
        receipt = world.liquidation.call("writeOff", world.account("alice"))
        world.send(world.liquidation, "writeOff", world.account("alice"), by="keeper")
        return int(receipt.insurance), int(receipt.pool), int(receipt.junior)

    def _bystander_leaves(self) -> int:
        """Let carol withdraw her deposit when the breaker has come to rest; return it, WAD."""
        until = self.world.now + LONGEST_WAIT
        while poke_breaker(self.world) and self.world.now < until:
            self._pass(BETWEEN_TRIES)
        self.world.withdraw("carol", BYSTANDERS_MARGIN).require("the bystander's withdrawal")
        return BYSTANDERS_MARGIN * TOKEN_UNIT
