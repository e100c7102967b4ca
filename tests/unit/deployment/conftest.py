"""Parameter data as a file would hold it, to be spoilt by tests."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from bulkhead.deployment.deploy import Environment
from bulkhead.deployment.devnet import DEVNET_PARAMETERS
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.sender import RpcSender


@pytest.fixture
def raw() -> dict[str, Any]:
    """The devnet's parameters as plain data; a copy of one's own."""
    return tomllib.loads(DEVNET_PARAMETERS.read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.fixture
def sender(world) -> RpcSender:
    """Deploys a second suite on the devnet's tokens and feeds."""
    return RpcSender(world.rpc, world.address("carol"))


@pytest.fixture
def environment(world) -> Environment:
    return Environment("second", world.book.tokens, world.book.feeds)


@pytest.fixture
def parameters(world) -> DeploymentParameters:
    return world.book.parameters
