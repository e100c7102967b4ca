"""Contract calls as single ``eth_call`` requests: state overrides, chosen gas, typed reverts.

A call through here costs one request and no transaction, whatever it would write, so a property
test can try hundreds of states of a contract per second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from bulkhead.model.errors import ModelRevert

Overrides = Mapping[str, Mapping[int, int]]
"""Storage to pretend: contract address → slot → 256-bit word. Other slots keep their value."""


class Reverted(Exception):  # noqa: N818
    """A call reverted with a custom error; ``name`` is the error's, ``args`` its arguments."""

    def __init__(self, name: str, *args: Any) -> None:
        super().__init__(*args)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.args))})"


def signature(name: str, types: Iterable[str]) -> bytes:
    """Return the four-byte selector of a function or error."""
    return keccak(text=f"{name}({','.join(types)})")[:4]


class Caller:
    """Calls contracts through a web3 connection.

    Args:
        web3: the connection.
        abis: ABIs whose custom errors may come back, those of callees included.
    """

    def __init__(self, web3: Any, abis: Iterable[list[dict[str, Any]]]) -> None:
        self._web3 = web3
        self._errors: dict[bytes, tuple[str, list[str]]] = {
            signature("Panic", ["uint256"]): ("Panic", ["uint256"]),
            signature("Error", ["string"]): ("Error", ["string"]),
            # Library errors raised in assembly, which no ABI lists.
            signature("FullMulDivFailed", []): ("FullMulDivFailed", []),
            signature("Overflow", []): ("Overflow", []),
        }
        for abi in abis:
            for entry in abi:
                if entry["type"] == "error":
                    types = [_canonical(i) for i in entry["inputs"]]
                    self._errors[signature(entry["name"], types)] = (entry["name"], types)

    def call(
        self,
        contract: Any,
        method: str,
        *args: Any,
        sender: Any = None,
        value: int = 0,
        gas: int | None = None,
        overrides: Overrides | None = None,
    ) -> Any:
        """Return what ``method`` would return; several values, and structs, as tuples.

        Args:
            contract: an Ape contract instance.
            method: the name of a function that is not overloaded.
            args: its arguments; structs as tuples.
            sender: an account or address; none: the zero address.
            value: wei to send.
            gas: gas limit; none: the node's.
            overrides: storage to pretend.

        Raises:
            Reverted: it reverted.
        """
        abi = next(m for m in _abi(contract) if m["type"] == "function" and m["name"] == method)
        types = [_canonical(i) for i in abi["inputs"]]
        data = signature(method, types) + encode(types, [_plain(a) for a in args])
        request = {"to": str(contract.address), "data": "0x" + data.hex(), "value": hex(value)}
        if sender is not None:
            request["from"] = str(getattr(sender, "address", sender))
        if gas is not None:
            request["gas"] = hex(gas)
        parameters: list[Any] = [request, "latest"]
        if overrides:
            parameters.append(
                {
                    str(address): {
                        "stateDiff": {f"0x{k:064x}": f"0x{v:064x}" for k, v in slots.items()}
                    }
                    for address, slots in overrides.items()
                }
            )
        outputs = [_canonical(o) for o in abi["outputs"]]
        values = decode(outputs, self._request(parameters))
        return values[0] if len(values) == 1 else values

    def deploy(self, container: Any, *args: Any, sender: Any = None) -> None:
        """Run a constructor, for its reverts.

        Raises:
            Reverted: it reverted.
        """
        contract_type = container.contract_type
        inputs = [
            i.model_dump(by_alias=True, mode="json") for i in contract_type.constructor.inputs
        ]
        encoded = encode([_canonical(i) for i in inputs], [_plain(a) for a in args])
        code = str(contract_type.deployment_bytecode.bytecode)
        request = {"data": code + encoded.hex()}
        if sender is not None:
            request["from"] = str(getattr(sender, "address", sender))
        self._request([request, "latest"])

    def _request(self, parameters: list[Any]) -> bytes:
        response = self._web3.provider.make_request("eth_call", parameters)
        if "error" in response:
            raise self._reverted(response["error"])
        return bytes.fromhex(response["result"][2:])

    def _reverted(self, error: Mapping[str, Any]) -> Reverted:
        data = error.get("data")
        if not isinstance(data, str) or len(data) < 10:
            return Reverted("", error.get("message"))
        raw = bytes.fromhex(data[2:])
        if raw[:4] not in self._errors:
            return Reverted("0x" + raw[:4].hex(), raw[4:])
        name, types = self._errors[raw[:4]]
        return Reverted(name, *decode(types, raw[4:]))


def outcome(attempt: Callable[[], Any]) -> Any:
    """Return what an attempt returns, or how it reverted as ``(name, *args)``.

    Works for contracts and for their models alike, so that one comparison covers both ends.
    """
    try:
        return attempt()
    except (Reverted, ModelRevert) as revert:
        return (revert.name, *revert.args)


def storage_key(slot: int, *keys: bytes) -> int:
    """Return the slot of a (nested) mapping's value, for keys of 32 bytes each."""
    for key in keys:
        slot = int.from_bytes(keccak(key.rjust(32, b"\0") + slot.to_bytes(32, "big")))
    return slot


def _abi(contract: Any) -> list[dict[str, Any]]:
    return [entry.model_dump(by_alias=True, mode="json") for entry in contract.contract_type.abi]


def _canonical(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_canonical(c) for c in parameter['components'])}){kind[5:]}"


def _plain(argument: Any) -> Any:
    """Turn accounts and contracts into addresses, in tuples and lists too."""
    if isinstance(argument, (list, tuple)):
        return type(argument)(_plain(a) for a in argument)
    return str(argument.address) if hasattr(argument, "address") else argument
