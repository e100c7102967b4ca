"""When a planted bug counts as caught, and that clean code is not taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bulkhead.bench.bugs import WAYS, Hunt, Options, Row, hunt
from bulkhead.chain.artifacts import load_artifacts
from bulkhead.fuzz.mutants import Mutant

CAMPAIGN = Mutant("free", "Nobody pays.", ("Till",), Path("free.patch"), 20_000, 3)
TESTED = Mutant(
    "locked", "Nobody waits.", ("Till",), Path("locked.patch"), judge="t", caught_by="T"
)


def found(calls: int | None) -> Hunt:
    return Hunt(True, 1.0, "CUS-1", "Till.pay: ", 99, calls)


@pytest.mark.parametrize(
    ("mutant", "hunts", "caught"),
    [
        (CAMPAIGN, {"both": found(3)}, True),
        (CAMPAIGN, {"both": found(4)}, False),
        (CAMPAIGN, {"both": Hunt(False, 1.0)}, False),
        (CAMPAIGN, {"model": found(1)}, None),
        (TESTED, {"both": found(None)}, True),
        (TESTED, {"both": Hunt(False, 1.0)}, False),
    ],
)
def test_caught__by_both_oracles__within_the_bound(
    mutant: Mutant, hunts: dict[str, Hunt], caught: bool | None
) -> None:
    assert Row(mutant, hunts).caught is caught


def test_summary__of_a_row__has_all_ways() -> None:
    summary = json.loads(json.dumps(Row(CAMPAIGN, {"both": found(3)}).summary()))

    assert summary["both"]["oracle"] == "CUS-1"
    assert summary["both"]["steps_to_find"] == 99
    assert summary["both"]["shrunk_steps"] == 3
    assert summary["model"] is summary["invariants"] is None
    assert (summary["budget_steps"], summary["shrunk_bound"]) == (20_000, 3)
    assert summary["caught"] is True


def test_hunt__code_without_a_bug__finds_nothing(tmp_path: Path) -> None:
    options = Options(tuple(WAYS), "anvil-sim", 0, tmp_path, steps=200)

    result = hunt(CAMPAIGN, load_artifacts(check=False), "both", options, lambda _: None)

    assert not result.found
