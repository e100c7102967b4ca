"""How many checked steps per second each way of testing makes, side by side in one sitting.

On the example and on the suite: this project's harness with each of its executors, eth-ape alone
and under Hypothesis, bare JSON-RPC, and forge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bulkhead.bench.baselines import ape, ape_rbsm, raw_ipc
from bulkhead.bench.forge import EXAMPLE_TEST, measure_forge, measure_forge_suite
from bulkhead.bench.forge_suite import KINDS
from bulkhead.bench.harness import measure_harness
from bulkhead.bench.neighbours import Neighbours
from bulkhead.bench.share_vault import SPEC, ShareVaultWorkload
from bulkhead.bench.suite import SuiteWorkload
from bulkhead.bench.workload import Throughput, Workload
from bulkhead.fuzz.executors.base import ExecutorError
from bulkhead.fuzz.session import SUITE

SUBJECTS = ("example", "suite")
"""What is tested: ``examples/share-vault``, and this project's contracts."""

STACKS = {
    "anvil_sim": "harness, anvil-sim",
    "evm": "harness, evm",
    "ape_executor": "harness, ape",
    "ape": "plain Ape",
    "ape_rbsm": "Ape + RuleBasedStateMachine",
    "raw_ipc": "raw transactions over IPC",
    "forge": "forge invariant test",
    "anvil_sim_all": "harness, anvil-sim, all operations",
    "evm_all": "harness, evm, all operations",
}
"""How people call them. All but the last two do the same operations of the suite."""

FORGE_SEED = 1

Progress = Callable[[str], None]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One stack on one subject.

    Attributes:
        key: the stack's, as in the result.
        checks: what is checked after each step, in words.
        measure: does it for so many seconds.
    """

    key: str
    checks: str
    measure: Callable[[float], Throughput]


def measure(
    seconds: float,
    progress: Progress | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> Result:
    """Measure every stack on every subject, one after the other.

    Args:
        seconds: how long each.
        progress: is told what is measured next.
        on_result: is given the result so far after each stack, so that it outlives an interruption.

    Returns:
        checked steps per second by stack, under ``example`` and ``suite``; None where a stack does
        not work here. ``details`` has, by the same keys, how they came about.

    Raises:
        MeasurementError: forge failed, or the harness found a failure.
        Mismatch: a check failed.
        ProjectError, AnvilError: the example does not compile; there is no Anvil.
    """
    result: Result = {"seconds": seconds, **{name: {} for name in SUBJECTS}}
    result["details"] = {name: {} for name in SUBJECTS}
    for subject, stacks in (("example", _example), ("suite", _suite)):
        for m in stacks():
            if progress is not None:
                progress(f"{subject}: {STACKS[m.key]}")
            neighbours = Neighbours()
            try:
                found = m.measure(seconds)
            except ExecutorError as error:
                result[subject][m.key] = None
                result["details"][subject][m.key] = {"checks": m.checks, "missing": str(error)}
            else:
                result[subject][m.key] = round(found.per_second, 1)
                result["details"][subject][m.key] = _details(m, found, neighbours.cores())
            if on_result is not None:
                on_result(result)
    return result


def _details(m: Measurement, found: Throughput, others: float | None) -> Result:
    details: Result = {
        "checks": m.checks,
        "steps": found.steps,
        "seconds": round(found.seconds, 2),
        "refused_share": round(found.refused_share, 3),
        "transactions_per_second": round(found.transactions_per_second, 1),
        "cores_used_by_others": None if others is None else round(others, 2),
    }
    if found.discarded is not None:
        details["discarded"] = found.discarded
    if found.shares:
        details["time_shares"] = dict(found.shares)
    return details


def _example() -> Iterator[Measurement]:
    checks = "accepted or error, returned value, totals = model; share price"
    yield from _harness(SPEC, None, checks)
    yield from _baselines(ShareVaultWorkload(), "accepted or not, totals = model")
    forge = partial(measure_forge, EXAMPLE_TEST, seed=FORGE_SEED)
    yield Measurement("forge", "totals = sums of what calls returned", forge)


def _suite() -> Iterator[Measurement]:
    checks = "accepted or error, returned value, events, storage at a glance = model; invariants"
    yield from _harness(SUITE, KINDS, checks)
    yield from _baselines(SuiteWorkload(KINDS), "conservation, on all storage")
    forge = partial(measure_forge_suite, seed=FORGE_SEED)
    yield Measurement("forge", "conservation, by views", forge)
    # Not to be compared with the others, whose operations are fewer.
    for key, executor in (("anvil_sim_all", "anvil-sim"), ("evm_all", "evm")):
        yield Measurement(key, checks, partial(measure_harness, SUITE, executor))


def _harness(spec: str, operations: tuple[str, ...] | None, checks: str) -> Iterator[Measurement]:
    executors = (("anvil_sim", "anvil-sim"), ("evm", "evm"), ("ape_executor", "ape"))
    for key, executor in executors:
        measured = partial(measure_harness, spec, executor, operations=operations)
        yield Measurement(key, checks, measured)


def _baselines(workload: Workload, checks: str) -> Iterator[Measurement]:
    for key, baseline in (("ape", ape), ("ape_rbsm", ape_rbsm), ("raw_ipc", raw_ipc)):
        yield Measurement(key, checks, partial(baseline, workload))
