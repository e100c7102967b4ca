"""What reviews found wrong in the monitor, so that it stays right."""

from __future__ import annotations

from bulkhead.model.peg_math import PegCondition
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.story import DAY, WAD


def test_poke__silence_ends_in_an_unconfirmed_market__charges_max_age_only(story):
    """A wick is observed once; a day later the market is back at par, but not confirmed yet."""
    story.configure()
    story.market(WAD // 2)
    story.poke()
    story.market(WAD, PriceStatus.UNCONFIRMED)
    story.poke(after=DAY)
    story.market(WAD)
    seen = story.poke()
    # Ten a day, of 0.49, for two minutes and the last second.
    assert seen.state.stress <= 10 * 49 * WAD // 100 * 121 // DAY + 3
    # The day after decayed all of it.
    assert (seen.state.stress, seen.state.condition) == (0, PegCondition.SOUND)
    assert seen.value.maintenance_price == 1_900 * WAD


def test_valuation__stress_reaches_stressed_between_pokes__seen_once_the_state_is_old(story):
    story.configure()
    story.market(WAD * 9 // 10)
    story.poke()
    # 0.9 a day reaches 0.3 after 28,800 s.
    story.poke(after=28_799)
    seen = story.look(after=1)
    assert 0 <= seen.value.stress - 3 * WAD // 10 <= 2
    assert seen.value.condition == PegCondition.WATCH
    assert story.look(after=121).value.condition == PegCondition.STRESSED


def test_valuation__better_since_the_last_poke__keeps_its_condition(story):
    story.configure()
    story.market(WAD * 98 // 100)
    story.poke()
    story.market(WAD)
    seen = story.look(after=121)
    assert seen.state.condition == PegCondition.WATCH
    assert seen.value.condition == PegCondition.WATCH


def test_clear__condition_changes__event_says_from_what(story):
    story.configure()
    story.source("rate", WAD * 9 // 10)
    story.poke()
    story.market(WAD * 9 // 10)
    seen = story.clear()
    changed = [event for event in seen.events if event[0] == "PegConditionChanged"]
    assert changed == [("PegConditionChanged", "LST", PegCondition.BROKEN, PegCondition.SOUND)]


def test_poke__derived_ratio_loses_its_price__stress_goes_on(story):
    """A derived asset may answer a stale zero: what was known last is to stand in for it."""
    story.configure()
    story.market(WAD * 9 // 10)
    story.poke()
    story.market(0, PriceStatus.STALE)
    story.poke(after=60)
    seen = story.poke(after=DAY)
    assert seen.state.market_rate == WAD * 9 // 10
    assert seen.state.stress > WAD * 9 // 10
