"""Parameters of a compartment, as the contracts' structs of the same names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarketTrading:
    """What a trade in a market needs to know; WAD, rates per day."""

    index_asset: str
    skew_scale: int
    max_funding_rate: int
    max_funding_velocity: int
    premium_scale: int
    funding_deadband: int
    max_premium: int
    taker_fee: int
    initial_margin_ratio: int
    maintenance_margin_ratio: int
    max_initial_margin_ratio: int
    volatility_multiplier: int
    max_open_interest: int
    maker_fee: int
    max_rebate: int
    price_band: int
    instant_spread: int
    max_pool_share_bps: int
    premium_period: int
    funding_gain1: int
    funding_gain2: int
    funding_gain3: int
    funding_gain4: int


@dataclass(frozen=True, slots=True)
class MarketMargin:
    """The part of a market's rules that its margin follows from; WAD."""

    initial_ratio: int
    maintenance_ratio: int
    max_initial_ratio: int
    volatility_multiplier: int


@dataclass(frozen=True, slots=True)
class OrderParameters:
    """Orders settled at a later price: seconds, WAD."""

    min_delay: int
    max_delay: int
    cancel_delay: int
    executor_fee: int


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
class MarketLiquidation:
    """What a liquidation in a market needs to know; WAD."""

    penalty: int
    keeper_share: int
    min_notional: int


@dataclass(frozen=True, slots=True)
class CollateralConfig:
    """A collateral token; ``haircut`` a WAD fraction, ``cap`` in token units."""

    token: str
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
