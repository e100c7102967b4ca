#!/usr/bin/env python3
"""Build all contracts from scratch and fail on a compiler warning or an over-sized contract.

The build goes to .check/, apart from the incremental builds of Ape and forge: only a full build
reports every warning, and slither reads the same output. It is skipped while nothing changed.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHECK = ROOT / ".check"
RUNTIME_LIMIT = 24_576  # EIP-170
INITCODE_LIMIT = 49_152  # EIP-3860

# Warnings about what this design does on purpose.
ACCEPTED_WARNINGS = {
    "2394": "transient storage in assembly: the compartment's lock is meant to span calls",
}


def fingerprint() -> str:
    """Hash everything that decides what the build gives."""
    digest = hashlib.sha256()
    inputs = [ROOT / "foundry.toml", ROOT / "package-lock.json", ROOT / "tools" / "solc"]
    for path in [*inputs, *sorted((ROOT / "contracts").rglob("*.sol"))]:
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build() -> None:
    """Run forge unless the last successful build saw the same inputs."""
    stamp = CHECK / "stamp"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(CHECK, ignore_errors=True)
    CHECK.mkdir()
    command = [
        str(ROOT / ".venv" / "bin" / "forge"),
        *("build", "--force", "--build-info", "--skip", "test", "--skip", "script"),
        *("--out", str(CHECK / "out"), "--cache-path", str(CHECK / "cache")),
    ]
    log = CHECK / "forge.log"
    started = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_with_clock(process, started)
        finally:
            process.kill()
    print(f"[check] full build … done in {time.monotonic() - started:.0f} s")
    if process.returncode != 0:
        sys.exit(log.read_text() + "\nThe contracts do not compile.")
    stamp.write_text(wanted)


def wait_with_clock(process: subprocess.Popen[bytes], started: float) -> None:
    while True:
        try:
            process.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                print(f"\r[check] full build … {time.monotonic() - started:.0f} s", end="")
    if sys.stdout.isatty():
        print("\r", end="")


def outputs() -> Iterator[dict[str, Any]]:
    for path in sorted((CHECK / "out" / "build-info").glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))["output"]


def warnings() -> list[str]:
    found = []
    for output in outputs():
        for error in output.get("errors", []):
            source = (error.get("sourceLocation") or {}).get("file", "")
            accepted = str(error.get("errorCode")) in ACCEPTED_WARNINGS
            if not accepted and not source.startswith("node_modules/"):
                found.append((error.get("formattedMessage") or error["message"]).strip())
    return found


def sizes() -> list[tuple[int, int, str]]:
    """Return (runtime bytes, initcode bytes, name) per contract of contracts/, largest first."""
    rows = set()
    for output in outputs():
        for source, contracts in output.get("contracts", {}).items():
            if not source.startswith("contracts/"):
                continue
            for name, contract in contracts.items():
                evm = contract["evm"]
                runtime = len(evm["deployedBytecode"]["object"]) // 2
                initcode = len(evm["bytecode"]["object"]) // 2
                rows.add((runtime, initcode, f"{source}:{name}"))
    return sorted(rows, reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--top", type=int, default=5, metavar="N", help="contracts to list (5)")
    arguments = parser.parse_args()

    build()
    failed = False
    for message in warnings():
        print(message + "\n")
        failed = True
    rows = sizes()
    for runtime, initcode, name in rows:
        if runtime > RUNTIME_LIMIT:
            excess = runtime - RUNTIME_LIMIT
            print(f"{name} has {runtime:,} bytes, {excess:,} over {RUNTIME_LIMIT:,}")
            failed = True
        if initcode > INITCODE_LIMIT:
            print(f"{name} needs {initcode:,} bytes to deploy, over {INITCODE_LIMIT:,}")
            failed = True
    print(f"[check] {len(rows)} contracts; the largest of at most {RUNTIME_LIMIT:,} bytes:")
    for runtime, _, name in rows[: arguments.top]:
        print(f"    {runtime:>7,}  {runtime / RUNTIME_LIMIT:>4.0%}  {name}")
    if failed:
        sys.exit("Compiler warnings or over-sized contracts, listed above.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
