"""Two stages for the monitor: a real oracle and staking token, or one where all is scripted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.chain.eth_call import Caller
from bulkhead.model.peg_math import PegConfig, PegValuation
from tests.unit.peg.story import (
    DAY,
    ETH,
    GENESIS,
    HOUR,
    LST,
    RATIO,
    WAD,
    Stage,
    Story,
    as_struct,
    deploy_stage,
)

CONTRACTS = ("OracleAggregator", "PegMonitor", "RoleRegistry", "LiquidStakingToken", "DevToken")
ORACLE_RULES = (7 * DAY, 0, 10_000, 1, WAD, WAD, WAD, 3_600, 0)
"""Caches nothing, forgives a week of silence, asks again only what more than doubles."""

SUPPLY, POOLED = 2, 5
"""Slots of ``LiquidStakingToken``."""

CONFIG = PegConfig(
    underlying="ETH",
    max_age=HOUR,
    decay_period=DAY,
    deadband=WAD // 100,
    stress_per_day=2 * WAD,
    grace_stress=165 * WAD // 1_000,
    discount_slope=WAD // 2,
    stress_slope=WAD // 4,
    max_haircut=WAD // 2,
    broken_at=WAD,
    market_ratio="LST/ETH",
    base_haircut=WAD // 20,
    stressed_at=WAD // 2,
)


def elapsed_stress(d: int, seconds: int, config: PegConfig = CONFIG) -> int:
    """What a constant discount builds up, in one piece."""
    per_day = config.stress_per_day * (d - config.deadband)
    return -(-per_day * seconds // (WAD * DAY))


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


@pytest.fixture(scope="session")
def roles(project, governor):
    return governor.deploy(project.RoleRegistry, governor)


@pytest.fixture(scope="session")
def weth(project, governor):
    return governor.deploy(project.DevToken, "Wrapped Ether", "WETH", 18)


@pytest.fixture(scope="session")
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


@pytest.fixture
def staked(lst, alice):
    """Alice deposits; the rate is 1.0."""
    lst.deposit(1_000 * WAD, alice, sender=alice)
    return lst


@pytest.fixture(scope="session")
def oracle(project, governor, roles):
    return governor.deploy(project.OracleAggregator, roles, DAY)


@pytest.fixture(scope="session")
def eth_source(project, governor):
    return governor.deploy(project.HostileSource)


@pytest.fixture(scope="session")
def ratio_source(project, governor):
    return governor.deploy(project.HostileSource)


@pytest.fixture(scope="session")
def prices(chain, governor, eth_source, ratio_source):
    """Publish ETH in settlement units and the market's LST/ETH, each in a block a second on."""

    def _prices(eth=None, ratio=None):
        for source, price in ((eth_source, eth), (ratio_source, ratio)):
            if price is not None:
                now = chain.blocks.head.timestamp + 1
                chain.pending_timestamp = now
                source.set(price, 0, now, sender=governor)

    return _prices


@pytest.fixture(scope="session")
def monitor(project, governor, roles, oracle, eth_source, ratio_source, prices):
    """A monitor over an oracle that caches nothing and forgives a week of silence."""
    for asset, source in ((ETH, eth_source), (RATIO, ratio_source)):
        oracle.configure(asset, ORACLE_RULES, [(source.address, 10_000)], sender=governor)
    prices(eth=2_000 * WAD, ratio=WAD)
    return governor.deploy(project.PegMonitor, roles, oracle)


@pytest.fixture(scope="session")
def _deployed(monitor, lst):
    """Deploy before any test's own state, so that a test's rollback never reaches these."""


@pytest.fixture
def configured(monitor, governor):
    """Set the rules; the market is at 1.0 and so is the rate, unless told otherwise."""

    def _configured(**replaced):
        return monitor.configure(LST, as_struct(replace(CONFIG, **replaced)), sender=governor)

    return _configured


@pytest.fixture
def poke(monitor, stranger, chain):
    """Poke exactly ``after`` seconds after the last block."""

    def _poke(after=1):
        chain.pending_timestamp = chain.blocks.head.timestamp + after
        return monitor.poke(LST, sender=stranger)

    return _poke


@pytest.fixture
def value(calls, monitor):
    """The valuation."""

    def _value(overrides=None):
        return PegValuation(*calls.call(monitor, "valuation", LST, overrides=overrides))

    return _value


@pytest.fixture
def stress(calls, monitor):
    """Recorded stress."""

    def _stress():
        return calls.call(monitor, "pegState", LST)[2]

    return _stress


@pytest.fixture(scope="session")
def stage():
    """Monitor, scripted oracle and scripted sources, on a node of their own."""
    with deploy_stage(GENESIS) as deployed:
        yield deployed


@pytest.fixture
def story(stage: Stage) -> Story:
    """A token at peg that nobody has configured; each act is played at once."""
    return Story(stage)
