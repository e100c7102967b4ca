"""What the harness needs to know of the contracts under test.

Deriving a ``Target`` is all it takes to point the harness at other contracts:
``examples/share-vault`` is a complete one. ``bulkhead/fuzz/suite`` is that of this project.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifact
from bulkhead.chain.codec import Codec, asset_id, checksum, selector_of
from bulkhead.chain.contract import (
    Contract,
    ContractReverted,
    DecodedError,
    decode_error,
    interface_of,
    revert_data,
)
from bulkhead.fuzz.catalogue import Catalogue
from bulkhead.fuzz.operation import Call, Operation

if TYPE_CHECKING:
    from bulkhead.fuzz.judge import Judged, Violation

GENESIS = 1_800_000_000
"""Unix seconds of the first block, so that the same bytes are the same sequence every time."""

_DEPLOYMENT_GAS = 20_000_000
_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class View:
    """A view function to look at after a call.

    Attributes:
        contract: name among the target's contracts.
        function: Solidity name.
        args: as for ``Contract.call``.
    """

    contract: str
    function: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """An event that the model expects: Solidity's name, its arguments in order, the emitter."""

    name: str
    args: tuple[Any, ...]
    emitter: str


@dataclass(slots=True)
class Deployment:
    """What ``Target.deploy`` leaves behind.

    Attributes:
        contracts: by the names that operations use.
        accounts: people's addresses by name, for traces and messages.
    """

    contracts: dict[str, Contract] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)


class Target(ABC):
    """Contracts, their integer model, what may be done to them and what must hold.

    Attributes:
        name: what traces and commands call it.
        kinds: its operations; the first is what a shrinker makes of what does not matter.
        views: what is looked at and compared with the model after every call.
        views_follow_time: some of them change without a call.
        invariants: the ids that ``violations``, ``probe`` and operations may report.
        deep_views: what is looked at now and then, and at the end of every sequence, because it
            costs more or follows from the rest.
        logging: names of the contracts whose events the model predicts.
        now: the model's time, Unix seconds.
        deployed_at: the time from which every sequence begins.
        model: the model; the default ``play`` calls its methods.
    """

    name: ClassVar[str]
    kinds: ClassVar[Sequence[type[Operation]]]
    views_follow_time: ClassVar[bool] = False
    invariants: ClassVar[Sequence[str]] = ()

    def __init__(self) -> None:
        self.catalogue = Catalogue(self.kinds)
        self.deployment = Deployment()
        self.views: tuple[View, ...] = ()
        self.deep_views: tuple[View, ...] = ()
        self.logging: Collection[str] = ()
        self.model: Any = None
        self.now = self.deployed_at = 0

    # ------------------------------------------------------------------ to be filled in

    @abstractmethod
    def deploy(self, node: Anvil) -> Deployment:
        """Deploy the contracts on a fresh node and bring them into the state to start from.

        It also sets ``views`` and ``deep_views`` where those depend on what was deployed.
        """

    @abstractmethod
    def reset(self) -> None:
        """Make a fresh ``model`` in the deployed state."""

    @abstractmethod
    def expected(self) -> list[Any]:
        """Return what the model says the views return, in order."""

    def expected_deep(self) -> list[Any]:
        """Return what the model says the deep views return, in order."""
        return []

    def play(self, call: Call) -> Any:
        """Play a call on the model at ``now``; return what Solidity returns.

        By default ``transferFrom`` becomes ``model.transfer_from(sender, *args)``.

        Raises:
            ModelRevert: as the contract would.
        """
        self.model.now = self.now
        return getattr(self.model, snake(call.function))(call.sender, *call.args)

    def take_events(self) -> list[Logged]:
        """Return the events of ``logging`` contracts that the model logged since last asked."""
        return []

    def observe(self, views: Sequence[Any]) -> Any:
        """Return the state that ``violations`` reads from decoded views, in order."""
        return tuple(views)

    def state(self) -> Any:
        """Return the model's state as ``observe`` would, not to be changed later."""
        return self.observe(self.expected())

    def note(self, call: Call) -> Any:  # noqa: ARG002
        """Return what ``violations`` wants to know of the model just before a call."""
        return None

    def violations(self, judged: Judged) -> Iterable[Violation]:  # noqa: ARG002
        """Yield the invariants that a call broke; read ``judged.before`` and ``judged.after``."""
        return ()

    def probe(self) -> Iterable[Violation]:
        """Yield the invariants that the model shows broken and that are dear to check."""
        return ()

    def review(self, judged: Sequence[Judged]) -> Iterable[tuple[int, Violation]]:  # noqa: ARG002
        """Yield what only a whole sequence shows broken, with the number of the call at fault."""
        return ()

    def regime(self) -> str:
        """Return in a word what kind of state the model is in, for statistics."""
        return ""

    def measures(self) -> dict[str, float]:
        """Return what a search should drive up, e.g. bad debt, from the model after a sequence."""
        return {}

    def openings(self) -> Sequence[Sequence[Operation]]:
        """Return beginnings of sequences that lead to rarely reached states."""
        return ((),)

    def epilogue(self, number: int) -> Sequence[Operation]:  # noqa: ARG002
        """Return what the sequence of a number ends with, e.g. that everyone leaves."""
        return ()

    # ------------------------------------------------------------------ for the harness

    def install(self, node: Anvil) -> None:
        """Deploy, and make the first model."""
        self.deployment = self.deploy(node)
        self.deployed_at = node.rpc.timestamp()
        self.begin()

    def begin(self) -> None:
        """Go back to the deployed state and to its time."""
        self.reset()
        self.now = self.deployed_at

    def contract(self, name: str) -> Contract:
        """Return a deployed contract by its name."""
        return self.deployment.contracts[name]

    def place(self, node: Anvil, name: str, artifact: Artifact, *args: Any) -> Contract:
        """Deploy a contract from the node's first account.

        Args:
            node: where.
            name: what messages call it.
            artifact: its ABI and creation code.
            args: of its constructor.

        Raises:
            ContractReverted: the constructor reverted.
        """
        data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        receipt = node.rpc.send_sync(node.accounts[0].address, None, data, gas=_DEPLOYMENT_GAS)
        if not receipt.success or receipt.contract_address is None:
            raise ContractReverted(f"deploying {name}", revert_data(node.rpc, receipt.hash))
        return Contract(node.rpc, receipt.contract_address, artifact.abi, name)

    def decode_error(self, data: bytes) -> DecodedError:
        """Return what a call reverted with, by the target's ABIs or any that is known."""
        codec = self._errors.get(data[:4])
        if codec is None:
            return decode_error(data)
        return DecodedError(codec[0], codec[1].decode(data[4:]))

    @cached_property
    def _errors(self) -> dict[bytes, tuple[str, Codec]]:
        return {
            selector_of(entry): (str(entry["name"]), Codec(entry["inputs"], str(entry["name"])))
            for contract in self.deployment.contracts.values()
            for entry in contract.abi
            if entry.get("type") == "error"
        }

    @cached_property
    def emitters(self) -> dict[str, Contract]:
        """The contracts of ``logging`` by their addresses in lower case."""
        contracts = map(self.contract, self.logging)
        return {contract.address.lower(): contract for contract in contracts}

    def encode_call(self, call: Call) -> tuple[str, bytes]:
        """Return the callee's address and the calldata of a call."""
        contract = self.contract(call.contract)
        types = contract.interface.function(call.function).inputs.types
        args = [abi_value(v, kind) for v, kind in zip(call.args, types, strict=True)]
        return contract.address, contract.encode(call.function, *args)

    def encode_view(self, view: View) -> tuple[str, bytes]:
        """Return the callee's address and the calldata of a view."""
        contract = self.contract(view.contract)
        return contract.address, contract.encode(view.function, *view.args)

    def view_name(self, index: int) -> str:
        """Return how messages call a view, deep ones after the others."""
        view = (*self.views, *self.deep_views)[index]
        return f"{view.contract}.{view.function}"

    def decode_view(self, index: int, data: bytes) -> Any:
        """Return what a view returned, deep ones after the others."""
        view = (*self.views, *self.deep_views)[index]
        return self.contract(view.contract).decode(view.function, data)

    def expected_data(self, *, deep: bool) -> tuple[bytes, ...]:
        """Return the bytes that the views have to return."""
        return self._encoded([*self.expected(), *(self.expected_deep() if deep else ())])

    def _encoded(self, values: Sequence[Any]) -> tuple[bytes, ...]:
        codecs = self._view_codecs
        if len(values) not in (len(self.views), len(codecs)):
            raise ValueError(f"{len(values)} values for {len(codecs)} views")
        return tuple(
            codec.encode([value] if is_single else value)
            for (codec, is_single), value in zip(codecs, values, strict=False)
        )

    @cached_property
    def _view_codecs(self) -> list[tuple[Codec, bool]]:
        """What encodes each view's answer, and whether that is one value."""
        functions = [
            self.contract(view.contract).interface.function(view.function)
            for view in (*self.views, *self.deep_views)
        ]
        return [(function.outputs, function.single) for function in functions]

    def view_differences(self, expected: Sequence[bytes], actual: Sequence[bytes]) -> Iterator[str]:
        """Yield where encoded views differ: ``place: model …, chain …``."""
        for i, (mine, other) in enumerate(zip(expected, actual, strict=True)):
            if mine != other:
                model, chain = self.decode_view(i, mine), self.decode_view(i, other)
                found = list(_leaves(model, chain, self.view_name(i)))
                yield from found or [f"{self.view_name(i)}: model {model}, chain {chain}"]

    def look(self) -> tuple[tuple[bytes, ...], Any]:
        """Return ``expected_data`` without the deep views, and ``state``, of one moment."""
        values = self.expected()
        return self._encoded(values), self.observe(values)

    def glance(self, call: Call) -> tuple[tuple[tuple[str, bytes], ...], tuple[bytes, ...]] | None:  # noqa: ARG002
        """Return a cheaper look that shows whatever a call may have touched, and what it must show.

        None where there is none: then the views are looked at. A campaign glances after most calls
        and looks after some and after the last of a sequence; when anything is not as it must be,
        it plays the sequence again and looks after every call.
        """
        return None

    def bytecode_hash(self, node: Anvil) -> str:
        """Return a hash of the code of all contracts, by their names."""
        names = sorted(self.deployment.contracts)
        requests = [
            ("eth_getCode", [self.deployment.contracts[name].address, "latest"]) for name in names
        ]
        found = hashlib.sha256()
        for name, code in zip(names, node.rpc.batch(requests), strict=True):
            found.update(f"{name} {code}\n".encode())
        return found.hexdigest()


def _leaves(model: Any, chain: Any, where: str) -> Iterator[str]:
    if isinstance(model, tuple) and isinstance(chain, tuple) and len(model) == len(chain):
        names = getattr(model, "_fields", range(len(model)))
        for name, mine, other in zip(names, model, chain, strict=True):
            yield from _leaves(mine, other, f"{where}.{name}")
    elif model != chain:
        yield f"{where}: model {model}, chain {chain}"


def snake(name: str) -> str:
    """Return Solidity's ``camelCase`` as ``snake_case``."""
    return _CAMEL.sub("_", name).lower()


def abi_value(value: Any, kind: str) -> Any:
    """Return an argument as the ABI wants it: names and account numbers as words."""
    if kind == "bytes32":
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            return asset_id(value) if value else bytes(32)
        return int(value).to_bytes(32, "big")
    if kind == "address":
        return checksum(value)
    if kind == "bytes32[]":
        return [abi_value(v, "bytes32") for v in value]
    if kind.startswith("(") and (is_dataclass(value) or isinstance(value, list | tuple)):
        # Structs of the model have their fields in the ABI's order.
        return struct_words(value, kind)
    return value


def struct_words(value: Any, kind: str) -> Any:
    """Return a struct of the model as nested tuples that fit an ABI type ``(uint8,bytes32)``."""
    if not kind.startswith("("):
        return abi_value(value, kind)
    if kind.endswith("[]"):
        return [struct_words(v, kind[:-2]) for v in value]
    values = [getattr(value, f.name) for f in fields(value)] if is_dataclass(value) else value
    return tuple(struct_words(v, inner) for v, inner in zip(values, _components(kind), strict=True))


def _components(kind: str) -> list[str]:
    """Return the types between the outermost brackets."""
    inner = kind[1 : kind.rindex(")")]
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(inner[start:i])
            start = i + 1
    return [*parts, inner[start:]] if inner else []
