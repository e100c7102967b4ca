"""Deposits, withdrawals, conversions and trades: order of checks, and hand-computed results."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.model import invariants, presets
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.oracle import (
    PriceStatus,
)
from bulkhead.model.policy import ActionPolicy_PriceStatus
from bulkhead.model.reverts import (
    AccountOperators_NotAuthorized,
    CircuitBreaker_Blocked,
    CollateralVault_NotMarginEngine,
    CompartmentLock_NotAuthorized,
    ERC20InsufficientAllowance,
    ERC20InsufficientBalance,
    MarginEngine_BelowInitialMargin,
    MarginEngine_CollateralCap,
    MarginEngine_InsufficientBalance,
    MarginEngine_InvalidReceiver,
    MarginEngine_NotMatured,
    MarginEngine_StaleUnrealized,
    MarginEngine_ZeroAmount,
    PerpExchange_NotAuthorized,
    PerpExchange_NotLiquidationEngine,
    PerpExchange_OpenInterestCap,
    PerpExchange_PremiumCap,
    PerpExchange_PriceNotAcceptable,
    PerpExchange_SizeTooLarge,
    PerpExchange_ZeroSize,
    RiskParameters_UnknownCollateral,
    RiskParameters_UnknownMarket,
)
from bulkhead.model.roles import GUARDIAN
from bulkhead.model.types import (
    SETTLEMENT,
    ZERO_ADDRESS,
    Action,
    address,
    owner_of,
    pack,
)

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


class TestAccounts:
    def test_an_account_id_holds_its_owner_and_number(self):
        assert pack(ALICE, 7) == (1 << 96) + 7
        assert owner_of(pack(ALICE, 7)) == ALICE
        assert pack(address(2**160 - 1), 2**96 - 1) == UINT256_MAX


class TestDeposits:
    def test_checks_come_in_order(self, halted):
        deposit = halted.margin_engine.deposit
        assert_reverts(
            AccountOperators_NotAuthorized, lambda: deposit(BOB, ACCOUNT, 9, 0), ACCOUNT, BOB, 1
        )
        assert_reverts(MarginEngine_ZeroAmount, lambda: deposit(ALICE, ACCOUNT, 9, 0))
        # Adding margin goes on in a halt.
        assert_reverts(RiskParameters_UnknownCollateral, lambda: deposit(ALICE, ACCOUNT, 9, 1), 9)
        deposit(ALICE, ACCOUNT, SETTLEMENT, 1)

    def test_what_arrives_is_credited(self, make_world):
        world = make_world(settlement_fee=WAD // 100)
        world.margin_engine.deposit(ALICE, ACCOUNT, SETTLEMENT, 150)
        # A fee of 1.5 units is rounded up.
        assert world.margin_engine.account_ledger(ACCOUNT).cash == 148 * 10**12
        assert invariants.check_state(invariants.snapshot(world)) == []

    def test_a_cap_binds_all_accounts_together(self, world):
        cap = world.risk_parameters.collateral_config(2).cap
        token = world.tokens[address(0xA2)]
        world.fund(ALICE, cap, token)
        world.margin_engine.deposit(ALICE, ACCOUNT, 2, cap)
        assert_reverts(
            MarginEngine_CollateralCap,
            lambda: world.margin_engine.deposit(BOB, pack(BOB), 2, 1),
            2,
            cap + 1,
            cap,
        )

    def test_the_token_decides(self, world):
        deposit = world.margin_engine.deposit
        vault = world.collateral_vault.address
        world.settlement.approve(ALICE, vault, 5)
        assert_reverts(
            ERC20InsufficientAllowance, lambda: deposit(ALICE, ACCOUNT, 0, 6), vault, 5, 6
        )
        world.settlement.approve(ALICE, vault, UINT256_MAX)
        held = world.settlement.balance_of(ALICE)
        assert_reverts(
            ERC20InsufficientBalance,
            lambda: deposit(ALICE, ACCOUNT, 0, held + 1),
            ALICE,
            held,
            held + 1,
        )


class TestWithdrawals:
    def test_checks_come_in_order(self, halted):
        withdraw = halted.margin_engine.withdraw
        vault = halted.collateral_vault.address
        assert_reverts(AccountOperators_NotAuthorized, lambda: withdraw(BOB, ACCOUNT, 0, 0, BOB))
        assert_reverts(
            MarginEngine_ZeroAmount, lambda: withdraw(ALICE, ACCOUNT, 0, 0, ZERO_ADDRESS)
        )
        for receiver in (ZERO_ADDRESS, vault):
            assert_reverts(
                MarginEngine_InvalidReceiver,
                lambda receiver=receiver: withdraw(ALICE, ACCOUNT, 0, 1, receiver),
                receiver,
            )
        assert_reverts(
            CircuitBreaker_Blocked,
            lambda: withdraw(ALICE, ACCOUNT, 0, 1, ALICE),
            Action.WITHDRAW,
            4,
            2,
        )

    def test_no_more_than_is_held(self, world):
        withdraw = world.margin_engine.withdraw
        assert_reverts(
            MarginEngine_InsufficientBalance,
            lambda: withdraw(ALICE, ACCOUNT, 0, 10_000 * USDC + 1, ALICE),
            ACCOUNT,
            0,
            10_000 * USDC,
            10_000 * USDC + 1,
        )
        assert_reverts(
            MarginEngine_InsufficientBalance,
            lambda: withdraw(ALICE, ACCOUNT, 1, 1, ALICE),
            ACCOUNT,
            1,
            0,
            1,
        )

    def test_an_account_without_positions_needs_no_price(self, world):
        world.margin_engine.deposit(ALICE, ACCOUNT, 1, WAD)
        world.peg.set("STETH", 0, status=PriceStatus.STALE)
        world.margin_engine.withdraw(ALICE, ACCOUNT, 1, WAD, BOB)
        assert world.margin_engine.account_ledger(ACCOUNT).collateral_mask == 0

    def test_initial_margin_stays_behind(self, world):
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
        v = world.margin_engine.valuation(ACCOUNT)
        # Cash 9949.875, closing costs 250 at mark less what mark gained, 5 % of 100 000 is asked.
        free = (v.equity_initial - 5_000 * WAD) // 10**12
        world.margin_engine.withdraw(ALICE, ACCOUNT, 0, free, ALICE)
        withdraw = world.margin_engine.withdraw
        assert_reverts(
            MarginEngine_BelowInitialMargin, lambda: withdraw(ALICE, ACCOUNT, 0, 1, ALICE)
        )
        world.oracle.set("ETH", 2_000 * WAD, PriceStatus.DEGRADED)
        assert_reverts(
            ActionPolicy_PriceStatus,
            lambda: withdraw(ALICE, ACCOUNT, 0, 1, ALICE),
            Action.WITHDRAW,
            PriceStatus.DEGRADED,
            PriceStatus.VALID,
        )


class TestConversion:
    def test_profit_becomes_cash_when_it_has_vested(self, world):
        engine = world.margin_engine
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 10 * WAD, UINT256_MAX)
        world.oracle.set("ETH", 2_100 * WAD)
        fill = world.perp_exchange.trade(ALICE, ACCOUNT, 0, -10 * WAD, 0)
        # Bought at 2001, sold at 2100 · 1.0005.
        assert fill.realized_pnl == 1_000_500_000_000_000_000_000
        assert engine.matured_claim(ACCOUNT) == 0
        world.now += DAY // 2
        half = fill.realized_pnl // 2
        assert engine.matured_claim(ACCOUNT) == half
        assert_reverts(
            MarginEngine_StaleUnrealized,
            lambda: engine.convert(ALICE, ACCOUNT, half),
            0,
            DAY // 2,
            3_600,
        )
        world.perp_exchange.poke(BOB, 0)
        world.perp_exchange.poke(BOB, 1)
        assert_reverts(
            MarginEngine_NotMatured,
            lambda: engine.convert(ALICE, ACCOUNT, half + 1),
            ACCOUNT,
            half,
            half + 1,
        )
        cash = engine.account_ledger(ACCOUNT).cash
        assert engine.convert(ALICE, ACCOUNT, half) == half
        assert engine.account_ledger(ACCOUNT).cash == cash + half

    def test_nothing_is_refused(self, world):
        assert_reverts(
            MarginEngine_ZeroAmount, lambda: world.margin_engine.convert(ALICE, ACCOUNT, 0)
        )

    def test_fees_are_shared_out_as_they_arrive(self, world):
        before = world.margin_engine.totals()
        world.perp_exchange.trade(ALICE, ACCOUNT, 0, 10 * WAD, UINT256_MAX)
        after = world.margin_engine.totals()
        # 0.05 % of 20 010: 30 % to the insurance fund, 50 % to the pool, the rest for keepers.
        assert after.insurance_cash - before.insurance_cash == 30_015 * WAD // 10**4
        assert after.pool_cash - before.pool_cash == 50_025 * WAD // 10**4
        assert after.fee_reserve - before.fee_reserve == 2_001 * WAD // 1_000


class TestTrades:
    def test_checks_come_in_order(self, halted):
        trade = halted.perp_exchange.trade
        assert_reverts(AccountOperators_NotAuthorized, lambda: trade(BOB, ACCOUNT, 9, 0, 0))
        assert_reverts(PerpExchange_ZeroSize, lambda: trade(ALICE, ACCOUNT, 9, 0, 0))
        assert_reverts(
            PerpExchange_SizeTooLarge,
            lambda: trade(ALICE, ACCOUNT, 9, 10**36 + 1, 0),
            10**36 + 1,
            10**36,
        )
        assert_reverts(
            CircuitBreaker_Blocked,
            lambda: trade(ALICE, ACCOUNT, 9, 1, 0),
            Action.INCREASE_POSITION,
            4,
            1,
        )
        halted.now += 10**6
        for _ in range(4):
            halted.now += DAY
            halted.circuit_breaker.poke(BOB)
        assert_reverts(RiskParameters_UnknownMarket, lambda: trade(ALICE, ACCOUNT, 9, 1, 0), 9)
        halted.oracle.set("ETH", 2_000 * WAD, PriceStatus.DEGRADED)
        assert_reverts(
            ActionPolicy_PriceStatus,
            lambda: trade(ALICE, ACCOUNT, 0, 10**30, 0),
            Action.INCREASE_POSITION,
            PriceStatus.DEGRADED,
            PriceStatus.VALID,
        )
        halted.oracle.set("ETH", 2_000 * WAD)
        assert_reverts(
            PerpExchange_PriceNotAcceptable,
            lambda: trade(ALICE, ACCOUNT, 0, 10 * WAD, 2_001 * WAD - 1),
            2_001 * WAD,
            2_001 * WAD - 1,
        )
        assert_reverts(
            PerpExchange_OpenInterestCap,
            lambda: trade(ALICE, ACCOUNT, 0, 151 * WAD, UINT256_MAX),
            0,
            151 * WAD,
            150 * WAD,
        )
        assert_reverts(
            MarginEngine_BelowInitialMargin,
            lambda: trade(ALICE, ACCOUNT, 0, 150 * WAD, UINT256_MAX),
        )

    def test_the_premium_cap_holds_where_the_open_interest_cap_does_not(self, world):
        # Within the parameters' bounds the cap on open interest is the tighter one.
        rules = replace(presets.market("ETH"), max_premium=WAD // 100, max_open_interest=10**36)
        world.risk_parameters._trading[0] = rules
        for trader in (ALICE, BOB):
            world.margin_engine.deposit(trader, pack(trader), SETTLEMENT, 10**5 * USDC)
        trade = world.perp_exchange.trade
        assert_reverts(
            PerpExchange_PremiumCap,
            lambda: trade(ALICE, ACCOUNT, 0, 100 * WAD + 1, UINT256_MAX),
            0,
            WAD // 100 + 1,
            WAD // 100,
        )
        trade(ALICE, ACCOUNT, 0, 100 * WAD, UINT256_MAX)
        # Turning the skew is as bad as widening it; bringing it towards zero is not.
        world.risk_parameters._trading[0] = replace(rules, max_premium=WAD // 200)
        assert_reverts(
            PerpExchange_PremiumCap,
            lambda: trade(BOB, pack(BOB), 0, -151 * WAD, 0),
            0,
            WAD * 51 // 10_000,
            WAD // 200,
        )
        trade(BOB, pack(BOB), 0, -40 * WAD, 0)

    def test_reducing_needs_no_margin_and_a_degraded_price_is_enough(self, world):
        trade = world.perp_exchange.trade
        trade(ALICE, ACCOUNT, 0, 50 * WAD, UINT256_MAX)
        world.oracle.set("ETH", 1_700 * WAD, PriceStatus.DEGRADED)
        fill = trade(ALICE, ACCOUNT, 0, -50 * WAD, 0)
        # Sold at 1700 · 1.0025 what was bought at 2005; cash of 9949.875 does not cover the loss.
        assert fill.realized_pnl == -15_037_500_000_000_000_000_000
        a = world.margin_engine.account_ledger(ACCOUNT)
        assert a.cash == (9_949_875 - 15_037_500 - 42_606) * WAD // 1_000 - WAD // 4_000

    def test_parts_talk_only_to_parts(self, world):
        exchange, engine = world.perp_exchange, world.margin_engine
        for error, call in (
            (PerpExchange_NotAuthorized, lambda: exchange.refresh_all(BOB)),
            (
                PerpExchange_NotLiquidationEngine,
                lambda: exchange.liquidate_position(BOB, ACCOUNT, 0, -1),
            ),
            (CompartmentLock_NotAuthorized, lambda: engine.enter(BOB)),
            (CompartmentLock_NotAuthorized, lambda: engine.exit(BOB)),
            (CompartmentLock_NotAuthorized, lambda: engine.settle(BOB, ACCOUNT, 0, 1, 0, 0, 0)),
            (CompartmentLock_NotAuthorized, lambda: engine.report_unrealized(BOB, 0, 1)),
            (CompartmentLock_NotAuthorized, lambda: engine.credit_pool(BOB, 1)),
            (CompartmentLock_NotAuthorized, lambda: engine.debit_pool(BOB, 1, BOB)),
            (CompartmentLock_NotAuthorized, lambda: engine.credit_insurance(BOB, 1)),
            (CompartmentLock_NotAuthorized, lambda: engine.debit_insurance(BOB, 1, BOB)),
            (CompartmentLock_NotAuthorized, lambda: engine.write_off(BOB, ACCOUNT)),
            (
                CompartmentLock_NotAuthorized,
                lambda: engine.charge_penalty(BOB, ACCOUNT, 1, ACCOUNT, 1),
            ),
            (
                CompartmentLock_NotAuthorized,
                lambda: engine.seize_collateral(BOB, ACCOUNT, 1, 1, BOB),
            ),
            (
                CompartmentLock_NotAuthorized,
                lambda: engine.credit_auction_proceeds(BOB, ACCOUNT, BOB, 1),
            ),
            (
                CollateralVault_NotMarginEngine,
                lambda: world.collateral_vault.pull(BOB, world.settlement.address, ALICE, 1),
            ),
            (
                CollateralVault_NotMarginEngine,
                lambda: world.collateral_vault.push(BOB, world.settlement.address, BOB, 1),
            ),
        ):
            assert_reverts(error, call, BOB)
