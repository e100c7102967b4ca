"""What forge printed is read right: recorded outputs of both tests, traces taken out."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from bulkhead.bench.forge import (
    EXAMPLE_TEST,
    ForgeTest,
    measure_forge,
    parse_duration,
    parse_run,
)
from bulkhead.bench.workload import MeasurementError

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.json").read_text(encoding="utf-8")


def test_run__of_the_example__counts_every_call() -> None:
    run = parse_run(recorded("forge_example"), EXAMPLE_TEST.transactions)
    # More than the 21,300 of whole sequences: time ran out in the middle of one.
    assert run.steps == 7_250 + 7_007 + 7_088
    assert run.refused == 3_515 + 2_959
    assert run.discarded == 0
    assert run.seconds == pytest.approx(2.012969886)
    assert run.per_second == run.transactions_per_second == pytest.approx(run.steps / run.seconds)


def test_run__of_the_suite__counts_transactions_and_leaves_out_what_was_discarded() -> None:
    run = parse_run(recorded("forge_suite"), {"movePrice": Fraction(5, 2), "wait": Fraction(0)})
    trades, conversions = 795 - 411, 257 - 192
    assert run.steps == 346 + 201 + trades + conversions
    assert run.refused == 131 + 34
    assert run.discarded == 411 + 192
    assert run.transactions == 2.5 * 346 + trades + conversions
    assert run.transactions_per_second == pytest.approx(run.transactions / 12.189070100)


def test_run__that_failed__is_refused_with_the_sequence() -> None:
    expected = r"a call made a share worth less; sequence: donate\(1721, 1384\); withdraw\("
    with pytest.raises(MeasurementError, match=expected):
        parse_run(recorded("forge_failed"))


def two_results() -> str:
    suites = json.loads(recorded("forge_example"))
    [suite] = suites.values()
    suite["test_results"]["invariant_other()"] = suite["test_results"]["invariant_totals()"]
    return json.dumps(suites)


@pytest.mark.parametrize("output", ["", "{}", "[]", "no tests", '{"a": 1}', two_results()])
def test_run__that_is_not_one_result__is_refused(output: str) -> None:
    with pytest.raises(MeasurementError, match="not the result of one invariant"):
        parse_run(output)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s 12ms 969µs 886ns", 2.012969886),
        ("1m 5s 11ms", 65.011),
        ("1h 2m", 3_720),
        ("835us", 0.000835),
        ("2.5s", 2.5),
        ("0ns", 0),
    ],
)
def test_duration__as_forge_writes_it__is_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "5"])
def test_duration__that_is_none__is_refused(text: str) -> None:
    with pytest.raises(MeasurementError, match="not a duration"):
        parse_duration(text)


def test_measuring__what_does_not_compile__says_so(tmp_path: Path) -> None:
    (tmp_path / "foundry.toml").write_text("[profile.default]\nsrc = 'src'\n", encoding="utf-8")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "A.sol").write_text("contract A {", encoding="utf-8")
    with pytest.raises(MeasurementError, match="`forge build` failed in"):
        measure_forge(ForgeTest(tmp_path, "A"), 1)
