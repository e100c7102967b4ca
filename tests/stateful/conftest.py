"""One session for all campaigns of this folder."""

from __future__ import annotations

import pytest

from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.testing import session_for


@pytest.fixture(scope="session")
def session() -> Session:
    """The suite on a node of its own."""
    ensure_compiled()
    return session_for("suite")
