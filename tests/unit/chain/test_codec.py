"""The quick codec says what the general one says."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.codec import (
    Codec,
    CodecError,
    asset_id,
    canonical_type,
    named,
    selector_of,
    signature_of,
    struct_type,
)

ALICE = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

integers = st.builds(
    lambda sign, size: f"{sign}int{8 * size}", st.sampled_from(["", "u"]), st.integers(1, 32)
)
words = st.one_of(
    integers,
    st.builds(lambda n: f"bytes{n}", st.integers(1, 32)),
    st.sampled_from(["address", "bool"]),
)
leaves = st.builds(
    lambda kind: {"name": "", "type": kind}, words | st.sampled_from(["bytes", "string"])
)


def _array(inner: dict[str, Any], length: int | None) -> dict[str, Any]:
    return {**inner, "type": f"{inner['type']}[{'' if length is None else length}]"}


def _struct(inner: list[dict[str, Any]]) -> dict[str, Any]:
    fields = [{**field, "name": f"field{i}"} for i, field in enumerate(inner)]
    return {"name": "", "type": "tuple", "internalType": "struct S", "components": fields}


parameters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(_array, inner, st.none() | st.integers(1, 3)),
        st.builds(_struct, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


def values_of(parameter: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit a parameter, the extremes often."""
    kind = parameter["type"]
    if kind.endswith("]"):
        inner, _, length = kind[:-1].rpartition("[")
        least, most = (int(length), int(length)) if length else (0, 3)
        return st.lists(values_of({**parameter, "type": inner}), min_size=least, max_size=most)
    if kind == "tuple":
        return st.tuples(*map(values_of, parameter["components"]))
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return st.text(max_size=40)
    if kind.startswith("bytes"):
        length = int(kind[5:] or 0)
        return st.binary(min_size=length, max_size=length or 40)
    bits = int(kind.partition("int")[2])
    if kind.startswith("u"):
        return st.integers(0, 2**bits - 1) | st.sampled_from([0, 2**bits - 1])
    edge = 2 ** (bits - 1)
    return st.integers(-edge, edge - 1) | st.sampled_from([-edge, -1, edge - 1])


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[Any]]:
    described = draw(st.lists(parameters, max_size=4))
    described = [{**p, "name": f"p{i}"} for i, p in enumerate(described)]
    return described, [draw(values_of(p)) for p in described]


def plain(value: Any) -> Any:
    """Tuples of tuples, addresses in lower case, as the general codec returns them."""
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    return value.lower() if isinstance(value, str) and value.startswith("0x") else value


@given(calls())
def test_codec__any_types__as_eth_abi(call):
    described, values = call
    codec = Codec(described, "f")
    encoded = codec.encode(values)
    assert encoded == abi_encode([canonical_type(p) for p in described], values)
    assert plain(codec.decode(encoded)) == plain(abi_decode(codec.types, encoded))


@given(integers, st.integers(-(2**260), 2**260))
def test_encode__integer__fits_or_is_refused(kind, value):
    bits = int(kind.partition("int")[2])
    lowest, highest = (
        (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    )
    codec = Codec([{"name": "x", "type": kind}], "f")
    if lowest <= value <= highest:
        assert codec.decode(codec.encode([value])).x == value
    else:
        with pytest.raises(CodecError):
            codec.encode([value])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint256", True),
        ("uint256", "5"),
        ("uint256", 1.0),
        ("uint256", None),
        ("bool", 1),
        ("address", "0x12"),
        ("address", "alice"),
        ("address", 5),
        ("bytes4", b"\x00" * 5),
        ("bytes4", b"\x00" * 3),
        ("bytes4", "hello"),
        ("bytes4", 4),
        ("bytes", "hello"),
        ("uint8[2]", [1]),
        ("uint8[2]", [1, 2, 3]),
        ("uint8[]", [256]),
    ],
)
def test_encode__wrong_value__refused(kind, value):
    with pytest.raises(CodecError):
        Codec([{"name": "x", "type": kind}], "f").encode([value])


def test_encode__wrong_number__refused():
    with pytest.raises(CodecError, match="1 values expected, 2 given"):
        Codec([{"name": "x", "type": "bool"}], "f").encode([True, True])


STRUCT = _struct([{"name": "", "type": "uint8"}, {"name": "", "type": "address"}])


def test_encode__struct__from_mapping_sequence_or_itself():
    codec = Codec([STRUCT], "f")
    encoded = codec.encode([(7, ALICE)])
    assert codec.encode([{"field1": ALICE, "field0": 7}]) == encoded
    [decoded] = codec.decode(encoded)
    assert (decoded.field0, decoded.field1) == (7, ALICE)
    assert codec.encode([decoded]) == encoded


@pytest.mark.parametrize("wrong", [{"field0": 7}, {"field0": 7, "field1": ALICE, "more": 1}])
def test_encode__struct_with_wrong_fields__named(wrong):
    with pytest.raises(CodecError, match=r"more|field1"):
        Codec([STRUCT], "f").encode([wrong])


def test_encode__contract__stands_for_its_address():
    class Located:
        address = ALICE

    assert (
        Codec([{"name": "to", "type": "address"}], "f").encode([Located()]).hex()[24:]
        == ALICE[2:].lower()
    )


def test_decode__too_short__refused():
    with pytest.raises(CodecError):
        Codec([{"name": "x", "type": "uint256"}], "f").decode(b"\x00" * 31)
    with pytest.raises(CodecError):
        Codec([{"name": "x", "type": "bytes"}], "f").decode(b"\x00" * 31)


def test_struct_type__awkward_names__are_usable():
    made = struct_type("raise", ("from", "_hidden", "", "fine"))(1, 2, 3, 4)
    assert (made.from_, made.hidden, made.value2, made.fine) == (1, 2, 3, 4)


def test_selector__nested_struct__written_out():
    entry = {"name": "f", "inputs": [{**STRUCT, "type": "tuple[2]"}, {"name": "", "type": "bytes"}]}
    assert signature_of(entry) == "f((uint8,address)[2],bytes)"
    assert selector_of(
        {"name": "transfer", "inputs": [{"type": "address"}, {"type": "uint256"}]}
    ) == (bytes.fromhex("a9059cbb"))


def test_asset_id__name__left_aligned():
    assert asset_id("LST/ETH") == b"LST/ETH" + bytes(25)
    for wrong in ("", "x" * 33):
        with pytest.raises(CodecError):
            asset_id(wrong)


def test_named__bytes__text_where_it_is_text():
    assert named([b"ETH".ljust(32, b"\0"), b"\xff\x00", (1, True)]) == '"ETH", 0xff00, (1, True)'
