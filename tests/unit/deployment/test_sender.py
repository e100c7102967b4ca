"""Addresses before they exist, and failures with their reasons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rlp import encode

from bulkhead.chain.codec import checksum
from bulkhead.deployment.sender import DeploymentError, RpcSender, created_address

EMPTY = bytes.fromhex("600a600c600039600a6000f3") + bytes(10)


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**64 - 1))
def test_created_address__any_nonce__as_rlp_has_it(raw, nonce):
    from eth_utils.crypto import keccak

    expected = checksum("0x" + keccak(encode([raw, nonce]))[12:].hex())
    assert created_address("0x" + raw.hex(), nonce) == expected


def test_created_address__real_deployment__is_there(world):
    sender = RpcSender(world.rpc, world.address("carol"))
    expected = created_address(sender.address, sender.nonce())
    assert sender.send(None, EMPTY, "anything").created == expected


def test_send__revert__label_and_error(world):
    data = world.usdb.encode("mint", world.address("bob"), 1)
    sender = RpcSender(world.rpc, world.address("bob"))
    with pytest.raises(DeploymentError, match="make money: OwnableUnauthorizedAccount"):
        sender.send(world.usdb.address, data, "make money")


def test_call__revert__decoded(world):
    sender = RpcSender(world.rpc, world.address("bob"))
    with pytest.raises(DeploymentError, match="RiskParameters_UnknownMarket"):
        sender.call(world.risk.address, world.risk.encode("marketTrading", 9))
