"""A whole local world: tokens, feeds, spot markets, the protocol, and people with money.

``spot_markets=False`` leaves out Uniswap and prices everything by two feeds per asset; that takes
about a second and is what unit tests and fuzzing use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import is_address
from eth_utils.crypto import keccak

from bulkhead import ROOT
from bulkhead.chain.artifacts import Artifact, Artifacts, load_artifacts
from bulkhead.chain.contract import Contract, interface_of
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.deploy import Environment, Progress, deploy_core
from bulkhead.deployment.devnet_feeds import PYTH_UPDATE_FEE, update_pyth
from bulkhead.deployment.devnet_feeds import confirm_price as confirm_price
from bulkhead.deployment.devnet_feeds import feed_decimals as feed_decimals
from bulkhead.deployment.devnet_feeds import publish_price as publish_price
from bulkhead.deployment.devnet_feeds import refresh_feeds as refresh_feeds
from bulkhead.deployment.oracle_models import (
    MAX_ANSWER,
    TOTAL_SHARE,
    ChainlinkSource,
    OracleAssetParameters,
    PythSource,
    UniswapV3TwapSource,
)
from bulkhead.deployment.parameters import DeploymentParameters, load_parameters
from bulkhead.deployment.sender import DeploymentError, RpcSender
from bulkhead.deployment.uniswap import (
    CORRELATED_RANGES,
    VOLATILE_RANGES,
    Token,
    add_liquidity,
    create_pool,
    deploy_uniswap,
)
from bulkhead.deployment.units import WAD, to_wad
from bulkhead.deployment.verify import code_hash

DEVNET_PARAMETERS = ROOT / "deployments" / "parameters" / "devnet.toml"
LST_OPERATOR = keccak(text="LST_OPERATOR")
FEEDS_PER_ASSET = 2
_UNBOUNDED = {
    "kind": "chainlink",
    "feed": "none",
    "min_answer": 0,
    "max_answer": MAX_ANSWER,
    "heartbeat": "7d",
    "share": 1,
}
DECIMALS = {"USDB": 6, "WETH": 18, "WBTC": 8, "LST": 18}
POOL_FEE = 500
POOL_OBSERVATIONS = 720
"""A swap in every second of the TWAP's window still leaves its beginning in the pool's memory."""

ACCOUNTS = (
    "deployer",
    "guardian",
    "keeper",
    "lp",
    "staker",
    "alice",
    "bob",
    "carol",
    "dave",
    "arbitrageur",
)
"""Names of Anvil's accounts, in their order. The deployer is governor and runs feeds and LST."""


@dataclass(frozen=True, slots=True)
class DevnetOptions:
    """What the local world has in it.

    Attributes:
        spot_markets: real Uniswap v3 pools, which the oracle then reads too.
        seed_accounts: give the named accounts tokens, and fill pool and insurance fund.
        network: name of the address book.
        parameters: None: ``deployments/parameters/devnet.toml``, without its pools if there are
            none.
        prices: WAD per 1.0 by oracle asset.
        lst_capacity_per_day: WETH (wei) that the LST's queue redeems per day.
        lst_delay_seconds: shortest redemption.
        pool_deposit: USDB (whole) that the LP puts into the liquidity vault.
        insurance_deposit: USDB (whole) that the staker puts into the insurance fund.
        account_balance: settlement units (whole) that each account gets, and as much of each
            collateral.
        lst_pool_ether: LST (whole) in the pool LST/WETH, and as much WETH.
        weth_pool_ether: WETH (whole) in the pool WETH/USDB, and as much USDB.
    """

    spot_markets: bool = False
    seed_accounts: bool = True
    network: str = "local"
    parameters: DeploymentParameters | None = None
    prices: Mapping[str, int] = field(
        default_factory=lambda: {"ETH": to_wad(3_000), "BTC": to_wad(60_000), "LST/ETH": WAD}
    )
    lst_capacity_per_day: int = 2_000 * WAD
    lst_delay_seconds: int = 3_600
    pool_deposit: int = 20_000_000
    insurance_deposit: int = 1_000_000
    account_balance: int = 10_000_000
    lst_pool_ether: int = 6_000
    weth_pool_ether: int = 5_000


def devnet_parameters(spot_markets: bool = True) -> DeploymentParameters:
    """Return the devnet's parameters; without spot markets, each asset has two feeds instead."""
    parameters = load_parameters(DEVNET_PARAMETERS)
    return parameters if spot_markets else feeds_only_parameters(parameters)


def feeds_only_parameters(parameters: DeploymentParameters) -> DeploymentParameters:
    """Return parameters with two equal feeds as the sources of every asset."""

    def priced_by_feeds(asset: OracleAssetParameters) -> OracleAssetParameters:
        feeds = [f"{asset.name}-{i + 1}" for i in range(FEEDS_PER_ASSET)]
        given = [s for s in asset.sources if isinstance(s, ChainlinkSource)]
        # What an asset without any feed would get is no protection, and none is needed here.
        pattern = given[0] if given else ChainlinkSource.model_validate(_UNBOUNDED)
        share = TOTAL_SHARE // FEEDS_PER_ASSET
        sources = tuple(pattern.model_copy(update={"feed": f, "share": share}) for f in feeds)
        return asset.model_copy(
            update={"sources": sources, "quorum": share * (FEEDS_PER_ASSET // 2 + 1)}
        )

    return parameters.model_copy(
        update={"oracle": tuple(priced_by_feeds(asset) for asset in parameters.oracle)}
    )


def warm_up_seconds(parameters: DeploymentParameters) -> int:
    """Return how far a devnet's clock jumps while it is built, so that its TWAPs can be read."""
    windows = [
        source.window
        for asset in parameters.oracle
        for source in asset.sources
        if isinstance(source, UniswapV3TwapSource)
    ]
    return max(windows) + 1 if windows else 0


def deploy_devnet(
    sender: RpcSender,
    options: DevnetOptions | None = None,
    *,
    artifacts: Artifacts | None = None,
    progress: Progress | None = None,
) -> AddressBook:
    """Build the whole local world.

    Args:
        sender: the deployer: an account of a local Anvil that mines each transaction at once.
        options: what to build; None: feeds only, with seeded accounts.
        artifacts: what to deploy; None: the last build.
        progress: is told each step.

    Raises:
        DeploymentError: a step failed.
        ArtifactError: the contracts are not compiled.
    """
    return _Devnet(
        sender, options or DevnetOptions(), artifacts or load_artifacts(), progress
    ).build()


class _Devnet:
    def __init__(
        self,
        sender: RpcSender,
        options: DevnetOptions,
        artifacts: Artifacts,
        progress: Progress | None,
    ) -> None:
        self.sender = sender
        self.rpc = sender.rpc
        self.options = options
        self.artifacts = artifacts
        self.progress = progress
        self.parameters = options.parameters or devnet_parameters(options.spot_markets)
        self.tokens: dict[str, Contract] = {}
        self.feeds: dict[str, str] = {}
        self.oracles: dict[str, str] = {}
        self.pools: dict[str, str] = {}
        self.contracts: dict[str, str] = {}
        self.accounts = self._named_accounts()

    def build(self) -> AddressBook:
        """Build everything; return the address book."""
        self._tell("tokens")
        roles = self.deploy(self.artifacts["RoleRegistry"], self.sender.address)
        self._deploy_tokens(roles)
        if self.options.spot_markets:
            self._tell("Uniswap v3 pools")
            self._deploy_spot_markets()
        self._tell("price feeds")
        self._deploy_feeds()
        book = deploy_core(
            self.sender,
            self.parameters,
            Environment(
                network=self.options.network,
                tokens={symbol: token.address for symbol, token in self.tokens.items()},
                feeds=self.feeds,
                oracles=self.oracles,
                pools=self.pools,
                roles=roles.address,
                contracts=self.contracts,
                accounts=self.accounts,
            ),
            artifacts=self.artifacts,
            progress=self.progress,
        )
        self._grant_roles(roles)
        if self.options.spot_markets and "UniswapV3AuctionCallee" in self.artifacts:
            book = self._deploy_callee(book)
        if self.options.seed_accounts:
            self._tell("seed accounts")
            self._seed(book)
        return book.replace(block=self.rpc.block_number(), url=self.rpc.url)

    # ------------------------------------------------------------------ tools

    def _tell(self, what: str) -> None:
        if self.progress:
            self.progress(what)

    def deploy(self, artifact: Artifact, *args: Any) -> Contract:
        """Deploy a contract from the deployer's account."""
        data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        sent = self.sender.send(None, data, f"deploy {artifact.name}")
        assert sent.created is not None
        return Contract(self.rpc, sent.created, artifact.abi, artifact.name)

    def transact(
        self, contract: Contract, function: str, *args: Any, by: str = "deployer", value: int = 0
    ) -> None:
        """Send a transaction from a named account."""
        data = contract.encode(function, *args)
        account = RpcSender(self.rpc, self.accounts[by])
        account.send(contract.address, data, f"{by}: {contract.name}.{function}", value)

    def _named_accounts(self) -> dict[str, str]:
        held = self.rpc.request("eth_accounts")
        if self.sender.address.lower() != held[0].lower():
            raise DeploymentError("the devnet is deployed by the node's first account")
        return dict(zip(ACCOUNTS, (RpcSender(self.rpc, a).address for a in held), strict=False))

    # ------------------------------------------------------------------ parts

    def _deploy_tokens(self, roles: Contract) -> None:
        token = self.artifacts["DevToken"]
        self.tokens["USDB"] = self.deploy(token, "Bulkhead Dollar", "USDB", DECIMALS["USDB"])
        self.tokens["WETH"] = self.deploy(self.artifacts["DevWETH9"])
        self.tokens["WBTC"] = self.deploy(token, "Wrapped Bitcoin", "WBTC", DECIMALS["WBTC"])
        self.tokens["LST"] = self.deploy(
            self.artifacts["LiquidStakingToken"],
            roles.address,
            self.tokens["WETH"].address,
            "Bulkhead Staked Ether",
            "bstETH",
            self.options.lst_capacity_per_day,
            self.options.lst_delay_seconds,
        )

    def _deploy_feeds(self) -> None:
        for asset in self.parameters.oracle:
            for source in asset.sources:
                if isinstance(source, ChainlinkSource) and source.feed not in self.feeds:
                    self._deploy_feed(source.feed, asset.name)
                elif isinstance(source, PythSource) and not is_address(source.pyth):
                    self._list_on_pyth(source, asset.name)

    def _deploy_feed(self, name: str, asset: str) -> None:
        decimals = feed_decimals(asset)
        feed = self.deploy(self.artifacts["DevAggregatorV3"], decimals, asset)
        self.transact(feed, "setAnswer", self.options.prices[asset] // 10 ** (18 - decimals))
        self.feeds[name] = feed.address

    def _list_on_pyth(self, source: PythSource, asset: str) -> None:
        artifact = self.artifacts["DevPyth"]
        if source.pyth not in self.oracles:
            self.oracles[source.pyth] = self.deploy(artifact, PYTH_UPDATE_FEE).address
        pyth = Contract(self.rpc, self.oracles[source.pyth], artifact.abi, source.pyth)
        price = self.options.prices[asset]
        update_pyth(self.rpc, pyth, source.feed_id, price, self.sender.address)

    def _deploy_spot_markets(self) -> None:
        """Create both pools with liquidity, and let time pass until their TWAPs can be read."""
        uniswap = deploy_uniswap(self.sender, self.tokens["WETH"].address)
        self.contracts |= uniswap.contracts
        prices, ether = self.options.prices, self.options.lst_pool_ether * WAD
        reserve = self.options.weth_pool_ether * WAD
        self.transact(self.tokens["WETH"], "deposit", value=4 * ether + 2 * reserve)
        self._approve("deployer", self.tokens["LST"].address, ("WETH",))
        self.transact(self.tokens["LST"], "deposit", 2 * ether, self.sender.address)
        usdb = 2 * self.options.weth_pool_ether * 10**6 * prices["ETH"] // WAD
        self.transact(self.tokens["USDB"], "mint", self.sender.address, usdb)

        spots = (
            ("LST/WETH", prices["LST/ETH"], ether, CORRELATED_RANGES),
            ("WETH/USDB", prices["ETH"], reserve, VOLATILE_RANGES),
        )
        for name, price, amount, ranges in spots:
            base, quote = (
                Token(self.tokens[symbol].address, DECIMALS[symbol]) for symbol in name.split("/")
            )
            pool = create_pool(
                self.sender, uniswap, base, quote, POOL_FEE, price, POOL_OBSERVATIONS
            )
            # The pool remembers more than one observation once it is used in a later second.
            self.rpc.mine(self.rpc.timestamp() + 1)
            add_liquidity(self.sender, uniswap, base, quote, POOL_FEE, price, amount, ranges)
            self.pools[name] = pool.address
        self.rpc.mine(self.rpc.timestamp() + warm_up_seconds(self.parameters))

    def _deploy_callee(self, book: AddressBook) -> AddressBook:
        """Deploy what lets keepers sell auctioned collateral on Uniswap within the purchase."""
        name = "UniswapV3AuctionCallee"
        callee = self.deploy(self.artifacts[name], book.wiring, self.contracts["SwapRouter"])
        return book.replace(
            contracts={**book.contracts, name: callee.address},
            code_hashes={**book.code_hashes, name: code_hash(self.sender, callee.address)},
        )

    def _grant_roles(self, roles: Contract) -> None:
        self.transact(roles, "grantRole", LST_OPERATOR, self.sender.address)
        if "guardian" in self.accounts:
            guardian = keccak(text="GUARDIAN")
            self.transact(roles, "grantRole", guardian, self.accounts["guardian"])

    def _seed(self, book: AddressBook) -> None:
        """Give the named accounts money; let the LP and the staker put theirs in."""
        missing = [name for name in ACCOUNTS if name not in self.accounts]
        if missing:
            raise DeploymentError(f"the node has no accounts for {', '.join(missing)}")
        for name in ACCOUNTS:
            self._fund(name)
        self._enter(book, "LiquidityVault", "lp", self.options.pool_deposit)
        self._enter(book, "InsuranceFund", "staker", self.options.insurance_deposit)
        for name in ACCOUNTS:
            self._approve(name, book.contracts["CollateralVault"], tuple(self.tokens))
            if "SwapRouter" in self.contracts:
                self._approve(name, self.contracts["SwapRouter"], ("USDB", "WETH", "LST"))

    def _fund(self, name: str) -> None:
        """Give one account USDB, WBTC, WETH and LST, each worth ``account_balance``."""
        units, prices = self.options.account_balance, self.options.prices
        extra = {"lp": self.options.pool_deposit, "staker": self.options.insurance_deposit}
        address = self.accounts[name]
        usdb = (units + extra.get(name, 0)) * 10**6
        self.transact(self.tokens["USDB"], "mint", address, usdb)
        wbtc = units * WAD * 10**8 // prices["BTC"]
        self.transact(self.tokens["WBTC"], "mint", address, wbtc)
        ether = units * WAD * WAD // prices["ETH"]
        self.transact(self.tokens["WETH"], "deposit", by=name, value=2 * ether)
        self._approve(name, self.tokens["LST"].address, ("WETH",))
        self.transact(self.tokens["LST"], "deposit", ether, address, by=name)

    def _enter(self, book: AddressBook, vault: str, name: str, amount: int) -> None:
        contract = book.contract(self.rpc, vault, self.artifacts)
        self._approve(name, contract.address, ("USDB",))
        self.transact(contract, "deposit", amount * 10**6, self.accounts[name], by=name)

    def _approve(self, name: str, spender: str, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            self.transact(self.tokens[symbol], "approve", spender, 2**256 - 1, by=name)
