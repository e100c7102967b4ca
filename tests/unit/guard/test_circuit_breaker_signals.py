"""What raises the tier: every threshold at its edge, and how the measures are taken."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id

WAD = 10**18
VELOCITY_WINDOW, VOLUME_WINDOW = 900, 3_600
MOVES = (4, 8, 15, 30)
DISCOUNTS = (2, 5, 10, 25)
VOLUMES = (500_000, 2_000_000, 6_000_000, 15_000_000)
BAD_DEBTS = (10_000, 100_000, 500_000, 2_000_000)


def ceil_div(n, d):
    return -(-n // d)


def test_signal__calm__asks_for_nothing(signal, poke):
    assert signal() == (0, "Calm", 0)
    assert poke() is None


@pytest.mark.parametrize(("tier", "percent"), enumerate(MOVES, start=1))
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("asset", "price"), [("ETH", 3_000), ("BTC", 60_000)])
def test_poke__price_move_at_a_threshold__raises_to_its_tier(
    world, signal, poke, tier, percent, sign, asset, price
):
    moved = price * WAD * (100 + sign * percent) // 100
    snapshot = world.rpc.snapshot()
    world.publish(asset, moved - sign * 10**10)
    short = abs(moved - sign * 10**10 - price * WAD) * WAD // (price * WAD)
    expected = (tier - 1, "PriceMove", short) if tier > 1 else (0, "Calm", 0)
    assert signal() == expected
    world.rpc.revert(snapshot)

    world.publish(asset, moved)
    assert signal() == (tier, "PriceMove", percent * WAD // 100)
    assert poke() == (0, tier, "PriceMove", percent * WAD // 100)
    assert world.breaker.call("tier") == tier
    state = world.breaker.call("breakerState")
    assert (state.tier, state.since) == (tier, world.now)
    assert state.haltedAt == (world.now if tier == 4 else 0)


def test_signal__move_across_the_turn_of_a_window__is_seen_whole(world, signal, poke):
    taken = world.breaker.call("priceReference", asset_id("ETH"))
    world.rpc.mine(taken.takenAt + VELOCITY_WINDOW - 2)
    world.publish("ETH", 2_910 * WAD)  # −3 %.
    assert poke() is None
    reference = world.breaker.call("priceReference", asset_id("ETH"))
    assert tuple(reference) == (2_910 * WAD, world.now, 3_000 * WAD, taken.takenAt)
    world.publish("ETH", 2_850 * WAD)  # −2.06 % since, −5 % since the window before.
    assert signal() == (1, "PriceMove", WAD // 20)


def test_poke__within_a_window__keeps_the_reference(world, poke):
    before = world.breaker.call("priceReference", asset_id("ETH"))
    world.publish("ETH", 2_990 * WAD)
    world.rpc.set_next_timestamp(before.takenAt + VELOCITY_WINDOW - 1)
    poke()
    assert world.breaker.call("priceReference", asset_id("ETH")) == before
    world.rpc.set_next_timestamp(before.takenAt + VELOCITY_WINDOW)
    poke()
    assert world.breaker.call("priceReference", asset_id("ETH")).price == 2_990 * WAD


def test_signal__reference_older_than_two_windows__says_nothing_of_speed(world, signal, poke):
    taken = world.breaker.call("priceReference", asset_id("ETH")).takenAt
    world.rpc.mine(taken + 2 * VELOCITY_WINDOW - 40)
    world.publish("ETH", 1_500 * WAD)
    world.rpc.mine(taken + 2 * VELOCITY_WINDOW)
    assert signal() == (4, "PriceMove", WAD // 2)
    world.skip(1)
    assert signal() == (0, "Calm", 0)
    assert poke() is None
    assert world.breaker.call("priceReference", asset_id("ETH")).price == 1_500 * WAD


def test_signal__stale_price__asks_for_tier_3(world, signal, poke):
    world.silence("BTC")
    assert signal() == (3, "PriceStale", 0)
    reference = world.breaker.call("priceReference", asset_id("BTC"))
    world.skip(VELOCITY_WINDOW)
    assert poke() == (0, 3, "PriceStale", 0)
    # A stale price is no reference.
    assert world.breaker.call("priceReference", asset_id("BTC")) == reference


def test_signal__unconfirmed_price__asks_for_nothing_until_it_is_confirmed(world, signal, poke):
    """Its own status stops what could be taken; it is no reference either."""
    reference = world.breaker.call("priceReference", asset_id("ETH"))
    world.skip(VELOCITY_WINDOW)
    world.jolt("ETH", 20)
    assert signal() == (0, "Calm", 0)
    assert poke() is None
    assert world.breaker.call("priceReference", asset_id("ETH")) == reference
    world.publish("ETH", 3_600 * WAD)
    assert signal() == (3, "PriceMove", WAD // 5)


def test_signal__degraded_price__asks_for_nothing(world, signal):
    world.degrade("ETH")
    assert signal() == (0, "Calm", 0)


@pytest.mark.parametrize(("tier", "percent"), enumerate(DISCOUNTS, start=1))
def test_poke__peg_discount_at_a_threshold__raises_to_its_tier(world, signal, poke, tier, percent):
    for off in (1, 0):
        world.publish("LST/ETH", WAD * (100 - percent) // 100 + off)
        world.peg.transact("poke", asset_id("LST"), sender=world.address("carol"))
        if off:
            value = WAD * percent // 100 - 1
            expected = (tier - 1, "PegDiscount", value) if tier > 1 else (0, "Calm", 0)
            assert signal() == expected
    assert poke() == (0, tier, "PegDiscount", WAD * percent // 100)


def test_signal__pegged_token_above_its_peg__asks_for_nothing(world, signal):
    world.publish("LST/ETH", 2 * WAD)
    world.peg.transact("poke", asset_id("LST"), sender=world.address("carol"))
    assert signal() == (0, "Calm", 0)


@pytest.mark.parametrize(
    ("kind", "cause", "thresholds"),
    [("Liquidation", "LiquidationVolume", VOLUMES), ("BadDebt", "BadDebt", BAD_DEBTS)],
)
@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_poke__bucket_at_a_threshold__raises_to_its_tier(
    world, signal, poke, record, kind, cause, thresholds, tier
):
    level = thresholds[tier - 1] * WAD
    record(kind, level - 1)
    assert signal() == ((tier - 1, cause, level - 1) if tier > 1 else (0, "Calm", 0))
    world.freeze()
    receipt = record(kind, 1)
    [event] = world.breaker.events(receipt)
    name = "BadDebtRecorded" if kind == "BadDebt" else "LiquidationVolumeRecorded"
    assert (event.name, tuple(event.args)) == (name, (1, level))
    world.freeze()
    assert poke() == (0, tier, cause, level)


@pytest.mark.parametrize("kind", ["Liquidation", "BadDebt"])
def test_record__over_time__leaks_linearly_and_is_rounded_up(world, record, kind):
    level = 1_000 * WAD + 7
    record(kind, level)
    world.after(1_000)
    [event] = world.breaker.events(record(kind, 11))
    left = ceil_div(level * (VOLUME_WINDOW - 1_000), VOLUME_WINDOW) + 11
    assert event.args.level == left
    world.after(VOLUME_WINDOW - 1)
    [event] = world.breaker.events(record(kind, 0))
    assert event.args.level == ceil_div(left, VOLUME_WINDOW)
    world.after(VOLUME_WINDOW)
    [event] = world.breaker.events(record(kind, 5))
    assert event.args.level == 5


def test_signal__buckets__are_apart(world, signal, record):
    record("Liquidation", 400_000 * WAD)
    world.freeze()
    record("BadDebt", 9_999 * WAD)
    assert signal() == (0, "Calm", 0)


def test_signal__several__the_strongest_counts_and_names_the_cause(world, signal, poke, record):
    record("BadDebt", 120_000 * WAD)
    world.publish("ETH", 2_880 * WAD)
    assert signal()[:2] == (2, "BadDebt")
    world.publish("BTC", 55_200 * WAD)  # As strong: the earlier one in the order of the signals.
    assert signal() == (2, "PriceMove", WAD * 8 // 100)
    world.publish("LST/ETH", WAD * 89 // 100)
    world.peg.transact("poke", asset_id("LST"), sender=world.address("carol"))
    assert signal() == (3, "PegDiscount", WAD * 11 // 100)
    world.raise_tier(4)
    assert signal() == (4, "Guardian", 0)


@pytest.mark.parametrize("function", ["recordLiquidation", "recordBadDebt"])
def test_record__not_the_liquidation_engine__refused(world, refuses, function):
    for caller in (world.margin.address, world.perps.address, world.governor, world.address("bob")):
        with refuses("CircuitBreaker_NotLiquidationEngine", caller):
            world.breaker.call(function, 1, sender=caller)


def test_write_off__bad_debt__reaches_the_breaker(world, poke):
    world.settle("alice", -10_000 * WAD)
    world.liquidation.transact("writeOff", world.account("alice"), sender=world.address("carol"))
    world.freeze()
    assert poke() == (0, 1, "BadDebt", 10_000 * WAD)
