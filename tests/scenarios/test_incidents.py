"""Replays of incidents: what a naive rule lost, what this suite lost, and that the test can fail.

Each incident is played twice per session: as the suite is meant, and with its defence configured
away; some once more, without the defence but with a confirmation as on the devnet. Figures are
exact: the chains repeat.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.deployment.devnet import devnet_parameters
from bulkhead.deployment.units import to_wad
from bulkhead.model.prices import PriceStatus
from bulkhead.scenarios.incidents import command, report
from bulkhead.scenarios.incidents.base import Incident, Outcome, Refusal
from bulkhead.scenarios.incidents.cap_desync import NaiveCap
from bulkhead.scenarios.incidents.command import play_incidents
from bulkhead.scenarios.incidents.ezeth import CAREFUL, hasty
from bulkhead.scenarios.incidents.registry import (
    INCIDENTS,
    UnknownIncidentError,
    chosen_incidents,
)
from bulkhead.scenarios.incidents.report import BEGIN, END, PAGE, Played
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
}
"""Whole settlement units, rounded down."""
UNDEFENDED_LOSSES = {**NAIVE_LOSSES, "forged-forwarder": 6_932_525, "uwu": 350_289}
UNDEFENDED_LOSSES["cap-desync"] = 111_592
"""Of this suite without the defence, likewise."""
LIQUIDATED = {"ezeth": (6, 6, 6), "cap-desync": (6, 4, 6)}
"""Accounts; liquidated by the naive rule; by this suite without the defence."""
HELD_STATUS = {
    "thin-twap": ("status_pushed", "status_held"),
    "uwu": ("status_six_pushed", "status_six_held"),
}
"""Figures of the price's status when it was pushed, and when the push was held."""


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    """All incidents, with their controls."""
    ensure_compiled()
    return {
        name: Played(
            incident,
            incident.play(),
            incident.play(defended=False),
            incident.play_second_line(),
        )
        for name, incident in INCIDENTS.items()
    }


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


@pytest.mark.parametrize("name", INCIDENTS)
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


# ---------------------------------------------------------------------- command and page


class Instant(Incident):
    """An incident whose outcome is given."""

    name = "instant"
    when = "2020-01"
    happened = "Something happened."
    reported = "~$1M"
    naive_rule = "a rule"
    loss_means = "a loss"
    defence = "a defence"
    without = "nothing"

    def __init__(self, loss: int = 0, liquidated: int = 0) -> None:
        self._outcome = Outcome(5 * WAD, loss, "answered", 3, 2, liquidated)

    def play(self, *, defended: bool = True) -> Outcome:
        """Return it."""
        return self._outcome


def listen(tmp_path: Path) -> Console:
    """A console that remembers."""
    return Console(width=140, record=True, file=(tmp_path / "out").open("w"))


def test_chosen_incidents__none_or_some__are_given_once() -> None:
    assert [i.name for i in chosen_incidents([])] == list(INCIDENTS)
    assert [i.name for i in chosen_incidents(["uwu", "ezeth", "uwu"])] == ["uwu", "ezeth"]
    with pytest.raises(UnknownIncidentError, match=r"no incident mt-gox; there are .*ezeth"):
        chosen_incidents(["uwu", "mt-gox"])


@pytest.mark.parametrize(
    ("names", "write", "words"),
    [(["mt-gox"], False, "no incident mt-gox"), (["uwu"], True, "--write is for all incidents")],
)
def test_command__wrong_options__play_nothing(
    tmp_path: Path, names: list[str], write: bool, words: str
) -> None:
    console, out = listen(tmp_path), tmp_path / "numbers.json"
    assert play_incidents(names, write=write, out=out, console=console) == command.EXIT_USAGE
    assert words in console.export_text()
    assert not out.exists()


def test_command__list__plays_nothing(tmp_path: Path) -> None:
    console = listen(tmp_path)
    assert play_incidents([], only_list=True, console=console) == 0
    text = console.export_text()
    assert all(name in text for name in INCIDENTS)


@pytest.mark.parametrize(
    ("loss", "liquidated", "status"), [(0, 0, 0), (1, 0, command.EXIT_LOST), (0, 1, 1)]
)
def test_command__status__says_whether_the_suite_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: int, liquidated: int, status: int
) -> None:
    monkeypatch.setattr(command, "chosen_incidents", lambda names: [Instant(loss, liquidated)])
    console, out = listen(tmp_path), tmp_path / "numbers.json"
    assert play_incidents([], out=out, console=console) == status
    assert "instant" in console.export_text()
    written = json.loads(out.read_text())["instant"]
    assert written["held"] is (status == 0)
    assert written["defended"]["naive_loss"] == 5 * WAD
    assert written["without_defence"] is written["confirmation_alone"] is None


@pytest.mark.parametrize("control", [False, True])
def test_command__control__plays_the_other_ways_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, control: bool
) -> None:
    class Guarded(Instant):
        second_line = "it waits"

        def play_second_line(self) -> Outcome:
            return Outcome(5 * WAD, 3 * WAD, "waited")

    monkeypatch.setattr(command, "chosen_incidents", lambda names: [Guarded()])
    out = tmp_path / "numbers.json"
    assert play_incidents([], control=control, out=out, console=listen(tmp_path)) == 0
    written = json.loads(out.read_text())["instant"]
    assert (written["without_defence"] is not None) is control
    alone = written["confirmation_alone"]
    assert (alone["suite_loss"] if control else alone) == (3 * WAD if control else None)


def test_command__interrupted__shows_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Instant):
        name = "stopped"

        def play(self, *, defended: bool = True) -> Outcome:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "chosen_incidents", lambda names: [Instant(), Stopped()])
    console = listen(tmp_path)
    assert play_incidents([], console=console) == command.EXIT_INTERRUPTED
    assert "instant" in console.export_text(clear=False)
    assert "stopped after 1 incidents" in console.export_text()


def test_command__replay_goes_wrong__says_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(Instant):
        def play(self, *, defended: bool = True) -> Outcome:
            Refusal("").require("nothing")
            Refusal("Engine_Closed").require("the trade")
            raise AssertionError("unreachable")

    monkeypatch.setattr(command, "chosen_incidents", lambda names: [Refused()])
    console, out = listen(tmp_path), tmp_path / "numbers.json"
    assert play_incidents([], out=out, console=console) == command.EXIT_LOST
    assert "the trade: refused with Engine_Closed" in console.export_text()
    assert not out.exists()


def test_write_page__markers__are_kept_and_the_rest_too(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        report.write_page([Played(Instant(), Instant().play(), Instant(7 * WAD).play())], page)
        text = page.read_text()
        assert text.startswith(f"before\n{BEGIN}\n\n| incident |")
        assert text.endswith(f"\n{END}\nafter\n")
        assert "old" not in text
    assert "| 5 (2 of 3 liquidated) | 0 (0 of 3 liquidated) | 7 (0 of 3 liquidated) |" in text
    assert "confirmation alone" not in text


def test_as_markdown__second_line__has_a_column_of_its_own() -> None:
    first = Outcome(1, 0, "", refusals={"open": "Refused"}, figures={"rate_wad": WAD})
    second = Outcome(1, 0, "", refusals={"open": "Waits"}, figures={"rate_wad": 2 * WAD})
    text = report.as_markdown([Played(Instant(), first, Instant().play(), second)])
    assert "* confirmation alone, as on the devnet (loss 0): " in text
    assert "| tried | refused with | without the defence | confirmation alone |" in text
    assert "| open | `Refused` |  | `Waits` |" in text
    assert "| rate | 1.0000 |  | 2.0000 |" in text


@pytest.mark.parametrize("text", ["nothing", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_write_page__marker_missing__is_refused(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(report.PageError, match="is missing"):
        report.write_page([], page)
    assert page.read_text() == text


def test_page__numbers__are_those_of_the_replays(played: dict[str, Played]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown == f"\n\n{report.as_markdown(list(played.values()))}\n"
