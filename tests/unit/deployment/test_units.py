"""Exact numbers, or an error."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.deployment.units import from_wad, scaled, to_seconds, to_wad, unscaled

WAD = 10**18


@pytest.mark.parametrize(
    ("text", "wad"),
    [
        ("0.05", WAD // 20),
        (Decimal("0.05"), WAD // 20),
        (3, 3 * WAD),
        ("1_000", 1_000 * WAD),
        ("0.000000000000000001", 1),
        ("1e-18", 1),
        ("-2.5", -5 * WAD // 2),
        ("0", 0),
        (10**40, 10**58),
    ],
)
def test_to_wad__decimal__exact(text, wad):
    assert to_wad(text) == wad


@pytest.mark.parametrize(
    "wrong", [0.05, True, None, "", "five", "0.0000000000000000001", "nan", "inf", [], "1e-19"]
)
def test_to_wad__not_exact__refused(wrong):
    with pytest.raises(ValueError, match=r"number|decimals"):
        to_wad(wrong)


@given(st.integers(-(10**60), 10**60))
def test_from_wad__any__round_trips(amount):
    assert to_wad(from_wad(amount)) == amount


@given(st.integers(0, 10**40), st.integers(0, 18))
def test_unscaled__any_decimals__round_trips(amount, decimals):
    assert scaled(unscaled(amount, decimals), decimals) == amount


def test_from_wad__small_and_large__without_exponent():
    assert from_wad(1) == "0.000000000000000001"
    assert from_wad(10**54) == "1" + "0" * 36


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (90, 90),
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("12h", 43_200),
        ("7d", 604_800),
        ("1_0m", 600),
    ],
)
def test_to_seconds__duration__converted(text, seconds):
    assert to_seconds(text) == seconds


@pytest.mark.parametrize("wrong", [1.5, "1.5h", "h", "5w", True, None, "-5m", Decimal(5)])
def test_to_seconds__no_duration__refused(wrong):
    with pytest.raises(ValueError, match="duration"):
        to_seconds(wrong)
