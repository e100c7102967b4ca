#!/usr/bin/env python3
"""Run slither and fail on any finding of medium impact or above that is not triaged.

The triage file is a JSON list. Each entry has
    detector  slither's name of the check
    location  file:Contract.function, as this program prints it
    reason    why it is no problem here: required
    count     how many such findings the function has (1), so that a new one does not slip in
An entry that matches nothing (or a different count) fails too: the list must not rot.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".check" / "out"
REPORT = ROOT / ".check" / "slither.json"
TRIAGE = ROOT / "slither-triage.json"
IMPACTS = ("Optimization", "Informational", "Low", "Medium", "High")

Key = tuple[str, str]


def run_slither() -> list[dict[str, Any]]:
    """Analyse the build of tools/check_contracts.py, so that nothing is compiled twice."""
    venv = ROOT / ".venv"
    binaries = venv / "bin"
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
    REPORT.unlink(missing_ok=True)
    started = time.monotonic()
    print("[check] slither …", end=" ", flush=True)
    completed = subprocess.run(
        [
            str(binaries / "slither"),
            *(".", "--compile-force-framework", "foundry", "--foundry-ignore-compile"),
            *("--foundry-out-directory", str(BUILD.relative_to(ROOT))),
            *("--config-file", "slither.config.json", "--json", str(REPORT)),
        ],
        cwd=ROOT,
        # Without VIRTUAL_ENV one of its parts writes into the home folder.
        env={**os.environ, "PATH": path, "VIRTUAL_ENV": str(venv)},
        capture_output=True,
        text=True,
    )
    # Its exit code tells findings and crashes apart no better than this does.
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.is_file() else {}
    if not report.get("success"):
        sys.exit(f"failed\n{completed.stdout}\n{completed.stderr}\n{report.get('error') or ''}")
    print(f"done in {time.monotonic() - started:.0f} s")
    return list(report["results"].get("detectors", []))


def location(finding: dict[str, Any]) -> str:
    """Name what a finding is about as file:Contract.function, without line numbers, which move."""
    if not finding.get("elements"):
        return "(no location)"
    element = finding["elements"][0]
    file = element["source_mapping"]["filename_relative"]
    names: list[str] = []
    while element:
        if element["type"] != "node":  # a statement: its function says enough
            names.insert(0, element["name"])
        element = element.get("type_specific_fields", {}).get("parent")
    return f"{file}:{'.'.join(names)}"


def load_triage(path: Path) -> dict[Key, int]:
    entries = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    triage: dict[Key, int] = {}
    for number, entry in enumerate(entries, 1):
        unknown = set(entry) - {"detector", "location", "reason", "count"}
        if unknown or not str(entry.get("reason", "")).strip():
            sys.exit(
                f"{path.name}: entry {number} lacks a reason or has {unknown or 'no such'} fields"
            )
        key = (entry["detector"], entry["location"])
        if key in triage:
            sys.exit(f"{path.name}: entry {number} repeats {key}; use its count")
        triage[key] = int(entry.get("count", 1))
    return triage


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--minimum", default="Medium", choices=IMPACTS, help="least impact that counts (Medium)")
    add("--triage", type=Path, default=TRIAGE, help="triage file")
    add("--skeleton", action="store_true", help="print entries for what is missing")
    arguments = parser.parse_args()

    triage = load_triage(arguments.triage)
    wanted = IMPACTS[IMPACTS.index(arguments.minimum) :]
    findings = [f for f in run_slither() if f["impact"] in wanted]
    counts = Counter((f["check"], location(f)) for f in findings)

    bad = {key for key, count in counts.items() if triage.get(key) != count}
    for finding in findings:
        key = (finding["check"], location(finding))
        if key in bad:
            print(f"\n{finding['impact']}: {key[0]} in {key[1]}")
            print("    " + finding["description"].strip().replace("\n", "\n    "))
            if key in triage:
                print(f"    ({counts[key]} findings here, {triage[key]} triaged)")
    stale = sorted(set(triage) - set(counts))
    for detector, place in stale:
        print(f"\nStale entry, slither no longer finds it: {detector} in {place}")
    if arguments.skeleton:
        skeleton = [
            {"detector": key[0], "location": key[1], "count": counts[key], "reason": ""}
            for key in sorted(bad)
        ]
        print(json.dumps(skeleton, indent=2))
    if bad or stale:
        sys.exit(
            f"\n{len(bad)} untriaged, {len(stale)} stale. Fix the contract, or state the reason in "
            f"{arguments.triage.name} (tools/slither_gate.py --skeleton prints entries)."
        )
    print(f"[check] slither: {len(findings)} findings of {arguments.minimum}+, all triaged")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
