"""A number for each stack, which outlives interruptions and is printed as far as there is any."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from bulkhead.bench import throughput
from bulkhead.bench.throughput import Measurement, measure
from bulkhead.bench.throughput_report import number, print_throughput, ratio
from bulkhead.bench.workload import Throughput
from bulkhead.fuzz.executors.base import ExecutorError


def fails(_: float) -> Throughput:
    raise ExecutorError("there is no wheel of it")


def interrupted(_: float) -> Throughput:
    raise KeyboardInterrupt


def gives(*arguments: Any, **more: Any) -> Callable[[float], Throughput]:
    return lambda _: Throughput(*arguments, **more)


SHARES = {"draw": 0.25, "generate": 0.5, "execute": 0.25, "busy": 0.75}
EXAMPLE = [
    Measurement("anvil_sim", "all", gives(4_000, 2.0, 400, shares=SHARES)),
    Measurement("evm", "all", fails),
    Measurement("ape", "little", gives(50, 2.0)),
]
SUITE = [
    Measurement("forge", "sums", gives(2_000, 2.0, transactions=3_000)),
    Measurement("ape", "sums", gives(30, 2.0)),
]


@pytest.fixture(autouse=True)
def stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "_example", lambda: EXAMPLE)
    monkeypatch.setattr(throughput, "_suite", lambda: SUITE)


def printed(result: dict[str, Any]) -> list[list[str]]:
    text = io.StringIO()
    print_throughput(result, Console(file=text))
    lines = [line.strip() for line in text.getvalue().splitlines()]
    return [[c.strip() for c in line.split("|")[1:-1]] for line in lines if line.startswith("|")]


def test_result__has_speeds_by_stack() -> None:
    result = measure(2.0)
    assert result["example"] == {"anvil_sim": 2_000.0, "evm": None, "ape": 25.0}
    assert result["suite"] == {"forge": 1_000.0, "ape": 15.0}


def test_result__says_how_the_speeds_came_about() -> None:
    details = measure(2.0)["details"]
    others = details["example"]["anvil_sim"].pop("cores_used_by_others")
    assert others is None or others >= 0
    assert details["example"]["anvil_sim"] == {
        "checks": "all",
        "steps": 4_000,
        "seconds": 2.0,
        "refused_share": 0.1,
        "transactions_per_second": 2_000.0,
        "time_shares": SHARES,
    }
    assert details["example"]["evm"] == {"checks": "all", "missing": "there is no wheel of it"}
    assert details["suite"]["forge"]["transactions_per_second"] == 1_500.0


def test_progress__tells_what_comes_next() -> None:
    said: list[str] = []
    measure(1.0, said.append)
    assert said[0] == "example: harness, anvil-sim"
    assert said[-1] == "suite: plain Ape"
    assert len(said) == len(EXAMPLE) + len(SUITE)


def test_interruption__leaves_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "_suite", lambda: [Measurement("ape", "", interrupted)])
    kept: dict[str, Any] = {}
    with pytest.raises(KeyboardInterrupt):
        measure(2.0, on_result=kept.update)
    assert kept["example"] == {"anvil_sim": 2_000.0, "evm": None, "ape": 25.0}
    assert kept["suite"] == {}


def test_tables__have_ratios_shares_and_what_is_missing() -> None:
    rows = printed(measure(2.0))
    assert ["harness, anvil-sim", "2,000", "80.0", "2,000", "10%", "all"] in rows
    assert ["harness, evm", "–", "–", "–", "–", "there is no wheel of it"] in rows
    assert ["forge invariant test", "1,000", "66.7", "1,500", "0%", "sums"] in rows
    assert ["harness, anvil-sim", "25%", "50%", "25%", "–", "75%"] in rows


def test_report__tells_who_was_disturbed() -> None:
    result = measure(2.0)
    for stacks_ in result["details"].values():
        for details in stacks_.values():
            details["cores_used_by_others"] = 0.05
    text = io.StringIO()
    print_throughput(result, Console(file=text))
    assert "Other programs" not in text.getvalue()
    result["details"]["suite"]["forge"]["cores_used_by_others"] = 1.26
    print_throughput(result, Console(file=text))
    assert "too slow: suite, forge invariant test (1.3 cores)." in text.getvalue()


def test_tables__of_nothing__are_none() -> None:
    assert printed({}) == []
    assert printed({"example": {}, "suite": {}, "details": {"example": {}, "suite": {}}}) == []


def test_ratio__without_plain_ape__is_left_out() -> None:
    assert ratio(5.0, None) == "–"
    assert [number(n) for n in (1_234.5, 100, 99.94, 3)] == ["1,234", "100", "99.9", "3.0"]
