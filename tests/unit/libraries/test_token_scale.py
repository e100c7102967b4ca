"""Token units to WAD and back, for every number of decimals."""

from __future__ import annotations

import pytest

WAD = 10**18
DECIMALS = range(19)


@pytest.mark.parametrize("decimals", DECIMALS)
def test_to_wad__any_decimals__is_exact(harness, decimals):
    for amount in (0, 1, 10**decimals, 2**128 - 1):
        assert harness.call("toWad", amount, decimals) == amount * 10 ** (18 - decimals)


@pytest.mark.parametrize("decimals", DECIMALS)
def test_to_tokens__around_a_token_unit__down_pays_less_and_up_asks_more(harness, decimals):
    unit = 10 ** (18 - decimals)
    for amount in (0, 1, unit - 1, unit, unit + 1, 7 * unit - 1, 7 * unit):
        assert harness.call("toTokensDown", amount, decimals) == amount // unit
        assert harness.call("toTokensUp", amount, decimals) == -(-amount // unit)


@pytest.mark.parametrize("decimals", DECIMALS)
def test_to_wad_and_back__any_amount__is_the_identity(harness, decimals):
    for amount in (0, 1, 123_456_789, 2**128 - 1):
        wad = harness.call("toWad", amount, decimals)
        assert harness.call("toTokensDown", wad, decimals) == amount
        assert harness.call("toTokensUp", wad, decimals) == amount


def test_to_wad__more_than_18_decimals__refused(harness, refuses):
    for function in ("toWad", "toTokensDown", "toTokensUp"):
        with refuses("Panic", 0x11):
            harness.call(function, 1, 19)


def test_to_wad__beyond_uint256__refused(harness, refuses):
    with refuses("Panic", 0x11):
        harness.call("toWad", 2**256 - 1, 17)
    with refuses("Panic", 0x11):
        harness.call("toTokensUp", 2**256 - 1, 6)
