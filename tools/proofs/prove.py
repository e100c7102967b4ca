#!/usr/bin/env python3
"""Prove the ledger's lemmas (docs/spec/proofs.md), or show that the proofs see planted bugs.

A lemma is a function `check_…` of tests/proofs. It is executed symbolically, as compiled, and must
hold on every path; a counterexample, a query that no solver decides, a loop that was cut short or a
lemma that did not run fails. With --self-test each patch of tests/proofs/mutants is applied to a
copy of the sources, and the lemma that it names must have a counterexample.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build" / "proofs"
HARNESSES = ROOT / "tests" / "proofs"
MUTANTS = HARNESSES / "mutants"
EXECUTOR = ROOT / ".venv-proofs" / "bin"
TOOLS = ROOT / "tools" / "proofs"

PASS, COUNTEREXAMPLE = 0, 1
"""What the executor records for a lemma; every other code is a failure of the proof itself."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug and the lemma that must see it."""

    name: str
    lemma: str
    patch: Path


def lemmas() -> dict[str, str]:
    """The contract of every lemma, by the lemma's name."""
    found: dict[str, str] = {}
    for file in sorted(HARNESSES.glob("*.t.sol")):
        contract = file.name.removesuffix(".t.sol")
        for lemma in re.findall(r"function (check_\w+)", file.read_text(encoding="utf-8")):
            if lemma in found:
                sys.exit(f"{lemma} stands in {found[lemma]} and in {contract}")
            found[lemma] = contract
    return found


def mutants() -> list[Mutant]:
    found = []
    for patch in sorted(MUTANTS.glob("*.patch")):
        named = re.search(r"^# lemma: (check_\w+)$", patch.read_text(encoding="utf-8"), re.M)
        if named is None:
            sys.exit(f"{patch.name} has no line '# lemma: check_…'")
        found.append(Mutant(patch.stem, named[1], patch))
    return found


def execute(
    project: Path, contract: str, pattern: str, seconds: int, *extra: str
) -> dict[str, int]:
    """Run the matching lemmas of a contract; exit code by lemma, -1 where a loop was cut short."""
    work = project / ".build" / "proofs"
    shutil.rmtree(work / "smt", ignore_errors=True)
    (work / "home").mkdir(parents=True, exist_ok=True)
    report = work / "report.json"
    report.unlink(missing_ok=True)
    solver = f"'{EXECUTOR / 'python'}' '{TOOLS / 'solve.py'}' --seconds {seconds}"
    command = [
        str(EXECUTOR / "halmos"),
        *("--root", str(project), "--forge-build-out", ".build/proofs/out"),
        *("--contract", contract, "--match-test", pattern),
        *("--solver-command", solver, "--solver-threads", str(os.cpu_count() or 1)),
        # solve.py limits its own work; this is for the case that it hangs.
        *("--solver-timeout-assertion", "1800s"),
        *("--loop", "32", "--no-status", "--json-output", str(report)),
        *("--dump-smt-queries", "--dump-smt-directory", str(work / "smt")),
        *extra,
    ]
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        # A query takes less time to decide than the solver's libraries take to compile.
        "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode"),
        "FOUNDRY_PROFILE": "proofs",
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        # It makes a folder there.
        "HOME": str(work / "home"),
    }
    log = work / f"{contract}.log"
    with log.open("w", encoding="utf-8") as output:
        subprocess.run(
            command, cwd=project, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    if not report.is_file():
        sys.exit(f"{log.read_text(encoding='utf-8')}\nThe executor gave no report.")
    codes = {}
    for results in json.loads(report.read_text(encoding="utf-8"))["test_results"].values():
        for result in results:
            lemma = result["name"].partition("(")[0]
            cut = result["exitcode"] == PASS and result["num_bounded_loops"] != 0
            codes[lemma] = -1 if cut else result["exitcode"]
    return codes


def effort() -> float:
    """The largest part of its limits that a solver needed for a query of the last run."""
    records = (BUILD / "smt").rglob("*.effort.json")
    return max((json.loads(r.read_text(encoding="utf-8"))["used"] for r in records), default=0.0)


def prove(wanted: dict[str, str], seconds: int) -> int:
    """Number of lemmas that are not proved."""
    failed = 0
    for lemma, contract in wanted.items():
        started = time.monotonic()
        print(f"[prove] {lemma} …", end=" ", flush=True)
        code = execute(ROOT, contract, f"^{lemma}\\(", seconds).get(lemma)
        took = f"({time.monotonic() - started:.0f} s, {effort():.1%} of the effort allowed)"
        if code == PASS:
            print(f"holds {took}")
            continue
        failed += 1
        reason = {COUNTEREXAMPLE: "COUNTEREXAMPLE", None: "DID NOT RUN", -1: "LOOP CUT SHORT"}
        print(f"{reason.get(code, 'NOT DECIDED')} {took}")
        print((BUILD / f"{contract}.log").read_text(encoding="utf-8"), file=sys.stderr)
    return failed


def plant(mutant: Mutant, contract: str) -> Path:
    """A copy of what one contract's proofs read, with the bug in it."""
    project = BUILD / "mutants" / mutant.name
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    for folder in ("margin", "libraries", "types"):
        shutil.copytree(ROOT / "contracts" / folder, project / "contracts" / folder)
    harnesses = project / "tests" / "proofs"
    harnesses.mkdir(parents=True)
    for name in ("ProofBase.sol", f"{contract}.t.sol"):
        shutil.copy(HARNESSES / name, harnesses)
    shutil.copy(ROOT / "foundry.toml", project)
    for link in ("node_modules", ".venv"):
        (project / link).symlink_to(ROOT / link)
    # Its own repository: inside another one git applies nothing to ignored folders, silently.
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    applied = subprocess.run(["git", "apply", str(mutant.patch)], cwd=project)
    if applied.returncode != 0:
        sys.exit(f"{mutant.patch.name} does not apply any more")
    return project


def self_test(wanted: dict[str, str], chosen: list[Mutant], seconds: int) -> int:
    """Number of lemmas and planted bugs for which the proofs show nothing."""
    failed = 0
    checks = subprocess.run([str(EXECUTOR / "python"), str(TOOLS / "check_integers.py")])
    failed += checks.returncode != 0
    for lemma in sorted(set(wanted) - {m.lemma for m in chosen}):
        print(f"[prove] {lemma} has no planted bug")
        failed += 1
    for mutant in chosen:
        started = time.monotonic()
        print(f"[prove] {mutant.name} …", end=" ", flush=True)
        if mutant.lemma not in wanted:
            sys.exit(f"{mutant.patch.name} names {mutant.lemma}, which does not exist")
        project = plant(mutant, wanted[mutant.lemma])
        pattern = f"^{mutant.lemma}\\("
        codes = execute(project, wanted[mutant.lemma], pattern, seconds, "--early-exit")
        seen = codes.get(mutant.lemma) == COUNTEREXAMPLE
        failed += not seen
        verdict = f"seen by {mutant.lemma}" if seen else f"NOT SEEN by {mutant.lemma}"
        print(f"{verdict} ({time.monotonic() - started:.0f} s)")
    return failed


def selected(names: dict[str, str], pattern: str) -> Iterator[str]:
    return (name for name in names if re.search(pattern, name))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--self-test", action="store_true", help="look for planted bugs")
    parser.add_argument("--only", default="", metavar="REGEX", help="lemmas, or planted bugs")
    parser.add_argument(
        "--seconds", type=int, default=240, help="processor time of yices per query (240)"
    )
    options = parser.parse_args()

    every = lemmas()
    started = time.monotonic()
    if options.self_test:
        chosen = [m for m in mutants() if re.search(options.only, m.name)]
        seen = {m.lemma for m in chosen}
        wanted = {k: v for k, v in every.items() if k in seen} if options.only else every
        failed, count = self_test(wanted, chosen, options.seconds), len(chosen)
    else:
        wanted = {name: every[name] for name in selected(every, options.only)}
        failed, count = prove(wanted, options.seconds), len(wanted)
    noun = "planted bugs" if options.self_test else "lemmas"
    print(f"[prove] {count} {noun}, {failed} failures, {time.monotonic() - started:.0f} s")
    sys.exit(1 if failed or not count else 0)


if __name__ == "__main__":
    main()
