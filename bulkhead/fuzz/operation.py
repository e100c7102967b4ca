"""What an operation is: a frozen value that the model turns into concrete calls.

Arguments are small integers that are read *relative to the model's state* ("37 % of what I hold",
"the size that uses up my margin"), so that generated sequences stay near the edges. The model
alone picks the arguments: a sequence of calls is known before any of it is executed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

if TYPE_CHECKING:
    from bulkhead.fuzz.judge import Judged, Violation

BLOCK_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Call:
    """One concrete transaction, before it is encoded.

    Attributes:
        sender: who sends it.
        contract: name among the target's contracts, e.g. ``"MarginEngine"`` or a token's symbol.
        function: Solidity name.
        args: Python integers, addresses, strings and bytes, as the model takes them.
    """

    sender: str
    contract: str
    function: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        arguments = ", ".join(map(str, self.args))
        return f"{self.contract}.{self.function}({arguments}) from {self.sender}"


@dataclass(frozen=True, slots=True)
class Step:
    """Time that passes, then calls, one block each.

    Attributes:
        calls: in order. Of a generator each call is asked for only after the model has played the
            one before it.
        seconds: between the last block and the first of these.
        apart: seconds between two of these; 0: all in the same second.
    """

    calls: Iterable[Call] = ()
    seconds: int = BLOCK_SECONDS
    apart: int = BLOCK_SECONDS


@dataclass(frozen=True, slots=True)
class Index:
    """A field of one byte that picks one of ``count``."""

    count: int


@dataclass(frozen=True, slots=True)
class Share:
    """A field of two bytes that stands for 0 … 10,000 basis points, or ``top``, a bit more.

    Everything and a bit more than everything come up far more often than any other value, because
    that is where the checks are.
    """

    top: int = 10_500


class Operation(ABC):
    """Base of all operations; subclasses are frozen dataclasses of annotated integers."""

    __slots__ = ()

    weight: ClassVar[int] = 1
    """How often the operation is drawn, relative to the others."""

    refusals: ClassVar[frozenset[str]] = frozenset()
    """Errors with which its calls may revert; any other is a failure. ``""`` is no data at all."""

    is_refused: ClassVar[bool] = False
    """Its calls are never accepted: an outsider tries what only others may do."""

    @abstractmethod
    def resolve(self, u: Any) -> Step | None:
        """Return what happens, from the state of a target's model; None: there is nothing to do."""

    def verdict(self, u: Any, judged: Sequence[Judged]) -> Iterable[Violation]:  # noqa: ARG002
        """Yield what must not be, by the outcomes of all calls of this operation on the chain."""
        return ()


@cache
def encodings(kind: type[Operation]) -> tuple[Index | Share, ...]:
    """Return how each field of an operation is encoded, in order."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(hints[f.name].__metadata__[0] for f in fields(kind))  # type: ignore[arg-type]


def encoded_size(kind: type[Operation]) -> int:
    """Return how many bytes encode the fields of an operation."""
    return sum(1 if isinstance(e, Index) else 2 for e in encodings(kind))


def decode(kind: type[Operation], data: bytes) -> Operation:
    """Return the operation of a kind that the bytes encode; any bytes long enough encode one."""
    values: list[int] = []
    at = 0
    for encoding in encodings(kind):
        if isinstance(encoding, Index):
            values.append(data[at] % encoding.count)
            at += 1
        else:
            values.append(_share(int.from_bytes(data[at : at + 2], "big"), encoding.top))
            at += 2
    return kind(*values)


def encode(operation: Operation) -> bytes:
    """Return bytes that ``decode`` turns into the operation.

    Raises:
        ValueError: a field is out of its range.
    """
    data = b""
    for (name, value), encoding in zip(
        asdict(operation).items(),  # type: ignore[call-overload]
        encodings(type(operation)),
        strict=True,
    ):
        most = encoding.count - 1 if isinstance(encoding, Index) else 10_000
        top = most if isinstance(encoding, Index) else encoding.top
        if type(value) is not int or (not 0 <= value <= most and value != top):
            kind = type(operation).__name__
            raise ValueError(f"{kind}.{name} is {value!r}, not an integer from 0 to {most}")
        if isinstance(encoding, Index):
            data += value.to_bytes(1, "big")
        else:
            data += _word(value, encoding.top).to_bytes(2, "big")
    return data


_ALL, _MORE = 0x2000, 0xE000
_PARTS = _MORE - _ALL


def _share(word: int, top: int) -> int:
    """Return the share of a word. Nought is all: what a search tends to should go through."""
    if word < _ALL:
        return 10_000
    if word >= _MORE:
        return top
    return (word - _ALL) * 10_000 // _PARTS


def _word(share: int, top: int) -> int:
    if share == 10_000:
        return 0
    return _MORE if share == top else _ALL - (-share * _PARTS // 10_000)


def part(amount: int, share_bps: int) -> int:
    """Return a share of an amount; above 10,000 basis points, more than all of it."""
    return amount * share_bps // 10_000 + (1 if share_bps > 10_000 else 0)
