"""Conditions: entered at their limits, left at half of them; what breaks a peg, what clears it."""

from __future__ import annotations

import pytest

from bulkhead.model.peg_math import PegCondition
from tests.unit.peg.story import DAY, DEVNET, HOUR, REVERT, WAD, Seen, Story

SOUND, WATCH, STRESSED, BROKEN = PegCondition
CALM = {"stress_per_day": 0, "decay_period": 10 * DAY}
"""A tenth of full stress goes per day, and none comes."""


def changes(seen: Seen) -> list[tuple[int, int]]:
    return [event[2:] for event in seen.events if event[0] == "PegConditionChanged"]


def build(story: Story, stress: int) -> None:
    """Configure a peg with stress (a multiple of 1e-6) and no discount at the end."""
    rules = {"deadband": 0, "stress_per_day": WAD, "max_age": 60, "grace_stress": WAD // 100}
    story.configure(**rules, stressed_at=WAD, broken_at=WAD)
    story.market(WAD // 2)
    story.poke()
    # Half of a day's 1.0 per day: in 43,200 s of it, a quarter.
    seconds = stress * 2 * DAY // WAD
    assert seconds * WAD == stress * 2 * DAY
    story.market(WAD // 2)
    story.poke(after=seconds)
    story.market(WAD)
    seen = story.configure(**CALM, stressed_at=WAD, broken_at=WAD)
    # The second until the rules change counts too; a wei was lost to rounding at most.
    assert 0 <= seen.state.stress - stress - WAD // (2 * DAY) <= 2


# ---------------------------------------------------------------- Watch


@pytest.mark.parametrize(
    ("ratio", "entered", "kept"),
    [
        (990 * WAD // 1_000, SOUND, WATCH),  # at the dead-band
        (990 * WAD // 1_000 - 1, WATCH, WATCH),  # above it
        (995 * WAD // 1_000, SOUND, SOUND),  # at half of it
        (995 * WAD // 1_000 - 1, SOUND, WATCH),  # above half
    ],
)
def test_watch__discount__enters_above_the_deadband_leaves_at_half(story, ratio, entered, kept):
    story.configure()
    story.market(ratio)
    assert story.poke().state.condition == entered
    story.market(98 * WAD // 100)
    story.poke()
    story.market(ratio)
    assert story.poke().state.condition == kept


def test_watch__stress__enters_above_half_the_grace_leaves_at_a_quarter(story):
    build(story, WAD // 8)
    stress = story.look().state.stress
    # Sound at exactly half of the grace, and watched with a grace that is two wei less.
    story.clear(after=0)
    seen = story.configure(after=0, **CALM, grace_stress=2 * stress, stressed_at=WAD, broken_at=WAD)
    seen = story.clear(after=0)
    assert seen.state.condition == SOUND
    seen = story.configure(
        after=0, **CALM, grace_stress=2 * stress - 2, stressed_at=WAD, broken_at=WAD
    )
    assert (seen.state.condition, changes(seen)) == (WATCH, [(SOUND, WATCH)])
    # It stays until four times the stress is the grace.
    grace = 4 * stress - 1
    seen = story.configure(after=0, **CALM, grace_stress=grace, stressed_at=WAD, broken_at=WAD)
    assert (seen.state.condition, changes(seen)) == (WATCH, [])
    seen = story.configure(after=0, **CALM, grace_stress=4 * stress, stressed_at=WAD, broken_at=WAD)
    assert (seen.state.condition, changes(seen)) == (SOUND, [(WATCH, SOUND)])


def test_watch__any_shortfall_or_slow_redemption__until_it_is_gone(story):
    story.configure()
    story.source("backing", WAD - 1)
    assert story.poke().state.condition == WATCH
    story.source("backing", WAD)
    assert story.poke().state.condition == SOUND
    story.source("queue", 3 * DAY)
    assert story.poke().state.condition == SOUND
    story.source("queue", 3 * DAY + 1)
    assert story.poke().state.condition == WATCH
    story.source("queue", 3 * DAY)
    assert story.poke().state.condition == SOUND


# ---------------------------------------------------------------- Stressed


def test_stressed__stress__enters_at_its_limit_leaves_below_half(story):
    build(story, WAD // 2)
    stress = story.look().state.stress
    limits = {**CALM, "broken_at": WAD, "grace_stress": WAD // 100}
    seen = story.configure(after=0, **limits, stressed_at=stress + 1)
    assert seen.state.condition == WATCH
    seen = story.configure(after=0, **limits, stressed_at=stress)
    assert (seen.state.condition, changes(seen)) == (STRESSED, [(WATCH, STRESSED)])
    # A tenth per day: from a half it takes two days and a half to a quarter, and from what the
    # second in ``build`` added, two seconds and a half longer.
    seen = story.poke(after=2 * DAY + 12 * HOUR + 2)
    assert (seen.state.condition, changes(seen)) == (STRESSED, [])
    assert 2 * seen.state.stress > stress
    seen = story.poke(after=1)
    assert 2 * seen.state.stress < stress
    assert (seen.state.condition, changes(seen)) == (WATCH, [(STRESSED, WATCH)])
    # And it does not come back at what it was left at.
    assert story.poke(after=0).state.condition == WATCH


def test_stressed__exactly_half_of_the_limit__stays(story):
    build(story, WAD // 2)
    stress = story.look().state.stress
    limits = {**CALM, "broken_at": WAD, "grace_stress": WAD // 100}
    story.configure(after=0, **limits, stressed_at=stress)
    assert story.configure(after=0, **limits, stressed_at=2 * stress).state.condition == STRESSED


# ---------------------------------------------------------------- Broken


def test_broken__stress__at_its_limit(story):
    build(story, WAD // 2)
    stress = story.look().state.stress
    limits = {**CALM, "grace_stress": WAD // 100, "stressed_at": stress}
    seen = story.configure(after=0, **limits, broken_at=stress + 1)
    assert seen.state.condition == STRESSED
    seen = story.configure(after=0, **limits, broken_at=stress)
    assert (seen.state.condition, changes(seen)) == (BROKEN, [(STRESSED, BROKEN)])


def test_broken__rate__only_below_its_limit(story):
    story.configure()
    story.source("rate", 2 * WAD)
    story.market(2 * WAD)
    story.poke()
    story.source("rate", 199 * WAD // 100)  # half a per cent below the highest
    assert story.poke().state.condition == SOUND
    story.source("rate", 199 * WAD // 100 - 1)
    seen = story.poke()
    assert (seen.state.condition, changes(seen)) == (BROKEN, [(SOUND, BROKEN)])
    assert seen.state.highest_rate == 2 * WAD


def test_broken__limit_of_the_rate_not_whole__rounds_down(story):
    """0.995 of 1.0 and a wei is 0.995 and a fraction of a wei."""
    story.configure()
    story.source("rate", WAD + 1)
    story.poke()
    story.source("rate", 995 * WAD // 1_000)
    assert story.poke().state.condition == SOUND
    story.source("rate", 995 * WAD // 1_000 - 1)
    assert story.poke().state.condition == BROKEN


def test_broken__rate_creeps_down__is_measured_from_the_highest(story):
    story.configure()
    for step in range(1, 6):
        story.source("rate", WAD - step * WAD // 1_000)
        assert story.poke().state.condition == SOUND
    story.source("rate", WAD - 6 * WAD // 1_000)
    assert story.poke().state.condition == BROKEN


def test_broken__shortfall__only_above_its_limit(story):
    story.configure()
    story.source("backing", 99 * WAD // 100)
    assert story.poke().state.condition == WATCH
    story.source("backing", 99 * WAD // 100 - 1)
    seen = story.poke()
    assert (seen.state.condition, changes(seen)) == (BROKEN, [(WATCH, BROKEN)])


def break_it(story: Story, cause: str) -> None:
    """Break a peg, and take the cause away again."""
    story.configure(decay_period=HOUR)
    if cause == "stress":
        story.market(WAD // 2)
        story.poke()
        story.poke(after=DAY)
    else:
        story.source(cause, 9 * WAD // 10)
        story.poke()
    assert story.look().state.condition == BROKEN
    story.market(WAD)
    story.source("rate", WAD)
    story.source("backing", WAD)


@pytest.mark.parametrize("cause", ["rate", "backing", "stress"])
def test_broken__cause_gone__stays_until_cleared(story, cause):
    break_it(story, cause)
    story.poke()
    for after in (1, HOUR, 30 * DAY):
        seen = story.poke(after=after)
        assert (seen.state.condition, changes(seen)) == (BROKEN, [])
        assert (seen.value.condition, seen.value.initial_price) == (BROKEN, 0)
        assert seen.value.maintenance_price > 0
    assert seen.state.stress == 0
    seen = story.configure()
    assert seen.state.condition == BROKEN
    seen = story.clear()
    assert (seen.result, seen.events[0]) == (None, ("PegCleared", "LST"))
    assert seen.state.condition == seen.value.condition == SOUND
    assert seen.value.initial_price == seen.value.maintenance_price == 1_900 * WAD


# ---------------------------------------------------------------- clear


def test_clear__not_the_governor__reverts(story):
    story.configure()
    stranger = story.stage.stranger
    seen = story.clear(sender=stranger)
    assert seen.result == ("RoleRegistry_MissingRole", stranger, "GOVERNOR")
    assert seen.events == ()


def test_clear__unknown_asset__reverts(story):
    assert story.clear().result == ("PegMonitor_UnknownAsset", "LST")


@pytest.mark.parametrize("cause", ["backing", "stress"])
def test_clear__cause_still_there__broken_again(story, cause):
    break_it(story, cause)
    if cause == "backing":
        story.source("backing", 9 * WAD // 10)
        seen = story.clear()
    else:
        seen = story.clear(after=0)
        assert seen.state.stress == WAD
    assert seen.state.condition == BROKEN
    # It never was anything else to those who listen.
    assert changes(seen) == []


def test_clear__rate_fallen__counts_from_where_it_is(story):
    story.configure()
    story.source("rate", WAD * 9 // 10)
    story.poke()
    seen = story.clear()
    assert seen.state.condition == SOUND
    assert seen.state.highest_rate == WAD * 9 // 10
    story.source("rate", WAD * 8_955 // 10_000)  # half a per cent below 0.9
    assert story.poke().state.condition == SOUND
    story.source("rate", WAD * 8_955 // 10_000 - 1)
    assert story.poke().state.condition == BROKEN


def test_clear__keeps_stress_and_its_clock(story):
    story.configure()
    story.market(WAD * 9 // 10)
    story.poke()
    seen = story.clear(after=120)
    # 10 a day, of 0.09, for two minutes.
    assert seen.state.stress == 125 * WAD // 100_000
    assert seen.state.condition == WATCH


# ---------------------------------------------------------------- configure


def test_configure__another_rate_source__highest_rate_starts_anew(story):
    story.configure()
    story.source("rate", 2 * WAD)
    story.market(2 * WAD)
    story.poke()
    assert story.configure().state.highest_rate == 2 * WAD
    story.source("backing", WAD)  # answers as a rate as well
    seen = story.configure(rate_source="backing")
    assert (seen.state.fair_rate, seen.state.highest_rate) == (WAD, WAD)
    assert seen.state.condition == SOUND


def test_configure__old_rate_source_dead__is_replaced_and_stress_settled(story):
    story.configure()
    story.market(WAD * 9 // 10)
    story.poke()
    story.source("rate", 0, REVERT)
    seen = story.configure(after=240, rate_source="backing")
    assert seen.result is None
    # Four minutes at the last discount: 10 · 0.09 · 240 / 86,400, in two halves.
    assert seen.state.stress == 25 * WAD // 10_000


# ---------------------------------------------------------------- valuations between pokes


def test_valuation__stress_reaches_its_limit_between_pokes__broken_at_once(story):
    """A fresh state, but carried forward: within max_age, 0.00125 more."""
    story.configure(grace_stress=DEVNET.grace_stress)
    story.market(WAD * 9 // 10)
    story.poke()
    # 0.9 a day: 0.8995 after 86,352 s, 0.9 after 86,400 s.
    story.poke(after=86_352)
    seen = story.look(after=47)
    assert (seen.value.condition, seen.state.condition) == (STRESSED, STRESSED)
    assert seen.value.initial_price > 0
    seen = story.look(after=1)
    assert (seen.value.condition, seen.state.condition) == (BROKEN, STRESSED)
    assert seen.value.initial_price == 0


def test_valuation__old_state__sees_what_broke_since(story):
    story.configure()
    story.source("backing", WAD // 2)
    seen = story.look(after=120)
    assert seen.value.condition == SOUND
    seen = story.look(after=1)
    assert (seen.value.condition, seen.state.condition) == (BROKEN, SOUND)
    assert seen.value.initial_price == 0
