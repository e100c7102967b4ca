"""Whole calls: atomicity, the lock, tokens, events."""

from __future__ import annotations

import pytest

from bulkhead.model import invariants, presets
from bulkhead.model.errors import ModelRevert
from bulkhead.model.feeds import StaticPeg
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.oracle import (
    AssetConfig,
    FixedSource,
    OracleAggregator,
    SourceConfig,
)
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    ERC20InsufficientAllowance,
    ERC20InsufficientBalance,
    ERC20InvalidReceiver,
    MarginEngine_BelowInitialMargin,
    MarginEngine_InsufficientBalance,
)
from bulkhead.model.roles import GUARDIAN
from bulkhead.model.types import (
    SETTLEMENT,
    ZERO_ADDRESS,
    AccountLedger,
    address,
    pack,
)
from bulkhead.model.world import Compartment

USDC = 10**6
ALICE, BOB, LP = address(1), address(2), address(11)
ACCOUNT = pack(ALICE)
DAY = 86_400


@pytest.fixture
def world(make_seeded_world):
    world = make_seeded_world()
    world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 10_000 * USDC)
    return world


@pytest.fixture
def halted(world):
    world.roles.grant_role(world.governor, GUARDIAN, BOB)
    world.circuit_breaker.raise_(BOB, 4, 60)
    return world


def assert_reverts(error, call, *args):
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    if args:
        assert caught.value.args == args


class TestAtomicity:
    def test_a_revert_at_the_very_end_leaves_nothing(self, world):
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 10 * WAD, UINT256_MAX)
        world.liquidity_vault.request_redeem(LP, 10**12)
        before = invariants.snapshot(world)
        world.events.clear()

        def refuse(*_: object) -> None:
            raise ModelRevert("late")

        world.settlement.hook = refuse
        world.now += 100
        for call in (
            lambda: world.margin_engine.withdraw(ALICE, ACCOUNT, 0, 1, ALICE),
            lambda: world.margin_engine.deposit(ALICE, ACCOUNT, 0, 1),
            lambda: world.liquidity_vault.deposit(LP, USDC, LP),
            lambda: world.liquidity_vault.redeem(LP, 10**12, LP, LP),
            lambda: world.insurance_fund.deposit(LP, USDC, LP),
        ):
            with pytest.raises(ModelRevert, match="late"):
                call()
            assert invariants.snapshot(world) == before
            assert world.events == []
            assert not world.margin_engine.is_locked()

    def test_calls_are_undone_together(self, world):
        before = invariants.snapshot(world)

        def both() -> None:
            world.margin_engine.deposit(BOB, pack(BOB), SETTLEMENT, USDC)
            world.margin_engine.withdraw(BOB, pack(BOB), SETTLEMENT, 2 * USDC, BOB)

        with pytest.raises(MarginEngine_InsufficientBalance):
            world.execute(both)
        assert invariants.snapshot(world) == before

    def test_a_caught_revert_undoes_the_inner_call_only(self, world):
        def outer() -> None:
            world.margin_engine.deposit(BOB, pack(BOB), SETTLEMENT, USDC)
            with pytest.raises(MarginEngine_InsufficientBalance):
                world.margin_engine.withdraw(BOB, pack(BOB), SETTLEMENT, 2 * USDC, BOB)

        world.execute(outer)
        assert world.margin_engine.account_ledger(pack(BOB)) == AccountLedger(cash=WAD)

    def test_a_recorded_price_is_undone_too(self):
        sources = {"feed": FixedSource(2_000 * WAD, 0, 1_000)}
        oracle = OracleAggregator(sources, seasoning=DAY)
        rules = AssetConfig(
            max_staleness=3_600,
            max_cache_age=60,
            quorum=10_000,
            confirmation_delay=60,
            max_deviation=1,
            max_confidence=1,
            max_move=WAD,
            volatility_period=DAY,
            initial_volatility=0,
        )
        oracle.configure("ETH", rules, [SourceConfig("feed", 10_000)], now=1_000)
        world = Compartment(oracle, StaticPeg(), now=1_000)
        world.risk_parameters.set_market(
            world.governor, 0, presets.market("ETH"), presets.LIQUIDATION
        )
        world.fund(ALICE, 10_000 * USDC)
        world.liquidity_vault.deposit(ALICE, 10_000 * USDC, ALICE)
        with pytest.raises(MarginEngine_BelowInitialMargin):
            world.perp_exchange.trade(ALICE, ACCOUNT, 0, WAD, UINT256_MAX)
        sources["feed"] = FixedSource(2_100 * WAD, 0, 1_000)
        assert oracle.latest("ETH", 1_000).price == 2_100 * WAD
        world.perp_exchange.poke(ALICE, 0)
        sources["feed"] = FixedSource(2_200 * WAD, 0, 1_000)
        assert oracle.latest("ETH", 1_000).price == 2_100 * WAD


class TestLock:
    def test_no_entry_point_can_be_called_from_within_a_call(self, world):
        world.margin_engine.deposit(BOB, pack(BOB), SETTLEMENT, USDC)
        engine, exchange = world.margin_engine, world.perp_exchange
        pool, fund = world.liquidity_vault, world.insurance_fund
        liquidation = world.liquidation_engine
        entries = (
            lambda: engine.deposit(BOB, pack(BOB), 0, 1),
            lambda: engine.withdraw(BOB, pack(BOB), 0, 1, BOB),
            lambda: engine.convert(BOB, pack(BOB), 1),
            lambda: exchange.trade(BOB, pack(BOB), 0, 1, UINT256_MAX),
            lambda: exchange.poke(BOB, 0),
            lambda: pool.deposit(BOB, 1, BOB),
            lambda: pool.mint(BOB, 1, BOB),
            lambda: pool.withdraw(BOB, 0, BOB, BOB),
            lambda: fund.redeem(BOB, 0, BOB, BOB),
            lambda: pool.request_redeem(BOB, 1),
            lambda: pool.cancel_request(BOB),
            lambda: engine.accrue_interest(BOB, ACCOUNT),
            lambda: liquidation.liquidate(BOB, ACCOUNT, 0),
            lambda: liquidation.start_auction(BOB, ACCOUNT, 1),
            lambda: liquidation.end_auction(BOB, ACCOUNT, 1),
            lambda: liquidation.take_auction(BOB, ACCOUNT, 1, 1, 1, BOB),
            lambda: liquidation.write_off(BOB, ACCOUNT),
        )
        views = (
            lambda: engine.valuation(ACCOUNT),
            lambda: engine.account_ledger(ACCOUNT),
            lambda: engine.booked_debt(ACCOUNT),
            lambda: engine.borrow_state(),
            lambda: engine.totals(),
            lambda: engine.haircut_ratio(),
            lambda: exchange.mark_price(0),
            lambda: exchange.preview_trade(ACCOUNT, 0, 1),
            lambda: exchange.unrealized_pnl(0),
            lambda: exchange.close_out_pnl(0),
            lambda: pool.total_assets(),
            lambda: pool.net_asset_value(),
            lambda: pool.coverage(),
            lambda: pool.preview_deposit(1),
            lambda: fund.convert_to_assets(1),
            lambda: fund.max_withdraw(BOB),
            lambda: liquidation.is_liquidatable(ACCOUNT),
            lambda: liquidation.preview_liquidate(ACCOUNT, 0),
        )
        tried = []

        def reenter(*_: object) -> None:
            for call in (*entries, *views):
                assert_reverts(CompartmentLock_Locked, call)
                tried.append(call)

        world.settlement.hook = reenter
        engine.deposit(ALICE, ACCOUNT, SETTLEMENT, USDC)
        assert len(tried) == len(entries) + len(views)
        world.settlement.hook = None
        assert engine.account_ledger(pack(BOB)) == AccountLedger(cash=WAD)


class TestTokens:
    def test_balances_allowances_and_supply(self, world):
        token = world.create_token(address(0xA9), 18)
        token.mint(ALICE, 10)
        assert token.transfer(ALICE, BOB, 4)
        token.approve(ALICE, BOB, 5)
        assert token.transfer_from(BOB, ALICE, LP, 5)
        assert_reverts(
            ERC20InsufficientAllowance,
            lambda: token.transfer_from(BOB, ALICE, LP, 1),
            BOB,
            0,
            1,
        )
        assert_reverts(ERC20InsufficientBalance, lambda: token.transfer(ALICE, BOB, 2), ALICE, 1, 2)
        assert_reverts(
            ERC20InvalidReceiver, lambda: token.transfer(ALICE, ZERO_ADDRESS, 1), ZERO_ADDRESS
        )
        balances = [token.balance_of(holder) for holder in (ALICE, BOB, LP)]
        assert (balances, token.total_supply) == ([1, 4, 5], 10)

    def test_an_endless_allowance_is_not_spent(self, world):
        token = world.settlement
        token.approve(ALICE, BOB, UINT256_MAX)
        token.transfer_from(BOB, ALICE, LP, 1)
        assert token.allowance(ALICE, BOB) == UINT256_MAX


def test_events_name_what_happened_in_order(world):
    world.events.clear()
    world.perp_exchange.trade(ALICE, ACCOUNT, 0, 10 * WAD, UINT256_MAX)
    names = [event.name for event in world.events]
    assert names == ["Traded", "UnrealizedReported", "FeeCharged"]
    assert [e.emitter for e in world.events[:2]] == [
        world.perp_exchange.address,
        world.margin_engine.address,
    ]
    world.now += 10
    world.events.clear()
    world.liquidity_vault.deposit(LP, USDC, LP)
    names = [event.name for event in world.events]
    assert names == ["Transfer", "Transfer", "PoolCashChanged", "Deposit"]
    world.liquidity_vault.request_redeem(LP, 10**12)
    world.events.clear()
    world.liquidity_vault.redeem(LP, 10**12, LP, LP)
    names = [event.name for event in world.events]
    assert names == [
        # Nobody has ever touched the second market: its clock starts now.
        *("FundingAccrued", "UnrealizedReported", "UnrealizedReported"),
        *("Transfer", "Withdraw", "PoolCashChanged", "Transfer"),
    ]
