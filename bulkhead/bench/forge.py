"""How fast forge's own fuzzer is, on the example and on the suite.

A step is one call of the test's handler, forge's choice, and one run of the test's one invariant
function. Of the suite, ``tests/forge`` has operations of the harness and its conservation checks,
and starts from the harness's deployment: ``python -m bulkhead.bench.forge [SECONDS]``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from bulkhead import ROOT
from bulkhead.bench.forge_state import FOLDER, write_state
from bulkhead.bench.forge_suite import TRANSACTIONS
from bulkhead.bench.share_vault import EXAMPLE
from bulkhead.bench.workload import MeasurementError, Throughput
from bulkhead.chain.artifacts import Artifacts
from bulkhead.chain.signals import exiting_on_signals

DEPTH = 100
"""Calls of one sequence."""

_MOST_RUNS = 2**32 - 1
_UNIT_SECONDS = {"h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"([\d.]+)(h|ms|m|s|µs|us|ns)")
_FOREIGN = ("FOUNDRY_", "FORGE_", "PLANTED_BUG")
"""How the names begin of what a caller's shell may set, and what would change the measurement."""


@dataclass(frozen=True, slots=True)
class ForgeTest:
    """A test contract with one invariant function.

    Attributes:
        project: folder with ``foundry.toml``.
        name: of the test contract.
        profile: of ``foundry.toml``.
        transactions: how many a function of the handler sends on average, where not just one.
    """

    project: Path
    name: str
    profile: str = "default"
    transactions: Mapping[str, Fraction] = field(default_factory=dict)


EXAMPLE_TEST = ForgeTest(EXAMPLE, "ShareVaultTotals")
SUITE_TEST = ForgeTest(ROOT, "CompartmentInvariants", "invariant", TRANSACTIONS)


def measure_forge(test: ForgeTest, seconds: float, seed: int | None = None) -> Throughput:
    """Compile a test and run it for about ``seconds``; forge uses one core for one invariant.

    The time is forge's own: of the test, neither compiling nor loading forge.

    Args:
        test: what to run.
        seconds: how long, at least one; forge takes whole ones.
        seed: of forge's random numbers; None: another one each time.

    Raises:
        MeasurementError: forge is missing, does not compile the test, or an invariant failed.
    """
    _forge(test, ["build"])
    limits = {
        # More than there is time for: the timeout ends it.
        "FOUNDRY_INVARIANT_RUNS": str(_MOST_RUNS),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
        "FOUNDRY_INVARIANT_TIMEOUT": str(max(1, round(seconds))),
    }
    chosen = ["--match-contract", f"^{test.name}$"]
    if seed is not None:
        chosen += ["--fuzz-seed", str(seed)]
    return parse_run(_forge(test, ["test", "--json", *chosen], limits), test.transactions)


def measure_forge_suite(
    seconds: float, artifacts: Artifacts | None = None, seed: int | None = None
) -> Throughput:
    """Write the suite's state, and measure its test.

    Args:
        seconds, seed: as for ``measure_forge``.
        artifacts: what is tested; None: the last build, compiled first where needed.

    Raises:
        MeasurementError: as for ``measure_forge``.
    """
    write_state(FOLDER, artifacts)
    return measure_forge(SUITE_TEST, seconds, seed)


def parse_run(output: str, transactions: Mapping[str, Fraction] | None = None) -> Throughput:
    """Return what ``forge test --json`` says of a run of one invariant.

    Args:
        output: that forge printed.
        transactions: as of ``ForgeTest``. A step that reverted counts like any other.

    Raises:
        MeasurementError: the invariant does not hold, or there is not exactly one.
    """
    try:
        suites = json.loads(output)
        [result] = [r for suite in suites.values() for r in suite["test_results"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MeasurementError(f"not the result of one invariant: {output[:500]}") from None
    if result["status"] != "Success":
        raise MeasurementError(f"{result['reason']}; sequence: {_sequence(result)}")
    # The totals leave out the sequence during which time ran out, the counts by function do not.
    counts = result["kind"]["Invariant"]["metrics"]
    # Where the handler found nothing to do forge drew again, and checked nothing.
    made = {name: count["calls"] - count["discards"] for name, count in counts.items()}
    several = transactions or {}
    return Throughput(
        steps=sum(made.values()),
        seconds=parse_duration(result["duration"]),
        refused=sum(count["reverts"] for count in counts.values()),
        transactions=round(
            sum(n * several.get(name.rpartition(".")[2], 1) for name, n in made.items())
        ),
        discarded=sum(count["discards"] for count in counts.values()),
    )


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as forge writes it: ``"1m 5s 11ms 801µs 456ns"``.

    Raises:
        MeasurementError: it is not written like this.
    """
    if not text or _DURATION.sub("", text).strip():
        raise MeasurementError(f"not a duration: {text!r}")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION.findall(text))


def _sequence(result: Mapping[str, Any]) -> str:
    calls = (result.get("counterexample") or {}).get("Sequence") or [None, []]
    names = [f"{call.get('func_name')}({call.get('args')})" for call in calls[-1]]
    return "; ".join(names) or "none"


def _forge(test: ForgeTest, arguments: list[str], settings: Mapping[str, str] | None = None) -> str:
    """Run forge; return what it printed."""
    binary = Path(sys.prefix) / "bin" / "forge"
    if not binary.exists():
        raise MeasurementError("the program `forge` is missing: run `make setup`")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    with exiting_on_signals():
        done = subprocess.run(
            [str(binary), *arguments],
            cwd=test.project,
            env={**kept, "FOUNDRY_PROFILE": test.profile, **(settings or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    # A failed test is in the output as well, and says more there.
    if done.returncode != 0 and not done.stdout.startswith("{"):
        words = (done.stderr + done.stdout).strip()[-2_000:]
        raise MeasurementError(f"`forge {arguments[0]}` failed in {test.project}:\n{words}")
    return done.stdout


def main() -> None:
    """Measure the suite's test for as long as the command line says, and print it."""
    parser = argparse.ArgumentParser(description="Measure forge's fuzzer on the suite.")
    parser.add_argument("seconds", type=float, nargs="?", default=20.0, help="[20]")
    parser.add_argument("--seed", type=int, help="of forge's random numbers")
    arguments = parser.parse_args()
    try:
        run = measure_forge_suite(arguments.seconds, seed=arguments.seed)
    except MeasurementError as error:
        sys.exit(str(error))
    print(
        f"{run.steps:,} steps in {run.seconds:.1f} s: {run.per_second:,.0f} per second, "
        f"{run.transactions_per_second:,.0f} transactions per second, "
        f"{run.refused_share:.0%} refused"
    )


if __name__ == "__main__":
    main()
