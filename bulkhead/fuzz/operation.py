"""What an operation is: a frozen value that the model turns into concrete calls.

Arguments are small integers that are read *relative to the model's state* ("37 % of what I hold",
"the size that uses up my margin"), so that generated sequences stay near the edges. The model
alone picks the arguments: a sequence of calls is known before any of it is executed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

if TYPE_CHECKING:
    from bulkhead.fuzz.universe import Universe

TAPE_BYTES = 9
"""Bytes that encode one operation: its kind, then one byte per index and two per share."""

BLOCK_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Call:
    """One concrete transaction, before it is encoded.

    Attributes:
        sender: who sends it.
        contract: name in the address book, e.g. ``"MarginEngine"``, a token's or a feed's.
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
        calls: in order.
        seconds: between the last block and the first of these.
    """

    calls: tuple[Call, ...] = ()
    seconds: int = BLOCK_SECONDS


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

    @abstractmethod
    def resolve(self, u: Universe) -> Step | None:
        """Return what happens, from the model's state; None if there is nothing to do now."""


@cache
def encodings(kind: type[Operation]) -> tuple[Index | Share, ...]:
    """Return how each field of an operation is encoded, in order."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(hints[f.name].__metadata__[0] for f in fields(kind))  # type: ignore[arg-type]


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


def _share(word: int, top: int) -> int:
    if word >= 0xE000:
        return 10_000
    if word >= 0xC000:
        return top
    return word * 10_000 // 0xC000


def part(amount: int, share_bps: int) -> int:
    """Return a share of an amount; above 10,000 basis points, more than all of it."""
    return amount * share_bps // 10_000 + (1 if share_bps > 10_000 else 0)
