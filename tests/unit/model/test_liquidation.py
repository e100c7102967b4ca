"""Liquidation by hand-computed numbers, and what must hold for any of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import invariants, liquidation_math, presets
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.policy import ActionPolicy_PriceStatus
from bulkhead.model.reverts import (
    EmptyRevert,
    LiquidationEngine_AssetsLeft,
    LiquidationEngine_AuctionRunning,
    LiquidationEngine_Healthy,
    LiquidationEngine_NoAuction,
    LiquidationEngine_NoCollateral,
    LiquidationEngine_NoDebt,
    LiquidationEngine_NoPosition,
    LiquidationEngine_PriceTooHigh,
    LiquidationEngine_ZeroAmount,
)
from bulkhead.model.types import SETTLEMENT, Action, Position, WriteOffReceipt, address, pack

USDC = 10**6
ALICE, KEEPER = address(1), address(13)
ACCOUNT = pack(ALICE)


@pytest.fixture
def world(make_seeded_world):
    return make_seeded_world()


@pytest.fixture
def long_fifty(world):
    """10 000 of cash, long 50 at 2000 · 1.0025; the fee of 0.05 % takes 50.125."""
    world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 10_000 * USDC)
    world.perp_exchange.trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
    assert world.margin_engine.account_ledger(ACCOUNT).cash == 9_949_875 * WAD // 1_000
    return world


@pytest.fixture
def debtor(world):
    """10 stETH at 2000 with a haircut of 5 %, and a debt of 18 136.2275."""
    world.margin_engine.deposit(ALICE, ACCOUNT, 1, 10 * WAD)
    world.perp_exchange.trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
    world.oracle.set("ETH", 1_640 * WAD)
    # Sold at 1640 · 1.0025: a loss of 18 045 and fees of 50.125 and 41.1025.
    world.perp_exchange.trade(ALICE, ACCOUNT, 0, -50 * WAD, 0)
    assert world.margin_engine.account_ledger(ACCOUNT).cash == -181_362_275 * WAD // 10**4
    return world


class TestPositions:
    def test_a_partial_liquidation_restores_the_target_health(self, long_fifty):
        world = long_fifty
        world.oracle.set("ETH", 1_840 * WAD)
        v = world.margin_engine.valuation(ACCOUNT)
        # E = 9949.875 + 50 · 1840 · 1.005 − 100 250 − 1840 · 2500 / 20 000, M = 3 % of 92 000.
        assert v.equity_maintenance == 1_929_875 * WAD // 1_000
        assert v.maintenance_margin == 2_760 * WAD
        # (1.2 · 2760 − 1929.875) / (1.2 · 3 % − 1.5 % · 1.12) = 1382.125 / 0.0192, at 1840 each.
        size, reward = world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        assert size == -39_122_650_588_768_115_943
        # 1.5 % of 71 985.677…, half of it to the keeper.
        assert reward == 539_892_578_125_000_000_013
        assert world.margin_engine.account_ledger(pack(KEEPER)).cash == reward
        after = world.margin_engine.valuation(ACCOUNT)
        # The plan allows for a penalty that becomes debt; this one was paid in cash.
        assert abs(after.equity_maintenance - 850_089_843_750_000_000_000) <= 200
        assert after.equity_maintenance >= after.maintenance_margin * 12 // 10
        assert invariants.check_state(invariants.snapshot(world)) == []

    def test_what_would_be_left_as_dust_is_closed(self, long_fifty):
        world = long_fifty
        # E = 50.125 · 1803 − 90 300.125 = 75.25 of 2704.5: (3245.4 − 75.25) / 0.0192 > 90 150.
        world.oracle.set("ETH", 1_803 * WAD)
        size, _ = world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        assert size == -50 * WAD
        assert world.perp_exchange.position(ACCOUNT, 0) == Position()

    def test_a_bankrupt_account_is_closed_and_written_off(self, long_fifty):
        world = long_fifty
        world.oracle.set("ETH", 1_800 * WAD)
        v = world.margin_engine.valuation(ACCOUNT)
        assert v.equity_maintenance == -75_125 * WAD // 1_000
        size, reward = world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        # No penalty is charged; 675 would be due to the keeper, but the reserve holds no more than
        # a fifth of the trade's fee.
        assert (size, reward) == (-50 * WAD, 10_025 * WAD // 1_000)
        debt = 75_125 * WAD // 1_000
        assert world.margin_engine.account_ledger(ACCOUNT).cash == -debt
        receipt = world.liquidation_engine.write_off(KEEPER, ACCOUNT)
        assert receipt == WriteOffReceipt(debt, debt, 0, 0, 0)
        fee_share = 150_375 * WAD // 10**4
        assert world.margin_engine.totals().insurance_cash == 10**5 * WAD + fee_share - debt
        with pytest.raises(LiquidationEngine_NoDebt):
            world.liquidation_engine.write_off(KEEPER, ACCOUNT)

    def test_a_short_is_liquidated_by_buying(self, world):
        world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 10_000 * USDC)
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, -50 * WAD, 0)
        world.oracle.set("ETH", 2_160 * WAD)
        before = world.margin_engine.valuation(ACCOUNT)
        size, _ = world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        assert 0 < size < 50 * WAD
        assert invariants.liq_2(before, world.margin_engine.valuation(ACCOUNT)) is None

    def test_a_healthy_account_is_left_alone(self, long_fifty):
        v = long_fifty.margin_engine.valuation(ACCOUNT)
        with pytest.raises(LiquidationEngine_Healthy) as caught:
            long_fifty.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        assert caught.value.args == (ACCOUNT, v.equity_maintenance, v.maintenance_margin)

    def test_a_market_without_a_position_is_refused(self, long_fifty):
        long_fifty.oracle.set("ETH", 1_840 * WAD)
        with pytest.raises(LiquidationEngine_NoPosition):
            long_fifty.liquidation_engine.liquidate(KEEPER, ACCOUNT, 1)

    def test_a_stale_price_liquidates_nobody_and_a_degraded_one_does(self, long_fifty):
        world = long_fifty
        world.oracle.set("ETH", 1_840 * WAD, PriceStatus.STALE)
        with pytest.raises(ActionPolicy_PriceStatus) as caught:
            world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        expected = (Action.LIQUIDATE, PriceStatus.STALE, PriceStatus.DEGRADED)
        assert caught.value.args == expected
        world.oracle.set("ETH", 1_840 * WAD, PriceStatus.DEGRADED)
        assert world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)[0] < 0

    def test_a_solvent_account_cannot_profit_from_liquidating_itself(self, long_fifty):
        world = long_fifty
        world.oracle.set("ETH", 1_840 * WAD)
        before = world.margin_engine.valuation(ACCOUNT).equity_maintenance
        world.liquidation_engine.liquidate(ALICE, ACCOUNT, 0)
        assert world.margin_engine.valuation(ACCOUNT).equity_maintenance < before

    @given(price=st.integers(1_500 * WAD, 2_000 * WAD), cash=st.integers(6_000, 20_000))
    @settings(max_examples=200, deadline=None)
    def test_exactly_the_unhealthy_are_liquidated_and_none_the_worse(
        self, make_seeded_world, price, cash
    ):
        world = make_seeded_world()
        world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, cash * USDC)
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
        world.oracle.set("ETH", price)
        assert invariants.liq_1(world, ACCOUNT) is None
        before = world.margin_engine.valuation(ACCOUNT)
        if before.equity_maintenance >= before.maintenance_margin:
            with pytest.raises(LiquidationEngine_Healthy):
                world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
            return
        size, _ = world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        after = world.margin_engine.valuation(ACCOUNT)
        assert invariants.liq_2(before, after) is None
        if size != -50 * WAD:
            assert after.equity_maintenance >= after.maintenance_margin * 12 // 10 - 200
        elif before.equity_maintenance > 0:
            assert after.equity_maintenance >= 0
        assert invariants.check_state(invariants.snapshot(world)) == []


class TestPenalty:
    @given(
        wanted=st.integers(0, 10**24),
        margin=st.integers(1, 10**24),
        health=st.integers(-(10**6), 10**6 - 1),
        equity_after=st.integers(-(10**24), 10**24),
        margin_after=st.integers(0, 10**24),
        ratio=st.integers(WAD // 100, WAD // 2),
    )
    def test_it_never_lowers_health_nor_exceeds_what_is_wanted(
        self, wanted, margin, health, equity_after, margin_after, ratio
    ):
        equity = margin * health // 10**6
        penalty = liquidation_math.bounded_penalty(
            wanted, equity, margin, equity_after, margin_after, ratio
        )
        assert 0 <= penalty <= wanted
        if penalty:
            assert equity > 0
            # (E' − x) / (M' + d·x) ≥ E / M.
            margin_after = margin_after * WAD + ratio * penalty
            assert (equity_after - penalty) * margin * WAD >= equity * margin_after

    def test_it_takes_what_is_spare(self):
        # Health 50 / 100; after closing 50 / 60: 50 − 50 · 60 / 100 = 20 are spare, and what is
        # taken may be owed, which asks for a tenth more.
        tenth = WAD // 10
        assert liquidation_math.bounded_penalty(100, 50, 100, 50, 60, tenth) == 18
        assert liquidation_math.bounded_penalty(5, 50, 100, 50, 60, tenth) == 5
        assert liquidation_math.bounded_penalty(100, 0, 100, 50, 60, tenth) == 0
        assert liquidation_math.bounded_penalty(100, 50, 100, 30, 60, tenth) == 0


class TestAuctions:
    def test_the_price_falls_to_the_floor(self):
        assert liquidation_math.auction_price(2_100, 1_900, 0, 3_600) == 2_100
        assert liquidation_math.auction_price(2_100, 1_900, 1_800, 3_600) == 2_000
        assert liquidation_math.auction_price(2_100, 1_900, 3_599, 3_600) == 1_901
        assert liquidation_math.auction_price(2_100, 1_900, 3_600, 3_600) == 1_900
        assert liquidation_math.auction_price(1_800, 1_900, 0, 3_600) == 1_900

    def test_a_debt_is_repaid_out_of_collateral(self, debtor):
        world = debtor
        engine = world.liquidation_engine
        world.risk_parameters.set_interest(world.governor, presets.FREE)
        world.margin_engine.accrue_interest(KEEPER, ACCOUNT)
        engine.start_auction(KEEPER, ACCOUNT, 1)
        assert engine.auction_price(ACCOUNT, 1) == 2_100 * WAD
        world.now += 1_800
        assert engine.auction_price(ACCOUNT, 1) == 2_000 * WAD
        equity = world.margin_engine.valuation(ACCOUNT).equity_maintenance
        pool = world.margin_engine.totals().pool_cash
        bought = engine.take_auction(KEEPER, ACCOUNT, 1, 10 * WAD, 2_000 * WAD, KEEPER)
        # 18 136.2275 at 2000.
        assert bought == (906_811_375 * WAD // 10**8, 18_136_227_500)
        assert world.margin_engine.account_ledger(ACCOUNT).cash == 0
        assert world.margin_engine.totals().pool_cash == pool + 181_362_275 * WAD // 10**4
        # Sold at 2000 what counts for 1900.
        gain = 100 * 906_811_375 * WAD // 10**8
        assert world.margin_engine.valuation(ACCOUNT).equity_maintenance == equity + gain
        assert engine.auction_started_at(ACCOUNT, 1) == 0

    def test_a_part_may_be_bought_and_the_auction_goes_on(self, debtor):
        engine = debtor.liquidation_engine
        engine.start_auction(KEEPER, ACCOUNT, 1)
        assert engine.take_auction(KEEPER, ACCOUNT, 1, WAD, UINT256_MAX, KEEPER) == (
            WAD,
            2_100 * USDC,
        )
        with pytest.raises(LiquidationEngine_AuctionRunning):
            engine.start_auction(KEEPER, ACCOUNT, 1)
        with pytest.raises(LiquidationEngine_AuctionRunning):
            engine.end_auction(KEEPER, ACCOUNT, 1)

    def test_refusals(self, debtor):
        engine = debtor.liquidation_engine
        with pytest.raises(LiquidationEngine_NoAuction):
            engine.take_auction(KEEPER, ACCOUNT, 1, WAD, UINT256_MAX, KEEPER)
        with pytest.raises(LiquidationEngine_NoAuction):
            engine.end_auction(KEEPER, ACCOUNT, 1)
        with pytest.raises(LiquidationEngine_NoCollateral):
            engine.start_auction(KEEPER, ACCOUNT, 2)
        engine.start_auction(KEEPER, ACCOUNT, 1)
        with pytest.raises(LiquidationEngine_PriceTooHigh) as caught:
            engine.take_auction(KEEPER, ACCOUNT, 1, WAD, 2_100 * WAD - 1, KEEPER)
        assert caught.value.args == (2_100 * WAD, 2_100 * WAD - 1)
        with pytest.raises(LiquidationEngine_ZeroAmount):
            engine.take_auction(KEEPER, ACCOUNT, 1, 0, UINT256_MAX, KEEPER)
        with pytest.raises(EmptyRevert):
            engine.take_auction(KEEPER, ACCOUNT, 1, WAD, UINT256_MAX, KEEPER, b"\x01")
        with pytest.raises(LiquidationEngine_AssetsLeft) as caught:
            engine.write_off(KEEPER, ACCOUNT)
        assert caught.value.args == (ACCOUNT, 0, 19_000 * WAD)

    def test_the_buyers_callback_sees_the_collateral_before_it_pays(self, debtor):
        world, seen = debtor, []
        steth = world.tokens[address(0xA1)]
        before = steth.balance_of(KEEPER)
        world.callees[KEEPER] = lambda *args: seen.append(
            (*args, steth.balance_of(KEEPER) - before, world.settlement.balance_of(KEEPER))
        )
        cash = world.settlement.balance_of(KEEPER)
        world.liquidation_engine.start_auction(KEEPER, ACCOUNT, 1)
        world.liquidation_engine.take_auction(KEEPER, ACCOUNT, 1, WAD, UINT256_MAX, KEEPER, b"data")
        assert seen == [(steth.address, WAD, 2_100 * USDC, b"data", WAD, cash)]
        assert world.settlement.balance_of(KEEPER) == cash - 2_100 * USDC

    def test_an_account_that_recovered_is_neither_sold_nor_kept_up(self, debtor):
        world = debtor
        engine = world.liquidation_engine
        engine.start_auction(KEEPER, ACCOUNT, 1)
        world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 5_000 * USDC)
        with pytest.raises(LiquidationEngine_Healthy):
            engine.take_auction(KEEPER, ACCOUNT, 1, WAD, UINT256_MAX, KEEPER)
        engine.end_auction(KEEPER, ACCOUNT, 1)
        assert engine.auction_started_at(ACCOUNT, 1) == 0

    @given(
        taken=st.lists(st.integers(1, 3 * WAD), min_size=1, max_size=6), wait=st.integers(0, 5_000)
    )
    @settings(deadline=None)
    def test_no_sale_lowers_equity_or_takes_more_than_the_debt(
        self, make_seeded_world, taken, wait
    ):
        world = make_seeded_world()
        world.margin_engine.deposit(ALICE, ACCOUNT, 1, 10 * WAD)
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
        world.oracle.set("ETH", 1_640 * WAD)
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, -50 * WAD, 0)
        world.liquidation_engine.start_auction(KEEPER, ACCOUNT, 1)
        world.now += wait
        for amount in taken:
            equity = world.margin_engine.valuation(ACCOUNT).equity_maintenance
            if not world.liquidation_engine.is_liquidatable(ACCOUNT):
                break
            world.liquidation_engine.take_auction(KEEPER, ACCOUNT, 1, amount, UINT256_MAX, KEEPER)
            assert world.margin_engine.valuation(ACCOUNT).equity_maintenance >= equity
            # Rounded up to a token unit of collateral, then to one of the settlement token.
            assert world.margin_engine.account_ledger(ACCOUNT).cash <= 2 * 10**12


class TestStalePrices:
    def test_a_unit_of_a_dead_collateral_protects_nobody(self, long_fifty):
        world = long_fifty
        world.margin_engine.deposit(ALICE, ACCOUNT, 2, 1)
        world.oracle.set("CBTC", 40_000 * WAD, PriceStatus.STALE)
        world.oracle.set("ETH", 1_840 * WAD)
        v = world.margin_engine.valuation(ACCOUNT)
        # 1e-8 of a token at 40 000.
        assert (v.status, v.uncertain) == (PriceStatus.STALE, 4 * WAD // 10**4)
        assert world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)[0] < 0

    def test_what_it_could_be_hiding_does_protect(self, long_fifty):
        world = long_fifty
        world.margin_engine.deposit(ALICE, ACCOUNT, 2, 10**7)
        world.oracle.set("CBTC", 40_000 * WAD, PriceStatus.STALE)
        world.oracle.set("ETH", 1_730 * WAD)
        # A tenth of a token counts for 3600; 2937 are lacking, and it could be worth 4000 more.
        v = world.margin_engine.valuation(ACCOUNT)
        lacks = v.maintenance_margin - v.equity_maintenance
        assert 0 < lacks < v.uncertain == 4_000 * WAD
        with pytest.raises(ActionPolicy_PriceStatus):
            world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)


class TestEndOfAuctions:
    def test_an_auction_is_over_after_twice_its_duration(self, debtor):
        world = debtor
        engine = world.liquidation_engine
        engine.start_auction(KEEPER, ACCOUNT, 1)
        world.now += 7_200
        assert engine.auction_price(ACCOUNT, 1) == 1_900 * WAD
        with pytest.raises(LiquidationEngine_AuctionRunning):
            engine.start_auction(KEEPER, ACCOUNT, 1)
        world.now += 1
        with pytest.raises(LiquidationEngine_NoAuction):
            engine.take_auction(KEEPER, ACCOUNT, 1, WAD, UINT256_MAX, KEEPER)
        engine.start_auction(KEEPER, ACCOUNT, 1)
        assert engine.auction_price(ACCOUNT, 1) == 2_100 * WAD
        world.now += 7_201
        engine.end_auction(KEEPER, ACCOUNT, 1)
        assert engine.auction_started_at(ACCOUNT, 1) == 0

    def test_dust_is_forfeited_with_the_debt(self, long_fifty):
        world = long_fifty
        world.margin_engine.deposit(ALICE, ACCOUNT, 1, WAD // 1_900)  # counts for just below 1
        world.oracle.set("ETH", 1_790 * WAD)
        world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        held = world.tokens[address(0xA1)].balance_of(world.collateral_vault.address)
        debt = world.liquidation_engine.write_off(KEEPER, ACCOUNT).debt
        assert debt > 0
        assert world.margin_engine.account_ledger(ACCOUNT).collateral_mask == 0
        assert world.margin_engine.total_collateral(1) == 0
        custody = world.collateral_vault.address
        assert world.tokens[address(0xA1)].balance_of(custody) == held == WAD // 1_900
        assert invariants.check_state(invariants.snapshot(world)) == []

    def test_more_than_dust_is_sold_first(self, long_fifty):
        world = long_fifty
        world.margin_engine.deposit(ALICE, ACCOUNT, 1, WAD // 1_900 + 1_000)
        world.oracle.set("ETH", 1_790 * WAD)
        world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        with pytest.raises(LiquidationEngine_AssetsLeft):
            world.liquidation_engine.write_off(KEEPER, ACCOUNT)


class TestRequirements:
    def test_realising_a_loss_changes_no_requirement(self, world):
        world.margin_engine.deposit(ALICE, ACCOUNT, 1, 10 * WAD)
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
        world.oracle.set("ETH", 1_700 * WAD)
        before = world.margin_engine.valuation(ACCOUNT)
        # Debt of 50.125 and a loss of 15 037.5, at a tenth; 3 % of 85 000.
        debt = 15_087_625 * WAD // 1_000
        assert before.maintenance_margin == debt // 10 + 2_550 * WAD
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, -25 * WAD, 0)
        after = world.margin_engine.valuation(ACCOUNT)
        fee = before.equity_maintenance - after.equity_maintenance
        # Half of the margin of the position is freed, the fee is owed as well.
        assert abs(after.maintenance_margin - (debt + fee) // 10 - 1_275 * WAD) <= 100

    def test_a_profit_in_one_market_carries_no_loss_in_another(self, world):
        engine = world.margin_engine
        engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 20_000 * USDC)
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 20 * WAD, UINT256_MAX)
        world.perp_exchange.trade(ALICE, ACCOUNT, 1, WAD, UINT256_MAX)
        flat = engine.valuation(ACCOUNT)
        world.oracle.set("ETH", 2_200 * WAD)
        gained = engine.valuation(ACCOUNT)
        # Both fills cost less than a unit to undo: nothing but the fee of closing lies between.
        assert gained.equity_initial - flat.equity_initial <= WAD
        assert gained.equity_maintenance - flat.equity_maintenance > 3_900 * WAD
