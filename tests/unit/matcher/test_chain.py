"""The chain as the matcher sees it: what is sent, and what an answer means."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak

from bulkhead.chain.contract import Contract, DecodedError
from bulkhead.chain.rpc import Rpc, RpcConnectionError, RpcError
from bulkhead.matcher import chain
from bulkhead.matcher.chain import ERC1271_MAGIC, ChainAuthority, ChainSettlement
from bulkhead.matcher.settlement import (
    Batch,
    BatchRefused,
    Fault,
    Fill,
    SettlementUnavailable,
)
from tests.unit.matcher.support import ALICE, BOB, DOMAIN, WAD, signed

ORDER = [
    {"name": "account", "type": "bytes32"},
    {"name": "signer", "type": "address"},
    {"name": "market", "type": "uint8"},
    {"name": "size", "type": "int128"},
    {"name": "limitPrice", "type": "uint128"},
    {"name": "expiresAt", "type": "uint40"},
    {"name": "nonce", "type": "uint256"},
    {"name": "flags", "type": "uint8"},
]
MAKER = [
    {"name": "order", "type": "tuple", "components": ORDER},
    {"name": "signature", "type": "bytes"},
    {"name": "size", "type": "uint128"},
]
ABI = [
    {
        "type": "function",
        "name": "matchOrders",
        "inputs": [
            {"name": "taker", "type": "tuple", "components": ORDER},
            {"name": "takerSignature", "type": "bytes"},
            {"name": "makers", "type": "tuple[]", "components": MAKER},
        ],
        "outputs": [],
    },
    {
        "type": "function",
        "name": "filled",
        "inputs": [{"name": "hash", "type": "bytes32"}],
        "outputs": [{"name": "", "type": "uint256"}],
    },
    {
        "type": "function",
        "name": "permissionsOf",
        "inputs": [
            {"name": "account", "type": "bytes32"},
            {"name": "operator", "type": "address"},
        ],
        "outputs": [{"name": "", "type": "uint8"}],
    },
]
SENDER = "0x" + "77" * 20
HASH = "0x" + "ab" * 32


class ScriptedRpc(Rpc):
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {
            "eth_call": "0x",
            "eth_sendTransaction": HASH,
            "eth_getTransactionCount": "0x2a",
            "eth_getTransactionReceipt": receipt(True),
        }

    def request(self, method: str, params: Any = None) -> Any:
        self.asked.append((method, params))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def batch(self, requests: Any) -> list[Any]:
        return [self.request(method, params) for method, params in requests]


def receipt(success: bool) -> dict[str, Any]:
    return {
        "transactionHash": HASH,
        "status": "0x1" if success else "0x0",
        "blockNumber": "0x1",
        "transactionIndex": "0x0",
        "gasUsed": "0x1",
        "effectiveGasPrice": "0x1",
        "from": SENDER,
        "logs": [],
    }


def error_data(signature: str, *words: int) -> bytes:
    return keccak(text=signature)[:4] + b"".join(w.to_bytes(32, "big") for w in words)


@pytest.fixture
def rpc() -> ScriptedRpc:
    return ScriptedRpc()


@pytest.fixture
def settlement(rpc: ScriptedRpc) -> ChainSettlement:
    return ChainSettlement(Contract(rpc, DOMAIN.contract, ABI, "SignedOrders"), SENDER)


@pytest.fixture
def batch() -> Batch:
    taker, _, taker_signature = signed(BOB, BOB.order(2, 100))
    maker, _, maker_signature = signed(ALICE, ALICE.order(-3, 100))
    return Batch(taker, taker_signature, (Fill(maker, maker_signature, 2 * WAD),))


def test_submit__good_batch__is_tried_and_sent_under_its_ticket(rpc, settlement, batch) -> None:
    assert settlement.submit(batch, 42) == HASH
    (tried, call), (sent, transaction), _ = rpc.asked
    assert (tried, sent) == ("eth_call", "eth_sendTransaction")
    assert transaction == [{**call[0], "nonce": "0x2a"}]
    assert transaction[0]["from"] == SENDER
    data = bytes.fromhex(transaction[0]["data"][2:])
    order = "(bytes32,address,uint8,int128,uint128,uint40,uint256,uint8)"
    assert data[:4] == keccak(text=f"matchOrders({order},bytes,({order},bytes,uint128)[])")[:4]
    for part in (batch.signature, batch.fills[0].signature, (2 * WAD).to_bytes(32, "big")):
        assert part in data


@pytest.mark.parametrize(
    ("signature", "fault"),
    [
        ("CircuitBreaker_Blocked(uint8,uint8,uint8)", Fault.MARKET),
        ("ActionPolicy_PriceStatus(uint8,uint8,uint8)", Fault.MARKET),
        ("MarginEngine_BelowInitialMargin(bytes32,int256,uint256)", Fault.UNKNOWN),
    ],
)
def test_submit__refused_when_tried__is_not_sent(rpc, settlement, batch, signature, fault) -> None:
    words = (batch.order.account, 2, 3) if "bytes32" in signature else (1, 2, 3)
    data = error_data(signature, *words)
    rpc.answers["eth_call"] = RpcError(3, "execution reverted", data)
    with pytest.raises(BatchRefused) as caught:
        settlement.submit(batch, 42)
    assert [method for method, _ in rpc.asked] == ["eth_call"]
    assert (caught.value.fault, signature.split("(")[0] in caught.value.reason) == (fault, True)
    names = {batch.order.account} if fault is Fault.UNKNOWN else set()
    assert caught.value.names == names


def test_submit__price_out_of_band__speaks_of_the_maker(
    rpc, settlement, batch, monkeypatch
) -> None:
    error = DecodedError("PerpExchange_PriceOutOfBand", (0, 3 * WAD, WAD, 2 * WAD))
    monkeypatch.setattr(chain, "decode_error", lambda _: error)
    rpc.answers["eth_call"] = RpcError(3, "execution reverted", b"\1\2\3\4")
    with pytest.raises(BatchRefused) as caught:
        settlement.submit(batch, 42)
    assert (caught.value.fault, caught.value.names) == (Fault.MAKER, frozenset())


def test_submit__all_gas_burnt_when_tried__is_a_refusal(rpc, settlement, batch) -> None:
    rpc.answers["eth_call"] = RpcError(-32_003, "EVM error OutOfGas")
    with pytest.raises(BatchRefused):
        settlement.submit(batch, 42)


def test_submit__node_is_confused_or_away__is_no_refusal(rpc, settlement, batch) -> None:
    for error in (RpcError(-32_000, "header not found"), RpcConnectionError("gone")):
        rpc.answers["eth_call"] = error
        with pytest.raises(SettlementUnavailable):
            settlement.submit(batch, 42)
    rpc.answers["eth_call"] = "0x"
    rpc.answers["eth_sendTransaction"] = RpcError(-32_003, "nonce too low")
    with pytest.raises(SettlementUnavailable, match="nonce too low"):
        settlement.submit(batch, 42)


def test_submit__reverted_on_chain__is_a_refusal_with_its_names(rpc, settlement, batch) -> None:
    account = batch.fills[0].order.account
    data = error_data("MarginEngine_BelowInitialMargin(bytes32,int256,uint256)", account, 2, 3)
    rpc.answers["eth_getTransactionReceipt"] = receipt(False)
    rpc.answers["debug_traceTransaction"] = {"output": "0x" + data.hex()}
    with pytest.raises(BatchRefused) as caught:
        settlement.submit(batch, 42)
    assert caught.value.names == {account}


def test_filled_and_ticket__are_what_the_chain_says(rpc, settlement) -> None:
    rpc.answers["eth_call"] = "0x" + (7 * WAD).to_bytes(32, "big").hex()
    assert settlement.filled([bytes(32), bytes(31) + b"\1"]) == [7 * WAD] * 2
    assert settlement.ticket() == 42
    rpc.answers["eth_call"] = rpc.answers["eth_getTransactionCount"] = RpcConnectionError("gone")
    with pytest.raises(SettlementUnavailable):
        settlement.filled([bytes(32)])
    with pytest.raises(SettlementUnavailable):
        settlement.ticket()


@pytest.mark.parametrize(
    ("code", "answer", "is_valid"),
    [
        ("0x", "0x" + ERC1271_MAGIC.ljust(32, b"\0").hex(), False),
        ("0x60", "0x" + ERC1271_MAGIC.ljust(32, b"\0").hex(), True),
        ("0x60", "0x" + bytes(32).hex(), False),
        ("0x60", "0x", False),
        ("0x60", RpcError(3, "execution reverted"), False),
    ],
)
def test_is_valid__only_for_code_that_says_the_magic_word(rpc, code, answer, is_valid) -> None:
    rpc.answers |= {"eth_getCode": code, "eth_call": answer}
    authority = ChainAuthority(rpc, Contract(rpc, DOMAIN.contract, ABI, "AccountOperators"))
    assert authority.is_valid(ALICE.address, bytes(32), b"signature") is is_valid


@pytest.mark.parametrize(
    ("bits", "may"), [(0, False), (1, False), (2, True), (29, False), (31, True)]
)
def test_may_trade__needs_the_bit(rpc, bits, may) -> None:
    rpc.answers["eth_call"] = "0x" + bits.to_bytes(32, "big").hex()
    authority = ChainAuthority(rpc, Contract(rpc, DOMAIN.contract, ABI, "AccountOperators"))
    assert authority.may_trade(ALICE.account, BOB.address) is may
    rpc.answers["eth_call"] = RpcConnectionError("gone")
    with pytest.raises(SettlementUnavailable):
        authority.may_trade(ALICE.account, BOB.address)
