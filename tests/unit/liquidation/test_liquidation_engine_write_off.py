"""The waterfall's end: who bears a debt that nobody will repay, each tranche by name and amount."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH = 0
WETH, WBTC = 3, 2
WRITE_OFF = 7
POOL, FUND = 20_000_000 * WAD, 1_000_000 * WAD


@pytest.fixture
def write_off(world):
    """Write an account off; return the receipt."""

    def _write_off(who="alice"):
        receipt = world.liquidation.transact(
            "writeOff", world.account(who), sender=world.address("keeper")
        )
        [event] = world.margin.events(receipt, "BadDebtWrittenOff")
        assert event.args.account == world.account(who)
        [recorded] = world.breaker.events(receipt, "BadDebtRecorded")
        assert recorded.args.amount == event.args.receipt.debt
        return event.args.receipt

    return _write_off


def test_write_off__insurance_covers_all__nobody_else_loses(world, write_off):
    world.settle("alice", -400_000 * WAD)
    before = world.totals()
    nav = world.pool.call("netAssetValue")
    receipt = write_off()
    assert tuple(receipt) == (400_000 * WAD, 400_000 * WAD, 0, 0, 0)
    assert world.totals() == before._replace(
        debt=0,
        insuranceCash=before.insuranceCash - 400_000 * WAD,
        poolCash=before.poolCash + 400_000 * WAD,
    )
    assert world.ledger("alice").cash == 0
    # New shares were priced on the debt as recovered already, leaving ones were not.
    after = world.pool.call("netAssetValue")
    assert after.toEnter == nav.toEnter
    assert after.toLeave == nav.toLeave + 400_000 * WAD


def test_write_off__insurance_covers_exactly__is_empty_afterwards(world, write_off):
    world.settle("alice", -FUND)
    assert tuple(write_off()) == (FUND, FUND, 0, 0, 0)
    assert world.totals().insuranceCash == 0


def test_write_off__insurance_covers_a_part__the_pool_bears_the_rest(world, write_off):
    world.settle("alice", -FUND - 3 * WAD)
    before = world.totals()
    assert tuple(write_off()) == (FUND + 3 * WAD, FUND, 0, 3 * WAD, 0)
    assert world.totals() == before._replace(
        debt=0, insuranceCash=0, poolCash=before.poolCash + FUND
    )


def test_write_off__no_insurance__the_pool_bears_all(world, write_off):
    world.fund.transact(
        "redeem",
        world.fund.call("balanceOf", world.address("staker")),
        world.address("staker"),
        world.address("staker"),
        sender=world.address("staker"),
    )
    left = world.totals().insuranceCash
    assert left < 10**13  # What redeeming rounded down.
    world.settle("alice", -7 * WAD)
    assert tuple(write_off()) == (7 * WAD, left, 0, 7 * WAD - left, 0)


def test_write_off__pool_equity_used_up__junior_bears_what_is_lacking(world, write_off):
    # L 20m, I 1m, D 5m, J 23m. Insurance makes L 21m: 2m are lacking; of the 4m left 2m are pool.
    world.settle("alice", -5_000_000 * WAD)
    world.settle("bob", 23_000_000 * WAD)
    assert tuple(write_off()) == (
        5_000_000 * WAD,
        1_000_000 * WAD,
        0,
        2_000_000 * WAD,
        2_000_000 * WAD,
    )
    t = world.totals()
    assert (t.poolCash, t.claims, t.debt) == (POOL + FUND, 23_000_000 * WAD, 0)
    assert world.margin.call("haircutRatio") == WAD * 21 // 23


def test_write_off__pool_negative_already__junior_bears_all_the_rest(world, write_off):
    world.settle("alice", -1_500_000 * WAD)
    world.settle("bob", 40_000_000 * WAD)
    assert tuple(write_off()) == (
        1_500_000 * WAD,
        1_000_000 * WAD,
        0,
        0,
        500_000 * WAD,
    )


def test_write_off__unrealised_profit__is_junior_too(world, write_off):
    world.deposit("carol", 5_000_000 * 10**6)
    world.trade("carol", 8_000 * WAD)
    world.publish("ETH", 5_650 * WAD)
    world.settle("alice", -2_000_000 * WAD)
    insurance = world.totals().insuranceCash
    pool_cash = world.totals().poolCash + insurance
    receipt = write_off()
    profit = world.perps.call("closeOutPnl", ETH)
    assert world.margin.call("unrealizedTotals").positive == profit
    # Carol's open profit is a little above what the pool has, insurance included.
    junior = profit - pool_cash
    rest = 2_000_000 * WAD - insurance
    assert 0 < junior < rest
    assert tuple(receipt) == (2_000_000 * WAD, insurance, 0, rest - junior, junior)


def test_write_off__amounts__add_up_whatever_the_state(world, write_off):
    """INS-1."""
    for debt, claim in ((1, 0), (FUND, 19_000_000 * WAD), (3 * WAD + 1, 10 * WAD), (WAD, WAD)):
        world.settle("bob", claim)
        world.settle("alice", -debt)
        receipt = write_off()
        assert receipt.debt == debt
        assert receipt.insurance + receipt.backstop + receipt.pool + receipt.junior == debt


def test_write_off__of_a_liquidated_account__clears_it(world, bankrupt, liquidate, write_off):
    liquidate()
    debt = -world.ledger("alice").cash
    assert debt > 0
    assert write_off().debt == debt
    assert tuple(world.ledger("alice")) == (0,) * 7
    # The owner may begin anew.
    world.deposit("alice", 10**6)
    assert world.ledger("alice").cash == WAD


def test_write_off__without_debt__refused(world, refuses):
    world.deposit("alice", 1)
    with refuses("LiquidationEngine_NoDebt", world.account("alice")):
        world.liquidation.call("writeOff", world.account("alice"))


def test_write_off__position_left__refused(world, refuses):
    world.deposit("alice", 100_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.trade("alice", WAD, market=1)
    world.settle("alice", -world.ledger("alice").cash - 1_000_000 * WAD)
    with refuses("LiquidationEngine_AssetsLeft", world.account("alice"), 2, 0):
        world.liquidation.call("writeOff", world.account("alice"))


@pytest.fixture
def dust(world):
    """Alice with WETH worth a given amount (WAD) at maintenance, and a debt of 1,000."""

    def _dust(value):
        world.deposit("alice", -(-value * WAD // (2_760 * WAD)), WETH)
        world.settle("alice", -1_000 * WAD)
        return world.valuation("alice").collateralMaintenance

    return _dust


def test_write_off__collateral_left__refused(world, dust, refuses):
    value = dust(WAD)
    assert WAD <= value < WAD + 3_000
    with refuses("LiquidationEngine_AssetsLeft", world.account("alice"), 0, value):
        world.liquidation.call("writeOff", world.account("alice"))


def test_write_off__collateral_of_exactly_the_limit__is_no_dust(world, refuses):
    world.set_collateral(WETH, haircut=WAD // 5)
    world.publish("ETH", 3_125 * WAD)  # 2,500 after the haircut.
    world.deposit("alice", WAD // 2_500 - 1, WETH)
    world.settle("alice", -1_000 * WAD)
    world.liquidation.call("writeOff", world.account("alice"))
    world.deposit("alice", 1, WETH)
    with refuses("LiquidationEngine_AssetsLeft", world.account("alice"), 0, WAD):
        world.liquidation.call("writeOff", world.account("alice"))


def test_write_off__dust_of_collateral__is_forfeited(world, dust):
    value = dust(WAD - 10_000)
    assert WAD - 10_000 <= value < WAD
    amount = world.margin.call("collateralBalance", world.account("alice"), WETH)
    receipt = world.liquidation.transact(
        "writeOff", world.account("alice"), sender=world.address("keeper")
    )
    [event] = world.margin.events(receipt, "CollateralForfeited")
    assert tuple(event.args) == (world.account("alice"), WETH, amount)
    assert tuple(world.ledger("alice")) == (0,) * 7
    assert world.margin.call("collateralBalance", world.account("alice"), WETH) == 0
    assert world.margin.call("totalCollateral", WETH) == 0
    assert world.weth.call("balanceOf", world.custody.address) == amount


def test_write_off__dust_with_a_dead_feed__counts_at_its_last_price(world, refuses):
    world.deposit("alice", 800, WBTC)  # 0.48 at 60,000, 0.432 after its haircut.
    world.settle("alice", -1_000 * WAD)
    world.silence("BTC")
    world.liquidation.call("writeOff", world.account("alice"))
    world.deposit("alice", 100, WBTC)
    v = world.valuation("alice")
    assert (v.collateralMaintenance, v.uncertain) == (486 * WAD // 1_000, 54 * WAD // 100)
    with refuses(
        "LiquidationEngine_AssetsLeft",
        world.account("alice"),
        0,
        v.collateralMaintenance + v.uncertain,
    ):
        world.liquidation.call("writeOff", world.account("alice"))


def test_write_off__equity_is_positive__refused(world, refuses):
    world.settle("alice", -WAD // 10)
    world.deposit("alice", WAD // 5_000, WETH)  # 0.552 against 0.1.
    v = world.valuation("alice")
    assert v.equityMaintenance > 0
    with refuses(
        "LiquidationEngine_Healthy",
        world.account("alice"),
        v.equityMaintenance,
        v.maintenanceMargin,
    ):
        world.liquidation.call("writeOff", world.account("alice"))


def test_write_off__dead_feed_could_hide_solvency__refused(world, refuses):
    world.deposit("alice", 500, WBTC)  # 0.3 at the market, 0.27 after the haircut.
    world.settle("alice", -3 * WAD // 10)
    world.silence("BTC")
    v = world.valuation("alice")
    assert (v.equityMaintenance, v.uncertain) == (-3 * WAD // 100, 3 * WAD // 10)
    account = world.account("alice")
    with refuses("LiquidationEngine_Healthy", account, v.equityMaintenance, v.maintenanceMargin):
        world.liquidation.call("writeOff", account)
    world.settle("alice", -3 * WAD // 10)
    world.liquidation.call("writeOff", account)


@pytest.mark.parametrize(("tier", "allowed"), [(3, True), (4, False)])
def test_write_off__by_tier__goes_on_below_a_halt(world, refuses, tier, allowed):
    world.settle("alice", -WAD)
    world.raise_tier(tier)
    if allowed:
        world.liquidation.call("writeOff", world.account("alice"))
    else:
        with refuses("CircuitBreaker_Blocked", WRITE_OFF, 4, 3):
            world.liquidation.call("writeOff", world.account("alice"))
