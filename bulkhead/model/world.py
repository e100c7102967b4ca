"""One compartment, wired: the model's entry point.

    world = World(now=1_700_000_000)
    world.oracle.set("ETH", 2_000 * WAD)
    world.risk_parameters.set_market(world.governor, 0, presets.market("ETH"), presets.LIQUIDATION)
    alice = address(1)
    world.fund(alice, 10_000 * 10**6)
    world.margin_engine.deposit(alice, pack(alice), SETTLEMENT, 10_000 * 10**6)
    fill = world.perp_exchange.trade(alice, pack(alice), 0, 5 * WAD, 2_100 * WAD)

Each method of a twin is a call: it takes the sender first, returns what Solidity returns, appends
to ``world.events`` and, if it raises, leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from bulkhead.model import presets
from bulkhead.model.breaker import CircuitBreaker
from bulkhead.model.context import Context, Event
from bulkhead.model.custody import CollateralVault
from bulkhead.model.delayed_orders import DelayedOrders
from bulkhead.model.eip712 import CHAIN_ID
from bulkhead.model.exchange import PerpExchange
from bulkhead.model.feeds import Feeds, PegFeed, PriceFeed, StaticOracle, StaticPeg
from bulkhead.model.interest_curve import InterestParameters
from bulkhead.model.liquidation import LiquidationEngine
from bulkhead.model.margin import MarginEngine
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.operators import AccountOperators
from bulkhead.model.parameters import RiskParameters
from bulkhead.model.parts import Parts
from bulkhead.model.risk_engine import RiskEngine
from bulkhead.model.roles import RoleRegistry
from bulkhead.model.signed_orders import SignedOrders
from bulkhead.model.tokens import ERC20, Token
from bulkhead.model.types import (
    Address,
    Addresses,
    BreakerThresholds,
    BreakerTiming,
    CompartmentParameters,
    MarginParameters,
    OrderParameters,
    PoolParameters,
    address,
)
from bulkhead.model.vaults import InsuranceFund, LiquidityVault

R = TypeVar("R")
O = TypeVar("O", bound=PriceFeed)  # noqa: E741
G = TypeVar("G", bound=PegFeed)

GOVERNOR = address(0x60)


class Compartment(Generic[O, G]):
    """One compartment over an oracle and a peg monitor of any kind.

    Args:
        oracle: where prices come from.
        peg: where the valuations of pegged collateral come from.
        now: block time, Unix seconds.
        settlement_decimals: decimals of the settlement token.
        settlement_fee: WAD fraction that a transfer of it burns.
        parameters, interest, margin, orders, pool, timing, thresholds, watched_prices,
            watched_pegs: as the contract's constructor.
        governor: holds GOVERNOR.
        addresses: where the contracts live, for comparison with a chain.
        context: of the world; None: its own.
        chain_id: what signatures are bound to.
    """

    def __init__(
        self,
        oracle: O,
        peg: G,
        *,
        now: int,
        settlement_decimals: int = 6,
        settlement_fee: int = 0,
        parameters: CompartmentParameters = presets.COMPARTMENT,
        interest: InterestParameters = presets.INTEREST,
        margin: MarginParameters = presets.MARGIN,
        orders: OrderParameters = presets.ORDERS,
        pool: PoolParameters = presets.POOL,
        timing: BreakerTiming = presets.TIMING,
        thresholds: BreakerThresholds = presets.THRESHOLDS,
        watched_prices: Sequence[str] = (),
        watched_pegs: Sequence[str] = (),
        governor: Address = GOVERNOR,
        addresses: Addresses | None = None,
        context: Context | None = None,
        chain_id: int = CHAIN_ID,
    ) -> None:
        self.context = context or Context(now)
        self.addresses = addresses or Addresses()
        self.governor = governor
        self.oracle = oracle
        self.peg = peg
        parts = Parts(self.context, self.addresses)
        self._parts = parts
        self.settlement = self.create_token(
            self.addresses.settlement_token, settlement_decimals, settlement_fee
        )
        parts.feeds = Feeds(self.context, oracle, peg)
        self.roles = parts.roles = RoleRegistry(parts, governor)
        self.risk_parameters = parts.risk_parameters = RiskParameters(
            parts,
            parameters,
            interest,
            margin,
            orders,
            pool,
            timing,
            thresholds,
            watched_prices,
            watched_pegs,
        )
        self.circuit_breaker = parts.circuit_breaker = CircuitBreaker(parts)
        self.collateral_vault = parts.collateral_vault = CollateralVault(parts)
        self.risk_engine = parts.risk_engine = RiskEngine(parts)
        self.account_operators = parts.account_operators = AccountOperators(parts, chain_id)
        self.margin_engine = parts.margin_engine = MarginEngine(parts)
        self.perp_exchange = parts.perp_exchange = PerpExchange(parts)
        self.liquidity_vault = parts.liquidity_vault = LiquidityVault(parts)
        self.insurance_fund = parts.insurance_fund = InsuranceFund(parts)
        self.liquidation_engine = parts.liquidation_engine = LiquidationEngine(parts)
        self.signed_orders = parts.signed_orders = SignedOrders(parts, chain_id)
        self.delayed_orders = parts.delayed_orders = DelayedOrders(parts)
        self.context.undo.clear()

    @property
    def now(self) -> int:
        """Block time, Unix seconds."""
        return self.context.now

    @now.setter
    def now(self, value: int) -> None:
        self.context.now = value

    @property
    def events(self) -> list[Event]:
        """Log entries so far; the caller clears the list."""
        return self.context.events

    @property
    def callees(self) -> dict[Address, Callable[[Address, int, int, bytes], None]]:
        """What the buyers' callbacks do, by address."""
        return self.context.callees

    @property
    def tokens(self) -> dict[Address, ERC20]:
        """Tokens by address."""
        return self._parts.tokens

    def execute(self, call: Callable[[], R]) -> R:
        """Return what ``call`` returns; if it raises, undo all of its calls and events."""
        return self.context.execute(call)

    def create_token(self, token: Address, decimals: int, transfer_fee: int = 0) -> Token:
        """Create a token at an address."""
        created = Token(self.context, token, decimals, transfer_fee)
        self.tokens[token] = created
        return created

    def fund(self, holder: Address, amount_tokens: int, token: Token | None = None) -> None:
        """Mint tokens for a holder and allow custody and both vaults to take them."""
        erc20 = self.settlement if token is None else token
        erc20.mint(holder, amount_tokens)
        for spender in (self.collateral_vault, self.liquidity_vault, self.insurance_fund):
            erc20.approve(holder, spender.address, UINT256_MAX)


class World(Compartment[StaticOracle, StaticPeg]):
    """A compartment whose prices are set by hand."""

    def __init__(
        self,
        *,
        now: int = 1_700_000_000,
        settlement_decimals: int = 6,
        settlement_fee: int = 0,
        parameters: CompartmentParameters = presets.COMPARTMENT,
        interest: InterestParameters = presets.INTEREST,
        margin: MarginParameters = presets.MARGIN,
        orders: OrderParameters = presets.ORDERS,
        pool: PoolParameters = presets.POOL,
        timing: BreakerTiming = presets.TIMING,
        thresholds: BreakerThresholds = presets.THRESHOLDS,
        watched_prices: Sequence[str] = (),
        watched_pegs: Sequence[str] = (),
        governor: Address = GOVERNOR,
        addresses: Addresses | None = None,
    ) -> None:
        super().__init__(
            StaticOracle(),
            StaticPeg(),
            now=now,
            settlement_decimals=settlement_decimals,
            settlement_fee=settlement_fee,
            parameters=parameters,
            interest=interest,
            margin=margin,
            orders=orders,
            pool=pool,
            timing=timing,
            thresholds=thresholds,
            watched_prices=watched_prices,
            watched_pegs=watched_pegs,
            governor=governor,
            addresses=addresses,
        )
