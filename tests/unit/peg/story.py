"""The peg monitor over a scripted oracle and scripted sources, and its twin beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from eth_utils.crypto import keccak

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, decode_error, interface_of
from bulkhead.chain.eth_call import storage_key
from bulkhead.chain.rpc import parse_log
from bulkhead.deployment.sender import RpcSender
from bulkhead.model.context import Context, Table
from bulkhead.model.errors import ModelRevert
from bulkhead.model.oracle import OracleAggregator_UnknownAsset
from bulkhead.model.parts import Parts
from bulkhead.model.peg import PegMonitor
from bulkhead.model.peg_math import PegConfig, PegState, PegValuation
from bulkhead.model.prices import PriceData, PriceStatus
from bulkhead.model.roles import GOVERNOR, RoleRegistry
from bulkhead.model.shared import PegContract
from bulkhead.model.types import Addresses

WAD = 10**18
HOUR = 3_600
DAY = 86_400
GENESIS = 1_800_000_000
GAS = 3_000_000
LST = b"LST".ljust(32, b"\0")
ETH = b"ETH".ljust(32, b"\0")
RATIO = b"LST/ETH".ljust(32, b"\0")

CONFIG_BITS = (256, 32, 32, *[64] * 7, 256, 160, 32, 64, 160, 64, 160, *[64] * 4)
STATE_BITS = (64, 64, 64, 40, 8, 8, 64, 64, 32, 64)
SOURCES = {"rate": "rate_source", "backing": "backing_source", "queue": "queue"}
NORMAL, REVERT, BURN_GAS, RETURN_BOMB, REVERT_BOMB, SHORT_ANSWER, NO_ANSWER = range(7)
"""Modes of ``HostilePegSource``; the bomb begins with an answer."""
ANSWERING = (NORMAL, RETURN_BOMB)
GOVERNOR_HASH = keccak(text=GOVERNOR)

# The rules of `docs/spec/peg.md`, which are those of the devnet.
DEVNET = PegConfig(
    underlying="ETH",
    max_age=120,
    decay_period=3 * DAY,
    deadband=WAD // 100,
    stress_per_day=10 * WAD,
    grace_stress=3 * WAD // 100,
    discount_slope=WAD // 2,
    stress_slope=15 * WAD // 100,
    max_haircut=WAD // 2,
    broken_at=9 * WAD // 10,
    market_ratio="LST/ETH",
    rate_source="rate",
    free_delay=3 * DAY,
    max_rate_fall=WAD // 200,
    backing_source="backing",
    backing_slope=WAD,
    queue="queue",
    delay_slope=WAD // 500,
    base_haircut=WAD // 20,
    stressed_at=3 * WAD // 10,
    max_shortfall=WAD // 100,
)


def packed(base: int, values: tuple[int, ...], bits: tuple[int, ...]) -> dict[int, int]:
    """Storage words of a struct: values from the lowest bits up, none across a slot's end."""
    words, slot, used = {base: 0}, base, 0
    for value, size in zip(values, bits, strict=True):
        if used + size > 256:
            slot, used = slot + 1, 0
            words[slot] = 0
        words[slot] |= value << used
        used += size
    return words


def as_struct(config: PegConfig) -> tuple[Any, ...]:
    """The contract's struct of the model's rules."""
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    for name in ("underlying", "market_ratio"):
        values[name] = asset_id(values[name]) if values[name] else bytes(32)
    return tuple(values.values())


class Words:
    """Storage words of the monitor, from the model's values."""

    @staticmethod
    def config(config: PegConfig) -> dict[int, int]:
        values = (
            int.from_bytes(v) if isinstance(v, bytes) else int(v, 16) if isinstance(v, str) else v
            for v in as_struct(config)
        )
        return packed(storage_key(0, LST), tuple(values), CONFIG_BITS)

    @staticmethod
    def state(state: PegState) -> dict[int, int]:
        return packed(storage_key(1, LST), tuple(map(int, astuple(state))), STATE_BITS)


class Seen(NamedTuple):
    """What one act came to: what it returned or reverted with, its events, the views after it."""

    result: Any
    events: tuple[tuple[Any, ...], ...]
    state: Any
    config: Any
    value: Any


class FakeOracle:
    """The part of the oracle's twin that a reader of prices calls; it answers what it is told."""

    def __init__(self) -> None:
        self.prices: dict[str, PriceData] = {}

    def latest(self, asset: str, now: int) -> PriceData:
        if asset not in self.prices:
            raise OracleAggregator_UnknownAsset(asset)
        return self.prices[asset]

    fetch = latest

    def derivation(self, asset: str) -> None:
        self.latest(asset, 0)


@dataclass
class Stage:
    """The scripted contracts on a node of their own."""

    node: Anvil
    monitor: Contract
    oracle: Contract
    sources: dict[str, Contract]

    @cached_property
    def moment(self) -> tuple[int, int]:
        """Height and time at which every story begins; nobody transacts here afterwards."""
        return self.node.rpc.block_number(), self.node.rpc.timestamp()

    @property
    def governor(self) -> str:
        return str(self.node.accounts[0].address)

    @property
    def stranger(self) -> str:
        return str(self.node.accounts[5].address)


@contextmanager
def deploy_stage(timestamp: int) -> Iterator[Stage]:
    """A stage, for as long as the block lasts."""
    with Anvil(base_fee=0, timestamp=timestamp) as node:
        roles = deploy(node, "RoleRegistry", node.accounts[0].address)
        oracle = deploy(node, "ScriptedOracle")
        monitor = deploy(node, "PegMonitor", roles.address, oracle.address)
        sources = {name: deploy(node, "HostilePegSource") for name in SOURCES}
        yield Stage(node, monitor, oracle, sources)


def deploy(node: Anvil, name: str, *args: Any) -> Contract:
    """Deploy a contract from the first account."""
    artifact = ensure_compiled()[name]
    data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
    created = RpcSender(node.rpc, node.accounts[0].address).send(None, data, name).created
    assert created is not None
    return Contract(node.rpc, created, artifact.abi, name)


class Story:
    """A sequence of acts, played by the contract in one request and by the twin; they must agree.

    It begins with a token at peg that is not configured: rate, market and backing are 1.0, there is
    no delay, and the underlying is at 2,000. Each act returns what the contract did, unless
    ``is_lazy``: then ``play`` returns it for all acts.
    """

    def __init__(self, stage: Stage, *, is_lazy: bool = False) -> None:
        self.stage = stage
        self.is_lazy = is_lazy
        self._height, self.now = stage.moment
        self.addresses = {name: source.address for name, source in stage.sources.items()}
        self.oracle = FakeOracle()
        self._acts: list[str] = []
        self._blocks: list[dict[str, Any]] = []
        self._expected: list[Seen] = []
        self._controls: list[dict[str, str]] = []
        self._answers: dict[str, int | None] = {}
        self._imposed: dict[str, str] = {}
        self._context = Context(self.now)
        roles = RoleRegistry(Parts(self._context, Addresses()), stage.governor)
        # Each of them answers whatever it is asked.
        sources = {a: lambda *_, n=n: self._ask(n) for n, a in self.addresses.items()}
        self.twin = PegMonitor(
            self.oracle,
            sources,
            Table(self._context),
            Table(self._context),
            is_contract=lambda address: address in self.addresses.values(),
            backings=sources,
            queues=sources,
        )
        self._peg = PegContract(self._context, stage.monitor.address, roles, self.twin)
        self.price("ETH", 2_000 * WAD)
        self.market(WAD)
        for name, answer in (("rate", WAD), ("backing", WAD), ("queue", 0)):
            self.source(name, answer)

    # ---------------------------------------------------------------- the world

    def price(self, asset: str, price: int, status: PriceStatus = PriceStatus.VALID) -> None:
        """Let the oracle answer so from the next act on."""
        self.oracle.prices[asset] = PriceData(price=price, status=status)
        self._control(self.stage.oracle, "set", asset_id(asset), (price, 0, 0, 0, int(status)))

    def market(self, ratio: int, status: PriceStatus = PriceStatus.VALID) -> None:
        """Let the market pay so much underlying for 1.0 token."""
        self.price("LST/ETH", ratio, status)

    def source(self, name: str, answer: int, mode: int = NORMAL) -> None:
        """Let a source answer so, or misbehave."""
        self._answers[name] = answer if mode in ANSWERING else None
        self._control(self.stage.sources[name], "set", mode, answer)

    def impose(self, config: PegConfig, state: PegState) -> None:
        """Begin with these rules and this recorded state, however they came to be."""
        config = self.rules(config)
        self.twin._configs["LST"], self.twin._states["LST"] = config, state
        words = Words.config(config) | Words.state(state)
        self._imposed = {f"0x{k:064x}": f"0x{v:064x}" for k, v in words.items()}

    def rules(self, base: PegConfig = DEVNET, **changes: Any) -> PegConfig:
        """Rules with the names of sources turned into addresses."""
        config = replace(base, **changes)
        named = {f: getattr(config, f) for f in SOURCES.values()}
        return replace(config, **{f: self.addresses.get(name, name) for f, name in named.items()})

    # ---------------------------------------------------------------- acts

    def configure(
        self, *, after: int = 1, sender: str = "", base: PegConfig = DEVNET, **changes: Any
    ) -> Seen:
        """Set the rules: those of ``base`` with changes."""
        config, sender = self.rules(base, **changes), sender or self.stage.governor
        act = lambda: self._peg.configure(sender, "LST", config)  # noqa: E731
        return self._act(after, sender, act, "configure", LST, as_struct(config))

    def clear(self, *, after: int = 1, sender: str = "") -> Seen:
        """Let a broken peg be judged anew."""
        sender = sender or self.stage.governor
        return self._act(after, sender, lambda: self._peg.clear(sender, "LST"), "clear", LST)

    def poke(self, *, after: int = 1) -> Seen:
        """Poke, as anybody."""
        sender = self.stage.stranger
        return self._act(after, sender, lambda: self._peg.poke(sender, "LST"), "poke", LST)

    def look(self, *, after: int = 0) -> Seen:
        """Only look, so many seconds later."""
        return self._act(
            after, self.stage.stranger, lambda: self.twin.peg_state("LST"), "pegState", LST
        )

    def play(self) -> list[Seen]:
        """Play all acts on the contract; assert that it and the twin did the same."""
        request = {"blockStateCalls": self._blocks, "validation": False, "traceTransfers": False}
        answer = self.stage.node.rpc.request("eth_simulateV1", [request, "latest"])
        seen = [
            self._decoded(act, block["calls"][-4:])
            for act, block in zip(self._acts, answer, strict=True)
        ]
        for number, (act, ours, twins) in enumerate(
            zip(self._acts, seen, self._expected, strict=True)
        ):
            assert ours == twins, f"act {number}, {act}: contract {ours}, twin {twins}"
        return seen

    def _act(
        self, after: int, sender: str, twin: Callable[[], Any], method: str, *args: Any
    ) -> Seen:
        self.now += after
        self._context.now = self.now
        self._context.events.clear()
        result = _plain(_outcome(twin))
        events = tuple(
            (e.name, *(_plain(v) for v in e.args.values())) for e in self._context.events
        )
        views = (
            _outcome(lambda: self.twin.peg_state("LST")),
            _outcome(lambda: self.twin.peg_config("LST")),
            _outcome(lambda: self.twin.valuation("LST", self.now)),
        )
        self._expected.append(Seen(result, events, *views))

        monitor, stranger = self.stage.monitor, self.stage.stranger
        looks = [("pegState", LST), ("pegConfig", LST), ("valuation", LST)]
        calls = [_request(monitor, sender, method, *args)]
        calls += [_request(monitor, stranger, *look) for look in looks]
        self._acts.append(method)
        moment = {
            "number": hex(self._height + len(self._acts)),
            "time": hex(self.now),
            "gasLimit": hex(GAS * 20),
        }
        block: dict[str, Any] = {"blockOverrides": moment, "calls": [*self._controls, *calls]}
        if self._imposed:
            block["stateOverrides"] = {monitor.address: {"stateDiff": self._imposed}}
        self._blocks.append(block)
        self._controls, self._imposed = [], {}
        return self._expected[-1] if self.is_lazy else self.play()[-1]

    def _decoded(self, act: str, calls: list[dict[str, Any]]) -> Seen:
        monitor = self.stage.monitor
        results = []
        for method, call in zip((act, "pegState", "pegConfig", "valuation"), calls, strict=True):
            data = bytes.fromhex(call["returnData"][2:])
            if call["status"] == "0x1":
                results.append(_plain(monitor.decode(method, data)))
            else:
                error = decode_error(data)
                results.append((error.name, *map(_plain, error.args)))
        logs = map(parse_log, calls[0]["logs"])
        decoded = [monitor.decode_log(log) for log in logs]
        events = tuple((e.name, *_plain(e.args)) for e in decoded if e is not None)
        state, config, value = results[1:]
        return Seen(
            results[0], events, _named(PegState, state), config, _named(PegValuation, value)
        )

    def _control(self, contract: Contract, method: str, *args: Any) -> None:
        self._controls.append(_request(contract, self.stage.governor, method, *args))

    def _ask(self, name: str) -> int:
        answer = self._answers[name]
        if answer is None:
            raise ModelRevert
        return answer


def _request(contract: Contract, sender: str, method: str, *args: Any) -> dict[str, str]:
    data = "0x" + contract.encode(method, *args).hex()
    return {"from": sender, "to": contract.address, "data": data, "gas": hex(GAS)}


def _outcome(attempt: Callable[[], Any]) -> Any:
    try:
        result = attempt()
    except ModelRevert as revert:
        return (revert.name, *map(_plain, revert.args))
    return result if isinstance(result, (PegState, PegValuation)) else _plain(result)


def _named(kind: type, values: Any) -> Any:
    """Values as a struct of the model; a revert as it is."""
    return values if isinstance(values[0], str) else kind(*values)


def _plain(value: Any) -> Any:
    """Structs as tuples, texts instead of words: what contract and twin say, in one shape."""
    if isinstance(value, bytes):
        return GOVERNOR if value == GOVERNOR_HASH else value.rstrip(b"\0").decode()
    if is_dataclass(value):
        return tuple(_plain(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return int(value) if isinstance(value, int) else value
