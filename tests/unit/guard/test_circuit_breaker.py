"""What each tier allows, how a tier falls, how a halt ends, and what the guardian may do."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

WAD = 10**18
MIN_DWELL, MAX_HALT = 600, 3_600
GUARDIAN = keccak(text="GUARDIAN")
MAX_TIER = {
    "Deposit": 4,
    "Withdraw": 2,
    "IncreasePosition": 1,
    "ReducePosition": 3,
    "Convert": 2,
    "Liquidate": 3,
    "TakeAuction": 3,
    "WriteOff": 3,
    "PoolDeposit": 3,
    "PoolWithdraw": 1,
    "FundDeposit": 3,
    "FundWithdraw": 1,
}
ACTIONS = list(MAX_TIER)


@pytest.mark.parametrize("tier", range(5))
@pytest.mark.parametrize("name", ACTIONS)
def test_is_allowed__action_by_tier__is_the_table(world, refuses, name, tier):
    if tier:
        world.raise_tier(tier)
    action, highest = ACTIONS.index(name), MAX_TIER[name]
    assert world.breaker.call("isAllowed", action) == (tier <= highest)
    if tier <= highest:
        world.breaker.call("requireAllowed", action)
    else:
        with refuses("CircuitBreaker_Blocked", action, tier, highest):
            world.breaker.call("requireAllowed", action)


# ---------------------------------------------------------------------- falling


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_poke__signal_gone__falls_one_step_per_dwell(world, poke, tier):
    world.raise_tier(tier, duration=1)
    since = world.now
    for current in range(tier, 0, -1):
        world.rpc.set_next_timestamp(since + MIN_DWELL - 1)
        assert poke() is None
        world.rpc.set_next_timestamp(since + MIN_DWELL)
        assert poke() == (current, current - 1, "Calm", 0)
        since = world.now
    world.after(MIN_DWELL)
    assert poke() is None


def test_poke__weaker_signal__falls_no_lower_than_it(world, poke, record):
    world.raise_tier(3, duration=1)
    since = world.now
    world.rpc.mine(since + MIN_DWELL - 1)
    record("BadDebt", 300_000 * WAD)  # Tier 2, at least 100,000 for 40 minutes.
    assert poke() == (3, 2, "Calm", 0)
    world.skip(MIN_DWELL)
    assert poke() is None
    assert world.breaker.call("tier") == 2


def test_poke__stronger_signal__rises_at_once_by_any_number_of_steps(world, poke, record):
    world.raise_tier(1, duration=1)
    record("BadDebt", 600_000 * WAD)
    change = poke()
    assert change[:3] == (1, 3, "BadDebt")


def test_poke__returns_the_tier(world, record):
    record("BadDebt", 10_010 * WAD)
    assert world.breaker.call("poke") == 1
    assert world.breaker.call("tier") == 0


def test_poke__rise__restarts_the_dwell(world, poke, record):
    world.raise_tier(1, duration=1)
    since = world.now
    world.rpc.set_next_timestamp(since + MIN_DWELL - 1)
    record("BadDebt", 100_100 * WAD)
    assert poke()[:2] == (1, 2)
    risen = world.now
    world.rpc.set_next_timestamp(risen + MIN_DWELL - 1)
    assert poke() is None
    world.rpc.set_next_timestamp(risen + MIN_DWELL)
    assert poke() == (2, 1, "Calm", 0)


# ---------------------------------------------------------------------- halts


def test_halt__signal_stands__lasts_to_its_maximum_and_no_longer(world, poke, record):
    """GRD-1."""
    record("BadDebt", 10_000_000 * WAD)
    assert poke()[:2] == (0, 4)
    halted = world.now
    for second in (MIN_DWELL, MIN_DWELL + 1, MAX_HALT - 1):
        world.rpc.set_next_timestamp(halted + second)
        record("BadDebt", 10_000_000 * WAD)
        world.freeze()
        assert poke() is None
        assert world.breaker.call("tier") == 4
    world.rpc.mine(halted + MAX_HALT)
    assert world.breaker.call("tier") == 3  # Before anyone pokes.
    assert world.breaker.call("breakerState").tier == 4
    assert world.breaker.call("isAllowed", ACTIONS.index("ReducePosition"))
    world.freeze()
    assert poke() == (4, 3, "HaltExpired", 0)


def test_halt__guardians_order__lasts_as_long_as_ordered(world, poke):
    world.raise_tier(4, duration=MAX_HALT)
    halted = world.now
    for second in (MIN_DWELL, MAX_HALT - 1):
        world.rpc.set_next_timestamp(halted + second)
        assert poke() is None
    assert world.breaker.call("tier") == 4


def test_halt__signal_gone__ends_after_the_dwell(world, poke):
    world.raise_tier(4, duration=1)
    halted = world.now
    world.rpc.set_next_timestamp(halted + MIN_DWELL - 1)
    assert poke() is None
    world.rpc.set_next_timestamp(halted + MIN_DWELL)
    assert poke() == (4, 3, "Calm", 0)


def test_halt__another_one_soon__waits_for_the_rest_period(world, poke, record):
    record("BadDebt", 10_000_000 * WAD)
    poke()
    halted = world.now
    world.rpc.set_next_timestamp(halted + MAX_HALT)
    assert poke() == (4, 3, "HaltExpired", 0)
    for second in (MAX_HALT + 1, 2 * MAX_HALT - 2):
        world.rpc.set_next_timestamp(halted + second)
        record("BadDebt", 10_000_000 * WAD)
        world.freeze()
        assert poke() is None
        assert world.breaker.call("tier") == 3
    world.rpc.set_next_timestamp(halted + 2 * MAX_HALT)
    assert poke()[:3] == (3, 4, "BadDebt")
    assert world.breaker.call("breakerState").haltedAt == halted + 2 * MAX_HALT


def test_halt__signal_of_4_while_resting_from_a_low_tier__rises_to_3(world, poke, record):
    world.raise_tier(4, duration=1)
    halted = world.now
    for step in range(1, 4):
        world.rpc.set_next_timestamp(halted + step * MIN_DWELL)
        assert poke() == (5 - step, 4 - step, "Calm", 0)
    record("BadDebt", 10_000_000 * WAD)
    assert poke()[:2] == (1, 3)


# ---------------------------------------------------------------------- the guardian


def test_raise__guardian__acts_at_once(world):
    guardian = world.address("guardian")
    receipt = world.breaker.transact("raise", 2, 100, sender=guardian)
    raised, changed = world.breaker.events(receipt)
    assert (raised.name, tuple(raised.args)) == ("GuardianRaised", (guardian, 2, world.now + 100))
    assert (changed.name, tuple(changed.args)) == ("TierChanged", (0, 2, 6, 0))
    assert tuple(world.breaker.call("breakerState")) == (2, world.now, 0, 2, world.now + 100)


def test_raise__while_it_stands__does_not_fall(world, poke):
    world.raise_tier(2, duration=2_000)
    raised = world.now
    world.rpc.set_next_timestamp(raised + 1_999)
    assert poke() is None
    world.rpc.set_next_timestamp(raised + 2_000)
    assert poke() == (2, 1, "Calm", 0)


def test_raise__stronger_and_shorter__does_not_cut_the_earlier_one_short(world, poke):
    world.raise_tier(2, duration=3_000)
    first = world.now
    world.raise_tier(3, duration=10)
    assert world.breaker.call("breakerState").guardianUntil == first + 3_000
    world.rpc.set_next_timestamp(first + 2_999)
    assert poke() is None


@pytest.mark.parametrize("caller", ["alice", "keeper", "deployer"])
def test_raise__not_the_guardian__refused(world, refuses, caller):
    sender = world.address(caller)
    with refuses("RoleRegistry_MissingRole", sender, GUARDIAN):
        world.breaker.call("raise", 1, 1, sender=sender)


@pytest.mark.parametrize("tier", [0, 1, 2, 5, 255])
def test_raise__not_above_the_current_tier_or_beyond_a_halt__refused(world, refuses, tier):
    world.raise_tier(2)
    guardian = world.address("guardian")
    with refuses("CircuitBreaker_OutOfBounds", b"tier".ljust(32, b"\0"), tier, 3, 4):
        world.breaker.call("raise", tier, 1, sender=guardian)


@pytest.mark.parametrize("duration", [0, MAX_HALT + 1])
def test_raise__duration_out_of_bounds__refused(world, refuses, duration):
    guardian = world.address("guardian")
    name = b"duration".ljust(32, b"\0")
    with refuses("CircuitBreaker_OutOfBounds", name, duration, 1, MAX_HALT):
        world.breaker.call("raise", 1, duration, sender=guardian)
    world.breaker.call("raise", 1, min(duration, MAX_HALT) or 1, sender=guardian)


def test_raise__halt_while_resting__refused(world, poke, refuses):
    world.raise_tier(4, duration=1)
    halted = world.now
    world.rpc.set_next_timestamp(halted + MIN_DWELL)
    poke()
    guardian = world.address("guardian")
    world.rpc.mine(halted + 2 * MAX_HALT - 1)
    with refuses("CircuitBreaker_Resting", halted + 2 * MAX_HALT):
        world.breaker.call("raise", 4, 1, sender=guardian)
    world.rpc.mine(halted + 2 * MAX_HALT)
    world.breaker.call("raise", 4, 1, sender=guardian)
