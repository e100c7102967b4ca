"""Accounts for the contracts that only a local chain needs."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import Caller

CONTRACTS = ("DevToken", "DevWETH9", "DevAggregatorV3", "HostileSource")


@pytest.fixture(scope="session")
def owner(accounts):
    return accounts[0]


@pytest.fixture(scope="session")
def stranger(accounts):
    return accounts[5]


@pytest.fixture(scope="session")
def calls(project, chain):
    """Calls contracts without transactions; see ``bulkhead.chain.eth_call``."""
    abis = [
        [entry.model_dump(by_alias=True, mode="json") for entry in container.contract_type.abi]
        for container in (getattr(project, name) for name in CONTRACTS)
    ]
    return Caller(chain.provider.web3, abis)
