"""What the quick version of the experiment measures, once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.deployment.sender import RpcSender
from bulkhead.experiments.oracle_attacks import GENESIS, QUICK, Findings, measure
from bulkhead.experiments.pool import BLOCK_SECONDS, Venue, open_venue

STEPS: list[str] = []
"""What the experiment told while it ran."""


@pytest.fixture(scope="session")
def findings() -> Findings:
    """The quick version's numbers."""
    STEPS.clear()
    return measure(QUICK, ensure_compiled(), STEPS.append)


@pytest.fixture(scope="session")
def steps(findings: Findings) -> list[str]:
    """What was told meanwhile."""
    return STEPS


@pytest.fixture(scope="module")
def venue() -> Iterator[Venue]:
    """Uniswap on a node of its own."""
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        anvil.rpc.request("anvil_setBlockTimestampInterval", [BLOCK_SECONDS])
        yield open_venue(anvil.rpc, [a.address for a in anvil.accounts], ensure_compiled())


@pytest.fixture(scope="module")
def sender() -> Iterator[RpcSender]:
    """A governor on a node that mines each transaction at once."""
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        anvil.rpc.request("anvil_setBlockTimestampInterval", [1])
        yield RpcSender(anvil.rpc, anvil.accounts[0].address)
