"""An aggregator with scriptable sources: on Ape's chain, and in this process beside its twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, is_dataclass
from enum import IntEnum
from typing import Any

import pytest
from eth_utils.crypto import keccak

from bulkhead.chain.contract import ContractReverted, Event
from bulkhead.chain.eth_call import Caller, storage_key
from bulkhead.model.context import Context
from bulkhead.model.errors import ModelRevert
from bulkhead.model.oracle import (
    AssetConfig,
    OracleAggregator,
    PriceData,
    PriceStatus,
)
from bulkhead.model.parts import Parts
from bulkhead.model.roles import GOVERNOR, GUARDIAN, RoleRegistry
from bulkhead.model.shared import OracleContract
from bulkhead.model.types import Addresses

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
HOUR = 3_600
DAY = 86_400
SEASONING = DAY
GENESIS = 1_800_000_000
DEFAULTS = AssetConfig(
    max_staleness=HOUR,
    max_cache_age=60,
    quorum=6_666,
    confirmation_delay=60,
    max_deviation=WAD // 20,
    max_confidence=WAD // 20,
    max_move=WAD // 10,
    volatility_period=DAY,
    initial_volatility=WAD // 20,
)
THIRDS = (3_334, 3_333, 3_333)
CONTRACTS = (
    "OracleAggregator",
    "RoleRegistry",
    "ChainlinkAdapter",
    "UniswapV3TwapAdapter",
    "UniswapV3Depth",
    "PythAdapter",
    "DevPyth",
    "ExchangeRateAdapter",
    "SignedReportAdapter",
)


def as_tuple(config: AssetConfig) -> tuple[int, ...]:
    """The config as the contract's struct."""
    return astuple(config)


def equal_shares(count: int) -> list[int]:
    """Shares of so many equal sources; what does not divide goes to the first."""
    share = 10_000 // count
    return [10_000 - share * (count - 1)] + [share] * (count - 1)


def as_price_data(values: tuple[int, int, int, int, int]) -> PriceData:
    """The contract's struct as the model's."""
    return PriceData(*values[:4], PriceStatus(values[4]))


@pytest.fixture(scope="session")
def governor(accounts):
    return accounts[0]


@pytest.fixture(scope="session")
def guardian(accounts):
    return accounts[1]


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
    return governor.deploy(project.OracleAggregator, roles, SEASONING)


@pytest.fixture(scope="module")
def sources(project, governor):
    """Seven sources that answer whatever they are told, in ascending order of address."""
    deployed = [governor.deploy(project.HostileSource) for _ in range(7)]
    return sorted(deployed, key=lambda source: int(source.address, 16))


@pytest.fixture
def defaults():
    """Rules that most tests use."""
    return DEFAULTS


@pytest.fixture
def configure(aggregator, governor):
    """Set the rules of ETH over the given sources, equal unless shares are given."""

    def _configure(chosen, shares=None, config=DEFAULTS):
        listed = list(zip(chosen, shares or equal_shares(len(chosen)), strict=True))
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


# ------------------------------------------------------------------ in this process, with its twin

WHO = {"governor": "0x" + "60" * 20, "guardian": "0x" + "61" * 20, "stranger": "0x" + "62" * 20}
_ROLES = {keccak(text=role): role for role in (GOVERNOR, GUARDIAN)}


class Mode(IntEnum):
    """How a source misbehaves; the numbers are ``HostileSource``'s."""

    NORMAL = 0
    REVERT = 1
    BURN_GAS = 2
    RETURN_BOMB = 3
    REVERT_BOMB = 4
    SHORT_ANSWER = 5
    GAS_DEPENDENT = 6


@dataclass(slots=True)
class Script:
    """What a source says, to the contract and to its twin alike."""

    price: int = 0
    confidence: int = 0
    published_at: int = 0
    mode: Mode = Mode.NORMAL

    def latest(self, now: int) -> tuple[int, int, int]:
        if self.mode != Mode.NORMAL:
            raise ModelRevert("down")
        return self.price, self.confidence, self.published_at


@dataclass(slots=True)
class FeedScript:
    """What the sequencer's feed says, or that it fails."""

    answer: int = 0
    started_at: int = 0
    fails: bool = False

    def latest_round(self, now: int) -> tuple[int, int, int, int, int]:
        if self.fails:
            raise ModelRevert("down")
        return 1, self.answer, self.started_at, self.started_at, 1


def plain(value: Any) -> Any:
    """A value of the contract or of its twin, comparable with the other's."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(plain(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    if isinstance(value, bytes):
        return _ROLES.get(value) or value.rstrip(b"\0").decode()
    if isinstance(value, str):
        return value.lower() if value.startswith("0x") else value
    return int(value)


class Lab:
    """The contract in this process, and its twin, under the same scripts and the same clock.

    Attributes:
        chain: the process's chain.
        oracle: the contract.
        adapters: addresses of eight sources in the order of their deployment.
        feed, silent, short: the sequencer's feed; code that returns nothing; that returns 64 bytes.
    """

    who = WHO
    script_of = Script
    defaults = DEFAULTS

    def __init__(self, chain: Any, seasoning: int) -> None:
        self.chain = chain
        self.seasoning = seasoning
        governor = WHO["governor"]
        roles = chain.deploy("RoleRegistry", governor, sender=governor)
        roles.send("grantRole", keccak(text="GUARDIAN"), WHO["guardian"], sender=governor)
        self.oracle = chain.deploy("OracleAggregator", roles.address, seasoning, sender=governor)
        self._sources = [chain.deploy("HostileSource", sender=governor) for _ in range(8)]
        self.adapters = [source.address for source in self._sources]
        self._feed = chain.deploy("DevAggregatorV3", 0, "uptime", sender=governor)
        self.feed = self._feed.address
        self.silent = chain.deploy_code(bytes.fromhex("00"), governor)
        self.short = chain.deploy_code(bytes.fromhex("60405ff3"), governor)
        self.reset()

    def reset(self) -> None:
        """Begin with a new twin; the contract must be as it was deployed."""
        self.scripts = [Script() for _ in self._sources]
        self.feed_script = FeedScript()
        self.context = Context(self.chain.now)
        parts = Parts(self.context, Addresses())
        parts.roles = RoleRegistry(parts, WHO["governor"])
        parts.roles.grant_role(WHO["governor"], GUARDIAN, WHO["guardian"])
        has_code = {*self.adapters, self.feed, self.silent, self.short}
        self.twin = OracleAggregator(
            adapters=dict(zip(self.adapters, self.scripts, strict=True)),
            seasoning=self.seasoning,
            is_contract=has_code.__contains__,
            uptime_feeds={self.feed: self.feed_script},
        )
        self.contract_twin = OracleContract(
            self.context, self.oracle.address, parts.roles, self.twin
        )
        self.context.events.clear()

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self.chain.now)

    def skip(self, seconds: int) -> None:
        """Let time pass."""
        self.chain.now += seconds
        self.context.now = self.chain.now

    def answer(self, index: int, price: int, confidence: int = 0, age: int = 0) -> None:
        """Let a source answer; ``age`` seconds old, or of the future if negative."""
        self.script(index, Script(price, confidence, self.now - age))

    def script(self, index: int, script: Script) -> None:
        """Let a source answer anything."""
        known, source, sender = self.scripts[index], self._sources[index], WHO["governor"]
        if script.mode != known.mode:
            source.send("setMode", int(script.mode), 10**9, sender=sender)
        source.send("set", script.price, script.confidence, script.published_at, sender=sender)
        for field in fields(script):
            setattr(known, field.name, getattr(script, field.name))

    def answers(self, *prices: int, age: int = 0) -> None:
        """Let the first sources answer these prices."""
        for index, price in enumerate(prices):
            self.answer(index, price, age=age)

    def sequencer(self, answer: int, started_at: int, fails: bool = False) -> None:
        """Let the sequencer's feed answer, or fail."""
        sender = WHO["governor"]
        self._feed.send("setMode", int(fails), sender=sender)
        self._feed.send("setRound", 1, answer, started_at, started_at, 1, sender=sender)
        script = self.feed_script
        script.answer, script.started_at, script.fails = answer, started_at, fails

    def outcome(self, function: str, *args: Any, sender: str = "governor") -> tuple[Any, Any]:
        """What a transaction returns or reverts with, and its events; plain."""
        try:
            value, events = self.oracle.send(function, *args, sender=WHO[sender])
        except ContractReverted as reverted:
            return plain((reverted.error.name, *reverted.error.args)), ()
        return plain(value) if value is not None else None, tuple(map(_plain_event, events))

    def expected(self, call: Callable[[], Any]) -> tuple[Any, Any]:
        """What the twin returns or reverts with, and its events; plain."""
        self.context.events.clear()
        try:
            value = call()
        except ModelRevert as reverted:
            return plain((reverted.name, *reverted.args)), ()
        events = tuple((e.name, plain(tuple(e.args.values()))) for e in self.context.events)
        return plain(value) if value is not None else None, events

    def transact(self, function: str, *args: Any, sender: str = "governor") -> Any:
        """Do something that succeeds; return what it returns, and its events by name."""
        value, events = self.oracle.send(function, *args, sender=WHO[sender])
        return value, [(event.name, event.args) for event in events]

    def configure(
        self,
        shares: Sequence[int] = THIRDS,
        config: AssetConfig = DEFAULTS,
        first: int = 0,
        asset: bytes = ETH,
    ) -> None:
        """Set an asset's rules over as many sources as there are shares, from the first on."""
        listed = list(zip(self.adapters[first:], shares, strict=False))
        self.transact("configure", asset, as_tuple(config), listed)

    def record(self, *prices: int, asset: bytes = ETH) -> Any:
        """Let the first sources answer, record, and return the aggregate."""
        self.answers(*prices)
        return self.transact("record", asset)[0]

    def view(self, function: str, *args: Any) -> Any:
        """What a view returns."""
        return self.oracle.call(function, *args)

    def error(self, function: str, *args: Any, sender: str = "governor") -> Any:
        """How a call reverts: name and arguments."""
        with pytest.raises(ContractReverted) as caught:
            self.oracle.send(function, *args, sender=WHO[sender])
        return (caught.value.error.name, *caught.value.error.args)


def _plain_event(event: Event) -> tuple[str, Any]:
    return event.name, plain(tuple(event.args))


@pytest.fixture(scope="module")
def shared_lab():
    """One lab for all tests of a module."""
    pytest.importorskip("pyrevm", reason="https://pypi.org/project/pyrevm: no wheel here")
    from bulkhead.chain.in_process import InProcessChain

    return Lab(InProcessChain(GENESIS), SEASONING)


@pytest.fixture
def lab(shared_lab):
    """The lab as it was deployed, at a time that is a multiple of the sample period."""
    with shared_lab.chain.undone():
        shared_lab.reset()
        yield shared_lab
