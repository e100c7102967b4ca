"""A devnet that every test finds as it was deployed, and the verbs and roles to act on it.

One Anvil per process, one deployment, a snapshot per test. Blocks are one second apart whatever the
wall clock says, so that every number in a test is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, ensure_compiled
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, ContractReverted, decode_error, interface_of
from bulkhead.chain.rpc import Receipt, Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.devnet import (
    DevnetOptions,
    confirm_price,
    deploy_devnet,
    devnet_parameters,
    publish_price,
)
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.sender import RpcSender

WAD = 10**18
GENESIS = 1_800_000_000
ETHER = 10**18
ANY_PRICE = 2**255

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# For planted bugs: they have to be found, not shown at their smallest.
settings.register_profile(
    "hunt",
    derandomize=True,
    deadline=None,
    max_examples=400,
    phases=(Phase.generate,),
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "deep",
    deadline=None,
    max_examples=2_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class SteadyRpc(Rpc):
    """Mines when told, in the same breath as it sends.

    Anvil's own miner works in the background and may pick up a transaction twice; after a revert
    the second time is valid again, and a test finds what another one did.
    """

    def send_sync(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Send a transaction, mine it, return its receipt."""
        transaction_hash = self.send(sender, to, data, value, gas)
        self.mine()
        receipt = self.receipt(transaction_hash)
        assert receipt is not None
        return receipt


class World:
    """The devnet as a test uses it. People are named as in the address book.

    Attributes:
        rpc: the node, which mines each transaction in a block of its own, one second on.
        book: the address book.
        margin, valuer, perps, pool, fund, liquidation, orders, breaker, risk, oracle, peg,
            custody, lens: parts.
        operators: who acts for whom.
        roles: who may do what.
        keys: private keys, ``0x…``, by address.
        usdb, weth, wbtc, lst: the tokens.
    """

    def __init__(
        self, rpc: Rpc, book: AddressBook, artifacts: Artifacts, keys: Mapping[str, str]
    ) -> None:
        self.rpc = rpc
        self.keys = keys
        self.book = book
        self.artifacts = artifacts
        self.margin = self._named("MarginEngine")
        self.valuer = self._named("RiskEngine")
        self.operators = self._named("AccountOperators")
        self.perps = self._named("PerpExchange")
        self.pool = self._named("LiquidityVault")
        self.fund = self._named("InsuranceFund")
        self.liquidation = self._named("LiquidationEngine")
        self.orders = self._named("SignedOrders")
        self.delayed = self._named("DelayedOrders")
        self.breaker = self._named("CircuitBreaker")
        self.risk = self._named("RiskParameters")
        self.oracle = self._named("OracleAggregator")
        self.peg = self._named("PegMonitor")
        self.custody = self._named("CollateralVault")
        self.lens = self._named("Lens")
        self.roles = self._named("RoleRegistry")
        self.usdb = self._named("USDB")
        self.weth = self._named("WETH")
        self.wbtc = self._named("WBTC")
        self.lst = self._named("LST")
        self.governor = book.deployer

    def _named(self, name: str) -> Contract:
        return self.book.contract(self.rpc, name, self.artifacts)

    def address(self, who: str) -> str:
        """Return the address of a named person; an address passes through."""
        return self.book.accounts.get(who, who)

    def account(self, who: str, sub: int = 0) -> bytes:
        """Return a person's margin account."""
        return bytes.fromhex(self.address(who)[2:]) + sub.to_bytes(12, "big")

    def token(self, collateral: int) -> Contract:
        """Return a collateral's token; 0 is the settlement token."""
        symbols = {number: symbol for symbol, number in self.book.collaterals.items()}
        return self._named(symbols[collateral]) if collateral else self.usdb

    def deploy(self, name: str, *args: Any) -> Contract:
        """Deploy one more contract from the governor's account."""
        artifact = self.artifacts[name]
        data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        sent = RpcSender(self.rpc, self.governor).send(None, data, name)
        assert sent.created is not None
        return Contract(self.rpc, sent.created, artifact.abi, name)

    # ------------------------------------------------------------------ time and prices

    @property
    def now(self) -> int:
        """Time of the latest block; the next transaction is a second later."""
        return self.rpc.timestamp()

    def skip(self, seconds: int) -> None:
        """Let time pass: mine one block that much later."""
        self.rpc.mine(self.now + seconds)

    def freeze(self) -> None:
        """Give the next transaction the time of the latest block."""
        self.rpc.set_next_timestamp(self.now)

    def after(self, seconds: int) -> None:
        """Give the next transaction the time of the latest block plus so many seconds."""
        self.rpc.set_next_timestamp(self.now + seconds)

    def publish(self, asset: str, price: int) -> None:
        """Let all feeds of an asset answer a price (WAD), and the oracle accept it.

        A price that moved far is seen a second time, confirmationDelay later.
        """
        self.quote(asset, price)
        confirm_price(self.rpc, self.book, asset)

    def quote(self, asset: str, price: int) -> None:
        """Let all feeds of an asset answer a price (WAD), and record it once."""
        publish_price(self.rpc, self.book, asset, price)

    def silence(self, asset: str) -> None:
        """Let all feeds of an asset fail, and outlive what was cached: its price is stale."""
        for name in self.book.feeds:
            if name.rpartition("-")[0] == asset:
                self._named(name).transact("setMode", 1, sender=self.governor)
        self.skip(self.oracle.call("assetConfig", asset_id(asset))[0].maxCacheAge + 1)

    def jolt(self, asset: str, percent: int = 11) -> None:
        """Let all feeds answer so much more than the price, once: it waits to be confirmed."""
        price = self.oracle.call("latest", asset_id(asset)).price
        self.quote(asset, price * (100 + percent) // 100)
        assert self.oracle.call("latest", asset_id(asset)).status == 1

    def worsen(self, asset: str, status: int) -> None:
        """Give an asset's price a worse status: 0 stale, 1 unconfirmed, 2 degraded."""
        (self.silence, self.jolt, self.degrade)[status](asset)

    def degrade(self, asset: str, spread: int = WAD // 2) -> None:
        """Add a third source that differs by a fraction (WAD): the price is degraded, not moved.

        The two that agree are a quorum, from now until the new one has all of its share.
        """
        price = self.oracle.call("latest", asset_id(asset)).price
        odd = self.deploy("HostileSource")
        odd.transact("set", price * (WAD + spread) // WAD, 0, self.now, sender=self.governor)
        config, _ = self.oracle.call("assetConfig", asset_id(asset))
        config = config._replace(quorum=6_667)
        adapters = (*self.book.adapters[asset], odd.address)
        sources = list(zip(adapters, (3_334, 3_333, 3_333), strict=True))
        self.oracle.transact("configure", asset_id(asset), config, sources, sender=self.governor)
        self.oracle.transact("record", asset_id(asset), sender=self.governor)

    # ------------------------------------------------------------------ what people do

    def deposit(self, who: str, amount_tokens: int, collateral: int = 0, sub: int = 0) -> Receipt:
        """Add margin, in token units."""
        account = self.account(who, sub)
        sender = self.address(who)
        return self.margin.transact("deposit", account, collateral, amount_tokens, sender=sender)

    def grant(self, who: str, operator: str, permissions: int, sub: int = 0) -> None:
        """Make somebody an operator for a day."""
        args = (self.account(who, sub), self.address(operator), permissions, self.now + 86_400)
        self.operators.transact("setOperator", *args, sender=self.address(who))

    def trade(self, who: str, size_delta: int, market: int = 0, sub: int = 0) -> Any:
        """Trade at any price; return the arguments of ``Traded``."""
        limit = ANY_PRICE if size_delta > 0 else 0
        account = self.account(who, sub)
        receipt = self.perps.transact(
            "trade", account, market, size_delta, limit, sender=self.address(who)
        )
        return self.perps.events(receipt, "Traded")[0].args

    def settle(
        self,
        who: str,
        pnl: int,
        fee: int = 0,
        unrealized: int = 0,
        market: int = 0,
        rebate: int = 0,
    ) -> Receipt:
        """Book a realised result on an account, in the exchange's name."""
        return self.margin.transact(
            "settle",
            self.account(who),
            market,
            pnl,
            fee,
            rebate,
            unrealized,
            sender=self.perps.address,
        )

    def raise_tier(self, tier: int, duration: int = 3_600) -> None:
        """Let the guardian raise the breaker's tier."""
        self.breaker.transact("raise", tier, duration, sender=self.address("guardian"))

    # ------------------------------------------------------------------ what there is

    def ledger(self, who: str, sub: int = 0) -> Any:
        """Return an account's ledger entry."""
        return self.margin.call("accountLedger", self.account(who, sub))

    def totals(self) -> Any:
        """Return the compartment's totals."""
        return self.margin.call("totals")

    def valuation(self, who: str, sub: int = 0) -> Any:
        """Return an account's valuation."""
        return self.margin.call("valuation", self.account(who, sub))

    def position(self, who: str, market: int = 0, sub: int = 0) -> Any:
        """Return a position."""
        return self.perps.call("position", self.account(who, sub), market)

    def index(self, market: int = 0) -> int:
        """Return a market's index price."""
        return int(self.perps.call("indexPrice", market).price)

    def surplus(self) -> int:
        """Return custody of the settlement token less P + L + I + F, WAD: CUS-1 wants ≥ 0."""
        held = self.usdb.call("balanceOf", self.custody.address) * 10**12
        t = self.totals()
        return int(held - t.principal - t.poolCash - t.insuranceCash - t.feeReserve)

    # ------------------------------------------------------------------ changing the world

    def set_market(self, market: int = 0, **changes: Any) -> None:
        """Change some parameters of a market, of trading or liquidation."""
        trading = self.risk.call("marketTrading", market)._asdict()
        liquidation = self.risk.call("marketLiquidation", market)._asdict()
        for name, value in changes.items():
            (trading if name in trading else liquidation)[name] = value
        self.risk.transact("setMarket", market, trading, liquidation, sender=self.governor)

    def set_collateral(self, collateral: int, **changes: Any) -> None:
        """Change some parameters of a collateral."""
        config = {**self.risk.call("collateralConfig", collateral)._asdict(), **changes}
        self.risk.transact("setCollateral", collateral, config, sender=self.governor)

    def set_margin(self, **changes: Any) -> None:
        """Change some of the parameters by which margin adapts."""
        parameters = {**self.risk.call("marginParameters")._asdict(), **changes}
        self.risk.transact("setMargin", parameters, sender=self.governor)

    def set_compartment(self, **changes: Any) -> None:
        """Change some parameters of the compartment."""
        parameters = {**self.risk.call("compartmentParameters")._asdict(), **changes}
        self.risk.transact("setCompartment", parameters, sender=self.governor)

    def set_interest(self, **changes: Any) -> None:
        """Change some parameters of what debt costs."""
        parameters = {**self.risk.call("interestParameters")._asdict(), **changes}
        self.risk.transact("setInterest", parameters, sender=self.governor)

    def ask_to_leave(self, who: str) -> None:
        """Ask for all of somebody's shares of the pool, to be redeemed in the same second."""
        self.set_pool(cooldown=0, coverageRatio=0)
        holder = self.address(who)
        shares = self.pool.call("balanceOf", holder)
        self.pool.transact("requestRedeem", shares, sender=holder)

    def set_pool(self, **changes: Any) -> None:
        """Change some parameters of how the pool is left."""
        parameters = {**self.risk.call("poolParameters")._asdict(), **changes}
        self.risk.transact("setPool", parameters, sender=self.governor)

    def corrupt(self, token: Contract) -> Contract:
        """Put a hostile token's code in the place of a token's; balances stay."""
        hostile = self.deploy("HostileToken", "", "", token.call("decimals"))
        code = self.rpc.code(hostile.address)
        self.rpc.request("anvil_setCode", [token.address, "0x" + code.hex()])
        return Contract(self.rpc, token.address, hostile.abi, "HostileToken")

    def store(self, contract: Contract, slot: int, word: int) -> None:
        """Write a storage slot."""
        request = [contract.address, hex(slot), "0x" + word.to_bytes(32, "big").hex()]
        self.rpc.request("anvil_setStorageAt", request)


def _steady() -> DeploymentParameters:
    """Return the devnet's parameters, but volatility moves no margin and debt costs nothing.

    Margins are then known beforehand, and a debt that a test makes is to the wei what it made it.
    """
    parameters = devnet_parameters(spot_markets=False)
    free = dict.fromkeys(("rate_at_zero", "rate_at_kink", "rate_at_full"), 0)
    interest = parameters.interest.model_copy(update=free)
    plain = {"volatility_multiplier": 0, "maker_fee": 0, "max_rebate": 0, "instant_spread": 0}
    calm = [market.model_copy(update=plain) for market in parameters.markets]
    return parameters.model_copy(update={"interest": interest, "markets": tuple(calm)})


@pytest.fixture(scope="session")
def devnet() -> Iterator[World]:
    """A freshly deployed world; use ``world``, which undoes what a test does."""
    artifacts = ensure_compiled()
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        options = DevnetOptions(spot_markets=False, parameters=_steady())
        book = deploy_devnet(sender, options, artifacts=artifacts)
        anvil.rpc.request("anvil_setBlockTimestampInterval", [1])
        anvil.rpc.set_automine(False)
        for address in book.contracts.values():  # So that tests may act in a contract's name.
            anvil.rpc.set_balance(address, ETHER)
        keys = {account.address: account.private_key for account in anvil.accounts}
        yield World(SteadyRpc(anvil.url), book, artifacts, keys)


@pytest.fixture
def world(devnet: World) -> Iterator[World]:
    """The world as deployed: pool and insurance fund are filled, nobody has any margin."""
    snapshot = devnet.rpc.snapshot()
    yield devnet
    devnet.rpc.revert(snapshot)


@pytest.fixture(scope="session")
def harness(devnet: World) -> Contract:
    """The pure libraries, callable from outside."""
    return devnet.deploy("LibraryHarness")


@pytest.fixture(scope="session")
def risk_harness(devnet: World) -> Contract:
    """The pure libraries of adaptive margin, callable from outside."""
    return devnet.deploy("RiskHarness")


@pytest.fixture(scope="session")
def refuses() -> Callable[..., AbstractContextManager[None]]:
    """Expect a revert with a custom error and exactly these arguments; none given: any."""

    @contextmanager
    def _refuses(name: str, *args: Any) -> Iterator[None]:
        with pytest.raises(ContractReverted) as caught:
            yield
        assert caught.value.error.name == name, caught.value.error
        if args:
            assert tuple(caught.value.error.args) == args

    return _refuses


@pytest.fixture(scope="session")
def attempts(devnet: World) -> Callable[[Receipt], list[Any]]:
    """Read what reentrant attempts came to: ``(success, decoded error or data)`` each."""

    def _attempts(
        receipt: Receipt, names: Sequence[str] = ("Attempted", "CalledBack")
    ) -> list[Any]:
        interfaces = [
            interface_of(devnet.artifacts[name].abi) for name in ("ReentrantCallee", "HostileToken")
        ]
        found = []
        for log in receipt.logs:
            for interface in interfaces:
                codec = interface.events.get((log.topics[0], len(log.topics)))
                if codec is not None and codec.name in names:
                    args = codec.decode(log)
                    error = decode_error(args.returndata)
                    found.append((args.success, args.returndata if args.success else error))
        return found

    return _attempts
