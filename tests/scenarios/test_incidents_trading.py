"""Replays of positions that grew too large: what each defence is worth, with exact figures."""

from __future__ import annotations

from bulkhead.scenarios.incidents.report import Played

WAD = 10**18
BELOW_MARGIN = "MarginEngine_BelowInitialMargin"
TOO_MUCH = "MarginEngine_InsufficientBalance"
TOO_LARGE = "PerpExchange_OpenInterestCap"

# ---------------------------------------------------------------------- zero-impact

WANTED, ALLOWED = 300_000 * WAD, 25_000 * WAD


def test_zero_impact__size__is_all_that_is_refused(played: dict[str, Played]) -> None:
    assert played["zero-impact"].outcome.refusals == {"open the whole position": TOO_LARGE}
    control = played["zero-impact"].control
    assert control is not None
    assert control.refusals == {"open the whole position": ""}


def test_zero_impact__naive_rule__pays_the_move_less_fees_and_the_push(
    played: dict[str, Played],
) -> None:
    found = played["zero-impact"].outcome
    before, after = found.figures["spot_before_wad"], found.figures["spot_pushed_wad"]
    assert after > before * 110 // 100
    fees = WANTED * (before + after) // WAD // 2_000
    moved = WANTED * (after - before) // WAD
    assert abs(found.naive_loss - (moved - fees - found.figures["cost_of_one_push_wad"])) <= 2


def test_zero_impact__every_push__costs_more_than_it_brings(played: dict[str, Played]) -> None:
    figures = played["zero-impact"].outcome.figures
    gains = [figures[f"gain_by_{push}_per_venue_held_wad"] for push in (5_000, 20_000, 50_000)]
    assert gains == sorted(gains, reverse=True), "the larger, the dearer to hold"
    assert all(gain < 0 for gain in gains)
    # An average over ten minutes does not see a block: she pays fees, the curve, and the push.
    in_and_out = ALLOWED * 20 // 50 + ALLOWED * 20 // 1_000
    lost = -figures["gain_by_a_block_of_50000_per_venue_wad"]
    # One second of six hundred moves the average by a sixtieth of a per cent.
    assert abs(lost - in_and_out - figures["cost_of_one_push_wad"]) < 500 * WAD


def test_zero_impact__half_of_the_size__moves_the_price_by_one_per_cent(
    played: dict[str, Played],
) -> None:
    found = played["zero-impact"]
    assert abs(found.outcome.figures["impact_on_entry_wad"] - 20 * WAD // 100) < WAD // 10_000
    assert found.control is not None
    assert found.control.figures["impact_on_entry_wad"] < WAD // 10**6


def test_zero_impact__nobody_sells_into_the_push__gains_what_the_cap_allows(
    played: dict[str, Played],
) -> None:
    figures = played["zero-impact"].outcome.figures
    moved = figures["spot_pushed_wad"] - figures["spot_before_wad"]
    gain = figures["gain_if_nobody_sells_into_the_push_wad"]
    assert 0 < gain < ALLOWED * moved // WAD
    # What the curve takes if somebody has taken the other side, on this gain alone.
    both = figures["gain_if_nobody_sells_the_perp_wad"] - figures["gain_by_5000_per_venue_held_wad"]
    assert both > ALLOWED * 20 // 100, "a per cent on the way in, and another on the way out"


# ---------------------------------------------------------------------- yfi

GROUP = 2_000_000 * WAD
INSURANCE = 10**6 * WAD


def test_yfi__each_way_to_the_profit__is_refused_by_its_own_error(
    played: dict[str, Played],
) -> None:
    assert played["yfi"].outcome.refusals == {
        "open the whole position": TOO_LARGE,
        "withdraw the unrealised profit": TOO_MUCH,
        "withdraw all but 5.5 % of the position": BELOW_MARGIN,
        "convert it at once": "MarginEngine_NotMatured",
    }
    control = played["yfi"].control
    assert control is not None
    accepted = {what for what, error in control.refusals.items() if not error}
    assert set(control.refusals) - accepted == {"withdraw the unrealised profit"}


def test_yfi__naive_rule__holds_the_position_to_the_end(played: dict[str, Played]) -> None:
    found = played["yfi"].outcome
    top, last = found.figures["price_at_the_top_wad"], found.figures["price_after_the_fall_wad"]
    assert last * 100 // top == 59, "by 40 %"
    lost = GROUP * (top - last) // WAD - GROUP * top // WAD // 20
    assert abs(found.naive_loss - lost) <= 1


def test_yfi__margin__followed_the_climb(played: dict[str, Played]) -> None:
    figures = played["yfi"].outcome.figures
    rate = figures["initial_margin_ratio_of_the_second_position_wad"]
    assert 18 * WAD // 100 < rate < 30 * WAD // 100, "the devnet's least is 6 %"
    notional = figures["position_units_wad"] * figures["price_at_the_top_wad"] // WAD
    left = figures["margin_left_for_the_fall_wad"]
    assert left > notional * rate // WAD > notional * 12 // 100, "more than the first gap takes"
    assert figures["minutes_until_it_was_paid"] > 60, "longer than in calm markets"


def test_yfi__fall__is_paid_by_the_margin_alone(played: dict[str, Played]) -> None:
    figures = played["yfi"].outcome.figures
    assert figures["margin_left_after_the_fall_wad"] > 0
    paid = "insurance_paid_wad", "pool_paid_wad", "junior_profit_paid_wad"
    assert [figures[name] for name in paid] == [0, 0, 0]
    assert figures["bystander_withdrew_later_wad"] == 5 * 10**6 * WAD


def test_yfi__same_fall_in_gaps__is_paid_by_insurance_as_far_as_the_cap_lets_it(
    played: dict[str, Played],
) -> None:
    figures = played["yfi"].outcome.figures
    debt = figures["bad_debt_if_it_falls_in_four_gaps_wad"]
    notional = figures["position_units_wad"] * figures["price_at_the_top_wad"] // WAD
    assert 0 < debt < notional // 100
    assert figures["of_which_insurance_paid_wad"] == debt


def test_yfi__without_the_defence__insurance_then_pool_and_no_deposit(
    played: dict[str, Played],
) -> None:
    found = played["yfi"].control
    assert found is not None
    figures = found.figures
    assert figures["initial_margin_ratio_of_the_second_position_wad"] == WAD // 20
    assert figures["minutes_until_it_was_paid"] == 0
    assert INSURANCE < figures["insurance_paid_wad"] < found.suite_loss
    paid = figures["insurance_paid_wad"] + figures["pool_paid_wad"]
    assert paid + figures["junior_profit_paid_wad"] == found.suite_loss
    assert figures["bystander_withdrew_later_wad"] == 5 * 10**6 * WAD
