"""A staking token, its oracle and its peg monitor, and the means to call them in any state."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bulkhead.chain.eth_call import Caller, storage_key
from bulkhead.model.peg import PegConfig, PegState

WAD = 10**18
DAY = 86_400
LST = b"LST".ljust(32, b"\0")
ETH = b"ETH".ljust(32, b"\0")
RATIO = b"LST/ETH".ljust(32, b"\0")
CONTRACTS = ("OracleAggregator", "PegMonitor", "RoleRegistry", "LiquidStakingToken", "DevToken")

# Slots of LiquidStakingToken.
SUPPLY, POOLED = 2, 5


@dataclass(frozen=True)
class Words:
    """Storage words of the monitor, from the model's values."""

    rate_source: str

    def config(self, config: PegConfig) -> dict[int, int]:
        base = storage_key(0, LST)
        source = int(self.rate_source, 16) if config.rate_source else 0
        return {
            base: int.from_bytes(ETH),
            base + 1: int.from_bytes(RATIO),
            base + 2: source | config.max_age << 160 | config.deadband << 192,
            base + 3: config.stress_per_day
            | config.decay_period << 64
            | config.base_haircut << 96
            | config.discount_slope << 160,
            base + 4: config.stress_slope | config.max_haircut << 64,
        }

    def state(self, state: PegState) -> dict[int, int]:
        word = (
            state.fair_rate
            | state.market_rate << 64
            | state.stress << 128
            | state.poked_at << 192
            | state.market_status << 232
        )
        return {storage_key(1, LST): word}


@pytest.fixture(scope="session")
def governor(accounts):
    return accounts[0]


@pytest.fixture(scope="session")
def operator(accounts):
    return accounts[1]


@pytest.fixture(scope="session")
def alice(accounts):
    return accounts[2]


@pytest.fixture(scope="session")
def bob(accounts):
    return accounts[3]


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
def weth(project, governor):
    return governor.deploy(project.DevToken, "Wrapped Ether", "WETH", 18)


@pytest.fixture(scope="module")
def lst(project, governor, operator, alice, bob, roles, weth):
    """A staking token that redeems 100 a day after an hour; nobody has deposited yet."""
    token = governor.deploy(
        project.LiquidStakingToken, roles, weth, "Staked Ether", "LST", 100 * WAD, 3_600
    )
    roles.grantRole(token.OPERATOR(), operator, sender=governor)
    for account in (operator, alice, bob):
        weth.mint(account, 1_000_000 * WAD, sender=governor)
        weth.approve(token, 2**256 - 1, sender=account)
    return token


@pytest.fixture(scope="module")
def oracle(project, governor, roles):
    return governor.deploy(project.OracleAggregator, roles)


@pytest.fixture(scope="module")
def eth_source(project, governor):
    return governor.deploy(project.HostileSource)


@pytest.fixture(scope="module")
def ratio_source(project, governor):
    return governor.deploy(project.HostileSource)


@pytest.fixture(scope="module")
def prices(chain, governor, eth_source, ratio_source):
    """Publish ETH in settlement units and the market's LST/ETH, each in a block a second on."""

    def _prices(eth=None, ratio=None):
        for source, price in ((eth_source, eth), (ratio_source, ratio)):
            if price is not None:
                now = chain.blocks.head.timestamp + 1
                chain.pending_timestamp = now
                source.set(price, 0, now, sender=governor)

    return _prices


@pytest.fixture(scope="module")
def monitor(project, governor, roles, oracle, eth_source, ratio_source, prices):
    """A monitor over an oracle that caches nothing and forgives a week of silence."""
    for asset, source in ((ETH, eth_source), (RATIO, ratio_source)):
        oracle.configure(asset, (7 * DAY, 0, 1, WAD), [(source.address, 1)], sender=governor)
    prices(eth=2_000 * WAD, ratio=WAD)
    return governor.deploy(project.PegMonitor, roles, oracle)


@pytest.fixture(scope="module")
def words(lst):
    return Words(lst.address)


@pytest.fixture(scope="module", autouse=True)
def _deployed(monitor, lst):
    """Deploy before any test's own state, so that a test's rollback never reaches these."""
