"""What a source of depth had measured went on ruling after the source was taken away, for ever."""

from __future__ import annotations

from tests.conftest import WAD, World

WETH = 3


def test_measure_depth__source_taken_away__the_bound_counts_again(world: World) -> None:
    source = world.deploy("ScriptedDepth")
    world.set_collateral(WETH, depth=100 * WAD)
    world.risk.transact("setDepthSource", WETH, source.address, sender=world.governor)
    source.transact("set", 0, True, sender=world.governor)
    world.valuer.transact("measureDepth", WETH, sender=world.address("bob"))
    assert world.valuer.call("depths", WETH)[0] == 0

    nobody = "0x" + "00" * 20
    world.risk.transact("setDepthSource", WETH, nobody, sender=world.governor)
    receipt = world.valuer.transact("measureDepth", WETH, sender=world.address("bob"))
    assert world.valuer.call("depths", WETH) == (100 * WAD, 100 * WAD)
    [event] = world.valuer.events(receipt)
    assert event.name == "DepthMeasured"
    assert event.args[1:] == (100 * WAD, 100 * WAD)
