"""Gas of the suite's operations, from transaction receipts on a fresh local chain.

One market, collateral with a peg, prices cached, every account used before: what a regular user
pays. Block times are explicit, so a run gives the same numbers as any other of the same contracts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.devnet import (
    DevnetOptions,
    deploy_devnet,
    devnet_parameters,
    publish_price,
)
from bulkhead.deployment.sender import RpcSender
from bulkhead.model import eip712
from bulkhead.model.signed_orders import NAME, SIGNED_ORDER, VERSION

GENESIS = 1_800_000_000
WAD = 10**18
USDB = 10**6
ANY_PRICE = 2**255
FOREVER = 2**40 - 1
LST, SETTLEMENT, MARKET = 1, 0, 0
CONFIRMATION_SECONDS = 40
MARKETS, CHECKED_MARKETS = 16, (1, 4, 16)
CORRELATION_BPS = 5_000
SAMPLE_PERIOD = 300

BUDGETS = {
    "deposit": 90_000,
    "withdraw": 140_000,
    "pool_fill": 180_000,
    "signed_pair": 250_000,
    "liquidate": 250_000,
    "oracle_record": 110_000,
    "oracle_read": 8_000,
    "vault_deposit": 110_000,
    "fund_deposit": 110_000,
    "convert_claim": 80_000,
}
"""What an operation should cost at most; see ``docs/benchmarks.md``."""

Progress = Callable[[str], None]


@dataclass(slots=True)
class _Bench:
    rpc: Rpc
    book: AddressBook
    artifacts: Artifacts
    keys: dict[str, str]
    gas: dict[str, int] = field(default_factory=dict)

    def contract(self, name: str) -> Contract:
        return self.book.contract(self.rpc, name, self.artifacts)

    def address(self, who: str) -> str:
        return self.book.accounts[who]

    def account(self, who: str) -> bytes:
        return bytes.fromhex(self.address(who)[2:]) + bytes(12)

    def send(self, who: str, contract: str, function: str, *args: Any) -> int:
        """Send a transaction and return its gas."""
        sender = self.address(who)
        return self.contract(contract).transact(function, *args, sender=sender).gas_used

    def execution(self, contract: str, function: str, *args: Any) -> int:
        """Send a transaction and return its gas less what any transaction with its data costs."""
        data = self.contract(contract).encode(function, *args)
        intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
        return self.send("keeper", contract, function, *args) - intrinsic

    def trade(self, who: str, size_delta: int) -> int:
        limit = ANY_PRICE if size_delta > 0 else 0
        return self.send(who, "PerpExchange", "trade", self.account(who), MARKET, size_delta, limit)

    def skip(self, seconds: int) -> None:
        self.rpc.mine(self.rpc.timestamp() + seconds)

    def skip_to_period(self) -> None:
        """Go to where the next record takes a sample of the oracle's series."""
        self.skip(SAMPLE_PERIOD - self.rpc.timestamp() % SAMPLE_PERIOD)

    def price(self, asset: str, price: int) -> None:
        """Publish a price until it is confirmed, and let everything that is cached be fresh."""
        for _ in range(2):
            publish_price(self.rpc, self.book, asset, price)
            self.refresh()
            self.skip(CONFIRMATION_SECONDS)
        self.refresh()

    def refresh(self) -> None:
        for asset in ("ETH", "LST/ETH"):
            self.send("keeper", "OracleAggregator", "record", asset_id(asset))
        self.send("keeper", "PegMonitor", "poke", asset_id("LST"))


def measure(artifacts: Artifacts, progress: Progress | None = None) -> dict[str, int]:
    """Return gas by operation.

    Args:
        artifacts: what to deploy and measure.
        progress: is told what is done next.

    Raises:
        ContractReverted: an operation was refused.
    """
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        say = progress or (lambda _: None)
        say("deploying")
        anvil.rpc.request("anvil_setBlockTimestampInterval", [1])
        parameters = devnet_parameters()
        options = DevnetOptions(
            spot_markets=True,
            parameters=parameters.model_copy(
                update={"markets": parameters.markets[:1], "correlations": ()}
            ),
        )
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        book = deploy_devnet(sender, options, artifacts=artifacts)
        keys = {account.address: account.private_key for account in anvil.accounts}
        bench = _Bench(anvil.rpc, book, artifacts, keys)
        # The pools' average price reaches back ten minutes.
        bench.skip(900)
        for asset in ("ETH", "BTC", "LST/ETH"):
            publish_price(bench.rpc, book, asset, options.prices[asset])
        steps = (
            *(_margin, _trading, _secured, _orders, _upkeep, _vaults, _profit, _losses, _pairs),
            _portfolio,
        )
        for step in steps:
            say(step.__doc__ or "")
            step(bench)
        return bench.gas


def _margin(b: _Bench) -> None:
    """deposits and withdrawals"""
    account = b.account("alice")
    for _ in range(2):
        b.send("alice", "MarginEngine", "deposit", account, LST, 100 * WAD)
        b.send("alice", "MarginEngine", "deposit", account, SETTLEMENT, 100_000 * USDB)
    b.refresh()
    b.gas["deposit"] = b.send("alice", "MarginEngine", "deposit", account, LST, WAD)
    b.gas["deposit_settlement"] = b.send(
        "alice", "MarginEngine", "deposit", account, SETTLEMENT, USDB
    )
    b.trade("alice", WAD)
    b.refresh()
    alice = b.address("alice")
    b.gas["withdraw"] = b.send("alice", "MarginEngine", "withdraw", account, LST, WAD, alice)
    b.gas["withdraw_settlement"] = b.send(
        "alice", "MarginEngine", "withdraw", account, SETTLEMENT, USDB, alice
    )


def _trading(b: _Bench) -> None:
    """fills"""
    b.refresh()
    b.gas["pool_fill"] = b.trade("alice", WAD)
    b.gas["pool_fill_reduce"] = b.trade("alice", -WAD)
    b.send("bob", "MarginEngine", "deposit", b.account("bob"), SETTLEMENT, 1_000_000 * USDB)
    b.trade("bob", -WAD)
    b.refresh()
    b.gas["pool_fill_cash_account"] = b.trade("bob", -WAD)


def _pairs(b: _Bench) -> None:
    """signed pairs"""
    b.price("ETH", 3_000 * WAD)
    people = ("alice", "bob", "keeper")
    b.send("keeper", "MarginEngine", "deposit", b.account("keeper"), SETTLEMENT, 100_000 * USDB)
    limit = b.contract("PerpExchange").call("markPrice", MARKET)
    sizes = (10 * WAD, -10 * WAD, -10 * WAD)
    orders = [_signed_order(b, *pair, limit) for pair in zip(people, sizes, strict=True)]
    taker, *makers = orders
    # In the first match all orders are filled for the first time, and everybody gets a position.
    for names in (makers, makers[:1], makers):
        b.refresh()
        fills = [(*maker, WAD) for maker in names]
        gas = b.send("keeper", "SignedOrders", "matchOrders", *taker, fills)
        b.gas["signed_pair" if len(names) == 1 else "signed_pair_extra_maker"] = gas
    b.gas["signed_pair_extra_maker"] -= b.gas["signed_pair"]


def _signed_order(b: _Bench, who: str, size: int, limit: int) -> tuple[tuple[Any, ...], bytes]:
    signer = b.address(who)
    order = (b.account(who), signer, MARKET, size, limit, 2**40 - 1, 0, 0)
    contract = b.book.contracts["SignedOrders"].lower()
    domain = eip712.domain_separator(NAME, VERSION, b.book.chain_id, contract)
    values = (order[0], signer.lower(), MARKET, size % 2**256, *order[4:])
    return order, eip712.sign(b.keys[signer], eip712.digest(domain, SIGNED_ORDER, values))


def _secured(b: _Bench) -> None:
    """a withdrawal that collateral has to make good for"""
    second = b.account("alice")[:20] + (2).to_bytes(12, "big")
    alice = b.address("alice")
    # Cash for the fee, so that nobody owes anything, and not enough for the margin.
    b.send("alice", "MarginEngine", "deposit", second, SETTLEMENT, 10 * USDB)
    b.send("alice", "MarginEngine", "deposit", second, LST, 10 * WAD)
    b.refresh()
    b.send("alice", "PerpExchange", "trade", second, MARKET, WAD, ANY_PRICE)
    b.refresh()
    b.gas["withdraw_secured"] = b.send("alice", "MarginEngine", "withdraw", second, LST, WAD, alice)
    b.send("alice", "PerpExchange", "trade", second, MARKET, -WAD, 0)


def _upkeep(b: _Bench) -> None:
    """upkeep"""
    eth = asset_id("ETH")
    b.skip_to_period()
    b.gas["oracle_record_sample"] = b.send("keeper", "OracleAggregator", "record", eth)
    b.skip(60)
    b.gas["oracle_record"] = b.send("keeper", "OracleAggregator", "record", eth)
    b.gas["oracle_read"] = b.execution("OracleAggregator", "fetch", eth)
    b.send("keeper", "OracleAggregator", "record", asset_id("LST/ETH"))
    b.gas["peg_poke"] = b.send("keeper", "PegMonitor", "poke", asset_id("LST"))
    b.send("keeper", "OracleAggregator", "record", asset_id("ETH"))
    b.gas["market_poke"] = b.send("keeper", "PerpExchange", "poke", MARKET)
    b.gas["breaker_poke"] = b.send("keeper", "CircuitBreaker", "poke")


def _vaults(b: _Bench) -> None:
    """pool and insurance fund"""
    lp, staker = b.address("lp"), b.address("staker")
    b.refresh()
    b.send("lp", "LiquidityVault", "deposit", 1_000 * USDB, lp)
    b.gas["vault_deposit"] = b.send("lp", "LiquidityVault", "deposit", 1_000 * USDB, lp)
    # A thousand and one tokens' worth: the request is not used up.
    shares = 1_001 * USDB * 10**6
    b.gas["vault_request"] = b.send("lp", "LiquidityVault", "requestRedeem", shares)
    b.skip(b.book.parameters.pool.cooldown)
    b.price("ETH", 3_000 * WAD)
    b.gas["vault_withdraw"] = b.send("lp", "LiquidityVault", "withdraw", 1_000 * USDB, lp, lp)
    b.send("staker", "InsuranceFund", "deposit", 1_000 * USDB, staker)
    b.gas["fund_deposit"] = b.send("staker", "InsuranceFund", "deposit", 1_000 * USDB, staker)
    b.gas["fund_withdraw"] = b.send("staker", "InsuranceFund", "withdraw", USDB, staker, staker)


def _profit(b: _Bench) -> None:
    """converting profit"""
    b.trade("alice", 20 * WAD)
    b.price("ETH", 3_060 * WAD)
    b.trade("alice", -20 * WAD)
    b.skip(7_200)
    b.price("ETH", 3_060 * WAD)
    b.send("keeper", "PerpExchange", "poke", MARKET)
    b.send("alice", "MarginEngine", "convert", b.account("alice"), WAD)
    b.gas["convert_claim"] = b.send("alice", "MarginEngine", "convert", b.account("alice"), WAD)


def _losses(b: _Bench) -> None:
    """liquidation, auction, write-off"""
    carol, dave = b.account("carol"), b.account("dave")
    for who, account in (("carol", carol), ("dave", dave)):
        b.send(who, "MarginEngine", "deposit", account, LST, 100 * WAD)
    b.refresh()
    b.trade("carol", 1_000 * WAD)
    b.trade("dave", 1_100 * WAD)
    keeper = b.account("keeper")
    b.send("keeper", "MarginEngine", "deposit", keeper, SETTLEMENT, USDB)
    b.price("ETH", 2_880 * WAD)
    b.gas["liquidate"] = b.send("keeper", "LiquidationEngine", "liquidate", carol, MARKET)
    b.price("ETH", 2_700 * WAD)
    for account in (carol, dave):
        b.send("keeper", "LiquidationEngine", "liquidate", account, MARKET)
    b.gas["auction_start"] = b.send("keeper", "LiquidationEngine", "startAuction", dave, LST)
    b.price("ETH", 2_700 * WAD)
    take = ("LiquidationEngine", "takeAuction", dave, LST)
    rest = (ANY_PRICE, b.address("keeper"), b"")
    b.gas["auction_take"] = b.send("keeper", *take, WAD, *rest)
    b.send("keeper", *take, 2**127, *rest)
    b.gas["write_off"] = b.send("keeper", "LiquidationEngine", "writeOff", dave)


def _orders(b: _Bench) -> None:
    """orders that settle later"""
    bob, keeper = b.account("bob"), b.account("keeper")
    # What comes after is measured without any of this.
    snapshot = b.rpc.snapshot()

    def commit() -> int:
        terms = (bob, MARKET, -WAD, 0, 0, FOREVER, 0)
        return b.send("bob", "DelayedOrders", "commit", *terms)

    def publish() -> None:
        publish_price(b.rpc, b.book, "ETH", b.contract("PerpExchange").call("indexPrice", 0).price)
        b.refresh()

    b.refresh()
    commit()
    publish()
    b.send("keeper", "DelayedOrders", "settle", 1, keeper)
    b.gas["order_commit"] = commit()
    for _ in range(3):
        commit()
    publish()
    b.gas["order_settle"] = b.send("keeper", "DelayedOrders", "settle", 2, keeper)
    one = b.send("keeper", "DelayedOrders", "settleMany", [3], keeper)
    two = b.send("keeper", "DelayedOrders", "settleMany", [4, 5], keeper)
    b.gas["order_settle_extra"] = two - one
    b.rpc.revert(snapshot)


def _portfolio(b: _Bench) -> None:
    """the margin check of 1, 4 and 16 markets"""
    b.price("ETH", 3_000 * WAD)
    risk, oracle = b.contract("RiskParameters"), b.contract("OracleAggregator")
    governor = b.book.deployer
    config, sources = oracle.call("assetConfig", asset_id("ETH"))
    trading = risk.call("marketTrading", MARKET)
    liquidation = risk.call("marketLiquidation", MARKET)
    for market in range(1, MARKETS):
        asset = asset_id(f"M{market}")
        oracle.transact("configure", asset, config, sources, sender=governor)
        oracle.transact("record", asset, sender=governor)
        trading = trading._replace(indexAsset=asset)
        risk.transact("setMarket", market, trading, liquidation, sender=governor)
    pairs = [CORRELATION_BPS] * (MARKETS * (MARKETS - 1) // 2)
    risk.transact("setCorrelations", pairs, sender=governor)
    account = b.account("bob")[:20] + (1).to_bytes(12, "big")
    b.send("bob", "MarginEngine", "deposit", account, SETTLEMENT, 1_000_000 * USDB)
    for market in range(MARKETS):
        size, limit = (WAD, ANY_PRICE) if market % 2 else (-WAD, 0)
        oracle.transact("record", asset_id("ETH"), sender=governor)
        b.send("bob", "PerpExchange", "trade", account, market, size, limit)
        if market + 1 in CHECKED_MARKETS:
            for i in range(1, market + 1):  # Every price is cached and fresh.
                oracle.transact("record", asset_id(f"M{i}"), sender=governor)
            oracle.transact("record", asset_id("ETH"), sender=governor)
            gas = b.execution("MarginEngine", "valuation", account)
            b.gas[f"margin_check_{market + 1}"] = gas
