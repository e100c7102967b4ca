"""Identifiers, values and state of the twins: the structs of ``contracts/types``.

Field names are Solidity's in snake case; amounts are WAD of the settlement token unless a unit is
given, times Unix seconds. Values are frozen; what a contract stores is mutable and has ``copy``, as
a struct is copied from storage to memory: what lies in storage is replaced, never changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bulkhead.model.breaker_types import BreakerState as BreakerState
from bulkhead.model.breaker_types import BreakerThresholds as BreakerThresholds
from bulkhead.model.breaker_types import BreakerTiming as BreakerTiming
from bulkhead.model.breaker_types import Bucket as Bucket
from bulkhead.model.breaker_types import Thresholds as Thresholds
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.parameter_types import (
    CollateralConfig as CollateralConfig,
)
from bulkhead.model.parameter_types import (
    CompartmentParameters as CompartmentParameters,
)
from bulkhead.model.parameter_types import (
    MarginParameters as MarginParameters,
)
from bulkhead.model.parameter_types import (
    MarketLiquidation as MarketLiquidation,
)
from bulkhead.model.parameter_types import (
    MarketMargin as MarketMargin,
)
from bulkhead.model.parameter_types import (
    MarketTrading as MarketTrading,
)
from bulkhead.model.parameter_types import (
    OrderParameters as OrderParameters,
)
from bulkhead.model.parameter_types import (
    PoolParameters as PoolParameters,
)

Address = str
"""Lower-case, ``0x`` and 40 hexadecimal digits."""

AccountId = int
"""The owner's address in the high 20 of 32 bytes, the sub-account's number in the low 12."""

ZERO_ADDRESS: Address = "0x" + "0" * 40
SETTLEMENT = 0
"""Collateral id of the settlement token, whose balance is ``cash``."""


def address(number: int) -> Address:
    """Return the address with a number."""
    return f"0x{number:040x}"


def pack(holder: Address, sub_account: int = 0) -> AccountId:
    """Return the id of a holder's sub-account."""
    return int(holder, 16) << 96 | sub_account


def owner_of(account: AccountId) -> Address:
    """Return the address of an account's owner."""
    return f"0x{account >> 96:040x}"


class Action(IntEnum):
    """What a user or keeper can do; the numbers are those of the contracts."""

    DEPOSIT = 0
    WITHDRAW = 1
    INCREASE_POSITION = 2
    REDUCE_POSITION = 3
    CONVERT = 4
    LIQUIDATE = 5
    TAKE_AUCTION = 6
    WRITE_OFF = 7
    POOL_DEPOSIT = 8
    POOL_WITHDRAW = 9
    FUND_DEPOSIT = 10
    FUND_WITHDRAW = 11
    TRANSFER = 12


class Cause(IntEnum):
    """Why the breaker's tier changed."""

    CALM = 0
    PRICE_MOVE = 1
    PRICE_STALE = 2
    PEG_DISCOUNT = 3
    LIQUIDATION_VOLUME = 4
    BAD_DEBT = 5
    GUARDIAN = 6
    HALT_EXPIRED = 7


# ---------------------------------------------------------------------------------------- ledger


@dataclass(slots=True)
class LedgerTotals:
    """The compartment's side of the ledger: P, D, J, L, I and F, each uint128."""

    principal: int = 0
    debt: int = 0
    claims: int = 0
    pool_cash: int = 0
    insurance_cash: int = 0
    fee_reserve: int = 0

    def copy(self) -> LedgerTotals:
        """Return a copy in memory."""
        return LedgerTotals(
            self.principal,
            self.debt,
            self.claims,
            self.pool_cash,
            self.insurance_cash,
            self.fee_reserve,
        )


@dataclass(slots=True)
class AccountLedger:
    """One account's side of the ledger: cash int128, claim and unvested uint128."""

    cash: int = 0
    claim: int = 0
    unvested: int = 0
    vesting_updated_at: int = 0
    vesting_ends_at: int = 0
    collateral_mask: int = 0

    def copy(self) -> AccountLedger:
        """Return a copy in memory."""
        return AccountLedger(
            self.cash,
            self.claim,
            self.unvested,
            self.vesting_updated_at,
            self.vesting_ends_at,
            self.collateral_mask,
        )


@dataclass(frozen=True, slots=True)
class MarketUnrealized:
    """U_m at close-out value as last reported, int128; ``updated_at`` 0: never touched."""

    unrealized: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class UnrealizedTotals:
    """U⁺ = Σ max(0, U_m), uint128, and Σ U_m, int128."""

    positive: int = 0
    net: int = 0


@dataclass(frozen=True, slots=True)
class ChargeSplit:
    """How a loss or fee was met."""

    from_claim: int
    from_cash: int
    to_debt: int


@dataclass(frozen=True, slots=True)
class WriteOffReceipt:
    """``insurance + backstop + pool + junior == debt``."""

    debt: int
    insurance: int
    backstop: int
    pool: int
    junior: int


# --------------------------------------------------------------------------------------- trading


class MarketPhase(IntEnum):
    """How a market ends: reductions only, then everything at one price."""

    OPEN = 0
    WINDING_DOWN = 1
    SETTLED = 2


@dataclass(frozen=True, slots=True)
class Settlement:
    """A market's last price (WAD), and from when on it may be fixed (Unix seconds); 0: not yet."""

    price: int = 0
    fixable_at: int = 0


@dataclass(slots=True)
class Market:
    """Sums over a market's positions, and its funding.

    Open interest WAD base units; ``funding_rate`` WAD per day, int64; ``funding_gain`` basis points
    of its velocity, 0 for 10,000; ``funding_entry_product`` Σ size · fundingEntry, WAD²;
    ``matched_premium`` WAD, int64: how far above the curve's mark pairs trade, fading linearly
    until ``matched_premium_ends_at``, 0 without one.
    """

    open_interest_long: int = 0
    open_interest_short: int = 0
    quote: int = 0
    funding_rate: int = 0
    funding_updated_at: int = 0
    funding_gain: int = 0
    phase: MarketPhase = MarketPhase.OPEN
    cumulative_funding_per_unit: int = 0
    matched_premium: int = 0
    matched_premium_ends_at: int = 0
    funding_entry_product: int = 0

    def copy(self) -> Market:
        """Return a copy in memory."""
        return Market(
            self.open_interest_long,
            self.open_interest_short,
            self.quote,
            self.funding_rate,
            self.funding_updated_at,
            self.funding_gain,
            self.phase,
            self.cumulative_funding_per_unit,
            self.matched_premium,
            self.matched_premium_ends_at,
            self.funding_entry_product,
        )


@dataclass(slots=True)
class Position:
    """Signed size (WAD base units), quote paid for it, and funding index it is settled up to."""

    size: int = 0
    quote: int = 0
    funding_entry: int = 0

    def copy(self) -> Position:
        """Return a copy in memory."""
        return Position(self.size, self.quote, self.funding_entry)


@dataclass(frozen=True, slots=True)
class Fill:
    """What a fill does."""

    quote_delta: int
    fill_price: int
    realized_pnl: int
    funding_paid: int
    notional: int


@dataclass(frozen=True, slots=True)
class MarketExposure:
    """One position as the margin engine sees it."""

    market: int
    index_asset: str
    notional: int
    unrealized_pnl: int
    index_pnl: int
    close_out_cost: int
    status: PriceStatus


@dataclass(frozen=True, slots=True)
class Holding:
    """One collateral of an account: token units that it and the whole compartment hold."""

    collateral: int
    amount_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """What the margin engine knows of an account; ``pool_cash`` and ``junior`` give h."""

    cash: int
    claim: int
    matured: int
    pool_cash: int
    junior: int
    is_haircut_fresh: bool
    holdings: tuple[Holding, ...]


@dataclass(slots=True)
class AccountValuation:
    """What an account is worth and what is asked of it.

    ``uncertain`` is what stale prices could be hiding at most; 0 unless the status is stale.
    """

    equity_initial: int = 0
    equity_maintenance: int = 0
    initial_margin: int = 0
    maintenance_margin: int = 0
    collateral_maintenance: int = 0
    unrealized_pnl: int = 0
    buffer_at_index: int = 0
    uncertain: int = 0
    status: PriceStatus = PriceStatus.VALID


@dataclass(frozen=True, slots=True)
class CollateralValuation:
    """What 1.0 of a collateral is worth."""

    initial_price: int
    maintenance_price: int
    market_price: int
    status: PriceStatus


@dataclass(frozen=True, slots=True)
class LiquidationPlan:
    """What ``liquidate`` would close, its notional at the index, and the most it may cost."""

    size_delta: int
    notional: int
    penalty: int


@dataclass(frozen=True, slots=True)
class PortfolioTerms:
    """What one position has to do with an account's other ones."""

    rate: int
    gross_floor: int
    own: int
    cross: int
    rest: int
    gross_rest: int
    shift: int


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the contracts of one compartment live."""

    settlement_token: Address = "0x00000000000000000000000000000000000000c0"
    roles: Address = "0x00000000000000000000000000000000000000c1"
    risk_parameters: Address = "0x00000000000000000000000000000000000000c2"
    circuit_breaker: Address = "0x00000000000000000000000000000000000000c3"
    collateral_vault: Address = "0x00000000000000000000000000000000000000c4"
    margin_engine: Address = "0x00000000000000000000000000000000000000c5"
    perp_exchange: Address = "0x00000000000000000000000000000000000000c6"
    liquidity_vault: Address = "0x00000000000000000000000000000000000000c7"
    insurance_fund: Address = "0x00000000000000000000000000000000000000c8"
    liquidation_engine: Address = "0x00000000000000000000000000000000000000c9"
    risk_engine: Address = "0x00000000000000000000000000000000000000ca"
    account_operators: Address = "0x00000000000000000000000000000000000000cb"
    signed_orders: Address = "0x00000000000000000000000000000000000000cc"
    delayed_orders: Address = "0x00000000000000000000000000000000000000cd"
