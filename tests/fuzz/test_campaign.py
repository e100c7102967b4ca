"""A campaign finds what is wrong, once, makes it small, and writes it down."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from bulkhead import ROOT
from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.catalogue import UnknownOperationError
from bulkhead.fuzz.failures import Found
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.profiles import Profile
from bulkhead.fuzz.report import summary
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.trace import Trace

from .conftest import BUGGY, GOOD

SHORT = Profile("test", None, 3_000, shrink_seconds=20)
SUMMARY_KEYS = {
    "executor",
    "seed",
    "steps",
    "steps_per_second",
    "accepted",
    "refused",
    "operations",
    "invariants",
    "failures",
}
FAILURE_KEYS = {"oracle", "trace", "steps", "seconds_to_find", "seconds_to_shrink"}


def play(session: Session, folder: Path, profile: Profile = SHORT, seed: int = 0) -> Campaign:
    campaign = Campaign(session, profile, seed, folder=folder)
    campaign.run()
    return campaign


def test_campaign__right_contract__finds_nothing_and_counts_all(
    good: Session, folder: Path
) -> None:
    campaign = play(good, folder)
    s = campaign.statistics
    assert campaign.found == {}
    assert s.steps >= 3_000
    assert s.accepted + s.refused == s.steps == sum(s.outcomes.values())
    assert s.failing == 0
    assert not folder.exists()


def test_campaign__planted_bug__found_by_both_oracles_and_shrunk_to_the_least(
    buggy: Session, folder: Path
) -> None:
    campaign = play(buggy, folder)
    found = {f.failure.oracle: f for f in campaign.found.values()}
    assert {"model", "PRICE"} <= set(found)
    assert all(failure.steps <= 3 for failure in found.values())
    # Nothing can be left out of what shrinking leaves.
    price = found["PRICE"]
    assert price.seconds_to_shrink > 0
    for i in range(len(price.operations)):
        rest = [*price.operations[:i], *price.operations[i + 1 :]]
        with suppress(Disagreement):
            buggy.run(rest)
            continue
        raise AssertionError(f"{price.operations[i]} can be left out")


def test_campaign__after_a_failure__goes_on_and_reports_it_once(
    buggy: Session, folder: Path
) -> None:
    campaign = play(buggy, folder)
    assert campaign.statistics.steps >= 3_000
    assert campaign.statistics.failing > len(campaign.found)
    assert sum(f.times for f in campaign.found.values()) == campaign.statistics.failing


def test_campaign__same_seed__same_sequences(good: Session, folder: Path) -> None:
    first, second, other = (play(good, folder, seed=s).statistics for s in (5, 5, 6))
    assert first.outcomes == second.outcomes
    assert first.outcomes != other.outcomes


def test_campaign__failure__is_on_disk_before_it_is_shrunk(buggy: Session, folder: Path) -> None:
    seen: list[tuple[float, int, int]] = []

    def note(found: Found) -> None:
        trace = Trace.load(found.trace)
        assert found.test.exists()
        seen.append((found.seconds_to_shrink, len(trace.calls), found.steps))

    Campaign(buggy, SHORT, 0, folder=folder, on_failure=note).run()
    assert seen[0][0] == 0
    assert any(seconds > 0 for seconds, _, _ in seen)
    assert all(calls == steps for _, calls, steps in seen)


def test_campaign__one_oracle_switched_off__the_other_still_finds_it(folder: Path) -> None:
    for use_model, oracle in ((True, "model"), (False, "PRICE")):
        with Session(BUGGY, use_model=use_model, use_invariants=not use_model) as session:
            campaign = play(session, folder)
            assert {f.failure.oracle for f in campaign.found.values()} == {oracle}


def test_campaign__node_dies__begins_again_and_loses_nothing(folder: Path) -> None:
    with Session(BUGGY) as session:
        killed: list[int] = []

        def kill_once(campaign: Campaign) -> None:
            if campaign.statistics.sequences == 20 and not killed:
                killed.append(session.node.pid)
                os.kill(session.node.pid, signal.SIGKILL)

        campaign = Campaign(session, SHORT, 0, folder=folder, on_progress=kill_once)
        campaign.run()
        assert killed
        assert session.node.pid != killed[0]
        assert campaign.statistics.restarts >= 1
        assert campaign.statistics.steps >= 3_000
        assert {f.failure.oracle for f in campaign.found.values()} >= {"model", "PRICE"}


def test_campaign__unknown_operation__is_named(good: Session, folder: Path) -> None:
    with pytest.raises(UnknownOperationError, match="'Fly': choose from Act"):
        Campaign(good, SHORT, 0, ["Fly"], folder=folder)


def test_summary__of_a_campaign__has_what_readers_expect(buggy: Session, folder: Path) -> None:
    found = summary(play(buggy, folder), is_interrupted=False)
    assert found.keys() >= SUMMARY_KEYS
    assert found["failures"]
    assert all(failure.keys() >= FAILURE_KEYS for failure in found["failures"])
    assert 0.99 <= sum(found["time_shares"].values()) <= 1.01
    json.dumps(found)


def command(out: Path, *options: str) -> list[str]:
    ape = Path(sys.prefix) / "bin" / "ape"
    return [str(ape), "run", "fuzz", "--target", BUGGY, "--out", str(out), *options]


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a file is there, or the process has ended."""
    while process.poll() is None and not list(path.glob("*.json")):
        time.sleep(0.05)
    assert list(path.glob("*.json")), "the process ended without a failure"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_fuzz_command__ended_from_outside__keeps_what_it_found(tmp_path: Path, sent: int) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--time", "10m"), cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(tmp_path / "failures", process)
        process.send_signal(sent)
        status = process.wait(60)
    finally:
        process.kill()
    traces = list((tmp_path / "failures").glob("*.json"))
    assert traces
    assert all(Trace.load(path).failure is not None for path in traces)
    if sent == signal.SIGKILL:
        return
    assert status == 128 + sent
    written = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert written["interrupted"]
    assert written["failures"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--operations", "Fly", "there is no operation 'Fly': choose from Act"),
        ("--target", "nowhere.py:X", "no target 'nowhere.py:X'"),
        ("--target", f"{GOOD}Nope", "has no Target called ShareVaultNope"),
        ("--time", "soon", "'soon' is no time"),
        ("--executor", "abacus", "'abacus' is not one of"),
    ],
)
def test_fuzz_command__wrong_argument__one_clear_line(
    tmp_path: Path, option: str, value: str, words: str
) -> None:
    cli = runpy.run_path(str(ROOT / "scripts" / "fuzz.py"))["cli"]
    arguments = ["--target", GOOD, "--out", str(tmp_path), option, value]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
    assert list(tmp_path.iterdir()) == []
