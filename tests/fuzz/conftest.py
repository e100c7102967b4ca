"""The example's targets, which are quick to deploy and quick to fuzz."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead import ROOT
from bulkhead.fuzz.session import Session

EXAMPLE = ROOT / "examples" / "share-vault" / "fuzz_target.py"
GOOD, BUGGY = f"{EXAMPLE}:ShareVault", f"{EXAMPLE}:BuggyShareVault"
# Where pyrevm has no wheel, the other executor is as good, only slower.
FAST = "evm" if importlib.util.find_spec("pyrevm") else "anvil-sim"


@pytest.fixture(scope="module")
def good() -> Iterator[Session]:
    """The vault as it should be."""
    with Session(GOOD, FAST) as session:
        yield session


@pytest.fixture(scope="module")
def buggy() -> Iterator[Session]:
    """The vault whose withdrawals round the wrong way."""
    with Session(BUGGY, FAST) as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where failures go."""
    return tmp_path / "failures"
