"""PNL-2: at a constant index nobody makes money by moving the curve, alone or in company."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH = 0


def wealth(world, people):
    """Everything that people hold in the compartment, debts not counted: they can be walked away from."""
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
    world, fund, no_fees, sign, victim_size
):
    """One account enters at the far end of the premium; the other turns it; the first walks away.

    Its loss must be within its margin, or the pool pays for the difference.
    """
    fund("alice", "carol", units=9_000_000)
    most = world.risk.call("marketTrading", ETH).maxOpenInterest
    world.trade("carol", sign * (most - victim_size * WAD)) if victim_size * WAD < most else None

    price = world.index()
    ratio = world.risk.call("marketTrading", ETH).initialMarginRatio
    margin = victim_size * price * ratio // WAD // 10**12 * 11 // 10
    world.deposit("bob", margin)
    low, high = 0, margin
    # The least margin that the trade accepts: walking away costs as little as it can.
    while high - low > 10**6:
        middle = (low + high) // 2
        snapshot = world.rpc.snapshot()
        try:
            world.margin.transact(
                "withdraw",
                world.account("bob"),
                0,
                margin - middle,
                world.address("bob"),
                sender=world.address("bob"),
            )
            world.trade("bob", sign * victim_size * WAD)
            high = middle
        except Exception as error:  # noqa: BLE001
            assert "BelowInitialMargin" in str(error)
            low = middle
        world.rpc.revert(snapshot)
    world.margin.transact(
        "withdraw",
        world.account("bob"),
        0,
        margin - high,
        world.address("bob"),
        sender=world.address("bob"),
    )
    before = wealth(world, ["alice", "bob", "carol"])
    world.trade("bob", sign * victim_size * WAD)
    if world.position("carol").size:
        world.trade("carol", -world.position("carol").size)
    world.trade("alice", -sign * most)
    world.trade("bob", -sign * victim_size * WAD)
    world.trade("alice", sign * most)
    assert world.ledger("bob").cash >= 0
    assert wealth(world, ["alice", "bob", "carol"]) <= before
