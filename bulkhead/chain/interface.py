"""An ABI ready to use: functions by name, events by topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from bulkhead.chain.codec import Abi, Codec, CodecError, selector_of, signature_of, topic_of
from bulkhead.chain.rpc import Log


class Function:
    """One function of an ABI: its selector and the codecs of both directions."""

    __slots__ = ("inputs", "name", "outputs", "selector", "signature", "single")

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name = str(entry["name"])
        self.signature = signature_of(entry)
        self.selector = selector_of(entry)
        self.inputs = Codec(entry["inputs"], self.name)
        self.outputs = Codec(entry["outputs"], self.name)
        self.single = len(entry["outputs"]) == 1

    def encode(self, args: Sequence[Any]) -> bytes:
        """Return selector and arguments."""
        try:
            return self.selector + self.inputs.encode(args)
        except CodecError as error:
            raise CodecError(f"{self.name}: {error}") from None

    def decode(self, data: bytes) -> Any:
        """Return what was returned: a value, a named tuple of several, None for nothing."""
        values = self.outputs.decode(data)
        return values[0] if self.single else (values or None)


class EventCodec:
    """An event: indexed words in topics, the rest in data, put together in the ABI's order."""

    __slots__ = ("_data", "_order", "_topic_codecs", "_type", "name", "topics")

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name = str(entry["name"])
        inputs = entry["inputs"]
        indexed = [p for p in inputs if p["indexed"]]
        self.topics = len(indexed) + 1
        # What is not a word is hashed into its topic: the hash is all there is.
        self._topic_codecs = [
            Codec([p if _is_word(p) else {**p, "type": "bytes32"}], self.name) for p in indexed
        ]
        self._data = Codec([p for p in inputs if not p["indexed"]], self.name)
        self._type = Codec(inputs, self.name).tuple_type
        self._order = [bool(p["indexed"]) for p in inputs]

    def decode(self, log: Log) -> Any:
        topics = [c.decode(t)[0] for c, t in zip(self._topic_codecs, log.topics[1:], strict=True)]
        values = iter(self._data.decode(log.data))
        rest = iter(topics)
        return self._type._make([next(rest) if i else next(values) for i in self._order])


class Interface:
    """An ABI, ready to use; codecs are made as they are first needed. See ``interface_of``."""

    def __init__(self, abi: Abi) -> None:
        self._entries: dict[str, list[Mapping[str, Any]]] = {}
        for entry in abi:
            if entry.get("type") == "function":
                self._entries.setdefault(str(entry["name"]), []).append(entry)
                self._entries[signature_of(entry)] = [entry]
        self._functions: dict[str, Function] = {}
        self._abi = abi

    def function(self, name: str) -> Function:
        """Return a function by its name, or by ``name(type,…)`` where it is overloaded.

        Raises:
            CodecError: there is none, or more than one.
        """
        function = self._functions.get(name)
        if function is None:
            entries = self._entries.get(name, [])
            if not entries:
                raise CodecError(f"there is no function {name}")
            if len(entries) > 1:
                choice = ", ".join(sorted(map(signature_of, entries)))
                raise CodecError(f"{name} is overloaded: say which of {choice}")
            function = self._functions[name] = Function(entries[0])
        return function

    @cached_property
    def constructor(self) -> Codec:
        """The constructor's parameters; none if it is not declared."""
        found = (e["inputs"] for e in self._abi if e.get("type") == "constructor")
        return Codec(next(found, ()), "constructor")

    @cached_property
    def events(self) -> dict[tuple[bytes, int], EventCodec]:
        """Events by first topic and number of topics."""
        declared = [e for e in self._abi if e.get("type") == "event" and not e.get("anonymous")]
        codecs = [(topic_of(entry), EventCodec(entry)) for entry in declared]
        return {(topic, codec.topics): codec for topic, codec in codecs}


def interface_of(abi: Abi) -> Interface:
    """Return an ABI made ready to use; the same object for the same ABI."""
    known = _interfaces.get(id(abi))
    if known is None or known[0] is not abi:
        known = (abi, Interface(abi))
        _interfaces[id(abi)] = known
    return known[1]


_interfaces: dict[int, tuple[Abi, Interface]] = {}


def _is_word(parameter: Mapping[str, Any]) -> bool:
    kind = str(parameter["type"])
    return not (kind.endswith("]") or kind in ("string", "bytes", "tuple"))
