"""Confidence: the larger of two weighted medians, of distances and of the members' own."""

from __future__ import annotations

from dataclasses import replace

import pytest

WAD = 10**18
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
ETH = b"ETH".ljust(32, b"\0")
QUARTERS = (2_500,) * 4


@pytest.fixture
def of(lab):
    """The aggregate of pairs of price and confidence, as whole numbers."""

    def _of(*answers, shares=None, config=None):
        count = len(answers)
        thirds = [10_000 - 10_000 // count * (count - 1)] + [10_000 // count] * (count - 1)
        lab.configure(shares or thirds, config or replace(lab.defaults, quorum=5_001))
        for index, (price, confidence) in enumerate(answers):
            lab.answer(index, price * WAD, confidence * WAD)
        return lab.view("aggregate", ETH)

    return _of


def test_aggregate__prices_differ__median_of_the_distances(of):
    """Distances from 101 are 0, 1 and 1: a whole unit, 9,900,990.1 billionths, rounded up."""
    assert of((100, 0), (101, 0), (102, 0))[:2] == (101 * WAD, 101 * 9_900_991 * 10**9)


def test_aggregate__own_confidences__their_median(of):
    assert of((100, 1), (100, 4), (100, 2))[:2] == (100 * WAD, 2 * WAD)


def test_aggregate__both__the_larger(of):
    assert of((99, 2), (100, 2), (101, 0))[:2] == (100 * WAD, 2 * WAD)
    assert of((98, 1), (100, 0), (102, 1))[:2] == (100 * WAD, 2 * WAD)


def test_aggregate__exact_half__the_smaller(of):
    assert of((100, 1), (100, 1), (100, 3), (100, 3), shares=QUARTERS)[1] == WAD
    # Of prices, the mean: 102 is two units from all, 19,607,843.1 billionths.
    assert of((100, 0), (100, 0), (104, 0), (104, 0), shares=QUARTERS)[:2] == (
        102 * WAD,
        102 * 19_607_844 * 10**9,
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        # One of three says that it is sure, or that it is not: two others decide.
        ([(100, 4), (100, 4), (100, 0)], 4),
        ([(100, 0), (100, 0), (100, 5)], 0),
        ([(100, 0), (100, 0), (105, 0)], 0),
        ([(100, 3), (100, 4), (100, 0)], 3),
    ],
)
def test_aggregate__a_minority__can_neither_hide_nor_fake_it(of, answers, expected):
    assert of(*answers)[:2] == (100 * WAD, expected * WAD)


def test_aggregate__weights__decide_not_heads(of):
    answers = (100, 0), (100, 3), (100, 3)
    assert of(*answers, shares=(5_001, 2_500, 2_499))[1] == 0


def test_aggregate__an_outlier__does_not_count(of):
    """Of the two that are left, 3,333 are less than half of 6,667: the wider one decides."""
    data = of((100, 3), (100, 1), (200, 0))
    assert data[:2] == (100 * WAD, 3 * WAD)
    assert data.status == DEGRADED


@pytest.mark.parametrize(
    ("confidence", "kept", "status"),
    [
        (WAD, WAD, VALID),
        (WAD + 1, WAD + 100 * 10**9, DEGRADED),
        (WAD - 1, WAD, VALID),
        (1, 100 * 10**9, VALID),
    ],
)
def test_aggregate__beyond_max_confidence__degraded(lab, confidence, kept, status):
    """1 % of 100; a wei more is a billionth more, which is what the cache can hold."""
    lab.configure(config=replace(lab.defaults, max_confidence=WAD // 100))
    for index in range(3):
        lab.answer(index, 100 * WAD, confidence)
    data = lab.view("aggregate", ETH)
    assert (data.price, data.confidence, data.status) == (100 * WAD, kept, status)
    recorded, _ = lab.transact("record", ETH)
    lab.answers(0, 0, 0)
    assert lab.view("latest", ETH) == recorded == data


def test_aggregate__one_wei__confidence_of_twice_the_price(lab):
    """The widest that there is: members of up to twice the price, as wide as they are high."""
    config = replace(lab.defaults, max_deviation=WAD, max_confidence=WAD, max_move=WAD)
    lab.configure((1_000, 4_500, 4_500), config)
    for index, price in enumerate((1, 1, 2)):
        lab.answer(index, price, price)
    data = lab.view("aggregate", ETH)
    assert (data.price, data.confidence, data.status) == (1, 1, VALID)
    lab.answers(0, 1, 2)
    assert lab.view("aggregate", ETH)[:2] == (1, 0)


def test_latest__derived__relative_confidences_add_up(lab):
    for name, price, confidence in (("A", 200, 2), ("B", 50, 1)):
        key = name.encode().ljust(32, b"\0")
        lab.configure((10_000,), first=int(name == "B"), asset=key)
        lab.answer(int(name == "B"), price * WAD, confidence * WAD)
    nothing = b"".ljust(32, b"\0")
    a, b = b"A".ljust(32, b"\0"), b"B".ljust(32, b"\0")
    for name, operation, right in (("1/A", 0, nothing), ("A*B", 1, b), ("A/B", 2, b)):
        lab.transact("derive", name.encode().ljust(32, b"\0"), (a, right, operation))
    # 1 % and 2 %
    assert lab.view("latest", b"1/A".ljust(32, b"\0"))[:2] == (WAD // 200, WAD // 20_000)
    assert lab.view("latest", b"A*B".ljust(32, b"\0"))[:2] == (10_000 * WAD, 300 * WAD)
    assert lab.view("latest", b"A/B".ljust(32, b"\0"))[:2] == (4 * WAD, 12 * WAD // 100)
