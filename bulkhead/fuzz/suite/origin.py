"""The state of the fuzzed deployment, read once from the chain, and a model in that state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkhead.chain.codec import asset_id
from bulkhead.deployment.devnet import LST_OPERATOR, feed_decimals
from bulkhead.deployment.oracle_models import ChainlinkSource
from bulkhead.fuzz.suite.model import Model, Outside
from bulkhead.fuzz.target import snake
from bulkhead.model import oracle as oracle_model
from bulkhead.model import peg as peg_model
from bulkhead.model import types
from bulkhead.model.breaker import Reference
from bulkhead.model.context import Context
from bulkhead.model.liquid_staking import NOBODY, OPERATOR
from bulkhead.model.roles import GOVERNOR, GUARDIAN
from bulkhead.model.sources import ChainlinkAdapter
from bulkhead.model.types import Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

ACTOR_NAMES = ("alice", "bob", "carol", "lp")
"""Who plays; the LP starts with all shares of the pool."""
RISK_ADMIN = "RISK_ADMIN"
ROLES = (GOVERNOR, GUARDIAN, OPERATOR, RISK_ADMIN)

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
_SPENDERS = ("CollateralVault", "LiquidityVault", "InsuranceFund")


def lower(address: str) -> Address:
    """Return an address as the model writes it."""
    return address.lower()


class Origin:
    """Makes the model of a deployment, in the state in which the deployment is."""

    def __init__(self, universe: Universe) -> None:
        self._u = universe
        self._book = universe.book
        self._now = universe.node.rpc.timestamp()
        self._people = [lower(a) for a in universe.book.accounts.values()]

    def model(self) -> Model:
        """Return the model."""
        m = self._compartment()
        self._create_tokens(m)
        self._list_feeds(m)
        self._configure(m)
        self._open_vaults(m)
        for symbol in self._book.tokens:
            self._restore_token(m, symbol)
        self._restore_breaker(m)
        self._grant_roles(m)
        m.now = self._now
        m.keep()
        return m

    def _ask(self, contract: str, function: str, *args: Any) -> Any:
        return self._u.contract(contract).call(function, *args)

    def _compartment(self) -> Model:
        book = self._book
        p = book.parameters
        market = self._ask("PerpExchange", "marketState", 0)
        context = Context(int(market.fundingUpdatedAt))
        wired = {field: lower(book.wiring[name]) for field, name in _WIRING.items()}
        adapters = [a for found in book.adapters.values() for a in found]
        everything = (*book.contracts.values(), *book.tokens.values(), *adapters)
        outside = Outside(context, contracts=frozenset(map(lower, everything)))
        return Model(
            outside,
            lower(book.contracts["OracleAggregator"]),
            lower(book.contracts["PegMonitor"]),
            settlement_decimals=book.decimals[book.settlement_token],
            parameters=types.CompartmentParameters(**_snake(p.compartment.struct())),
            timing=types.BreakerTiming(**_snake(p.breaker.timing.struct())),
            thresholds=types.BreakerThresholds(**_snake(p.breaker.thresholds.struct())),
            watched_prices=p.breaker.watched_prices,
            watched_pegs=p.breaker.watched_pegs,
            governor=lower(book.deployer),
            addresses=types.Addresses(**wired),
        )

    # ------------------------------------------------------------------ tokens and feeds

    def _create_tokens(self, m: Model) -> None:
        book = self._book
        tokens = {symbol: lower(address) for symbol, address in book.tokens.items()}
        for symbol in ("WETH", "WBTC"):
            m.create_token(tokens[symbol], book.decimals[symbol])
        m.create_odd(tokens["ODD"], book.decimals["ODD"])
        capacity, delay = (
            int(self._ask("LST", name)) for name in ("capacityPerDay", "minDelaySeconds")
        )
        m.create_lst(tokens["LST"], tokens["WETH"], capacity, delay)

    def _restore_token(self, m: Model, symbol: str) -> None:
        """Give everybody what they hold and what they allow; ``_open_vaults`` minted too much."""
        book = self._book
        token = m.tokens[lower(book.tokens[symbol])]
        addresses = (*book.contracts.values(), *book.tokens.values(), NOBODY)
        token.balances.clear()
        for holder in {*self._people, *map(lower, addresses)}:
            held = int(self._ask(symbol, "balanceOf", holder))
            if held:
                token.balances[holder] = held
        supply = int(self._ask(symbol, "totalSupply"))
        if token is m.lst:
            pooled, busy = (int(self._ask("LST", name)) for name in ("totalPooled", "busyUntil"))
            m.lst.restore(pooled, supply, busy, 0)
        else:
            token._supply.set(supply)
        spenders = [lower(book.contracts[name]) for name in _SPENDERS] + [m.lst.address]
        for holder in self._people:
            for spender in spenders:
                allowed = int(self._ask(symbol, "allowance", holder, spender))
                token.allowances[holder, spender] = allowed

    def _list_feeds(self, m: Model) -> None:
        for asset in self._book.parameters.oracle:
            found = zip(asset.sources, self._book.adapters[asset.name], strict=True)
            for source, adapter in found:
                assert isinstance(source, ChainlinkSource)  # The devnet has feeds only.
                name, decimals = source.feed, feed_decimals(asset.name)
                number, answer, _, updated_at, answered_in = self._ask(name, "latestRoundData")
                round_ = number, answer, updated_at, answered_in
                bounds = source.bounds(decimals)
                latest = ChainlinkAdapter(decimals, *round_, *bounds, source.heartbeat)
                m.list_feed(name, lower(adapter), lower(self._book.feeds[name]), latest)

    # ------------------------------------------------------------------ parameters

    def _configure(self, m: Model) -> None:
        p = self._book.parameters
        for asset in p.oracle:
            self._configure_asset(m, asset)
        for derived, _ in p.derivations:
            formula = oracle_model.Operation[derived.operation.upper()]
            rule = oracle_model.Derivation(derived.left, derived.right or "", formula)
            m.oracle.derive(derived.name, rule)
        for pegged in p.pegs:
            recorded = self._ask("PegMonitor", "pegState", asset_id(pegged.name))
            raw = _snake(pegged.config(lower(self._book.tokens["LST"])))
            raw |= {"underlying": pegged.underlying, "market_ratio": pegged.market_ratio}
            m.peg.configure(pegged.name, peg_model.PegConfig(**raw), int(recorded.pokedAt))
            status = oracle_model.PriceStatus(recorded.marketStatus)
            m.peg._states[pegged.name] = peg_model.PegState(
                recorded.fairRate,
                recorded.marketRate,
                recorded.stress,
                recorded.pokedAt,
                status,
            )
        for i, market in enumerate(p.markets):
            trading = types.MarketTrading(
                **_snake(market.trading()) | {"index_asset": market.index_asset}
            )
            liquidation = types.MarketLiquidation(**_snake(market.liquidation()))
            m.risk_parameters.set_market(m.governor, i, trading, liquidation)
        for i, collateral in enumerate(p.collaterals, start=1):
            token = lower(self._book.tokens[collateral.name])
            config = _snake(collateral.config(token)) | {"asset": collateral.asset}
            m.risk_parameters.set_collateral(m.governor, i, types.CollateralConfig(**config))

    def _configure_asset(self, m: Model, asset: Any) -> None:
        adapters = self._book.adapters[asset.name]
        sources = [
            oracle_model.SourceConfig(lower(adapter), source.weight)
            for source, adapter in zip(asset.sources, adapters, strict=True)
        ]
        config = oracle_model.AssetConfig(**_snake(asset.config()))
        recorded = self._ask("OracleAggregator", "latest", asset_id(asset.name))
        m.oracle.configure(asset.name, config, sources)
        m.oracle.record(asset.name, int(recorded.recordedAt))

    # ------------------------------------------------------------------ compartment

    def _open_vaults(self, m: Model) -> None:
        """Repeat the first deposits, at the time at which they were made."""
        totals = self._ask("MarginEngine", "totals")
        accounts = self._book.accounts
        for name, amount, vault in (
            ("lp", totals.poolCash, m.liquidity_vault),
            ("staker", totals.insuranceCash, m.insurance_fund),
        ):
            holder, amount_tokens = lower(accounts[name]), int(amount) // 10**12
            m.fund(holder, amount_tokens)
            vault.deposit(holder, amount_tokens, holder)

    def _restore_breaker(self, m: Model) -> None:
        state = self._ask("CircuitBreaker", "breakerState")
        m.circuit_breaker._state.set(types.BreakerState(*state))
        for asset in self._book.parameters.breaker.watched_prices:
            reference = self._ask("CircuitBreaker", "priceReference", asset_id(asset))
            if reference.takenAt:
                m.circuit_breaker._references[asset] = Reference(*reference)

    def _grant_roles(self, m: Model) -> None:
        m.roles.grant_role(m.governor, GUARDIAN, self._u.guardian)
        if self._ask("RoleRegistry", "hasRole", LST_OPERATOR, self._book.deployer):
            m.roles.grant_role(m.governor, OPERATOR, m.governor)


def _snake(struct: dict[str, Any]) -> dict[str, Any]:
    return {snake(key): value for key, value in struct.items()}
