"""What is signed, by whom, and what is no order at all."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.matcher import orders
from bulkhead.matcher.orders import (
    Domain,
    OrderRefused,
    SignedOrder,
    parse_hex,
    parse_order,
    recover,
)
from bulkhead.model import eip712
from tests.unit.matcher.support import ALICE, BOB, DOMAIN, altered

ORDER = ALICE.order(-3, 2_000, nonce=1 << 200, flags=3, market=7)
HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2

all_orders = st.builds(
    SignedOrder,
    account=st.integers(0, 2**256 - 1),
    signer=st.integers(1, 2**160 - 1).map(lambda n: f"0x{n:040x}"),
    market=st.integers(0, 255),
    size=st.integers(-(2**127) + 1, 2**127 - 1).filter(bool),
    limit_price=st.integers(1, 2**128 - 1),
    expires_at=st.integers(0, 2**40 - 1),
    nonce=st.integers(0, 2**256 - 1),
    flags=st.integers(0, 3),
)


def typed_data(order: SignedOrder) -> dict:
    """The order as wallets are given it."""
    kinds = orders.ORDER_TYPE[len("SignedOrder(") : -1].split(",")
    return {
        "domain": {
            "name": "Bulkhead SignedOrders",
            "version": "1",
            "chainId": DOMAIN.chain_id,
            "verifyingContract": DOMAIN.contract,
        },
        "primaryType": "SignedOrder",
        "types": {
            "SignedOrder": [dict(zip(("type", "name"), k.split(), strict=True)) for k in kinds]
        },
        "message": dict(
            zip((k.split()[1] for k in kinds), order.as_tuple(), strict=True),
        ),
    }


@given(all_orders)
def test_order_hash__any_order__is_what_wallets_sign(order) -> None:
    made = Account.sign_typed_data(ALICE.key, full_message=typed_with_domain(order))
    digest = DOMAIN.order_hash(order)
    assert bytes(made.message_hash) == digest
    assert recover(digest, bytes(made.signature)) == ALICE.address


def typed_with_domain(order: SignedOrder) -> dict:
    """The same with the domain's own type spelt out."""
    typed = typed_data(order)
    typed["types"]["EIP712Domain"] = [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ]
    return typed


@given(all_orders)
def test_parse_order__of_what_is_shown__is_the_order(order) -> None:
    assert parse_order(order.as_json()) == order


@pytest.mark.parametrize("name", [f.name for f in fields(SignedOrder)])
def test_recover__any_field_altered__is_not_the_signer(name) -> None:
    signature = ALICE.sign(DOMAIN.order_hash(ORDER))
    assert recover(DOMAIN.order_hash(ORDER), signature) == ALICE.address
    assert recover(DOMAIN.order_hash(altered(ORDER, name)), signature) != ALICE.address


@pytest.mark.parametrize("domain", [Domain(1, DOMAIN.contract), Domain(31_337, ALICE.address)])
def test_recover__other_chain_or_contract__is_not_the_signer(domain) -> None:
    signature = ALICE.sign(DOMAIN.order_hash(ORDER))
    assert recover(domain.order_hash(ORDER), signature) != ALICE.address


def test_recover__malleable_or_mangled__is_nobody() -> None:
    digest = DOMAIN.order_hash(ORDER)
    good = ALICE.sign(digest)
    s = int.from_bytes(good[32:64], "big")
    high = (2 * HALF_ORDER + 1 - s).to_bytes(32, "big")
    flipped = bytes([55 - good[64]])
    assert recover(digest, good[:32] + high + flipped) is None
    assert recover(digest, good[:64]) is None
    assert recover(digest, good + b"\0") is None
    assert recover(digest, good[:64] + bytes([good[64] - 27])) is None
    assert recover(digest, bytes(64) + b"\x1b") is None


@given(st.binary(min_size=65, max_size=65), st.sampled_from([27, 28]))
def test_recover__any_bytes__is_what_the_contracts_twin_says(raw, v) -> None:
    signature = raw[:64] + bytes([v])
    digest = DOMAIN.order_hash(ORDER)
    twin = eip712.recover(digest, signature)
    assert (recover(digest, signature) or f"0x{0:040x}") == twin


def test_sign_and_recover__without_native_code__are_the_same(monkeypatch) -> None:
    digest = DOMAIN.order_hash(ORDER)
    signature = ALICE.sign(digest)
    monkeypatch.setattr(orders, "_curve", None)
    monkeypatch.setattr(orders, "_sha3", None)
    assert DOMAIN.order_hash(ORDER) == digest
    assert ALICE.sign(digest) == signature
    assert recover(digest, signature) == ALICE.address
    assert recover(digest, bytes(65)) is None


def test_cancel_hash__is_of_one_order_and_domain_and_no_order() -> None:
    digest = DOMAIN.order_hash(ORDER)
    other = DOMAIN.order_hash(replace(ORDER, nonce=1))
    hashes = {DOMAIN.cancel_hash(digest), DOMAIN.cancel_hash(other)}
    hashes |= {Domain(1, DOMAIN.contract).cancel_hash(digest), digest, other}
    assert len(hashes) == 5


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("account", "0x" + "1" * 63, "malformed"),
        ("account", 5, "malformed"),
        ("signer", BOB.address[2:], "malformed"),
        ("signer", "0x" + "0" * 40, "out_of_range"),
        ("signer", "0x" + " 1" * 20, "malformed"),
        ("market", 256, "out_of_range"),
        ("market", -1, "out_of_range"),
        ("market", True, "malformed"),
        ("market", 1.0, "malformed"),
        ("size", "0", "out_of_range"),
        ("size", str(2**127), "out_of_range"),
        ("size", str(-(2**127)), "out_of_range"),
        ("size", "1e18", "malformed"),
        ("size", "--1", "malformed"),
        ("size", "٣", "malformed"),
        ("size", "1" * 5_000, "malformed"),
        ("limitPrice", "0", "out_of_range"),
        ("limitPrice", str(2**128), "out_of_range"),
        ("expiresAt", 2**40, "out_of_range"),
        ("nonce", str(2**256), "out_of_range"),
        ("flags", 4, "out_of_range"),
        ("flags", None, "malformed"),
    ],
)
def test_parse_order__bad_field__is_refused_by_its_name(field, value, code) -> None:
    raw = {**ORDER.as_json(), field: value}
    with pytest.raises(OrderRefused, match=f"^{field}: ") as caught:
        parse_order(raw)
    assert caught.value.code == code


def test_parse_order__field_missing_or_unknown__is_refused() -> None:
    raw = ORDER.as_json()
    del raw["nonce"]
    with pytest.raises(OrderRefused, match="missing or unknown: extra, nonce"):
        parse_order({**raw, "extra": 1})
    with pytest.raises(OrderRefused, match="is an object"):
        parse_order([1])


@pytest.mark.parametrize("text", ["0x0", "0xzz", "00", "0x 0", 7, None, "0x0_0_"])
def test_parse_hex__no_bytes__is_refused(text) -> None:
    with pytest.raises(OrderRefused, match=r"^it: "):
        parse_hex(text, None, "it")
