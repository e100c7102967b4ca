"""For tests: play operations and fail with the command that replays what went wrong."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bulkhead import ROOT
from bulkhead.fuzz.failures import Folder, replay_command
from bulkhead.fuzz.judge import Disagreement, Judged
from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.readable import with_names
from bulkhead.fuzz.session import Session

FAILURES = ROOT / "reports" / "fuzz" / "failures"
"""Where tests leave the traces of what failed."""

_sessions: dict[tuple[str, str], Session] = {}


def session_for(spec: str = "suite", executor: str = "anvil-sim") -> Session:
    """Return a started session, the same one for the same arguments; it ends with the process."""
    key = (spec, executor)
    if key not in _sessions:
        session = Session(spec, executor)
        session.start()
        atexit.register(session.stop)
        _sessions[key] = session
    return _sessions[key]


def check(
    spec: str, operations: Sequence[Mapping[str, Any] | Operation], executor: str = "anvil-sim"
) -> list[Judged]:
    """Play operations, and fail if anything is not as it must be.

    Args:
        spec: as for ``load_target``.
        operations: as operations, or as the JSON objects of a trace.
        executor: where to play them.

    Raises:
        AssertionError: with the command that replays it.
    """
    session = session_for(spec, executor)
    catalogue = session.target.catalogue
    chosen = tuple(o if isinstance(o, Operation) else catalogue.from_json(o) for o in operations)
    return run_or_explain(session, chosen)


def run_or_explain(
    session: Session, operations: Sequence[Operation], folder: Path = FAILURES
) -> list[Judged]:
    """Play operations; if anything is wrong, write its trace and say how to replay it.

    Raises:
        AssertionError: with the command that replays it.
    """
    try:
        return session.run(operations)
    except Disagreement as found:
        trace, test, _ = Folder(folder).write(session, tuple(operations), found)
        words = with_names(str(found), session.target.deployment.accounts)
        how = f"replay it: {replay_command(trace)}\n  as a test: {test}"
        raise AssertionError(f"{words}\n  {how}") from found
