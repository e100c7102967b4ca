"""The clearing ledger as arithmetic: who pays whom, in which order, and how claims vest."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.model import ledger
from bulkhead.model.errors import ARITHMETIC, Panic, SafeCastOverflow
from bulkhead.model.math import DAY, WAD
from bulkhead.model.types import (
    AccountLedger,
    ChargeSplit,
    LedgerTotals,
    UnrealizedTotals,
    WriteOffReceipt,
)

NOW = 1_700_000_000
FLAT = UnrealizedTotals()
amounts = st.integers(1, 10**30)


def joined(*accounts: AccountLedger, **totals: int) -> LedgerTotals:
    """Totals that agree with accounts."""
    return LedgerTotals(
        principal=sum(max(a.cash, 0) for a in accounts),
        debt=sum(max(-a.cash, 0) for a in accounts),
        claims=sum(a.claim for a in accounts),
        **totals,
    )


class TestCharges:
    def test_a_loss_burns_the_claim_then_takes_cash_and_owes_the_rest(self):
        a = AccountLedger(cash=50, claim=30)
        t = joined(a, pool_cash=7)
        assert ledger.apply_loss(t, a, 100, NOW) == ChargeSplit(30, 50, 20)
        assert (a.cash, a.claim) == (-20, 0)
        assert t == LedgerTotals(debt=20, pool_cash=57)

    def test_a_fee_takes_cash_then_burns_the_claim_and_owes_the_rest(self):
        a = AccountLedger(cash=50, claim=30)
        t = joined(a, pool_cash=7)
        assert ledger.apply_fee(t, a, 100, NOW) == ChargeSplit(30, 50, 20)
        assert t == LedgerTotals(debt=20, pool_cash=7, fee_reserve=50)

    def test_a_small_fee_leaves_the_claim_alone(self):
        a = AccountLedger(cash=50, claim=30)
        t = joined(a)
        assert ledger.apply_fee(t, a, 50, NOW) == ChargeSplit(0, 50, 0)
        assert a.claim == 30

    def test_a_deposit_repays_debt_to_the_pool_first(self):
        a = AccountLedger(cash=-30)
        t = joined(a)
        assert ledger.credit(t, a, 100) == 30
        assert (a.cash, t) == (70, LedgerTotals(principal=70, pool_cash=30))

    def test_a_profit_forgives_debt_without_moving_cash(self):
        a = AccountLedger(cash=-30)
        t = joined(a, pool_cash=5)
        assert ledger.apply_profit(t, a, 100, DAY, NOW) == (30, 70)
        assert (a.cash, a.claim, t) == (0, 70, LedgerTotals(claims=70, pool_cash=5))


class TestVesting:
    def test_a_claim_vests_linearly_and_its_unvested_part_rounds_up(self):
        a = AccountLedger()
        ledger.apply_profit(LedgerTotals(), a, 10, 3, NOW)
        # 10 · 2/3 = 6.67 and 10 · 1/3 = 3.33 are left.
        assert [ledger.matured_of(a, NOW + i) for i in range(5)] == [0, 3, 6, 10, 10]

    def test_two_profits_vest_over_the_weighted_mean_of_their_remaining_times(self):
        a, t = AccountLedger(), LedgerTotals()
        ledger.apply_profit(t, a, 300, 100, NOW)
        ledger.apply_profit(t, a, 150, 100, NOW + 50)
        # 150 with 50 s left and 150 with 100 s: 300 with 75 s.
        assert (a.claim, a.unvested) == (450, 300)
        assert a.vesting_ends_at == NOW + 50 + 75
        assert ledger.matured_of(a, NOW + 75) == 150 + 100

    def test_a_loss_burns_what_has_not_vested_first(self):
        a = AccountLedger()
        t = LedgerTotals()
        ledger.apply_profit(t, a, 100, 100, NOW)
        ledger.apply_loss(t, a, 30, NOW + 40)
        assert ledger.matured_of(a, NOW + 40) == 40
        assert ledger.unvested_of(a, NOW + 40) == 30
        ledger.apply_loss(t, a, 50, NOW + 40)
        assert (a.claim, ledger.matured_of(a, NOW + 40)) == (20, 20)

    @given(
        profits=st.lists(st.tuples(st.integers(1, 10**24), st.integers(0, DAY)), max_size=6),
        period=st.integers(0, 30 * DAY),
    )
    @settings(deadline=None)
    def test_maturity_only_grows_with_time_and_ends_at_the_claim(self, profits, period):
        a, t, now = AccountLedger(), LedgerTotals(), NOW
        for profit, pause in profits:
            matured = ledger.matured_of(a, now)
            ledger.apply_profit(t, a, profit, period, now)
            # Merging may round the unvested part up by one wei.
            assert matured - 1 <= ledger.matured_of(a, now) <= matured + (profit * (period == 0))
            later = ledger.matured_of(a, now + pause)
            assert ledger.matured_of(a, now) <= later <= a.claim
            now += pause
        assert ledger.matured_of(a, now + 30 * DAY) == a.claim == t.claims


class TestConversion:
    def test_claims_are_paid_their_share_of_the_pool(self):
        a = AccountLedger(claim=100)
        t = joined(a, pool_cash=60)
        # h = 60 / (100 + 20) = 1/2 before and after.
        u = UnrealizedTotals(positive=20)
        assert ledger.convert(t, a, u, 40) == 20
        assert t == LedgerTotals(principal=20, claims=60, pool_cash=40)
        assert ledger.haircut(t, u, WAD) == WAD // 2

    def test_a_pool_that_covers_all_junior_profit_pays_in_full(self):
        a = AccountLedger(claim=100)
        t = joined(a, pool_cash=120)
        assert ledger.convert(t, a, UnrealizedTotals(positive=20), 100) == 100
        assert t == LedgerTotals(principal=100, pool_cash=20)

    def test_the_share_is_rounded_down(self):
        a = AccountLedger(claim=3)
        assert ledger.convert(joined(a, pool_cash=2), a, FLAT, 1) == 0

    @given(
        claims=st.lists(amounts, min_size=2, max_size=4),
        pool=st.integers(0, 10**31),
        positive=st.integers(0, 10**30),
    )
    @settings(max_examples=300, deadline=None)
    def test_any_order_of_the_same_conversions_pays_the_same(self, claims, pool, positive):
        u = UnrealizedTotals(positive=positive)
        paid: list[tuple[int, ...]] = []
        for order in permutations(range(len(claims))):
            accounts = [AccountLedger(claim=claim) for claim in claims]
            t = joined(*accounts, pool_cash=pool)
            before = ledger.haircut(t, u, WAD)
            for i in order:
                ledger.convert(t, accounts[i], u, claims[i])
                assert ledger.haircut(t, u, WAD) >= before
            paid.append(tuple(a.cash for a in accounts))
        # A payment rounds down by less than a wei, and gains at most what those before it left.
        for shares in zip(*paid, strict=True):
            assert max(shares) - min(shares) <= len(claims)
        total = min(pool, sum(claims) * pool // (sum(claims) + positive))
        assert all(sum(each) <= max(total, 0) for each in paid if pool < sum(claims) + positive)


class TestWriteOff:
    def test_insurance_pays_the_pool_before_anyone_loses(self):
        a = AccountLedger(cash=-40)
        t = joined(a, pool_cash=10, insurance_cash=100)
        assert ledger.write_off(t, a, FLAT) == WriteOffReceipt(40, 40, 0, 0, 0)
        assert (a.cash, t) == (0, LedgerTotals(pool_cash=50, insurance_cash=60))

    def test_what_insurance_lacks_is_the_pools(self):
        a = AccountLedger(cash=-40)
        t = joined(a, pool_cash=100, insurance_cash=15)
        assert ledger.write_off(t, a, FLAT) == WriteOffReceipt(40, 15, 0, 25, 0)
        assert t == LedgerTotals(pool_cash=115)

    def test_what_the_pool_lacks_is_borne_by_junior_profit(self):
        a, winner = AccountLedger(cash=-40), AccountLedger(claim=80)
        t = joined(a, winner, pool_cash=60, insurance_cash=15)
        # After 15 of insurance the pool holds 75 for claims of 80 and 4 unrealised: 9 lacking.
        u = UnrealizedTotals(positive=4)
        assert ledger.write_off(t, a, u) == WriteOffReceipt(40, 15, 0, 16, 9)


class TestPackedTypes:
    def test_a_total_beyond_uint128_panics(self):
        t = LedgerTotals(principal=2**128 - 1)
        with pytest.raises(Panic) as caught:
            ledger.credit(t, AccountLedger(), 1)
        assert caught.value.args == (ARITHMETIC,)

    def test_cash_beyond_int128_overflows(self):
        with pytest.raises(SafeCastOverflow):
            ledger.credit(LedgerTotals(), AccountLedger(), 2**127)

    def test_more_than_the_principal_cannot_be_debited(self):
        with pytest.raises(Panic):
            ledger.debit(LedgerTotals(principal=5), AccountLedger(cash=5), 6)


steps = st.lists(
    st.tuples(
        st.sampled_from(
            ("credit", "debit", "loss", "fee", "profit", "convert", "write_off", "wait")
        ),
        st.integers(0, 2),
        amounts,
    ),
    max_size=40,
)


@given(steps=steps, insurance=st.integers(0, 10**30), positive=st.integers(0, 10**30))
@settings(max_examples=300, deadline=None)
def test_random_steps_keep_custody_sums_and_seniority(steps, insurance, positive):
    accounts = [AccountLedger() for _ in range(3)]
    t, u, now, custody = joined(insurance_cash=insurance), FLAT, NOW, insurance
    for name, who, amount in steps:
        a = accounts[who]
        others = [replace(b) for b in accounts if b is not a]
        if name == "credit":
            ledger.credit(t, a, amount)
            custody += amount
        elif name == "debit":
            taken = min(amount, ledger.principal_of(a))
            ledger.debit(t, a, taken)
            custody -= taken
        elif name == "loss":
            split = ledger.apply_loss(t, a, amount, now)
            assert split.from_claim + split.from_cash + split.to_debt == amount
        elif name == "fee":
            split = ledger.apply_fee(t, a, amount, now)
            assert split.from_claim + split.from_cash + split.to_debt == amount
        elif name == "profit":
            forgiven, claimed = ledger.apply_profit(t, a, amount, DAY, now)
            assert forgiven + claimed == amount
        elif name == "convert":
            u = UnrealizedTotals(positive=positive)
            h = ledger.haircut(t, u, WAD)
            burned = min(amount, ledger.matured_of(a, now))
            assert ledger.convert(t, a, u, burned) <= burned
            assert ledger.haircut(t, u, WAD) >= h
        elif name == "write_off" and a.cash < 0:
            receipt = ledger.write_off(t, a, u)
            parts = (receipt.insurance, receipt.backstop, receipt.pool, receipt.junior)
            assert sum(parts) == receipt.debt
        else:
            now += amount % DAY
        assert t.principal + t.pool_cash + t.insurance_cash + t.fee_reserve == custody
        assert t.principal == sum(max(b.cash, 0) for b in accounts)
        assert t.debt == sum(max(-b.cash, 0) for b in accounts)
        assert t.claims == sum(b.claim for b in accounts)
        assert not any(b.cash < 0 < b.claim for b in accounts)
        assert [b for b in accounts if b is not a] == others
