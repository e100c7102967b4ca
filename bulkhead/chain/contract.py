"""A contract at an address: encode, call, transact, decode, with typed reverts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from bulkhead.chain.artifacts import load_artifacts
from bulkhead.chain.codec import Abi, Codec, CodecError, checksum, named, selector_of
from bulkhead.chain.interface import EventCodec, Function, Interface, interface_of
from bulkhead.chain.rpc import Log, Receipt, Rpc, RpcError, block_tag

__all__ = [
    "Contract",
    "ContractReverted",
    "DecodedError",
    "Event",
    "Function",
    "Interface",
    "call_many",
    "decode_error",
    "decode_log",
    "interface_of",
    "revert_data",
]

PANIC_REASONS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "no such enum value",
    0x22: "damaged storage bytes",
    0x31: "pop from an empty array",
    0x32: "index out of range",
    0x41: "too much memory",
    0x51: "call of an unset internal function",
}
# Raised in assembly by the maths library, so no ABI lists them.
_LIBRARY_ERRORS = (
    ("FullMulDivFailed", ()),
    ("MulDivFailed", ()),
    ("MulWadFailed", ()),
    ("DivWadFailed", ()),
    ("DivFailed", ()),
    ("ExpOverflow", ()),
    ("LnWadUndefined", ()),
    ("RPowOverflow", ()),
    ("Overflow", ()),
    ("Error", ("string",)),
    ("Panic", ("uint256",)),
)


class DecodedError(NamedTuple):
    """A revert: the error's name and its arguments, a named tuple where the ABI is known.

    ``Error`` has the reason as its argument, ``Panic`` the code; ``""`` stands for no data at all,
    a hexadecimal selector for an error that no contract declares, with the data as its argument.
    """

    name: str
    args: Any

    def __str__(self) -> str:
        if self.name == "":
            return "revert without data"
        if self.name == "Panic" and isinstance(self.args[0], int):
            return f"Panic({PANIC_REASONS.get(self.args[0], hex(self.args[0]))})"
        return f"{self.name}({named(self.args)})"


class ContractReverted(Exception):  # noqa: N818
    """A call or transaction reverted.

    Attributes:
        error: what the contract said.
        data: the raw revert data.
        receipt: of the failed transaction; None for calls.
    """

    def __init__(self, where: str, data: bytes, receipt: Receipt | None = None) -> None:
        self.error = decode_error(data)
        self.data = data
        self.receipt = receipt
        super().__init__(f"{where}: {self.error}")

    @property
    def name(self) -> str:
        """The error's name."""
        return self.error.name


class Event(NamedTuple):
    """A decoded log: the event's name, its arguments as a named tuple, where, and which log."""

    name: str
    args: Any
    address: str
    log_index: int


class Contract:
    """A contract at an address.

    Args:
        rpc: the node.
        address: where it is.
        abi: what it understands.
        name: what it is called in messages.
    """

    __slots__ = ("abi", "address", "interface", "name", "rpc")

    def __init__(self, rpc: Rpc, address: str, abi: Abi, name: str) -> None:
        self.rpc = rpc
        self.address = checksum(address)
        self.abi = abi
        self.name = name
        self.interface = interface_of(abi)

    def __repr__(self) -> str:
        return f"<{self.name} {self.address}>"

    def encode(self, function: str, *args: Any) -> bytes:
        """Return the calldata of a call.

        Raises:
            CodecError: no such function, or the arguments do not fit.
        """
        return self.interface.function(function).encode(args)

    def decode(self, function: str, returndata: bytes) -> Any:
        """Return what a call returned: a value, a named tuple of several, or None.

        Raises:
            CodecError: the data is not what the function returns.
        """
        return self.interface.function(function).decode(returndata)

    def call(
        self,
        function: str,
        *args: Any,
        sender: str | None = None,
        block: int | str = "latest",
    ) -> Any:
        """Return what a function would return, without a transaction.

        Raises:
            ContractReverted: it reverted.
            CodecError: there is no such function, or no contract at the address.
        """
        chosen = self.interface.function(function)
        try:
            data = self.rpc.call(self.address, chosen.encode(args), sender, block)
        except RpcError as error:
            raise self._refused(function, error) from error
        return self._returned(chosen, data)

    def transact(
        self, function: str, *args: Any, sender: str, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Send a transaction of an unlocked account and wait for it. Needs automining.

        Args:
            function: its name.
            args: its arguments.
            sender: who sends it.
            value: wei to send along.
            gas: gas limit; None: ``rpc.DEFAULT_GAS``. Nothing is estimated.

        Raises:
            ContractReverted: it reverted; the error is decoded.
        """
        data = self.encode(function, *args)
        try:
            receipt = self.rpc.send_sync(sender, self.address, data, value, gas)
        except RpcError as error:
            raise self._refused(function, error) from error
        if not receipt.success:
            raise ContractReverted(
                f"{self.name}.{function}", revert_data(self.rpc, receipt.hash), receipt
            )
        return receipt

    def decode_log(self, log: Log) -> Event | None:
        """Return a log as this contract's event, or None if it is another's kind.

        It looks at the topics, not the address.
        """
        return _decode(self.interface.events, log)

    def events(self, receipt: Receipt, name: str | None = None) -> list[Event]:
        """Return this contract's own events in a receipt, of one name if given."""
        decoded = (self.decode_log(x) for x in receipt.logs if checksum(x.address) == self.address)
        return [e for e in decoded if e is not None and name in (None, e.name)]

    def _returned(self, function: Function, data: bytes) -> Any:
        try:
            return function.decode(data)
        except CodecError as error:
            if not data:
                raise CodecError(
                    f"{self.name}.{function.name}: nothing returned: is there a contract at "
                    f"{self.address}?"
                ) from None
            raise CodecError(f"{self.name}.{function.name}: {error}") from None

    def _refused(self, function: str, error: RpcError) -> Exception:
        if error.code == 3 or error.data or "revert" in error.message.lower():
            return ContractReverted(f"{self.name}.{function}", error.data)
        return error


def call_many(
    rpc: Rpc,
    calls: Sequence[tuple[Contract, str, Sequence[Any]]],
    *,
    block: int | str = "latest",
    allow_failure: bool = False,
) -> list[Any]:
    """Return what many calls return, by one request.

    Args:
        rpc: the node.
        calls: contract, function's name, arguments.
        block: at which block all of them look.
        allow_failure: put a ``ContractReverted`` in the place of a reverted call instead of
            raising it.

    Raises:
        ContractReverted: one reverted.
    """
    tag = block_tag(block)
    functions = [contract.interface.function(name) for contract, name, _ in calls]
    requests = [
        ("eth_call", [{"to": c.address, "data": "0x" + f.encode(args).hex()}, tag])
        for f, (c, _, args) in zip(functions, calls, strict=True)
    ]
    results: list[Any] = []
    for function, (contract, name, _), result in zip(
        functions, calls, rpc.batch(requests), strict=True
    ):
        if not isinstance(result, RpcError):
            results.append(contract._returned(function, bytes.fromhex(result[2:])))
            continue
        refused = contract._refused(name, result)
        if not allow_failure:
            raise refused
        results.append(refused)
    return results


def revert_data(rpc: Rpc, transaction_hash: str) -> bytes:
    """Return what a failed transaction reverted with, from its trace."""
    trace = rpc.request("debug_traceTransaction", [transaction_hash, {"tracer": "callTracer"}])
    return bytes.fromhex(str(trace.get("output") or "0x")[2:])


def decode_error(returndata: bytes) -> DecodedError:
    """Return a revert's error, of any contract of the suite, ``Error(string)`` or ``Panic``."""
    if not returndata:
        return DecodedError("", ())
    codec = _errors().get(returndata[:4])
    if codec is None:
        return DecodedError("0x" + returndata[:4].hex(), (returndata[4:],))
    name, inputs = codec
    try:
        return DecodedError(name, inputs.decode(returndata[4:]))
    except CodecError:
        return DecodedError(name, (returndata[4:],))


def decode_log(log: Log) -> Event | None:
    """Return a log as an event of any contract of the suite, or None if none emits it."""
    return _decode(_events(), log)


def _decode(events: Mapping[tuple[bytes, int], EventCodec], log: Log) -> Event | None:
    if not log.topics:
        return None
    codec = events.get((log.topics[0], len(log.topics)))
    if codec is None:
        return None
    return Event(codec.name, codec.decode(log), checksum(log.address), log.log_index)


@lru_cache(maxsize=1)
def _errors() -> dict[bytes, tuple[str, Codec]]:
    found: dict[bytes, tuple[str, Codec]] = {}
    for name, types in _LIBRARY_ERRORS:
        inputs = [{"name": "value", "type": kind} for kind in types]
        selector = selector_of({"name": name, "inputs": inputs})
        found[selector] = (name, Codec(inputs, name))
    for artifact in load_artifacts(check=False).values():
        for entry in artifact.abi:
            if entry.get("type") == "error":
                selector = selector_of(entry)
                if selector not in found:
                    found[selector] = (str(entry["name"]), Codec(entry["inputs"], entry["name"]))
    return found


@lru_cache(maxsize=1)
def _events() -> dict[tuple[bytes, int], EventCodec]:
    found: dict[tuple[bytes, int], EventCodec] = {}
    for artifact in load_artifacts(check=False).values():
        found |= interface_of(artifact.abi).events
    return found
