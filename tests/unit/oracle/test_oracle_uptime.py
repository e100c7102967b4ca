"""The sequencer's feed: nothing is better than unconfirmed until it has been up long enough."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

WAD = 10**18
HOUR, DAY = 3_600, 86_400
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
ETH = b"ETH".ljust(32, b"\0")
UP, DOWN = 0, 1
NONE = "0x" + "0" * 40
GRACE = 600


@pytest.fixture
def watched(lab):
    """Three sources at 100, and a feed that says that the sequencer is up since an hour."""
    lab.configure()
    lab.answers(100 * WAD, 101 * WAD, 102 * WAD)
    lab.transact("setUptimeFeed", lab.feed, GRACE)
    lab.sequencer(UP, lab.now - HOUR)
    return lab


def status(lab):
    return lab.view("aggregate", ETH).status


def test_aggregate__up_for_long__valid(watched):
    assert status(watched) == VALID


@pytest.mark.parametrize(("up_for", "expected"), [(GRACE - 1, UNCONFIRMED), (GRACE, VALID)])
def test_aggregate__up_again__unconfirmed_for_the_grace_period(watched, up_for, expected):
    watched.sequencer(UP, watched.now - up_for)
    assert status(watched) == expected


@pytest.mark.parametrize("answer", [DOWN, 2, -1, -(2**255)])
def test_aggregate__any_answer_but_zero__unconfirmed(watched, answer):
    watched.sequencer(answer, watched.now - HOUR)
    assert status(watched) == UNCONFIRMED


@pytest.mark.parametrize("offset", [1, DAY, 2**200])
def test_aggregate__round_from_the_future__unconfirmed(watched, offset):
    watched.sequencer(UP, watched.now + offset)
    assert status(watched) == UNCONFIRMED


def test_aggregate__round_that_never_started__unconfirmed(watched):
    watched.sequencer(UP, 0)
    assert status(watched) == UNCONFIRMED


@pytest.mark.parametrize("mode", [1, 2])
def test_aggregate__feed_reverts_or_burns_gas__unconfirmed(watched, mode):
    watched._feed.send("setMode", mode, sender=watched.who["governor"])
    assert status(watched) == UNCONFIRMED


@pytest.mark.parametrize("feed", ["silent", "short"])
def test_aggregate__feed_answers_too_little__unconfirmed(watched, feed):
    """A short answer of zeros would else read as: up, since 1970."""
    watched.transact("setUptimeFeed", getattr(watched, feed), 0)
    assert status(watched) == UNCONFIRMED


def test_aggregate__no_grace_period__valid_in_the_very_second(watched):
    watched.transact("setUptimeFeed", watched.feed, 0)
    watched.sequencer(UP, watched.now)
    assert status(watched) == VALID


def test_aggregate__down__only_the_status_changes(watched):
    with_it = watched.view("aggregate", ETH)
    watched.sequencer(DOWN, watched.now - HOUR)
    without = watched.view("aggregate", ETH)
    assert without == with_it._replace(status=UNCONFIRMED)
    assert with_it[0] == 101 * WAD


def test_aggregate__down_without_a_quorum__stale(watched):
    watched.sequencer(DOWN, watched.now)
    watched.answers(0, 0, 0)
    assert status(watched) == STALE


def test_latest__goes_down__answers_what_was_cached_and_nothing_new(watched):
    watched.transact("record", ETH)
    watched.sequencer(DOWN, watched.now)
    assert watched.view("latest", ETH).status == VALID
    watched.skip(61)
    assert watched.view("latest", ETH).status == UNCONFIRMED
    assert watched.transact("fetch", ETH)[0].status == UNCONFIRMED
    watched.sequencer(UP, watched.now)
    watched.skip(GRACE)
    assert watched.transact("fetch", ETH)[0].status == VALID


def test_record__price_is_confirmed_while_down__status_waits_for_the_feed(watched):
    watched.transact("record", ETH)
    watched.sequencer(DOWN, watched.now)
    watched.answers(150 * WAD, 150 * WAD, 150 * WAD)
    watched.transact("record", ETH)
    watched.skip(60)
    assert watched.transact("record", ETH)[0][::4] == (150 * WAD, UNCONFIRMED)
    assert tuple(watched.view("confirmation", ETH)) == (150 * WAD, 0, 0)
    watched.sequencer(UP, watched.now - GRACE)
    assert watched.transact("record", ETH)[0][::4] == (150 * WAD, VALID)


def test_set_uptime_feed__valid__is_shown_and_logged(lab):
    assert tuple(lab.view("uptimeFeed")) == (NONE, 0)
    _, ((name, args),) = lab.transact("setUptimeFeed", lab.feed, DAY)
    assert (name, args.feed.lower(), args.gracePeriod) == ("UptimeFeedSet", lab.feed, DAY)
    feed, grace = lab.view("uptimeFeed")
    assert (feed.lower(), grace) == (lab.feed, DAY)


def test_set_uptime_feed__none__nothing_to_wait_for(watched):
    watched.sequencer(DOWN, watched.now)
    watched.transact("setUptimeFeed", NONE, 0)
    assert status(watched) == VALID


@pytest.mark.parametrize("sender", ["guardian", "stranger"])
def test_set_uptime_feed__not_governor__reverts(lab, sender):
    error = lab.error("setUptimeFeed", lab.feed, 0, sender=sender)
    assert error[0] == "RoleRegistry_MissingRole"
    assert (error[1].lower(), error[2]) == (lab.who[sender], keccak(text="GOVERNOR"))


def test_set_uptime_feed__no_contract__reverts(lab):
    name, feed = lab.error("setUptimeFeed", lab.who["stranger"], 0)
    assert (name, feed.lower()) == ("OracleAggregator_NotAContract", lab.who["stranger"])


@pytest.mark.parametrize(("is_none", "grace", "most"), [(False, DAY + 1, DAY), (True, 1, 0)])
def test_set_uptime_feed__grace_period_out_of_bounds__reverts(lab, is_none, grace, most):
    error = lab.error("setUptimeFeed", NONE if is_none else lab.feed, grace)
    named = b"gracePeriod".ljust(32, b"\0")
    assert error == ("OracleAggregator_OutOfBounds", named, grace, 0, most)
