"""The example's targets, which are quick to deploy and quick to fuzz, and the suite."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead import ROOT
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.suite.universe import Universe
from bulkhead.fuzz.testing import session_for

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


@pytest.fixture(scope="session")
def suite() -> Session:
    """A node with the suite on it; a sequence leaves nothing behind."""
    return session_for("suite")


@pytest.fixture(scope="session")
def universe(suite: Session) -> Universe:
    """The suite as a target."""
    assert isinstance(suite.target, Universe)
    return suite.target
