"""The incidents command and the page of the documentation that it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from bulkhead.scenarios.incidents import command, report
from bulkhead.scenarios.incidents.base import Incident, Outcome, Refusal
from bulkhead.scenarios.incidents.command import play_incidents
from bulkhead.scenarios.incidents.registry import (
    INCIDENTS,
    UnknownIncidentError,
    chosen_incidents,
)
from bulkhead.scenarios.incidents.report import BEGIN, END, PAGE, Played

WAD = 10**18


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


def test_command__no_control__is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Uncontrolled(Instant):
        has_control = False

        def play(self, *, defended: bool = True) -> Outcome:
            self.require_control(defended)
            return super().play()

    monkeypatch.setattr(command, "chosen_incidents", lambda names: [Uncontrolled()])
    out = tmp_path / "numbers.json"
    assert play_incidents([], control=True, out=out, console=listen(tmp_path)) == 0
    assert json.loads(out.read_text())["instant"]["without_defence"] is None


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


def test_report__loss_that_is_not_all__is_marked(tmp_path: Path) -> None:
    class Partial(Instant):
        caveat = "there is more to come"

    text = report.as_markdown([Played(Partial(), Instant().play())])
    assert "| 5 (2 of 3 liquidated) | 0 (0 of 3 liquidated) † |" in text
    assert "* † there is more to come" in text
    console = listen(tmp_path)
    report.print_table([Played(Partial(), Instant().play())], console)
    assert "† instant: there is more to come" in console.export_text()
    assert "†" not in report.as_markdown([Played(Instant(), Instant().play())])


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
