"""Parameter data as a file would hold it, to be spoilt by tests."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from bulkhead.deployment.devnet import DEVNET_PARAMETERS


@pytest.fixture
def raw() -> dict[str, Any]:
    """The devnet's parameters as plain data; a copy of one's own."""
    return tomllib.loads(DEVNET_PARAMETERS.read_text(encoding="utf-8"), parse_float=Decimal)
