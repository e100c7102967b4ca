"""Parameters: hard bounds, what never changes, and who may set them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.model import presets
from bulkhead.model.interest_curve import InterestParameters
from bulkhead.model.math import DAY, UINT256_MAX, WAD
from bulkhead.model.reverts import (
    EmptyRevert,
    RiskParameters_Immutable,
    RiskParameters_OutOfBounds,
    RiskParameters_TokenAlreadyListed,
    RiskParameters_UnknownCollateral,
    RiskParameters_UnknownMarket,
    RoleRegistry_MissingRole,
)
from bulkhead.model.types import BreakerThresholds, address

TRADING, LIQUIDATION = presets.market("ETH"), presets.LIQUIDATION
AMOUNT = 10**36


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture
def parameters(world):
    return world.risk_parameters


@pytest.mark.parametrize(
    ("field", "name", "least", "most"),
    [
        ("skew_scale", "skewScale", 10_000 * WAD, AMOUNT),
        ("max_premium", "maxPremium", WAD // 1_000, WAD // 4),
        ("max_open_interest", "maxOpenInterest", 0, 150 * WAD),
        ("maintenance_margin_ratio", "maintenanceMarginRatio", WAD * 3 // 100, WAD // 2),
        ("taker_fee", "takerFee", 0, WAD // 100),
        ("initial_margin_ratio", "initialMarginRatio", WAD * 375 // 10**4, WAD),
        ("max_initial_margin_ratio", "maxInitialMarginRatio", WAD // 20, WAD),
        ("volatility_multiplier", "volatilityMultiplier", 0, 10 * WAD),
        ("max_funding_rate", "maxFundingRate", 0, WAD // 2),
        ("max_funding_velocity", "maxFundingVelocity", 0, 10 * WAD),
        ("premium_scale", "premiumScale", WAD // 10**4, WAD),
        ("funding_deadband", "fundingDeadband", 0, WAD // 10),
        ("maker_fee", "makerFee", 0, WAD // 2_000),
        ("max_rebate", "maxRebate", 0, WAD * 75 // 10**5),
        ("price_band", "priceBand", WAD // 1_000, WAD * 3 // 100),
        ("instant_spread", "instantSpread", 0, WAD // 100),
        ("max_pool_share_bps", "maxPoolShareBps", 100, 10**7),
        ("funding_gain4", "fundingGain4", 15_000, 50_000),
        ("premium_period", "premiumPeriod", 60, DAY),
    ],
)
def test_market_bounds(world, parameters, field, name, least, most):
    for value in {least - 1, most + 1} - {-1}:
        wide = {"max_initial_margin_ratio": WAD} if field == "initial_margin_ratio" else {}
        trading = replace(TRADING, **wide | {field: value})
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_market(world.governor, 0, trading, LIQUIDATION)
        assert caught.value.args == (name, value, least, most)
    # The largest scale last: it never shrinks.
    for value in (least, most):
        trading = replace(TRADING, max_open_interest=0, max_initial_margin_ratio=WAD)
        if field == "taker_fee":
            trading = replace(trading, maker_fee=0)
        if field in ("max_premium", "maintenance_margin_ratio"):
            trading = replace(trading, maintenance_margin_ratio=WAD // 2, initial_margin_ratio=WAD)
        trading = replace(trading, **{field: value})
        parameters.set_market(world.governor, 0, trading, LIQUIDATION)
        assert parameters.market_trading(0) == trading


def test_bounds_between_parameters(world, parameters):
    def refuse(expected, liquidation=LIQUIDATION, **changes):
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_market(world.governor, 2, replace(TRADING, **changes), liquidation)
        assert caught.value.args == expected

    # Open interest, hence the premium, is bounded by the scale.
    refuse(
        ("maxOpenInterest", 15 * WAD + 1, 0, 15 * WAD),
        skew_scale=1_000 * WAD,
        max_open_interest=15 * WAD + 1,
    )
    # Turning the premium from bound to bound must not bankrupt.
    refuse(
        ("maintenanceMarginRatio", WAD * 3 // 100, WAD * 4 // 100, WAD // 2),
        max_premium=WAD * 2 // 100,
    )
    refuse(
        ("takerFee", WAD // 200, 0, WAD // 250),
        max_premium=WAD // 1_000,
        max_open_interest=0,
        maintenance_margin_ratio=WAD // 125,
        taker_fee=WAD // 200,
    )
    refuse(("skewScale", WAD - 1, WAD, AMOUNT), skew_scale=WAD - 1)
    assert parameters.market_count == 2


@pytest.mark.parametrize(
    ("field", "name", "most"),
    [
        ("penalty", "penalty", WAD * 15 // 1_000),
        ("keeper_share", "keeperShare", WAD),
        ("min_notional", "minNotional", 10**24),
    ],
)
def test_liquidation_bounds(world, parameters, field, name, most):
    rules = replace(LIQUIDATION, **{field: most + 1})
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_market(world.governor, 0, TRADING, rules)
    assert caught.value.args == (name, most + 1, 0, most)
    rules = replace(LIQUIDATION, **{field: most})
    parameters.set_market(world.governor, 0, TRADING, rules)
    assert parameters.market_liquidation(0) == rules


@pytest.mark.parametrize(
    ("field", "name", "least", "most"),
    [
        ("vesting_period", "vestingPeriod", 0, 30 * DAY),
        ("max_unrealized_age", "maxUnrealizedAge", 1, DAY),
        ("debt_initial_ratio", "debtInitialRatio", WAD // 8, WAD),
        ("target_health", "targetHealth", WAD * 101 // 100, 2 * WAD),
        ("insurance_fee_share", "insuranceFeeShare", 0, WAD),
        ("pool_fee_share", "poolFeeShare", 0, WAD * 7 // 10),
        ("auction_start_premium", "auctionStartPremium", 0, WAD // 2),
        ("auction_duration", "auctionDuration", 60, DAY),
        ("dust_units", "dustUnits", 1, 10**6),
    ],
)
def test_compartment_bounds(world, parameters, field, name, least, most):
    for value in {least - 1, most + 1} - {-1}:
        changed = replace(presets.COMPARTMENT, **{field: value})
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_compartment(world.governor, changed)
        assert caught.value.args == (name, value, least, most)
    pool = {"pool_fee_share": 0} if field == "insurance_fee_share" else {}
    for value in (least, most):
        changed = replace(presets.COMPARTMENT, **pool)
        parameters.set_compartment(world.governor, replace(changed, **{field: value}))
        assert getattr(parameters.compartment_parameters(), field) == value


@pytest.mark.parametrize(
    ("field", "name", "least", "most"),
    [
        ("kink_bps", "kinkBps", 1_000, 9_900),
        ("rate_at_kink", "rateAtKink", 5, WAD // 100),
        ("rate_at_full", "rateAtFull", 7, WAD // 100),
        ("tier1_bps", "tier1Bps", 10_000, 50_000),
        ("tier2_bps", "tier2Bps", 12_000, 50_000),
        ("tier3_bps", "tier3Bps", 13_000, 50_000),
        ("tier4_bps", "tier4Bps", 14_000, 50_000),
    ],
)
def test_interest_bounds(world, parameters, field, name, least, most):
    valid = InterestParameters(5_000, 5, 7, 9, 12_000, 13_000, 14_000, 15_000)
    for value in (least - 1, most + 1):
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_interest(world.governor, replace(valid, **{field: value}))
        assert caught.value.args == (name, value, least, most)
    parameters.set_interest(world.governor, replace(valid, **{field: least}))
    assert getattr(parameters.interest_parameters(), field) == least


def test_interest_rises_with_utilisation_and_tier(world, parameters):
    most = InterestParameters(9_900, *(WAD // 100,) * 3, *(50_000,) * 4)
    parameters.set_interest(world.governor, most)
    assert parameters.interest_parameters() == most
    for field, name, least in (
        ("rate_at_kink", "rateAtKink", WAD // 100),
        ("rate_at_full", "rateAtFull", WAD // 100),
        ("tier2_bps", "tier2Bps", 50_000),
        ("tier4_bps", "tier4Bps", 50_000),
    ):
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_interest(world.governor, replace(most, **{field: least - 1}))
        assert caught.value.args == (name, least - 1, least, least)


def test_breaker_thresholds_rise_strictly(world, parameters):
    flat = replace(presets.THRESHOLDS, bad_debt=(1, 2, 2, 3))
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_breaker(world.governor, presets.TIMING, flat, (), ())
    assert caught.value.args == ("badDebt", 2, 3, AMOUNT)
    steep = BreakerThresholds(*[(1, 2, 3, AMOUNT)] * 4)
    parameters.set_breaker(world.governor, presets.TIMING, steep, ["ETH"], ["STETH"])
    assert parameters.breaker_thresholds() == (steep, ("ETH",), ("STETH",))


@pytest.mark.parametrize(
    ("field", "name", "least", "most"),
    [
        ("velocity_window", "velocityWindow", 60, DAY),
        ("volume_window", "volumeWindow", 60, 7 * DAY),
        ("min_dwell", "minDwell", 60, DAY),
        ("max_halt", "maxHalt", 60, 3 * DAY),
    ],
)
def test_breaker_windows(world, parameters, field, name, least, most):
    for value in (least - 1, most + 1):
        timing = replace(presets.TIMING, **{field: value})
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_breaker(world.governor, timing, presets.THRESHOLDS, (), ())
        assert caught.value.args == (name, value, least, most)


def test_at_most_eight_are_watched(world, parameters):
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_breaker(world.governor, presets.TIMING, presets.THRESHOLDS, ["ETH"] * 9, ())
    assert caught.value.args == ("watchedPrices", 9, 0, 8)


def test_markets_are_listed_in_order_and_keep_their_index(world, parameters):
    with pytest.raises(RiskParameters_UnknownMarket) as caught:
        parameters.set_market(world.governor, 3, TRADING, LIQUIDATION)
    assert caught.value.args == (3,)
    for read in (parameters.market_trading, parameters.market_liquidation):
        with pytest.raises(RiskParameters_UnknownMarket):
            read(2)
    parameters.set_market(world.governor, 2, TRADING, LIQUIDATION)
    assert parameters.market_count == 3
    with pytest.raises(RiskParameters_Immutable) as caught:
        parameters.set_market(world.governor, 1, TRADING, LIQUIDATION)
    assert caught.value.args == ("indexAsset",)
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_market(world.governor, 3, presets.market(""), LIQUIDATION)
    assert caught.value.args == ("indexAsset", 0, 1, UINT256_MAX)
    assert parameters.market_count == 3
    for market in range(3, 16):
        parameters.set_market(world.governor, market, TRADING, LIQUIDATION)
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_market(world.governor, 16, TRADING, LIQUIDATION)
    assert caught.value.args == ("market", 16, 0, 15)


def test_a_collateral_is_what_it_was_listed_as(world, parameters):
    old = parameters.collateral_config(2)
    changes = {"token": address(5), "decimals": 9, "pegged": True, "asset": "ETH"}
    for field, value in changes.items():
        with pytest.raises(RiskParameters_Immutable) as caught:
            parameters.set_collateral(world.governor, 2, replace(old, **{field: value}))
        assert caught.value.args == (field,)
    parameters.set_collateral(world.governor, 2, replace(old, cap=0))
    assert parameters.collateral_config(2).cap == 0


def test_a_new_collateral_must_be_new_and_described_truly(world, parameters):
    token = world.create_token(address(0xA3), 19).address
    good = presets.collateral(token, 18, "CBTC")
    with pytest.raises(RiskParameters_UnknownCollateral):
        parameters.set_collateral(world.governor, 4, good)
    for collateral in (0, 9):
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_collateral(world.governor, collateral, good)
        assert caught.value.args == ("collateral", collateral, 1, 8)
    for listed in (world.settlement.address, parameters.collateral_config(1).token):
        with pytest.raises(RiskParameters_TokenAlreadyListed) as caught:
            parameters.set_collateral(world.governor, 3, replace(good, token=listed))
        assert caught.value.args == (listed,)
    with pytest.raises(EmptyRevert):
        parameters.set_collateral(world.governor, 3, replace(good, token=address(0xDEAD)))
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_collateral(world.governor, 3, good)
    assert caught.value.args == ("decimals", 18, 19, 19)
    with pytest.raises(RiskParameters_OutOfBounds) as caught:
        parameters.set_collateral(world.governor, 3, replace(good, decimals=19))
    assert caught.value.args == ("decimals", 19, 0, 18)
    good_token = world.create_token(address(0xA4), 18).address
    for pegged, haircut, bounds in ((True, 1, (0, 0)), (False, 0, (WAD // 100, 9 * WAD // 10))):
        config = replace(good, token=good_token, pegged=pegged, haircut=haircut)
        with pytest.raises(RiskParameters_OutOfBounds) as caught:
            parameters.set_collateral(world.governor, 3, config)
        assert caught.value.args == ("haircut", haircut, *bounds)
    assert parameters.collateral_count == 2


def test_only_the_governor_sets_anything(world, parameters):
    stranger = address(9)
    calls = (
        lambda: parameters.set_market(stranger, 0, TRADING, LIQUIDATION),
        lambda: parameters.set_collateral(stranger, 1, parameters.collateral_config(1)),
        lambda: parameters.set_compartment(stranger, presets.COMPARTMENT),
        lambda: parameters.set_interest(stranger, presets.INTEREST),
        lambda: parameters.set_margin(stranger, presets.MARGIN),
        lambda: parameters.set_correlations(stranger, [0]),
        lambda: parameters.set_depth_source(stranger, 1, stranger),
        lambda: parameters.set_breaker(stranger, presets.TIMING, presets.THRESHOLDS, (), ()),
    )
    for call in calls:
        with pytest.raises(RoleRegistry_MissingRole) as caught:
            call()
        assert caught.value.args == (stranger, "GOVERNOR")
