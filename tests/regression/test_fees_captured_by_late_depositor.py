"""Fees waited in a reserve to be distributed: whoever had just entered the pool had a share."""

from __future__ import annotations

from tests.conftest import WAD, World


def test_fee__charged__is_in_pool_and_fund_in_the_same_call(world: World) -> None:
    world.deposit("alice", 2_000_000 * 10**6)
    before = world.totals()
    fee = world.trade("alice", 1_000 * WAD).fee
    after = world.totals()

    p = world.risk.call("compartmentParameters")
    assert fee > 0
    assert after.insuranceCash - before.insuranceCash == fee * p.insuranceFeeShare // WAD
    assert after.poolCash - before.poolCash == fee * p.poolFeeShare // WAD
    assert after.feeReserve == fee - (after.insuranceCash - before.insuranceCash) - (
        after.poolCash - before.poolCash
    )
