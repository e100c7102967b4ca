"""Who deploys: an unlocked account of a local node, or an Ape account on any network."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from eth_utils.crypto import keccak

from bulkhead.chain.codec import checksum
from bulkhead.chain.contract import decode_error, revert_data
from bulkhead.chain.rpc import Rpc, RpcError

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
            receipt = self._account.call(transaction)
        except ApeException as error:
            raise DeploymentError(f"{label}: {_reason(error)}") from error
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
        from ape.exceptions import ApeException

        request = {"data": "0x" + data.hex(), "from": self.address}
        if to is not None:
            request["to"] = to
        try:
            answer = self._provider.make_request("eth_call", [request, "latest"])
        except ApeException as error:
            raise DeploymentError(_reason(error)) from error
        return bytes.fromhex(str(answer)[2:])

    def code(self, address: str) -> bytes:
        """Return the code at an address."""
        return bytes(self._provider.get_code(address))

    def nonce(self) -> int:
        """Return how many transactions the account has sent."""
        return int(self._account.nonce)

    def chain_id(self) -> int:
        """Return the chain's id."""
        return int(self._provider.chain_id)


def created_address(deployer: str, nonce: int) -> str:
    """Return where a deployment of this nonce puts its contract: keccak(rlp([deployer, nonce]))."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if not 0 < nonce < 0x80:  # RLP writes small numbers as themselves, others with their length.
        number = bytes([0x80 + len(number)]) + number
    fields = b"\x94" + bytes.fromhex(deployer[2:]) + number
    return checksum("0x" + keccak(bytes([0xC0 + len(fields)]) + fields)[12:].hex())


def _refusal(error: RpcError) -> str:
    return str(decode_error(error.data)) if error.data else error.message


def _reason(error: Exception) -> str:
    """Return an Ape error in one line, a custom error decoded if its data is in the message."""
    text = str(error)
    for word in text.replace(",", " ").replace("'", " ").split():
        if word.startswith("0x") and len(word) >= 10 and len(word) % 2 == 0:
            try:
                decoded = decode_error(bytes.fromhex(word[2:]))
            except ValueError:
                continue
            if not decoded.name.startswith("0x"):
                return str(decoded)
    return text.splitlines()[0] if text else type(error).__name__
