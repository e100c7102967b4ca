"""Replays of trading and clearing: profit, liquidation, and the lock, with bounds of their own."""

from __future__ import annotations

import pytest

from bulkhead.model.prices import PriceStatus
from bulkhead.scenarios.incidents.report import Played
from bulkhead.scenarios.incidents.world import REFUSED_BY_STATUS

WAD = 10**18
BELOW_MARGIN = "MarginEngine_BelowInitialMargin"
TOO_MUCH = "MarginEngine_InsufficientBalance"
HEALTHY = "LiquidationEngine_Healthy"
LOCKED = "CompartmentLock_Locked"

# ---------------------------------------------------------------------- mango

SIZE, MARGIN = 10**7 * WAD, 5 * 10**6 * WAD
POOL, INSURANCE, DEPOSITS = 20 * 10**6 * WAD, 10**6 * WAD, 3 * MARGIN


def test_mango__each_way_to_be_paid__is_refused_by_its_own_error(
    played: dict[str, Played],
) -> None:
    assert played["mango"].outcome.refusals == {
        "withdraw margin, one venue pushed": REFUSED_BY_STATUS,
        "withdraw margin, the average moving": REFUSED_BY_STATUS,
        "realise, the average moving": REFUSED_BY_STATUS,
        "withdraw the unrealised profit": TOO_MUCH,
        "withdraw margin against it": BELOW_MARGIN,
        "convert it at once": "MarginEngine_NotMatured",
        "withdraw it at once": TOO_MUCH,
        "convert it within a day, the governor acting": "CircuitBreaker_Blocked",
    }


def test_mango__one_venue_of_three__moves_nothing_but_the_status(
    played: dict[str, Played],
) -> None:
    figures = played["mango"].outcome.figures
    assert abs(figures["price_one_venue_pushed_wad"] - WAD) <= WAD // 5_000, "two ticks"
    assert figures["status_one_venue_pushed"] == PriceStatus.DEGRADED
    assert figures["price_all_venues_pushed_wad"] > 8 * WAD
    assert figures["seconds_held_until_confirmed"] >= 600 + 30, "the window, and the confirmation"


def test_mango__profit_and_bad_debt__are_what_the_curve_gives(played: dict[str, Played]) -> None:
    figures = played["mango"].outcome.figures
    # Half of the size moves the price by 1 %: dearer on the way in, cheaper on the way out.
    profit = SIZE // 100 * (99 * figures["price_all_venues_pushed_wad"] - 101 * WAD) // WAD
    assert abs(figures["claim_of_the_long_wad"] - profit) <= SIZE // 5_000, "two ticks at entry"
    fee = SIZE * 101 // 100 // 2_000
    met_by_the_short = figures["claim_of_the_long_wad"] - figures["bad_debt_of_the_short_wad"]
    assert abs(met_by_the_short - (MARGIN - fee)) < WAD * 2


def test_mango__naive_rule__takes_everything_that_is_there(played: dict[str, Played]) -> None:
    found = played["mango"].outcome
    assert found.figures["naive_credit_wad"] == POOL + INSURANCE + DEPOSITS
    assert found.naive_loss == POOL + INSURANCE + DEPOSITS - 2 * MARGIN, "a bystander's, too"


def test_mango__governor_does_not_act__pays_what_the_pool_has_and_no_deposit(
    played: dict[str, Played],
) -> None:
    figures = played["mango"].outcome.figures
    paid = figures["paid_unless_the_governor_acts_wad"]
    has = figures["pool_less_claims_after_wad"] + figures["claim_of_the_long_wad"]
    assert abs(paid - has) < WAD, "all that the pool has, by h"
    # The pool got bob's margin and the insurance, and shares of three fees.
    assert POOL + MARGIN + INSURANCE < paid < POOL + MARGIN + INSURANCE + 50_000 * WAD
    assert figures["bystander_withdrew_later_wad"] == MARGIN
    assert figures["minutes_from_realising_until_paid"] >= figures["minutes_of_vesting"]
    assert figures["orders_of_the_guardian_until_then"] == 0, "the tier that stands is as high"


def test_mango__vesting__is_that_of_calm_markets_for_who_comes_first(
    played: dict[str, Played],
) -> None:
    figures = played["mango"].outcome.figures
    assert figures["minutes_of_vesting"] == 60
    # The largest initial rate is five times the least, and 1.5 times that in the highest tier.
    assert figures["minutes_of_vesting_after_the_push"] == 450


def test_mango__without_vesting__loses_the_pool_and_no_deposit(played: dict[str, Played]) -> None:
    found = played["mango"].control
    assert found is not None
    assert {what for what, error in found.refusals.items() if not error} == {
        "realise, the average moving",
        "convert it at once",
        "withdraw it at once",
    }
    assert found.refusals["withdraw margin against it"] == BELOW_MARGIN, "no parameter does that"
    assert found.suite_loss < POOL < found.naive_loss
    assert found.figures["bystander_withdrew_later_wad"] == MARGIN


# ---------------------------------------------------------------------- donate-liquidate

ON_PURPOSE = "withdrawal", "gift_to_custody", "own_trades", "fees", "funding"
BY_PRICE = "fall_of_the_price", "largest_penalty_and_reward", "auction"


def test_donate_liquidate__each_way__is_refused_by_its_own_error(
    played: dict[str, Played],
) -> None:
    assert played["donate-liquidate"].outcome.refusals == {
        "withdraw a third of the margin": BELOW_MARGIN,
        "liquidate after that": HEALTHY,
        "liquidate after a gift": HEALTHY,
        "liquidate after moving the mark": "LiquidationEngine_HealthyAtIndex",
        "open again after fees": BELOW_MARGIN,
        "liquidate after fees": HEALTHY,
    }


@pytest.mark.parametrize("way", [*ON_PURPOSE, *BY_PRICE])
def test_donate_liquidate__both_accounts__never_have_more(
    played: dict[str, Played], way: str
) -> None:
    assert played["donate-liquidate"].outcome.figures[f"both_gain_by_{way}_wad"] <= 0


def test_donate_liquidate__what_it_costs__is_the_gift_or_the_penalty_less_the_reward(
    played: dict[str, Played],
) -> None:
    figures = played["donate-liquidate"].outcome.figures
    assert abs(figures["both_gain_by_gift_to_custody_wad"] + 740_000 * WAD) < WAD
    # A penalty of 1 % of what was closed, of which 30 % come back.
    most = figures["naive_notional_wad"] * 7 // 1_000
    for way in ("funding", "fall_of_the_price"):
        assert -most <= figures[f"both_gain_by_{way}_wad"] < -most // 10
    assert -WAD < figures["both_gain_by_largest_penalty_and_reward_wad"] <= 0, (
        "all of it comes back"
    )


def test_donate_liquidate__already_bankrupt__is_rewarded_out_of_the_fee_reserve(
    played: dict[str, Played],
) -> None:
    figures = played["donate-liquidate"].outcome.figures
    # A fifth of the only fee stays in the reserve: 0.05 % of a fill 0.5 % above the index.
    reserve = figures["naive_notional_wad"] * 1_005 // 1_000 // 2_000 // 5
    assert abs(figures["both_gain_if_already_bankrupt_wad"] - reserve) < WAD // 10


def test_donate_liquidate__naive_rule__pays_the_discount_less_the_gift(
    played: dict[str, Played],
) -> None:
    found = played["donate-liquidate"].outcome
    notional = found.figures["naive_notional_wad"]
    assert notional == 12 * 10**6 * WAD
    fee = notional * 1_005 // 1_000 // 2_000
    assert found.figures["naive_margin_given_away_wad"] == 740_000 * WAD - fee
    assert found.naive_loss == notional // 5 - (740_000 * WAD - fee)


# ---------------------------------------------------------------------- reentrant-average

READS = (
    "read totalAssets",
    "read convertToAssets",
    "read netAssetValue",
    "read the ledger's totals",
    "read unrealised totals",
    "read a market's unrealised total",
)
CALLS = "deposit in the pool", "redeem from the pool", "trade", "withdraw margin"
MOVES = (
    "deposit in the pool",
    "redemption from the pool",
    "deposit of margin",
    "withdrawal of margin",
)


def test_reentrant_average__every_call_and_read__meets_the_one_lock(
    played: dict[str, Played],
) -> None:
    found = played["reentrant-average"].outcome
    names = [f"{what}, in an auction's callback" for what in (*CALLS, *READS)]
    names += [f"all of these, while a token moves in a {move}" for move in MOVES]
    assert dict(found.refusals) == dict.fromkeys(names, LOCKED)
    assert found.figures["same_calls_that_met_the_lock_outside"] == 0


def test_reentrant_average__in_the_callback__the_debt_is_not_repaid_yet(
    played: dict[str, Played],
) -> None:
    found = played["reentrant-average"].outcome
    figures = found.figures
    assert figures["pool_in_the_callback_wad"] == figures["pool_before_wad"]
    repaid = figures["debt_before_wad"] - figures["debt_after_wad"]
    assert repaid > 700_000 * WAD
    assert figures["pool_after_wad"] - figures["pool_in_the_callback_wad"] == repaid
    assert abs(found.naive_loss - repaid // 2) <= 1, "half of the shares"


def test_reentrant_average__who_enters__pays_for_the_debt(played: dict[str, Played]) -> None:
    figures = played["reentrant-average"].outcome.figures
    to_enter = figures["pool_in_the_callback_to_enter_wad"]
    assert to_enter == figures["pool_after_to_enter_wad"]
    assert to_enter - figures["pool_in_the_callback_wad"] == figures["debt_before_wad"]
    assert figures["gain_if_only_the_lock_were_missing_wad"] < 0
