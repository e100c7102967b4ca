"""``docs/spec/peg.md`` is true: parameters, recognition times, the worked example, the wicks."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from bulkhead.model.peg_math import PegCondition, recognition
from tests.unit.peg.story import DAY, DEVNET, HOUR, WAD, Story

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "spec" / "peg.md").read_text(
    encoding="utf-8"
)
EXAMPLE = re.findall(r"^\| (\d+) \| (configure|poke|clear) \| (.+) \|$", TEXT, re.MULTILINE)
TIMES = re.findall(r"^\| (\d+) % \| (.+) \| (.+) \| (.+) \| (.+) \|$", TEXT, re.MULTILINE)
UNITS = {"d": DAY, "h": HOUR, "min": 60, "s": 1}


def wad(text: str) -> int:
    return int(Decimal(text) * WAD)


def seconds(text: str) -> int:
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+) (d|h|min|s)\b", text))


def rounded(value: int, digits: int) -> str:
    step = Decimal(1).scaleb(-digits)
    return str((Decimal(value) / WAD).quantize(step, rounding=ROUND_HALF_EVEN))


def test_parameters__of_the_page__are_those_played() -> None:
    table = TEXT.partition("## A worked example")[2].partition("## ")[0]
    stated = dict(re.findall(r"\| `(\w+)` \| ([\d.]+)(?: s)? (?=\|)", table))
    assert len(stated) == 16
    for name, value in stated.items():
        field = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        is_time = field in ("max_age", "decay_period", "free_delay")
        assert getattr(DEVNET, field) == (int(value) if is_time else wad(value)), name


def test_example__each_line__is_what_the_contract_does(story: Story) -> None:
    assert len(EXAMPLE) == 9
    before = 0
    for second, act, cells in EXAMPLE:
        market, *stated = cells.split(" | ")
        story.market(wad(market))
        seen = getattr(story, act)(after=int(second) - before)
        before = int(second)
        value = seen.value
        figures = (
            value.stress,
            recognition(DEVNET, value.stress),
            value.haircut,
            value.maintenance_haircut,
        )
        prices = (value.initial_price, value.maintenance_price)
        assert [
            *(rounded(figure, 4) for figure in figures),
            *(rounded(price, 2) for price in prices),
            PegCondition(seen.state.condition).name.title(),
        ] == stated


@pytest.mark.parametrize("row", TIMES, ids=lambda row: f"{row[0]} %")
def test_recognition_times__of_the_page__are_met_to_the_second(stage, row) -> None:
    """Whatever the poking: at once, or in thirty pieces, each of which may round up twice."""
    discount, *times = row
    grace, stressed, broken, full = map(seconds, times)

    def after(lasted: int, pokes: int):
        story = Story(stage, is_lazy=True)
        story.configure()
        story.market(WAD - int(discount) * WAD // 100)
        story.poke()
        for start, end in pairwise(lasted * i // pokes for i in range(pokes + 1)):
            story.poke(after=end - start)
        return story.play()[-1].value

    for pokes in (1, 30):
        assert recognition(DEVNET, after(grace - 1, pokes).stress) == 0
        assert recognition(DEVNET, after(grace + 1, pokes).stress) > 0
        assert after(stressed - 1, pokes).condition == PegCondition.WATCH
        assert after(stressed, pokes).condition == PegCondition.STRESSED
        assert after(broken - 1, pokes).condition == PegCondition.STRESSED
        assert after(broken, pokes).condition == PegCondition.BROKEN
        assert after(full - 1, pokes).stress < WAD
        assert after(full, pokes).stress == WAD


def test_times__of_the_page__are_for_four_discounts() -> None:
    assert [int(row[0]) for row in TIMES] == [2, 5, 10, 20]


def test_wicks__to_zero_in_a_row__the_third_is_recognised(story: Story) -> None:
    """Each is poked once and lasts, as far as anyone knows, for ``maxAge``."""
    story.configure()
    recognised = []
    for _ in range(3):
        story.market(1)  # wei; the oracle knows no price of nothing
        story.poke(after=0)
        story.market(WAD)
        value = story.poke(after=120).value
        recognised.append(recognition(DEVNET, value.stress))
        assert (value.maintenance_price == 1_900 * WAD) == (recognised[-1] == 0)
    assert value.stress == 3 * 1_375 * WAD // 100_000
    assert recognised[:2] == [0, 0]
    assert rounded(recognised[2], 4) == "0.0116"


@pytest.mark.parametrize(("depth", "number"), [(100, 24), (20, 108), (10, 195)])
def test_wicks__every_day__stress_rises_from_the_number_stated(depth, number) -> None:
    assert re.search(rf"\b{number} (wicks to zero a day|of {depth} %)", TEXT)
    gain = DEVNET.stress_per_day * (depth * WAD // 100 - DEVNET.deadband) // WAD

    def change(wicks: int) -> int:
        lasted = wicks * DEVNET.max_age
        return gain * lasted // DAY - WAD * (DAY - lasted) // DEVNET.decay_period

    assert change(number - 1) < 0 < change(number)
