"""The ledger counted positions at mark, so buying before a pool deposit made pool shares cheap.

Buy, deposit, sell, redeem at a constant index cost the other providers what the buyer had moved the
mark by. Positions count at close-out value now, which a trade does not change.
"""

from __future__ import annotations

from tests.conftest import WAD, World


def test_pool_deposit__between_a_purchase_and_its_sale__gains_nothing(world: World) -> None:
    world.deposit("alice", 3_000_000 * 10**6)
    world.usdb.transact("approve", world.pool.address, 2**255, sender=world.address("alice"))
    world.publish("ETH", 3_000 * WAD)
    value_before = world.pool.call("netAssetValue").toLeave
    spent_before = world.usdb.call("balanceOf", world.address("alice"))

    bought = world.trade("alice", 7_000 * WAD)
    # Half of the 1.75 % by which the mark moved would be about 180,000.
    assert abs(world.pool.call("netAssetValue").toLeave - value_before) < bought.fee
    deposited = 5_000_000 * 10**6
    alice = world.address("alice")
    world.pool.transact("deposit", deposited, alice, sender=alice)
    world.trade("alice", -7_000 * WAD)
    world.ask_to_leave("alice")
    world.pool.transact("redeem", world.pool.call("balanceOf", alice), alice, alice, sender=alice)

    ledger = world.ledger("alice")
    gained = world.usdb.call("balanceOf", alice) - spent_before
    assert gained * 10**12 + ledger.cash + ledger.claim < 3_000_000 * WAD
