"""A Chainlink feed as a price source: completeness of the round, sign, scale."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import Reverted, outcome
from bulkhead.model.oracle import ChainlinkAdapter

WAD = 10**18


@pytest.fixture(scope="module")
def feed(project, governor):
    return governor.deploy(project.DevAggregatorV3, 8, "ETH / USD")


@pytest.fixture(scope="module")
def adapter(project, governor, feed):
    return governor.deploy(project.ChainlinkAdapter, feed)


@pytest.fixture
def round_of(feed, governor):
    def _round_of(round_id, answer, updated_at, answered_in_round):
        feed.setRound(round_id, answer, updated_at, updated_at, answered_in_round, sender=governor)

    return _round_of


def test_deploy__feed_without_code__reverts(project, calls, stranger):
    error = outcome(lambda: calls.deploy(project.ChainlinkAdapter, stranger))
    assert error == ("ChainlinkAdapter_NotAContract", stranger.address.lower())


def test_deploy__more_than_18_decimals__reverts(project, calls, governor):
    feed = governor.deploy(project.DevAggregatorV3, 19, "X")
    error = outcome(lambda: calls.deploy(project.ChainlinkAdapter, feed))
    assert error == ("ChainlinkAdapter_UnsupportedDecimals", 19, 18)


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_latest__any_decimals__scales_to_wad(project, governor, calls, decimals):
    feed = governor.deploy(project.DevAggregatorV3, decimals, "X")
    adapter = governor.deploy(project.ChainlinkAdapter, feed)
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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    round_id=st.integers(0, 3),
    answer=st.integers(-3, 3) | st.integers(-(2**255), 2**255 - 1),
    updated_at=st.integers(0, 2) | st.integers(0, 2**256 - 1),
    answered_in_round=st.integers(0, 3),
)
def test_latest__any_round__equals_the_model(
    calls, feed, adapter, round_id, answer, updated_at, answered_in_round
):
    # description takes slot 1, owner 0; the round follows the mode.
    slots = {
        3: round_id,
        4: answer % 2**256,
        5: updated_at,
        6: updated_at,
        7: answered_in_round,
    }
    twin = ChainlinkAdapter(8, round_id, answer, updated_at, answered_in_round)
    overrides = {feed.address: slots}
    actual = outcome(lambda: calls.call(adapter, "latest", overrides=overrides))
    assert actual == outcome(twin.latest)
