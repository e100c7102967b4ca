"""The feed that its owner sets and may break."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import outcome

NORMAL, REVERT, BURN_GAS = range(3)


@pytest.fixture(scope="module")
def feed(project, owner):
    return owner.deploy(project.DevAggregatorV3, 8, "ETH / USD")


def test_deploy__valid__shows_decimals_and_description(feed):
    assert (feed.decimals(), feed.description()) == (8, "ETH / USD")


def test_set_answer__twice__stamps_new_complete_rounds(feed, owner, chain, calls):
    for round_id, answer in ((1, 100), (2, -3)):
        feed.setAnswer(answer, sender=owner)
        now = chain.blocks.head.timestamp
        expected = (round_id, answer, now, now, round_id)
        assert calls.call(feed, "latestRoundData") == expected


def test_set_round__anything__is_answered(feed, owner, calls):
    feed.setRound(9, -1, 3, 4, 8, sender=owner)
    assert calls.call(feed, "latestRoundData") == (9, -1, 3, 4, 8)
    feed.setAnswer(5, sender=owner)
    assert calls.call(feed, "latestRoundData")[0] == 10


def test_set_mode__revert__reads_revert(feed, owner, calls):
    feed.setMode(REVERT, sender=owner)
    assert outcome(lambda: calls.call(feed, "latestRoundData")) == ("DevAggregatorV3_Down",)
    feed.setMode(NORMAL, sender=owner)
    assert len(calls.call(feed, "latestRoundData")) == 5


def test_set_mode__burn_gas__reads_use_everything(feed, owner, calls):
    feed.setMode(BURN_GAS, sender=owner)
    error = outcome(lambda: calls.call(feed, "latestRoundData", gas=100_000))
    assert error[0] == ""


@pytest.mark.parametrize(
    ("method", "args"), [("setAnswer", (1,)), ("setRound", (1, 1, 1, 1, 1)), ("setMode", (1,))]
)
def test_set__stranger__reverts(feed, stranger, calls, method, args):
    error = outcome(lambda: calls.call(feed, method, *args, sender=stranger))
    assert error == ("OwnableUnauthorizedAccount", stranger.address.lower())
