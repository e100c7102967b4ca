"""The operations of one target, and how a tape of bytes stands for a sequence of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from bulkhead.fuzz.operation import Operation, decode, encode, encoded_size

_KINDS_IN_A_BYTE = 256


class UnknownOperationError(ValueError):
    """There is no operation of a name, or its fields are not as given."""


def cut(tape: bytes, size: int) -> list[bytes]:
    """Return a tape in pieces of ``size`` bytes; what is left over at its end is dropped."""
    return [tape[i : i + size] for i in range(0, len(tape) - size + 1, size)]


class Catalogue:
    """Operations in a fixed order.

    Args:
        kinds: the first is what a shrinker makes of everything that does not matter.

    Attributes:
        tape_bytes: how many bytes of a tape encode one operation: its kind, then its fields.
    """

    def __init__(self, kinds: Iterable[type[Operation]]) -> None:
        self.kinds = tuple(kinds)
        self._by_name = {kind.__name__: kind for kind in self.kinds}
        self._weighted = tuple(kind for kind in self.kinds for _ in range(kind.weight))
        if not 0 < len(self._weighted) <= _KINDS_IN_A_BYTE:
            raise ValueError(f"weights add up to {len(self._weighted)}, not to 1 … 256")
        self.tape_bytes = 1 + max(map(encoded_size, self.kinds))

    @property
    def names(self) -> tuple[str, ...]:
        """The operations' names, in order."""
        return tuple(self._by_name)

    def subset(self, names: Iterable[str]) -> Catalogue:
        """Return a catalogue of some of the operations, in this one's order.

        Raises:
            UnknownOperationError: there is none of a name.
        """
        wanted = set(names)
        for name in wanted:
            self._kind(name)
        return Catalogue(kind for kind in self.kinds if kind.__name__ in wanted)

    def from_bytes(self, data: bytes) -> Operation:
        """Return the operation that one piece of a tape stands for; any bytes stand for one."""
        return decode(self._weighted[data[0] % len(self._weighted)], data[1:])

    def from_tape(self, tape: Sequence[bytes]) -> list[Operation]:
        """Return the operations of a tape."""
        return [self.from_bytes(data) for data in tape]

    def to_tape(self, operations: Iterable[Operation]) -> list[bytes]:
        """Return a tape of operations."""
        tape = []
        for operation in operations:
            kind = self._weighted.index(type(operation))
            data = kind.to_bytes(1, "big") + encode(operation)
            tape.append(data.ljust(self.tape_bytes, b"\0"))
        return tape

    def to_json(self, operation: Operation) -> dict[str, Any]:
        """Return an operation as a JSON object: its kind and its fields."""
        return {"kind": type(operation).__name__, **asdict(operation)}  # type: ignore[call-overload]

    def from_json(self, raw: Mapping[str, Any]) -> Operation:
        """Return the operation of a JSON object.

        Raises:
            UnknownOperationError: no such kind, or its fields are not as given.
        """
        values = dict(raw)
        kind = self._kind(str(values.pop("kind", "")))
        names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
        if wrong := names ^ values.keys():
            words = ", ".join(sorted(wrong))
            raise UnknownOperationError(f"{kind.__name__}: fields missing or too many: {words}")
        operation = kind(**values)
        try:
            encode(operation)
        except ValueError as error:
            raise UnknownOperationError(str(error)) from None
        return operation

    def _kind(self, name: str) -> type[Operation]:
        kind = self._by_name.get(name)
        if kind is None:
            known = ", ".join(self._by_name)
            raise UnknownOperationError(f"there is no operation {name!r}: choose from {known}")
        return kind
