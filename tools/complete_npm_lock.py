#!/usr/bin/env python3
"""Add the Foundry platform packages that are missing from package-lock.json.

`npm ci` refuses a lock file that leaves out an optional package, and npm leaves out those which
the registry it asked does not carry. This adds them by name, version, system and processor, so
that the lock serves every platform. They get no integrity hash, as nobody fetched them: npm
installs them by version there. Run after `npm install --package-lock-only --ignore-scripts`.
"""

import json
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "package-lock.json"
CPUS = {"amd64": "x64", "arm64": "arm64"}


def main() -> None:
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    packages = lock["packages"]
    for tool in ("anvil", "cast", "forge"):
        parent = packages[f"node_modules/@foundry-rs/{tool}"]
        for name, version in parent["optionalDependencies"].items():
            system, processor = name.removeprefix(f"@foundry-rs/{tool}-").split("-")
            packages.setdefault(
                f"node_modules/{name}",
                {
                    "version": version,
                    "cpu": [CPUS[processor]],
                    "dev": True,
                    "license": parent["license"],
                    "optional": True,
                    "os": [system],
                    "bin": {tool: f"bin/{tool}" + (".exe" if system == "win32" else "")},
                    "engines": {"node": ">=20"},
                },
            )
    lock["packages"] = {"": packages.pop("")} | dict(sorted(packages.items()))
    LOCK.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
