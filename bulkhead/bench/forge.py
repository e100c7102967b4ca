"""How fast forge's own fuzzer checks the suite, the yardstick for the harness's speed.

``tests/forge`` has the harness's operations and its conservation checks, made after every call, and
starts from the harness's deployment. ``python -m bulkhead.bench.forge [SECONDS]`` measures it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkhead import ROOT
from bulkhead.bench.forge_state import FOLDER, write_state
from bulkhead.chain.artifacts import Artifacts

DEPTH = 100
"""Calls of one sequence."""

_PROFILE = "invariant"
_UNIT_SECONDS = {"h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+)([a-zµ]+)")


class ForgeError(Exception):
    """Forge did not compile or run the test, or the test failed; its words are in the message."""


@dataclass(frozen=True, slots=True)
class ForgeRun:
    """What forge said of one run.

    Attributes:
        steps: calls of the handler, each followed by every check.
        refused: those that reverted.
        seconds: that the test took, by forge's clock; neither compiling nor loading forge.
    """

    steps: int
    refused: int
    seconds: float

    @property
    def steps_per_second(self) -> float:
        """Checked steps per second."""
        return self.steps / self.seconds

    @property
    def refused_share(self) -> float:
        """Part of the steps that reverted."""
        return self.refused / self.steps


def measure_forge_suite(
    seconds: float, artifacts: Artifacts | None = None, seed: int | None = None
) -> ForgeRun:
    """Write the state, compile the test, run it for about ``seconds``; forge uses one core.

    Args:
        seconds: how long, at least one; forge takes whole ones.
        artifacts: what is tested; None: the last build, compiled first where needed.
        seed: of forge's random numbers; None: another one each time.

    Raises:
        ForgeError: forge failed, or an invariant did.
    """
    write_state(FOLDER, artifacts)
    _forge(["build"])
    limits = {
        # More than there is time for: the timeout ends it.
        "FOUNDRY_INVARIANT_RUNS": str(2**32 - 1),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
        "FOUNDRY_INVARIANT_TIMEOUT": str(max(1, round(seconds))),
    }
    chosen = [] if seed is None else ["--fuzz-seed", str(seed)]
    return parse_run(_forge(["test", "--json", *chosen], limits))


def parse_run(output: str) -> ForgeRun:
    """Return what ``forge test --json`` says of a run of one invariant.

    Raises:
        ForgeError: the invariant does not hold, or there is not exactly one.
    """
    try:
        suites = json.loads(output)
        [result] = [r for suite in suites.values() for r in suite["test_results"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ForgeError(f"not the result of one invariant: {output[:500]}") from None
    if result["status"] != "Success":
        raise ForgeError(f"{result['reason']}; sequence: {_sequence(result)}")
    # The totals leave out the sequence during which time ran out, the counts by function do not.
    counts = result["kind"]["Invariant"]["metrics"].values()
    return ForgeRun(
        sum(count["calls"] for count in counts),
        sum(count["reverts"] for count in counts),
        parse_duration(result["duration"]),
    )


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as forge writes it: ``"1m 5s 11ms 801µs 456ns"``."""
    return sum(int(n) * _UNIT_SECONDS[unit] for n, unit in _DURATION.findall(text))


def _sequence(result: dict[str, Any]) -> str:
    calls = (result.get("counterexample") or {}).get("Sequence") or [None, []]
    names = [f"{call.get('func_name')}({call.get('args')})" for call in calls[-1]]
    return "; ".join(names) or "none"


def _forge(arguments: list[str], settings: dict[str, str] | None = None) -> str:
    """Run forge with the test's profile; return what it printed."""
    # What the caller's shell sets for forge would change what is measured.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FOUNDRY_", "FORGE_"))}
    process = subprocess.run(
        [str(Path(sys.prefix) / "bin" / "forge"), *arguments],
        cwd=ROOT,
        env={**kept, "FOUNDRY_PROFILE": _PROFILE, **(settings or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    # A failed test is in the output as well, and says more there.
    if process.returncode != 0 and not process.stdout.startswith("{"):
        words = (process.stderr + process.stdout).strip()[-2_000:]
        raise ForgeError(f"`forge {arguments[0]}` failed:\n{words}")
    return process.stdout


def main() -> None:
    """Measure for as long as the command line says, and print it."""
    parser = argparse.ArgumentParser(description="Measure forge's fuzzer on the suite.")
    parser.add_argument("seconds", type=float, nargs="?", default=20.0, help="[20]")
    parser.add_argument("--seed", type=int, help="of forge's random numbers")
    arguments = parser.parse_args()
    try:
        run = measure_forge_suite(arguments.seconds, seed=arguments.seed)
    except ForgeError as error:
        sys.exit(str(error))
    print(
        f"{run.steps:,} steps in {run.seconds:.1f} s: {run.steps_per_second:,.0f} per second, "
        f"{run.refused_share:.0%} refused"
    )


if __name__ == "__main__":
    main()
