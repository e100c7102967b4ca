"""What an account is worth and what is asked of it, by hand."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id

WAD = 10**18
ETH, BTC = 0, 1
LST, WBTC, WETH = 1, 2, 3
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
DEPOSIT, WITHDRAW, INCREASE = range(3)
TRANSFER = 12


def ceil_mul(x, y):
    return -(-x * y // WAD)


@pytest.fixture
def parameters(world):
    return world.risk.call("compartmentParameters")


def test_valuation__unknown_account__is_all_zeros(world):
    assert tuple(world.valuation("alice")) == (0, 0, 0, 0, 0, 0, 0, 0, VALID)


def test_valuation__cash__counts_in_full(world):
    world.deposit("alice", 123)
    cash = 123 * 10**12
    assert tuple(world.valuation("alice")) == (cash, cash, 0, 0, 0, 0, cash, 0, VALID)


def test_valuation__claim__counts_vested_for_initial_and_all_for_maintenance(world):
    world.settle("alice", 3_600 * WAD)
    world.skip(900)
    v = world.valuation("alice")
    assert (v.equityInitial, v.equityMaintenance) == (900 * WAD, 3_600 * WAD)


def test_valuation__claim__counts_times_h(world):
    world.settle("alice", 10_000_000 * WAD)
    world.settle("bob", 30_000_000 * WAD)
    world.skip(899)
    t = world.totals()
    v = world.valuation("alice")
    matured = world.margin.call("maturedClaim", world.account("alice"))
    assert matured == 2_500_000 * WAD
    assert v.equityInitial == matured * t.poolCash // t.claims == 1_250_000 * WAD
    assert v.equityMaintenance == 5_000_000 * WAD


def test_valuation__claim_on_an_old_h__does_not_count_for_initial(world, parameters):
    world.settle("alice", 100 * WAD)
    world.settle("bob", 0, market=1)
    world.settle("bob", 0, market=0)
    world.skip(parameters.maxUnrealizedAge - 1)
    assert world.valuation("alice").equityInitial > 0
    world.skip(1)
    v = world.valuation("alice")
    assert (v.equityInitial, v.equityMaintenance) == (0, 100 * WAD)


@pytest.mark.parametrize(
    ("collateral", "amount", "wad", "price"),
    [
        (WBTC, 1_234_567, 1_234_567 * 10**10, 60_000 * WAD * 9 // 10),
        (WETH, WAD + 7, WAD + 7, 3_000 * WAD * 92 // 100),
        (LST, WAD + 7, WAD + 7, 3_000 * WAD * 95 // 100),
    ],
    ids=["8-decimals", "18-decimals", "pegged"],
)
def test_valuation__collateral__counts_after_its_haircut(world, collateral, amount, wad, price):
    world.deposit("alice", amount, collateral)
    value = wad * price // WAD
    assert tuple(world.valuation("alice")) == (value, value, 0, 0, value, 0, value, 0, VALID)
    c = world.valuer.call("collateralValuation", collateral)
    assert (c.initialPrice, c.maintenancePrice, c.status) == (price, price, VALID)
    assert c.marketPrice == (60_000 if collateral == WBTC else 3_000) * WAD


def test_valuation__several_collaterals__add_up(world):
    world.deposit("alice", 100_000, WBTC)
    world.deposit("alice", WAD, WETH)
    world.deposit("alice", WAD, LST)
    expected = 54 * WAD + 2_760 * WAD + 2_850 * WAD
    v = world.valuation("alice")
    assert (v.equityInitial, v.collateralMaintenance) == (expected, expected)


def test_valuation__depegged_collateral__differs_for_initial_and_maintenance(world):
    world.deposit("alice", WAD, LST)
    world.publish("LST/ETH", WAD * 9 // 10)
    world.peg.transact("poke", asset_id("LST"), sender=world.address("carol"))
    peg = world.peg.call("valuation", asset_id("LST"))
    v = world.valuation("alice")
    assert (v.equityInitial, v.equityMaintenance) == (peg.initialPrice, peg.maintenancePrice)
    assert v.equityInitial < v.equityMaintenance


def test_collateral_valuation__unknown__refused(world, refuses):
    with refuses("RiskParameters_UnknownCollateral", 4):
        world.valuer.call("collateralValuation", 4)


# ---------------------------------------------------------------------- positions


@pytest.fixture
def long_and_short(world):
    """Alice: 100,000 of cash, long 100 ETH, short 2 BTC."""
    world.deposit("alice", 100_000 * 10**6)
    world.trade("alice", 100 * WAD, ETH)
    world.trade("alice", -2 * WAD, BTC)


def close_out(exposure):
    return exposure.unrealizedPnl - exposure.closeOutCost


@pytest.mark.parametrize(
    ("eth", "btc"), [(3_300, 60_000), (2_900, 60_000), (3_100, 63_000), (2_950, 57_000)]
)
def test_valuation__positions__losses_count_in_full_and_profits_for_maintenance_alone(
    world, long_and_short, eth, btc
):
    world.publish("ETH", eth * WAD)
    world.publish("BTC", btc * WAD)
    exposures = world.perps.call("exposuresOf", world.account("alice"))
    results = [close_out(e) for e in exposures]
    losses = sum(min(0, r) for r in results)
    cash = world.ledger("alice").cash
    v = world.valuation("alice")
    assert v.unrealizedPnl == sum(results)
    # A profit in one market does not carry a loss in another until it is realised.
    assert v.equityInitial == cash + losses
    assert v.equityMaintenance == cash + sum(results)
    # 6 % and 4 % of both notionals, one long and one short: at a correlation of 75 % they offset.
    ether, bitcoin = 100 * eth * WAD, 2 * btc * WAD
    for required, percent in ((v.initialMargin, 6), (v.maintenanceMargin, 4)):
        a, b = ether * percent // 100, bitcoin * percent // 100
        squared = a * a - 2 * a * b * 75 // 100 + b * b
        assert (required - 1) ** 2 < squared <= required**2
        assert required > (a + b) // 5
    assert v.initialMargin >= v.maintenanceMargin > 0


def test_valuation__profit_while_h_is_low__counts_times_h(world, long_and_short):
    world.publish("ETH", 3_300 * WAD)
    world.publish("BTC", 61_000 * WAD)
    world.perps.transact("poke", ETH, sender=world.address("bob"))
    world.settle("bob", 80_000_000 * WAD)
    world.perps.transact("poke", ETH, sender=world.address("bob"))
    t, u = world.totals(), world.margin.call("unrealizedTotals")
    results = [close_out(e) for e in world.perps.call("exposuresOf", world.account("alice"))]
    assert results[0] > 0 > results[1]
    counted = results[0] * t.poolCash // (t.claims + u.positive)
    assert counted < results[0] // 3
    v = world.valuation("alice")
    assert v.equityMaintenance == world.ledger("alice").cash + counted + results[1]


# ---------------------------------------------------------------------- debt


def test_valuation__debt__asks_for_its_own_margin(world, owe, parameters):
    debt = 1_234 * WAD + 7
    owe("alice", debt)
    v = world.valuation("alice")
    assert (v.equityInitial, v.equityMaintenance) == (-debt, -debt)
    assert v.initialMargin == ceil_mul(debt, parameters.debtInitialRatio)
    assert v.maintenanceMargin == ceil_mul(debt, parameters.debtMaintenanceRatio)


def test_valuation__open_loss_beyond_cash__asks_for_the_margin_of_the_debt_it_would_be(
    world, parameters
):
    world.deposit("alice", 10_000 * 10**6)
    world.deposit("alice", 20 * WAD, WETH)
    world.trade("alice", 100 * WAD)
    world.publish("ETH", 2_850 * WAD)
    [e] = world.perps.call("exposuresOf", world.account("alice"))
    would_be = -(world.ledger("alice").cash + close_out(e))
    assert would_be > 0
    v = world.valuation("alice")
    asked = ceil_mul(e.notional, WAD * 6 // 100), ceil_mul(e.notional, WAD * 4 // 100)
    assert v.initialMargin == asked[0] + ceil_mul(would_be, parameters.debtInitialRatio)
    assert v.maintenanceMargin == asked[1] + ceil_mul(would_be, parameters.debtMaintenanceRatio)
    # Realising the loss moves it from one place to the other and changes nothing else.
    world.set_market(ETH, takerFee=0)
    world.freeze()
    world.trade("alice", -50 * WAD)
    [half] = world.perps.call("exposuresOf", world.account("alice"))
    after = world.valuation("alice")
    debt_margin = after.maintenanceMargin - ceil_mul(half.notional, WAD * 4 // 100)
    assert abs(debt_margin - (v.maintenanceMargin - asked[1])) <= 100
    assert abs(after.equityMaintenance - v.equityMaintenance) <= 200


def test_valuation__claim__stands_in_for_cash_in_what_would_be_debt(world):
    world.deposit("alice", 20_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.settle("alice", 50_000 * WAD)
    world.publish("ETH", 2_500 * WAD)
    [e] = world.perps.call("exposuresOf", world.account("alice"))
    assert world.ledger("alice").cash + close_out(e) < 0
    v = world.valuation("alice")
    assert v.maintenanceMargin == ceil_mul(e.notional, WAD * 4 // 100)


# ---------------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    ("asset", "collateral"), [("ETH", WETH), ("BTC", WBTC), ("LST/ETH", LST), ("ETH", LST)]
)
def test_valuation__stale_collateral__is_stale_and_uncertain_by_its_market_value(
    world, asset, collateral
):
    world.deposit("alice", 10**8, collateral)
    world.silence(asset)
    # The peg monitor answers from what it recorded for its maximum age.
    world.skip(300)
    c = world.valuer.call("collateralValuation", collateral)
    v = world.valuation("alice")
    assert (c.status, v.status) == (STALE, STALE)
    wad = 10**8 * 10 ** (18 - world.token(collateral).call("decimals"))
    assert v.uncertain == ceil_mul(wad, c.marketPrice)


def test_valuation__stale_market__is_stale_and_uncertain_by_its_notional(world, long_and_short):
    world.silence("BTC")
    v = world.valuation("alice")
    assert (v.status, v.uncertain) == (STALE, 120_000 * WAD)
    world.silence("ETH")
    assert world.valuation("alice").uncertain == 420_000 * WAD


def test_valuation__degraded_and_valid__is_degraded_and_certain(world, long_and_short):
    world.degrade("ETH")
    v = world.valuation("alice")
    assert (v.status, v.uncertain) == (DEGRADED, 0)


def test_valuation__price_of_what_is_not_held__is_no_matter(world):
    world.deposit("alice", WAD, WETH)
    world.silence("BTC")
    assert world.valuation("alice").status == VALID


# ---------------------------------------------------------------------- the check


@pytest.fixture
def require(world):
    """Ask for the check, in the exchange's name."""

    def _require(account, action):
        return world.margin.call(
            "requireInitialMargin", account, action, sender=world.perps.address
        )

    return _require


def test_require_initial_margin__not_the_exchange__refused(world, refuses):
    for caller in (world.address("alice"), world.liquidation.address, world.pool.address):
        with refuses("CompartmentLock_NotAuthorized", caller):
            world.margin.call("requireInitialMargin", bytes(32), INCREASE, sender=caller)


def test_require_initial_margin__nothing_owed__needs_no_price(world, require):
    world.deposit("alice", WAD, WETH)
    world.silence("ETH")
    require(world.account("alice"), INCREASE)


def test_require_initial_margin__at_the_margin__passes_and_a_wei_below_not(
    world, long_and_short, refuses, require
):
    v = world.valuation("alice")
    account = world.account("alice")
    world.freeze()
    world.settle("alice", v.initialMargin - v.equityInitial)
    v = world.valuation("alice")
    assert v.equityInitial == v.initialMargin
    require(account, INCREASE)
    world.freeze()
    world.settle("alice", -1)
    with refuses("MarginEngine_BelowInitialMargin", account, v.initialMargin - 1, v.initialMargin):
        require(account, INCREASE)


@pytest.mark.parametrize("action", range(13))
@pytest.mark.parametrize("status", [STALE, UNCONFIRMED, DEGRADED, VALID])
def test_require_initial_margin__by_action_and_status__is_the_table(
    world, long_and_short, refuses, require, action, status
):
    if status != VALID:
        world.worsen("ETH", status)
    required = {DEPOSIT: STALE, WITHDRAW: VALID, INCREASE: VALID, TRANSFER: VALID}.get(
        action, DEGRADED
    )
    account = world.account("alice")
    if status >= required:
        require(account, action)
    else:
        with refuses("ActionPolicy_PriceStatus", action, status, required):
            require(account, action)


def test_require_fresh_unrealized__oldest_market__is_named(world, parameters, refuses):
    world.settle("alice", 0, market=1)
    world.settle("alice", 0, market=0)
    world.skip(parameters.maxUnrealizedAge - 1)
    world.margin.call("requireFreshUnrealized")
    world.skip(1)
    age = parameters.maxUnrealizedAge + 1
    with refuses("MarginEngine_StaleUnrealized", 1, age, age - 1):
        world.margin.call("requireFreshUnrealized")
    world.skip(10)
    with refuses("MarginEngine_StaleUnrealized", 1, age + 10, age - 1):
        world.margin.call("requireFreshUnrealized")


def test_require_fresh_unrealized__market_never_touched__has_no_age(world):
    trading = world.risk.call("marketTrading", 0)
    liquidation = world.risk.call("marketLiquidation", 0)
    world.risk.transact("setMarket", 2, trading, liquidation, sender=world.governor)
    world.margin.call("requireFreshUnrealized")


def test_valuation__buffer_at_index__is_equity_less_requirement_without_the_premium(world):
    world.deposit("alice", 60_000 * 10**6)
    world.deposit("bob", 5_000_000 * 10**6)
    world.publish("ETH", 3_000 * WAD)
    world.trade("alice", 300 * WAD)
    world.trade("bob", -5_000 * WAD)
    world.publish("ETH", 2_750 * WAD)

    v = world.valuation("alice")
    [e] = world.perps.call("exposuresOf", world.account("alice"))
    p = world.risk.call("compartmentParameters")
    cash = world.ledger("alice").cash
    assert e.indexPnl < 0
    assert e.unrealizedPnl < e.indexPnl
    debt = max(0, -(cash + e.indexPnl))
    assert debt > 0
    position = ceil_mul(e.notional, WAD * 4 // 100)
    requirement = position - (-debt * p.debtMaintenanceRatio // WAD)
    assert v.bufferAtIndex == cash + e.indexPnl - requirement
    on_curve = max(0, -(cash + e.unrealizedPnl - e.closeOutCost))
    assert v.maintenanceMargin == position - (-on_curve * p.debtMaintenanceRatio // WAD)


@pytest.fixture
def mixed(world):
    """Alice: 12,000 in cash, WBTC worth 54,000, WETH, and a long of 100,000 in ETH: IM 6,000."""
    world.deposit("alice", 12_000 * 10**6)
    world.deposit("alice", 10**8, WBTC)
    world.deposit("alice", WAD, WETH)
    world.trade("alice", 33 * WAD, ETH)
    account = world.account("alice")
    v = world.valuation("alice")
    assert v.initialMargin < world.ledger("alice").cash < v.initialMargin + 7_000 * WAD
    return account


def test_require_initial_margin__cash_is_enough__collateral_needs_no_price(
    world, mixed, require, refuses
):
    world.silence("BTC")
    assert world.valuation("alice").status == STALE
    require(mixed, WITHDRAW)
    world.settle("alice", -7_000 * WAD)
    with refuses("ActionPolicy_PriceStatus", WITHDRAW, STALE, VALID):
        require(mixed, WITHDRAW)


@pytest.mark.parametrize("secured", [True, False])
def test_require_initial_margin__lower_id_is_enough__the_next_needs_no_price(
    world, mixed, require, refuses, secured
):
    if secured:
        world.deposit("alice", 10 * WAD, LST)
    world.settle("alice", -7_000 * WAD)
    world.silence("BTC")
    if secured:
        require(mixed, WITHDRAW)
    else:
        with refuses("ActionPolicy_PriceStatus", WITHDRAW, STALE, VALID):
            require(mixed, WITHDRAW)


def test_require_initial_margin__all_collateral_is_not_enough__says_what_all_of_it_is_worth(
    world, mixed, require, refuses
):
    world.settle("alice", -70_000 * WAD)
    v = world.valuation("alice")
    assert v.equityInitial < v.initialMargin
    with refuses("MarginEngine_BelowInitialMargin", mixed, v.equityInitial, v.initialMargin):
        require(mixed, WITHDRAW)
