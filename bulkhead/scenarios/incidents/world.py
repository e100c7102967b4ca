"""A chain with the suite on it for one incident, and every configuration that incidents use.

Whatever a replay configures goes through here, so that a changed struct of a contract is one edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, ContractReverted, interface_of
from bulkhead.chain.rpc import Receipt, Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet, devnet_parameters
from bulkhead.deployment.models import CollateralParameters
from bulkhead.deployment.oracle_models import TOTAL_SHARE, OracleAssetParameters
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.peg_models import PegParameters
from bulkhead.deployment.sender import RpcSender
from bulkhead.deployment.survey import ZERO_ADDRESS
from bulkhead.deployment.units import WAD, from_wad
from bulkhead.model.prices import PriceStatus
from bulkhead.model.types import Action
from bulkhead.scenarios.incidents.base import Refusal, ReplayError
from bulkhead.scenarios.incidents.votes import (
    AT_NEXT_LOOK,
    LOOK_SECONDS,
    Asking,
    Vote,
    shares_of,
)
from bulkhead.scenarios.node import scenario_node

ETH_PERP = 0
SETTLEMENT = 0
USDB = 10**6
"""One settlement unit in token units."""
DAY, HOUR, MINUTE = 86_400, 3_600, 60
FEED_UNIT = 10**8
"""1.0 in the answers of a feed in dollars."""
UNBOUNDED = 10**9 * FEED_UNIT
ANY_PRICE = 2**255
MANY = 10**12
"""More whole tokens than any incident deposits."""
REFUSED_BY_STATUS = "ActionPolicy_PriceStatus"
"""How what needs a better price is refused."""
HEARTBEAT = 7 * DAY
PROBE_PERCENT = 90
"""A probing trade asks for so much of the credit that it is made for."""


class IncidentWorld:
    """The suite on a node, and what incidents do with it. People are named as on the devnet.

    Args:
        rpc: a node that mines each transaction in a block of its own, one second on.
        book: the deployment.
        artifacts: what may be deployed besides.
    """

    def __init__(self, rpc: Rpc, book: AddressBook, artifacts: Artifacts) -> None:
        self.rpc = rpc
        self.book = book
        self.artifacts = artifacts
        self.governor = book.deployer
        self.oracle = self.named("OracleAggregator")
        self.risk = self.named("RiskParameters")
        self.margin = self.named("MarginEngine")
        self.valuer = self.named("RiskEngine")
        self.perps = self.named("PerpExchange")
        self.liquidation = self.named("LiquidationEngine")
        self.peg = self.named("PegMonitor")

    # ------------------------------------------------------------------ contracts and time

    def named(self, name: str) -> Contract:
        """Return a contract, token or feed of the devnet."""
        return self.book.contract(self.rpc, name, self.artifacts)

    def address(self, who: str) -> str:
        """Return the address of a named person."""
        return self.book.accounts[who]

    def account(self, who: str) -> bytes:
        """Return a person's margin account."""
        return bytes.fromhex(self.address(who)[2:]) + bytes(12)

    def deploy(self, contract: str, *args: Any) -> Contract:
        """Deploy one more contract from the governor's account."""
        artifact = self.artifacts[contract]
        data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        sent = RpcSender(self.rpc, self.governor).send(None, data, f"deploy {contract}")
        assert sent.created is not None
        return Contract(self.rpc, sent.created, artifact.abi, contract)

    def send(self, contract: Contract, function: str, *args: Any, by: str = "deployer") -> Receipt:
        """Send a transaction that must succeed."""
        return contract.transact(function, *args, sender=self.address(by))

    def send_ether(self, contract: Contract, function: str, wei: int) -> Receipt:
        """Send a transaction of the governor with ether, which must succeed."""
        return contract.transact(function, sender=self.governor, value=wei)

    def attempt(
        self, contract: Contract, function: str, *args: Any, by: str = "deployer"
    ) -> Refusal:
        """Send a transaction; return how it ended."""
        try:
            contract.transact(function, *args, sender=self.address(by))
        except ContractReverted as refused:
            return Refusal(refused.name)
        return Refusal("")

    @property
    def now(self) -> int:
        """Time of the latest block, Unix seconds."""
        return self.rpc.timestamp()

    def skip(self, seconds: int) -> None:
        """Let time pass: mine one block that much later."""
        self.rpc.mine(self.now + seconds)

    def freeze(self) -> None:
        """Give the next transaction the time of the latest block."""
        self.rpc.set_next_timestamp(self.now)

    # ------------------------------------------------------------------ prices

    def token(self, symbol: str, decimals: int = 18, below: Contract | None = None) -> Contract:
        """Deploy a token that the governor mints, at an address below another's if one is given.

        The order of a pool's tokens decides how its ticks are rounded.
        """
        token = self.deploy("DevToken", symbol, symbol, decimals)
        while below and int(token.address, 16) > int(below.address, 16):
            token = self.deploy("DevToken", symbol, symbol, decimals)
        return token

    def feed(self, price: int) -> Contract:
        """Deploy a feed in dollars that answers a price (WAD)."""
        feed = self.deploy("DevAggregatorV3", 8, "incident")
        self.answer(feed, price)
        return feed

    def answer(self, feed: Contract, price: int) -> None:
        """Let a feed in dollars answer a price (WAD) now."""
        self.send(feed, "setAnswer", price * FEED_UNIT // WAD)

    def chainlink(self, feed: Contract, least: int = 0) -> Vote:
        """Deploy an adapter of a feed that counts answers above ``least`` (WAD)."""
        bounds = least * FEED_UNIT // WAD, UNBOUNDED
        return Vote(self.deploy("ChainlinkAdapter", feed.address, *bounds, HEARTBEAT).address)

    def price(self, asset: str, sources: Sequence[Vote], asking: Asking = AT_NEXT_LOOK) -> None:
        """Give a new asset its sources, with a majority of votes as quorum, and record its price.

        Sources that replace others have to earn their shares: every list is another asset's.

        Args:
            asset: its name.
            sources: at most seven; an outlier is 5 % away from the median.
            asking: when a move has to be seen twice.
        """
        shares = shares_of([source.votes for source in sources])
        rules = self.devnet_rules
        delay, max_move = rules.confirmation_delay, rules.max_move
        rules = rules.model_copy(
            update={
                "name": asset,
                "max_staleness": HEARTBEAT,
                "max_cache_age": 0,
                "quorum": TOTAL_SHARE // 2 + 1,
                "confirmation_delay": delay if asking.delay is None else asking.delay,
                "max_move": max_move if asking.max_move is None else asking.max_move,
            }
        )
        listed = [
            {"adapter": source.adapter, "share": share}
            for source, share in zip(sources, shares, strict=True)
        ]
        self.send(self.oracle, "configure", asset_id(asset), rules.config(), listed)
        self.send(self.oracle, "record", asset_id(asset))

    @property
    def devnet_rules(self) -> OracleAssetParameters:
        """The devnet's rules for BTC, which those of an incident's assets follow."""
        return next(a for a in self.book.parameters.oracle if a.name == "BTC")

    def look(self, asset: str) -> None:
        """Record an asset's price."""
        self.send(self.oracle, "record", asset_id(asset))

    def look_twice(self, asset: str) -> None:
        """Record an asset's price, and again some seconds later: a large move may need that."""
        self.look(asset)
        self.skip(LOOK_SECONDS)
        self.look(asset)

    def derive_product(self, asset: str, left: str, right: str) -> None:
        """Price an asset as the product of two others."""
        product = 1
        parts = (asset_id(left), asset_id(right), product)
        self.send(self.oracle, "derive", asset_id(asset), parts)

    def latest(self, asset: str) -> Any:
        """Return an asset's ``PriceData``."""
        return self.oracle.call("latest", asset_id(asset))

    def source_says(self, source: Vote) -> int | str:
        """Return a source's price (WAD), or the name of the error that it answers with."""
        abi = self.artifacts["IPriceSource"].abi
        try:
            return int(Contract(self.rpc, source.adapter, abi, "source").call("latest")[0])
        except ContractReverted as refused:
            return refused.name

    def source_price(self, source: Vote) -> int:
        """Return a source's price, WAD.

        Raises:
            ReplayError: it does not answer.
        """
        answer = self.source_says(source)
        if isinstance(answer, str):
            raise ReplayError(f"a source answers with {answer}")
        return answer

    def refresh(self, prices: dict[str, int] | None = None) -> None:
        """Let every feed of the devnet answer again now, with new prices (WAD) where given."""
        for name in self.book.feeds:
            feed = self.named(name)
            decimals = int(feed.call("decimals"))
            wanted = (prices or {}).get(name.rpartition("-")[0])
            answer = feed.call("latestRoundData").answer
            if wanted is not None:
                answer = wanted // 10 ** (18 - decimals)
            self.send(feed, "setAnswer", answer)
        for asset in dict.fromkeys(name.rpartition("-")[0] for name in self.book.feeds):
            self.send(self.oracle, "record", asset_id(asset))

    # ------------------------------------------------------------------ collateral and pegs

    def list_collateral(
        self, symbol: str, token: Contract, asset: str, *, haircut: int = 0, pegged: bool = False
    ) -> int:
        """List a token as collateral; return its id.

        Args:
            symbol: its name.
            token: the token.
            asset: the oracle's, or the peg monitor's, name of it.
            haircut: WAD fraction; 0 for pegged ones.
            pegged: whether the peg monitor values it.
        """
        number = int(self.risk.call("collateralCount")) + 1
        listed = CollateralParameters.model_validate(
            {
                "name": symbol,
                "decimals": token.call("decimals"),
                "asset": asset,
                "pegged": pegged,
                "haircut": from_wad(haircut),
                "cap": MANY,
            }
        )
        self.send(self.risk, "setCollateral", number, listed.config(token.address))
        return number

    def set_peg(self, name: str, pattern: str, **changes: Any) -> None:
        """Configure a peg like one of the devnet, with some parameters (raw) changed.

        Args:
            name: of the peg; a new one, or one that is configured anew.
            pattern: name of the devnet's.
            changes: parameters of ``PegParameters``.
        """
        changed = self.peg_rules(pattern).model_copy(update=changes)
        tokens = {"None": ZERO_ADDRESS, **self.book.tokens}
        rate_source, queue = tokens[str(changed.rate_source)], tokens[str(changed.queue)]
        config = changed.config(rate_source, ZERO_ADDRESS, queue)
        self.send(self.peg, "configure", asset_id(name), config)

    def peg_rules(self, name: str) -> PegParameters:
        """Return the devnet's parameters of a peg."""
        return next(p for p in self.book.parameters.pegs if p.name == name)

    def poke_peg(self, name: str) -> None:
        """Let the peg monitor look at a peg."""
        self.send(self.peg, "poke", asset_id(name))

    def peg_value(self, name: str) -> Any:
        """Return a peg's ``PegValuation``."""
        return self.peg.call("valuation", asset_id(name))

    def list_market(self, asset: str, **changes: int) -> int:
        """List a market like ETH's on another index, with ``MarketParameters`` changed (raw)."""
        number = int(self.risk.call("marketCount"))
        pattern = self.book.parameters.markets[ETH_PERP]
        market = pattern.model_copy(update={"index_asset": asset, **changes})
        self.send(self.risk, "setMarket", number, market.trading(), market.liquidation())
        return number

    # ------------------------------------------------------------------ people

    def give(self, token: Contract, who: str, amount: int) -> None:
        """Mint a token (raw units) to a person."""
        self.send(token, "mint", self.address(who), amount)

    def approve(self, token: Contract, who: str, spender: Contract) -> None:
        """Let a contract take all of a person's token."""
        self.send(token, "approve", spender.address, 2**256 - 1, by=who)

    def deposit(self, who: str, token: Contract, collateral: int, amount: int) -> None:
        """Put a token (raw units) into a person's margin account."""
        self.approve(token, who, self.named("CollateralVault"))
        self.send(self.margin, "deposit", self.account(who), collateral, amount, by=who)

    def trade(self, who: str, size: int, market: int = ETH_PERP) -> Refusal:
        """Try to change a position by ``size`` (WAD of base), at any price."""
        limit = ANY_PRICE if size > 0 else 0
        return self.attempt(self.perps, "trade", self.account(who), market, size, limit, by=who)

    def withdraw(self, who: str, amount: int) -> Refusal:
        """Try to take settlement tokens (raw units) out."""
        arguments = self.account(who), SETTLEMENT, amount, self.address(who)
        return self.attempt(self.margin, "withdraw", *arguments, by=who)

    def valuation(self, who: str) -> Any:
        """Return a person's ``AccountValuation``."""
        return self.margin.call("valuation", self.account(who))

    def credit(self, who: str) -> int:
        """Return what an account may take risk on now, WAD; 0 if prices or breaker forbid it."""
        allowed = self.named("CircuitBreaker").call("isAllowed", Action.INCREASE_POSITION)
        value = self.valuation(who)
        return max(0, value.equityInitial) if allowed and value.status == PriceStatus.VALID else 0

    def probe(self, who: str, credit: int) -> Refusal:
        """Let a person try a long position that needs 90 % of a credit (WAD) as initial margin."""
        ratio = self.valuer.call("marginRates", ETH_PERP).initial
        index = self.perps.call("indexPrice", ETH_PERP).price
        size = credit * PROBE_PERCENT * WAD * WAD // (100 * ratio * index)
        return self.trade(who, size)

    def liquidate(self, who: str) -> Refusal:
        """Let the keeper try to liquidate a person's position in ETH."""
        return self.attempt(self.liquidation, "liquidate", self.account(who), ETH_PERP, by="keeper")

    def full_penalty(self, who: str) -> int:
        """Return what closing a person's whole position in ETH would cost in penalty, WAD."""
        size = abs(self.perps.call("position", self.account(who), ETH_PERP).size)
        index = self.perps.call("indexPrice", ETH_PERP).price
        penalty = self.risk.call("marketLiquidation", ETH_PERP).penalty
        return int(size * index // WAD * penalty // WAD)

    def is_unhealthy_at(self, who: str, collateral_factor: int) -> bool:
        """Return whether a rule that differs from this suite in a collateral's price liquidates.

        Args:
            who: whose account, with one kind of collateral and no stale price.
            collateral_factor: WAD: that rule's price by this suite's.
        """
        return WAD - collateral_factor > self.cushion(who)

    def cushion(self, who: str) -> int:
        """Return the part of an account's collateral (WAD) whose loss leaves it just healthy."""
        value = self.valuation(who)
        spare = max(value.equityMaintenance - value.maintenanceMargin, value.bufferAtIndex)
        return int(spare * WAD // value.collateralMaintenance)


@contextmanager
def incident_world(
    *, spot_markets: bool = False, without_collateral: Sequence[str] = (), **options: Any
) -> Iterator[IncidentWorld]:
    """Yield the suite on a chain of its own, which ends with the block.

    Debt costs nothing here: what somebody owes in the end is what the incident has cost.

    Args:
        spot_markets: with the devnet's Uniswap pools.
        without_collateral: collaterals of the devnet that are not listed: a listing is for good,
            and an incident may need its own.
        options: further ``DevnetOptions``.
    """
    artifacts = load_artifacts()
    parameters = _adapted(devnet_parameters(spot_markets), without_collateral)
    chosen = DevnetOptions(spot_markets=spot_markets, parameters=parameters, **options)
    with scenario_node(None) as rpc:
        # One second per block, whatever the clock says: the same run on every machine.
        rpc.request("anvil_setBlockTimestampInterval", [1])
        sender = RpcSender(rpc, rpc.request("eth_accounts")[0])
        book = deploy_devnet(sender, chosen, artifacts=artifacts)
        yield IncidentWorld(rpc, book, artifacts)


def _adapted(parameters: DeploymentParameters, names: Sequence[str]) -> DeploymentParameters:
    kept = tuple(c for c in parameters.collaterals if c.name not in names)
    free = dict.fromkeys(("rate_at_zero", "rate_at_kink", "rate_at_full"), 0)
    interest = parameters.interest.model_copy(update=free)
    # No spread and no rebate either: what a trade costs is its curve and its fee.
    plain = {"instant_spread": 0, "max_rebate": 0}
    markets = tuple(market.model_copy(update=plain) for market in parameters.markets)
    changes = {"collaterals": kept, "interest": interest, "markets": markets}
    return parameters.model_copy(update=changes)
