"""This project's contracts as a target: a devnet, its model in the same state, and what must hold.

Operations ask the universe about the model; the harness asks it to play calls and to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from functools import partial
from typing import Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, ContractReverted, revert_data
from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import Call, Operation
from bulkhead.fuzz.suite import oracles, reading, words
from bulkhead.fuzz.suite.catalogue import OPERATIONS
from bulkhead.fuzz.suite.deploy import ODD, deploy_for_fuzzing, deploy_probe, prologue
from bulkhead.fuzz.suite.event_log import EventLog
from bulkhead.fuzz.suite.fields import SUB_ACCOUNTS
from bulkhead.fuzz.suite.origin import ACTOR_NAMES, GRANTEES, SEQUENCER, Origin, lower
from bulkhead.fuzz.suite.questions import Questions
from bulkhead.fuzz.suite.state import State, snapshot_of
from bulkhead.fuzz.suite.token_operations import callbacks
from bulkhead.fuzz.suite.twins import Twins
from bulkhead.fuzz.target import Deployment, Logged, Target, View
from bulkhead.model.margin_batch import InnerCall
from bulkhead.model.reverts import MarginEngine_Simulated
from bulkhead.model.types import Fill, pack

_PROBE = "StateProbe"
_TARGETS = ("MarginEngine", "PerpExchange", "SignedOrders")
"""Whom acts of a batch may call, by number."""
_LST_VIEWS = ("totalPooled", "busyUntil", "rate")


class Universe(Questions, Target):
    """One deployment of the suite, and a model of it.

    Args:
        artifacts: what is deployed; None: the last build.
    """

    name: ClassVar[str] = "suite"
    kinds: ClassVar[Sequence[type[Operation]]] = OPERATIONS
    invariants: ClassVar[Sequence[str]] = oracles.INVARIANTS

    def __init__(self, artifacts: Artifacts | None = None) -> None:
        super().__init__()
        self.artifacts = artifacts or load_artifacts(check=False)
        self.played = 0
        self._seen: tuple[bytes, State] | None = None
        self._glances: dict[tuple[int, ...], tuple[str, bytes]] = {}

    # ------------------------------------------------------------------ the harness asks

    def deploy(self, node: Anvil) -> Deployment:
        """Deploy a devnet, give everybody a position, and remember the state."""
        self.node = node
        self.book = book = deploy_for_fuzzing(node.rpc, node.accounts[0].address, self.artifacts)
        contracts = {
            name: book.contract(node.rpc, name, self.artifacts)
            for name in (*book.contracts, *book.tokens, *book.feeds)
        }
        contracts |= self._others()
        self.deployment = Deployment(contracts, {n: lower(a) for n, a in book.accounts.items()})
        self._name_people()
        self.settlement_symbol = book.settlement_token
        self.feed_names = tuple(sorted(name for name in book.feeds if name != SEQUENCER))
        self.model = Origin(self).model()
        self._twins = Twins(self.model, book)
        self._stored = words.Stored(self.model, self.accounts, self.grantees)
        self._choose_views()
        self._symbols = (self.settlement_symbol, *book.collaterals)
        self._prepare_callbacks()
        self._begin(prologue(self))
        self.model.keep()
        self._first = self._look()
        self._event_log = EventLog(self)
        self._first_answers = {name: self.answer(name) for name in self.feed_names}
        return self.deployment

    def reset(self) -> None:
        """Bring the model back to the state of the deployment."""
        self.model.rewind()
        self.played = 0
        self._stored.restore(self._first[0])
        self._seen = self._first

    @property
    def now(self) -> int:
        """The model's time, Unix seconds."""
        return self.model.now

    @now.setter
    def now(self, value: int) -> None:
        if self.model is not None:
            self.model.now = value

    def play(self, call: Call) -> Any:
        """Play a call on the model, at the model's time; return what Solidity returns.

        Raises:
            ModelRevert: as the contract would.
        """
        self.played += 1
        try:
            returned = self._twins.play(call)
        except MarginEngine_Simulated as said:
            results, valuations = said.args
            encoded = self._encode_results(call, results)
            raise MarginEngine_Simulated(encoded, valuations) from None
        return self._encode_results(call, returned) if call.function == "batch" else returned

    def take_events(self) -> list[Logged]:
        """Return what the twins logged, and forget it."""
        events = self.model.events
        found = [Logged(e.name, tuple(e.args.values()), e.emitter) for e in events]
        events.clear()
        return found

    def expected_deep(self) -> list[Any]:
        """Return all that is stored, what follows, balances, and the staking token's figures."""
        m = self.model
        tokens = [*(m.tokens[lower(a)] for a in self.book.tokens.values())]
        holders = (*tokens, m.liquidity_vault, m.insurance_fund)
        return [
            self._look()[0],
            words.encode(words.derived(m, self.accounts, self._assets, self._pegs)),
            words.encode(words.balances(holders, self.holders)),
            *(words.word(n) for n in (m.lst.total_pooled, m.lst.busy_until, m.lst.rate())),
        ]

    def expected(self) -> list[Any]:
        """Return what ``StateProbe.stored`` returns, encoded."""
        return [self._look()[0]]

    def expected_data(self, *, deep: bool) -> tuple[bytes, ...]:
        """Return the bytes that the views have to return."""
        return (*self.expected(), *(self.expected_deep() if deep else ()))

    def look(self) -> tuple[tuple[bytes, ...], State]:
        """Return the stored words, and the state that they say."""
        data, state = self._look()
        return (data,), state

    def glance(self, call: Call) -> tuple[tuple[tuple[str, bytes], ...], tuple[bytes, ...]] | None:
        """Return the stored words without the accounts that a call has nothing to do with."""
        named = set(_numbers(call.args)) | self._stored.touched
        named.add(pack(call.sender, 0))
        places = tuple(i for i, account in enumerate(self.accounts) if account in named)
        if places not in self._glances:
            ids = [self.accounts[i].to_bytes(32, "big") for i in places]
            view = self.views[0]
            self._glances[places] = self.encode_view(
                View(view.contract, view.function, (ids, *view.args[1:]))
            )
        return (self._glances[places],), (self._stored.excerpt(places),)

    def observe(self, views: Sequence[Any]) -> State:
        """Return the state that the stored words say."""
        stored = views[0]
        decimals = self.book.decimals[self.settlement_symbol]
        take = partial(reading.snapshot, stored, *self.layout, decimals)
        return State(words.encode(stored), take)

    def state(self) -> State:
        """Return the model's state; the same object until something stored changes."""
        return self._look()[1]

    def view_differences(self, expected: Sequence[bytes], actual: Sequence[bytes]) -> Iterator[str]:
        """Yield which stored words differ by name, then which of the others by place."""
        mine, other = self.decode_view(0, expected[0]), self.decode_view(0, actual[0])
        if len(mine) == len(other):
            yield from reading.differences(mine, other, reading.labels(*self.layout))
            yield from super().view_differences((b"", *expected[1:]), (b"", *actual[1:]))
        else:
            yield f"number of words: model {len(mine)}, chain {len(other)}"

    def note(self, call: Call) -> Any:
        """Return the accounts of others that may lose something by a call."""
        return oracles.may_lose(self, call)

    def violations(self, judged: Judged) -> Iterable[Violation]:
        """Yield the invariants that a call broke."""
        return oracles.violations(judged)

    def probe(self) -> Iterable[Violation]:
        """Yield the invariants that are tried on the model: LIQ-1 on every account, VLT-1."""
        return oracles.probe(self)

    def review(self, judged: Sequence[Judged]) -> Iterable[tuple[int, Violation]]:
        """Yield the call after which the event log tells another ledger than is stored: EVT-1."""
        return self._event_log.review(judged)

    def regime(self) -> str:
        """Return the breaker's tier and whether h is below 1."""
        return oracles.regime(self)

    def measures(self) -> dict[str, float]:
        """Return bad debt and the haircut."""
        return oracles.measures(self)

    def openings(self) -> Sequence[Sequence[Operation]]:
        """Return beginnings that lead where most sequences do not get by themselves."""
        return oracles.OPENINGS

    def epilogue(self, number: int) -> Sequence[Operation]:
        """Return round trips; every eighth time everybody leaves after them."""
        return oracles.epilogue(number)

    def encode_call(self, call: Call) -> tuple[str, bytes]:
        """Return the callee's address and the calldata of a call, that of a batch call by call."""
        if call.function in ("batch", "simulate"):
            *others, inner = call.args
            encoded = [(c.target, self.encode_inner(c)) for c in inner]
            call = Call(call.sender, call.contract, call.function, (*others, encoded))
        return super().encode_call(call)

    def encode_inner(self, call: InnerCall) -> bytes:
        """Return the calldata of an act of a batch."""
        name = _TARGETS[call.target]
        return self.encode_call(Call("", name, _camel(call.function), call.args))[1]

    def _encode_results(self, call: Call, returned: Sequence[Any]) -> list[bytes]:
        return [self._encode_result(*pair) for pair in zip(call.args[-1], returned, strict=True)]

    def _encode_result(self, call: InnerCall, returned: Any) -> bytes:
        contract = self.contract(_TARGETS[call.target])
        outputs = contract.interface.function(_camel(call.function)).outputs
        if isinstance(returned, Fill):
            return outputs.encode([astuple(returned)])
        return b"" if returned is None else outputs.encode([returned])

    # ------------------------------------------------------------------ internal

    def _name_people(self) -> None:
        people = self.deployment.accounts
        self.actors = tuple(people[name] for name in ACTOR_NAMES)
        self.keeper, self.staker = people["keeper"], people["staker"]
        self.guardian = people["guardian"]
        self.governor = lower(self.book.deployer)
        owners = (*self.actors, self.keeper)
        self.accounts = tuple(pack(owner, sub) for owner in owners for sub in range(SUB_ACCOUNTS))
        self.prober = pack(self.keeper, 1)
        self.grantees = tuple(people[name] for name in GRANTEES)
        self.keys = {lower(a.address): a.private_key for a in self.node.accounts}

    def _prepare_callbacks(self) -> None:
        for call in callbacks(self):
            to, data = self.encode_call(call)
            self.model.callbacks[lower(to), data] = partial(self._twins.play, call)

    def _others(self) -> dict[str, Contract]:
        """Return the contracts that the address book does not know as what they are."""
        book, rpc = self.book, self.node.rpc
        found = {_PROBE: deploy_probe(rpc, book, self.artifacts)}
        found[ODD] = Contract(rpc, book.tokens[ODD], self.artifacts["HostileToken"].abi, ODD)
        for asset, adapters in book.adapters.items():
            for i, address in enumerate(adapters, 1):
                name = f"{asset}-{i}-adapter"
                found[name] = Contract(rpc, address, self.artifacts["ChainlinkAdapter"].abi, name)
        return found

    def _look(self) -> tuple[bytes, State]:
        data = self._stored.data()
        if self._seen is None or self._seen[0] is not data:
            taken = snapshot_of(self.model, self.accounts)
            self._seen = data, State(data, lambda: taken)
        return self._seen

    def _begin(self, calls: Sequence[Call]) -> None:
        """Commit calls to the chain and to the model, a second apart."""
        timestamp = self.node.rpc.timestamp()
        for call in calls:
            timestamp += 1
            to, data = self.encode_call(call)
            self.node.rpc.set_next_timestamp(timestamp)
            receipt = self.node.rpc.send_sync(call.sender, to, data)
            if not receipt.success:
                data = revert_data(self.node.rpc, receipt.hash)
                raise ContractReverted(f"the prologue: {call}", data, receipt)
            self.now = timestamp
            self.play(call)

    def _choose_views(self) -> None:
        book = self.book
        p = book.parameters
        ids = [account.to_bytes(32, "big") for account in self.accounts]
        self._assets = tuple(asset.name for asset in p.oracle)
        self._pegs = tuple(peg.name for peg in p.pegs)
        found = (
            *self.deployment.accounts.values(),
            *book.contracts.values(),
            *book.tokens.values(),
        )
        self.holders = tuple(sorted({lower(a) for a in found}))
        vaults = [book.contracts["LiquidityVault"], book.contracts["InsuranceFund"]]
        tokens = [*book.tokens.values(), *vaults]
        names = [asset_id(a) for a in self._assets], [asset_id(a) for a in self._pegs]
        shape = len(p.markets), len(p.collaterals)
        listed = [book.tokens[collateral.name] for collateral in p.collaterals]
        self.views = (View(_PROBE, "stored", (ids, shape[0], listed, False)),)
        self.deep_views = (
            View(_PROBE, "stored", (ids, shape[0], listed, True)),
            View(_PROBE, "derived", (ids, *shape, *names)),
            View(_PROBE, "balances", (tokens, list(self.holders))),
            *(View("LST", function) for function in _LST_VIEWS),
        )
        self.logging = (*(c for c in book.contracts if c != "Lens"), *book.tokens, *book.feeds)
        self.layout = (self.accounts, *shape)


def _numbers(args: Any) -> Iterator[int]:
    """Yield the integers among arguments, also of the acts of a batch."""
    for arg in args:
        if type(arg) is int:
            yield arg
        elif isinstance(arg, InnerCall):
            yield from _numbers(arg.args)
        elif isinstance(arg, list | tuple):
            yield from _numbers(arg)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
