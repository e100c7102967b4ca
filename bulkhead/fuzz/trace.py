"""A sequence on file: what was done, to which code, from which block, and what was wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bulkhead.fuzz.catalogue import Catalogue, UnknownOperationError
from bulkhead.fuzz.executors.base import Outcome, digest, state_digest
from bulkhead.fuzz.judge import Disagreement
from bulkhead.fuzz.operation import Operation
from bulkhead.fuzz.sequence import Generated
from bulkhead.fuzz.session import Session
from bulkhead.report.files import write_json

FORMAT = "bulkhead-trace/1"


class TraceError(ValueError):
    """A trace cannot be read, or is not of this code; one line says why."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What was wrong, and at which call.

    Attributes:
        oracle: ``"model"``, ``"REVERT"`` or an invariant's id.
        key: what failures of the same kind have in common.
        message: in numbers.
        at: number of the call, from 0.
    """

    oracle: str
    key: str
    message: str
    at: int

    @classmethod
    def of(cls, found: Disagreement) -> Failure:
        """Return what a disagreement says."""
        return cls(found.oracle, found.key, str(found), found.at)


@dataclass(frozen=True, slots=True)
class Trace:
    """One sequence, replayable on every executor.

    Attributes:
        target: as for ``load_target``.
        bytecode: hash of the code of all contracts.
        fork: always None: sequences start from the target's own deployment.
        block: number, timestamp, baseFee, gasLimit and chainId of the block before the first.
        accounts: people's addresses by name.
        operations: as JSON objects.
        calls: what they became: time, from, to, contract, function, args (to read) and data.
        failure: what was wrong; None if nothing was.
        digest: hash of all that was seen.
        state_digest: hash of all views after the last call.
    """

    target: str
    bytecode: str
    block: Mapping[str, int]
    accounts: Mapping[str, str]
    operations: Sequence[Mapping[str, Any]]
    calls: Sequence[Mapping[str, Any]]
    failure: Failure | None
    digest: str
    state_digest: str
    fork: Mapping[str, Any] | None = None

    def save(self, path: Path) -> None:
        """Write the trace with a checksum, all or nothing."""
        body = {"format": FORMAT, **asdict(self)}
        write_json(path, {**body, "checksum": _checksum(body)})

    @classmethod
    def load(cls, path: Path) -> Trace:
        """Return the trace of a file.

        Raises:
            TraceError: it is missing, damaged, or of another format.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TraceError(f"{path}: {error.strerror}") from None
        except (ValueError, UnicodeDecodeError):
            raise TraceError(f"{path} is damaged: it is not JSON") from None
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            found = raw.get("format") if isinstance(raw, dict) else None
            raise TraceError(f"{path} is no trace: its format is {found!r}, not {FORMAT!r}")
        checksum = raw.pop("checksum", None)
        if checksum != _checksum(raw):
            raise TraceError(f"{path} is damaged: its checksum does not fit its content")
        del raw["format"]
        try:
            failure = raw.pop("failure")
            return cls(**raw, failure=None if failure is None else Failure(**failure))
        except (TypeError, KeyError) as error:
            raise TraceError(f"{path} is damaged: {error}") from None

    def operations_of(self, catalogue: Catalogue) -> list[Operation]:
        """Return the operations.

        Raises:
            TraceError: the catalogue does not have one of them.
        """
        try:
            return [catalogue.from_json(raw) for raw in self.operations]
        except UnknownOperationError as error:
            raise TraceError(
                f"the trace has an operation that this target lacks: {error}"
            ) from None


def record(
    session: Session, generated: Generated, outcomes: Sequence[Outcome], failure: Failure | None
) -> Trace:
    """Return the trace of a sequence that was played in a session."""
    target = session.target
    calls = [
        {
            "time": p.transaction.timestamp,
            "from": p.transaction.sender,
            "to": p.transaction.to,
            "contract": p.call.contract,
            "function": p.call.function,
            "args": [str(arg) for arg in p.call.args],
            "data": "0x" + p.transaction.data.hex(),
        }
        for p in generated.played
    ]
    return Trace(
        target=session.spec,
        bytecode=session.bytecode,
        block=session.block(),
        accounts=dict(target.deployment.accounts),
        operations=[target.catalogue.to_json(o) for o in generated.operations],
        calls=calls,
        failure=failure,
        digest=digest(outcomes),
        state_digest=state_digest(outcomes),
    )


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
