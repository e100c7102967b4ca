"""Failures on file: a trace and a test each, written as soon as they are found."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.trace import Failure, Trace, record
from bulkhead.report.files import write_text


@dataclass(slots=True)
class Found:
    """One failure, reported once however often it comes up.

    Attributes:
        failure: what was wrong.
        operations: that lead to it; the shortest known.
        trace: the file that replays it.
        test: a pytest file that fails as long as it is not mended.
        steps: calls up to it, after shrinking.
        seconds_to_find: since the campaign began, shrinking apart.
        steps_to_find: calls judged before it came up.
        seconds_to_shrink: 0 if it was not shrunk.
        times: how many sequences failed with it.
    """

    failure: Disagreement
    operations: tuple[Operation, ...]
    trace: Path
    test: Path
    steps: int
    seconds_to_find: float
    steps_to_find: int
    seconds_to_shrink: float = 0.0
    times: int = 1

    def summary(self) -> dict[str, Any]:
        """Return what ``summary.json`` says of it."""
        return {
            "oracle": self.failure.oracle,
            "error": self.failure.key,
            "message": str(self.failure),
            "trace": _shown(self.trace),
            "test": _shown(self.test),
            "steps": self.steps,
            "times": self.times,
            "steps_to_find": self.steps_to_find,
            "seconds_to_find": round(self.seconds_to_find, 1),
            "seconds_to_shrink": round(self.seconds_to_shrink, 1),
        }


@dataclass(slots=True)
class Folder:
    """Where failures are kept.

    Attributes:
        path: made when the first is written.
    """

    path: Path
    names: set[str] = field(default_factory=set)

    def name(self, found: Disagreement) -> str:
        """Return a file name for a failure: its oracle, its function, and a few digits of both."""
        where = found.key.partition(":")[0]
        words = re.sub(r"[^A-Za-z0-9]+", "-", f"{found.oracle}-{where}").strip("-").lower()
        return f"{words}-{hashlib.sha256(repr(found.identity).encode()).hexdigest()[:6]}"

    def write(
        self, session: Session, operations: tuple[Operation, ...], found: Disagreement
    ) -> tuple[Path, Path, int]:
        """Write trace and test; return where, and how many calls lead to the failure."""
        name = self.name(found)
        trace_path, test_path = self.path / f"{name}.json", self.path / _test_name(name)
        trace = trace_of(session, operations, found)
        trace.save(trace_path)
        write_text(test_path, regression_test(session.spec, trace, trace_path))
        return trace_path, test_path, found.at + 1


def trace_of(session: Session, operations: tuple[Operation, ...], found: Disagreement) -> Trace:
    """Return the trace of a failing sequence, as the session's executor plays it."""
    generated = session.generate(operations)
    outcomes = session.executor.run(generated.transactions)
    return record(session, generated, outcomes, Failure.of(found))


def replay_command(trace: Path) -> str:
    """Return the command that replays a trace."""
    return f"ape run replay {_shown(trace)}"


def regression_test(spec: str, trace: Trace, path: Path) -> str:
    """Return a pytest file that plays the operations and expects nothing to be wrong."""
    failure = trace.failure
    assert failure is not None
    first = failure.message.splitlines()[0]
    what = re.sub(r"\W+", "_", path.stem).strip("_")
    rows = "\n".join(f"            {_literal(operation)}," for operation in trace.operations)
    words = first.replace("\\", "\\\\").replace('"', "'")
    return f'''"""{failure.oracle} broke here.

{_wrapped(words)}
"""

from __future__ import annotations

from bulkhead.fuzz.testing import check


def test_{what}() -> None:
    check(
        "{spec}",
        [
{rows}
        ],
    )
'''


def _literal(operation: Any) -> str:
    inner = ", ".join(f'"{k}": {v!r}'.replace("'", '"') for k, v in operation.items())
    return "{" + inner + "}"


def _wrapped(text: str, width: int = 96) -> str:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _test_name(name: str) -> str:
    return f"test_{name.replace('-', '_')}.py"


def _shown(path: Path) -> str:
    """Return a path as a person would type it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)
