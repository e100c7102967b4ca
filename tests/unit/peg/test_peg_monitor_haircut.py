"""Recognition, intrinsic haircut, both haircuts and valuations, in numbers worked out by hand."""

from __future__ import annotations

import pytest

from bulkhead.model.peg_math import PegCondition
from tests.unit.peg.story import DAY, DEVNET, WAD

MILLI = WAD // 1_000


def after_a_depeg(story, ratio, seconds, **rules):
    """A peg that has been at a ratio for so long, poked at both ends."""
    story.configure(**rules)
    story.market(ratio)
    story.poke()
    return story.poke(after=seconds)


# ---------------------------------------------------------------- recognition


def test_recognition__up_to_the_grace__is_nothing(story):
    """0.09 above the dead-band is 0.9 a day: 0.03 after 2,880 seconds."""
    seen = after_a_depeg(story, 900 * MILLI, 2_880)
    assert seen.value.stress == DEVNET.grace_stress
    assert seen.value.maintenance_haircut == 50 * MILLI
    assert seen.value.maintenance_price == 1_900 * WAD
    # The first wei beyond it counts: w = 1 / 0.97 wei, rounded up to two.
    seen = story.look(after=1)
    assert seen.value.maintenance_haircut > 50 * MILLI
    assert seen.value.maintenance_price < 1_900 * WAD


def test_recognition__beyond_the_grace__is_linear_to_one(story):
    """Stress 0.515 is half of the way from 0.03 to 1: (0.515 - 0.03) / 0.97."""
    seen = after_a_depeg(story, 900 * MILLI, 49_440)
    value = seen.value
    assert (value.stress, value.condition) == (515 * MILLI, PegCondition.STRESSED)
    # Initial: 0.05 + 0.5 · 0.1 + 0.15 · 0.5; of the market's 1,800.
    assert value.haircut == 175 * MILLI
    assert value.initial_price == 1_485 * WAD
    # Maintenance: 0.05 + 0.5 · 0.1 · 0.5 + 0.15 · 0.5; of half-way between 2,000 and 1,800.
    assert value.maintenance_haircut == 150 * MILLI
    assert value.maintenance_price == 1_615 * WAD


def test_recognition__full_stress__market_less_everything(story):
    seen = after_a_depeg(story, 900 * MILLI, 2 * DAY)
    value = seen.value
    assert (value.stress, value.condition) == (WAD, PegCondition.BROKEN)
    # 0.05 + 0.05 + 0.15, of 1,800; nothing for what is new.
    assert value.haircut == value.maintenance_haircut == 250 * MILLI
    assert (value.initial_price, value.maintenance_price) == (0, 1_350 * WAD)


def test_recognition__not_whole__rounds_up(story):
    """Stress 0.1: w = 0.07 / 0.97 = 0.0721649484536082474…"""
    seen = after_a_depeg(story, 900 * MILLI, 9_600)
    assert seen.value.stress == 100 * MILLI
    recognised = 72_164_948_453_608_248  # …247.42, up
    lasting = 7_216_494_845_360_825  # a tenth of it: …824.8, up; half of that and 0.15 w: up
    haircut = 50 * MILLI + 3_608_247_422_680_413 + 10_824_742_268_041_238
    assert seen.value.maintenance_haircut == haircut
    assert seen.value.haircut == 100 * MILLI + 10_824_742_268_041_238
    blend = WAD * (WAD - recognised) + 900 * MILLI * recognised
    assert lasting * 5 % 10 == 5
    assert seen.value.maintenance_price == blend * (WAD - haircut) * 2_000 // WAD**2


def test_recognition__wick_and_a_silence__charged_for_max_age(story):
    """Ten a day of 0.49 for two minutes; then a minute's decay of the three days'."""
    story.configure()
    story.market(500 * MILLI)
    story.poke()
    story.market(WAD)
    seen = story.poke(after=180)
    assert seen.state.stress == 6_805_555_555_555_556 - 231_481_481_481_481
    assert seen.value.maintenance_price == 1_900 * WAD


# ---------------------------------------------------------------- intrinsic


@pytest.mark.parametrize(
    ("shortfall", "delay", "expected"),
    [
        (0, 0, 50 * MILLI),
        (0, 3 * DAY, 50 * MILLI),
        (0, 3 * DAY + 1, 50 * MILLI + 23_148_148_149),  # 0.002 / 86,400 = 2.3148148148…e-8
        (0, 4 * DAY, 52 * MILLI),
        (0, 13 * DAY, 70 * MILLI),
        (10 * MILLI, 0, 60 * MILLI),
        (1, 0, 50 * MILLI + 1),
        (10 * MILLI, 4 * DAY, 62 * MILLI),
        (450 * MILLI, 0, 500 * MILLI),
        (450 * MILLI, 4 * DAY, 500 * MILLI),
        (WAD, 2**32 - 1, 500 * MILLI),
    ],
)
def test_intrinsic__shortfall_and_delay__add_up_to_the_cap(story, shortfall, delay, expected):
    story.configure(max_shortfall=WAD - 1)
    story.source("backing", WAD - shortfall)
    story.source("queue", delay)
    seen = story.poke()
    assert seen.state.intrinsic_haircut == expected
    assert seen.value.haircut == seen.value.maintenance_haircut == expected
    assert seen.value.maintenance_price == (WAD - expected) * 2_000
    broken = WAD - shortfall == 0  # only a shortfall above 0.999… is
    assert seen.value.initial_price == (0 if broken else (WAD - expected) * 2_000)


def test_intrinsic__slopes__round_up(story):
    story.configure(backing_slope=1, delay_slope=1)
    story.source("backing", WAD - 1)
    story.source("queue", 3 * DAY + 1)
    assert story.poke().state.intrinsic_haircut == 50 * MILLI + 2


def test_haircut__cap__holds_for_both(story):
    seen = after_a_depeg(story, 400 * MILLI, 60)
    # 0.05 + 0.5 · 0.6 is below the cap of 0.5.
    assert (seen.value.haircut, seen.value.maintenance_haircut) == (350 * MILLI, 50 * MILLI)
    seen = story.poke(after=DAY)
    # 0.05 + 0.3 + 0.15, and the same: exactly the cap.
    assert (seen.value.haircut, seen.value.maintenance_haircut) == (500 * MILLI, 500 * MILLI)
    story.market(200 * MILLI)
    seen = story.poke()
    assert (seen.value.haircut, seen.value.maintenance_haircut) == (500 * MILLI, 500 * MILLI)
    # Half of the market's 400; the initial one is nothing as it is broken.
    assert (seen.value.maintenance_price, seen.value.initial_price) == (200 * WAD, 0)


def test_haircut__intrinsic__adds_to_the_market_part(story):
    story.configure()
    story.source("backing", 990 * MILLI)
    story.source("queue", 4 * DAY)
    story.market(900 * MILLI)
    seen = story.poke()
    assert (seen.value.haircut, seen.value.maintenance_haircut) == (112 * MILLI, 62 * MILLI)
    assert (seen.value.initial_price, seen.value.maintenance_price) == (
        1_598_400 * MILLI,
        1_876 * WAD,
    )


# ---------------------------------------------------------------- events


def test_poked__event__carries_discount_and_initial_haircut(story):
    story.configure()
    story.market(900 * MILLI)
    seen = story.poke()
    poked, changed = seen.events
    assert poked[:2] == ("PegPoked", "LST")
    assert poked[2] == seen.result
    assert poked[3:] == (100 * MILLI, 100 * MILLI)
    assert changed == ("PegConditionChanged", "LST", PegCondition.SOUND, PegCondition.WATCH)
    assert [event[0] for event in story.poke().events] == ["PegPoked"]
