"""The default executor: a whole sequence in one ``eth_simulateV1`` request to stock Anvil.

Each block has the transaction and, after it, the views. The node keeps nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.codec import checksum
from bulkhead.chain.rpc import RpcError, parse_log
from bulkhead.fuzz.executors.base import (
    CALL_GAS,
    REVERTED,
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
    is_concurrent: ClassVar[bool] = True

    def __init__(self, node: Anvil, target: Target) -> None:
        super().__init__(node, target)
        self._number = node.rpc.block_number()
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
            outcomes.extend(self._outcome(block["calls"]) for block in answer[done:])
        return outcomes

    def _chunk(self, left: Sequence[Transaction], done: int, spent: int) -> int:
        """Return up to where the next request goes.

        Where the limits leave no room beside what is played again, cutting does not help: the rest
        goes in one piece, which Anvil 1.7 takes.
        """
        count, gas = done, spent
        for transaction in left:
            gas += self._deep_gas if transaction.deep else self._step_gas
            if gas > MAX_GAS or count >= MAX_BLOCKS:
                break
            count += 1
        return count if count > done else done + len(left)

    def _measure_views(self) -> None:
        """Learn what looking costs, which is most of a sequence's gas."""
        timestamp = self.node.rpc.timestamp()
        # From nobody to nobody: does nothing, whatever the target is.
        nothing = Transaction(VIEWER, VIEWER, b"", timestamp + 1, deep=True)
        [block] = self._simulate([self._block(0, nothing, look=True)])
        used = [int(call["gasUsed"], 16) for call in block["calls"][1:]]
        typical = 150_000  # of the transaction itself
        self._step_gas = sum(used[: len(self.views)]) + typical
        self._deep_gas = sum(used) + typical

    def _simulate(self, blocks: list[dict[str, Any]]) -> Any:
        request = {"blockStateCalls": blocks, "validation": False, "traceTransfers": False}
        try:
            return self.node.rpc.request("eth_simulateV1", [request, "latest"])
        except RpcError as error:
            if error.code == _METHOD_NOT_FOUND:
                raise ExecutorError(
                    "this node does not know eth_simulateV1: use Anvil 1.7 or later, "
                    "or another executor"
                ) from None
            raise ExecutorError(f"the node refused to simulate: {error}") from None

    def _block(self, index: int, transaction: Transaction, *, look: bool) -> dict[str, Any]:
        views = [_view(*at) for at in self.looks_after(transaction)] if look else []
        return {
            "blockOverrides": {
                "number": hex(self._number + 1 + index),
                "time": hex(transaction.timestamp),
                "gasLimit": hex(CALL_GAS + len(views) * VIEW_GAS),
            },
            "calls": [
                _request(transaction.sender, transaction.to, transaction.data, CALL_GAS),
                *views,
            ],
        }

    @staticmethod
    def _outcome(results: Sequence[dict[str, Any]]) -> Outcome:
        played, *views = results
        accepted = played["status"] == "0x1"
        return Outcome(
            accepted,
            bytes.fromhex(played["returnData"][2:]),
            tuple(map(parse_log, played["logs"])) if accepted else (),
            int(played["gasUsed"], 16),
            tuple(map(_looked, views)),
        )


@lru_cache(maxsize=1 << 12)
def _view(to: str, data: bytes) -> dict[str, Any]:
    return _request(VIEWER, to, data, VIEW_GAS)


def _looked(view: dict[str, Any]) -> bytes:
    data = bytes.fromhex(view["returnData"][2:])
    return data if view["status"] == "0x1" else REVERTED + data


def _request(sender: str, to: str, data: bytes, gas: int) -> dict[str, Any]:
    return {"from": checksum(sender), "to": to, "data": "0x" + data.hex(), "gas": hex(gas)}
