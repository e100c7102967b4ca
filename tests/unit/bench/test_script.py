"""``ape run bench`` measures what it is told to, and keeps what else is in the file."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from bulkhead import ROOT
from bulkhead.bench import gas, matcher, throughput
from bulkhead.bench.workload import MeasurementError
from bulkhead.chain import artifacts

RESULT = {
    "seconds": 1.0,
    "example": {"ape": 20.0},
    "suite": {},
    "details": {
        "example": {
            "ape": {
                "checks": "totals",
                "steps": 20,
                "seconds": 1.0,
                "refused_share": 0.0,
                "transactions_per_second": 20.0,
            }
        },
        "suite": {},
    },
}

SPEEDS = {
    "details": {
        name: {"per_processor_second": 6_543.2, "cores_used_by_others": 0.4}
        for name in matcher.FIGURES
    },
    **dict.fromkeys(matcher.FIGURES, 4_321.0),
}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_script", ROOT / "scripts" / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(artifacts, "ensure_compiled", lambda *_: None)
    monkeypatch.setattr(artifacts, "load_artifacts", lambda **_: None)
    monkeypatch.setattr(gas, "measure", lambda *_: {"deposit": 90_001})
    monkeypatch.setattr(matcher, "measure", lambda *_: SPEEDS)
    measuring(monkeypatch)
    return module


def measuring(monkeypatch: pytest.MonkeyPatch, ending: BaseException | None = None) -> None:
    def measure(_: float, __: Any, on_result: Any) -> None:
        on_result(RESULT)
        if ending is not None:
            raise ending

    monkeypatch.setattr(throughput, "measure", measure)


def run(script: ModuleType, path: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    result = CliRunner().invoke(script.cli, ["--out", str(path), *arguments])
    written = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return result.exit_code, result.output, written


def test_all__are_measured_unless_told_otherwise(script: ModuleType, tmp_path: Path) -> None:
    status, output, written = run(script, tmp_path / "bench.json")
    assert status == 0
    assert written == {"gas": {"deposit": 90_001}, "throughput": RESULT, "matcher": SPEEDS}
    assert "over by 1" in output
    assert "plain Ape" in output
    assert "4,321 |                6,543" in output


@pytest.mark.parametrize("part", ["gas", "throughput", "matcher"])
def test_one__leaves_the_rest_of_the_file(script: ModuleType, tmp_path: Path, part: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text('{"gas": 1, "throughput": 2, "matcher": 4, "bugs": 3}', encoding="utf-8")
    _, _, written = run(script, path, "--only", part)
    before = {"gas": 1, "throughput": 2, "matcher": 4, "bugs": 3}
    assert {**written, part: None} == {**before, part: None}
    assert (
        written[part] == {"gas": {"deposit": 90_001}, "throughput": RESULT, "matcher": SPEEDS}[part]
    )


def test_interruption__keeps_and_prints_what_there_is(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, KeyboardInterrupt())
    status, output, written = run(script, tmp_path / "bench.json", "--only", "throughput")
    assert status == 130
    assert written == {"throughput": RESULT}
    assert "plain Ape" in output
    assert "written to" in output


def test_failure__is_one_line(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, MeasurementError("forge is missing"))
    status, output, written = run(script, tmp_path / "bench.json", "--only", "throughput")
    assert status == 1
    assert "Error: forge is missing" in output
    assert written == {"throughput": RESULT}


def test_seconds__below_one__are_refused(script: ModuleType, tmp_path: Path) -> None:
    status, output, _ = run(script, tmp_path / "bench.json", "--seconds", "0")
    assert status == 2
    assert "--seconds" in output
