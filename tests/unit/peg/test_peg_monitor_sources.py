"""What a failing source leaves: the last known value and a status that says so; no revert."""

from __future__ import annotations

import pytest

from bulkhead.model.peg_math import PegCondition
from bulkhead.model.prices import PriceStatus
from tests.unit.peg.story import (
    BURN_GAS,
    DAY,
    NO_ANSWER,
    RETURN_BOMB,
    REVERT,
    REVERT_BOMB,
    SHORT_ANSWER,
    SOURCES,
    WAD,
)

STALE, UNCONFIRMED, DEGRADED, VALID = PriceStatus
FAILURES = (REVERT, BURN_GAS, REVERT_BOMB, SHORT_ANSWER, NO_ANSWER)
LAST = {"rate": 102 * WAD // 100, "backing": 995 * WAD // 1_000, "queue": 5 * DAY}
FIELD = {"rate": "fair_rate", "backing": "backing", "queue": "redemption_delay"}
INTRINSIC = 59 * WAD // 1_000
"""0.05 + 0.005 of shortfall + two days beyond the free ones at 0.002."""


@pytest.fixture
def known(story):
    """A peg whose sources have each said something that is not the default."""
    story.configure()
    story.market(102 * WAD // 100)
    for name, answer in LAST.items():
        story.source(name, answer)
    story.poke()
    return story


@pytest.mark.parametrize("mode", FAILURES)
@pytest.mark.parametrize(
    ("name", "status"), [("rate", STALE), ("backing", DEGRADED), ("queue", DEGRADED)]
)
def test_poke__source_fails__last_value_and_its_status(known, name, status, mode):
    known.source(name, 7, mode)
    seen = known.poke(after=10)
    assert getattr(seen.state, FIELD[name]) == LAST[name]
    assert (seen.state.status, seen.value.status) == (status, status)
    assert seen.state.intrinsic_haircut == seen.value.maintenance_haircut == INTRINSIC
    # 1.02 · (1 - 0.059) · 2,000
    assert seen.value.initial_price == seen.value.maintenance_price == 191_964 * WAD // 100
    # A view that looks for itself says the same.
    seen = known.look(after=1_000)
    assert (seen.value.status, seen.value.maintenance_haircut) == (status, INTRINSIC)
    # And it is over when the source is back.
    known.source(name, LAST[name])
    assert known.poke().state.status == VALID


def test_poke__every_source_fails__valuation_stands(known):
    for name in SOURCES:
        known.source(name, 0, BURN_GAS)
    seen = known.poke()
    assert seen.state.status == STALE
    assert seen.value.maintenance_price == 191_964 * WAD // 100


@pytest.mark.parametrize("name", SOURCES)
def test_poke__bomb_that_begins_with_an_answer__is_an_answer(known, name):
    known.source(name, LAST[name] + 1, RETURN_BOMB)
    seen = known.poke()
    assert getattr(seen.state, FIELD[name]) == LAST[name] + 1
    assert seen.state.status == VALID


@pytest.mark.parametrize("rate", [2**64, 2**128, 2**256 - 1])
def test_poke__rate_that_does_not_fit__is_no_answer(known, rate):
    known.source("rate", rate)
    seen = known.poke()
    assert (seen.state.fair_rate, seen.state.highest_rate) == (LAST["rate"], LAST["rate"])
    assert (seen.state.status, seen.state.condition) == (STALE, PegCondition.WATCH)


def test_poke__largest_rate__is_taken(known):
    known.source("rate", 2**64 - 1)
    seen = known.poke()
    assert (seen.state.fair_rate, seen.state.status) == (2**64 - 1, VALID)


def test_poke__backing_above_one__is_one(known):
    for backing in (WAD + 1, 2**256 - 1):
        known.source("backing", backing)
        assert known.poke().state.backing == WAD


def test_poke__delay_above_32_bits__saturates(known):
    known.source("queue", 2**32)
    seen = known.poke()
    assert seen.state.redemption_delay == 2**32 - 1
    assert seen.state.intrinsic_haircut == seen.value.maintenance_haircut == WAD // 2


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("mode", FAILURES)
def test_configure__source_does_not_answer__reverts(story, name, mode):
    story.source(name, 1, mode)
    seen = story.configure()
    assert seen.result == ("PegMonitor_SourceFailed", story.addresses[name])
    assert seen.state == ("PegMonitor_UnknownAsset", "LST")
    assert seen.events == ()
    # Refused the second time as well, when there are rules, which stay.
    story.source(name, WAD)
    story.configure()
    story.source(name, 1, mode)
    seen = story.configure(base_haircut=0)
    assert seen.result == ("PegMonitor_SourceFailed", story.addresses[name])
    assert seen.state.intrinsic_haircut >= WAD // 20


def test_configure__rate_that_does_not_fit__reverts(story):
    story.source("rate", 2**64)
    seen = story.configure()
    assert seen.result == ("PegMonitor_SourceFailed", story.addresses["rate"])
    story.source("rate", 2**64 - 1)
    assert story.configure().result is None


def test_configure__several_do_not_answer__names_the_first(story):
    for name in SOURCES:
        story.source(name, 0, REVERT)
    assert story.configure().result[1] == story.addresses["rate"]
    story.source("rate", WAD)
    assert story.configure().result[1] == story.addresses["backing"]


def test_poke__no_sources__one_one_and_no_delay(story):
    none = "0x" + "00" * 20
    seen = story.configure(rate_source=none, backing_source=none, queue=none)
    state = seen.state
    assert (state.fair_rate, state.backing, state.redemption_delay) == (WAD, WAD, 0)
    assert (state.status, state.condition) == (VALID, PegCondition.SOUND)


# ---------------------------------------------------------------- the underlying


def test_valuation__no_underlying__is_the_settlement_unit(story):
    """A stablecoin: worth its rate, whatever the oracle says of anything else."""
    story.price("ETH", 3 * WAD, STALE)
    story.market(99 * WAD // 100)
    seen = story.configure(underlying="")
    assert (seen.value.market_price, seen.value.status) == (99 * WAD // 100, VALID)
    # 0.99 · (1 - 0.05 - 0.5 · 0.01); 1 - 0.05.
    assert seen.value.initial_price == 99 * 945 * WAD // 100_000
    assert seen.value.maintenance_price == 95 * WAD // 100


@pytest.mark.parametrize("status", PriceStatus)
def test_valuation__underlying__passes_on_its_status(story, status):
    story.configure()
    story.price("ETH", 1_000 * WAD, status)
    seen = story.look()
    assert (seen.value.status, seen.value.maintenance_price) == (status, 950 * WAD)


# ---------------------------------------------------------------- the market's status


@pytest.mark.parametrize("status", [DEGRADED, VALID])
def test_valuation__firm_market__is_recorded_and_kept_for_max_age(story, status):
    story.configure()
    story.market(98 * WAD // 100, status)
    story.poke()
    story.market(97 * WAD // 100)
    seen = story.look(after=120)
    assert (seen.value.discount, seen.value.status) == (2 * WAD // 100, status)
    assert story.look(after=1).value.discount == 3 * WAD // 100


def test_poke__unconfirmed_market__is_not_looked_at(story):
    story.configure()
    story.market(95 * WAD // 100)
    story.poke()
    story.market(WAD // 2, UNCONFIRMED)
    seen = story.poke()
    assert (seen.state.market_rate, seen.state.status) == (95 * WAD // 100, UNCONFIRMED)
    assert (seen.value.discount, seen.value.status) == (5 * WAD // 100, UNCONFIRMED)
    # Not firm: a view looks for itself at once, and sees the confirmed one in the same second.
    story.market(WAD // 2)
    seen = story.look()
    assert (seen.value.discount, seen.value.status) == (WAD // 2, VALID)
    assert seen.state.market_rate == 95 * WAD // 100


def test_poke__market_stale__keeps_the_clock_running(story):
    story.configure()
    story.market(90 * WAD // 100)
    story.poke()
    story.market(90 * WAD // 100, STALE)
    seen = story.poke(after=DAY)
    assert (seen.state.stress, seen.state.status) == (9 * WAD // 10, STALE)


def test_configure__market_never_priced__stress_stands_still(story):
    """Nothing is lent on it, and no clock runs against a token that was only just listed."""
    story.market(0, STALE)
    seen = story.configure()
    assert (seen.state.market_rate, seen.state.condition) == (0, PegCondition.WATCH)
    seen = story.poke(after=DAY)
    assert (seen.state.stress, seen.value.stress, seen.value.discount) == (0, 0, WAD)
    assert (seen.value.initial_price, seen.value.maintenance_price) == (0, 1_900 * WAD)
    story.market(WAD, UNCONFIRMED)
    assert story.poke().state.market_rate == 0
    story.market(WAD)
    seen = story.poke()
    assert (seen.state.stress, seen.state.condition) == (0, PegCondition.SOUND)


def test_configure__market_unknown_to_the_oracle__reverts(story):
    seen = story.configure(market_ratio="NONE")
    assert seen.result == ("OracleAggregator_UnknownAsset", "NONE")
    seen = story.configure(underlying="NONE")
    assert seen.result == ("OracleAggregator_UnknownAsset", "NONE")
