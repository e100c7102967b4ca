"""Compares what a model says with what a chain says: values, events, views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from eth_utils.crypto import keccak

from bulkhead.chain.rpc import Log
from bulkhead.fuzz.target import Logged, Target


def matches(model: Any, chain: Any) -> bool:
    """Return whether a value of the model is what a decoded value of the chain says.

    Structs match field by field, whatever their types; a name matches the word that it is padded or
    hashed to, a number the word of its digits, an address in any case.
    """
    if is_dataclass(model) and not isinstance(model, type):
        model = [getattr(model, f.name) for f in fields(model)]
    if isinstance(model, list | tuple):
        return (
            isinstance(chain, list | tuple)
            and len(model) == len(chain)
            and all(map(matches, model, chain))
        )
    if isinstance(chain, bytes):
        return _word_matches(model, chain)
    if isinstance(chain, str):
        return isinstance(model, str) and model.lower() == chain.lower()
    return bool(model == chain)


def _word_matches(model: Any, word: bytes) -> bool:
    if isinstance(model, int):
        return model == int.from_bytes(word, "big")
    if isinstance(model, str):
        if model.startswith("0x"):
            return bytes.fromhex(model[2:]) == word
        return model.encode().ljust(len(word), b"\0") == word or _hash(model) == word
    return bool(model == word)


@lru_cache(maxsize=4096)
def _hash(text: str) -> bytes:
    return bytes(keccak(text=text))


def event_difference(
    target: Target, expected: Sequence[Logged], logs: Sequence[Log]
) -> tuple[str, str] | None:
    """Return how the logs of a call differ from what the model expects: key and message."""
    if not expected and not logs:
        return None
    emitters = target.emitters
    found = [log for log in logs if log.address.lower() in emitters]
    for i in range(max(len(expected), len(found))):
        want = expected[i] if i < len(expected) else None
        if i >= len(found):
            assert want is not None
            return f"missing {want.name}", f"the chain did not log {want.name}{want.args}"
        log = found[i]
        contract = emitters[log.address.lower()]
        codec = contract.interface.events.get((log.topics[0], len(log.topics)))
        name = codec.name if codec else "0x" + log.topics[0].hex()
        args = tuple(codec.decode(log)) if codec else ()
        if want is None:
            return f"unexpected {name}", f"the chain logged {contract.name}.{name}{args} as well"
        if want.name != name or want.emitter.lower() != log.address.lower():
            return f"{name} for {want.name}", f"the chain logged {name}{args}, not {want}"
        if not matches(want.args, args):
            return f"arguments of {name}", f"{name}: model {want.args}, chain {args}"
    return None


def differences(model: Any, chain: Any, where: str = "") -> Iterator[str]:
    """Yield where two values of the same shape differ, one line each."""
    if is_dataclass(model) and not isinstance(model, type):
        for f in fields(model):
            other = getattr(chain, f.name)
            yield from differences(getattr(model, f.name), other, f"{where}.{f.name}")
    elif isinstance(model, dict):
        for key in model.keys() | chain.keys():
            name = f"{key:#x}" if isinstance(key, int) else str(key)
            if key not in model or key not in chain:
                side = "model" if key in model else "chain"
                yield f"{where}[{name}]: only the {side} has {model.get(key, chain.get(key))}"
            else:
                yield from differences(model[key], chain[key], f"{where}[{name}]")
    elif isinstance(chain, tuple) and hasattr(chain, "_fields") and len(model) == len(chain):
        for name, mine, other in zip(chain._fields, model, chain, strict=True):
            yield from differences(mine, other, f"{where}.{name}")
    elif not matches(model, chain):
        yield f"{where}: model {model}, chain {chain}"
