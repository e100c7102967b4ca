"""An aggregator with seven scriptable sources, and the means to call it in any state."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import Caller, storage_key
from bulkhead.model.oracle import AssetConfig, PriceData, PriceStatus

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
HOUR = 3_600
DEFAULTS = AssetConfig(
    max_staleness=HOUR, max_cache_age=60, quorum_weight=2, max_deviation=WAD // 20
)
CONTRACTS = (
    "OracleAggregator",
    "RoleRegistry",
    "ChainlinkAdapter",
    "UniswapV3TwapAdapter",
    "PythAdapter",
    "DevPyth",
    "ExchangeRateAdapter",
    "SignedReportAdapter",
)


def as_tuple(config: AssetConfig) -> tuple[int, int, int, int]:
    """The config as the contract's struct."""
    return (
        config.max_staleness,
        config.max_cache_age,
        config.quorum_weight,
        config.max_deviation,
    )


def as_price_data(values: tuple[int, int, int, int]) -> PriceData:
    """The contract's struct as the model's."""
    return PriceData(*values[:3], PriceStatus(values[3]))


@pytest.fixture(scope="session")
def governor(accounts):
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


@pytest.fixture(scope="module")
def roles(project, governor):
    return governor.deploy(project.RoleRegistry, governor)


@pytest.fixture(scope="module")
def aggregator(project, governor, roles):
    return governor.deploy(project.OracleAggregator, roles)


@pytest.fixture(scope="module")
def sources(project, governor):
    """Seven sources that answer whatever they are told, in ascending order of address."""
    deployed = [governor.deploy(project.HostileSource) for _ in range(7)]
    return sorted(deployed, key=lambda source: int(source.address, 16))


@pytest.fixture
def configure(aggregator, governor):
    """Set the rules of ETH over the given sources, one vote each unless weights are given."""

    def _configure(chosen, weights=None, config=DEFAULTS):
        votes = weights or [1] * len(chosen)
        listed = list(zip(chosen, votes, strict=True))
        return aggregator.configure(ETH, as_tuple(config), listed, sender=governor)

    return _configure


@pytest.fixture
def publish(chain, governor):
    """Let sources answer the given prices, each published ``age`` seconds before its own block."""

    def _publish(chosen, prices, age=0, confidence=0):
        for source, price in zip(chosen, prices, strict=True):
            now = chain.blocks.head.timestamp + 1
            chain.pending_timestamp = now
            source.set(price, confidence, now - age, sender=governor)

    return _publish


@pytest.fixture
def cache_of(aggregator, chain):
    """Read the asset's cache slot."""

    def _cache_of(asset=ETH):
        slot = storage_key(0, asset)
        return int.from_bytes(chain.provider.get_storage(aggregator.address, slot))

    return _cache_of
