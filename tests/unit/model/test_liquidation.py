"""Liquidation by hand-computed numbers, and what must hold for any of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import invariants, liquidation
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.reverts import (
    EmptyRevert,
    LiquidationEngine_AssetsLeft,
    LiquidationEngine_AuctionRunning,
    LiquidationEngine_Healthy,
    LiquidationEngine_NoAuction,
    LiquidationEngine_NoCollateral,
    LiquidationEngine_NoDebt,
    LiquidationEngine_NoPosition,
    LiquidationEngine_PriceStatus,
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
        # (1.2 · 2760 − 1929.875) / (1.2 · 3 % − 1.5 %) = 1382.125 / 0.021, in units of 1840.
        size, reward = world.liquidation_engine.liquidate(KEEPER, ACCOUNT, 0)
        assert size == -35_769_280_538_302_277_433
        # 1.5 % of 65 815.476…, half of it to the keeper.
        assert reward == 493_616_071_428_571_428_575
        assert world.margin_engine.account_ledger(pack(KEEPER)).cash == reward
        after = world.margin_engine.valuation(ACCOUNT)
        target = after.maintenance_margin * 12 // 10
        assert abs(after.equity_maintenance - target) <= 200
        assert invariants.check_state(invariants.snapshot(world)) == []

    def test_what_would_be_left_as_dust_is_closed(self, long_fifty):
        world = long_fifty
        # E = 50.125 · 1803 − 90 300.125 = 75.25 of 2704.5: (3245.4 − 75.25) / 0.021 > 90 150.
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
        # No penalty is charged; 675 would be due to the keeper, the reserve holds the trade's fee.
        assert (size, reward) == (-50 * WAD, 50_125 * WAD // 1_000)
        debt = 75_125 * WAD // 1_000
        assert world.margin_engine.account_ledger(ACCOUNT).cash == -debt
        receipt = world.liquidation_engine.write_off(KEEPER, ACCOUNT)
        assert receipt == WriteOffReceipt(debt, debt, 0, 0, 0)
        assert world.margin_engine.totals().insurance_cash == 10**5 * WAD - debt
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
        with pytest.raises(LiquidationEngine_PriceStatus) as caught:
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
        equity=st.integers(-(10**24), 10**24),
        margin=st.integers(1, 10**24),
        equity_after=st.integers(-(10**24), 10**24),
        margin_after=st.integers(0, 10**24),
    )
    def test_it_never_lowers_health_nor_exceeds_what_is_wanted(
        self, wanted, equity, margin, equity_after, margin_after
    ):
        penalty = liquidation.bounded_penalty(wanted, equity, margin, equity_after, margin_after)
        assert 0 <= penalty <= wanted
        if penalty:
            assert equity > 0
            assert (equity_after - penalty) * margin >= equity * margin_after

    def test_it_takes_what_is_spare(self):
        # Health 50 / 100; after closing 50 / 60, so 50 − 50 · 60 / 100 = 20 may be taken.
        assert liquidation.bounded_penalty(100, 50, 100, 50, 60) == 20
        assert liquidation.bounded_penalty(5, 50, 100, 50, 60) == 5
        assert liquidation.bounded_penalty(100, 0, 100, 50, 60) == 0


class TestAuctions:
    def test_the_price_falls_to_the_floor(self):
        assert liquidation.auction_price(2_100, 1_900, 0, 3_600) == 2_100
        assert liquidation.auction_price(2_100, 1_900, 1_800, 3_600) == 2_000
        assert liquidation.auction_price(2_100, 1_900, 3_599, 3_600) == 1_901
        assert liquidation.auction_price(2_100, 1_900, 3_600, 3_600) == 1_900
        assert liquidation.auction_price(1_800, 1_900, 0, 3_600) == 1_900

    def test_a_debt_is_repaid_out_of_collateral(self, debtor):
        world = debtor
        engine = world.liquidation_engine
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
