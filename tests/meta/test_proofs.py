"""The planted bugs of the proofs stay applicable between the runs of `make prove-self-test`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROOFS = ROOT / "tests" / "proofs"
PATCHES = sorted((PROOFS / "mutants").glob("*.patch"))


def lemmas() -> set[str]:
    return {
        lemma
        for file in PROOFS.glob("*.t.sol")
        for lemma in re.findall(r"function (check_\w+)", file.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_planted_bug__on_the_contracts_as_they_are__applies(patch: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_lemmas__each__have_a_planted_bug_and_a_row_of_the_page() -> None:
    page = (ROOT / "docs" / "spec" / "proofs.md").read_text(encoding="utf-8")
    planted = {
        lemma
        for patch in PATCHES
        for lemma in re.findall(
            r"^# lemma: (check_\w+)$", patch.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert planted == lemmas()
    assert set(re.findall(r"\| `(check_\w+)` \|", page)) == lemmas()
