"""The monitor against its twin: every value, event, revert and view of generated histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model.peg_math import PegCondition, PegConfig
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.story import DAY, DEVNET, NO_ANSWER, NORMAL, WAD, Seen, Stage, Story
from tests.unit.peg.strategies import configs, prices, rates, silences, states

BOUNDED = (
    "max_age",
    "decay_period",
    "deadband",
    "stress_per_day",
    "grace_stress",
    "discount_slope",
    "stress_slope",
    "max_haircut",
    "broken_at",
    "max_rate_fall",
    "backing_slope",
    "delay_slope",
    "base_haircut",
    "stressed_at",
    "max_shortfall",
)
AROUND_BOUNDS = (0, 1, 3_599, DAY + 1, WAD - 1, WAD, WAD + 1, 10 * WAD, 10 * WAD + 1)
ZERO = "0x" + "00" * 20


@st.composite
def rules(draw: st.DrawFn) -> PegConfig:
    """Rules, most of them valid; some without one source, or without an underlying."""
    config = draw(configs()) if draw(st.booleans()) else DEVNET
    odd = draw(st.integers(0, 9))
    if odd == 0:
        name = draw(st.sampled_from(BOUNDED))
        wrong = draw(st.sampled_from(AROUND_BOUNDS))
        if name not in ("max_age", "decay_period") or wrong < 2**32:
            config = replace(config, **{name: wrong})
    elif odd == 1:
        name = draw(st.sampled_from(("rate_source", "backing_source", "queue")))
        config = replace(config, **{name: draw(st.sampled_from((ZERO, "rate", "backing")))})
    elif odd == 2:
        config = replace(config, underlying=draw(st.sampled_from(("", "NONE"))))
    return config


markets = st.integers(9 * WAD // 10, WAD) | rates | st.integers(0, 2**128 - 1)
mostly_valid = st.sampled_from([*PriceStatus, PriceStatus.VALID, PriceStatus.VALID])
answers = {
    "rate": st.integers(99 * WAD // 100, 102 * WAD // 100) | rates | st.sampled_from([2**64]),
    "backing": st.integers(98 * WAD // 100, WAD) | st.integers(0, 2 * WAD) | st.just(2**256 - 1),
    "queue": st.integers(0, 6 * DAY) | st.sampled_from([0, 2**32 - 1, 2**32, 2**256 - 1]),
}
modes = st.sampled_from([NORMAL] * 6 + list(range(1, NO_ANSWER + 1)))
changes = st.one_of(
    st.tuples(st.just("market"), markets, mostly_valid),
    st.tuples(st.just("market"), markets, mostly_valid),
    st.tuples(st.just("price"), st.just("ETH"), prices, mostly_valid),
    *(st.tuples(st.just("source"), st.just(n), a, modes) for n, a in answers.items()),
)
acts = st.one_of(
    st.just(("poke",)),
    st.just(("poke",)),
    st.just(("look",)),
    st.just(("clear",)),
    st.tuples(st.just("configure"), rules()),
)
steps = st.tuples(st.lists(changes, max_size=2), silences, acts)
histories = st.tuples(rules(), st.lists(steps, min_size=2, max_size=7))


def play(stage: Stage, history: tuple[PegConfig, list[Any]]) -> list[Seen]:
    """Play a history on contract and twin, which are compared at each step."""
    first, following = history
    story = Story(stage, is_lazy=True)
    story.configure(base=first)
    for changed, after, (act, *arguments) in following:
        for name, *values in changed:
            getattr(story, name)(*values)
        if act == "configure":
            story.configure(after=after, base=arguments[0])
        else:
            getattr(story, act)(after=after)
    return story.play()


@settings(max_examples=2_000, deadline=None)
@given(history=histories)
def test_history__of_any_kind__equals_the_twin(stage, history):
    """And on the way: no poke of a known peg and no valuation reverts, none is out of order."""
    names = ("configure", *(act[0] for _, _, act in history[1]))
    for act, seen in zip(names, play(stage, history), strict=True):
        if isinstance(seen.state, tuple):
            assert seen.state == seen.value == ("PegMonitor_UnknownAsset", "LST")
            continue
        assert seen.value.initial_price <= seen.value.maintenance_price
        if act == "poke":
            assert len(seen.result) == 10


@given(
    config=configs(),
    state=states(),
    condition=st.sampled_from(PegCondition),
    status=st.sampled_from(PriceStatus),
    age=silences,
    said=st.tuples(markets, mostly_valid, prices, mostly_valid),
    answered=st.tuples(*(st.tuples(answer, modes) for answer in answers.values())),
)
def test_valuation_and_poke__any_state__equal_the_twin(
    stage, config, state, condition, status, age, said, answered
):
    """Whatever is recorded, however it came to be so: nothing reverts."""
    story = Story(stage, is_lazy=True)
    state = replace(state, condition=condition, status=status, poked_at=story.now - age)
    story.impose(config, state)
    story.market(*said[:2])
    story.price("ETH", *said[2:])
    for name, (answer, mode) in zip(answers, answered, strict=True):
        story.source(name, answer, mode)
    story.look()
    story.poke(after=1)
    looked, poked = story.play()
    for seen in (looked, poked):
        assert seen.value.initial_price <= seen.value.maintenance_price
    assert len(poked.result) == 10
