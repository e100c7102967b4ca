"""How fast the fuzz harness checks a target, by executor."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from bulkhead.bench.workload import MeasurementError, Throughput
from bulkhead.fuzz.campaign import Campaign
from bulkhead.fuzz.executors.base import Executor, Outcome, Transaction
from bulkhead.fuzz.profiles import Profile
from bulkhead.fuzz.session import Session

SEED = 1


def measure_harness(
    spec: str, executor: str, seconds: float, operations: Collection[str] | None = None
) -> Throughput:
    """Fuzz for a time; deploying and the first sequence are not counted.

    A step is one transaction with the checks after it. The shares are those of
    ``Statistics.shares``, and ``busy``: the part of the time in which the executor was at work,
    also while the harness did something else.

    Args:
        spec: as for ``load_target``.
        executor: a name of ``EXECUTORS``.
        seconds: how long.
        operations: names; None: all.

    Raises:
        MeasurementError: a failure was found: the contracts are not as the target says.
        ExecutorError: the executor does not work here.
    """
    with Session(spec, executor) as session, tempfile.TemporaryDirectory() as folder:
        _play(session, Profile("warm-up", seconds=None, steps=1), operations, Path(folder))
        with _busy(session.executor) as busy:
            profile = Profile("bench", seconds=seconds, steps=None, shrink_seconds=0)
            campaign, elapsed = _play(session, profile, operations, Path(folder))
    s = campaign.statistics
    shares = {**s.shares(), "busy": round(busy[0] / elapsed, 3)}
    return Throughput(s.steps, elapsed, s.refused, shares=shares)


def _play(
    session: Session, profile: Profile, operations: Collection[str] | None, folder: Path
) -> tuple[Campaign, float]:
    """Return a campaign that has been run, and the seconds that it took."""
    chosen = None if operations is None else tuple(operations)
    campaign = Campaign(session, profile, SEED, chosen, folder=folder)
    campaign.run()
    elapsed = campaign.elapsed
    if campaign.found:
        failure = str(next(iter(campaign.found.values())).failure)
        raise MeasurementError(
            f"{session.spec} on {session.executor.name}: {len(campaign.found)} failures; {failure}"
        )
    return campaign, elapsed


@contextmanager
def _busy(executor: Executor) -> Iterator[list[float]]:
    """Add up, in the only item, the seconds for which an executor runs."""
    spent = [0.0]
    run = executor.run

    def timed(transactions: Sequence[Transaction]) -> list[Outcome]:
        started = time.monotonic()
        try:
            return run(transactions)
        finally:
            spent[0] += time.monotonic() - started

    with patch.object(executor, "run", timed):
        yield spent
