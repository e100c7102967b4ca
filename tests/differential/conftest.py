"""One chain for fuzzing, with everybody settled in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.fuzz.executor import Executor
from bulkhead.fuzz.sequence import settle_in
from bulkhead.fuzz.universe import Universe, deploy_for_fuzzing

GENESIS = 1_800_000_000


@pytest.fixture(scope="session")
def fuzzed() -> Iterator[tuple[Universe, Executor]]:
    """A universe and its executor, after the prologue."""
    artifacts = ensure_compiled()
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        book = deploy_for_fuzzing(anvil.rpc, anvil.accounts[0].address, artifacts)
        universe = Universe(anvil.rpc, book, artifacts)
        executor = Executor(universe)
        settle_in(universe, executor)
        yield universe, executor
