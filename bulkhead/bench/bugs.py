"""How planted bugs are found: by which oracle, after how many judged calls, by how short a trace.

Each is looked for in three ways: by comparing with the model alone, by the invariants alone, and by
both. A campaign that finds nothing is judged until the mutant's budget is used up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bulkhead.chain.artifacts import Artifacts
from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.failures import Folder, Found
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.mutants import Mutant, mutated, run_test
from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.profiles import Profile
from bulkhead.fuzz.session import SUITE, Session
from bulkhead.fuzz.shrink import shrink
from bulkhead.fuzz.suite.universe import Universe

WAYS: Mapping[str, tuple[bool, bool]] = {
    "both": (True, True),
    "model": (True, False),
    "invariants": (False, True),
}
"""Whether the model judges a call, and whether the invariants do, by the name of the way."""

SHRINK_SECONDS = 90.0
TEST = "pytest"
"""The oracle's name where a test judges a mutant."""

_SAY_EVERY_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Hunt:
    """What became of a mutant in one way.

    Attributes:
        found: whether it was found within its budget.
        oracle: which one found it: ``"model"``, an invariant's id, …
        error: the failure's key, what failures of the same kind have in common.
        steps_to_find: judged calls up to the sequence that showed it, its own among them.
        shrunk_steps: calls that are left after shrinking; None if it was not shrunk.
        seconds: of looking for it, shrinking apart.
        seconds_to_shrink: of shrinking.
        message: the failure in numbers.
        trace: the file that replays it on the mutant.
    """

    found: bool
    seconds: float
    oracle: str | None = None
    error: str | None = None
    steps_to_find: int | None = None
    shrunk_steps: int | None = None
    seconds_to_shrink: float = 0.0
    message: str = ""
    trace: Path | None = None

    def summary(self) -> dict[str, Any]:
        """Return the hunt as a JSON object."""
        shown = {key: value for key, value in asdict(self).items() if key != "trace"}
        return shown | {
            "seconds": round(self.seconds, 1),
            "seconds_to_shrink": round(self.seconds_to_shrink, 1),
        }


@dataclass(slots=True)
class Row:
    """A mutant and what became of it, by way."""

    mutant: Mutant
    hunts: dict[str, Hunt] = field(default_factory=dict)

    @property
    def caught(self) -> bool | None:
        """Whether both oracles together find it as its file says; None if they were not asked."""
        hunt = self.hunts.get("both")
        if hunt is None or not hunt.found:
            return None if hunt is None else False
        if self.mutant.judge:
            return True
        return hunt.shrunk_steps is not None and hunt.shrunk_steps <= self.mutant.shrunk_calls

    def summary(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        m = self.mutant
        return {
            "mutant": m.name,
            "what": m.what,
            "contracts": list(m.contracts),
            **{way: self.hunts[way].summary() if way in self.hunts else None for way in WAYS},
            "budget_steps": m.budget_steps or None,
            "shrunk_bound": m.shrunk_calls or None,
            "judge": m.judge or None,
            "caught": self.caught,
        }


@dataclass(frozen=True, slots=True)
class Options:
    """How mutants are looked for.

    Attributes:
        ways: keys of ``WAYS``, in order.
        executor: as for ``Session``.
        seed: of all campaigns.
        folder: where traces are kept, by mutant and way.
        steps: in the place of each mutant's budget; None: the budget.
    """

    ways: Sequence[str]
    executor: str
    seed: int
    folder: Path
    steps: int | None = None


def measure(mutants: Sequence[Mutant], options: Options, say: Say) -> Iterator[Row]:
    """Yield each mutant with what became of it, as soon as that is known.

    Args:
        mutants: in order; while one is looked for, the next is compiled.
        options: how.
        say: is told what is going on, line by line.

    Raises:
        MutantError: a patch does not apply, or does not compile.
    """
    with _compiled(mutants) as builds:
        for i, mutant in enumerate(mutants, 1):
            say(f"[{i}/{len(mutants)}] {mutant.name}: {mutant.what}")
            row = Row(mutant)
            if mutant.judge:
                row.hunts["both"] = _by_test(mutant)
                say(f"      test: {_in_words(row.hunts['both'])}")
            else:
                artifacts = builds[mutant.name].result()
                for way in options.ways:
                    row.hunts[way] = hunt(mutant, artifacts, way, options, say)
                    say(f"      {way}: {_in_words(row.hunts[way])}")
            yield row


def hunt(mutant: Mutant, artifacts: Artifacts, way: str, options: Options, say: Say) -> Hunt:
    """Run a campaign until the first failure that the code without the bug does not show.

    Args:
        mutant: what is looked for.
        artifacts: with its code.
        way: a key of ``WAYS``.
        options: how.
        say: is told now and then how far it is.
    """
    budget = options.steps or mutant.budget_steps
    folder = options.folder / mutant.name / way
    with _session(way, options.executor, artifacts) as session:
        search = _Search(way, options.executor, say)
        campaign = Campaign(
            session,
            Profile("mutants", seconds=None, steps=budget, shrink_seconds=0),
            options.seed,
            folder=folder,
            on_progress=search.progress,
            on_failure=search.failure,
        )
        search.campaign = campaign
        campaign.run()
        if search.first is None:
            return Hunt(False, campaign.elapsed)
        # How small it can be made is asked of both oracles together.
        return _shrunk(session, search.first, folder) if way == "both" else _as_found(search.first)


class _Search:
    """Listens to a campaign and ends it when it has found what is looked for."""

    def __init__(self, way: str, executor: str, say: Say) -> None:
        self.campaign: Campaign
        self.first: Found | None = None
        self._way = way
        self._executor = executor
        self._say = say
        self._said = time.monotonic()

    def progress(self, campaign: Campaign) -> None:
        """Say how far the campaign is, now and then."""
        if time.monotonic() - self._said < _SAY_EVERY_SECONDS:
            return
        self._said = time.monotonic()
        budget = campaign.profile.steps or 0
        self._say(f"      {self._way}: {campaign.statistics.steps:,} of {budget:,} steps")

    def failure(self, found: Found) -> None:
        """End the campaign, unless the code without the bug fails in the same way."""
        if self.first is not None or self._is_known(found):
            return
        self.first = found
        self.campaign.profile = replace(self.campaign.profile, steps=0)

    def _is_known(self, found: Found) -> bool:
        with _session(self._way, self._executor) as unchanged:
            failure = _failure(unchanged, found.operations)
        return failure is not None and failure.identity == found.failure.identity


def _session(way: str, executor: str, artifacts: Artifacts | None = None) -> Session:
    """Return a session on artifacts; None: on the last build."""
    use_model, use_invariants = WAYS[way]
    return Session(
        SUITE,
        executor,
        use_model=use_model,
        use_invariants=use_invariants,
        make_target=lambda: Universe(artifacts),
    )


def _shrunk(session: Session, found: Found, folder: Path) -> Hunt:
    """Shrink what was found, and keep its trace."""
    shrunk = shrink(
        session.target.catalogue,
        found.operations,
        found.failure,
        lambda operations: _failure(session, operations),
        SHRINK_SECONDS,
    )
    trace, _, calls = Folder(folder).write(session, shrunk.operations, shrunk.failure)
    return Hunt(
        True,
        found.seconds_to_find,
        shrunk.failure.oracle,
        shrunk.failure.key,
        found.steps_to_find,
        calls,
        shrunk.seconds,
        str(shrunk.failure),
        trace,
    )


def _as_found(found: Found) -> Hunt:
    f = found.failure
    return Hunt(
        True, found.seconds_to_find, f.oracle, f.key, found.steps_to_find, None, 0.0, str(f)
    )


def _failure(session: Session, operations: Sequence[Operation]) -> Disagreement | None:
    try:
        session.run(operations)
    except Disagreement as failure:
        return failure
    return None


def _by_test(mutant: Mutant) -> Hunt:
    started = time.monotonic()
    found, output = run_test(mutant)
    seconds = time.monotonic() - started
    if not found:
        return Hunt(False, seconds, message=output)
    return Hunt(True, seconds, TEST, mutant.caught_by, message=output)


@contextmanager
def _compiled(mutants: Sequence[Mutant]) -> Iterator[dict[str, Future[Artifacts]]]:
    """Compile mutants one after the other, in the background, those that campaigns judge."""
    pool = ThreadPoolExecutor(1)
    try:
        yield {m.name: pool.submit(mutated, m) for m in mutants if not m.judge}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _in_words(hunt: Hunt) -> str:
    if not hunt.found:
        return f"NOT FOUND in {hunt.seconds:.0f} s"
    by = f"found by {hunt.oracle} ({hunt.error})"
    if hunt.steps_to_find is None:
        return f"{by} in {hunt.seconds:.0f} s"
    if hunt.shrunk_steps is None:
        return f"{by} after {hunt.steps_to_find:,} steps ({hunt.seconds:.1f} s)"
    return (
        f"{by} after {hunt.steps_to_find:,} steps ({hunt.seconds:.1f} s), shrunk to "
        f"{hunt.shrunk_steps} calls in {hunt.seconds_to_shrink:.0f} s"
    )
