"""Files of planted bugs: what they say, and that they fit the contracts as they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bulkhead import ROOT
from bulkhead.fuzz.mutants import Mutant, MutantError, load_mutants, mutant_key

HEAD = "# Nobody pays. Everybody should.\n# contracts: Till\n"
CAMPAIGN = HEAD + "# budget: 20000 steps\n# shrunk: 3 calls\n"
DIFF = "--- a/contracts/Till.sol\n+++ b/contracts/Till.sol\n"


def written(folder: Path, text: str, name: str = "free") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.patch").write_text(text + DIFF, encoding="utf-8")
    return folder


def test_load__judged_by_a_campaign__has_budget_and_bound(tmp_path: Path) -> None:
    [mutant] = load_mutants((), written(tmp_path, CAMPAIGN))

    assert mutant == Mutant(
        "free",
        "Nobody pays. Everybody should.",
        ("Till",),
        tmp_path / "free.patch",
        budget_steps=20_000,
        shrunk_calls=3,
    )
    assert mutant.diff == DIFF


def test_load__judged_by_a_test__has_no_budget(tmp_path: Path) -> None:
    text = HEAD + "# judge: tests/test_till.py\n# caught-by: FAILED\n"

    [mutant] = load_mutants((), written(tmp_path, text))

    assert (mutant.judge, mutant.caught_by) == ("tests/test_till.py", "FAILED")
    assert mutant.budget_steps == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD, "lack budget, shrunk"),
        (HEAD + "# budget: 5 steps\n", "lack shrunk"),
        (HEAD + "# judge: tests/test_till.py\n", "lack caught-by"),
        (HEAD + "# budget: soon\n# shrunk: 3 calls\n", "budget is 'soon'"),
        (HEAD + "# budget: 0 steps\n# shrunk: 3 calls\n", "budget is '0 steps'"),
    ],
)
def test_load__incomplete_file__says_what_it_lacks(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(MutantError, match=complaint):
        load_mutants((), written(tmp_path, text))


def test_load__unknown_name__names_the_others(tmp_path: Path) -> None:
    with pytest.raises(MutantError, match="no mutant dear: choose from free"):
        load_mutants(("dear",), written(tmp_path, CAMPAIGN))


def test_key__of_another_diff_or_contract__is_another(tmp_path: Path) -> None:
    folder = written(tmp_path, CAMPAIGN)
    [before] = load_mutants((), folder)
    key = mutant_key(before)

    [rebudgeted] = load_mutants((), written(tmp_path, CAMPAIGN.replace("20000", "9")))
    assert mutant_key(rebudgeted) == key

    [other] = load_mutants((), written(tmp_path, CAMPAIGN.replace("Till", "Safe")))
    assert mutant_key(other) != key

    [longer] = load_mutants((), written(tmp_path, CAMPAIGN + "+ // paid\n"))
    assert mutant_key(longer) != key


def test_patches__all_of_them__fit_the_contracts(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    names = {file.stem for file in (ROOT / "contracts").rglob("*.sol")}
    wrong = []
    for mutant in load_mutants():
        command = ["git", "apply", "--check", str(mutant.patch)]
        process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            wrong.append(f"{mutant.name}: {process.stderr}")
        if strange := set(mutant.contracts) - names:
            wrong.append(f"{mutant.name}: no contracts {strange}")

    assert wrong == []
