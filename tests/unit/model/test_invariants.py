"""The invariants themselves: each notices what it is there to notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkhead.model import invariants
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.types import (
    SETTLEMENT,
    AccountLedger,
    AccountValuation,
    LedgerTotals,
    MarketUnrealized,
    Position,
    UnrealizedTotals,
    WriteOffReceipt,
    address,
    pack,
)

USDC = 10**6
ALICE, BOB = address(1), address(2)


@pytest.fixture
def world(make_seeded_world):
    """Two traders with cash, collateral and positions."""
    world = make_seeded_world()
    for trader, size in ((ALICE, 5 * WAD), (BOB, -3 * WAD)):
        world.margin_engine.deposit(trader, pack(trader), SETTLEMENT, 10_000 * USDC)
        world.margin_engine.deposit(trader, pack(trader), 1, WAD)
        world.perp_exchange.trade(trader, pack(trader), 0, size, UINT256_MAX if size > 0 else 0)
    return world


@pytest.fixture
def state(world):
    return invariants.snapshot(world)


def changed_account(state, **changes):
    accounts = dict(state.accounts)
    accounts[pack(ALICE)] = replace(accounts[pack(ALICE)], **changes)
    return replace(state, accounts=accounts)


def ids(state):
    return [violation.id for violation in invariants.check_state(state)]


def test_a_sound_state_has_no_violation(state):
    assert invariants.check_state(state) == []


def test_cus_1_sees_missing_tokens_and_sums_that_differ(state):
    custody = state.custody | {SETTLEMENT: state.custody[SETTLEMENT] - 1}
    assert ids(replace(state, custody=custody)) == ["CUS-1"]
    totals = replace(state.totals, debt=1)
    assert ids(replace(state, totals=totals)) == ["CUS-1"]
    assert ids(replace(state, custody=state.custody | {1: 2 * WAD - 1})) == ["CUS-1"]
    assert ids(replace(state, total_collateral={1: 2 * WAD + 1})) == ["CUS-1"]


def test_led_1_sees_anothers_loss_only(state):
    cash = state.accounts[pack(ALICE)].cash
    poorer = changed_account(state, cash=cash - 1)
    found = invariants.led_1(state, poorer, BOB)
    assert found is not None
    assert found.id == "LED-1"
    assert invariants.led_1(state, poorer, ALICE) is None
    assert invariants.led_1(state, poorer, BOB, {pack(ALICE)}) is None
    robbed = replace(state, collateral=state.collateral | {(pack(ALICE), 1): 0})
    assert invariants.led_1(state, robbed, BOB) is not None
    assert invariants.led_1(state, state, BOB) is None


def test_led_2_sees_principal_without_backing(state):
    richer = changed_account(state, cash=2 * 10**6 * WAD)
    assert "LED-2" in ids(richer)


def test_led_4_sees_debt_beside_a_claim(state):
    assert "LED-4" in ids(changed_account(state, cash=-1, claim=1))


def test_led_3_sees_conversions_that_pay_too_much_or_too_little(state):
    before = replace(
        state,
        totals=LedgerTotals(claims=100, pool_cash=60),
        unrealized_totals=UnrealizedTotals(positive=20),
    )

    def after(burned, paid):
        totals = LedgerTotals(claims=100 - burned, pool_cash=60 - paid, principal=paid)
        return replace(before, totals=totals)

    check = invariants.led_3_conversion
    assert check(before, after(40, 20), 40, 20) is None
    assert check(before, after(40, 21), 40, 21) is not None
    assert check(before, after(40, 19), 40, 19) is not None
    assert check(before, after(40, 20), 41, 20) is not None
    rich = replace(before, totals=LedgerTotals(claims=100, pool_cash=500))
    less = replace(rich, totals=LedgerTotals(claims=60, pool_cash=461))
    assert check(rich, less, 40, 39) is not None


def test_pnl_1_sees_sums_that_differ(state):
    key = (pack(ALICE), 0)
    p = state.positions[key]
    for changed in (
        Position(p.size + 1, p.quote, p.funding_entry),
        Position(p.size, p.quote + 1, p.funding_entry),
        Position(p.size, p.quote, p.funding_entry + 1),
    ):
        assert ids(replace(state, positions=state.positions | {key: changed})) == ["PNL-1"]
    reported = {0: MarketUnrealized(1, 1)}
    assert ids(replace(state, market_unrealized=reported)) == ["PNL-1"]


def test_pnl_2_sees_profit():
    assert invariants.pnl_2(5, 5) is None
    found = invariants.pnl_2(6, 5)
    assert found is not None
    assert found.id == "PNL-2"


def test_fun_1_compares_what_is_owed_with_the_pools_part(world, state):
    world.now += 10_000
    world.perp_exchange.poke(ALICE, 0)
    after = invariants.snapshot(world)
    assert after.markets[0].cumulative_funding_per_unit > 0
    assert invariants.fun_1(state, after, 0) is None
    without = {key: p for key, p in after.positions.items() if p.size < 0}
    assert invariants.fun_1(state, replace(after, positions=without), 0) is not None


def test_mar_1_wants_equity_above_initial_above_maintenance():
    good = AccountValuation(equity_initial=10, initial_margin=10, maintenance_margin=10)
    assert invariants.mar_1(good) is None
    assert invariants.mar_1(replace(good, equity_initial=9)) is not None
    assert invariants.mar_1(replace(good, maintenance_margin=11)) is not None


def test_liq_1_needs_a_path_for_the_unhealthy(world):
    account = pack(ALICE)
    assert invariants.liq_1(world, account) is None
    world.perp_exchange.trade(ALICE, account, 0, 50 * WAD, UINT256_MAX)
    world.oracle.set("ETH", 1_700 * WAD)
    before = invariants.snapshot(world)
    assert world.liquidation_engine.is_liquidatable(account)
    assert invariants.liq_1(world, account) is None
    assert invariants.snapshot(world) == before

    # An exchange that refuses every fill leaves the account without a path.
    world.perp_exchange.liquidate_position = world.perp_exchange.refresh_all
    world.margin_engine._accounts[account].collateral_mask = 0
    world.liquidation_engine.liquidate = lambda *_: world.margin_engine.enter(BOB)
    found = invariants.liq_1(world, account)
    assert found is not None
    assert "NotAuthorized" in found.message


def test_liq_2_compares_ratios():
    before = AccountValuation(equity_maintenance=50, maintenance_margin=100)
    half = AccountValuation(equity_maintenance=25, maintenance_margin=50)
    assert invariants.liq_2(before, half) is None
    assert invariants.liq_2(before, replace(half, equity_maintenance=24)) is not None
    gone = AccountValuation()
    assert invariants.liq_2(before, gone) is None
    assert invariants.liq_2(before, replace(gone, equity_maintenance=-1)) is not None
    bankrupt = replace(before, equity_maintenance=0)
    assert invariants.liq_2(bankrupt, replace(gone, equity_maintenance=-1)) is None


def test_ins_1_wants_every_tranche_in_its_turn():
    before = LedgerTotals(pool_cash=60, insurance_cash=15, claims=80, debt=40)
    u = UnrealizedTotals(positive=4)

    def check(*tranches):
        return invariants.ins_1(WriteOffReceipt(*tranches), before, u)

    assert check(40, 15, 0, 16, 9) is None
    assert check(40, 15, 0, 16, 8) is not None  # does not add up
    assert check(40, 10, 0, 21, 9) is not None  # insurance left over
    assert check(40, 15, 0, 15, 10) is not None  # junior profit before the pool


def test_vlt_1_wants_entering_to_cost_no_less(world):
    assert invariants.vlt_1(world) is None
    world.liquidity_vault.net_asset_value = lambda: (1, 2)
    assert invariants.vlt_1(world) is not None


def test_int_1_wants_the_scaled_sum_and_a_steady_index(world):
    account, others = pack(ALICE, 3), pack(BOB, 3)
    exchange = world.perp_exchange.address
    for who, debt in ((account, 100 * WAD), (others, 50 * WAD)):
        world.margin_engine.settle(exchange, who, 0, -debt, 0, 0, 0)
        world.now += 86_400
    world.margin_engine.accrue_interest(BOB, account)
    good = invariants.snapshot(world)
    assert invariants.int_1(good) is None
    b, index = good.borrow, good.debt_index[others]

    def broken(borrow=b, **indices):
        known = {**good.debt_index, **{int(k[1:]): v for k, v in indices.items()}}
        known = {k: v for k, v in known.items() if v}
        return invariants.int_1(replace(good, borrow=borrow, debt_index=known))

    assert broken(replace(b, scaled_debt=b.scaled_debt + 1)) is not None
    assert broken(replace(b, index=index - 1)) is not None  # booked in the future
    assert broken(**{f"_{others}": index + 1}) is not None  # the sum is another
    assert broken(**{f"_{others}": 0}) is not None
    nobody = {k: AccountLedger() for k in good.accounts}
    free = replace(good, accounts=nobody, debt_index={}, borrow=replace(b, scaled_debt=0))
    assert b.rate > 0
    assert invariants.int_1(free) is not None
    assert invariants.int_1(replace(free, borrow=replace(b, scaled_debt=0, rate=0))) is None

    world.now += 1_000
    world.margin_engine.accrue_interest(BOB, others)
    after = invariants.snapshot(world)
    assert invariants.int_1_step(good, after) is None
    assert invariants.int_1_step(after, good) is not None
    for off in (-1, 1):
        moved = replace(after.borrow, index=after.borrow.index + off)
        assert invariants.int_1_step(good, replace(after, borrow=moved)) is not None


def test_led_1_allows_interest_and_no_more(world):
    account = pack(ALICE, 3)
    world.margin_engine.settle(world.perp_exchange.address, account, 0, -100 * WAD, 0, 0, 0)
    before = invariants.snapshot(world)
    world.now += 86_400
    world.margin_engine.accrue_interest(BOB, account)
    after = invariants.snapshot(world)
    assert after.accounts[account].cash < before.accounts[account].cash
    assert invariants.led_1(before, after, BOB) is None
    cash = after.accounts[account].cash - 1
    worse = {**after.accounts, account: replace(after.accounts[account], cash=cash)}
    assert invariants.led_1(before, replace(after, accounts=worse), BOB) is not None


def test_a_fresh_account_is_empty(world):
    assert world.margin_engine.account_ledger(pack(ALICE, 9)) == AccountLedger()
