"""Debt of an account worth more than nothing could be written off, and its collateral kept."""

from __future__ import annotations

import pytest

from bulkhead.chain.contract import ContractReverted
from tests.conftest import WAD, World


def test_write_off__dust_of_collateral_covers_the_debt__refused(world: World) -> None:
    world.deposit("alice", WAD // 10_000, collateral=3)
    world.settle("alice", -(WAD // 10))
    v = world.valuation("alice")
    assert 0 < v.equityMaintenance < WAD
    assert world.ledger("alice").cash == -(WAD // 10)

    with pytest.raises(ContractReverted) as caught:
        world.liquidation.transact(
            "writeOff", world.account("alice"), sender=world.address("keeper")
        )
    assert caught.value.name == "LiquidationEngine_Healthy"
