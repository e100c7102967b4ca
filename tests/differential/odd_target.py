"""Contracts of a few opcodes each, for what no contract of the suite does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.contract import Contract
from bulkhead.fuzz.executors.base import Transaction
from bulkhead.fuzz.operation import Operation, Step
from bulkhead.fuzz.target import GENESIS, Deployment, Target, View

OPCODES = {
    "ADD": "01",
    "ADDRESS": "30",
    "CALLER": "33",
    "CHAINID": "46",
    "CODESIZE": "38",
    "CREATE": "f0",
    "DUP1": "80",
    "EXTCODEHASH": "3f",
    "EXTCODESIZE": "3b",
    "INVALID": "fe",
    "JUMP": "56",
    "JUMPDEST": "5b",
    "LOG0": "a0",
    "LOG2": "a2",
    "MSTORE": "52",
    "NUMBER": "43",
    "PUSH0": "5f",
    "PUSH1": "60",
    "PUSH2": "61",
    "RETURN": "f3",
    "REVERT": "fd",
    "SELFBALANCE": "47",
    "SLOAD": "54",
    "SSTORE": "55",
    "TIMESTAMP": "42",
    "TLOAD": "5c",
    "TSTORE": "5d",
}
_RETURN_WORD = "PUSH0 MSTORE PUSH1 20 PUSH0 RETURN"
CONTRACTS = {
    "Block": (
        "NUMBER PUSH0 MSTORE TIMESTAMP PUSH1 20 MSTORE CHAINID PUSH1 40 MSTORE "
        "CALLER PUSH1 60 MSTORE PUSH1 80 PUSH0 RETURN"
    ),
    "Transient": f"PUSH0 TLOAD PUSH1 01 PUSH0 TSTORE {_RETURN_WORD}",
    "Counter": f"PUSH0 SLOAD PUSH1 01 ADD DUP1 PUSH0 SSTORE {_RETURN_WORD}",
    "Logger": "TIMESTAMP PUSH0 MSTORE PUSH1 20 PUSH0 LOG0 NUMBER CALLER PUSH1 05 PUSH1 1b LOG2",
    "Creator": f"PUSH0 PUSH0 PUSH0 CREATE {_RETURN_WORD}",
    "OldCreator": f"PUSH0 PUSH0 PUSH0 CREATE {_RETURN_WORD}",
    "Rich": f"SELFBALANCE {_RETURN_WORD}",
    "Code": (
        "CODESIZE PUSH0 MSTORE ADDRESS EXTCODESIZE PUSH1 20 MSTORE "
        "ADDRESS EXTCODEHASH PUSH1 40 MSTORE PUSH1 60 PUSH0 RETURN"
    ),
    "Long": "TIMESTAMP PUSH0 MSTORE PUSH2 2710 PUSH0 REVERT",
    "Silent": "PUSH0 PUSH0 REVERT",
    "Invalid": "INVALID",
    "Endless": "JUMPDEST PUSH0 JUMP",
    "Nothing": "",
}


@dataclass(frozen=True, slots=True)
class Nothing(Operation):
    """Does nothing; a target has to have an operation."""

    def resolve(self, u: Any) -> Step | None:
        """Return nothing."""
        return None


class OddTarget(Target):
    """The contracts, without a model. Any calldata will do."""

    name: ClassVar[str] = "odd"
    kinds: ClassVar[Sequence[type[Operation]]] = (Nothing,)

    def deploy(self, node: Anvil) -> Deployment:
        """Put each contract at an address of its own."""
        self.sender = node.accounts[0].address.lower()
        contracts = {}
        for name, code in CONTRACTS.items():
            receipt = node.rpc.send_sync(self.sender, None, _creation(assemble(code)))
            assert receipt.contract_address is not None
            contracts[name] = Contract(node.rpc, receipt.contract_address, [_LOOK], name)
        node.rpc.send_sync(self.sender, contracts["OldCreator"].address, b"")
        node.rpc.set_balance(contracts["Rich"].address, 5 * 10**18)
        looked_at = ("Block", "Transient", "Rich", "Code", "Long", "Silent", "Invalid", "Nothing")
        self.views = tuple(View(name, "look") for name in looked_at)
        self.deep_views = (View("Block", "look"),)
        return Deployment(contracts)

    def reset(self) -> None:
        """There is no model."""

    def expected(self) -> list[Any]:
        """There is no model."""
        return []

    def call(self, name: str, timestamp: int = GENESIS + 1_000, data: bytes = b"") -> Transaction:
        """Return a call of a contract."""
        return Transaction(self.sender, self.contract(name).address, data, timestamp)


_LOOK = {"type": "function", "name": "look", "inputs": [], "outputs": [], "stateMutability": "view"}


def assemble(code: str) -> bytes:
    """Return the bytes of opcodes by name, and of what they push in hexadecimal."""
    return bytes.fromhex("".join(OPCODES.get(word, word) for word in code.split()))


def _creation(code: bytes) -> bytes:
    return bytes.fromhex(f"61{len(code):04x}80600a5f395ff3") + code
