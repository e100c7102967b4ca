"""A campaign: sequences without end, judged in the background, failures shrunk and kept.

Hypothesis draws the sequences, epoch by epoch; the seed of an epoch depends on the campaign's seed
and its number alone. The model plays a sequence while the executor still runs the one before it.
"""

from __future__ import annotations

import gc
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, event, given, seed, settings, target
from hypothesis import strategies as st

from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.rpc import RpcConnectionError
from bulkhead.fuzz.catalogue import Catalogue, cut
from bulkhead.fuzz.executors.base import Outcome
from bulkhead.fuzz.failures import Folder, Found
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.profiles import Profile
from bulkhead.fuzz.sequence import Generated
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.shrink import shrink
from bulkhead.fuzz.statistics import Statistics

AHEAD = 2
"""Sequences that may be under way on the executor while the next one is drawn."""
MAX_RESTARTS = 20
_KEY_BYTES = 8
_GONE = (RpcConnectionError, TimeoutError, AnvilError)
"""How it shows that the node was killed."""


@dataclass(frozen=True, slots=True)
class _Submitted:
    generated: Generated
    future: Future[list[Outcome]]


def _stretched(key: bytes, fewest: int, most: int) -> bytes:
    """Return a tape of some length that a few bytes stand for."""
    rng = random.Random(key)
    return rng.randbytes(rng.randint(fewest, most))


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Look for cycles seldom: hardly anything has any, and looking took a sixth of the time."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Campaign:
    """Plays sequences on a session until the profile's budget is used up.

    Args:
        session: started.
        profile: budget and shape.
        seed_: the same seed, steps and code play the same sequences.
        operations: names; None: all.
        folder: where failures are kept.
        on_progress: called after each sequence.
        on_failure: called with each new failure, and again when it is shrunk.

    Attributes:
        statistics: so far.
        found: failures so far, in the order in which they came up.
    """

    def __init__(
        self,
        session: Session,
        profile: Profile,
        seed_: int = 0,
        operations: Sequence[str] | None = None,
        *,
        folder: Path,
        on_progress: Callable[[Campaign], None] = lambda _: None,
        on_failure: Callable[[Found], None] = lambda _: None,
    ) -> None:
        self.session = session
        self.profile = profile
        self.seed = seed_
        self.statistics = Statistics()
        self.found: dict[tuple[str, str], Found] = {}
        whole = session.target.catalogue
        self.catalogue = whole if operations is None else whole.subset(operations)
        self._chosen = operations is not None
        self._folder = Folder(folder)
        self._on_progress = on_progress
        self._on_failure = on_failure
        self._pool = ThreadPoolExecutor(1)
        self._waiting: deque[_Submitted] = deque()
        self._unshrunk: list[Found] = []
        self._started = time.monotonic()
        self._drawn = 0

    def run(self) -> None:
        """Play until the budget is used up. After a ``KeyboardInterrupt`` all counts still hold."""
        self._started = time.monotonic()
        epoch = 0
        try:
            with _rare_garbage_collection():
                while not self._is_spent():
                    self._epoch(epoch)
                    self._shrink_new()
                    epoch += 1
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def elapsed(self) -> float:
        """Seconds of play: since the start, shrinking apart."""
        return time.monotonic() - self._started - self.statistics.seconds["shrink"]

    # ------------------------------------------------------------------ drawing

    def _epoch(self, number: int) -> None:
        """Draw and play the sequences of one epoch."""
        epoch_seed = random.Random(f"{self.seed} {number}").getrandbits(64)
        catalogue = self._subset(random.Random(epoch_seed))
        fewest, most = self.profile.operations
        openings = self.session.target.openings()
        size = catalogue.tape_bytes
        # One draw for a whole sequence: one for each operation would take most of the time. Every
        # other one is stretched from a few bytes, which is quicker still; the rest can be varied.
        tapes = st.one_of(
            st.binary(min_size=_KEY_BYTES, max_size=_KEY_BYTES).map(
                lambda key: _stretched(key, fewest * size, most * size)
            ),
            st.binary(min_size=fewest * size, max_size=most * size),
        )

        @seed(epoch_seed)
        @settings(
            max_examples=self.profile.sequences,
            phases=(Phase.generate, Phase.target),
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(opening=st.integers(0, len(openings) - 1), tape=tapes)
        def draw(opening: int, tape: bytes) -> None:
            if stopped or self._is_spent():
                return
            self._note_drawing()
            try:
                ending = self.session.target.epilogue(self._drawn)
                self._drawn += 1
                self._play([*openings[opening], *catalogue.from_tape(cut(tape, size)), *ending])
            except BaseException as error:  # noqa: BLE001
                # Hypothesis would take it for a failure of the test, and look into it.
                stopped.append(error)
            self._drawing_since = time.monotonic()

        stopped: list[BaseException] = []
        self._drawing_since = time.monotonic()
        draw()
        if stopped:
            raise stopped[0]
        self._drain()

    def _subset(self, rng: random.Random) -> Catalogue:
        """Return the operations of an epoch: all, or some of them, so that they get in deeper."""
        names = self.catalogue.names
        if self._chosen or rng.random() < 0.5:
            return self.catalogue
        # The first shrinks away; without it nothing would ever be left out.
        kept = [name for name in names[1:] if rng.random() < 0.75]
        return self.catalogue.subset([names[0], *kept])

    def _note_drawing(self) -> None:
        self.statistics.seconds["draw"] += time.monotonic() - self._drawing_since

    def _is_spent(self) -> bool:
        p = self.profile
        if p.steps is not None and self.statistics.steps >= p.steps:
            return True
        return p.seconds is not None and self.elapsed >= p.seconds

    # ------------------------------------------------------------------ playing

    def _play(self, operations: Sequence[Operation]) -> None:
        """Generate a sequence, hand it to the executor, and judge the oldest one that is ready."""
        s = self.statistics
        with s.timed("generate"):
            generated = self.session.generate(operations, glancing=True)
            measures = self.session.target.measures()
            s.reach(measures)
        for name, value in measures.items():
            target(value, label=name)
        for kind, result, regime in {
            (
                type(p.operation).__name__,
                p.expected.error.name if p.expected.error else "accepted",
                p.regime,
            )
            for p in generated.played
        }:
            event(f"{kind}: {result} ({regime})")
        if not generated.played:
            return
        self._submit(generated)
        while len(self._waiting) > AHEAD:
            self._judge_oldest()

    def _submit(self, generated: Generated) -> None:
        executor = self.session.executor
        if executor.is_concurrent:
            future = self._pool.submit(executor.run, generated.transactions)
        else:
            future = Future()
            with self.statistics.timed("execute"):
                future.set_result(executor.run(generated.transactions))
        self._waiting.append(_Submitted(generated, future))

    def _drain(self) -> None:
        while self._waiting:
            self._judge_oldest()

    def _judge_oldest(self) -> None:
        submitted = self._waiting.popleft()
        s = self.statistics
        try:
            with s.timed("execute"):
                outcomes = submitted.future.result()
        except _GONE as error:
            self._restart(submitted, error)
            return
        with s.timed("judge"):
            self._judge(submitted.generated, outcomes)
        self._on_progress(self)

    def _restart(self, submitted: _Submitted, error: Exception) -> None:
        """Begin again on a new node, with what was under way on the one that is gone."""
        self.statistics.restarts += 1
        if self.statistics.restarts > MAX_RESTARTS:
            raise error
        lost = [submitted.generated, *(w.generated for w in self._waiting)]
        for waiting in self._waiting:
            waiting.future.cancel()
        self._waiting.clear()
        self.session.restart()
        for generated in lost:
            self._submit(self.session.generate(generated.operations, glancing=True))

    def _judge(self, generated: Generated, outcomes: Sequence[Outcome]) -> None:
        s = self.statistics
        s.sequences += 1
        failure = None
        try:
            judged = self.session.judge(generated, outcomes)
        except Disagreement as found:
            # Again, with a look after every call: an invariant may say better what is wrong.
            failure = self._check(generated.operations) or found
            judged = list(failure.judged)
            s.failing += 1
        for played, one in zip(generated.played, judged, strict=False):
            s.note(played, one)
        if failure is not None:
            self._keep(generated, failure)

    # ------------------------------------------------------------------ failures

    def _keep(self, generated: Generated, failure: Disagreement) -> None:
        """Write a new failure down at once, as it is; count a known one."""
        known = self.found.get(failure.identity)
        if known is not None:
            known.times += 1
            return
        # What came after the failing call has nothing to do with it.
        operations = self.session.generate(generated.operations).until(failure.at)
        trace, test, steps = self._folder.write(self.session, operations, failure)
        found = Found(failure, operations, trace, test, steps, self.elapsed, self.statistics.steps)
        self.found[failure.identity] = found
        self._unshrunk.append(found)
        self._on_failure(found)

    def _shrink_new(self) -> None:
        while self._unshrunk and self.profile.shrink_seconds > 0:
            found = self._unshrunk.pop(0)
            with self.statistics.timed("shrink"):
                shrunk = shrink(
                    self.session.target.catalogue,
                    found.operations,
                    found.failure,
                    self._check,
                    self.profile.shrink_seconds,
                )
                found.operations, found.failure = shrunk.operations, shrunk.failure
                found.seconds_to_shrink = shrunk.seconds
                found.trace, found.test, found.steps = self._folder.write(
                    self.session, shrunk.operations, shrunk.failure
                )
            self._on_failure(found)

    def _check(self, operations: Sequence[Operation]) -> Disagreement | None:
        try:
            self.session.run(operations)
        except Disagreement as found:
            return found
        except _GONE:
            self.statistics.restarts += 1
            self.session.restart()
            return self._check(operations)
        return None
