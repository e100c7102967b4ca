"""The quick decoder says what the general one says."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.chain.codec import Codec, canonical_type
from bulkhead.scenarios.abi import answer_decoder

LEDGER = {
    "name": "ledger",
    "type": "tuple",
    "internalType": "struct Ledger",
    "components": [{"name": "cash", "type": "int128"}, {"name": "mask", "type": "uint16"}],
}
ITEM = {
    "name": "items",
    "type": "tuple[]",
    "internalType": "struct Lens.Item[]",
    "components": [
        {"name": "id", "type": "bytes32"},
        LEDGER,
        {"name": "amounts", "type": "uint256[]"},
        {**LEDGER, "name": "history", "type": "tuple[]"},
        {"name": "owner", "type": "address"},
        {"name": "isPriced", "type": "bool"},
    ],
}


def plain(value: Any) -> Any:
    """Return nested named tuples as tuples."""
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize("count", [0, 1, 3])
def test_answer_decoder__array_of_dynamic_structs__equals_the_codec(count: int) -> None:
    owner = "0x" + "ab" * 20
    items = [
        (bytes([i]) * 32, (-i, i), [7] * i, [(i, 1), (-5, 2)][:i], owner, i % 2 == 0)
        for i in range(count)
    ]
    data = encode([canonical_type(ITEM)], [items])
    decoded = answer_decoder({"name": "f", "outputs": [ITEM]})(data)
    assert plain(decoded) == plain(Codec([ITEM], "f").decode(data)[0])
    if count:
        assert decoded[0].ledger.cash == 0
        assert decoded[-1].isPriced == ((count - 1) % 2 == 0)


def test_answer_decoder__static_struct__needs_no_pointer() -> None:
    data = encode([canonical_type(LEDGER)], [(-3, 9)])
    decoded = answer_decoder({"name": "f", "outputs": [LEDGER]})(data)
    assert (decoded.cash, decoded.mask) == (-3, 9)


def test_answer_decoder__every_view_of_the_lens__is_supported() -> None:
    entries = [e for e in ensure_compiled()["Lens"].abi if e.get("type") == "function"]
    assert {str(e["name"]) for e in entries} >= {"accounts", "compartment"}
    for entry in entries:
        answer_decoder(entry)


def test_answer_decoder__unsupported__is_refused() -> None:
    with pytest.raises(ValueError, match="not one"):
        answer_decoder({"name": "f", "outputs": []})
    with pytest.raises(ValueError, match="string is not supported"):
        answer_decoder({"name": "f", "outputs": [{"name": "", "type": "string"}]})
