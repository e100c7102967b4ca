"""ABI encoding and decoding, quick where everything is a word.

Most calls of the suite take and return only words (numbers, addresses, flags, fixed bytes) and
structs of words. For those a codec is a list of one small function per word, an order of magnitude
quicker than the general ``eth_abi``, which does the rest. A test compares the two.
"""

from __future__ import annotations

import keyword
import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

Abi = Sequence[Mapping[str, Any]]
"""A contract's ABI as the compiler writes it."""

_WORD = 32
_INTEGER = re.compile(r"^(u?)int(\d*)$")
_FIXED_BYTES = re.compile(r"^bytes(\d+)$")
_ARRAY = re.compile(r"^(.*)\[(\d*)\]$")

_Encoder = Callable[[Any], bytes]
_Decoder = Callable[[bytes, int], Any]


class CodecError(ValueError):
    """Values do not fit their ABI types, or bytes are not what the ABI promises."""


def canonical_type(parameter: Mapping[str, Any]) -> str:
    """Return the type of an ABI parameter with structs written out, as selectors need it."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(canonical_type, parameter['components']))}){kind[5:]}"


def signature_of(entry: Mapping[str, Any]) -> str:
    """Return ``name(type,…)`` of a function, error or event."""
    return f"{entry['name']}({','.join(map(canonical_type, entry.get('inputs', ())))})"


def selector_of(entry: Mapping[str, Any]) -> bytes:
    """Return the four bytes that select a function or error."""
    return bytes(keccak(text=signature_of(entry))[:4])


def topic_of(entry: Mapping[str, Any]) -> bytes:
    """Return the 32 bytes that an event's first topic is."""
    return bytes(keccak(text=signature_of(entry)))


@lru_cache(maxsize=1 << 16)
def checksum(address: str) -> str:
    """Return an address in checksummed form. Remembered, as hashing is slow."""
    return str(to_checksum_address(address))


def asset_id(name: str) -> bytes:
    """Return an oracle asset's id: its name in ASCII, padded on the right to 32 bytes."""
    raw = name.encode("ascii")
    if not 0 < len(raw) <= _WORD:
        raise CodecError(f"an asset's name has 1 to 32 characters, not {len(raw)}: {name!r}")
    return raw.ljust(_WORD, b"\0")


class Codec:
    """Encodes and decodes one list of ABI parameters: a function's inputs, say.

    Decoded structs are named tuples with the ABI's field names, addresses are checksummed strings.

    Args:
        parameters: the ABI's entries.
        name: what decoded values are called as a named tuple.
    """

    __slots__ = ("_decoders", "_encoder", "_plain", "_size", "_wraps", "tuple_type", "types")

    def __init__(self, parameters: Sequence[Mapping[str, Any]], name: str) -> None:
        self.types = tuple(map(canonical_type, parameters))
        self.tuple_type = struct_type(name, tuple(str(p.get("name", "")) for p in parameters))
        self._plain = [_plainer(p) for p in parameters]
        self._wraps = [_wrapper(p) for p in parameters]
        self._encoder: list[_Encoder] | None = []
        self._decoders: list[tuple[int, _Decoder]] | None = []
        offset = 0
        for parameter in parameters:
            word = _static(parameter)
            if word is None:
                self._encoder = self._decoders = None
                break
            size, encoder, decoder = word
            self._encoder.append(encoder)
            self._decoders.append((offset, decoder))
            offset += size
        self._size = offset

    def encode(self, values: Sequence[Any]) -> bytes:
        """Return the ABI encoding of values; structs as sequences or mappings.

        Raises:
            CodecError: wrong number of values, or one does not fit its type.
        """
        if len(values) != len(self.types):
            raise CodecError(f"{len(self.types)} values expected, {len(values)} given")
        try:
            if self._encoder is not None:
                return b"".join([e(v) for e, v in zip(self._encoder, values, strict=True)])
            return abi_encode(self.types, [p(v) for p, v in zip(self._plain, values, strict=True)])
        except CodecError:
            raise
        except (OverflowError, TypeError, ValueError, AttributeError, EncodingError) as error:
            raise CodecError(f"({','.join(self.types)}) from {values!r}: {error}") from error

    def decode(self, data: bytes) -> Any:
        """Return the values in a named tuple of this codec's name.

        Raises:
            CodecError: too little data, or not of these types.
        """
        if self._decoders is not None:
            if len(data) < self._size:
                raise CodecError(f"{len(data)} bytes are no ({','.join(self.types)})")
            return self.tuple_type._make([d(data, o) for o, d in self._decoders])
        try:
            values = abi_decode(self.types, data)
        except (DecodingError, OverflowError, ValueError) as error:
            raise CodecError(f"({','.join(self.types)}): {error}") from error
        return self.tuple_type._make([w(v) for w, v in zip(self._wraps, values, strict=True)])


@lru_cache(maxsize=4096)
def struct_type(name: str, fields: tuple[str, ...]) -> Any:
    """Return the named tuple class of a struct; reserved words as fields get a trailing ``_``."""
    clean = []
    for i, field in enumerate(fields):
        stripped = field.lstrip("_") or f"value{i}"
        clean.append(stripped + "_" if keyword.iskeyword(stripped) else stripped)
    safe = re.sub(r"\W", "_", name) or "Values"
    if keyword.iskeyword(safe):
        safe += "_"
    return namedtuple(safe, clean, rename=True)


def _struct_of(parameter: Mapping[str, Any]) -> Any:
    label = str(parameter.get("internalType") or "struct Values")
    name = label.removeprefix("struct ").split(".")[-1].split("[")[0]
    return struct_type(name, tuple(str(c.get("name", "")) for c in parameter["components"]))


def _fields(parameter: Mapping[str, Any], value: Any) -> Sequence[Any]:
    """Return a struct's values in the ABI's order, from a sequence or a mapping."""
    components = parameter["components"]
    if isinstance(value, Mapping):
        names = [c["name"] for c in components]
        if wrong := set(names) ^ set(value):
            raise CodecError(f"fields missing or too many: {', '.join(sorted(wrong))}")
        return [value[name] for name in names]
    if len(value) != len(components):
        raise CodecError(f"{len(components)} fields expected, {len(value)} given")
    return value  # type: ignore[no-any-return]


# ---------------------------------------------------------------------- words


def _static(parameter: Mapping[str, Any]) -> tuple[int, _Encoder, _Decoder] | None:
    """Return size, encoder and decoder of a parameter made of words alone; None of any other."""
    kind = str(parameter["type"])
    if match := _ARRAY.match(kind):
        return _static_array(parameter, match[1], match[2])
    if kind == "tuple":
        return _static_struct(parameter)
    word = _word(kind)
    return None if word is None else (_WORD, *word)


def _static_array(
    parameter: Mapping[str, Any], kind: str, length: str
) -> tuple[int, _Encoder, _Decoder] | None:
    inner = _static({**parameter, "type": kind})
    if not length or inner is None:
        return None
    size, encode_one, decode_one = inner
    count = int(length)

    def encode_array(values: Any) -> bytes:
        if len(values) != count:
            raise CodecError(f"{count} elements expected, {len(values)} given")
        return b"".join([encode_one(v) for v in values])

    def decode_array(data: bytes, offset: int) -> Any:
        return tuple(decode_one(data, offset + size * i) for i in range(count))

    return size * count, encode_array, decode_array


def _static_struct(parameter: Mapping[str, Any]) -> tuple[int, _Encoder, _Decoder] | None:
    make = _struct_of(parameter)._make
    encoders: list[_Encoder] = []
    decoders: list[tuple[int, _Decoder]] = []
    total = 0
    for component in parameter["components"]:
        inner = _static(component)
        if inner is None:
            return None
        size, encoder, decoder = inner
        encoders.append(encoder)
        decoders.append((total, decoder))
        total += size

    def encode_struct(value: Any) -> bytes:
        return b"".join([e(v) for e, v in zip(encoders, _fields(parameter, value), strict=True)])

    def decode_struct(data: bytes, offset: int) -> Any:
        return make([d(data, offset + o) for o, d in decoders])

    return total, encode_struct, decode_struct


def _word(kind: str) -> tuple[_Encoder, _Decoder] | None:
    if match := _INTEGER.match(kind):
        return _integer(int(match[2] or 256), signed=not match[1])
    if match := _FIXED_BYTES.match(kind):
        return _fixed_bytes(int(match[1]))
    if kind == "address":
        return _encode_address, _decode_address
    if kind == "bool":
        return _encode_bool, _decode_bool
    return None


def _integer(bits: int, signed: bool) -> tuple[_Encoder, _Decoder]:
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1

    def encode_integer(value: Any) -> bytes:
        if not lowest <= value <= highest or value is True or value is False:
            raise CodecError(f"{value!r} is not in [{lowest}, {highest}]")
        encoded: bytes = value.to_bytes(_WORD, "big", signed=signed)
        return encoded

    def decode_integer(data: bytes, offset: int) -> int:
        return int.from_bytes(data[offset : offset + _WORD], "big", signed=signed)

    return encode_integer, decode_integer


def _fixed_bytes(length: int) -> tuple[_Encoder, _Decoder]:
    def encode_bytes(value: Any) -> bytes:
        raw = _raw_bytes(value)
        if len(raw) != length:
            raise CodecError(f"{len(raw)} bytes for bytes{length}: {value!r}")
        return raw.ljust(_WORD, b"\0")

    def decode_bytes(data: bytes, offset: int) -> bytes:
        return data[offset : offset + length]

    return encode_bytes, decode_bytes


def _raw_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        if not value.startswith("0x"):
            raise CodecError(f"bytes, or hexadecimal with 0x, are expected: {value!r}")
        return bytes.fromhex(value[2:])
    return bytes(value) if not isinstance(value, int) else _refuse(value)


def _refuse(value: Any) -> bytes:
    raise CodecError(f"bytes are expected: {value!r}")


def _address_of(value: Any) -> str:
    text = value if isinstance(value, str) else value.address
    if len(text) != 42 or not text.startswith("0x"):
        raise CodecError(f"not an address: {value!r}")
    return str(text)


@lru_cache(maxsize=1 << 16)
def _address_word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(_WORD, b"\0")


def _encode_address(value: Any) -> bytes:
    return _address_word(_address_of(value))


def _decode_address(data: bytes, offset: int) -> str:
    return checksum("0x" + data[offset + 12 : offset + _WORD].hex())


def _encode_bool(value: Any) -> bytes:
    if value is not True and value is not False:
        raise CodecError(f"not a truth value: {value!r}")
    return value.to_bytes(_WORD, "big")


def _decode_bool(data: bytes, offset: int) -> bool:
    return data[offset + _WORD - 1] != 0


# ---------------------------------------------------------------------- the general case


def _plainer(parameter: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return what turns a value into plain tuples for ``eth_abi``."""
    kind = str(parameter["type"])
    if match := _ARRAY.match(kind):
        inner = _plainer({**parameter, "type": match[1]})
        return lambda values: [inner(v) for v in values]
    if kind == "tuple":
        inners = [_plainer(c) for c in parameter["components"]]
        return lambda value: tuple(
            f(v) for f, v in zip(inners, _fields(parameter, value), strict=True)
        )
    if kind == "address":
        return _address_of
    if kind.startswith("bytes"):
        return _raw_bytes
    return lambda value: value


def _wrapper(parameter: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return what turns ``eth_abi``'s plain tuples into named ones."""
    kind = str(parameter["type"])
    if match := _ARRAY.match(kind):
        inner = _wrapper({**parameter, "type": match[1]})
        return lambda values: tuple(inner(v) for v in values)
    if kind == "tuple":
        make = _struct_of(parameter)._make
        inners = [_wrapper(c) for c in parameter["components"]]
        return lambda value: make([f(v) for f, v in zip(inners, value, strict=True)])
    return checksum if kind == "address" else lambda value: value


def named(values: Iterable[Any]) -> str:
    """Return values as text for people: printable bytes32 as their text."""
    return ", ".join(map(_readable, values))


def _readable(value: Any) -> str:
    if isinstance(value, bytes):
        text = value.rstrip(b"\0")
        if text and text.isascii() and text.decode().isprintable():
            return f'"{text.decode()}"'
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return f"({named(value)})"
    return str(value)
