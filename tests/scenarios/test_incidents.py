"""Replays of incidents: what a naive rule lost, what this suite lost, and that the test can fail.

Each incident is played twice per session: as the suite is meant, and with its defence configured
away where that is possible; some once more, without the defence but with a confirmation as on the
devnet. Figures are exact: the chains repeat.
"""

from __future__ import annotations

import pytest

from bulkhead.deployment.devnet import devnet_parameters
from bulkhead.deployment.units import to_wad
from bulkhead.model.prices import PriceStatus
from bulkhead.scenarios.incidents.base import Outcome, ReplayError
from bulkhead.scenarios.incidents.cap_desync import NaiveCap
from bulkhead.scenarios.incidents.ezeth import CAREFUL, hasty
from bulkhead.scenarios.incidents.registry import INCIDENTS
from bulkhead.scenarios.incidents.report import PAGE, Played
from bulkhead.scenarios.incidents.world import REFUSED_BY_STATUS

WAD = 10**18
HEALTHY = "LiquidationEngine_Healthy"
BELOW_MARGIN = "MarginEngine_BelowInitialMargin"

NAIVE_LOSSES = {
    "donate-price": 249_999_999,  # 250 million but for the vault's rounding
    "thin-twap": 295_240,
    "min-answer": 250_000,
    "steth-2022": 4_544,
    "ezeth": 113_880,
    "uwu": 341_775,
    "forged-forwarder": 6_930_000,
    "cap-desync": 76_908,
    "mango": 26_000_000,
    "donate-liquidate": 1_666_030,
    "reentrant-average": 356_963,
    "zero-impact": 605_490,
    "yfi": 9_005_288,
}
"""Whole settlement units, rounded down."""
UNDEFENDED_LOSSES = {**NAIVE_LOSSES, "forged-forwarder": 6_932_525, "uwu": 350_289}
UNDEFENDED_LOSSES |= {"cap-desync": 111_592, "mango": 14_979_975}
UNDEFENDED_LOSSES |= {"zero-impact": 605_445, "yfi": 1_838_875}
"""Of this suite without the defence, likewise."""
UNCONTROLLED = {"donate-liquidate", "reentrant-average"}
"""Whose defence no parameter switches off."""
LIQUIDATED = {"ezeth": (6, 6, 6), "cap-desync": (6, 4, 6)}
"""Accounts; liquidated by the naive rule; by this suite without the defence."""
HELD_STATUS = {
    "thin-twap": ("status_pushed", "status_held"),
    "uwu": ("status_six_pushed", "status_six_held"),
}
"""Figures of the price's status when it was pushed, and when the push was held."""


def outcome(played: dict[str, Played], name: str) -> Outcome:
    """As the suite is meant."""
    return played[name].outcome


def control(played: dict[str, Played], name: str) -> Outcome:
    """Without the defence."""
    found = played[name].control
    assert found is not None
    return found


# ---------------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", INCIDENTS)
def test_play__naive_rule__loses(played: dict[str, Played], name: str) -> None:
    found = outcome(played, name)
    assert found.naive_loss // WAD == NAIVE_LOSSES[name] > 0
    accounts, naive_hit, _ = LIQUIDATED.get(name, (0, 0, 0))
    assert (found.accounts, found.naive_liquidated) == (accounts, naive_hit)


@pytest.mark.parametrize("name", INCIDENTS)
def test_play__this_suite__loses_nothing(played: dict[str, Played], name: str) -> None:
    found = outcome(played, name)
    assert (found.suite_loss, found.suite_liquidated) == (0, 0)
    assert all(found.refusals.values()), found.refusals


@pytest.mark.parametrize("name", sorted(UNCONTROLLED))
def test_play__no_control__is_refused(played: dict[str, Played], name: str) -> None:
    assert played[name].control is None
    with pytest.raises(ReplayError, match=f"{name} has no control: no parameter"):
        INCIDENTS[name].play(defended=False)


@pytest.mark.parametrize("name", sorted(set(INCIDENTS) - UNCONTROLLED))
def test_play__without_the_defence__suffers(played: dict[str, Played], name: str) -> None:
    found = control(played, name)
    assert found.suite_loss // WAD == UNDEFENDED_LOSSES[name] > 0
    assert found.suite_liquidated == LIQUIDATED.get(name, (0, 0, 0))[2]
    assert found.naive_loss == outcome(played, name).naive_loss, "the same events"


@pytest.mark.parametrize("name", INCIDENTS)
def test_play_second_line__where_a_push_cannot_be_held__confirmation_alone_refuses(
    played: dict[str, Played], name: str
) -> None:
    found = played[name].second_line
    assert (found is not None) is (name in HELD_STATUS) is bool(INCIDENTS[name].second_line)
    if found is None:
        return
    assert found.suite_loss == 0
    assert found.naive_loss == outcome(played, name).naive_loss, "the same events"
    assert found.refusals["open on the pushed price"] == REFUSED_BY_STATUS
    assert control(played, name).refusals["open on the pushed price"] == ""
    pushed, held = HELD_STATUS[name]
    assert found.figures[pushed] == PriceStatus.UNCONFIRMED
    assert found.figures[held] == PriceStatus.VALID, "it only buys time"


def test_play__again__gives_the_same(played: dict[str, Played]) -> None:
    assert INCIDENTS["thin-twap"].play() == outcome(played, "thin-twap")


# ---------------------------------------------------------------------- false prices


def test_min_answer__feed_on_its_floor__is_left_out(played: dict[str, Played]) -> None:
    found = outcome(played, "min-answer")
    assert found.refusals == {
        "source": "ChainlinkAdapter_AnswerOutOfRange",
        "open on the floor price": REFUSED_BY_STATUS,
        "withdraw on the floor price": REFUSED_BY_STATUS,
    }
    assert found.figures["status"] == PriceStatus.STALE
    assert (found.naive_loss, found.figures["suite_credit_wad"]) == (250_000 * WAD, 0)


def test_min_answer__two_others__make_the_quorum(played: dict[str, Played]) -> None:
    figures = outcome(played, "min-answer").figures
    assert figures["price_by_others_wad"] == WAD // 100
    assert figures["status_by_others"] == PriceStatus.VALID
    assert figures["credit_by_others_wad"] == 30_000 * WAD < figures["collateral_worth_wad"]


def test_donate_price__rate_doubled_in_one_block__is_believed_along_the_line(
    played: dict[str, Played],
) -> None:
    figures = outcome(played, "donate-price").figures
    assert figures["vault_rate_wad"] == 2 * WAD - 1, "one unit is the vault's rounding"
    risen = figures["suite_price_wad"] - figures["price_before_wad"]
    a_minute = WAD // 5_000 * 60 // 86_400
    assert 0 < risen < a_minute
    assert outcome(played, "donate-price").refusals["open on the donated price"] == BELOW_MARGIN


def test_thin_twap__push__moves_the_average_by_its_time(played: dict[str, Played]) -> None:
    figures = outcome(played, "thin-twap").figures
    # A geometric mean over 36 of 120 seconds at the pushed price and the rest at 1.0, within ticks.
    pushed, average = figures["spot_after_push_wad"] ** 3, figures["naive_twap_wad"] ** 10
    assert pushed * WAD**7 * 998 // 1_000 <= average <= pushed * WAD**7
    assert figures["suite_price_wad"] == figures["suite_price_held_wad"] == WAD
    undefended = control(played, "thin-twap").figures
    assert undefended["suite_price_wad"] == figures["naive_twap_wad"]
    assert undefended["suite_price_held_wad"] > 60 * WAD, "held for the whole window"


def test_thin_twap__thin_pool__fails_depth_and_is_a_minority(played: dict[str, Played]) -> None:
    found = outcome(played, "thin-twap")
    assert found.refusals["source"] == "UniswapV3TwapAdapter_LiquidityTooLow"
    assert found.figures["price_beside_pushed_minority_wad"] == WAD
    assert found.figures["status_beside_pushed_minority"] == PriceStatus.DEGRADED
    assert found.figures["suite_window_twap_wad"] > WAD * 5 // 4, "it was pushed"


def test_uwu__five_spots__move_the_plain_median_and_no_source(played: dict[str, Played]) -> None:
    figures = outcome(played, "uwu").figures
    assert figures["naive_before_wad"] // 10**13 == 100_000
    assert abs(figures["naive_five_pushed_up_wad"] - WAD * 103 // 100) < WAD // 9_000, "in ticks"
    assert figures["naive_five_pushed_down_wad"] // 10**15 == 989
    same = figures["suite_before_wad"]
    assert figures["suite_five_pushed_up_wad"] == figures["suite_five_pushed_down_wad"] == same


def test_uwu__one_more_than_the_spots__decides_the_plain_median_only(
    played: dict[str, Played],
) -> None:
    figures = outcome(played, "uwu").figures
    assert figures["naive_six_pushed_wad"] > WAD * 149 // 100
    assert WAD * 99 // 100 <= figures["suite_six_pushed_wad"] <= WAD * 103 // 100
    assert figures["status_six_pushed"] == PriceStatus.DEGRADED
    assert figures["status_six_held"] == PriceStatus.DEGRADED, "a minority holds it for nothing"


def test_uwu__minority_held_for_the_window__stays_between_honest_prices(
    played: dict[str, Played],
) -> None:
    figures = outcome(played, "uwu").figures
    honest = figures["honest_least_wad"], figures["honest_most_wad"]
    assert honest[0] <= figures["suite_three_of_seven_held_wad"] <= honest[1], "ORC-1"
    undefended = control(played, "uwu").figures
    assert undefended["suite_three_of_seven_held_wad"] > undefended["honest_most_wad"]


def test_forged_forwarder__each_way__is_refused_by_its_own_error(
    played: dict[str, Played],
) -> None:
    found = outcome(played, "forged-forwarder")
    assert {what: error.rpartition("_")[2] for what, error in found.refusals.items()} == {
        "forged signatures": "BadSignature",
        "replayed reports": "NotNewer",
        "reports of another chain": "BadSignature",
        "altered price": "BadSignature",
        "too few signers": "ReportCount",
        "one signer, three times": "NotAscending",
        "set the low price": "UnknownSigner",
        "set the high price": "UnknownSigner",
    }
    assert found.figures["price_after_second_attempt_wad"] == 3_000 * WAD
    assert found.figures["attacker_gained_wad"] < 0


# ---------------------------------------------------------------------- rates and pegs


def test_naive_cap__ratio_and_time_apart__stands_below_the_rate() -> None:
    cap = NaiveCap(WAD, 0)
    assert cap.most(200 * 86_400) == WAD * 108 // 100
    cap.update(WAD * 106 // 100, 193 * 86_400)
    assert cap.most(200 * 86_400) == WAD * 10_328 // 10_000


def test_cap_desync__naive_cap__underprices_by_what_was_reported(
    played: dict[str, Played],
) -> None:
    found = outcome(played, "cap-desync")
    assert found.figures["naive_underpricing_wad"] // 10**14 == 284, "2.85 %, rounded"
    assert found.figures["suite_rate_wad"] == found.figures["true_rate_wad"]
    assert set(found.refusals.values()) == {HEALTHY}


def test_ezeth__wick_of_an_hour__moves_no_maintenance_valuation(
    played: dict[str, Played],
) -> None:
    found = outcome(played, "ezeth")
    figures = found.figures
    assert figures["market_ratio_in_the_wick_wad"] // 10**15 == 400
    assert set(found.refusals.values()) == {HEALTHY}
    assert figures["stress_wad"] // 10**15 == 39
    before = figures["maintenance_before_wad"]
    assert before == 2_920 * WAD * 95 // 100
    assert figures["maintenance_lowest_wad"] == figures["maintenance_after_wad"] == before
    assert figures["market_ratio_with_the_venue_a_minority_wad"] == WAD


def test_ezeth__stress__is_discount_times_the_time_since_it_was_confirmed(
    played: dict[str, Played],
) -> None:
    figures = outcome(played, "ezeth").figures
    per_day = 2 * (WAD * 59 // 100)
    minutes = figures["stress_wad"] * 1_440 // per_day
    # An hour, but for the looks that confirm the price, and what silence does not attest.
    assert 45 <= minutes < 60
    five_times = 5 * figures["stress_wad"]
    assert abs(figures["stress_on_the_devnet_wad"] - five_times) < five_times // 1_000


def test_ezeth__hasty_parameters__liquidate_everybody(played: dict[str, Played]) -> None:
    figures = outcome(played, "ezeth").figures
    assert figures["liquidated_by_the_devnet's_rules"] == 6, "they are for another kind of token"
    fall = WAD - figures["maintenance_lowest_on_the_devnet_wad"] * WAD // (2_774 * WAD)
    assert figures["cushion_largest_wad"] // 10**15 == 103
    assert fall // 10**15 == 174
    undefended = control(played, "ezeth")
    assert set(undefended.refusals.values()) == {""}
    lowest = undefended.figures["maintenance_lowest_wad"]
    assert lowest < figures["maintenance_lowest_on_the_devnet_wad"], "the grace is the least"


@pytest.mark.parametrize(
    ("per_day", "grace", "shown"),
    [
        ("10", "0.03", "| the devnet; [steth-2022](#steth-2022) | 10 | 0.03 | 0.246"),
        ("2", "0.1", "| [ezeth](#ezeth) | 2 | 0.1 | 0.049"),
        ("10", "0.0275", "| control of ezeth | 10 | 0.0275, the least for these numbers | 0.246"),
    ],
)
def test_page__parameters_of_pegs__are_those_of_the_replays(
    per_day: str, grace: str, shown: str
) -> None:
    assert shown in PAGE.read_text(encoding="utf-8")
    (rules,) = devnet_parameters().pegs
    used = {
        (rules.stress_per_day, rules.grace_stress),
        *((r["stress_per_day"], r["grace_stress"]) for r in (CAREFUL, hasty(rules))),
    }
    assert (to_wad(per_day), to_wad(grace)) in used


@pytest.mark.parametrize("hours", [1, 24, 72, 168, 336])
def test_steth_2022__lasting_discount__is_recognised_by_the_formula(
    played: dict[str, Played], hours: int
) -> None:
    figures = outcome(played, "steth-2022").figures
    name = f"{hours // 24}d" if hours >= 24 else f"{hours}h"
    market = figures["market_ratio_wad"]
    discount = WAD - market
    per_day = 10 * (discount - WAD // 100)
    stress = figures[f"stress_after_{name}_wad"]
    # The look takes some transactions, of a second each.
    assert 0 <= stress - min(WAD, per_day * hours // 24) <= per_day // 1_440
    recognised = max(0, stress - 3 * WAD // 100) * 100 // 97
    haircut = WAD // 20 + (discount // 2 + 15 * WAD // 100) * recognised // WAD
    blend = (WAD * (WAD - recognised) + market * recognised) // WAD
    valued = 3_000 * blend * (WAD - haircut) // WAD
    assert abs(figures[f"maintenance_after_{name}_wad"] - valued) < 10_000 * 3, "roundings, in wei"


def test_steth_2022__full_recognition__takes_two_days(played: dict[str, Played]) -> None:
    figures = outcome(played, "steth-2022").figures
    market = figures["market_price_wad"]
    assert figures["minutes_until_recognised_at_all"] == 86
    assert figures["minutes_until_recognised_in_full"] == 2_884
    values = [figures[f"maintenance_after_{t}_wad"] for t in ("1h", "1d", "3d", "7d", "14d")]
    assert [value // 10**16 for value in values] == [285_000, 251_372, *3 * [217_167]]
    assert values[0] > market > values[1]
    assert figures["stress_after_1d_wad"] < WAD * 9 // 10 < figures["stress_after_3d_wad"]
    assert figures["initial_after_1d_wad"] > figures["initial_after_3d_wad"] == 0, "broken"


def test_steth_2022__queue_of_years__costs_the_largest_haircut(played: dict[str, Played]) -> None:
    figures = outcome(played, "steth-2022").figures
    assert figures["queue_days"] > 365
    assert figures["maintenance_if_the_queue_is_watched_wad"] == figures["market_price_wad"] // 2


def test_steth_2022__new_credit__goes_by_the_market_at_once(played: dict[str, Played]) -> None:
    found = outcome(played, "steth-2022")
    figures = found.figures
    assert figures["credit_at_once_wad"] < figures["fetches_wad"] < figures["naive_credit_wad"]
    assert found.refusals["open on credit at par"] == BELOW_MARGIN
    undefended = control(played, "steth-2022").figures
    assert undefended["maintenance_after_14d_wad"] == undefended["maintenance_after_1h_wad"]
    assert undefended["maintenance_after_14d_wad"] > undefended["market_price_wad"]
