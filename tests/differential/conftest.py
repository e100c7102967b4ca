"""One node with the suite on it, and every executor on that node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.fuzz.executors.base import Executor
from bulkhead.fuzz.executors.registry import EXECUTORS, make_executor
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.target import Target


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """The suite on a node that only this folder uses; its own executor is anvil-sim."""
    ensure_compiled()
    with Session("suite") as session:
        yield session


@pytest.fixture(scope="session")
def session_target(session: Session) -> Target:
    """The suite, deployed on the node of ``session``."""
    return session.target


@pytest.fixture(scope="session")
def executors(session: Session) -> Iterator[Mapping[str, Executor]]:
    """All executors by name, on the node of ``session``."""
    made = {name: make_executor(name, session.node, session.target) for name in EXECUTORS}
    yield made
    for executor in made.values():
        executor.close()
