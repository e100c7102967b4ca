"""What an agent sees: one moment of the chain and of the market outside, as plain numbers.

Amounts are integers: WAD of the settlement token unless the name says ``tokens`` (raw token units).
Prices that only guide a decision are floats, in settlement units or, for a pool, quote per base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isqrt
from typing import Any

WAD = 10**18
Q96 = 1 << 96
Q192 = 1 << 192


@dataclass(frozen=True, slots=True)
class OutsidePrices:
    """What the rest of the world pays at one step.

    Attributes:
        eth, btc: settlement units per 1.0.
        ratio: the pegged collateral's price as a fraction of what it redeems for; 1.0: at par.
    """

    eth: float
    btc: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Transaction:
    """What an agent sends.

    Attributes:
        sender: address.
        contract: the suite's name of the callee (``MarginEngine``, ``SwapRouter``, …).
        function, args: the call.
        purpose: in words, for counts of what was refused.
        value: wei.
    """

    sender: str
    contract: str
    function: str
    args: tuple[Any, ...]
    purpose: str
    value: int = 0


Simulator = Callable[[Sequence[Transaction]], list[str | None]]
"""Runs each transaction on its own against the latest block: the error's name, None if it works."""


def assume_success(transactions: Sequence[Transaction]) -> list[str | None]:
    """Return None for every transaction: the simulator of a view that has no chain behind it."""
    return [None for _ in transactions]


@dataclass(frozen=True, slots=True)
class PositionState:
    """One position. ``size`` WAD base units (> 0: long), values WAD."""

    market: int
    size: int
    quote: int
    unrealized_pnl: int


@dataclass(frozen=True, slots=True)
class AccountState:
    """One margin account. Values WAD, ``collateral_tokens`` raw units by collateral id less one.

    ``cash`` below zero is debt with the interest owed up to now, ``booked_debt`` what of it is part
    of the compartment's ``debt``.
    """

    account: bytes
    owner: str
    cash: int
    booked_debt: int
    claim: int
    matured_claim: int
    collateral_tokens: tuple[int, ...]
    positions: tuple[PositionState, ...]
    equity_initial: int
    equity_maintenance: int
    initial_margin: int
    maintenance_margin: int
    buffer_at_index: int
    collateral_maintenance: int
    is_priced: bool

    @property
    def debt(self) -> int:
        """WAD owed to the pool."""
        return max(0, -self.cash)

    @property
    def booked_cash(self) -> int:
        """Cash without the interest since it was last booked: as events and totals have it."""
        return -self.booked_debt if self.cash < 0 else self.cash

    @property
    def is_unhealthy(self) -> bool:
        """Whether equity is below the maintenance margin."""
        below = self.equity_maintenance < self.maintenance_margin
        return self.is_priced and below and self.buffer_at_index < 0

    @property
    def health(self) -> float:
        """Equity over maintenance margin; infinite where nothing is asked."""
        if self.maintenance_margin == 0:
            return inf
        return self.equity_maintenance / self.maintenance_margin

    def position(self, market: int) -> PositionState | None:
        """Return the position in a market, None if there is none."""
        return next((p for p in self.positions if p.market == market), None)


@dataclass(frozen=True, slots=True)
class PerpState:
    """One perpetual market. Open interest WAD base units, prices WAD, rate WAD per day."""

    market: int
    open_interest_long: int
    open_interest_short: int
    index_price: int
    status: int
    mark_price: int
    funding_rate: int
    unrealized_pnl: int

    @property
    def skew(self) -> int:
        """WAD base units: longs less shorts."""
        return self.open_interest_long - self.open_interest_short


@dataclass(frozen=True, slots=True)
class CollateralState:
    """One collateral token: raw units in custody and by the ledger, WAD prices of 1.0."""

    token: str
    custody_tokens: int
    booked_tokens: int
    initial_price: int
    maintenance_price: int
    market_price: int
    status: int


@dataclass(frozen=True, slots=True)
class CompartmentState:
    """The compartment's ledger, WAD; ``custody_tokens`` raw units of the settlement token.

    ``debt`` is as booked, ``accrued_debt`` with all interest owed up to now; ``borrow_rate`` is WAD
    per day.
    """

    principal: int
    debt: int
    accrued_debt: int
    borrow_rate: int
    claims: int
    pool_cash: int
    insurance_cash: int
    fee_reserve: int
    unrealized_positive: int
    unrealized_net: int
    haircut_ratio: int
    tier: int
    custody_tokens: int
    custody_surplus: int
    pool_shares: int
    pool_to_enter: int
    pool_to_leave: int
    fund_shares: int
    markets: tuple[PerpState, ...]
    collaterals: tuple[CollateralState, ...]


@dataclass(frozen=True, slots=True)
class PoolState:
    """A Uniswap v3 pool, priced as quote tokens per 1.0 of base.

    Attributes:
        base, quote: token addresses.
        base_decimals, quote_decimals: of the tokens.
        fee: millionths.
        sqrt_price_x96: √(raw token1 / raw token0) · 2^96.
    """

    base: str
    quote: str
    base_decimals: int
    quote_decimals: int
    fee: int
    sqrt_price_x96: int

    @property
    def base_is_token0(self) -> bool:
        """Whether the base is the token with the lower address."""
        return int(self.base, 16) < int(self.quote, 16)

    @property
    def price(self) -> float:
        """Quote tokens per 1.0 of base, at the margin and before the fee."""
        raw = self.sqrt_price_x96**2 / Q192
        scale = 10.0 ** (self.base_decimals - self.quote_decimals)
        return raw * scale if self.base_is_token0 else scale / raw

    def sqrt_price_at(self, price: float) -> int:
        """Return the square root, Q64.96, at which the pool's price is ``price``."""
        scaled = round(price * 10**18) * 10**self.quote_decimals
        unit = 10 ** (18 + self.base_decimals)
        if self.base_is_token0:
            return isqrt(scaled * Q192 // unit)
        return isqrt(unit * Q192 // scaled)


@dataclass(frozen=True, slots=True)
class PegView:
    """The peg monitor's view of the pegged collateral. WAD; rates in underlying per 1.0 token."""

    fair_rate: int
    market_rate: int
    stress: int
    discount: int
    haircut: int
    maintenance_price: int
    initial_price: int
    market_price: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """A request in the staking token's queue. ``claimable_at`` Unix seconds."""

    id: int
    receiver: str
    claimable_at: int


@dataclass(frozen=True, slots=True)
class Exit:
    """Shares of a vault that their owner asked to redeem, from one second to another (Unix)."""

    shares: int
    unlocks_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """A delayed order. Sizes and prices WAD, times Unix seconds.

    ``settle_from`` 0: it waits until the index is at or above (``is_above``), or at or below, its
    ``trigger_price``.
    """

    id: int
    account: bytes
    market: int
    size_delta: int
    settle_from: int
    expires_at: int
    trigger_price: int = 0
    is_above: bool = False


@dataclass(frozen=True, slots=True)
class MarketView:
    """One moment, as every agent may know it.

    Attributes:
        step: number of the scenario's step.
        timestamp: Unix seconds of the latest block.
        outside: prices elsewhere.
        balances: raw token units by (owner, token name).
        pools: spot pools by name (``LST/WETH``, ``WETH/USDB``).
        auctions: start (Unix seconds) by (account, collateral id).
        redemptions: what waits in the queue.
        exits: requests to leave a vault by (owner, vault name), lapsed ones too.
        orders: delayed orders that are open.
        queue_delay_seconds: how long a redemption asked for now would wait.
        simulate: tries transactions without sending them.
    """

    step: int
    timestamp: int
    outside: OutsidePrices
    compartment: CompartmentState
    accounts: Mapping[bytes, AccountState]
    peg: PegView
    pools: Mapping[str, PoolState]
    balances: Mapping[tuple[str, str], int]
    auctions: Mapping[tuple[bytes, int], int] = field(default_factory=dict)
    redemptions: Sequence[Redemption] = ()
    exits: Mapping[tuple[str, str], Exit] = field(default_factory=dict)
    orders: Sequence[PendingOrder] = ()
    queue_delay_seconds: int = 0
    simulate: Simulator = field(default=assume_success)

    def balance(self, owner: str, token: str) -> int:
        """Return raw token units; 0 for an owner nobody watches."""
        return self.balances.get((owner, token), 0)


def account_id(owner: str, sub_account: int = 0) -> bytes:
    """Return the id of an owner's margin account."""
    return bytes.fromhex(owner[2:]) + sub_account.to_bytes(12, "big")
