"""Moving the premium by a sale, liquidating who fell below it, and buying back paid.

Health was measured on the curve alone, which anyone can move within its bound. It has to be lost
at the index price as well, which no trade can move.
"""

from __future__ import annotations

import pytest

from bulkhead.chain.contract import ContractReverted
from tests.conftest import WAD, World


def test_liquidation__only_the_premium_has_moved__refused(world: World) -> None:
    world.deposit("alice", 70_000 * 10**6)
    world.deposit("bob", 5_000_000 * 10**6)
    world.publish("ETH", 3_000 * WAD)
    world.trade("alice", 300 * WAD)
    world.publish("ETH", 2_930 * WAD)
    before = world.valuation("alice")
    assert before.equityMaintenance > before.maintenanceMargin

    world.trade("bob", -8_000 * WAD)

    pushed = world.valuation("alice")
    assert pushed.equityMaintenance < pushed.maintenanceMargin
    assert pushed.bufferAtIndex > 0
    account, keeper = world.account("alice"), world.address("keeper")
    assert not world.liquidation.call("isLiquidatable", account)
    with pytest.raises(ContractReverted) as caught:
        world.liquidation.transact("liquidate", account, 0, sender=keeper)
    assert caught.value.error.name == "LiquidationEngine_HealthyAtIndex"

    world.publish("ETH", 2_800 * WAD)
    world.liquidation.transact("liquidate", account, 0, sender=keeper)
