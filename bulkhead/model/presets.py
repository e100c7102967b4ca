"""Plausible parameters for worlds that are not compared with a deployment."""

from __future__ import annotations

from bulkhead.model.interest_curve import InterestParameters
from bulkhead.model.math import DAY, WAD
from bulkhead.model.types import (
    Address,
    BreakerThresholds,
    BreakerTiming,
    CollateralConfig,
    CompartmentParameters,
    MarginParameters,
    MarketLiquidation,
    MarketTrading,
    OrderParameters,
    PoolParameters,
)

COMPARTMENT = CompartmentParameters(
    vesting_period=DAY,
    max_unrealized_age=3_600,
    debt_initial_ratio=WAD * 15 // 100,
    debt_maintenance_ratio=WAD // 10,
    target_health=WAD * 120 // 100,
    insurance_fee_share=WAD * 3 // 10,
    pool_fee_share=WAD * 5 // 10,
    auction_start_premium=WAD // 20,
    auction_duration=3_600,
    dust_units=1,
)

INTEREST = InterestParameters(
    kink_bps=8_000,
    rate_at_zero=WAD * 5 // 100_000,
    rate_at_kink=WAD * 3 // 10_000,
    rate_at_full=WAD * 4 // 1_000,
    tier1_bps=12_500,
    tier2_bps=15_000,
    tier3_bps=20_000,
    tier4_bps=30_000,
)

FREE = InterestParameters(5_000, 0, 0, 0, 10_000, 10_000, 10_000, 10_000)
"""Debt costs nothing: for worlds in which sums are to come out even."""

MARGIN = MarginParameters(
    horizon=DAY,
    gross_floor=1_500,
    max_ratio_rise=500,
    max_stress_rise=2_500,
    ratio_tier1=10_000,
    ratio_tier2=11_000,
    ratio_tier3=12_500,
    ratio_tier4=15_000,
    stress_tier0=0,
    stress_tier1=2_500,
    stress_tier2=5_000,
    stress_tier3=7_500,
    stress_tier4=10_000,
)

ORDERS = OrderParameters(
    min_delay=1,
    max_delay=3_600,
    cancel_delay=60,
    executor_fee=WAD // 2,
)

POOL = PoolParameters(cooldown=0, redeem_window=30 * DAY, coverage_ratio=0)
"""Shares may be redeemed in the second in which that is requested."""

TIMING = BreakerTiming(
    velocity_window=3_600, volume_window=6 * 3_600, min_dwell=900, max_halt=6 * 3_600
)

THRESHOLDS = BreakerThresholds(
    price_move=(WAD * 5 // 100, WAD * 10 // 100, WAD * 20 // 100, WAD * 40 // 100),
    discount=(WAD * 2 // 100, WAD * 5 // 100, WAD * 10 // 100, WAD * 25 // 100),
    liquidation_volume=(10**6 * WAD, 5 * 10**6 * WAD, 2 * 10**7 * WAD, 10**8 * WAD),
    bad_debt=(10**4 * WAD, 10**5 * WAD, 10**6 * WAD, 10**7 * WAD),
)

LIQUIDATION = MarketLiquidation(
    penalty=WAD * 15 // 1_000, keeper_share=WAD // 2, min_notional=100 * WAD
)


def market(index_asset: str, skew_scale: int = 10_000 * WAD) -> MarketTrading:
    """Return a market with 20x leverage at most and a premium of 1.5 % at most."""
    return MarketTrading(
        index_asset=index_asset,
        skew_scale=skew_scale,
        max_open_interest=skew_scale * 15 // 1_000,
        initial_margin_ratio=WAD // 20,
        maintenance_margin_ratio=WAD * 3 // 100,
        max_initial_margin_ratio=WAD // 2,
        volatility_multiplier=3 * WAD,
        max_premium=WAD * 15 // 1_000,
        taker_fee=WAD // 2_000,
        max_funding_rate=WAD // 20,
        max_funding_velocity=WAD // 10,
        premium_scale=WAD // 100,
        funding_deadband=WAD // 10_000,
        maker_fee=WAD // 10_000,
        max_rebate=0,
        price_band=WAD // 100,
        instant_spread=0,
        max_pool_share_bps=10**7,
        premium_period=3_600,
        funding_gain1=10_000,
        funding_gain2=12_500,
        funding_gain3=15_000,
        funding_gain4=20_000,
    )


def collateral(
    token: Address, decimals: int, asset: str, *, pegged: bool = False
) -> CollateralConfig:
    """Return a collateral with a haircut of 10 % unless its peg monitor sets one."""
    return CollateralConfig(
        token=token,
        decimals=decimals,
        pegged=pegged,
        haircut=0 if pegged else WAD // 10,
        asset=asset,
        cap=10 ** (12 + decimals),
        depth=0,
    )
