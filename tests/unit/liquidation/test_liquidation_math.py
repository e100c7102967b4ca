"""How much to close, what it may cost, and an auction's price."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WAD = 10**18
quick = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def ceil_div(n, d):
    return -(-n // d)


def test_notional_to_close__worked_example(harness):
    # E 900, M 1,200 at 4 %, target 1.25, penalty 1 %: (1,500 − 900) / (0.05 − 0.01) = 15,000.
    arguments = (900 * WAD, 1_200 * WAD, 5 * WAD // 4, WAD // 25, WAD // 100)
    assert harness.call("notionalToClose", *arguments) == 15_000 * WAD


@quick
@given(
    margin=st.integers(WAD, 10**26),
    health=st.integers(0, WAD - 1),
    target=st.integers(101 * WAD // 100, 2 * WAD),
    ratio=st.integers(WAD // 200, WAD // 2),
    data=st.data(),
)
def test_notional_to_close__any_within_bounds__restores_the_target_and_no_more(
    harness, margin, health, target, ratio, data
):
    penalty = data.draw(st.integers(0, ratio // 2))
    equity = margin * health // WAD
    n = harness.call("notionalToClose", equity, margin, target, ratio, penalty)
    missing = ceil_div(margin * target, WAD) - equity
    gain = ratio * target // WAD - penalty
    assert n == ceil_div(missing * WAD, gain)

    # What is left after the penalty reaches τ·(M − m·n), and with a bit less it would not.
    def spare(notional):
        return (equity * WAD - penalty * notional) * WAD - target * (
            margin * WAD - ratio * notional
        )

    assert spare(n) >= 0
    # Rounding of missing (1 wei) and gain (1 wei of 1e18) may close a little more than the least.
    slack = n // gain + ceil_div(WAD, gain) + 2
    assert spare(n - slack) < 0


@pytest.mark.parametrize(
    ("wanted", "before", "after", "penalty"),
    [
        # Health 900/1,200 = 3/4. Afterwards M' = 800: E' 900 may fall to 600, not below.
        (100, (900, 1_200), (900, 800), 100),
        (300, (900, 1_200), (900, 800), 300),
        (301, (900, 1_200), (900, 800), 300),
        # Nothing was gained: there is nothing to take.
        (10, (900, 1_200), (900, 1_200), 0),
        (10, (900, 1_200), (500, 800), 0),
        # All requirement is gone: all equity is spare.
        (5_000, (900, 1_200), (900, 0), 900),
        (5_000, (900, 1_200), (-1, 0), 0),
        # Bankrupt before: nothing to take.
        (10, (0, 1_200), (900, 0), 0),
        (10, (-1, 1_200), (900, 0), 0),
    ],
)
def test_bounded_penalty__by_health__never_lowers_it(harness, wanted, before, after, penalty):
    assert harness.call("boundedPenalty", wanted, *before, *after) == penalty


def test_bounded_penalty__fraction_of_a_wei__stays_with_the_account(harness):
    # 2/3 of 10 is 6.67: at least 7 must be left of 10.
    assert harness.call("boundedPenalty", 10, 2, 3, 10, 10) == 3


@quick
@given(
    wanted=st.integers(0, 10**24),
    equity=st.integers(1, 10**24),
    margin=st.integers(1, 10**24),
    equity_after=st.integers(-(10**24), 10**24),
    margin_after=st.integers(0, 10**24),
)
def test_bounded_penalty__any_state__leaves_the_ratio_or_takes_nothing(
    harness, wanted, equity, margin, equity_after, margin_after
):
    penalty = harness.call("boundedPenalty", wanted, equity, margin, equity_after, margin_after)
    assert 0 <= penalty <= wanted
    if penalty:
        assert (equity_after - penalty) * margin >= equity * margin_after
    if penalty < wanted and equity_after * margin >= equity * margin_after:
        assert (equity_after - penalty - 1) * margin < equity * margin_after


@pytest.mark.parametrize(
    ("elapsed", "price"),
    [(0, 1_050), (1, 1_050), (300, 1_015), (600, 980), (1_199, 911), (1_200, 910), (9_999, 910)],
)
def test_auction_price__over_time__falls_in_a_line_rounded_up_to_its_floor(harness, elapsed, price):
    assert harness.call("auctionPrice", 1_050, 910, elapsed, 1_200) == price


def test_auction_price__start_below_the_floor__is_the_floor(harness):
    assert harness.call("auctionPrice", 900, 910, 0, 1_200) == 910
