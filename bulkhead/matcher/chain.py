"""The chain behind a matcher: settlement through ``SignedOrders``, and who may sign for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from bulkhead.chain.codec import CodecError
from bulkhead.chain.contract import Contract, ContractReverted, call_many, decode_error, revert_data
from bulkhead.chain.rpc import Rpc, RpcConnectionError, RpcError, transaction_request
from bulkhead.matcher.settlement import Batch, BatchRefused, Fault, SettlementUnavailable
from bulkhead.model.operators import TRADE

ERC1271_ABI = [
    {
        "type": "function",
        "name": "isValidSignature",
        "stateMutability": "view",
        "inputs": [{"name": "hash", "type": "bytes32"}, {"name": "signature", "type": "bytes"}],
        "outputs": [{"name": "", "type": "bytes4"}],
    }
]
ERC1271_MAGIC = bytes.fromhex("1626ba7e")

_REVERTED = 3
"""JSON-RPC code of a reverted call."""
_GAS_OF_CALL = 1_000_000
_GAS_OF_MAKER = 500_000
_MARKET_ERRORS = (
    "ActionPolicy_",
    "CircuitBreaker_",
    "MarginEngine_StaleUnrealized",
    "OracleAggregator_",
)
"""Prefixes of errors that no order is the reason for: halted, or no price that counts."""
_PRICE_ERRORS = ("Band",)
"""Parts of errors that complain of a fill's price, which is the maker's limit."""


class Authority(Protocol):
    """What only the chain knows about signatures. Calls may block."""

    def is_valid(self, signer: str, digest: bytes, signature: bytes) -> bool:
        """Tell whether the contract at ``signer``, if there is one, takes a signature (ERC-1271).

        Raises:
            SettlementUnavailable: it is not known now.
        """

    def may_trade(self, account: int, signer: str) -> bool:
        """Tell whether somebody who is not the owner may trade for an account now.

        Raises:
            SettlementUnavailable: it is not known now.
        """


class ChainAuthority:
    """Asks wallets and ``AccountOperators``.

    Args:
        rpc: the node.
        operators: the contract.
    """

    def __init__(self, rpc: Rpc, operators: Contract) -> None:
        self._rpc = rpc
        self._operators = operators

    def is_valid(self, signer: str, digest: bytes, signature: bytes) -> bool:
        """Ask the wallet; see ``Authority``."""
        try:
            if not self._rpc.code(signer):
                return False
            wallet = Contract(self._rpc, signer, ERC1271_ABI, "wallet")
            return bool(wallet.call("isValidSignature", digest, signature) == ERC1271_MAGIC)
        except (ContractReverted, CodecError):
            return False
        except (RpcError, RpcConnectionError) as error:
            raise SettlementUnavailable(str(error)) from error

    def may_trade(self, account: int, signer: str) -> bool:
        """Ask ``AccountOperators``; see ``Authority``."""
        try:
            given = self._operators.call("permissionsOf", account.to_bytes(32, "big"), signer)
        except (RpcError, RpcConnectionError) as error:
            raise SettlementUnavailable(str(error)) from error
        return bool(given & TRADE)


class ChainSettlement:
    """Sends batches from one account that the node holds, as the lab's keepers do.

    A ticket is the account's nonce, so nothing else may send from it.

    Args:
        contract: ``SignedOrders``.
        sender: the account.
    """

    def __init__(self, contract: Contract, sender: str) -> None:
        self._contract = contract
        self._rpc = contract.rpc
        self._sender = sender

    def filled(self, order_hashes: Sequence[bytes]) -> list[int]:
        """Ask the contract in one request; see ``Settlement``."""
        try:
            calls = [(self._contract, "filled", (h,)) for h in order_hashes]
            return [int(amount) for amount in call_many(self._rpc, calls)]
        except (ContractReverted, RpcError, RpcConnectionError) as error:
            raise SettlementUnavailable(str(error)) from error

    def ticket(self) -> int:
        """Return the account's nonce; see ``Settlement``."""
        try:
            return self._rpc.nonce(self._sender)
        except (RpcError, RpcConnectionError) as error:
            raise SettlementUnavailable(str(error)) from error

    def submit(self, batch: Batch, ticket: int) -> str:
        """Try the call, then send it; see ``Settlement``."""
        fills = [(f.order.as_tuple(), f.signature, f.size) for f in batch.fills]
        data = self._contract.encode("matchOrders", batch.order.as_tuple(), batch.signature, fills)
        gas = _GAS_OF_CALL + _GAS_OF_MAKER * len(fills)
        request = transaction_request(self._sender, self._contract.address, data, gas=gas)
        self._try(request)
        try:
            transaction = str(
                self._rpc.request("eth_sendTransaction", [{**request, "nonce": hex(ticket)}])
            )
            receipt = self._rpc.await_receipt(transaction)
            if receipt.success:
                return transaction
            reason = revert_data(self._rpc, transaction)
        except (RpcError, RpcConnectionError, TimeoutError) as error:
            raise SettlementUnavailable(str(error)) from error
        raise _refusal(reason)

    def _try(self, request: Mapping[str, str]) -> None:
        """Call without a transaction: a refusal costs no gas this way."""
        try:
            self._rpc.request("eth_call", [request, "latest"])
        except RpcConnectionError as error:
            raise SettlementUnavailable(str(error)) from error
        except RpcError as error:
            words = error.message.lower()
            if error.code == _REVERTED or error.data or "revert" in words or "gas" in words:
                # A wallet that burns all gas is to be found and dropped like any other.
                raise _refusal(error.data) from error
            raise SettlementUnavailable(str(error)) from error


def _refusal(data: bytes) -> BatchRefused:
    """Return a revert as a refusal: whom it names, whom it speaks of."""
    error = decode_error(data)
    if error.name.startswith(_MARKET_ERRORS):
        fault = Fault.MARKET
    elif any(part in error.name for part in _PRICE_ERRORS):
        fault = Fault.MAKER
    else:
        fault = Fault.UNKNOWN
    return BatchRefused(str(error), _numbers(error.args), fault)


def _numbers(values: Iterable[Any]) -> list[int]:
    """Return the accounts and hashes among an error's arguments as integers."""
    found: list[int] = []
    for value in values:
        if isinstance(value, bytes) and len(value) == 32:
            found.append(int.from_bytes(value, "big"))
        elif isinstance(value, tuple):
            found += _numbers(value)
    return found
