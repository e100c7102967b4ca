"""Confirmation: what moves too far too fast must be seen twice, and is never clamped.

One source, moves of up to 10 % from the anchor, a second look after 60 seconds.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

WAD = 10**18
PERIOD = 300
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
ETH = b"ETH".ljust(32, b"\0")


@pytest.fixture
def begun(lab):
    """A recorded price of 100 at the beginning of a sample period."""
    config = replace(lab.defaults, quorum=10_000, confirmation_delay=60, max_move=WAD // 10)
    lab.configure((10_000,), config)
    assert lab.record(100 * WAD).status == VALID
    return lab


def confirmation(lab):
    return tuple(lab.view("confirmation", ETH))


def test_record__first_price_ever__is_accepted(begun):
    assert confirmation(begun) == (100 * WAD, 0, 0)


@pytest.mark.parametrize("price", [110 * WAD, 90 * WAD, 100 * WAD])
def test_record__move_within_the_limit__accepted(begun, price):
    begun.skip(1)
    assert begun.record(price)[::4] == (price, VALID)
    assert confirmation(begun) == (100 * WAD, 0, 0)


@pytest.mark.parametrize("price", [110 * WAD + 1, 90 * WAD - 1, 1, 2**96 - 1])
def test_record__move_beyond_the_limit__unconfirmed_and_as_it_is(begun, price):
    begun.skip(1)
    begun.answer(0, price)
    assert begun.view("aggregate", ETH)[::4] == (price, UNCONFIRMED)
    assert begun.record(price)[::4] == (price, UNCONFIRMED)
    assert begun.view("latest", ETH)[::4] == (price, UNCONFIRMED)
    assert confirmation(begun) == (100 * WAD, price, begun.now)


def test_record__seen_again_after_the_delay__accepted_and_not_a_second_earlier(begun):
    begun.record(120 * WAD)
    begun.skip(59)
    assert begun.record(120 * WAD).status == UNCONFIRMED
    assert confirmation(begun) == (100 * WAD, 120 * WAD, begun.now - 59)
    begun.skip(1)
    assert begun.view("aggregate", ETH).status == VALID
    assert begun.record(120 * WAD).status == VALID
    assert confirmation(begun) == (120 * WAD, 0, 0)
    # 132 is within reach of the new anchor, and the old one is not.
    assert begun.record(132 * WAD).status == VALID
    assert begun.record(100 * WAD).status == UNCONFIRMED


@pytest.mark.parametrize(
    ("second", "status"), [(132, VALID), (108, VALID), (133, UNCONFIRMED), (111, VALID)]
)
def test_record__candidate_seen_near_by__accepted_as_it_is_now(begun, second, status):
    """From 120 to 132 is 10 %: near the candidate; 108 is near candidate and anchor."""
    begun.record(120 * WAD)
    begun.skip(60)
    assert begun.record(second * WAD)[::4] == (second * WAD, status)
    anchor = {132: 132, 111: 111}.get(second, 100)
    assert confirmation(begun)[0] == anchor * WAD


def test_record__candidate_moves_on__the_delay_begins_again(begun):
    begun.record(120 * WAD)
    begun.skip(30)
    assert begun.record(150 * WAD).status == UNCONFIRMED
    assert confirmation(begun) == (100 * WAD, 150 * WAD, begun.now)
    begun.skip(59)
    assert begun.record(150 * WAD).status == UNCONFIRMED
    begun.skip(1)
    assert begun.record(150 * WAD).status == VALID


def test_record__back_to_the_anchor__clears_the_candidate(begun):
    begun.record(120 * WAD)
    begun.skip(30)
    assert begun.record(105 * WAD).status == VALID
    assert confirmation(begun) == (100 * WAD, 0, 0)
    begun.skip(30)
    assert begun.record(120 * WAD).status == UNCONFIRMED
    assert confirmation(begun) == (100 * WAD, 120 * WAD, begun.now)


def test_record__many_small_steps_within_a_period__are_caught(begun):
    for price in (104, 108, 110):
        begun.skip(12)
        assert begun.record(price * WAD).status == VALID
    begun.skip(12)
    assert begun.record(111 * WAD).status == UNCONFIRMED


def test_record__period_has_ended__anchor_is_the_price_at_its_end(begun):
    begun.skip(10)
    begun.record(108 * WAD)
    begun.skip(PERIOD - 11)
    assert confirmation(begun) == (100 * WAD, 0, 0)
    assert begun.record(110 * WAD).status == VALID
    begun.skip(1)
    assert confirmation(begun) == (110 * WAD, 0, 0)
    # 110 + 10 %
    assert begun.record(121 * WAD).status == VALID
    assert confirmation(begun) == (110 * WAD, 0, 0)
    assert begun.record(121 * WAD + 1).status == UNCONFIRMED


def test_record__period_ends_while_unconfirmed__anchor_and_candidate_stay(begun):
    begun.skip(PERIOD - 20)
    begun.record(120 * WAD)
    begun.skip(30)
    assert confirmation(begun) == (100 * WAD, 120 * WAD, begun.now - 30)
    assert begun.record(120 * WAD).status == UNCONFIRMED
    begun.skip(30)
    assert begun.record(120 * WAD).status == VALID


def test_latest__unconfirmed__is_never_answered_from_the_cache(begun):
    begun.record(120 * WAD)
    begun.answer(0, 121 * WAD)
    assert begun.view("latest", ETH)[::4] == (121 * WAD, UNCONFIRMED)
    data, events = begun.transact("fetch", ETH)
    assert data[::4] == (121 * WAD, UNCONFIRMED)
    assert [name for name, _ in events] == ["PriceRecorded"]
    begun.skip(60)
    begun.answer(0, 122 * WAD)
    assert begun.transact("fetch", ETH)[0][::4] == (122 * WAD, VALID)
    # Now it is.
    begun.answer(0, 123 * WAD)
    assert begun.transact("fetch", ETH)[0][0] == 122 * WAD


def test_record__no_quorum_in_between__candidate_is_kept(begun):
    begun.record(120 * WAD)
    since = begun.now
    begun.skip(30)
    assert begun.record(0)[::4] == (100 * WAD, STALE)
    assert confirmation(begun) == (100 * WAD, 120 * WAD, since)
    begun.skip(30)
    assert begun.record(120 * WAD).status == VALID


def test_record__unconfirmed_with_an_outlier__is_unconfirmed(lab):
    lab.configure(config=replace(lab.defaults, max_move=WAD // 10))
    assert lab.record(100 * WAD, 100 * WAD, 150 * WAD).status == DEGRADED
    lab.skip(1)
    assert lab.record(150 * WAD, 150 * WAD, 100 * WAD)[::4] == (150 * WAD, UNCONFIRMED)


def test_configure__price_recorded__anchor_and_candidate_stay(begun):
    begun.record(120 * WAD)
    known = confirmation(begun)
    begun.configure((10_000,), replace(begun.defaults, max_move=WAD // 5))
    assert confirmation(begun) == known
    assert begun.record(120 * WAD).status == VALID
