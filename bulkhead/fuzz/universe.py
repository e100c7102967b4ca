"""A deployment on a chain and its model, in the same state, and what operations ask about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet, feed_decimals
from bulkhead.deployment.sender import RpcSender
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.user_operations import ACTORS, SUB_ACCOUNTS, size_for
from bulkhead.model import oracle as oracle_model
from bulkhead.model import peg as peg_model
from bulkhead.model import types
from bulkhead.model.breaker import Reference
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.tokens import Token
from bulkhead.model.types import SETTLEMENT, AccountId, Address, pack
from bulkhead.model.vaults import LedgerVault
from bulkhead.model.world import Compartment

Model = Compartment[oracle_model.OracleAggregator, peg_model.PegMonitor]

ACTOR_NAMES = ("alice", "bob", "carol", "lp")
"""Who plays; the LP starts with all shares of the pool."""

_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")
_WIRING = {
    "settlement_token": "settlementToken",
    "roles": "roles",
    "risk_parameters": "riskParameters",
    "circuit_breaker": "circuitBreaker",
    "collateral_vault": "collateralVault",
    "margin_engine": "marginEngine",
    "perp_exchange": "perpExchange",
    "liquidity_vault": "liquidityVault",
    "insurance_fund": "insuranceFund",
    "liquidation_engine": "liquidationEngine",
}
_PARTS = (
    "RoleRegistry",
    "RiskParameters",
    "CircuitBreaker",
    "CollateralVault",
    "MarginEngine",
    "PerpExchange",
    "LiquidityVault",
    "InsuranceFund",
    "LiquidationEngine",
)


def deploy_for_fuzzing(
    rpc: Rpc, deployer: Address, artifacts: Artifacts | None = None
) -> AddressBook:
    """Deploy a feeds-only devnet on a fresh Anvil and give every actor every allowance.

    The pool is small and the insurance fund smaller, so that sequences reach the haircut and the
    last tranche of the waterfall.
    """
    built = artifacts or load_artifacts()
    # Blocks do not follow the wall clock, so that the same bytes are the same sequence every time.
    rpc.request("anvil_setBlockTimestampInterval", [1])
    options = DevnetOptions(
        spot_markets=False, pool_deposit=2_000_000, insurance_deposit=20_000, network="fuzz"
    )
    book = deploy_devnet(RpcSender(rpc, deployer), options, artifacts=built)
    usdb = book.contract(rpc, book.settlement_token, built)
    for name in (*ACTOR_NAMES, "keeper", "staker"):
        for vault in ("LiquidityVault", "InsuranceFund"):
            usdb.transact("approve", book.contracts[vault], UINT256_MAX, sender=book.accounts[name])
    # Both sides start from aggregates and valuations of the same second.
    for asset in book.parameters.oracle:
        oracle = book.contract(rpc, "OracleAggregator", built)
        oracle.transact("record", asset_id(asset.name), sender=book.deployer)
    return book


def lower(address: str) -> Address:
    """Return an address as the model writes it."""
    return address.lower()


class Universe:
    """One deployment, with a fresh model of it in the state it was deployed in.

    Args:
        rpc: the node, at the state of ``deploy_for_fuzzing``.
        book: what is deployed there.
        artifacts: where ABIs come from; None: the last build.
    """

    def __init__(self, rpc: Rpc, book: AddressBook, artifacts: Artifacts | None = None) -> None:
        self.rpc = rpc
        self.book = book
        self.artifacts = artifacts or load_artifacts(check=False)
        self.settlement_symbol = book.settlement_token
        self.actors = tuple(lower(book.accounts[name]) for name in ACTOR_NAMES)
        self.keeper = lower(book.accounts["keeper"])
        self.guardian = lower(book.accounts["guardian"])
        self.feed_names = tuple(sorted(book.feeds))
        self.accounts = tuple(
            pack(actor, sub) for actor in (*self.actors, self.keeper) for sub in range(SUB_ACCOUNTS)
        )
        self.prober = pack(self.keeper, 1)
        self._contracts: dict[str, Contract] = {}
        self._origin = _Origin(self)
        self.adapters: dict[str, oracle_model.ChainlinkAdapter] = {}
        self.model: Model = self._origin.model(self.adapters)

    def remember(self, calls: Sequence[tuple[Call, int]]) -> None:
        """Make committed calls, with their Unix seconds, part of the origin."""
        self._origin.prologue = tuple(calls)
        self.reset()

    def reset(self) -> None:
        """Bring the model back to the state of the deployment."""
        self.adapters = {}
        self.model = self._origin.model(self.adapters)
        for call, timestamp in self._origin.prologue:
            self.model.now = timestamp
            self.play(call)

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

    # ------------------------------------------------------------------ playing calls

    def contract(self, name: str) -> Contract:
        """Return a deployed contract by its name."""
        if name not in self._contracts:
            self._contracts[name] = self.book.contract(self.rpc, name, self.artifacts)
        return self._contracts[name]

    def play(self, call: Call) -> Any:
        """Play a call on the model, at the model's time; return what Solidity returns.

        Raises:
            ModelRevert: as the contract would.
        """
        return self._twin(call)(*call.args)

    def _twin(self, call: Call) -> Callable[..., Any]:
        m = self.model
        name = _CAMEL.sub("_", call.function).lower()
        if call.contract in self.book.feeds:
            return lambda answer: self._answer(call.contract, answer)
        if call.contract == "OracleAggregator":
            return lambda asset: getattr(m.oracle, name)(asset, m.now)
        if call.contract == "PegMonitor":
            return lambda asset: getattr(m.peg, name)(asset, m.now)
        if call.contract in self.book.tokens:
            twin: Any = m.tokens[lower(self.book.tokens[call.contract])]
        else:
            twin = getattr(m, _CAMEL.sub("_", call.contract).lower())
        method = getattr(twin, "raise_" if name == "raise" else name)
        return lambda *args: method(call.sender, *args)

    def _answer(self, feed: str, answer: int) -> None:
        adapter = self.book.feeds[feed]
        old = self.adapters[adapter]
        self.adapters[adapter] = oracle_model.ChainlinkAdapter(
            old.decimals, old.round_id + 1, answer, self.model.now, old.round_id + 1
        )


class _Origin:
    """The state of the deployment, read once, from which models are made."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        self.prologue: tuple[tuple[Call, int], ...] = ()
        book = universe.book
        self._addresses = types.Addresses(
            **{field: lower(book.wiring[wired]) for field, wired in _WIRING.items()}
        )
        breaker = universe.contract("CircuitBreaker").call("breakerState")
        self._breaker = types.BreakerState(*breaker)
        market = universe.contract("PerpExchange").call("marketState", 0)
        self._pool_opened_at = int(market.fundingUpdatedAt)
        self._rounds = {
            name: universe.contract(name).call("latestRoundData") for name in universe.feed_names
        }
        self._recorded = {
            a.name: universe.contract("OracleAggregator").call("latest", asset_id(a.name))
            for a in book.parameters.oracle
        }
        self._references = {
            asset: universe.contract("CircuitBreaker").call("priceReference", asset_id(asset))
            for asset in book.parameters.breaker.watched_prices
        }
        self._peg = universe.contract("PegMonitor").call("pegState", asset_id("LST"))
        self._rate = int(universe.contract("LST").call("rate"))
        self._totals = universe.contract("MarginEngine").call("totals")
        self._now = universe.rpc.timestamp()
        self._balances = self._read_balances()

    def _read_balances(self) -> dict[str, dict[Address, int]]:
        u = self._u
        holders = {*map(lower, u.book.accounts.values()), *map(lower, u.book.contracts.values())}
        return {
            symbol: {h: int(u.contract(symbol).call("balanceOf", h)) for h in holders}
            for symbol in u.book.tokens
        }

    def model(self, adapters: dict[str, oracle_model.ChainlinkAdapter]) -> Model:
        """Return a new model in that state."""
        u = self._u
        p = u.book.parameters
        for name, data in self._rounds.items():
            decimals = feed_decimals(name.rpartition("-")[0])
            adapters[u.book.feeds[name]] = oracle_model.ChainlinkAdapter(
                decimals, data[0], data[1], data[3], data[4]
            )
        oracle = oracle_model.OracleAggregator(adapters)
        peg = peg_model.PegMonitor(oracle, {"LST": lambda: self._rate})
        m: Model = Compartment(
            oracle,
            peg,
            now=self._pool_opened_at,
            settlement_decimals=u.book.decimals[u.settlement_symbol],
            parameters=types.CompartmentParameters(**_snake(p.compartment.struct())),
            timing=types.BreakerTiming(**_snake(p.breaker.timing.struct())),
            thresholds=types.BreakerThresholds(**_snake(p.breaker.thresholds.struct())),
            watched_prices=p.breaker.watched_prices,
            watched_pegs=p.breaker.watched_pegs,
            governor=lower(u.book.deployer),
            addresses=self._addresses,
        )
        self._configure(m, oracle, peg)
        self._open_vaults(m)
        self._set_balances(m)
        m.roles.grant_role(m.governor, "GUARDIAN", u.guardian)
        m.circuit_breaker._state.set(self._breaker)
        for watched, reference in self._references.items():
            if reference.takenAt:
                m.circuit_breaker._references[watched] = Reference(*reference)
        for asset, data in self._recorded.items():
            m.now = int(data.recordedAt)
            oracle.record(asset, m.now)
        m.now = self._now
        m.events.clear()
        m.context.undo.clear()
        return m

    def _configure(
        self,
        m: Model,
        oracle: oracle_model.OracleAggregator,
        peg: peg_model.PegMonitor,
    ) -> None:
        u, p = self._u, self._u.book.parameters
        for asset in p.oracle:
            sources = []
            for source in asset.sources:
                name = getattr(source, "feed", "")
                sources.append(oracle_model.SourceConfig(u.book.feeds[name], source.weight))
            config = oracle_model.AssetConfig(**_snake(asset.config()))
            oracle.configure(asset.name, config, sources)
            oracle.record(asset.name, int(self._recorded[asset.name].recordedAt))
        for pegged in p.pegs:
            raw = _snake(pegged.config("LST"))
            raw |= {"underlying": pegged.underlying, "market_ratio": pegged.market_ratio}
            peg.configure(pegged.name, peg_model.PegConfig(**raw), int(self._peg.pokedAt))
            s = self._peg
            status = oracle_model.PriceStatus(s.marketStatus)
            peg._states[pegged.name] = peg_model.PegState(
                s.fairRate, s.marketRate, s.stress, s.pokedAt, status
            )
        for i, market in enumerate(p.markets):
            trading = _snake(market.trading())
            trading["index_asset"] = market.index_asset
            m.risk_parameters.set_market(
                m.governor,
                i,
                types.MarketTrading(**trading),
                types.MarketLiquidation(**_snake(market.liquidation())),
            )
        for i, collateral in enumerate(p.collaterals):
            token = lower(u.book.tokens[collateral.name])
            m.create_token(token, u.book.decimals[collateral.name])
            config_ = _snake(collateral.config(token))
            config_["asset"] = collateral.asset
            m.risk_parameters.set_collateral(m.governor, i + 1, types.CollateralConfig(**config_))

    def _open_vaults(self, m: Model) -> None:
        """Repeat the first deposits, at the time at which they were made."""
        u = self._u
        totals = self._totals
        lp, staker = lower(u.book.accounts["lp"]), lower(u.book.accounts["staker"])
        for holder, amount, vault in (
            (lp, totals.poolCash, m.liquidity_vault),
            (staker, totals.insuranceCash, m.insurance_fund),
        ):
            m.fund(holder, amount // 10**12)
            vault.deposit(holder, amount // 10**12, holder)

    def _set_balances(self, m: Model) -> None:
        u = self._u
        holders = [lower(a) for a in u.book.accounts.values()]
        for symbol, balances in self._balances.items():
            token = m.tokens[lower(u.book.tokens[symbol])]
            token.balances.clear()
            for holder, amount in balances.items():
                token.balances[holder] = amount
            for holder in holders:
                token.allowances[holder, self._addresses.collateral_vault] = UINT256_MAX
        for name in (*ACTOR_NAMES, "keeper", "staker"):
            for vault in (self._addresses.liquidity_vault, self._addresses.insurance_fund):
                m.settlement.allowances[lower(u.book.accounts[name]), vault] = UINT256_MAX


def _snake(struct: dict[str, Any]) -> dict[str, Any]:
    return {_CAMEL.sub("_", key).lower(): value for key, value in struct.items()}


assert len(ACTOR_NAMES) == ACTORS
