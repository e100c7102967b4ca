"""``ape run experiment`` runs what it is told to, and writes what it may."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import plotly.graph_objects as go
import pytest
from click.testing import CliRunner

from bulkhead import ROOT
from bulkhead.chain.anvil import AnvilError
from bulkhead.experiments import command, oracle_attacks, registry
from bulkhead.experiments.oracle_attacks import QUICK
from bulkhead.experiments.registry import Experiment, Outcome
from bulkhead.report.panel import Panel

NUMBERS = "<!-- numbers: begin; found -->\n{}<!-- numbers: end -->\n"
OUTCOME = Outcome(
    headline=["42 [of 42] found"],
    sections={"found": "| 42 |"},
    data={"found": 42},
    panels=[Panel("p", "P", "", go.Figure(layout={"height": 100}), is_timed=False)],
)


class Place:
    """An experiment in a folder of its own, and the command that runs it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.document = folder / "page.md"
        self.document.write_text(NUMBERS.format("old\n"), encoding="utf-8")
        self.image = folder / "picture.png"
        self.ending: BaseException | None = None
        self.runs: list[bool] = []
        experiment = Experiment(
            "answer", "What it is.", self.document, self.image, lambda _: 2, self.run
        )
        monkeypatch.setattr(registry, "experiments", lambda: {"answer": experiment})
        monkeypatch.setattr(command, "experiments", lambda: {"answer": experiment})
        monkeypatch.setattr(command, "ensure_compiled", lambda: None)
        monkeypatch.setattr(command, "photograph", self.photograph)

    def run(self, quick: bool, tell: registry.Tell) -> Outcome:
        self.runs.append(quick)
        tell("half")
        if self.ending is not None:
            raise self.ending
        tell("all")
        return OUTCOME

    def photograph(self, page: str, target: Path, *_: int) -> None:
        target.write_text("What it is." if "What it is." in page else "?", encoding="utf-8")

    def invoke(self, *arguments: str):
        return CliRunner().invoke(load().cli, [*arguments, "--out", str(self.folder / "o.json")])

    @property
    def is_untouched(self) -> bool:
        text = self.document.read_text(encoding="utf-8")
        return text == NUMBERS.format("old\n") and not self.image.exists()


def load() -> ModuleType:
    path = ROOT / "scripts" / "experiment.py"
    spec = importlib.util.spec_from_file_location("experiment_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_run__by_default__writes_json_and_leaves_the_document(place):
    result = place.invoke("answer")
    assert result.exit_code == 0, result.output
    assert json.loads((place.folder / "o.json").read_text(encoding="utf-8")) == {"found": 42}
    assert place.is_untouched
    assert place.runs == [False]
    assert "42 [of 42] found" in result.output


def test_run__with_write__renews_numbers_and_picture(place):
    result = place.invoke("answer", "--write")
    assert result.exit_code == 0, result.output
    assert place.document.read_text(encoding="utf-8") == NUMBERS.format("\n| 42 |\n\n")
    assert place.image.read_text(encoding="utf-8") == "What it is."


def test_run__quick__says_so_to_the_experiment(place):
    assert place.invoke("answer", "--quick").exit_code == 0
    assert place.runs == [True]


def test_run__quick_with_write__is_refused(place):
    result = place.invoke("answer", "--quick", "--write")
    assert result.exit_code == 2
    assert "--quick" in result.output
    assert place.runs == []


@pytest.mark.parametrize("arguments", [("nothing",), ()])
def test_run__without_a_known_name__is_refused(place, arguments):
    result = place.invoke(*arguments)
    assert result.exit_code == 2
    assert ("answer" if arguments else "--list") in result.output


def test_list__names_and_summaries__are_printed(place):
    result = place.invoke("--list")
    assert result.exit_code == 0
    assert result.output.split("\n")[:2] == ["answer", "    What it is."]
    assert place.runs == []


def test_run__that_fails__says_why_and_writes_nothing(place):
    place.ending = AnvilError("no [anvil] here")
    result = place.invoke("answer", "--write")
    assert result.exit_code == 1
    assert "no [anvil] here" in result.output
    assert place.is_untouched
    assert not (place.folder / "o.json").exists()


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(130)])
def test_run__interrupted__says_so_and_writes_nothing(place, ending):
    place.ending = ending
    result = place.invoke("answer", "--write")
    assert result.exit_code == 130
    assert "interrupted" in result.output
    assert place.is_untouched
    assert not (place.folder / "o.json").exists()


def test_run__document_without_markers__fails_before_the_picture(place):
    place.document.write_text("no numbers", encoding="utf-8")
    result = place.invoke("answer", "--write")
    assert result.exit_code == 1
    assert "found" in result.output
    assert not place.image.exists()


def test_oracle_attacks__its_steps__are_as_many_as_announced(steps):
    assert len(steps) == QUICK.steps
    assert oracle_attacks.ORACLE_ATTACKS.steps(True) == QUICK.steps


def test_oracle_attacks__by_its_name__is_found():
    assert registry.find_experiment("oracle-attacks") is oracle_attacks.ORACLE_ATTACKS
    with pytest.raises(registry.UnknownExperimentError, match="oracle-attacks"):
        registry.find_experiment("oracle")
