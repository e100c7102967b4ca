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


@dataclass(slots=True)
class Market:
    """Sums over a market's positions, and its funding.

    Open interest WAD base units; ``funding_rate`` WAD per day, int64; ``funding_entry_product``
    Σ size · fundingEntry, WAD².
    """

    open_interest_long: int = 0
    open_interest_short: int = 0
    quote: int = 0
    funding_rate: int = 0
    funding_updated_at: int = 0
    cumulative_funding_per_unit: int = 0
    funding_entry_product: int = 0

    def copy(self) -> Market:
        """Return a copy in memory."""
        return Market(
            self.open_interest_long,
            self.open_interest_short,
            self.quote,
            self.funding_rate,
            self.funding_updated_at,
            self.cumulative_funding_per_unit,
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


# ------------------------------------------------------------------------------------ parameters


@dataclass(frozen=True, slots=True)
class MarketTrading:
    """What a trade in a market needs to know; WAD, rates per day."""

    index_asset: str
    skew_scale: int
    max_open_interest: int
    initial_margin_ratio: int
    maintenance_margin_ratio: int
    max_initial_margin_ratio: int
    volatility_multiplier: int
    max_premium: int
    taker_fee: int
    max_funding_rate: int
    max_funding_velocity: int
    premium_scale: int
    funding_deadband: int
    maker_fee: int
    max_rebate: int
    price_band: int
    instant_spread: int
    max_pool_share: int
    premium_period: int


@dataclass(frozen=True, slots=True)
class MarketMargin:
    """The part of a market's rules that its margin follows from; WAD."""

    initial_ratio: int
    maintenance_ratio: int
    max_initial_ratio: int
    volatility_multiplier: int


@dataclass(frozen=True, slots=True)
class OrderParameters:
    """Orders settled at a later price: seconds, WAD; and the velocity of funding by tier."""

    min_delay: int
    max_delay: int
    cancel_delay: int
    executor_fee: int
    funding_gain1: int
    funding_gain2: int
    funding_gain3: int
    funding_gain4: int


@dataclass(frozen=True, slots=True)
class PoolParameters:
    """Leaving the pool: seconds; WAD of notional."""

    cooldown: int
    redeem_window: int
    coverage_ratio: int


@dataclass(frozen=True, slots=True)
class MarginParameters:
    """How margin adapts: seconds and basis points."""

    horizon: int
    gross_floor: int
    max_ratio_rise: int
    max_stress_rise: int
    ratio_tier1: int
    ratio_tier2: int
    ratio_tier3: int
    ratio_tier4: int
    stress_tier0: int
    stress_tier1: int
    stress_tier2: int
    stress_tier3: int
    stress_tier4: int


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
class MarketLiquidation:
    """What a liquidation in a market needs to know; WAD."""

    penalty: int
    keeper_share: int
    min_notional: int


@dataclass(frozen=True, slots=True)
class CollateralConfig:
    """A collateral token; ``haircut`` a WAD fraction, ``cap`` in token units."""

    token: Address
    decimals: int
    pegged: bool
    haircut: int
    asset: str
    cap: int
    depth: int


@dataclass(frozen=True, slots=True)
class CompartmentParameters:
    """Parameters of the whole compartment: seconds, WAD fractions, whole settlement units."""

    vesting_period: int
    max_unrealized_age: int
    debt_initial_ratio: int
    debt_maintenance_ratio: int
    target_health: int
    insurance_fee_share: int
    pool_fee_share: int
    auction_start_premium: int
    auction_duration: int
    dust_units: int


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
