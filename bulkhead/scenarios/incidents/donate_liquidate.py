"""An account made unhealthy on purpose and liquidated by its owner (2023-03).

A lender had a function that gave collateral away without asking what it left of the giver's health,
and sold unhealthy accounts at a discount that grew with how unhealthy they were. The attacker gave
margin away with one account, bought it up with another, and left the debt behind. Figures are as
publicly reported, mostly from secondary sources.

Replayed: alice and bob are one attacker, and the only traders. She tries every way of making her
account unhealthy, each from the same state: taking the margin out, giving tokens to custody, moving
the mark against herself by trades of bob's, eating the margin by fees, by funding, and by a price
that falls. Then bob liquidates her, or buys her collateral out of its auction at the lowest price
that there is. What both have *together* is measured before and after: tokens and collateral at the
index price, cash, profit, and what closing all positions would pay, which does not depend on the
order. A way may make her account unhealthy, but must not make both richer.

The naive rule is computed: she gives all of her margin away unchecked, bob takes the position over
at the discount, and the debt stays. The suite has no such function, no discount on positions, and a
penalty that costs her account more than the reward brings bob's; no parameter changes that. Instead
of a control one liquidation is repeated with the largest penalty and reward that may be configured.

One figure rises, and is no way to do it on purpose: an account that a fall of the price has made
bankrupt before anybody closed it has nothing to pay a penalty with, and its liquidator is paid out
of the fee reserve, also if the account is her own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome, Refusal, ReplayError
from bulkhead.scenarios.incidents.compartment import (
    TOKEN_UNIT,
    cash_of,
    close,
    ledger_of,
    position_of,
    what_if,
)
from bulkhead.scenarios.incidents.world import (
    ETH_PERP,
    HOUR,
    MINUTE,
    SETTLEMENT,
    USDB,
    IncidentWorld,
    incident_world,
)

WETH = 3
"""The collateral's id on the devnet."""
PRICE = 3_000 * WAD
SIZE, MARGIN, BOBS_MARGIN = 4_000 * WAD, 740_000 * USDB, 3_000_000 * USDB
BOBS_SHORT = 8_000 * WAD
"""The most of a side: with alice's long the premium turns from +2 % to −1 %."""
LONGEST_WAIT = 48 * HOUR
NAIVE_DISCOUNT = WAD // 5
"""The largest discount that the original is reported to have given."""
FALLEN, FALLEN_FAR = 2_930 * WAD, 2_760 * WAD
"""Alice is unhealthy at the first and bankrupt at the second."""
COLLATERAL, COLLATERAL_SIZE, COLLATERAL_PRICE = 300 * WAD, 2_500 * WAD, 2_720 * WAD
"""Of the account that has WETH only, owes after its liquidation, and is not bankrupt."""


class DonateLiquidate(Incident):
    """Self-liquidation for profit."""

    name = "donate-liquidate"
    when = "2023-03"
    happened = (
        "An account gave its margin away unchecked, and its owner liquidated it at a discount."
    )
    reported = "~$197M"
    naive_rule = (
        "let an account give margin away without a check, and let a liquidator take its position "
        "over at up to 20 % below the index"
    )
    loss_means = "what giver and liquidator gain together"
    defence = (
        "whatever takes margin out asks for initial margin of what is left, the ledger does not "
        "know tokens given to custody, nobody is liquidated who is healthy at the index, and a "
        "liquidation costs the account more than it pays the liquidator"
    )
    without = (
        "no parameter gives margin away or sells positions at a discount; the figures have the "
        "largest penalty and reward that may be configured"
    )
    has_control = False

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        self.require_control(defended)
        with incident_world() as world:
            return _Replay(world).play()


class _Way(NamedTuple):
    """How a way of becoming unhealthy ended.

    Attributes:
        tried: refusals by what was tried.
        gained: what both have more than before, WAD.
    """

    tried: Mapping[str, Refusal]
    gained: int


class _Replay:
    def __init__(self, world: IncidentWorld) -> None:
        self.world = world
        self.usdb, self.weth = world.named("USDB"), world.named("WETH")
        world.deposit("bob", self.usdb, SETTLEMENT, BOBS_MARGIN)

    def play(self) -> Outcome:
        """Try every way, each from the same state; see the module."""
        ways = {
            "withdrawal": self._withdraw,
            "gift_to_custody": self._give,
            "own_trades": self._move_the_mark,
            "fees": self._pay_fees,
            # A transfer between accounts belongs here as soon as the margin engine has one.
            "funding": self._wait_for_funding,
            "fall_of_the_price": self._let_the_price_fall,
            "largest_penalty_and_reward": self._pay_the_largest_reward,
            "auction": self._buy_the_collateral,
        }
        done = {name: self._from_here(way) for name, way in ways.items()}
        with what_if(self.world):
            self._enter()
            margin, notional = cash_of(self.world, "alice"), SIZE * PRICE // WAD
        bankrupt = self._from_here(self._be_bankrupt)
        return Outcome(
            naive_loss=notional * NAIVE_DISCOUNT // WAD - margin,
            suite_loss=max(0, *(way.gained for way in done.values())),
            answer=(
                "refused what gives margin away; let fees, funding and prices make the account "
                "unhealthy, and took more from it than the liquidator got"
            ),
            refusals={
                what: refused.error for way in done.values() for what, refused in way.tried.items()
            },
            figures={
                **{f"both_gain_by_{name}_wad": way.gained for name, way in done.items()},
                "both_gain_if_already_bankrupt_wad": bankrupt.gained,
                "naive_margin_given_away_wad": margin,
                "naive_notional_wad": notional,
            },
        )

    def _from_here(self, way: Callable[[], _Way]) -> _Way:
        with what_if(self.world):
            return way()

    # ------------------------------------------------------------------ ways of becoming unhealthy

    def _withdraw(self) -> _Way:
        self._enter()
        before = self._together()
        # A third of the margin leaves her at maintenance margin.
        refused = self.world.withdraw("alice", MARGIN // 3)
        tried = {"withdraw a third of the margin": refused}
        tried["liquidate after that"] = self._liquidate()
        return _Way(tried, self._together() - before)

    def _give(self) -> _Way:
        self._enter()
        before = self._together()
        custody = self.world.named("CollateralVault").address
        self.world.send(self.usdb, "transfer", custody, MARGIN, by="alice")
        return _Way({"liquidate after a gift": self._liquidate()}, self._together() - before)

    def _move_the_mark(self) -> _Way:
        self.world.trade("bob", BOBS_SHORT // 2).require("bob's long")
        self._enter()
        before = self._together()
        self.world.trade("bob", -BOBS_SHORT - BOBS_SHORT // 2).require("bob's short")
        value = self.world.valuation("alice")
        if value.equityMaintenance >= value.maintenanceMargin:
            raise ReplayError("the mark did not move far enough")
        refused = self._liquidate()
        return _Way({"liquidate after moving the mark": refused}, self._together() - before)

    def _pay_fees(self) -> _Way:
        self._enter()
        before = self._together()
        opened = Refusal("")
        while opened.accepted:
            close(self.world, "alice", ETH_PERP).require("closing")
            opened = self.world.trade("alice", SIZE)
        # The most that she can have with what is left of her margin, and fees for one more trade.
        self.world.trade("alice", SIZE * 9 // 10).require("opening less")
        self.world.trade("alice", -SIZE // 10).require("closing some")
        return _Way(
            {"open again after fees": opened, "liquidate after fees": self._liquidate()},
            self._together() - before,
        )

    def _wait_for_funding(self) -> _Way:
        self._enter()
        started = self.world.now
        while self._liquidate(only_ask=True).error:
            if self.world.now > started + LONGEST_WAIT:
                raise ReplayError("funding did not make the account unhealthy")
            self.world.skip(30 * MINUTE)
            self.world.refresh()
        return self._liquidated()

    def _let_the_price_fall(self) -> _Way:
        self._enter()
        self.world.refresh({"ETH": FALLEN})
        return self._liquidated()

    def _pay_the_largest_reward(self) -> _Way:
        market = self.world.book.parameters.markets[ETH_PERP]
        largest = {"penalty": market.maintenance_margin_ratio // 2, "keeper_share": WAD}
        changed = market.model_copy(update=largest)
        arguments = ETH_PERP, changed.trading(), changed.liquidation()
        self.world.send(self.world.risk, "setMarket", *arguments)
        return self._let_the_price_fall()

    def _be_bankrupt(self) -> _Way:
        self._enter()
        self.world.refresh({"ETH": FALLEN_FAR})
        if self.world.valuation("alice").equityMaintenance >= 0:
            raise ReplayError("the account is not bankrupt")
        return self._liquidated()

    def _buy_the_collateral(self) -> _Way:
        world = self.world
        world.deposit("alice", self.weth, WETH, COLLATERAL)
        world.trade("alice", COLLATERAL_SIZE).require("alice's trade")
        world.refresh({"ETH": COLLATERAL_PRICE})
        before = self._together()
        self._liquidate().require("the liquidation")
        account = world.account("alice")
        world.send(world.liquidation, "startAuction", account, WETH, by="bob")
        world.skip(world.book.parameters.compartment.auction_duration)
        world.refresh()
        world.approve(self.usdb, "bob", world.named("CollateralVault"))
        everything = 2**255
        buyer = world.address("bob")
        arguments = account, WETH, everything, everything, buyer, b""
        world.send(world.liquidation, "takeAuction", *arguments, by="bob")
        if cash_of(world, "alice") < 0:
            raise ReplayError("the auction left a debt")
        return _Way({}, self._together() - before)

    # ------------------------------------------------------------------ parts of them

    def _enter(self) -> None:
        self.world.deposit("alice", self.usdb, SETTLEMENT, MARGIN)
        self.world.trade("alice", SIZE).require("alice's trade")

    def _liquidated(self) -> _Way:
        """Let bob liquidate until he is refused, at a constant price."""
        before = self._together()
        self._liquidate().require("the liquidation")
        while position_of(self.world, "alice", ETH_PERP) and self._liquidate().accepted:
            pass
        return _Way({}, self._together() - before)

    def _liquidate(self, *, only_ask: bool = False) -> Refusal:
        """Let bob liquidate alice, or ask only whether he could."""
        arguments = self.world.account("alice"), ETH_PERP
        if not only_ask:
            return self.world.attempt(self.world.liquidation, "liquidate", *arguments, by="bob")
        with what_if(self.world):
            return self._liquidate()

    def _together(self) -> int:
        """Return what alice and bob have together, WAD; they are the only traders."""
        index = int(self.world.latest("ETH").price)
        total = int(self.world.perps.call("closeOutPnl", ETH_PERP))
        for who in ("alice", "bob"):
            owner, account = self.world.address(who), self.world.account(who)
            entry = ledger_of(self.world, who)
            held = int(self.weth.call("balanceOf", owner))
            held += int(self.world.margin.call("collateralBalance", account, WETH))
            total += int(entry.cash) + int(entry.claim) + held * index // WAD
            total += int(self.usdb.call("balanceOf", owner)) * TOKEN_UNIT
        return total
