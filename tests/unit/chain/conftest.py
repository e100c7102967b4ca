"""A bare node for the tests of what talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, ensure_compiled
from bulkhead.chain.rpc import Rpc


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(accounts=3, balance=1_000, timestamp=1_800_000_000) as node:
        yield node


@pytest.fixture
def rpc(anvil: Anvil) -> Iterator[Rpc]:
    """The node as it was started, whatever a test does to it."""
    snapshot = anvil.rpc.snapshot()
    yield anvil.rpc
    anvil.rpc.set_automine(True)
    anvil.rpc.revert(snapshot)


@pytest.fixture
def alice(anvil: Anvil) -> str:
    return anvil.accounts[0].address


@pytest.fixture
def bob(anvil: Anvil) -> str:
    return anvil.accounts[1].address


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    return ensure_compiled()
