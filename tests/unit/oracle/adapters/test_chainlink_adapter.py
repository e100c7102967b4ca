"""A Chainlink feed as a price source: completeness of the round, sign, bounds, age, scale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import Reverted, outcome
from bulkhead.model.sources import LARGEST_ANSWER, ChainlinkAdapter
from tests.unit.oracle.conftest import DEFAULTS, as_tuple

WAD = 10**18
STALE, VALID = 0, 3
FLOOR, CEILING = 10, 10**12
HEARTBEAT = 3_600
WEEK = 7 * 86_400


@pytest.fixture(scope="module")
def feed(project, governor):
    return governor.deploy(project.DevAggregatorV3, 8, "ETH / USD")


@pytest.fixture(scope="module")
def adapter(project, governor, feed):
    return governor.deploy(project.ChainlinkAdapter, feed, FLOOR, CEILING, HEARTBEAT)


@pytest.fixture(scope="module", autouse=True)
def _deployed(adapter, aggregator, sources):
    """Deploy before any test's own state, so that a test's rollback never reaches these."""


@pytest.fixture
def read(calls, adapter, feed, chain):
    """What the adapter answers over an answer that is so many seconds old."""

    def _read(answer, age=0):
        updated_at = (chain.blocks.head.timestamp - age) % 2**256
        slots = {3: 1, 4: answer % 2**256, 5: updated_at, 6: updated_at, 7: 1}
        return outcome(lambda: calls.call(adapter, "latest", overrides={feed.address: slots}))

    return _read


@pytest.fixture
def round_of(feed, governor):
    def _round_of(round_id, answer, updated_at, answered_in_round):
        feed.setRound(round_id, answer, updated_at, updated_at, answered_in_round, sender=governor)

    return _round_of


def test_deploy__feed_without_code__reverts(project, calls, stranger):
    error = outcome(lambda: calls.deploy(project.ChainlinkAdapter, stranger, 0, 2, 1))
    assert error == ("ChainlinkAdapter_NotAContract", stranger.address.lower())


def test_deploy__more_than_18_decimals__reverts(project, calls, governor):
    feed = governor.deploy(project.DevAggregatorV3, 19, "X")
    error = outcome(lambda: calls.deploy(project.ChainlinkAdapter, feed, 0, 2, 1))
    assert error == ("ChainlinkAdapter_UnsupportedDecimals", 19, 18)


@pytest.mark.parametrize(
    "bounds",
    [
        (-1, 2),
        (0, 1),
        (5, 6),
        (5, 5),
        (5, 4),
        (0, LARGEST_ANSWER + 1),
        (0, 2**255 - 1),
        (2**255 - 1, -(2**255)),
        (-(2**255), 2**255 - 1),
    ],
)
def test_deploy__bounds_that_leave_no_answer_or_are_beyond_any__reverts(
    project, calls, feed, bounds
):
    error = outcome(lambda: calls.deploy(project.ChainlinkAdapter, feed, *bounds, HEARTBEAT))
    assert error == ("ChainlinkAdapter_AnswerBounds", *bounds, LARGEST_ANSWER)


@pytest.mark.parametrize("bounds", [(0, 2), (5, 7), (0, LARGEST_ANSWER)])
def test_deploy__bounds_at_their_limits__accepts(project, calls, feed, bounds):
    calls.deploy(project.ChainlinkAdapter, feed, *bounds, HEARTBEAT)


@pytest.mark.parametrize("heartbeat", [0, WEEK + 1])
def test_deploy__heartbeat_out_of_bounds__reverts(project, calls, feed, heartbeat):
    error = outcome(lambda: calls.deploy(project.ChainlinkAdapter, feed, 0, 2, heartbeat))
    assert error == ("ChainlinkAdapter_Heartbeat", heartbeat, 1, WEEK)


def test_deploy__valid__shows_its_parameters(calls, adapter):
    shown = [calls.call(adapter, name) for name in ("minAnswer", "maxAnswer", "heartbeat")]
    assert shown == [FLOOR, CEILING, HEARTBEAT]


@pytest.mark.parametrize("answer", [1, FLOOR - 1, FLOOR, CEILING, CEILING + 1, LARGEST_ANSWER])
def test_latest__answer_at_or_beyond_a_bound__reverts(read, answer):
    assert read(answer) == ("ChainlinkAdapter_AnswerOutOfRange", answer, FLOOR, CEILING)


@pytest.mark.parametrize("answer", [FLOOR + 1, CEILING - 1])
def test_latest__answer_next_to_a_bound__is_a_price(read, answer):
    assert read(answer)[0] == answer * 10**10


def test_latest__answer_as_old_as_the_heartbeat__is_a_price(read):
    assert read(100, HEARTBEAT)[0] == 100 * 10**10


@pytest.mark.parametrize("age", [HEARTBEAT + 1, 30 * 86_400])
def test_latest__answer_older_than_the_heartbeat__reverts(read, age):
    assert read(100, age) == ("ChainlinkAdapter_MissedHeartbeat", age, HEARTBEAT)


def test_latest__answer_from_the_future__is_left_to_the_aggregator(read, chain):
    now = chain.blocks.head.timestamp
    assert read(100, -5) == (100 * 10**10, 0, now + 5)
    assert read(100, now + 1) == (100 * 10**10, 0, 2**256 - 1)


def test_aggregate__min_answer_scenario__feed_stuck_at_its_floor_loses_its_vote(
    governor, calls, feed, adapter, aggregator
):
    """LUNA in May 2022: the feed stood at its floor of 0.10 while the token traded for less, and
    lenders went on to lend against it. Here the stuck feed is silent, and the price is stale."""
    luna = b"LUNA".ljust(32, b"\0")
    listed = [(adapter.address, 10_000)]
    rules = replace(DEFAULTS, max_staleness=HEARTBEAT, max_cache_age=0)
    aggregator.configure(luna, as_tuple(rules), listed, sender=governor)
    feed.setAnswer(FLOOR + 1, sender=governor)
    aggregator.record(luna, sender=governor)
    assert calls.call(aggregator, "latest", luna)[::4] == ((FLOOR + 1) * 10**10, VALID)
    feed.setAnswer(FLOOR, sender=governor)
    assert calls.call(aggregator, "aggregate", luna)[4] == STALE
    aggregator.record(luna, sender=governor)
    assert calls.call(aggregator, "latest", luna)[4] == STALE


def test_latest__gas(governor, feed, adapter):
    feed.setAnswer(100, sender=governor)
    used = adapter.latest.estimate_gas_cost(sender=governor) - 21_000
    print("ChainlinkAdapter.latest:", used)
    assert used < 25_000


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_latest__any_decimals__scales_to_wad(project, governor, calls, decimals):
    feed = governor.deploy(project.DevAggregatorV3, decimals, "X")
    adapter = governor.deploy(project.ChainlinkAdapter, feed, 0, LARGEST_ANSWER, HEARTBEAT)
    feed.setAnswer(3 * 10**decimals, sender=governor)
    updated_at = calls.call(feed, "latestRoundData")[3]
    assert calls.call(adapter, "latest") == (3 * WAD, 0, updated_at)
    assert calls.call(adapter, "feed") == feed.address.lower()


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_latest__answer_not_positive__reverts(calls, adapter, round_of, answer):
    round_of(5, answer, 1_000, 5)
    with pytest.raises(Reverted) as caught:
        calls.call(adapter, "latest")
    assert (caught.value.name, *caught.value.args) == ("ChainlinkAdapter_NonPositiveAnswer", answer)


@pytest.mark.parametrize(("updated_at", "answered_in_round"), [(0, 5), (1_000, 4)])
def test_latest__round_incomplete__reverts(calls, adapter, round_of, updated_at, answered_in_round):
    round_of(5, 100, updated_at, answered_in_round)
    with pytest.raises(Reverted) as caught:
        calls.call(adapter, "latest")
    assert caught.value.name == "ChainlinkAdapter_IncompleteRound"
    assert caught.value.args == (5, answered_in_round, updated_at)


@pytest.mark.parametrize("mode", [1, 2])
def test_latest__feed_down_or_burning_gas__reverts(calls, feed, adapter, governor, mode):
    feed.setMode(mode, sender=governor)
    with pytest.raises(Reverted):
        calls.call(adapter, "latest")


@settings(max_examples=60, deadline=None)
@given(
    round_id=st.integers(0, 3),
    answer=st.integers(-3, 15)
    | st.integers(CEILING - 3, CEILING + 3)
    | st.integers(-(2**255), 2**255 - 1),
    updated_at=st.integers(0, 2) | st.integers(0, 2**256 - 1),
    age=st.none() | st.integers(-2, 2) | st.integers(HEARTBEAT - 2, HEARTBEAT + 2),
    answered_in_round=st.integers(0, 3),
)
def test_latest__any_round__equals_the_model(
    calls, chain, feed, adapter, round_id, answer, updated_at, age, answered_in_round
):
    now = chain.blocks.head.timestamp
    updated_at = updated_at if age is None else now - age
    # description takes slot 1, owner 0; the round follows the mode.
    slots = {
        3: round_id,
        4: answer % 2**256,
        5: updated_at,
        6: updated_at,
        7: answered_in_round,
    }
    twin = ChainlinkAdapter(
        8, round_id, answer, updated_at, answered_in_round, FLOOR, CEILING, HEARTBEAT
    )
    overrides = {feed.address: slots}
    actual = outcome(lambda: calls.call(adapter, "latest", overrides=overrides))
    assert actual == outcome(lambda: twin.latest(now))
