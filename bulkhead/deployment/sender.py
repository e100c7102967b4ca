"""Who deploys: an unlocked account of a local node, or an Ape account on any network."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from eth_utils.crypto import keccak

from bulkhead.chain.codec import checksum
from bulkhead.chain.contract import decode_error, revert_data
from bulkhead.chain.rpc import Rpc, RpcError, rpc_error

DEPLOYMENT_GAS = 15_000_000
"""Gas limit of deployments on a local chain, where a block has 30 million."""
CALL_GAS = 5_000_000


class DeploymentError(Exception):
    """A deployment was refused, or did not turn out as planned; the message names the step."""


class Sent(NamedTuple):
    """A mined transaction: its hash, the gas it used, and the contract that it created."""

    hash: str
    gas_used: int
    block: int
    created: str | None


class Sender(Protocol):
    """An account that can send, and the chain that it sends to."""

    @property
    def address(self) -> str:
        """The account, checksummed."""

    def send(self, to: str | None, data: bytes, label: str, value: int = 0) -> Sent:
        """Send a transaction and wait until it is mined.

        Args:
            to: the callee; None deploys ``data``.
            data: calldata, or creation code with its arguments.
            label: what the step is called in messages.
            value: wei.

        Raises:
            DeploymentError: it failed; the message has the label and the decoded error.
        """

    def call(self, to: str | None, data: bytes) -> bytes:
        """Return what a call returns; None as callee runs ``data`` as creation code.

        Raises:
            DeploymentError: it reverted.
        """

    def code(self, address: str) -> bytes:
        """Return the code at an address."""

    def nonce(self) -> int:
        """Return how many transactions the account has sent."""

    def chain_id(self) -> int:
        """Return the chain's id."""

    def timestamp(self) -> int:
        """Return the time of the latest block, in Unix seconds."""


class RpcSender:
    """An unlocked account of a local node: no signing, no estimating, one request each.

    Args:
        rpc: the node; it must mine each transaction at once.
        address: an account that the node holds or impersonates.
    """

    def __init__(self, rpc: Rpc, address: str) -> None:
        self.rpc = rpc
        self._address = checksum(address)

    @property
    def address(self) -> str:
        """The account, checksummed."""
        return self._address

    def send(self, to: str | None, data: bytes, label: str, value: int = 0) -> Sent:
        """Send a transaction; see ``Sender``."""
        gas = DEPLOYMENT_GAS if to is None else CALL_GAS
        try:
            receipt = self.rpc.send_sync(self._address, to, data, value, gas)
        except RpcError as error:
            raise DeploymentError(f"{label}: {error.message}") from error
        if not receipt.success:
            raise DeploymentError(f"{label}: {decode_error(revert_data(self.rpc, receipt.hash))}")
        created = receipt.contract_address
        return Sent(
            receipt.hash,
            receipt.gas_used,
            receipt.block_number,
            checksum(created) if created else None,
        )

    def call(self, to: str | None, data: bytes) -> bytes:
        """Return what a call returns; see ``Sender``."""
        try:
            return self.rpc.call(to, data, self._address)
        except RpcError as error:
            raise DeploymentError(_refusal(error)) from error

    def code(self, address: str) -> bytes:
        """Return the code at an address."""
        return self.rpc.code(address)

    def nonce(self) -> int:
        """Return how many transactions the account has sent."""
        return self.rpc.nonce(self._address)

    def chain_id(self) -> int:
        """Return the chain's id."""
        return self.rpc.chain_id()

    def timestamp(self) -> int:
        """Return the time of the latest block, in Unix seconds."""
        return self.rpc.timestamp()


class ApeSender:
    """An Ape account on the network that Ape is connected to: signs, estimates, waits.

    Args:
        account: an Ape account.
        provider: Ape's connected provider.
        confirmations: blocks to wait for after each transaction; None: the network's default.
    """

    def __init__(self, account: Any, provider: Any, confirmations: int | None = None) -> None:
        self._account = account
        self._provider = provider
        self._confirmations = confirmations
        self._chain_id: int | None = None

    @property
    def address(self) -> str:
        """The account, checksummed."""
        return checksum(str(self._account.address))

    def send(self, to: str | None, data: bytes, label: str, value: int = 0) -> Sent:
        """Send a transaction; see ``Sender``."""
        from ape.exceptions import ApeException

        fields: dict[str, Any] = {"data": data, "value": value}
        if to is not None:
            fields["receiver"] = to
        if self._confirmations is not None:
            fields["required_confirmations"] = self._confirmations
        try:
            transaction = self._provider.network.ecosystem.create_transaction(**fields)
            transaction = self._account.prepare_transaction(transaction)
            # Ape presumes a chain id for local networks; the node may have another.
            transaction.chain_id = self.chain_id()
            signed = self._account.sign_transaction(transaction)
            if signed is None:
                raise DeploymentError(f"{label}: not signed")
            receipt = self._provider.send_transaction(signed)
        except ApeException as error:
            raise DeploymentError(f"{label}: {self._reason(to, data, error)}") from error
        if receipt.failed:
            raise DeploymentError(f"{label}: transaction {receipt.txn_hash} reverted")
        created = receipt.contract_address if to is None else None
        return Sent(
            receipt.txn_hash,
            int(receipt.gas_used),
            int(receipt.block_number),
            checksum(str(created)) if created else None,
        )

    def call(self, to: str | None, data: bytes) -> bytes:
        """Return what a call returns; see ``Sender``."""
        request = {"data": "0x" + data.hex(), "from": self.address}
        if to is not None:
            request["to"] = to
        return bytes.fromhex(str(self._request("eth_call", [request, "latest"]))[2:])

    def code(self, address: str) -> bytes:
        """Return the code at an address."""
        return bytes.fromhex(str(self._request("eth_getCode", [address, "latest"]))[2:])

    def nonce(self) -> int:
        """Return how many transactions the account has sent."""
        return int(str(self._request("eth_getTransactionCount", [self.address, "latest"])), 16)

    def chain_id(self) -> int:
        """Return the chain's id."""
        if self._chain_id is None:
            self._chain_id = int(str(self._request("eth_chainId", [])), 16)
        return self._chain_id

    def timestamp(self) -> int:
        """Return the time of the latest block, in Unix seconds."""
        block = self._request("eth_getBlockByNumber", ["latest", False])
        return int(str(block["timestamp"]), 16)

    def _request(self, method: str, params: list[Any]) -> Any:
        """Ask the node past Ape, which would drop the data of a revert."""
        answer = self._provider.web3.provider.make_request(method, params)
        if "error" in answer:
            raise DeploymentError(_refusal(rpc_error(answer["error"], method)))
        return answer["result"]

    def _reason(self, to: str | None, data: bytes, error: Exception) -> str:
        """Return why a transaction failed: the contract's own words if a call repeats it."""
        try:
            self.call(to, data)
        except DeploymentError as refusal:
            return str(refusal)
        text = str(error)
        return text.splitlines()[0] if text else type(error).__name__


def created_address(deployer: str, nonce: int) -> str:
    """Return where a deployment of this nonce puts its contract: keccak(rlp([deployer, nonce]))."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if not 0 < nonce < 0x80:  # RLP writes small numbers as themselves, others with their length.
        number = bytes([0x80 + len(number)]) + number
    fields = b"\x94" + bytes.fromhex(deployer[2:]) + number
    return checksum("0x" + keccak(bytes([0xC0 + len(fields)]) + fields)[12:].hex())


def _refusal(error: RpcError) -> str:
    return str(decode_error(error.data)) if error.data else error.message
