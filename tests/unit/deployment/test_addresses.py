"""The address book survives its file, and says what is wrong with another's."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from bulkhead.deployment import addresses
from bulkhead.deployment.addresses import WIRING, AddressBook, AddressBookError


def test_save__then_load__equal(devnet, tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "DEPLOYMENTS", tmp_path / "new")
    file = devnet.book.save()
    assert file == tmp_path / "new" / "local.json"
    assert AddressBook.load("local") == devnet.book
    assert AddressBook.load(file) == devnet.book
    assert [path.name for path in file.parent.iterdir()] == ["local.json"]


def test_save__numbers__readable_decimals(devnet, tmp_path):
    raw = json.loads(devnet.book.save(tmp_path / "x.json").read_text())
    assert raw["parameters"]["markets"][0]["taker_fee"] == "0.0005"
    assert raw["markets"] == {"ETH-PERP": 0, "BTC-PERP": 1}
    assert raw["url"] == devnet.rpc.url


def test_load__missing__says_how_to_get_one(tmp_path):
    with pytest.raises(AddressBookError, match="ape run devnet"):
        AddressBook.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("chain_id", "x", "chain_id"), ("surprise", 1, "surprise"), ("contracts", None, "contracts")],
)
def test_load__damaged__field_named(devnet, tmp_path, field, value, message):
    file = tmp_path / "x.json"
    file.write_text(json.dumps({**json.loads(devnet.book.model_dump_json()), field: value}))
    with pytest.raises(AddressBookError, match=rf"x\.json: {message}"):
        AddressBook.load(file)


def test_book__changed_in_place__refused(devnet):
    with pytest.raises(ValidationError):
        devnet.book.block = 5
    assert devnet.book.replace(block=5).block == 5


def test_contract__unknown__refused(devnet):
    with pytest.raises(AddressBookError, match="nothing named Magic"):
        devnet.book.contract(devnet.rpc, "Magic")


def test_contract__every_name__answers(devnet):
    book = devnet.book
    for name in (*book.contracts, *book.tokens, *book.feeds):
        contract = book.contract(devnet.rpc, name)
        assert contract.name == name
        assert devnet.rpc.code(contract.address)


def test_wiring__every_field_of_the_struct(devnet):
    [wiring] = next(e for e in devnet.margin.abi if e["type"] == "constructor")["inputs"]
    fields = [component["name"] for component in wiring["components"]]
    assert sorted(fields) == sorted(["settlementToken", *WIRING])
    assert set(devnet.book.wiring) == set(fields)
