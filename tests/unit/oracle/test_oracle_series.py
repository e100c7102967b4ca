"""Averages and volatility of paths that are computed by hand, from one source that moves freely."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

import pytest

WAD = 10**18
PERIOD = 300
LONGEST = 4_500
DAY = 86_400
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
ETH = b"ETH".ljust(32, b"\0")
A, B = b"A".ljust(32, b"\0"), b"B".ljust(32, b"\0")
NOTHING = b"".ljust(32, b"\0")
INVERSE, PRODUCT, QUOTIENT = range(3)


@pytest.fixture
def path(lab):
    """Configure, then record prices (whole numbers) at seconds after the beginning of a period."""
    config = replace(lab.defaults, quorum=10_000, max_move=WAD, max_deviation=WAD // 2)
    lab.configure((10_000,), config)
    start = lab.now

    def _path(*points, until=None):
        for at, price in points:
            lab.skip(start + at - lab.now)
            lab.record(price * WAD)
        if until is not None:
            lab.skip(start + until - lab.now)
        return lab

    return _path


def twap(lab, window, asset=ETH):
    return lab.view("twap", asset, window)


# ------------------------------------------------------------------ averages


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (1, 200 * WAD),
        (100, 200 * WAD),
        # 50 s at 100 and 100 s at 200, rounded down.
        (150, 25_000 * WAD // 150),
        (200, 150 * WAD),
    ],
)
def test_twap__two_prices__weighted_by_their_time(path, window, expected):
    lab = path((0, 100), (100, 200), until=200)
    assert twap(lab, window) == expected


@pytest.mark.parametrize("first", [0, 7, 299])
def test_twap__more_than_is_known__reverts(path, first):
    lab = path((first, 100), (first + 100, 200), until=first + 200)
    assert twap(lab, 200) == 150 * WAD
    error = lab.error("twap", ETH, 201)
    assert error == ("OracleAggregator_HistoryTooShort", ETH, 200, 201)


def test_twap__nothing_recorded_yet__reverts(path):
    lab = path()
    assert lab.error("twap", ETH, 60) == ("OracleAggregator_HistoryTooShort", ETH, 0, 60)
    lab = path((0, 100))
    assert lab.error("twap", ETH, 1) == ("OracleAggregator_HistoryTooShort", ETH, 0, 1)
    lab.skip(1)
    assert twap(lab, 1) == 100 * WAD


@pytest.mark.parametrize("window", [0, LONGEST + 1, 2**256 - 1])
def test_twap__window_out_of_bounds__reverts(path, window):
    lab = path((0, 100), until=10_000)
    named = b"window".ljust(32, b"\0")
    error = lab.error("twap", ETH, window)
    assert error == ("OracleAggregator_OutOfBounds", named, window, 1, LONGEST)
    assert twap(lab, 1) == twap(lab, LONGEST) == 100 * WAD


def test_twap__a_price_a_period__of_the_last_fifteen(path):
    """Prices 100, 101, … of one period each; 120 was recorded just now and counts for nothing."""
    lab = path(*[(PERIOD * i, 100 + i) for i in range(21)])
    # 105 … 119
    assert twap(lab, LONGEST) == 112 * WAD
    assert twap(lab, PERIOD) == 119 * WAD
    assert twap(lab, 2 * PERIOD) == 118 * WAD + WAD // 2
    lab.skip(150)
    # Half a period of 105, fourteen of 106 … 119, half of 120: 105 · ½ + 1575 + 120 · ½ over 15.
    assert twap(lab, LONGEST) == 1_687_5 * WAD // 150


def test_twap__steps_of_a_second__all_count(path):
    lab = path(*[(i, 100 + 50 * (i % 2)) for i in range(60)], until=60)
    assert twap(lab, 60) == 125 * WAD


def test_twap__window_begins_in_a_mixed_period__at_that_period_s_average(path):
    """100 s at 100, 200 s at 130, then 120 for a period: of the first, 120 is all that is known."""
    lab = path((0, 100), (100, 130), (300, 120), until=600)
    assert twap(lab, 600) == 120 * WAD
    assert twap(lab, 550) == 120 * WAD
    assert twap(lab, 300) == 120 * WAD


def test_twap__price_replaced_in_the_same_second__counts_for_nothing(path):
    lab = path((0, 100), (100, 250), (100, 150), until=200)
    assert twap(lab, 200) == 125 * WAD


def test_twap__long_idle__the_price_that_held(path):
    lab = path((0, 100), (10_000, 200), until=10_100)
    assert twap(lab, 100) == 200 * WAD
    # 4,400 s at 100 and 100 s at 200.
    assert twap(lab, LONGEST) == (4_400 * 100 + 100 * 200) * WAD // LONGEST


def test_twap__unconfirmed__does_not_count(lab):
    lab.configure((10_000,), replace(lab.defaults, quorum=10_000, max_move=WAD // 10))
    lab.record(100 * WAD)
    lab.skip(100)
    assert lab.record(150 * WAD).status == UNCONFIRMED
    lab.skip(60)
    assert lab.record(150 * WAD).status == VALID
    lab.skip(40)
    # 160 s at 100 and 40 s at 150.
    assert twap(lab, 200) == 110 * WAD


def test_twap__no_quorum__the_anchor_stands_in(lab):
    lab.configure((10_000,), replace(lab.defaults, quorum=10_000))
    lab.record(100 * WAD)
    lab.skip(100)
    assert lab.record(104 * WAD).status == VALID
    lab.skip(100)
    assert lab.record(0).status == STALE
    lab.skip(50)
    # 100 s at 100, 100 s at 104, 50 s at the anchor, 100.
    assert twap(lab, 250) == (100 * 150 + 104 * 100) * WAD // 250


# ------------------------------------------------------------------ volatility


def root(variance):
    """WAD per square root of a day, rounded up, of WAD per day."""
    return isqrt(variance * WAD - 1) + 1


def test_volatility__first_record__the_initial_one(path):
    assert path((0, 100)).view("volatility", ETH) == WAD // 20


def test_volatility__nothing_moves__decays_by_a_sample_at_a_time(path):
    """v = 0.0025 · 287/288 after one of a day's 288 periods."""
    lab = path((0, 100), (299, 100))
    assert lab.view("volatility", ETH) == WAD // 20
    lab = path((300, 100))
    assert lab.view("volatility", ETH) == root(2_491_319_444_444_445)
    # The view does not run ahead of what was recorded.
    lab.skip(10 * PERIOD)
    assert lab.view("volatility", ETH) == root(2_491_319_444_444_445)


def test_volatility__ten_per_cent_from_one_period_to_the_next(path):
    """Two samples: of no move, and 1.5 · 0.1² = 0.015 per day, on top of what is left.

    0.002491319444444445 · 287/288, rounded up, is 0.002482669029706791.
    """
    lab = path((0, 100), (300, 110), (600, 110))
    assert lab.view("volatility", ETH) == root(2_482_669_029_706_791 + WAD * 15 // 1_000)
    lab = path((610, 500), (611, 110), (620, 110))
    assert lab.view("volatility", ETH) == root(17_482_669_029_706_791)


def test_volatility__mixed_period__only_its_average_counts(path):
    """100 s at 100 and 200 s at 130 average 120: a move of a fifth, 1.5 · 0.04 = 0.06."""
    lab = path((0, 100), (100, 130), (300, 130))
    assert lab.view("volatility", ETH) == root(2_491_319_444_444_445 + WAD * 6 // 100)


def test_volatility__move_of_more_than_all__counts_as_all(path):
    """400 is first seen at 540, when the anchor, 100, stands in, and confirmed at 600.

    The second period averages (240 · 190 + 60 · 100) / 300 = 172, the third 400, which is 233 %.
    """
    lab = path((0, 100), (300, 190), (540, 400), (600, 400), (900, 400))
    v = 2_491_319_444_444_445
    # 1.5 · 0.72² = 0.7776 and 1.5 · 1² = 1.5
    for added in (WAD * 7_776 // 10_000, WAD * 3 // 2):
        v = v - v // 288 + added
    assert lab.view("volatility", ETH) == root(v)


def test_volatility__idle_periods__decay_as_if_recorded(path):
    """Ten idle periods at once: (287/288)¹⁰ of what was left, to within ten roundings of a wei."""
    lab = path((0, 100), (300, 110), (300 + 12 * PERIOD, 110))
    v = 17_482_669_029_706_791
    for _ in range(11):
        v -= v // 288
    assert root(v - 11) <= lab.view("volatility", ETH) <= root(v + 11)


def test_volatility__period_of_an_hour__forgets_faster(lab):
    config = replace(
        lab.defaults, quorum=10_000, volatility_period=3_600, initial_volatility=WAD // 10
    )
    lab.configure((10_000,), config)
    lab.record(100 * WAD)
    lab.skip(PERIOD)
    lab.record(100 * WAD)
    # 0.01 · 11/12, rounded up
    assert lab.view("volatility", ETH) == root(9_166_666_666_666_667)


# ------------------------------------------------------------------ derived assets


@pytest.fixture
def parts(lab):
    """A goes from 100 to 200 after 100 s, B from 50 to 25; both are configured alike."""
    config = replace(lab.defaults, quorum=10_000, max_move=WAD)
    for index, key in enumerate((A, B)):
        lab.configure((10_000,), config, first=index, asset=key)
    for a, b in ((100, 50), (200, 25)):
        lab.answers(a * WAD, b * WAD)
        lab.transact("record", A)
        lab.transact("record", B)
        lab.skip(100)
    return lab


@pytest.mark.parametrize(
    ("operation", "expected"),
    # Averages 150 and 37.5: not the average of 5,000 and 5,000, which both products are.
    [(INVERSE, WAD // 150), (PRODUCT, 5_625 * WAD), (QUOTIENT, 4 * WAD)],
)
def test_twap__derived__the_formula_of_the_averages(parts, operation, expected):
    right = NOTHING if operation == INVERSE else B
    parts.transact("derive", ETH, (A, right, operation))
    assert twap(parts, 200, ETH) == expected
    error = parts.error("twap", ETH, 201)
    assert error == ("OracleAggregator_HistoryTooShort", A, 200, 201)


@pytest.mark.parametrize("operation", [INVERSE, PRODUCT, QUOTIENT])
def test_volatility__derived__the_sum_of_the_parts(parts, operation):
    right = NOTHING if operation == INVERSE else B
    parts.transact("derive", ETH, (A, right, operation))
    both = WAD // 20 if operation == INVERSE else WAD // 10
    assert parts.view("volatility", ETH) == both
    parts.skip(PERIOD)
    parts.answers(200 * WAD, 25 * WAD)
    parts.transact("record", ETH)
    of_parts = [parts.view("volatility", key) for key in (A, B)]
    expected = of_parts[0] if operation == INVERSE else sum(of_parts)
    assert parts.view("volatility", ETH) == expected > both


def test_twap__unknown_asset__reverts(lab):
    assert lab.error("twap", ETH, 60) == ("OracleAggregator_UnknownAsset", ETH)
