"""A feed that stops at its minimum answer while the market goes to zero (2022-05).

When UST and LUNA collapsed, an aggregator's answer for LUNA stood at the least answer that it was
configured with, about ten cents, while the market traded at a fraction of that. A lender that took
the answer as it was lent against worthless collateral. Figures are as publicly reported, mostly
from secondary sources; prices and amounts here are of the same order, not the original's.

Replayed: two feeds that clamp at ten cents behind ``ChainlinkAdapter``, a third that does not, a
market that falls from 80 to 1 cent, an attacker who buys five million tokens for a cent each and
posts them, and a bystander whose margin is partly in the same token.
"""

from __future__ import annotations

from bulkhead.chain.contract import Contract
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.base import Incident, Outcome
from bulkhead.scenarios.incidents.world import SETTLEMENT, USDB, IncidentWorld, incident_world

ASSET, SECOND_ASSET = "LUNX", "LUNX-2"
FLOOR = WAD // 10
START_PRICE = 80 * WAD
CRASH_PRICE = WAD // 100
HAIRCUT = 4 * WAD // 10
AMOUNT = 5_000_000 * WAD
BYSTANDER_AMOUNT = 100_000 * WAD
BYSTANDER_CASH = 20_000 * USDB
BYSTANDER_SIZE = 50 * WAD


class MinAnswer(Incident):
    """A feed at its floor."""

    name = "min-answer"
    when = "2022-05"
    happened = "A feed stopped at its minimum answer while LUNA went to zero; a lender believed it."
    reported = "~$11M (one lender)"
    naive_rule = "lend against what the feed answers, less the same haircut"
    loss_means = "credit beyond what the collateral fetches"
    defence = (
        "ChainlinkAdapter refuses an answer on its bound (AnswerOutOfRange); without a quorum the "
        "price is Stale, and nothing opens or leaves on it"
    )
    without = "adapters with bounds far outside of the feed's own"

    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it; see ``Incident``."""
        with incident_world() as world:
            return _play(world, FLOOR if defended else 0)


def _play(world: IncidentWorld, bound: int) -> Outcome:
    token = world.token(ASSET)
    clamped = [world.feed(START_PRICE) for _ in range(2)]
    market = world.feed(START_PRICE)
    sources = [world.chainlink(feed, bound) for feed in clamped]
    world.price(ASSET, sources)
    collateral = world.list_collateral(ASSET, token, ASSET, haircut=HAIRCUT)
    _enter_bystander(world, token, collateral)

    _publish(world, clamped, market, CRASH_PRICE)
    world.look_twice(ASSET)
    worth = AMOUNT * CRASH_PRICE // WAD
    answer = int(clamped[0].call("latestRoundData").answer) * 10**10
    naive_credit = AMOUNT * answer // WAD * (WAD - HAIRCUT) // WAD

    world.give(token, "alice", AMOUNT)
    world.deposit("alice", token, collateral, AMOUNT)
    credit = world.credit("alice")
    refusals = {
        "source": str(world.source_says(sources[0])) if bound else "",
        "open on the floor price": world.probe("alice", naive_credit).error,
        "withdraw on the floor price": world.withdraw("bob", BYSTANDER_CASH * 3 // 4).error,
    }
    status = world.latest(ASSET).status

    # One feed at its floor beside two that follow the market: the quorum is theirs.
    others = [world.chainlink(world.feed(CRASH_PRICE)) for _ in range(2)]
    world.price(SECOND_ASSET, [sources[0], *others])
    by_others = world.latest(SECOND_ASSET)
    credit_by_others = AMOUNT * by_others.price // WAD * (WAD - HAIRCUT) // WAD
    return Outcome(
        naive_loss=naive_credit - worth,
        suite_loss=max(0, credit - worth),
        answer="left both feeds out, priced the token Stale, gave no credit on it",
        refusals=refusals,
        figures={
            "feed_answer_wad": answer,
            "market_price_wad": int(market.call("latestRoundData").answer) * 10**10,
            "collateral_worth_wad": worth,
            "naive_credit_wad": naive_credit,
            "suite_credit_wad": credit,
            "status": status,
            "price_by_others_wad": by_others.price,
            "status_by_others": by_others.status,
            "credit_by_others_wad": credit_by_others,
        },
    )


def _enter_bystander(world: IncidentWorld, token: Contract, collateral: int) -> None:
    """Open bob's position before the crash; he has cash, and some of the token.

    What he tries to take out leaves less cash than his margin: the rest has to be the token.
    """
    world.give(token, "bob", BYSTANDER_AMOUNT)
    world.deposit("bob", token, collateral, BYSTANDER_AMOUNT)
    world.deposit("bob", world.named("USDB"), SETTLEMENT, BYSTANDER_CASH)
    world.trade("bob", BYSTANDER_SIZE).require("the bystander's trade")


def _publish(world: IncidentWorld, clamped: list[Contract], market: Contract, price: int) -> None:
    """Let the market move; feeds with a floor answer no less than it."""
    for feed in clamped:
        world.answer(feed, max(price, FLOOR))
    world.answer(market, price)
