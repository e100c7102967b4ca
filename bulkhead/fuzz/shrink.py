"""Makes a failing sequence as short and as plain as it can be while the same oracle still fails.

Hypothesis does the work: the sequence is put in its database as if it had found it itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase, choices_to_bytes
from hypothesis.errors import HypothesisException

from bulkhead.fuzz.catalogue import Catalogue
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.operation import Operation

_KEY = b"failing sequence"

Check = Callable[[Sequence[Operation]], Disagreement | None]
"""Plays operations; returns what was wrong, or None."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A smaller sequence that fails alike, after how many tries and seconds."""

    operations: tuple[Operation, ...]
    failure: Disagreement
    tries: int
    seconds: float


def shrink(
    catalogue: Catalogue,
    operations: Sequence[Operation],
    failure: Disagreement,
    check: Check,
    seconds: float,
) -> Shrunk:
    """Return the least sequence found in the time given.

    Args:
        catalogue: of the operations.
        operations: fail with ``failure``.
        failure: only one of the same identity counts.
        check: plays a sequence.
        seconds: after which the best so far has to do.
    """
    started = time.monotonic()
    best = (list(catalogue.to_tape(operations)), tuple(operations), failure)
    tries = 0
    stopped: list[BaseException] = []

    def fails(tape: list[bytes]) -> bool:
        nonlocal best, tries
        if time.monotonic() - started > seconds:
            return tape == best[0]
        if stopped:
            return False
        tries += 1
        candidate = tuple(catalogue.from_tape(tape))
        try:
            found = check(candidate)
        except BaseException as error:  # noqa: BLE001
            # Hypothesis would take it for a failure of the test, and look into it.
            stopped.append(error)
            return False
        if found is None or found.identity != failure.identity:
            return False
        if (len(tape), tape) <= (len(best[0]), best[0]):
            best = (tape, candidate, found)
        return True

    tapes = st.lists(
        st.binary(min_size=catalogue.tape_bytes, max_size=catalogue.tape_bytes),
        max_size=len(operations),
    )
    database = InMemoryExampleDatabase()
    database.save(_KEY, choices_to_bytes(_choices(best[0], len(operations))))
    # Time may be up in the middle: then the best so far stands.
    with suppress(HypothesisException):
        find(
            tapes,
            fails,
            settings=settings(
                database=database,
                phases=(Phase.reuse, Phase.shrink),
                deadline=None,
                max_examples=1,
                print_blob=False,
            ),
            database_key=_KEY,
        )
    if stopped:
        raise stopped[0]
    return Shrunk(best[1], best[2], tries, time.monotonic() - started)


def _choices(tape: Sequence[bytes], most: int) -> list[bool | bytes]:
    """Return the choices with which the strategy draws a tape: go on, an element, …, stop."""
    choices: list[bool | bytes] = []
    for data in tape:
        choices += (True, data)
    return choices if len(tape) == most else [*choices, False]
