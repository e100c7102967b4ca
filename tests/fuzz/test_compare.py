"""What counts as the same on both sides, and how messages name people."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_utils.crypto import keccak

from bulkhead.chain.codec import struct_type
from bulkhead.fuzz.compare import differences, matches
from bulkhead.fuzz.readable import with_names
from bulkhead.fuzz.target import abi_value, snake, struct_words

ALICE = "0x" + "aB" * 20
Pair = struct_type("Pair", ("first", "second"))


@dataclass(frozen=True)
class Twin:
    first: int
    second: object


@pytest.mark.parametrize(
    ("model", "chain", "same"),
    [
        (1, 1, True),
        (1, 2, False),
        (True, True, True),
        (ALICE.lower(), ALICE, True),
        (ALICE, "0x" + "cd" * 20, False),
        ("ETH", b"ETH".ljust(32, b"\0"), True),
        ("ETH", b"BTC".ljust(32, b"\0"), False),
        ("GUARDIAN", keccak(text="GUARDIAN"), True),
        (7, (7).to_bytes(32, "big"), True),
        (8, (7).to_bytes(32, "big"), False),
        (b"\1\2", b"\1\2", True),
        ("0x0102", b"\1\2", True),
        (Twin(1, "ETH"), Pair(1, b"ETH".ljust(32, b"\0")), True),
        (Twin(1, "ETH"), Pair(2, b"ETH".ljust(32, b"\0")), False),
        ([Twin(1, 2)], (Pair(1, 2),), True),
        ([Twin(1, 2)], (), False),
        (None, 0, False),
    ],
)
def test_matches__values_of_both_sides(model: object, chain: object, same: bool) -> None:
    assert matches(model, chain) is same


def test_differences__nested__name_the_place() -> None:
    found = list(differences({"a": Twin(1, 5)}, {"a": Pair(1, 6), "b": 0}, "view"))
    assert sorted(found) == [
        "view[a].second: model 5, chain 6",
        "view[b]: only the chain has 0",
    ]


def test_names__in_messages__replace_addresses_and_accounts() -> None:
    account = int(ALICE, 16) << 96 | 3
    text = f"{ALICE} {ALICE.lower()} {account} {account:#066x} {2**256 - 1} 0x1234"
    assert with_names(text, {"alice": ALICE}) == "alice alice alice/3 alice/3 2**256-1 0x1234"
    assert with_names("0x" + "11" * 20, {"alice": ALICE}) == "0x" + "11" * 20


def test_arguments__structs_and_names__become_what_the_abi_wants() -> None:
    words = struct_words((Twin(3, "ETH"), [1, 2]), "((uint8,bytes32),uint256[])")
    assert words == ((3, b"ETH".ljust(32, b"\0")), [1, 2])
    assert abi_value(["ETH"], "bytes32[]") == [b"ETH".ljust(32, b"\0")]
    assert abi_value(5, "bytes32") == (5).to_bytes(32, "big")
    assert snake("transferFrom") == "transfer_from"
