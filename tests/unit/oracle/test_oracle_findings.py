"""What reviews found wrong in the aggregator, so that it stays right."""

from __future__ import annotations

from dataclasses import replace

import pytest

WAD = 10**18
HOUR, DAY = 3_600, 86_400
SEASONING = DAY
PERIOD = 300
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
ETH = b"ETH".ljust(32, b"\0")


@pytest.mark.parametrize("records", [(), (100,), (400,)])
def test_twap__same_price_recorded_once_more__average_is_the_same(lab, records):
    """100 for 100 s, then 130. At 500 s, 350 s begin at 150 s, inside a period that has ended.

    Its average, 120, stands for the 150 s of it that are in the window, whoever recorded since.
    """
    config = replace(lab.defaults, quorum=10_000, max_move=WAD, max_deviation=WAD // 2)
    lab.configure((10_000,), config)
    start = lab.now
    for at, price in sorted({0: 100, 100: 130, **dict.fromkeys(records, 130)}.items()):
        lab.skip(start + at - lab.now)
        lab.record(price * WAD)
    lab.skip(start + 500 - lab.now)
    assert lab.view("twap", ETH, 350) == (150 * 120 + 200 * 130) * WAD // 350


def test_configure__same_rules_again_during_a_glide__quorum_is_not_lost(lab):
    """Two of three thirds are a quorum, and the third is missing. 3 replaces 2, and after 10 s the
    same is configured again: rounded down, 3,333 + 3,332 + 0 are less than 6,666 for half a day.
    """
    lab.configure((3_334, 3_333, 3_333))
    rules = tuple(getattr(lab.defaults, f) for f in lab.defaults.__slots__)
    listed = [(lab.adapters[i], share) for i, share in ((0, 3_333), (1, 3_333), (3, 3_334))]
    lab.transact("configure", ETH, rules, listed)
    lab.skip(10)
    lab.answers(0, 100 * WAD, 100 * WAD, 100 * WAD)
    assert lab.view("aggregate", ETH).status == VALID
    lab.transact("configure", ETH, rules, listed)
    assert lab.view("aggregate", ETH).status == VALID
    lab.skip(HOUR)
    lab.answers(0, 100 * WAD, 100 * WAD, 100 * WAD)
    assert lab.view("aggregate", ETH).status == VALID


def test_configure__unanimous_quorum_and_shares_changed_often__quorum_can_be_reached(lab):
    """Each change rounds every share down by up to a basis point; the quorum stays at 9,993."""
    config = replace(lab.defaults, quorum=10_000)
    one, other = (1_428,) * 6 + (1_432,), (4_000,) + (1_000,) * 6
    lab.configure(one, config)
    for i in range(8):
        lab.configure(one if i % 2 else other, config)
        lab.skip(HOUR + 7)
    lab.answers(*[100 * WAD] * 7)
    assert lab.view("aggregate", ETH).status == VALID


def test_record__quorum_lost_while_unconfirmed__keeps_the_last_accepted_price(lab):
    """Staleness must not make known what was never confirmed."""
    lab.configure((10_000,), replace(lab.defaults, quorum=10_000))
    lab.record(100 * WAD)
    lab.skip(1)
    lab.record(50 * WAD)
    assert lab.view("latest", ETH)[::4] == (50 * WAD, UNCONFIRMED)
    lab.skip(8 * DAY)
    assert lab.view("latest", ETH)[::4] == (100 * WAD, STALE)
    lab.transact("record", ETH)
    assert lab.view("latest", ETH)[::4] == (100 * WAD, STALE)


def test_twap__derived_from_a_product_that_is_no_price__is_refused_by_an_error_of_its_own(lab):
    """As a price, it is stale and zero; as an average, a division by zero in the library."""
    a, tiny, inverse = (name.ljust(32, b"\0") for name in (b"A", b"A*A", b"1/A*A"))
    lab.configure((10_000,), replace(lab.defaults, quorum=10_000), asset=a)
    lab.record(50, asset=a)
    lab.transact("derive", tiny, (a, a, 1))
    lab.transact("derive", inverse, (tiny, b"".ljust(32, b"\0"), 0))
    lab.skip(60)
    assert lab.view("latest", inverse)[::4] == (0, STALE)
    assert lab.error("twap", inverse, 60)[0].startswith("OracleAggregator_")
