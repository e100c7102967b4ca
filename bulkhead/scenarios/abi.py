"""Decodes nested dynamic answers quickly: what a scenario reads after every block.

``bulkhead.chain.codec`` is quick where everything is a word and leaves the rest to ``eth_abi``, for
which a few dozen accounts with their positions take longer than the node does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bulkhead.chain.codec import Codec, struct_type

_WORD = 32
Decode = Callable[[bytes, int], Any]
"""Takes the data and the position at which a value's own encoding begins."""


class _Kind(NamedTuple):
    """How a type is encoded: bytes in the head, whether the head is a pointer, and its decoder."""

    head: int
    is_dynamic: bool
    decode: Decode


def answer_decoder(entry: Mapping[str, Any]) -> Callable[[bytes], Any]:
    """Return a decoder of a function's answer, for functions that return one value.

    Structs come as named tuples, arrays as tuples. It takes the node's word for the data's shape:
    for answers of the suite's own views, not for data from strangers.

    Raises:
        ValueError: the function does not return one value, or has a type that is not supported.
    """
    outputs = entry["outputs"]
    if len(outputs) != 1:
        raise ValueError(f"{entry['name']} returns {len(outputs)} values, not one")
    kind = _kind(outputs[0])
    if kind.is_dynamic:
        return lambda data: kind.decode(data, int.from_bytes(data[:_WORD], "big"))
    return lambda data: kind.decode(data, 0)


def _kind(parameter: Mapping[str, Any]) -> _Kind:
    name = str(parameter["type"])
    if name.endswith("[]"):
        return _array(_kind({**parameter, "type": name[:-2]}))
    if name == "tuple":
        return _struct(parameter)
    if name.endswith("]") or name in ("string", "bytes"):
        raise ValueError(f"type {name} is not supported")
    return _Kind(_WORD, False, _word(parameter))


def _word(parameter: Mapping[str, Any]) -> Decode:
    name = str(parameter["type"])
    if name.startswith(("uint", "int")):
        signed = name.startswith("int")

        def integer(data: bytes, at: int) -> int:
            return int.from_bytes(data[at : at + _WORD], "big", signed=signed)

        return integer
    codec = Codec([parameter], "Word")
    return lambda data, at: codec.decode(data[at : at + _WORD])[0]


def _struct(parameter: Mapping[str, Any]) -> _Kind:
    components = parameter["components"]
    label = str(parameter.get("internalType") or "struct Values")
    name = label.removeprefix("struct ").split(".")[-1].split("[")[0]
    make = struct_type(name, tuple(str(c.get("name", "")) for c in components))._make
    fields: list[tuple[int, bool, Decode]] = []
    head = 0
    for component in components:
        kind = _kind(component)
        fields.append((head, kind.is_dynamic, kind.decode))
        head += _WORD if kind.is_dynamic else kind.head
    is_dynamic = any(dynamic for _, dynamic, _ in fields)

    def decode(data: bytes, at: int) -> Any:
        return make(
            [
                field(data, at + int.from_bytes(data[at + o : at + o + _WORD], "big"))
                if dynamic
                else field(data, at + o)
                for o, dynamic, field in fields
            ]
        )

    return _Kind(_WORD if is_dynamic else head, is_dynamic, decode)


def _array(element: _Kind) -> _Kind:
    def decode(data: bytes, at: int) -> Any:
        count = int.from_bytes(data[at : at + _WORD], "big")
        first = at + _WORD
        if not element.is_dynamic:
            return tuple(element.decode(data, first + element.head * i) for i in range(count))
        places = range(first, first + _WORD * count, _WORD)
        return tuple(
            element.decode(data, first + int.from_bytes(data[p : p + _WORD], "big")) for p in places
        )

    return _Kind(_WORD, True, decode)
