"""Calls, transactions, events and reverts of real contracts."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import Codec, CodecError, selector_of
from bulkhead.chain.contract import (
    Contract,
    ContractReverted,
    call_many,
    decode_error,
    decode_log,
    interface_of,
)
from bulkhead.chain.rpc import Log
from bulkhead.deployment.sender import RpcSender


@pytest.fixture
def token(rpc, alice, artifacts):
    artifact = artifacts["DevToken"]
    data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(("Dollar", "USD", 6))
    created = RpcSender(rpc, alice).send(None, data, "token").created
    return Contract(rpc, created, artifact.abi, "Dollar")


def test_call__values__decoded(token):
    assert token.call("decimals") == 6
    assert token.call("symbol") == "USD"


def test_transact__event__decoded(token, alice, bob):
    receipt = token.transact("mint", bob, 500, sender=alice)
    [event] = token.events(receipt)
    assert event.name == "Transfer"
    assert event.address == token.address
    assert event.args.value == 500
    assert event.args.to == bob
    assert int(event.args.from_, 16) == 0
    assert token.events(receipt, "Approval") == []
    assert decode_log(receipt.logs[0]) == event
    assert token.call("balanceOf", bob) == 500
    assert token.call("balanceOf", bob, block=receipt.block_number - 1) == 0


def test_transact__revert__typed_with_receipt(token, bob):
    with pytest.raises(ContractReverted, match=r"Dollar\.mint") as caught:
        token.transact("mint", bob, 500, sender=bob)
    assert caught.value.name == "OwnableUnauthorizedAccount"
    assert caught.value.error.args.account == bob
    assert caught.value.receipt is not None
    assert not caught.value.receipt.success


def test_call__revert__typed_without_receipt(token, alice, bob):
    with pytest.raises(ContractReverted) as caught:
        token.call("transfer", bob, 1, sender=alice)
    assert caught.value.name == "ERC20InsufficientBalance"
    assert caught.value.error.args.needed == 1
    assert caught.value.receipt is None


def test_call__no_contract_there__says_so(rpc, token):
    nowhere = Contract(rpc, "0x" + "aa" * 20, token.abi, "Nothing")
    with pytest.raises(CodecError, match="is there a contract"):
        nowhere.call("decimals")


def test_call__unknown_function__named(token):
    with pytest.raises(CodecError, match="no function fly"):
        token.call("fly")


def test_call__wrong_arguments__named(token):
    with pytest.raises(CodecError, match="balanceOf"):
        token.call("balanceOf", 5)


def test_call_many__one_request__in_order(token, alice, bob):
    token.transact("mint", bob, 500, sender=alice)
    calls = [(token, "balanceOf", (bob,)), (token, "symbol", ()), (token, "balanceOf", (alice,))]
    assert call_many(token.rpc, calls) == [500, "USD", 0]


def test_call_many__revert__raised_or_in_its_place(token, alice, bob):
    calls = [(token, "transfer", (bob, 1)), (token, "decimals", ())]
    with pytest.raises(ContractReverted):
        call_many(token.rpc, calls)
    failed, decimals = call_many(token.rpc, calls, allow_failure=True)
    assert failed.name.startswith("ERC20Invalid")  # From the zero address, as no sender is given.
    assert decimals == 6


def test_interface__same_abi__made_once(token):
    assert interface_of(token.abi) is token.interface


OVERLOADED = [
    {"type": "function", "name": "f", "inputs": [], "outputs": []},
    {"type": "function", "name": "f", "inputs": [{"name": "x", "type": "bool"}], "outputs": []},
]


def test_function__overloaded__by_signature_only():
    interface = interface_of(OVERLOADED)
    with pytest.raises(CodecError, match=r"f\(\), f\(bool\)"):
        interface.function("f")
    assert interface.function("f(bool)").encode((True,))[-1] == 1
    assert interface.function("f()").decode(b"") is None


def test_decode_log__foreign__none(token):
    assert decode_log(Log(token.address, (b"\x01" * 32,), b"", 0)) is None
    assert decode_log(Log(token.address, (), b"", 0)) is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "revert without data"),
        ("4e487b71" + f"{0x11:064x}", "Panic(arithmetic overflow)"),
        ("4e487b71" + f"{0x77:064x}", "Panic(0x77)"),
        ("08c379a0" + f"{32:064x}" + f"{2:064x}" + b"no".hex().ljust(64, "0"), "Error(no)"),
        ("ae47f702", "FullMulDivFailed()"),
        ("35278d12", "Overflow()"),
        ("deadbeef01", "0xdeadbeef(0x01)"),
        ("4e487b71", "Panic(0x)"),
    ],
)
def test_decode_error__any_data__readable(data, text):
    assert str(decode_error(bytes.fromhex(data))) == text


def test_decode_error__asset__as_text(artifacts):
    entry = next(
        e
        for e in artifacts["IRiskParameters"].abi
        if e["type"] == "error" and e["name"] == "RiskParameters_OutOfBounds"
    )
    values = (b"takerFee".ljust(32, b"\0"), 5, 1, 4)
    data = selector_of(entry) + Codec(entry["inputs"], "e").encode(values)
    decoded = decode_error(data)
    assert decoded.args.maximum == 4
    assert str(decoded) == 'RiskParameters_OutOfBounds("takerFee", 5, 1, 4)'
