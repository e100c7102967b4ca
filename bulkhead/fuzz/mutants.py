"""Planted bugs: patches of the contracts, and the code that they make of them.

A mutant is a file ``tests/mutants/NAME.patch``: comment lines, then a diff.

    # what is wrong with it, and why that matters
    # contracts: names of the contracts that have to be rebuilt, separated by spaces
    # budget: 20000 steps: judged calls in which a campaign has to find it
    # shrunk: 5 calls: most that may be left of the sequence that finds it

Those in the folder ``hard`` are only run by name: campaigns of that size miss them, or leave more.

What no campaign can meet, a test judges. Instead of the last two lines its file says:

    # judge: pytest's name of the test that has to fail
    # caught-by: what the test's output has to contain
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bulkhead import ROOT
from bulkhead.chain.artifacts import REPLACED_CODE, Artifacts, load_artifacts
from bulkhead.report.files import write_json

MUTANTS = ROOT / "tests" / "mutants"
CACHE = ROOT / ".build" / "mutants"
"""Creation codes by mutant, so that only what has changed is compiled again."""

_BIN = Path(sys.prefix) / "bin"
_LINKED = ("node_modules", ".venv", "foundry.toml")
_SETTINGS = ("foundry.toml", "package-lock.json")
_NUMBERS = {"budget": re.compile(r"(\d+) steps?"), "shrunk": re.compile(r"(\d+) calls?")}
_BY_CAMPAIGN, _BY_TEST = ("budget", "shrunk"), ("judge", "caught-by")


class MutantError(Exception):
    """A mutant's file is wrong, its patch does not apply, or it does not compile."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug.

    Attributes:
        name: the file's name, without its ending.
        what: what is wrong with it, and why that matters.
        contracts: the contracts whose code it changes.
        patch: the file.
        budget_steps: judged calls in which a campaign has to find it; 0 if a test judges it.
        shrunk_calls: most calls that may be left after shrinking; 0 if a test judges it.
        judge: pytest's name of the test that has to fail; empty if campaigns judge it.
        caught_by: what the failing test's output has to contain.
    """

    name: str
    what: str
    contracts: tuple[str, ...]
    patch: Path
    budget_steps: int = 0
    shrunk_calls: int = 0
    judge: str = ""
    caught_by: str = ""

    @property
    def diff(self) -> str:
        """The patch without the comment lines."""
        lines = self.patch.read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("#"))


def load_mutants(names: Sequence[str] = (), folder: Path = MUTANTS) -> list[Mutant]:
    """Return the mutants of these names; all but the hard ones, if none are given.

    Raises:
        MutantError: there is none of a name, or a file lacks one of its comment lines.
    """
    usual = [file.stem for file in sorted(folder.glob("*.patch"))]
    known = {file.stem: file for file in sorted(folder.rglob("*.patch"))}
    for name in names:
        if name not in known:
            raise MutantError(f"there is no mutant {name}: choose from {', '.join(known)}")
    return [_parse(known[name]) for name in (names or usual)]


def _parse(file: Path) -> Mutant:
    lines = file.read_text(encoding="utf-8").splitlines()
    head = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    values = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    wanted = ("contracts", *(_BY_TEST if "judge" in values else _BY_CAMPAIGN))
    if missing := [key for key in wanted if key not in values]:
        raise MutantError(f"{file.name}: its first lines lack {', '.join(missing)}")
    return Mutant(
        file.stem,
        head[0],
        tuple(values["contracts"].split()),
        file,
        _number(file, "budget", values),
        _number(file, "shrunk", values),
        values.get("judge", ""),
        values.get("caught-by", ""),
    )


def _number(file: Path, key: str, values: Mapping[str, str]) -> int:
    if key not in values:
        return 0
    found = _NUMBERS[key].match(values[key])
    if found is None or int(found[1]) == 0:
        raise MutantError(f"{file.name}: {key} is {values[key]!r}, not a number as in `20 steps`")
    return int(found[1])


# ----------------------------------------------------------------------------------- building


def mutated(mutant: Mutant) -> Artifacts:
    """Return the last build with a mutant's code in it, which is compiled if that is not known yet.

    Raises:
        MutantError: the patch does not apply, or the mutant does not compile.
        ArtifactError: the project is not compiled.
    """
    artifacts = load_artifacts(check=False)
    return artifacts.replace(
        *(
            replace(artifacts[name], bytecode=bytes.fromhex(code[2:]))
            for name, code in json.loads(codes_file(mutant).read_text(encoding="utf-8")).items()
        )
    )


def codes_file(mutant: Mutant) -> Path:
    """Return the file of a mutant's creation codes by contract name; compile if there is none.

    Raises:
        MutantError: the patch does not apply, or the mutant does not compile.
    """
    file = CACHE / f"{mutant.name}-{mutant_key(mutant)}.json"
    if not file.exists():
        with tempfile.TemporaryDirectory(prefix="bulkhead-mutant-") as folder:
            codes = _build(mutant, Path(folder) / "project")
        for outdated in CACHE.glob(f"{mutant.name}-{'[0-9a-f]' * 16}.json"):
            outdated.unlink(missing_ok=True)
        write_json(file, codes)
    return file


def mutant_key(mutant: Mutant) -> str:
    """Return a hash of what a mutant's code depends on."""
    text = f"{_sources_hash()} {mutant.contracts} {mutant.diff}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _sources_hash() -> str:
    found = hashlib.sha256()
    sources = sorted((ROOT / "contracts").rglob("*.sol"))
    for file in (*sources, *(ROOT / name for name in _SETTINGS)):
        found.update(f"{file.relative_to(ROOT)} ".encode() + file.read_bytes())
    return found.hexdigest()


def _build(mutant: Mutant, project: Path) -> dict[str, str]:
    """Compile a mutant apart from the project; return its creation codes by contract name."""
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
        codes[name] = json.loads(built.read_text(encoding="utf-8"))["bytecode"]["object"]
    return codes


def _run(command: Sequence[str], folder: Path, complaint: str) -> None:
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        words = (process.stderr or process.stdout).strip()[-1_500:]
        raise MutantError(f"{command[-1]} {complaint}:\n{words}")


# ------------------------------------------------------------------------------ judged by a test


def run_test(mutant: Mutant) -> tuple[bool, str]:
    """Run the test that judges a mutant; return whether it failed as it has to, and its output.

    Raises:
        MutantError: the patch does not apply, or the mutant does not compile.
    """
    process = subprocess.run(
        [
            *(str(_BIN / "python"), "-m", "pytest", mutant.judge, "-x", "-q", "--tb=line"),
            *("-p", "no:cacheprovider"),
        ],
        cwd=ROOT,
        env={**os.environ, REPLACED_CODE: str(codes_file(mutant))},
        capture_output=True,
        text=True,
        check=False,
    )
    output = process.stdout + process.stderr
    return process.returncode == 1 and mutant.caught_by in output, output[-4_000:]
