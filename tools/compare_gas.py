#!/usr/bin/env python3
"""Compare the gas that the benchmark measured with the committed snapshot.

Gas on a fresh local chain is exact, so the default tolerance is zero: every change of a
contract's cost shows up in review as a changed line of gas-snapshot.json.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "reports" / "bench.json"
SNAPSHOT = ROOT / "gas-snapshot.json"


def load(path: Path, hint: str) -> dict[str, int]:
    """Read operation → gas, from the file itself or from its "gas" object."""
    if not path.is_file():
        sys.exit(f"{path.name} is missing. {hint}")
    data = json.loads(path.read_text(encoding="utf-8"))
    gas = data.get("gas", data)
    wrong = [name for name, value in gas.items() if type(value) is not int]
    if wrong or not gas:
        sys.exit(f"{path.name}: expected operations with whole numbers of gas: {wrong or 'empty'}")
    return dict(gas)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, default=MEASURED, help="reports/bench.json")
    parser.add_argument("--snapshot", type=Path, default=SNAPSHOT, help="gas-snapshot.json")
    parser.add_argument("--tolerance", type=float, default=0.0, metavar="PERCENT", help="default 0")
    parser.add_argument("--update", action="store_true", help="write the snapshot instead")
    arguments = parser.parse_args()

    measured = load(arguments.measured, "Measure first: make bench")
    if arguments.update:
        text = json.dumps(dict(sorted(measured.items())), indent=2) + "\n"
        arguments.snapshot.write_text(text, encoding="utf-8")
        print(f"{arguments.snapshot.name}: {len(measured)} operations written")
        return

    committed = load(arguments.snapshot, "Write it: make snapshot")
    rows = []
    for name in sorted(measured.keys() | committed.keys()):
        old, new = committed.get(name), measured.get(name)
        if old is None or new is None:
            note = "not in the snapshot" if old is None else "not measured"
        elif abs(new - old) * 100 > arguments.tolerance * old:
            note = f"{new - old:+,} ({(new - old) / old:+.2%})"
        else:
            continue
        before, after = ("–" if value is None else f"{value:,}" for value in (old, new))
        rows.append((name, before, after, note))

    if rows:
        width = max(len(row[0]) for row in rows)
        print(f"{'operation':<{width}}  {'snapshot':>10}  {'measured':>10}  difference")
        for name, before, after, note in rows:
            print(f"{name:<{width}}  {before:>10}  {after:>10}  {note}")
        sys.exit("Gas changed. If that is meant, update the snapshot: make snapshot")
    print(f"[check] gas: {len(measured)} operations as in {arguments.snapshot.name}")


if __name__ == "__main__":
    main()
