"""Where the monitor does not do what its documentation says; each goes when it is settled."""

from __future__ import annotations

import pytest

from bulkhead.model.peg_math import PegCondition
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.story import DAY, LST, WAD


@pytest.mark.xfail(reason="the last ratio stands in for both ends of the silence")
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
    assert seen.state.condition == PegCondition.WATCH
    assert seen.value.maintenance_price == 1_900 * WAD


@pytest.mark.usefixtures("_deployed")
@pytest.mark.xfail(reason="the last ratio stands in for both ends of the silence")
def test_poke__recovery_after_a_silence__real_oracle__charges_max_age_only(
    configured, prices, poke, stress, calls, monitor
):
    """The same over the real oracle, to which the way back up is a move that it wants to see twice.

    Two a day, of 0.59, for an hour is less than 0.05; the day of silence was at par.
    """
    configured()
    prices(ratio=WAD * 4 // 10)
    poke()
    prices(ratio=WAD)
    poke(after=DAY)
    poke()
    assert calls.call(monitor, "pegState", LST)[1] == WAD
    assert stress() <= WAD // 20


@pytest.mark.xfail(reason="between pokes only Broken is seen")
def test_valuation__stress_reaches_stressed_between_pokes__says_so(story):
    """The condition is to be that of the last poke, or worse by what is known now."""
    story.configure()
    story.market(WAD * 9 // 10)
    story.poke()
    # 0.9 a day reaches 0.3 after 28,800 s.
    story.poke(after=28_799)
    seen = story.look(after=1)
    assert seen.value.stress >= 3 * WAD // 10
    assert seen.value.condition == PegCondition.STRESSED


@pytest.mark.xfail(reason="a live view also goes by what became better")
def test_valuation__better_since_the_last_poke__keeps_its_condition(story):
    story.configure()
    story.market(WAD * 98 // 100)
    story.poke()
    story.market(WAD)
    seen = story.look(after=121)
    assert seen.state.condition == PegCondition.WATCH
    assert seen.value.condition == PegCondition.WATCH


@pytest.mark.xfail(reason="the event of a clearance begins at Sound, not at what was cleared")
def test_clear__condition_changes__event_says_from_what(story):
    story.configure()
    story.source("rate", WAD * 9 // 10)
    story.poke()
    story.market(WAD * 9 // 10)
    seen = story.clear()
    changed = [event for event in seen.events if event[0] == "PegConditionChanged"]
    assert changed == [("PegConditionChanged", "LST", PegCondition.BROKEN, PegCondition.SOUND)]


@pytest.mark.xfail(reason="what the oracle calls unknown takes the place of what was known")
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
