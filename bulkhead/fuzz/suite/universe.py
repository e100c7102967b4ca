"""This project's contracts as a target: a devnet, its model in the same state, and what must hold.

Operations ask the universe about the model; the harness asks it to play calls and to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, ContractReverted, revert_data
from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import Call, Operation
from bulkhead.fuzz.suite import oracles, words
from bulkhead.fuzz.suite.catalogue import OPERATIONS
from bulkhead.fuzz.suite.deploy import deploy_for_fuzzing, deploy_probe, prologue
from bulkhead.fuzz.suite.origin import ACTOR_NAMES, Model, Origin, lower
from bulkhead.fuzz.suite.user_operations import SUB_ACCOUNTS, size_for
from bulkhead.fuzz.target import Deployment, Logged, Target, View, snake
from bulkhead.model import oracle as oracle_model
from bulkhead.model.errors import ModelRevert
from bulkhead.model.invariants import Snapshot
from bulkhead.model.math import WAD
from bulkhead.model.tokens import Token
from bulkhead.model.types import SETTLEMENT, AccountId, Address, pack
from bulkhead.model.vaults import LedgerVault

_PROBE = "StateProbe"


class State:
    """The stored words of a compartment; what they say is read only where something asks."""

    def __init__(self, stored: Sequence[int], universe: Universe) -> None:
        self.stored = stored
        self._layout = universe.layout
        self._decimals = universe.book.decimals[universe.settlement_symbol]

    @cached_property
    def snapshot(self) -> Snapshot:
        """The state as the invariants read it."""
        return words.snapshot(self.stored, *self._layout, self._decimals)


class Universe(Target):
    """One deployment of the suite, and a model of it.

    Args:
        artifacts: what is deployed; None: the last build.
    """

    name: ClassVar[str] = "suite"
    kinds: ClassVar[Sequence[type[Operation]]] = OPERATIONS

    def __init__(self, artifacts: Artifacts | None = None) -> None:
        super().__init__()
        self.artifacts = artifacts or load_artifacts(check=False)

    # ------------------------------------------------------------------ the harness asks

    def deploy(self, node: Anvil) -> Deployment:
        """Deploy a devnet, give everybody a position, and remember the state."""
        self.node = node
        self.book = deploy_for_fuzzing(node.rpc, node.accounts[0].address, self.artifacts)
        book = self.book
        contracts = {
            name: book.contract(node.rpc, name, self.artifacts)
            for name in (*book.contracts, *book.tokens, *book.feeds)
        }
        for asset, adapters in book.adapters.items():
            for i, address in enumerate(adapters, 1):
                abi = self.artifacts["ChainlinkAdapter"].abi
                name = f"{asset}-{i}-adapter"
                contracts[name] = Contract(node.rpc, address, abi, name)
        contracts[_PROBE] = deploy_probe(node.rpc, book, self.artifacts)
        self.deployment = Deployment(contracts, {n: lower(a) for n, a in book.accounts.items()})
        self.settlement_symbol = book.settlement_token
        self.actors = tuple(lower(book.accounts[name]) for name in ACTOR_NAMES)
        self.keeper = lower(book.accounts["keeper"])
        self.guardian = lower(book.accounts["guardian"])
        self.feed_names = tuple(sorted(book.feeds))
        self.accounts = tuple(
            pack(actor, sub) for actor in (*self.actors, self.keeper) for sub in range(SUB_ACCOUNTS)
        )
        self.prober = pack(self.keeper, 1)
        self.adapters: dict[str, oracle_model.ChainlinkAdapter] = {}
        self._origin = Origin(self)
        self.reset()
        self._origin.prologue = self._begin(prologue(self))
        self._choose_views()
        return self.deployment

    def reset(self) -> None:
        """Bring the model back to the state of the deployment."""
        self.adapters = {}
        self.model: Model = self._origin.model(self.adapters)
        for call, timestamp in self._origin.prologue:
            self.now = timestamp
            self.play(call)
        self.model.events.clear()

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
        return self._twin(call)(*call.args)

    def take_events(self) -> list[Logged]:
        """Return what the twins logged, and forget it."""
        found = [
            Logged(e.name, tuple(e.args.values()), e.emitter)
            for e in self.model.events
            if e.emitter in self._loggers
        ]
        self.model.events.clear()
        return found

    def expected(self) -> list[Any]:
        """Return the words of ``StateProbe.stored``."""
        return [words.stored(self.model, self.accounts)]

    def expected_deep(self) -> list[Any]:
        """Return the words of the deep views: all that is stored, what follows, balances."""
        tokens = [
            *(self.model.tokens[lower(a)] for a in self.book.tokens.values()),
            self.model.liquidity_vault,
            self.model.insurance_fund,
        ]
        return [
            words.stored(self.model, self.accounts),
            words.derived(self.model, self.accounts, self._assets, self._pegs),
            words.balances(self.model, tokens, self._holders),
        ]

    def expected_data(self, *, deep: bool) -> tuple[bytes, ...]:
        """Return the bytes that the views have to return."""
        values = [*self.expected(), *(self.expected_deep() if deep else ())]
        return tuple(map(words.encode, values))

    def look(self) -> tuple[tuple[bytes, ...], State]:
        """Return the stored words, encoded and as the state that they say."""
        stored = words.stored(self.model, self.accounts)
        return (words.encode(stored),), State(stored, self)

    def observe(self, views: Sequence[Any]) -> State:
        """Return the state that the stored words say."""
        return State(views[0], self)

    def state(self) -> State:
        """Return the model's state."""
        return State(words.stored(self.model, self.accounts), self)

    def view_differences(
        self, expected: Sequence[bytes], actual: Sequence[bytes]
    ) -> Iterator[str]:
        """Yield which stored words differ by name, then which of the others by place."""
        mine, other = self.decode_view(0, expected[0]), self.decode_view(0, actual[0])
        if len(mine) == len(other):
            yield from words.differences(mine, other, words.labels(*self.layout))
            yield from super().view_differences((b"", *expected[1:]), (b"", *actual[1:]))
        else:
            yield f"number of words: model {len(mine)}, chain {len(other)}"

    def note(self, call: Call) -> Any:
        """Return whether the account that a liquidation is aimed at is unhealthy."""
        return oracles.unhealthy_target(self, call)

    def violations(self, judged: Judged) -> Iterable[Violation]:
        """Yield the invariants that a call broke."""
        return oracles.violations(judged)

    def probe(self) -> Iterable[Violation]:
        """Yield the invariants that are tried on the model: LIQ-1 on every account, VLT-1."""
        return oracles.probe(self)

    def regime(self) -> str:
        """Return the breaker's tier and whether h is below 1."""
        return oracles.regime(self)

    def measures(self) -> dict[str, float]:
        """Return bad debt and the haircut."""
        return oracles.measures(self)

    def openings(self) -> Sequence[Sequence[Operation]]:
        """Return a crash and a boom, as most sequences do not get there by themselves."""
        return oracles.OPENINGS

    def _begin(self, calls: Sequence[Call]) -> tuple[tuple[Call, int], ...]:
        """Commit calls to the chain, a second apart; return them with their times."""
        timestamp = self.node.rpc.timestamp()
        committed = []
        for call in calls:
            timestamp += 1
            to, data = self.encode_call(call)
            self.node.rpc.set_next_timestamp(timestamp)
            receipt = self.node.rpc.send_sync(call.sender, to, data)
            if not receipt.success:
                data = revert_data(self.node.rpc, receipt.hash)
                raise ContractReverted(f"the prologue: {call}", data, receipt)
            committed.append((call, timestamp))
            self.now = timestamp
            self.play(call)
        return tuple(committed)

    def _choose_views(self) -> None:
        book = self.book
        ids = [account.to_bytes(32, "big") for account in self.accounts]
        p = book.parameters
        self._assets = tuple(asset.name for asset in p.oracle)
        self._pegs = tuple(peg.name for peg in p.pegs)
        people = self.deployment.accounts.values()
        self._holders = tuple(sorted({*people, *map(lower, book.contracts.values())}))
        vaults = [book.contracts["LiquidityVault"], book.contracts["InsuranceFund"]]
        tokens = [*book.tokens.values(), *vaults]
        names = [asset_id(a) for a in self._assets], [asset_id(a) for a in self._pegs]
        shape = len(p.markets), len(p.collaterals)
        listed = [book.tokens[collateral.name] for collateral in p.collaterals]
        self.views = (View(_PROBE, "stored", (ids, shape[0], listed, False)),)
        self.deep_views = (
            View(_PROBE, "stored", (ids, shape[0], listed, True)),
            View(_PROBE, "derived", (ids, *shape, *names)),
            View(_PROBE, "balances", (tokens, list(self._holders))),
        )
        self.logging = (
            *(n for n in book.contracts if n not in ("OracleAggregator", "PegMonitor", "Lens")),
            *(symbol for symbol in book.tokens if symbol not in ("LST", "WETH")),
        )
        self._loggers = {self.contract(name).address.lower() for name in self.logging}
        self.layout = (self.accounts, *shape)

    # ------------------------------------------------------------------ what operations ask

    def account(self, owner: Address, sub: int) -> AccountId:
        """Return an account's id."""
        return pack(owner, sub)

    def token(self, collateral: int) -> Token | None:
        """Return the token of a collateral id, None if it is not listed."""
        if collateral == SETTLEMENT:
            return self.model.settlement
        try:
            config = self.model.risk_parameters.collateral_config(collateral)
        except ModelRevert:
            return None
        return self.model.tokens[config.token]

    def wallet(self, owner: Address, collateral: int) -> int:
        """Return the token units in an owner's wallet."""
        token = self.token(collateral)
        return 0 if token is None else token.balance_of(owner)

    def held(self, account: AccountId, collateral: int) -> int:
        """Return the token units that an account could withdraw if nothing were asked of it."""
        engine = self.model.margin_engine
        if collateral == SETTLEMENT:
            return max(0, engine.account_ledger(account).cash) // 10**12
        return engine.collateral_balance(account, collateral)

    def is_unhealthy(self, account: AccountId) -> bool:
        """Return whether an account is below its maintenance margin; False if it has no price."""
        try:
            v = self.model.margin_engine.valuation(account)
        except ModelRevert:
            return False
        return v.equity_maintenance < v.maintenance_margin and v.buffer_at_index < 0

    def debt(self, account: AccountId) -> int:
        """Return an account's debt, WAD."""
        return max(0, -self.model.margin_engine.account_ledger(account).cash)

    def markets_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the markets in which an account has a position."""
        return tuple(
            market
            for market in range(self.model.risk_parameters.market_count)
            if self.model.perp_exchange.position(account, market).size
        )

    def collaterals_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the collaterals that an account holds."""
        count = self.model.risk_parameters.collateral_count
        return tuple(i for i in range(1, count + 1) if self.held(account, i))

    def auctions_of(self, account: AccountId) -> tuple[int, ...]:
        """Return the collaterals of an account that are up for auction."""
        count = self.model.risk_parameters.collateral_count
        engine = self.model.liquidation_engine
        return tuple(i for i in range(1, count + 1) if engine.auction_started_at(account, i))

    def vault(self, index: int) -> tuple[str, LedgerVault]:
        """Return the pool (0) or the insurance fund (1), with its name."""
        if index == 0:
            return "LiquidityVault", self.model.liquidity_vault
        return "InsuranceFund", self.model.insurance_fund

    def affordable_size(self, account: AccountId, market: int) -> int:
        """Return roughly the WAD base units that the account's free margin carries."""
        try:
            trading = self.model.risk_parameters.market_trading(market)
            index_price, _ = self.model.perp_exchange.index_price(market)
            v = self.model.margin_engine.valuation(account)
        except ModelRevert:
            return WAD
        free = max(0, v.equity_initial - v.initial_margin)
        # The fee and the price impact take a part of what the ratio alone would allow.
        return size_for(free * WAD // (trading.initial_margin_ratio + WAD // 500), index_price)

    def feeds_of(self, asset: str) -> tuple[str, ...]:
        """Return the names of an asset's feeds."""
        return tuple(name for name in self.feed_names if name.rpartition("-")[0] == asset)

    def answer(self, feed: str) -> int:
        """Return what a feed answers now, in its own decimals."""
        return self.adapters[self.book.feeds[feed]].answer

    def report(self, feed: str, answer: int) -> Call:
        """Return the call that makes a feed answer."""
        return Call(lower(self.book.deployer), feed, "setAnswer", (answer,))

    # ------------------------------------------------------------------ twins

    def _twin(self, call: Call) -> Callable[..., Any]:
        m = self.model
        name = snake(call.function)
        if call.contract in self.book.feeds:
            return lambda answer: self._answer(call.contract, answer)
        if call.contract == "OracleAggregator":
            return lambda asset: getattr(m.oracle, name)(asset, m.now)
        if call.contract == "PegMonitor":
            return lambda asset: getattr(m.peg, name)(asset, m.now)
        if call.contract in self.book.tokens:
            twin: Any = m.tokens[lower(self.book.tokens[call.contract])]
        else:
            twin = getattr(m, snake(call.contract))
        method = getattr(twin, "raise_" if name == "raise" else name)
        return lambda *args: method(call.sender, *args)

    def _answer(self, feed: str, answer: int) -> None:
        adapter = self.book.feeds[feed]
        old = self.adapters[adapter]
        self.adapters[adapter] = oracle_model.ChainlinkAdapter(
            old.decimals, old.round_id + 1, answer, self.model.now, old.round_id + 1
        )
