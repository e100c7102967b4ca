"""JSON-RPC over one kept-alive HTTP connection, with no library between it and the socket.

A fuzzing run makes tens of thousands of requests, so this stays small: one connection, one lock,
one ``json`` call each way.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_GAS = 4_000_000
"""Gas limit of a transaction unless told otherwise: ample for any call of the suite, and small
enough that several fit into one block of 30 million."""

_TIDYING_POLLS = 200
_NOT_REPEATABLE = frozenset(
    {"eth_sendTransaction", "eth_sendRawTransaction", "eth_sendTransactionSync", "evm_mine"}
)


class RpcError(Exception):
    """The node answered with an error.

    Attributes:
        code: JSON-RPC error code (3: execution reverted).
        message: the node's words.
        data: revert data as bytes if the node gave any, else empty.
    """

    def __init__(self, code: int, message: str, data: bytes = b"", method: str = "") -> None:
        super().__init__(f"{method}: {message} (code {code})" if method else message)
        self.code = code
        self.message = message
        self.data = data
        self.method = method


class RpcConnectionError(ConnectionError):
    """The node could not be reached, or hung up."""


class Log(NamedTuple):
    """One event log as it came: ``address`` checksummed or not as the node wrote it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    log_index: int


class Receipt(NamedTuple):
    """What became of a transaction.

    ``gas_used`` in gas, ``effective_gas_price`` in wei, ``contract_address`` only for deployments.
    """

    hash: str
    success: bool
    block_number: int
    transaction_index: int
    gas_used: int
    effective_gas_price: int
    sender: str
    to: str | None
    contract_address: str | None
    logs: tuple[Log, ...]


class Rpc:
    """One connection to one node. Safe to share between threads: requests take turns.

    Args:
        url: ``http://host:port`` or ``https://…``.
        timeout_seconds: how long one answer may take.
    """

    def __init__(self, url: str, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self.url = url
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"not an HTTP address of a node: {url!r}")
        kind: type[http.client.HTTPConnection] = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_seconds)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    # ------------------------------------------------------------------ requests

    def request(self, method: str, params: Sequence[Any] | None = None) -> Any:
        """Return the result of one request.

        Raises:
            RpcError: the node refused.
            RpcConnectionError: the node is not there.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or []})
        answer = self._exchange(body.encode(), method not in _NOT_REPEATABLE)
        if not isinstance(answer, dict):
            raise RpcError(-32603, f"not a JSON-RPC answer: {str(answer)[:200]}", b"", method)
        if (error := answer.get("error")) is not None:
            raise rpc_error(error, method)
        return answer.get("result")

    def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Return the results of many requests made in one HTTP exchange, in their order.

        A failed one does not stop the others: its place holds the ``RpcError``. The node may
        execute a batch in any order, so only send what does not depend on it: never transactions.
        """
        if not requests:
            return []
        body = json.dumps(
            [
                {"jsonrpc": "2.0", "id": i, "method": method, "params": params}
                for i, (method, params) in enumerate(requests)
            ]
        )
        repeatable = not any(method in _NOT_REPEATABLE for method, _ in requests)
        answers = self._exchange(body.encode(), repeatable)
        if isinstance(answers, dict):
            raise rpc_error(answers.get("error", {}), "batch")
        results: list[Any] = [None] * len(requests)
        for answer in answers:
            i = answer["id"]
            error = answer.get("error")
            results[i] = answer.get("result") if error is None else rpc_error(error, requests[i][0])
        return results

    def _exchange(self, body: bytes, repeatable: bool) -> Any:
        with self._lock:
            for attempt in (0, 1):
                reused = self._connection.sock is not None
                try:
                    self._connection.request(
                        "POST", self._path, body, {"Content-Type": "application/json"}
                    )
                    return json.loads(self._connection.getresponse().read())
                except (http.client.HTTPException, OSError) as error:
                    self._connection.close()
                    # A kept-alive connection may have been dropped while idle. Whether a sent
                    # transaction arrived cannot be known then, so those are never repeated.
                    dropped = isinstance(error, ConnectionError | http.client.RemoteDisconnected)
                    if attempt == 0 and reused and dropped and repeatable:
                        continue
                    raise RpcConnectionError(f"no answer from {self.url}: {error}") from error
                except ValueError as error:
                    self._connection.close()
                    raise RpcConnectionError(f"{self.url} does not speak JSON-RPC") from error
        raise AssertionError("unreachable")

    # ------------------------------------------------------------------ reads

    def call(
        self, to: str | None, data: bytes, sender: str | None = None, block: int | str = "latest"
    ) -> bytes:
        """Return what a call would return, without a transaction.

        ``to`` None runs ``data`` as creation code and returns the runtime code.

        Raises:
            RpcError: it reverted; ``data`` holds the revert data.
        """
        request = {"data": "0x" + data.hex()}
        if to is not None:
            request["to"] = to
        if sender is not None:
            request["from"] = sender
        return bytes.fromhex(self.request("eth_call", [request, block_tag(block)])[2:])

    def code(self, address: str) -> bytes:
        """Return the runtime code at an address, empty if there is none."""
        return bytes.fromhex(self.request("eth_getCode", [address, "latest"])[2:])

    def chain_id(self) -> int:
        """Return the chain's id."""
        return int(self.request("eth_chainId"), 16)

    def nonce(self, address: str) -> int:
        """Return how many transactions an account has sent."""
        return int(self.request("eth_getTransactionCount", [address, "latest"]), 16)

    def block_number(self) -> int:
        """Return the number of the latest block."""
        return int(self.request("eth_blockNumber"), 16)

    def timestamp(self, block: int | str = "latest") -> int:
        """Return a block's time in Unix seconds."""
        return int(self.block(block)["timestamp"], 16)

    def block(self, block: int | str = "latest") -> Mapping[str, Any]:
        """Return a block's header and transaction hashes, as the node writes them."""
        found = self.request("eth_getBlockByNumber", [block_tag(block), False])
        if found is None:
            raise RpcError(-32001, f"no block {block}")
        return found  # type: ignore[no-any-return]

    def balance(self, address: str) -> int:
        """Return an account's balance in wei."""
        return int(self.request("eth_getBalance", [address, "latest"]), 16)

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """Return a transaction's receipt, or None while it is not mined."""
        raw = self.request("eth_getTransactionReceipt", [transaction_hash])
        return None if raw is None else parse_receipt(raw)

    def await_receipt(
        self, transaction_hash: str, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> Receipt:
        """Return a transaction's receipt as soon as it is mined.

        Raises:
            TimeoutError: it was not.
        """
        end = time.monotonic() + timeout_seconds
        pause = 0.001
        while (receipt := self.receipt(transaction_hash)) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"{transaction_hash} is not mined after {timeout_seconds} s")
            time.sleep(pause)
            pause = min(2 * pause, 0.5)
        return receipt

    def block_receipts(self, block: int | str) -> list[Receipt]:
        """Return the receipts of a block in the order of its transactions."""
        return [parse_receipt(r) for r in self.request("eth_getBlockReceipts", [block_tag(block)])]

    # ------------------------------------------------------------------ writes

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> str:
        """Send a transaction of an account that the node holds; return its hash.

        It is mined a moment later even where each transaction is mined at once: ``await_receipt``
        or ``send_sync`` wait for that.

        Args:
            sender: an unlocked or impersonated account.
            to: the callee; None deploys ``data``.
            value: wei.
            gas: gas limit; ``DEFAULT_GAS`` if None, so that nothing is estimated.

        Raises:
            RpcError: the node did not take it. A revert is no such error: see the receipt.
        """
        request = transaction_request(sender, to, data, value, gas)
        return self.request("eth_sendTransaction", [request])  # type: ignore[no-any-return]

    def send_sync(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Send like ``send`` and return the receipt, in one request. Needs automining."""
        request = transaction_request(sender, to, data, value, gas)
        return parse_receipt(self.request("eth_sendTransactionSync", [request]))

    # ------------------------------------------------------------------ local chains only

    def mine(self, timestamp: int | None = None) -> None:
        """Mine one block, at ``timestamp`` (Unix seconds) if given."""
        self.request("evm_mine", [] if timestamp is None else [hex(timestamp)])

    def snapshot(self) -> str:
        """Remember the chain's state; return the id for ``revert``."""
        return self.request("evm_snapshot")  # type: ignore[no-any-return]

    def revert(self, snapshot_id: str) -> None:
        """Go back to a snapshot, which is used up by it.

        Anvil tidies its pool a moment after it answers. A revert in that moment would let the
        tidying drop the next transaction of the same nonce, so this waits for it; transactions
        that are really pending, where mining is off, are not waited for long.

        Raises:
            RpcError: there is no such snapshot.
        """
        for _ in range(_TIDYING_POLLS):
            if not int(self.request("txpool_status")["pending"], 16):
                break
        if not self.request("evm_revert", [snapshot_id]):
            raise RpcError(-32001, f"no snapshot {snapshot_id}", b"", "evm_revert")

    def set_automine(self, enabled: bool) -> None:
        """Mine every transaction in a block of its own, or only when told."""
        self.request("evm_setAutomine", [enabled])

    def set_next_timestamp(self, timestamp: int) -> None:
        """Fix the next block's time in Unix seconds; later blocks go on from there."""
        self.request("evm_setNextBlockTimestamp", [hex(timestamp)])

    def set_balance(self, address: str, wei: int) -> None:
        """Set an account's balance in wei."""
        self.request("anvil_setBalance", [address, hex(wei)])


def transaction_request(
    sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
) -> dict[str, str]:
    """Return the JSON object of a transaction; ``to`` None deploys."""
    request = {
        "from": sender,
        "data": "0x" + data.hex(),
        "gas": hex(DEFAULT_GAS if gas is None else gas),
    }
    if to is not None:
        request["to"] = to
    if value:
        request["value"] = hex(value)
    return request


def block_tag(block: int | str) -> str:
    """Return a block number as JSON-RPC wants it; names pass through."""
    return block if isinstance(block, str) else hex(block)


def parse_log(raw: Mapping[str, Any]) -> Log:
    """Return a log from the node's JSON."""
    return Log(
        raw["address"],
        tuple(bytes.fromhex(topic[2:]) for topic in raw["topics"]),
        bytes.fromhex(raw["data"][2:]),
        int(raw.get("logIndex") or "0x0", 16),
    )


def parse_receipt(raw: Mapping[str, Any]) -> Receipt:
    """Return a receipt from the node's JSON."""
    return Receipt(
        hash=raw["transactionHash"],
        success=raw["status"] == "0x1",
        block_number=int(raw["blockNumber"], 16),
        transaction_index=int(raw["transactionIndex"], 16),
        gas_used=int(raw["gasUsed"], 16),
        effective_gas_price=int(raw["effectiveGasPrice"], 16),
        sender=raw["from"],
        to=raw.get("to"),
        contract_address=raw.get("contractAddress"),
        logs=tuple(parse_log(log) for log in raw["logs"]),
    )


def rpc_error(error: Mapping[str, Any], method: str) -> RpcError:
    """Return a JSON-RPC error object as an exception."""
    data = error.get("data")
    if isinstance(data, Mapping):  # Some nodes wrap it.
        data = data.get("data")
    raw = b""
    if isinstance(data, str) and data.startswith("0x"):
        try:
            raw = bytes.fromhex(data[2:])
        except ValueError:
            raw = b""
    return RpcError(
        int(error.get("code", -32603)), str(error.get("message", "no message")), raw, method
    )
