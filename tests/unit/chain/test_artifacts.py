"""Build output: found, missing, outdated, damaged."""

from __future__ import annotations

import json
import os

import pytest

from bulkhead.chain import artifacts as module
from bulkhead.chain.artifacts import (
    UNISWAP_CONTRACTS,
    Artifact,
    ArtifactError,
    load_artifacts,
    uniswap_artifact,
)

SOURCE = "contract Thing {}\n"


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A project with one contract, compiled."""
    source = tmp_path / "contracts" / "Thing.sol"
    source.parent.mkdir()
    source.write_text(SOURCE)
    manifest = tmp_path / ".build" / "__local__.json"
    manifest.parent.mkdir()
    manifest.write_text(
        json.dumps(
            {
                "contractTypes": {
                    "Thing": {
                        "abi": [],
                        "deploymentBytecode": {"bytecode": "0x6001"},
                        "sourceId": "contracts/Thing.sol",
                    },
                    "IThing": {"abi": [], "sourceId": "contracts/Thing.sol"},
                },
                "sources": {"contracts/Thing.sol": {"content": SOURCE}},
            }
        )
    )
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "CONTRACTS", source.parent)
    return manifest, source


def _touch_later(path, manifest):
    later = manifest.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))


def test_load__compiled__by_name(build):
    found = load_artifacts(build[0])
    assert found["Thing"].bytecode == b"\x60\x01"
    assert found["IThing"].bytecode == b""
    assert "Thing" in found
    assert sorted(found) == ["IThing", "Thing"]
    assert len(found) == 2


def test_load__again__not_parsed_again(build):
    assert load_artifacts(build[0]) is load_artifacts(build[0])


def test_load__missing__says_what_to_run(tmp_path):
    with pytest.raises(ArtifactError, match="run `ape compile`"):
        load_artifacts(tmp_path / "none.json")


def test_load__damaged__says_what_to_run(build):
    build[0].write_text("{")
    with pytest.raises(ArtifactError, match=r"damaged.*run `ape compile`"):
        load_artifacts(build[0])


def test_load__touched_but_same__fine(build):
    manifest, source = build
    _touch_later(source, manifest)
    load_artifacts(manifest)


@pytest.mark.parametrize("name", ["Thing.sol", "New.sol"])
def test_load__changed_source__named(build, name):
    manifest, source = build
    changed = source.with_name(name)
    changed.write_text("contract Other {}\n")
    _touch_later(changed, manifest)
    with pytest.raises(ArtifactError, match=rf"contracts/{name} has changed"):
        load_artifacts(manifest)
    assert "Thing" in load_artifacts(manifest, check=False)


def test_getitem__unknown__says_what_to_run(build):
    with pytest.raises(ArtifactError, match="Nothing is not in the last build: run `ape compile`"):
        _ = load_artifacts(build[0])["Nothing"]


def test_replace__mutant__only_in_the_copy(build):
    found = load_artifacts(build[0])
    mutant = Artifact("Thing", [], b"\x60\x02", "mutant")
    assert found.replace(mutant)["Thing"] is mutant
    assert found["Thing"].bytecode == b"\x60\x01"


def test_ensure_compiled__current__compiles_nothing(build, monkeypatch):
    manifest, _ = build
    monkeypatch.setattr(module, "MANIFEST", manifest)
    monkeypatch.setattr(module, "load_artifacts", lambda: "artifacts")
    monkeypatch.setattr(module, "_compile", pytest.fail)
    assert module.ensure_compiled(pytest.fail) == "artifacts"


@pytest.mark.parametrize("name", UNISWAP_CONTRACTS)
def test_uniswap__every_contract__is_installed(name):
    libraries = {"NFTDescriptor": "0x" + "11" * 20}
    artifact = uniswap_artifact(name, libraries)
    assert artifact.abi
    assert artifact.bytecode
    assert (b"\x11" * 20 in artifact.bytecode) == (name == "NonfungibleTokenPositionDescriptor")


def test_uniswap__not_linked__refused():
    with pytest.raises(ArtifactError, match="linked with NFTDescriptor"):
        uniswap_artifact("NonfungibleTokenPositionDescriptor")
