"""PNL-2: at a constant index nobody makes money by moving the curve, alone or in company."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH = 0


def wealth(world, people):
    """What people hold in the compartment. Debts do not count: one can walk away from them."""
    entries = [world.ledger(who) for who in people]
    return sum(max(0, e.cash) + e.claim for e in entries)


@pytest.fixture
def no_fees(world):
    """Take the fee out of the picture: the curve alone must not pay."""
    world.set_market(ETH, takerFee=0)


@pytest.mark.parametrize(
    "steps",
    [
        (5_000, -5_000),
        (-5_000, 5_000),
        (1, 2_000, -1_999, -2),
        (3_000, -6_000, 3_000),
        (-1_000, 8_000, -7_000),
    ],
)
def test_round_trip__alone__does_not_profit(world, fund, no_fees, steps):
    fund("alice", "bob")
    world.trade("bob", 777 * WAD)
    before = wealth(world, ["alice"])
    for step in steps:
        world.freeze()
        world.trade("alice", step * WAD)
    assert world.position("alice").size == 0
    assert wealth(world, ["alice"]) <= before


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("victim_size", [100, 2_000, 8_000])
def test_round_trip__two_accounts_at_a_constant_index__does_not_profit(
    world, no_fees, curve, sign, victim_size
):
    """One account enters at the far end of the premium; others turn it; the first walks away.

    Its loss must stay within its margin, or the pool pays for what the others gain.
    """
    people = ("alice", "bob", "carol")
    size, most = sign * victim_size * WAD, world.risk.call("marketTrading", ETH).maxOpenInterest
    for who in ("alice", "carol"):
        world.deposit(who, 9_000_000 * 10**6)
    if size != sign * most:
        world.trade("carol", sign * most - size)

    # Bob brings the least margin with which he may enter, and a wei per unit for rounding.
    notional = abs(size) * world.index() // WAD
    ratio = world.risk.call("marketTrading", ETH).initialMarginRatio
    world.deposit("bob", notional * ratio // WAD // 10**12 + 1)
    before = wealth(world, people)
    world.freeze()
    world.trade("bob", size)

    for who, step in (
        ("carol", -world.position("carol").size),
        ("alice", -sign * most),
        ("bob", -size),
        ("alice", sign * most),
    ):
        if step:
            world.freeze()
            world.trade(who, step)
    assert world.ledger("bob").cash >= 0
    assert wealth(world, people) <= before
