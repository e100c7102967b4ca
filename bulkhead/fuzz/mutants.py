"""Planted bugs: patches of the contracts, each of which some test must catch.

A mutant is a file ``tests/mutants/NAME.patch``: four comment lines, then a diff.

    # what is wrong with it
    # contracts: names of the contracts that have to be rebuilt, separated by spaces
    # judge: the test that has to fail
    # caught-by: what its output has to contain, e.g. an invariant's id
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bulkhead import ROOT
from bulkhead.chain.artifacts import REPLACED_CODE, load_artifacts

MUTANTS = ROOT / "tests" / "mutants"
_BIN = Path(sys.prefix) / "bin"
_LINKED = ("node_modules", ".venv", "foundry.toml")


class MutantError(Exception):
    """A mutant's file is wrong, its patch does not apply, or it does not compile."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug.

    Attributes:
        name: the file's name, without its ending.
        what: what is wrong with it.
        contracts: the contracts whose code it changes.
        judge: pytest's name of the test that has to fail.
        caught_by: what the failing test's output has to contain.
        patch: the file.
    """

    name: str
    what: str
    contracts: tuple[str, ...]
    judge: str
    caught_by: str
    patch: Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a mutant was caught, in how many seconds, and the end of the judge's output."""

    mutant: Mutant
    caught: bool
    seconds: float
    output: str


def load_mutants(names: Sequence[str] = ()) -> list[Mutant]:
    """Return the mutants of these names; all, if none are given.

    Raises:
        MutantError: there is none of a name, or its file lacks one of the four lines.
    """
    files = sorted(MUTANTS.glob("*.patch"))
    known = {file.stem: file for file in files}
    for name in names:
        if name not in known:
            raise MutantError(f"there is no mutant {name}: choose from {', '.join(known)}")
    return [_parse(known[name]) for name in (names or known)]


def _parse(file: Path) -> Mutant:
    what, *fields = file.read_text(encoding="utf-8").splitlines()[:4]
    values = dict(line.removeprefix("# ").split(": ", 1) for line in fields if ": " in line)
    missing = [key for key in ("contracts", "judge", "caught-by") if key not in values]
    if missing or not what.startswith("# "):
        raise MutantError(f"{file.name}: the first four lines lack {', '.join(missing) or 'what'}")
    return Mutant(
        file.stem,
        what[2:],
        tuple(values["contracts"].split()),
        values["judge"],
        values["caught-by"],
        file,
    )


def judge(mutant: Mutant) -> Verdict:
    """Build a mutant apart from the project, and let its judge run on it.

    Raises:
        MutantError: the patch does not apply, or the mutant does not compile.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bulkhead-mutant-") as folder:
        codes = Path(folder) / "codes.json"
        codes.write_text(json.dumps(_build(mutant, Path(folder))), encoding="utf-8")
        process = subprocess.run(
            [
                *(str(_BIN / "python"), "-m", "pytest", mutant.judge, "-x", "-q", "--tb=line"),
                *("--hypothesis-profile=hunt", "-p", "no:cacheprovider"),
            ],
            cwd=ROOT,
            env={**os.environ, REPLACED_CODE: str(codes)},
            capture_output=True,
            text=True,
            check=False,
        )
    output = process.stdout + process.stderr
    caught = process.returncode == 1 and mutant.caught_by in output
    return Verdict(mutant, caught, time.monotonic() - started, output[-4_000:])


def _build(mutant: Mutant, folder: Path) -> dict[str, str]:
    """Return the mutant's creation codes by contract name."""
    project = folder / "project"
    project.mkdir()
    shutil.copytree(ROOT / "contracts", project / "contracts")
    for name in _LINKED:
        (project / name).symlink_to(ROOT / name)
    _run(["git", "apply", "--whitespace=nowarn", str(mutant.patch)], project, "does not apply")
    sources = [load_artifacts(check=False)[name].source for name in mutant.contracts]
    _run([str(_BIN / "forge"), "build", *sources], project, "does not compile")
    codes = {}
    for name, source in zip(mutant.contracts, sources, strict=True):
        built = project / "out" / Path(source).name / f"{name}.json"
        raw = json.loads(built.read_text(encoding="utf-8"))
        codes[name] = raw["bytecode"]["object"]
    return codes


def _run(command: Sequence[str], folder: Path, complaint: str) -> None:
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        words = (process.stderr or process.stdout).strip()[-1_500:]
        raise MutantError(f"{command[-1]} {complaint}:\n{words}")
