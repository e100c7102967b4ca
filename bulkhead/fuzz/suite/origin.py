"""The state of the fuzzed deployment, read once from the chain, and a model in that state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkhead.chain.codec import asset_id
from bulkhead.chain.rpc import parse_log
from bulkhead.deployment.devnet import LST_OPERATOR, feed_decimals
from bulkhead.deployment.oracle_models import ChainlinkSource
from bulkhead.fuzz.suite.fields import DEEP_ID
from bulkhead.fuzz.suite.model import Model, Outside
from bulkhead.fuzz.target import snake
from bulkhead.model import oracle as oracle_model
from bulkhead.model import peg_math, types
from bulkhead.model.breaker import Reference
from bulkhead.model.context import Context
from bulkhead.model.interest_curve import InterestParameters
from bulkhead.model.liquid_staking import NOBODY, OPERATOR
from bulkhead.model.roles import GOVERNOR, GUARDIAN
from bulkhead.model.sources import ChainlinkAdapter
from bulkhead.model.types import ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

ACTOR_NAMES = ("alice", "bob", "carol", "lp")
"""Who plays; the LP starts with all shares of the pool."""
GRANTEES = (*ACTOR_NAMES, "keeper")
"""Whom owners may make operators: the probe reads their grants, in this order."""
RISK_ADMIN = "RISK_ADMIN"
SEQUENCER = "SEQUENCER"
"""Feed that says whether the sequencer is up; nobody asks it in the beginning."""
ROLES = (GOVERNOR, GUARDIAN, OPERATOR, RISK_ADMIN)

_WIRING = {
    "settlement_token": "settlementToken",
    "roles": "roles",
    "risk_parameters": "riskParameters",
    "circuit_breaker": "circuitBreaker",
    "collateral_vault": "collateralVault",
    "risk_engine": "riskEngine",
    "account_operators": "accountOperators",
    "margin_engine": "marginEngine",
    "perp_exchange": "perpExchange",
    "liquidity_vault": "liquidityVault",
    "insurance_fund": "insuranceFund",
    "liquidation_engine": "liquidationEngine",
    "delayed_orders": "delayedOrders",
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
        outer = (*book.tokens.values(), *book.feeds.values())
        everything = (*book.contracts.values(), *outer, *adapters)
        known = frozenset(map(lower, everything))
        seasoning = int(self._ask("OracleAggregator", "seasoning"))
        outside = Outside(context, contracts=known, seasoning=seasoning)
        return Model(
            outside,
            lower(book.contracts["OracleAggregator"]),
            lower(book.contracts["PegMonitor"]),
            settlement_decimals=book.decimals[book.settlement_token],
            parameters=types.CompartmentParameters(**_snake(p.compartment.struct())),
            interest=InterestParameters(**_snake(p.interest.struct())),
            margin=types.MarginParameters(**_snake(p.margin.struct())),
            orders=types.OrderParameters(**_snake(p.orders.struct())),
            pool=types.PoolParameters(**_snake(p.pool.struct())),
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
        m.list_uptime_feed(SEQUENCER, lower(self._book.feeds[SEQUENCER]))
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
            lst = lower(self._book.tokens["LST"])
            raw = _snake(pegged.config(lst, ZERO_ADDRESS, lst))
            names = {"underlying": pegged.underlying or "", "market_ratio": pegged.market_ratio}
            config = peg_math.PegConfig(**raw | names)
            m.peg.configure(pegged.name, config, int(recorded.pokedAt))
            status = oracle_model.PriceStatus(recorded.status)
            condition = peg_math.PegCondition(recorded.condition)
            m.peg._states[pegged.name] = peg_math.PegState(
                recorded.fairRate,
                recorded.marketRate,
                recorded.stress,
                recorded.pokedAt,
                status,
                condition,
                recorded.highestRate,
                recorded.backing,
                recorded.redemptionDelay,
                recorded.intrinsicHaircut,
            )
        for i, market in enumerate(p.markets):
            trading = types.MarketTrading(
                **_snake(market.trading()) | {"index_asset": market.index_asset}
            )
            liquidation = types.MarketLiquidation(**_snake(market.liquidation()))
            m.risk_parameters.set_market(m.governor, i, trading, liquidation)
        if p.correlations:
            m.risk_parameters.set_correlations(m.governor, p.lower_triangle)
        for i, collateral in enumerate(p.collaterals, start=1):
            token = lower(self._book.tokens[collateral.name])
            listed = _snake(collateral.config(token)) | {"asset": collateral.asset}
            m.risk_parameters.set_collateral(m.governor, i, types.CollateralConfig(**listed))
        m.create_depth(lower(self._book.contracts["ScriptedDepth"]))
        m.risk_parameters.set_depth_source(m.governor, DEEP_ID, m.scripted_depth.address)

    def _configure_asset(self, m: Model, asset: Any) -> None:
        adapters = self._book.adapters[asset.name]
        sources = [
            oracle_model.SourceConfig(lower(vote["adapter"]), vote["share"])
            for vote in asset.votes(adapters)
        ]
        config = oracle_model.AssetConfig(**_snake(asset.config()))
        m.oracle.configure(asset.name, config, sources, self._now)
        for data in self._recorded(asset_id(asset.name)):
            state, at = m.oracle._assets[asset.name], data.recorded_at
            following = state.confirmation_at(at)
            if following.anchor == 0:
                following = oracle_model.Confirmation(data.price)
            m.oracle._assets[asset.name] = state.accepted(data, following, at)

    def _recorded(self, asset: bytes) -> list[oracle_model.PriceData]:
        """Return the aggregates of an asset so far: its series is made of all of them."""
        oracle = self._u.contract("OracleAggregator")
        raw = self._u.node.rpc.request(
            "eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest", "address": oracle.address}]
        )
        found = []
        for event in map(oracle.decode_log, map(parse_log, raw)):
            if event is None or event.name != "PriceRecorded" or event.args.asset != asset:
                continue
            data = event.args.data
            status = oracle_model.PriceStatus(data.status)
            times = data.publishedAt, data.recordedAt
            found.append(oracle_model.PriceData(data.price, data.confidence, *times, status))
        return found

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
