"""Twin of ``ParameterBounds``: the hard bounds of every tunable but interest."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model.bounds import MAX_AMOUNT, ascending, bound
from bulkhead.model.math import DAY, UINT256_MAX, WAD, checked_uint, mul_down
from bulkhead.model.reverts import RiskParameters_OutOfBounds
from bulkhead.model.types import (
    BreakerThresholds,
    BreakerTiming,
    CompartmentParameters,
    MarginParameters,
    MarketLiquidation,
    MarketTrading,
    OrderParameters,
    PoolParameters,
)

MAX_WATCHED = 8
BPS = 10**4
HOUR = 3_600
MINUTE = 60


def require_market(t: MarketTrading, liquidation: MarketLiquidation, least_skew_scale: int) -> None:
    """Check a market's rules; its curve never becomes shallower.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    m = t.maintenance_margin_ratio
    bound_name("indexAsset", t.index_asset)
    bound("skewScale", t.skew_scale, max(WAD, least_skew_scale), MAX_AMOUNT)
    bound("maxPremium", t.max_premium, WAD // 1_000, WAD // 4)
    most = mul_down(t.skew_scale, t.max_premium)
    bound("maxOpenInterest", t.max_open_interest, 0, most)
    least = max(WAD * 5 // 1_000, 2 * t.max_premium)
    bound("maintenanceMarginRatio", m, least, WAD // 2)
    bound("takerFee", t.taker_fee, 0, min(WAD // 100, m // 2))
    bound("initialMarginRatio", t.initial_margin_ratio, m * 5 // 4, WAD)
    bound("maxInitialMarginRatio", t.max_initial_margin_ratio, t.initial_margin_ratio, WAD)
    bound("volatilityMultiplier", t.volatility_multiplier, 0, 10 * WAD)
    bound("maxFundingRate", t.max_funding_rate, 0, WAD // 2)
    bound("maxFundingVelocity", t.max_funding_velocity, 0, 10 * WAD)
    bound("premiumScale", t.premium_scale, WAD // 10_000, WAD)
    bound("fundingDeadband", t.funding_deadband, 0, WAD // 10)
    bound("makerFee", t.maker_fee, 0, t.taker_fee)
    bound("maxRebate", t.max_rebate, 0, t.taker_fee * 3 // 2)
    bound("priceBand", t.price_band, WAD // 1_000, min(WAD // 10, m))
    bound("instantSpread", t.instant_spread, 0, WAD // 100)
    bound("maxPoolShareBps", t.max_pool_share_bps, BPS // 100, 1_000 * BPS)
    bound("premiumPeriod", t.premium_period, MINUTE, DAY)
    bound("fundingGain1", t.funding_gain1, BPS, 5 * BPS)
    bound("fundingGain2", t.funding_gain2, t.funding_gain1, 5 * BPS)
    bound("fundingGain3", t.funding_gain3, t.funding_gain2, 5 * BPS)
    bound("fundingGain4", t.funding_gain4, t.funding_gain3, 5 * BPS)
    bound("penalty", liquidation.penalty, 0, m // 2)
    bound("keeperShare", liquidation.keeper_share, 0, WAD)
    bound("minNotional", liquidation.min_notional, 0, 10**24)


def require_compartment(p: CompartmentParameters) -> None:
    """Check the parameters of the whole compartment.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    bound("vestingPeriod", p.vesting_period, 0, 30 * DAY)
    bound("maxUnrealizedAge", p.max_unrealized_age, 1, DAY)
    bound("debtMaintenanceRatio", p.debt_maintenance_ratio, WAD // 100, WAD // 2)
    bound("debtInitialRatio", p.debt_initial_ratio, p.debt_maintenance_ratio * 5 // 4, WAD)
    bound("targetHealth", p.target_health, WAD * 101 // 100, 2 * WAD)
    bound("insuranceFeeShare", p.insurance_fee_share, 0, WAD)
    bound("poolFeeShare", p.pool_fee_share, 0, checked_uint(WAD - p.insurance_fee_share))
    bound("auctionStartPremium", p.auction_start_premium, 0, WAD // 2)
    bound("auctionDuration", p.auction_duration, MINUTE, DAY)
    bound("dustUnits", p.dust_units, 1, 1_000_000)


def require_margin(p: MarginParameters) -> None:
    """Check how margin adapts.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    bound("horizon", p.horizon, HOUR, 30 * DAY)
    bound("grossFloor", p.gross_floor, BPS // 20, BPS // 2)
    bound("maxRatioRise", p.max_ratio_rise, 1, 100 * BPS)
    bound("maxStressRise", p.max_stress_rise, 1, 100 * BPS)
    bound("ratioTier1", p.ratio_tier1, BPS, 3 * BPS)
    bound("ratioTier2", p.ratio_tier2, p.ratio_tier1, 3 * BPS)
    bound("ratioTier3", p.ratio_tier3, p.ratio_tier2, 3 * BPS)
    bound("ratioTier4", p.ratio_tier4, p.ratio_tier3, 3 * BPS)
    bound("stressTier0", p.stress_tier0, 0, BPS)
    bound("stressTier1", p.stress_tier1, p.stress_tier0, BPS)
    bound("stressTier2", p.stress_tier2, p.stress_tier1, BPS)
    bound("stressTier3", p.stress_tier3, p.stress_tier2, BPS)
    bound("stressTier4", p.stress_tier4, p.stress_tier3, BPS)


def require_orders(p: OrderParameters) -> None:
    """Check the rules of orders.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    bound("minDelay", p.min_delay, 1, HOUR)
    bound("maxDelay", p.max_delay, p.min_delay + MINUTE, 7 * DAY)
    bound("cancelDelay", p.cancel_delay, p.min_delay, p.max_delay)
    bound("executorFee", p.executor_fee, 0, 1_000 * WAD)


def require_pool(p: PoolParameters) -> None:
    """Check the pool's rules.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    bound("cooldown", p.cooldown, 0, 30 * DAY)
    bound("redeemWindow", p.redeem_window, HOUR, 30 * DAY)
    bound("coverageRatio", p.coverage_ratio, 0, 5 * WAD)


def require_breaker(
    timing: BreakerTiming,
    thresholds: BreakerThresholds,
    prices: Sequence[str],
    pegs: Sequence[str],
) -> None:
    """Check windows, thresholds and how much is watched.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    bound("velocityWindow", timing.velocity_window, MINUTE, DAY)
    bound("volumeWindow", timing.volume_window, MINUTE, 7 * DAY)
    bound("minDwell", timing.min_dwell, MINUTE, DAY)
    bound("maxHalt", timing.max_halt, MINUTE, 3 * DAY)
    bound("watchedPrices", len(prices), 0, MAX_WATCHED)
    bound("watchedPegs", len(pegs), 0, MAX_WATCHED)
    ascending("priceMove", thresholds.price_move)
    ascending("discount", thresholds.discount)
    ascending("liquidationVolume", thresholds.liquidation_volume)
    ascending("badDebt", thresholds.bad_debt)


def bound_name(parameter: str, name: str) -> None:
    """Check that a name is not empty.

    Raises:
        RiskParameters_OutOfBounds: a parameter leaves its bounds.
    """
    # A name is a left-aligned word: only the empty one is zero.
    if not name:
        raise RiskParameters_OutOfBounds(parameter, 0, 1, UINT256_MAX)
