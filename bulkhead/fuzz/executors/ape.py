"""The slow executor: real transactions, mined one by one, through Ape's provider for the node.

It shares nothing with the others but the node: receipts say what happened, the debug trace what was
returned, ``eth_call`` what the views return. It also shows a transaction's call tree.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.rpc import parse_receipt, rpc_error, transaction_request
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

_REVERTED = 3
_HALTED = "EVM error"
_TOP_CALL = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}


class ApeExecutor(Executor):
    """Executes by sending and mining, between a snapshot of the node and going back to it.

    Raises:
        ExecutorError: Ape cannot connect to the node, or the node wants its gas paid.
    """

    name: ClassVar[str] = "ape"

    def __init__(self, node: Anvil, target: Target) -> None:
        super().__init__(node, target)
        if int(node.rpc.block()["baseFeePerGas"], 16):
            raise ExecutorError("the executor ape pays for no gas: start the node with base_fee=0")
        self._provider = _connect(node.url)

    def run(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Send one after the other, and go back to the deployed state."""
        with self._undone():
            return [self._step(transaction) for transaction in transactions]

    def trace(self, transactions: Sequence[Transaction], at: int) -> str:
        """Return the call tree of one of the transactions as text, after those before it.

        Functions, arguments and errors of the target's contracts are decoded.

        Args:
            transactions: as for ``run``.
            at: which one, from 0.

        Raises:
            ExecutorError: there is no such transaction, or the node did not take one of them.
        """
        if not 0 <= at < len(transactions):
            raise ExecutorError(f"there is no transaction {at} among {len(transactions)}")
        with self._undone():
            for transaction in transactions[:at]:
                self._send(transaction)
            return self._call_tree(self._send(transactions[at]))

    def close(self) -> None:
        """Let Ape forget the node."""
        self._provider.disconnect()

    def _step(self, t: Transaction) -> Outcome:
        sent = self._send(t)
        answers = self._batch(
            ("eth_getTransactionReceipt", [sent]),
            ("debug_traceTransaction", [sent, _TOP_CALL]),
            *(_view(*view) for view in self.looks_after(t)),
        )
        mined, trace = (answer.get("result") for answer in answers[:2])
        if not mined or not trace:
            raise ExecutorError(f"the node did not mine {t}")
        views = tuple(map(_looked, answers[2:]))
        receipt = parse_receipt(mined)
        data = trace.get("output", "0x")
        return Outcome(
            receipt.success, bytes.fromhex(data[2:]), receipt.logs, receipt.gas_used, views
        )

    def _send(self, t: Transaction) -> str:
        """Send a transaction and mine it in a block of its own; return its hash."""
        request = transaction_request(t.sender, t.to, t.data, gas=CALL_GAS) | {"gasPrice": "0x0"}
        sent: str = self._request("eth_sendTransaction", [request])
        self._request("evm_mine", [hex(t.timestamp)])
        return sent

    def _request(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        from ape.exceptions import ApeException

        try:
            return self._provider.make_request(method, parameters)
        except ApeException as error:
            raise ExecutorError(f"the node refused {method}: {error}") from None

    def _batch(self, *requests: tuple[str, Sequence[Any]]) -> list[dict[str, Any]]:
        answers = self._provider.web3.provider.make_batch_request(requests)
        if not isinstance(answers, list):
            raise ExecutorError(f"the node refused a batch: {answers}")
        return answers

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Go back to where the node was. It mines only when told meanwhile.

        Anvil's own miner works in the background: going back in between would lose transactions.
        """
        automine = self._request("anvil_getAutomine")
        self._request("evm_setAutomine", [False])
        snapshot = self._request("evm_snapshot")
        try:
            yield
        except BaseException:
            # What was sent but not mined would be mined later.
            self._request("anvil_dropAllTransactions")
            raise
        finally:
            restored = self._request("evm_revert", [snapshot])
            self._request("evm_setAutomine", [automine])
            if not restored:
                raise ExecutorError("the node's snapshot is gone: somebody else went back further")

    def _call_tree(self, sent: str) -> str:
        import ape
        from ethpm_types import ContractType

        text = io.StringIO()
        before, ape.networks.active_provider = ape.networks.active_provider, self._provider
        known = {
            contract.address: contract for contract in self.target.deployment.contracts.values()
        }
        try:
            for address, contract in known.items():
                kind = {"abi": contract.abi, "contractName": contract.name}
                ape.chain.contracts[address] = ContractType.model_validate(kind)
            self._provider.get_receipt(sent).show_trace(file=text)
        finally:
            # Other contracts may get these addresses, and another transaction the same hash.
            for address in known:
                del ape.chain.contracts[address]
            ape.chain.history.revert_to_block(0)
            ape.networks.active_provider = before
        return text.getvalue()


def _connect(url: str) -> Any:
    """Return Ape's provider for a running Anvil; it leaves starting and stopping it to others."""
    # Ape takes seconds to import, and only this executor needs it.
    import ape
    from ape.exceptions import ApeException

    settings = {"host": url, "manage_process": False}
    try:
        provider = ape.networks.ethereum.local.get_provider("foundry", provider_settings=settings)
        provider.connect()
    except ApeException as error:
        raise ExecutorError(f"Ape cannot connect to {url}: {error}") from None
    if provider.uri != url:
        raise ExecutorError(f"Ape connected to {provider.uri}, not {url}: unset APE_FOUNDRY_HOST")
    return provider


def _view(to: str, data: bytes) -> tuple[str, list[Any]]:
    return "eth_call", [transaction_request(VIEWER, to, data, gas=VIEW_GAS), "latest"]


def _looked(answer: dict[str, Any]) -> bytes:
    if "error" not in answer:
        return bytes.fromhex(answer["result"][2:])
    error = rpc_error(answer["error"], "eth_call")
    if error.code == _REVERTED or error.message.startswith(_HALTED):
        return REVERTED + error.data
    raise ExecutorError(f"the node refused a view: {error}")
