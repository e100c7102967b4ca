"""Traces: what is written can be played again, and what is damaged is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from bulkhead.fuzz.failures import Folder
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.replay import replay
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.testing import check, run_or_explain
from bulkhead.fuzz.trace import Trace, TraceError

from .conftest import BUGGY, GOOD

BUG: tuple[dict[str, Any], ...] = (
    {"kind": "Act", "what": 0, "share": 10_000},
    {"kind": "Act", "what": 2, "share": 10_000},
    {"kind": "Act", "what": 1, "share": 10_000},
)


@pytest.fixture
def written(buggy: Session, folder: Path) -> Path:
    """The trace of the planted bug."""
    operations = tuple(map(buggy.target.catalogue.from_json, BUG))
    with pytest.raises(Disagreement) as caught:
        buggy.run(operations)
    trace, _, _ = Folder(folder).write(buggy, operations, caught.value)
    return trace


def tampered(path: Path, change: Callable[[dict[str, Any]], object], *, keep: bool) -> Path:
    """Change a trace; with ``keep`` as somebody who also writes the checksum anew."""
    if keep:
        trace = Trace.load(path)
        raw = json.loads(path.read_text(encoding="utf-8"))
        change(raw)
        fields = {k: v for k, v in raw.items() if k not in ("format", "checksum", "failure")}
        Trace(**fields, failure=trace.failure).save(path)
    else:
        raw = json.loads(path.read_text(encoding="utf-8"))
        change(raw)
        path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def test_trace__written_and_read__is_the_same(written: Path, tmp_path: Path) -> None:
    trace = Trace.load(written)
    trace.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == written.read_text()
    assert trace.failure is not None
    assert trace.failure.oracle == "PRICE"
    assert trace.failure.at == 2
    assert [call["function"] for call in trace.calls] == ["deposit", "transfer", "withdraw"]
    assert len(trace.bytecode) == len(trace.digest) == len(trace.state_digest) == 64


def test_replay__on_every_executor__fails_as_it_did(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyrevm", reason="https://pypi.org/project/pyrevm: no wheel here")
    assert replay(written, ("anvil-sim", "evm", "ape")) == 0
    shown = capsys.readouterr().out
    assert shown.count("everything seen is as recorded") == 3
    # The decoded call tree, and the model's view of the same call.
    assert "vault.withdraw(" in shown
    assert "the model" in shown
    assert "the executors disagree" not in shown


def test_replay__of_a_mended_contract__says_that_it_no_longer_fails(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tampered(written, lambda raw: raw.update(target=GOOD), keep=True)
    assert replay(written, ("anvil-sim",), any_code=True) == 1
    assert "it no longer fails: PRICE holds" in capsys.readouterr().out


def test_replay__other_bytecode__one_line(written: Path) -> None:
    tampered(written, lambda raw: raw.update(target=GOOD), keep=True)
    with pytest.raises(click.ClickException, match="the trace is of other bytecode"):
        replay(written, ("anvil-sim",))


def test_replay__unknown_operation__one_line(written: Path) -> None:
    tampered(written, lambda raw: raw["operations"][1].update(kind="Fly"), keep=True)
    with pytest.raises(click.ClickException, match="there is no operation 'Fly'"):
        replay(written, ("anvil-sim",))


def test_replay__no_such_call__one_line(written: Path) -> None:
    with pytest.raises(click.ClickException, match="3 calls, so there is no call 9"):
        replay(written, ("anvil-sim",), step=9)


def test_trace__damaged__one_line(written: Path, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        Trace.load(tmp_path / "none.json")
    with pytest.raises(TraceError, match="its checksum does not fit"):
        Trace.load(tampered(written, lambda raw: raw["calls"][0].update(time=1), keep=False))
    with pytest.raises(TraceError, match="its format is 'other/9'"):
        Trace.load(tampered(written, lambda raw: raw.update(format="other/9"), keep=False))
    written.write_text(written.read_text()[:200], encoding="utf-8")
    with pytest.raises(TraceError, match="it is not JSON"):
        Trace.load(written)


def test_regression_file__of_a_failure__fails_until_it_is_mended(written: Path) -> None:
    source = next(written.parent.glob("test_*.py")).read_text(encoding="utf-8")
    for spec, fails in ((BUGGY, True), (GOOD, False)):
        names: dict[str, Any] = {}
        exec(compile(source.replace(BUGGY, spec), "regression", "exec"), names)
        test = next(value for name, value in names.items() if name.startswith("test_"))
        if fails:
            with pytest.raises(AssertionError, match="ape run replay"):
                test()
        else:
            test()


def test_check__failing_example__is_printed_as_the_command_that_replays_it(
    buggy: Session, folder: Path
) -> None:
    operations = [buggy.target.catalogue.from_json(raw) for raw in BUG]
    with pytest.raises(AssertionError, match=r"ape run replay .*price-vault-withdraw-\w+\.json"):
        run_or_explain(buggy, operations, folder)
    assert len(check(GOOD, BUG)) == 3
