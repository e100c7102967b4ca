"""The default executor: a whole sequence in one ``eth_simulateV1`` request to stock Anvil.

Each block has the transaction and, after it, the views. The node keeps nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.codec import checksum
from bulkhead.chain.contract import decode_error
from bulkhead.chain.rpc import RpcError, parse_log
from bulkhead.fuzz.executors.base import (
    CALL_GAS,
    VIEW_GAS,
    VIEWER,
    Executor,
    ExecutorError,
    Outcome,
    Transaction,
)
from bulkhead.fuzz.target import Target

MAX_BLOCKS = 256
"""Blocks of one request that every Anvil takes."""
MAX_GAS = 50_000_000
"""Gas of one request that every Anvil takes."""

_METHOD_NOT_FOUND = -32601


class AnvilSimulation(Executor):
    """Executes by ``eth_simulateV1``.

    A request is stateless, so a sequence that does not fit into one is cut, and each further
    request plays what came before it again, without looking.
    """

    name: ClassVar[str] = "anvil-sim"

    def __init__(self, node: Anvil, target: Target) -> None:
        super().__init__(node, target)
        self._number = node.rpc.block_number()
        self._view_requests = [self._view(*view) for view in self.views]
        self._deep_requests = [self._view(*view) for view in self.deep_views]
        self._step_gas, self._deep_gas = 0, 0
        self._measure_views()

    def run(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Execute in as few requests as the limits allow."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(transactions):
            done = len(outcomes)
            spent = sum(o.gas or 0 for o in outcomes)
            chunk = self._chunk(transactions[done:], done, spent)
            # What came before is played again, without looking.
            blocks = [self._block(i, t, look=i >= done) for i, t in enumerate(transactions[:chunk])]
            answer = self._simulate(blocks)
            for transaction, block in zip(transactions[done:chunk], answer[done:], strict=True):
                outcomes.append(self._outcome(transaction, block["calls"]))
        return outcomes

    def _chunk(self, left: Sequence[Transaction], done: int, spent: int) -> int:
        """Return how many transactions fit into the next request, those already done included."""
        count, gas = done, spent
        for transaction in left:
            gas += self._deep_gas if transaction.deep else self._step_gas
            if count > done and (gas > MAX_GAS or count >= MAX_BLOCKS):
                break
            count += 1
        if count > MAX_BLOCKS:
            raise ExecutorError(f"{count} transactions in one sequence: {MAX_BLOCKS} at most")
        return count

    def _measure_views(self) -> None:
        """Learn what looking costs, which is most of a sequence's gas."""
        timestamp = self.node.rpc.timestamp()
        # From nobody to nobody: does nothing, whatever the target is.
        nothing = Transaction(VIEWER, VIEWER, b"", timestamp + 1, deep=True)
        [block] = self._simulate([self._block(0, nothing, look=True)])
        self._outcome(nothing, block["calls"])
        used = [int(call["gasUsed"], 16) for call in block["calls"][1:]]
        typical = 150_000  # of the transaction itself
        self._step_gas = sum(used[: len(self.views)]) + typical
        self._deep_gas = sum(used) + typical

    def _simulate(self, blocks: list[dict[str, Any]]) -> Any:
        request = {"blockStateCalls": blocks, "validation": False, "traceTransfers": False}
        try:
            # On the block at which the target was deployed, whatever came later.
            return self.node.rpc.request("eth_simulateV1", [request, hex(self._number)])
        except RpcError as error:
            if error.code == _METHOD_NOT_FOUND:
                raise ExecutorError(
                    "this node does not know eth_simulateV1: use Anvil 1.7 or later, "
                    "or another executor"
                ) from None
            raise ExecutorError(f"the node refused to simulate: {error}") from None

    def _block(self, index: int, transaction: Transaction, *, look: bool) -> dict[str, Any]:
        views = self._deep_requests if transaction.deep else self._view_requests
        return {
            "blockOverrides": {
                "number": hex(self._number + 1 + index),
                "time": hex(transaction.timestamp),
                "gasLimit": hex(CALL_GAS + len(views) * VIEW_GAS),
            },
            "calls": [
                _request(transaction.sender, transaction.to, transaction.data, CALL_GAS),
                *(views if look else ()),
            ],
        }

    @staticmethod
    def _view(to: str, data: bytes) -> dict[str, Any]:
        return _request(VIEWER, to, data, VIEW_GAS)

    def _outcome(self, transaction: Transaction, results: Sequence[dict[str, Any]]) -> Outcome:
        played, *views = results
        for i, view in enumerate(views):
            if view["status"] != "0x1":
                error = decode_error(bytes.fromhex(view["returnData"][2:]))
                name = self.target.view_name(i)
                raise ExecutorError(f"the view {name} reverted with {error} after {transaction}")
        accepted = played["status"] == "0x1"
        return Outcome(
            accepted,
            bytes.fromhex(played["returnData"][2:]),
            tuple(map(parse_log, played["logs"])) if accepted else (),
            int(played["gasUsed"], 16),
            tuple(bytes.fromhex(view["returnData"][2:]) for view in views),
        )


def _request(sender: str, to: str, data: bytes, gas: int) -> dict[str, Any]:
    return {"from": checksum(sender), "to": to, "data": "0x" + data.hex(), "gas": hex(gas)}
