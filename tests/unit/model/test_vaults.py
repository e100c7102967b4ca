"""Pool and insurance fund: what a share is worth to one who enters and to one who leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.reverts import (
    CircuitBreaker_Blocked,
    ERC20InsufficientAllowance,
    ERC20InsufficientBalance,
    ERC20InvalidReceiver,
    ERC4626ExceededMaxDeposit,
    ERC4626ExceededMaxMint,
    ERC4626ExceededMaxRedeem,
    ERC4626ExceededMaxWithdraw,
    LedgerVault_TransferFee,
    LedgerVault_ZeroAmount,
    LiquidityVault_Unpriced,
    MarginEngine_InvalidReceiver,
)
from bulkhead.model.roles import GUARDIAN
from bulkhead.model.types import SETTLEMENT, ZERO_ADDRESS, Action, address, pack
from bulkhead.model.vaults import LiquidityVault

USDC = 10**6
# A million, and half of 0.05 % of trades of 20 010 and 8006.4.
FUNDED = 10**6 * WAD + 70_041 * WAD // 10**4
ALICE, BOB, LP, STAKER = address(1), address(2), address(11), address(12)


@pytest.fixture
def world(make_world):
    return make_world()


@pytest.fixture(params=["liquidity_vault", "insurance_fund"])
def vault(world, request):
    return getattr(world, request.param)


def ask(vault, *owners):
    """Request all shares that owners have not requested yet, where that is needed."""
    for owner in owners:
        free = vault.balance_of(owner) - vault.exit_request(owner).shares
        if isinstance(vault, LiquidityVault) and free:
            vault.request_redeem(owner, free)


class TestShares:
    def test_the_first_deposit_gets_a_million_shares_per_unit(self, vault):
        assert vault.decimals == 12
        assert vault.deposit(LP, 5 * USDC, LP) == 5 * USDC * 10**6
        assert vault.total_assets() == 5 * USDC
        ask(vault, LP)
        assert vault.max_withdraw(LP) == 5 * USDC

    def test_mint_takes_what_deposit_would_have_given_for(self, vault):
        vault.deposit(LP, 5 * USDC, LP)
        assert vault.preview_mint(10**6 * USDC) == USDC
        assert vault.mint(BOB, 10**6 * USDC + 1, BOB) == USDC + 1
        assert vault.balance_of(BOB) == 10**6 * USDC + 1

    def test_withdraw_and_redeem_burn_and_pay(self, world, vault):
        vault.deposit(LP, 5 * USDC, LP)
        ask(vault, LP)
        before = world.settlement.balance_of(BOB)
        assert vault.withdraw(LP, 2 * USDC, BOB, LP) == 2 * USDC * 10**6
        assert vault.redeem(LP, vault.balance_of(LP), BOB, LP) == 3 * USDC
        assert world.settlement.balance_of(BOB) == before + 5 * USDC
        assert vault.total_supply == 0

    def test_a_donation_changes_no_price(self, world, vault):
        vault.deposit(ALICE, 1, ALICE)
        for holder in (vault.address, world.collateral_vault.address):
            world.settlement.transfer(ALICE, holder, 10**6 * USDC)
        assert vault.deposit(LP, USDC, LP) == USDC * 10**6
        ask(vault, LP)
        assert vault.max_withdraw(LP) == USDC

    def test_the_limits_and_their_errors(self, vault):
        vault.deposit(LP, 5 * USDC, LP)
        ask(vault, LP)
        with pytest.raises(ERC4626ExceededMaxWithdraw) as caught:
            vault.withdraw(LP, 5 * USDC + 1, LP, LP)
        assert caught.value.args == (LP, 5 * USDC + 1, 5 * USDC)
        shares = vault.balance_of(LP)
        with pytest.raises(ERC4626ExceededMaxRedeem) as caught:
            vault.redeem(LP, shares + 1, LP, LP)
        assert caught.value.args == (LP, shares + 1, shares)

    def test_another_needs_an_allowance_of_shares(self, vault):
        vault.deposit(LP, 5 * USDC, LP)
        ask(vault, LP)
        with pytest.raises(ERC20InsufficientAllowance) as caught:
            vault.redeem(BOB, 10**6, BOB, LP)
        assert caught.value.args == (BOB, 0, 10**6)
        vault.approve(LP, BOB, 10**6)
        assert vault.redeem(BOB, 10**6, BOB, LP) == 1
        assert vault.allowance(LP, BOB) == 0

    def test_nothing_cannot_be_deposited_nor_redeemed(self, vault):
        vault.deposit(LP, 5 * USDC, LP)
        ask(vault, LP)
        with pytest.raises(LedgerVault_ZeroAmount):
            vault.deposit(LP, 0, LP)
        with pytest.raises(LedgerVault_ZeroAmount):
            vault.redeem(LP, 10**6 - 1, LP, LP)  # worth less than a unit

    def test_tokens_decide_who_can_pay(self, world, vault):
        with pytest.raises(ERC20InsufficientBalance):
            vault.deposit(LP, 10**9 * USDC, LP)
        world.settlement.approve(LP, vault.address, 7)
        with pytest.raises(ERC20InsufficientAllowance) as caught:
            vault.deposit(LP, 8, LP)
        assert caught.value.args == (vault.address, 7, 8)

    def test_shares_and_money_need_a_receiver(self, world, vault):
        with pytest.raises(ERC20InvalidReceiver):
            vault.deposit(LP, USDC, ZERO_ADDRESS)
        vault.deposit(LP, USDC, LP)
        ask(vault, LP)
        for receiver in (ZERO_ADDRESS, world.collateral_vault.address):
            with pytest.raises(MarginEngine_InvalidReceiver):
                vault.redeem(LP, 10**6, receiver, LP)

    def test_a_token_that_takes_a_fee_is_refused(self, make_world):
        world = make_world(settlement_fee=WAD // 100)
        with pytest.raises(LedgerVault_TransferFee) as caught:
            world.liquidity_vault.deposit(LP, 100, LP)
        assert caught.value.args == (99, 100)

    def test_a_deposit_is_bounded_by_what_the_ledger_counts(self, vault):
        most = (2**128 - 1) // (1_000 * 10**12)
        assert vault.max_deposit(LP) == most
        with pytest.raises(ERC4626ExceededMaxDeposit) as caught:
            vault.deposit(LP, most + 1, LP)
        assert caught.value.args == (LP, most + 1, most)
        vault.deposit(LP, USDC, LP)
        assert vault.max_mint(LP) == vault.preview_deposit(most)
        with pytest.raises(ERC4626ExceededMaxMint) as caught:
            vault.mint(LP, UINT256_MAX, LP)
        assert caught.value.args == (LP, UINT256_MAX, vault.max_mint(LP))

    def test_tier_two_closes_the_exits_only(self, world, vault):
        vault.deposit(LP, USDC, LP)
        ask(vault, LP)
        assert vault.max_redeem(LP) == USDC * 10**6
        world.roles.grant_role(world.governor, GUARDIAN, ALICE)
        world.circuit_breaker.raise_(ALICE, 2, 60)
        assert (vault.max_redeem(LP), vault.max_withdraw(LP)) == (0, 0)
        with pytest.raises(CircuitBreaker_Blocked) as caught:
            vault.redeem(LP, 10**6, LP, LP)
        assert caught.value.args[0] in (Action.POOL_WITHDRAW, Action.FUND_WITHDRAW)
        assert caught.value.args[1:] == (2, 1)
        assert vault.max_deposit(LP) > 0
        vault.deposit(LP, USDC, LP)
        world.circuit_breaker.raise_(ALICE, 4, 60)
        assert (vault.max_deposit(LP), vault.max_mint(LP)) == (0, 0)
        with pytest.raises(CircuitBreaker_Blocked) as caught:
            vault.deposit(LP, USDC, LP)
        assert caught.value.args[0] in (Action.POOL_DEPOSIT, Action.FUND_DEPOSIT)
        assert caught.value.args[1:] == (4, 3)

    @given(
        steps=st.lists(
            st.tuples(st.booleans(), st.integers(0, 2), st.integers(1, 10**12)), max_size=12
        )
    )
    @settings(deadline=None)
    def test_rounding_is_never_worth_a_sequence(self, make_seeded_world, steps):
        world = make_seeded_world(fund=1)
        vault = world.insurance_fund
        people = (ALICE, BOB, address(3))
        gained = dict.fromkeys(people, 0)
        for enters, who, amount in steps:
            person = people[who]
            shares = min(amount * 10**6, vault.balance_of(person))
            if enters:
                vault.deposit(person, amount, person)
                gained[person] -= amount
            elif vault.preview_redeem(shares):
                gained[person] += vault.redeem(person, shares, person, person)
        for person in people:
            gained[person] += vault.max_withdraw(person)
        # Each rounding leaves less than a unit to those who stay.
        assert max(gained.values()) <= len(steps)
        assert sum(gained.values()) <= 0
        assert vault.max_withdraw(STAKER) >= USDC


class TestNetAssetValue:
    def _trade(self, world, price):
        """Alice long 10 and Bob short 4, then the index moves."""
        world.liquidity_vault.deposit(LP, 10**6 * USDC, LP)
        for trader, size in ((ALICE, 10 * WAD), (BOB, -4 * WAD)):
            world.margin_engine.deposit(trader, pack(trader), SETTLEMENT, 10**5 * USDC)
            bound = UINT256_MAX if size > 0 else 0
            world.perp_exchange.trade(trader, pack(trader), 0, size, bound)
        world.oracle.set("ETH", price)

    def test_unrealised_profit_counts_for_both(self, world):
        self._trade(world, 2_200 * WAD)
        # Bought 10 at 2001 and sold 4 at 2001.6; 6 would close at 2200 · 1.0003.
        unrealized = (6 * 2_200_660 - 20_010_000 + 8_006_400) * WAD // 1_000
        pool = FUNDED - unrealized
        assert world.liquidity_vault.net_asset_value() == (pool, pool)

    def test_unrealised_loss_counts_for_one_who_enters_only(self, world):
        self._trade(world, 1_800 * WAD)
        loss = -(6 * 1_800_540 - 20_010_000 + 8_006_400) * WAD // 1_000
        assert world.liquidity_vault.net_asset_value() == (FUNDED + loss, FUNDED)

    def test_moving_the_price_for_a_moment_moves_no_value(self, world):
        self._trade(world, 2_100 * WAD)
        before = world.liquidity_vault.net_asset_value()
        fees = world.margin_engine.totals().pool_cash
        world.perp_exchange.trade(ALICE, pack(ALICE), 0, 30 * WAD, UINT256_MAX)
        fees = world.margin_engine.totals().pool_cash - fees
        for was, now in zip(before, world.liquidity_vault.net_asset_value(), strict=True):
            assert abs(now - fees - was) <= 100

    def test_debt_counts_for_one_who_enters_only(self, world):
        self._trade(world, 2_000 * WAD)
        account = pack(address(3))
        world.margin_engine.deposit(address(3), account, 1, 10 * WAD)
        world.perp_exchange.trade(address(3), account, 0, WAD, UINT256_MAX)
        before = world.liquidity_vault.net_asset_value()
        debt = -world.margin_engine.account_ledger(account).cash
        t = world.margin_engine.totals()
        assert (t.debt, debt > 0) == (debt, True)
        assert before[0] - before[1] >= debt

    def test_it_is_closed_while_junior_profit_is_not_covered(self, world):
        world.liquidity_vault.deposit(LP, 100 * USDC, LP)
        world.margin_engine.deposit(ALICE, pack(ALICE), SETTLEMENT, 10**5 * USDC)
        world.perp_exchange.trade(ALICE, pack(ALICE), 0, 10 * WAD, UINT256_MAX)
        world.oracle.set("ETH", 2_200 * WAD)
        assert world.liquidity_vault.max_deposit(LP) == 0
        with pytest.raises(ERC4626ExceededMaxDeposit) as caught:
            world.liquidity_vault.deposit(LP, USDC, LP)
        assert caught.value.args == (LP, USDC, 0)
        assert world.liquidity_vault.max_withdraw(LP) == 0

    def test_a_market_with_positions_and_no_price_stops_both_ways(self, world):
        self._trade(world, 2_000 * WAD)
        vault = world.liquidity_vault
        world.oracle.set("ETH", 2_000 * WAD, PriceStatus.STALE)
        world.now += 10
        limits = (vault.max_deposit(LP), vault.max_mint(LP), vault.max_redeem(LP))
        assert (*limits, vault.max_withdraw(LP)) == (0, 0, 0, 0)
        ask(vault, LP)
        for call in (lambda: vault.deposit(LP, 1, LP), lambda: vault.redeem(LP, 1, LP, LP)):
            with pytest.raises(LiquidityVault_Unpriced) as caught:
                call()
            assert caught.value.args == (0, PriceStatus.STALE)

    def test_shares_that_pay_nothing_cannot_be_redeemed(self, world):
        vault = world.liquidity_vault
        vault.deposit(LP, 100 * USDC, LP)
        world.margin_engine.deposit(ALICE, pack(ALICE), SETTLEMENT, 10**5 * USDC)
        world.perp_exchange.trade(ALICE, pack(ALICE), 0, 10 * WAD, UINT256_MAX)
        ask(vault, LP)
        assert vault.max_redeem(LP) == vault.balance_of(LP)
        world.oracle.set("ETH", 2_200 * WAD)
        assert vault.max_redeem(LP) == 0
        with pytest.raises(ERC4626ExceededMaxRedeem) as caught:
            vault.redeem(LP, 1, LP, LP)
        assert caught.value.args == (LP, 1, 0)

    def test_an_empty_market_needs_no_price(self, world):
        self._trade(world, 2_000 * WAD)
        world.oracle.set("BTC", 40_000 * WAD, PriceStatus.STALE)
        world.now += 10**5
        ask(world.liquidity_vault, LP)
        assert world.liquidity_vault.max_redeem(LP) > 0
        assert world.liquidity_vault.deposit(LP, USDC, LP) > 0

    @given(
        price=st.integers(1_000 * WAD, 4_000 * WAD),
        assets=st.integers(1, 10**12),
        wait=st.integers(0, 10**5),
    )
    @settings(deadline=None)
    def test_entering_and_leaving_at_once_never_profits(self, make_world, price, assets, wait):
        world = make_world()
        self._trade(world, price)
        world.now += wait
        to_enter, to_leave = world.liquidity_vault.net_asset_value()
        assert to_enter >= to_leave
        vault = world.liquidity_vault
        shares = vault.deposit(BOB, assets, BOB)
        ask(vault, BOB)
        back = vault.max_withdraw(BOB)
        assert back <= assets
        if back:
            assert vault.redeem(BOB, shares, BOB, BOB) == back
