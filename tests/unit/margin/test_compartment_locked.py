"""The one lock, seen from those who take it: always released, never entered twice."""

from __future__ import annotations

import pytest

WAD = 10**18
LOCKED = (False, ("CompartmentLock_Locked", ()))
ENTRY_POINTS = {
    # What a hostile settlement token is moved by, in each contract that takes the lock.
    "pool.deposit": lambda w, who: (10**7, who),
    "pool.mint": lambda w, who: (10**13, who),
    "pool.withdraw": lambda w, who: (10**6, who, who),
    "pool.redeem": lambda w, who: (10**12, who, who),
    "fund.deposit": lambda w, who: (10**7, who),
    "fund.mint": lambda w, who: (10**13, who),
    "fund.withdraw": lambda w, who: (10**6, who, who),
    "fund.redeem": lambda w, who: (10**12, who, who),
    "margin.deposit": lambda w, who: (w.account("bob"), 0, 10**6),
    "margin.withdraw": lambda w, who: (w.account("bob"), 0, 10**6, who),
}


@pytest.fixture
def hostile(world):
    """A settlement token that calls back; bob has shares and margin in everything already."""
    bob = world.address("bob")
    for vault in (world.pool, world.fund):
        world.usdb.transact("approve", vault.address, 2**256 - 1, sender=bob)
        vault.transact("deposit", 10**9, bob, sender=bob)
    world.deposit("bob", 10**9)
    world.set_pool(cooldown=0)
    world.pool.transact("requestRedeem", 10**14, sender=bob)
    return world.corrupt(world.usdb)


@pytest.mark.parametrize("entry", ENTRY_POINTS)
@pytest.mark.parametrize(
    "attack",
    [
        *("margin.deposit", "perps.poke", "pool.redeem", "fund.redeem", "liquidation.writeOff"),
        *("pool.requestRedeem", "pool.cancelRequest"),
    ],
)
def test_entry_point__token_calls_back_into_another__refused(
    world, hostile, attempts, entry, attack
):
    bob = world.address("bob")
    arguments = {
        **ENTRY_POINTS,
        "perps.poke": lambda w, who: (0,),
        "pool.requestRedeem": lambda w, who: (1,),
        "pool.cancelRequest": lambda w, who: (),
        "liquidation.writeOff": lambda w, who: (w.account("bob"),),
    }
    part, _, function = attack.partition(".")
    target = getattr(world, part)
    data = target.encode(function, *arguments[attack](world, bob))
    hostile.transact("setCallback", target.address, data, sender=world.governor)

    part, _, function = entry.partition(".")
    receipt = getattr(world, part).transact(
        function, *ENTRY_POINTS[entry](world, bob), sender=bob, gas=6_000_000
    )
    found = attempts(receipt)
    assert found
    assert set(found) == {LOCKED}
    assert world.margin.call("isLocked") is False


@pytest.mark.parametrize(
    "view",
    [
        *("pool.totalAssets", "pool.netAssetValue", "pool.coverage", "perps.markPrice"),
        "perps.poolExposure",
    ],
)
def test_view__from_a_token_in_the_middle_of_a_deposit__refused(world, hostile, attempts, view):
    part, _, function = view.partition(".")
    target = getattr(world, part)
    data = target.encode(function, *((0,) if function == "markPrice" else ()))
    hostile.transact("setCallback", target.address, data, sender=world.governor)
    bob = world.address("bob")
    receipt = world.pool.transact("deposit", 10**7, bob, sender=bob, gas=6_000_000)
    assert set(attempts(receipt)) == {LOCKED}


@pytest.mark.parametrize("entry", ENTRY_POINTS)
def test_entry_point__reverts__leaves_the_lock_free(world, hostile, refuses, entry):
    bob = world.address("bob")
    hostile.transact("setBlocked", world.custody.address, True, sender=world.governor)
    part, _, function = entry.partition(".")
    with refuses("HostileToken_Blocked", world.custody.address):
        getattr(world, part).transact(function, *ENTRY_POINTS[entry](world, bob), sender=bob)
    assert world.margin.call("isLocked") is False
    world.perps.transact("poke", 0, sender=bob)


def test_views__outside_of_any_call__are_open(world):
    for contract, function, arguments in (
        (world.pool, "totalAssets", ()),
        (world.pool, "netAssetValue", ()),
        (world.perps, "markPrice", (0,)),
        (world.liquidation, "isLiquidatable", (world.account("bob"),)),
    ):
        contract.call(function, *arguments)
