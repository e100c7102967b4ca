"""How much to close, what it may cost, and an auction's price."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
quick = settings(max_examples=60, deadline=None)


def ceil_div(n, d):
    return -(-n // d)


def test_notional_to_close__worked_example(harness):
    # E 880, M 1,200 at 4 %, target 1.25, penalty 1 %, debt at 10 %:
    # (1,500 − 880) / (0.05 − 0.01 · (1 + 0.125)) = 620 / 0.03875 = 16,000.
    arguments = (880 * WAD, 1_200 * WAD, 5 * WAD // 4, WAD // 25, WAD // 100, WAD // 10)
    assert harness.call("notionalToClose", *arguments) == 16_000 * WAD


@quick
@given(
    margin=st.integers(WAD, 10**26),
    health=st.integers(0, WAD - 1),
    target=st.integers(101 * WAD // 100, 2 * WAD),
    ratio=st.integers(WAD // 200, WAD // 2),
    debt_ratio=st.integers(WAD // 100, WAD // 2),
    data=st.data(),
)
def test_notional_to_close__any_within_bounds__restores_the_target_and_no_more(
    harness, margin, health, target, ratio, debt_ratio, data
):
    penalty = data.draw(st.integers(0, ratio // 2))
    equity = margin * health // WAD
    n = harness.call("notionalToClose", equity, margin, target, ratio, penalty, debt_ratio)
    missing = ceil_div(margin * target, WAD) - equity
    cost = penalty + ceil_div(ceil_div(penalty * target, WAD) * debt_ratio, WAD)
    gain = ratio * target // WAD - cost
    assert gain >= ratio // 4 - 4
    assert n == ceil_div(missing * WAD, gain)

    # What is left after the penalty reaches τ·(M − m·n + d·p·n), and with a bit less it would not.
    def spare(notional):
        required = (margin * WAD - ratio * notional) * WAD + debt_ratio * penalty * notional
        return (equity * WAD - penalty * notional) * WAD**2 - target * required

    assert spare(n) >= 0
    # Rounding of what is missing (1 wei) and of the gain (3 wei of 1e18) may close a little more.
    slack = 4 * n // gain + ceil_div(2 * WAD, gain) + 2
    assert spare(n - slack) < 0


@pytest.mark.parametrize(
    ("wanted", "before", "after", "penalty"),
    [
        # Health 900/1,200 = 3/4, debt at 25 %. Afterwards M' = 800: of E' 900, 300 are spare, and
        # 240 of them may be taken: 660 against 800 + 60 is more than 3/4 of it even as debt.
        (100, (900, 1_200), (900, 800), 100),
        (240, (900, 1_200), (900, 800), 240),
        (241, (900, 1_200), (900, 800), 240),
        # Nothing was gained: there is nothing to take.
        (10, (900, 1_200), (900, 1_200), 0),
        (10, (900, 1_200), (500, 800), 0),
        # All requirement is gone: all equity is spare, but for what debt would require.
        (5_000, (900, 1_200), (900, 0), 720),
        (5_000, (900, 1_200), (-1, 0), 0),
        # Bankrupt before: nothing to take.
        (10, (0, 1_200), (900, 0), 0),
        (10, (-1, 1_200), (900, 0), 0),
    ],
)
def test_bounded_penalty__by_health__never_lowers_it(harness, wanted, before, after, penalty):
    assert harness.call("boundedPenalty", wanted, *before, *after, WAD // 4) == penalty


def test_bounded_penalty__fraction_of_a_wei__stays_with_the_account(harness):
    # 2/3 of 10 is 6.67: at least 7 must be left of 10, and 3 / 1.25 is 2.4.
    assert harness.call("boundedPenalty", 10, 2, 3, 10, 10, WAD // 4) == 2


@quick
@given(
    wanted=st.integers(0, 10**24),
    equity=st.integers(1, 10**24),
    margin=st.integers(1, 10**24),
    equity_after=st.integers(-(10**24), 10**24),
    margin_after=st.integers(0, 10**24),
    debt_ratio=st.integers(WAD // 100, WAD // 2),
)
def test_bounded_penalty__any_state__leaves_the_ratio_or_takes_nothing(
    harness, wanted, equity, margin, equity_after, margin_after, debt_ratio
):
    penalty = harness.call(
        "boundedPenalty", wanted, equity, margin, equity_after, margin_after, debt_ratio
    )
    spare = max(0, equity_after - ceil_div(equity * margin_after, margin))
    assert penalty == min(wanted, spare * WAD // (WAD + debt_ratio))
    if penalty and equity < margin:  # LIQ-2, even if all of it becomes debt.
        required = margin_after * WAD + debt_ratio * penalty
        assert (equity_after - penalty) * margin * WAD >= equity * required


@pytest.mark.parametrize(
    ("elapsed", "price"),
    [(0, 1_050), (1, 1_050), (300, 1_015), (600, 980), (1_199, 911), (1_200, 910), (9_999, 910)],
)
def test_auction_price__over_time__falls_in_a_line_rounded_up_to_its_floor(harness, elapsed, price):
    assert harness.call("auctionPrice", 1_050, 910, elapsed, 1_200) == price


def test_auction_price__start_below_the_floor__is_the_floor(harness):
    assert harness.call("auctionPrice", 900, 910, 0, 1_200) == 910
