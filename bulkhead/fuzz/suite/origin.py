"""The state of the fuzzed deployment, read once from the chain, from which models are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkhead.chain.codec import asset_id
from bulkhead.deployment.devnet import feed_decimals
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.target import snake
from bulkhead.model import oracle as oracle_model
from bulkhead.model import peg as peg_model
from bulkhead.model import types
from bulkhead.model.breaker import Reference
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.types import Address
from bulkhead.model.world import Compartment

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

Model = Compartment[oracle_model.OracleAggregator, peg_model.PegMonitor]

ACTOR_NAMES = ("alice", "bob", "carol", "lp")
"""Who plays; the LP starts with all shares of the pool."""

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


def lower(address: str) -> Address:
    """Return an address as the model writes it."""
    return address.lower()


class Origin:
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
        self._now = universe.node.rpc.timestamp()
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
    return {snake(key): value for key, value in struct.items()}
