"""Every evaluator accepts what holds and refuses what does not, naming the numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bulkhead.agents.view import (
    WAD,
    AccountState,
    CollateralState,
    CompartmentState,
    PerpState,
    PositionState,
)
from bulkhead.scenarios import invariants
from bulkhead.scenarios.invariants import InvariantLog, TransactionEvents
from bulkhead.scenarios.ledger import Conversion, LedgerReplay, WriteOff

ENGINE, VAULT, USDB, LST = (f"0x{i:040x}" for i in (1, 2, 3, 4))
OWNER = f"0x{7:040x}"
ACCOUNT = bytes.fromhex(OWNER[2:]) + bytes(12)


@pytest.fixture
def log() -> InvariantLog:
    return InvariantLog()


@pytest.fixture
def compartment() -> CompartmentState:
    return CompartmentState(
        principal=100,
        debt=0,
        accrued_debt=0,
        borrow_rate=0,
        claims=0,
        pool_cash=50,
        insurance_cash=20,
        fee_reserve=1,
        unrealized_positive=0,
        unrealized_net=0,
        haircut_ratio=WAD,
        tier=0,
        custody_tokens=0,
        custody_surplus=0,
        pool_shares=1,
        pool_to_enter=50,
        pool_to_leave=50,
        fund_shares=1,
        markets=(),
        collaterals=(CollateralState(LST, 10, 10, 0, 0, 0, 2),),
    )


@pytest.fixture
def account() -> AccountState:
    return AccountState(ACCOUNT, OWNER, 100, 0, 0, 0, (10,), (), 0, 0, 0, 0, 0, 0, True)


@pytest.fixture
def broken(log: InvariantLog) -> Callable[[], set[str]]:
    return lambda: {v.invariant for v in log.violations}


def event(name: str, address: str, *args: Any, **named: Any) -> Any:
    fields = SimpleNamespace(**named) if named else args
    return SimpleNamespace(name=name, address=address, args=fields)


def test_custody__exactly_covered__holds(log, compartment, broken) -> None:
    invariants.check_custody(log, 1, compartment)
    assert broken() == set()
    assert log.checks["CUS-1"] == 2


def test_custody__one_wei_short__breaks_cus_1(log, compartment, broken) -> None:
    invariants.check_custody(log, 1, replace(compartment, custody_surplus=-1))
    assert broken() == {"CUS-1"}
    assert "1 WAD short" in log.violations[0].message


def test_custody__collateral_missing__breaks_cus_1(log, compartment, broken) -> None:
    short = replace(compartment.collaterals[0], custody_tokens=9)
    invariants.check_custody(log, 1, replace(compartment, collaterals=(short,)))
    assert broken() == {"CUS-1"}


def test_custody__principal_unbacked__breaks_led_2(log, compartment, broken) -> None:
    invariants.check_custody(log, 1, replace(compartment, custody_surplus=-51))
    assert "LED-2" in broken()


@pytest.mark.parametrize(
    ("paid", "expected"),
    [(50, set()), (51, {"LED-3"}), (49, {"LED-3"})],
    ids=["exact", "too much", "too little"],
)
def test_haircut__conversion__pays_exactly_h(log, compartment, broken, paid, expected) -> None:
    conversion = Conversion(ACCOUNT, 100, paid, pool_before=200, junior_before=400)
    invariants.check_haircut(log, 1, compartment, [conversion])
    assert broken() == expected


def test_haircut__h_above_one__breaks(log, compartment, broken) -> None:
    invariants.check_haircut(log, 1, replace(compartment, haircut_ratio=WAD + 1), [])
    assert broken() == {"LED-3"}


@pytest.mark.parametrize(("unrealized", "expected"), [(-6, set()), (-7, {"PNL-1"})])
def test_unrealized__within_a_wei_per_account(
    log, compartment, account, broken, unrealized: int, expected: set[str]
) -> None:
    market = PerpState(0, 5, 0, WAD, 2, WAD, 0, unrealized)
    holder = replace(account, positions=(PositionState(0, 5, 0, -5),))
    invariants.check_unrealized(log, 1, replace(compartment, markets=(market,)), [holder])
    assert broken() == expected


def test_unrealized__open_interest_differs__breaks(log, compartment, account, broken) -> None:
    market = PerpState(0, 5, 1, WAD, 2, WAD, 0, 0)
    invariants.check_unrealized(log, 1, replace(compartment, markets=(market,)), [account])
    assert broken() == {"PNL-1"}


GOOD = WriteOff(ACCOUNT, 100, 60, 0, 30, 10, 100, 60, 10)


@pytest.mark.parametrize(
    ("receipt", "expected"),
    [
        (GOOD, set()),
        (replace(GOOD, pool=31), {"INS-1"}),
        (replace(GOOD, debt_before=101), {"INS-1"}),
        (replace(GOOD, insurance=50, pool=40), {"INS-1"}),
        (replace(GOOD, pool=40, junior=0), {"INS-1"}),
    ],
    ids=["good", "does not add up", "not the debt", "insurance spared", "junior spared"],
)
def test_write_offs(log, compartment, broken, receipt: WriteOff, expected: set[str]) -> None:
    invariants.check_write_offs(log, 1, compartment, [receipt], insurance=20)
    assert broken() == expected


def test_attribution__own_act_or_liquidation__holds(log, broken) -> None:
    loss = event("LossApplied", ENGINE, account=ACCOUNT)
    liquidated = event("Liquidated", f"0x{9:040x}", account=ACCOUNT)
    stranger = f"0x{8:040x}"
    transactions = [
        TransactionEvents(OWNER, [loss]),
        TransactionEvents(stranger, [loss, liquidated]),
    ]
    invariants.check_attribution(log, 1, transactions, ENGINE)
    assert broken() == set()
    assert log.checks["LED-1"] == 2


def test_attribution__somebody_elses_act__breaks_led_1(log, broken) -> None:
    loss = event("LossApplied", ENGINE, account=ACCOUNT)
    invariants.check_attribution(log, 1, [TransactionEvents(f"0x{8:040x}", [loss])], ENGINE)
    assert broken() == {"LED-1"}


def test_payments__matched_and_unmatched(log, broken) -> None:
    receiver = f"0x{6:040x}"
    left = event("Transfer", USDB, VAULT, receiver, 5)
    paid = event("Withdrawn", ENGINE, collateral=0, receiver=receiver, amountTokens=5)
    tokens = {0: USDB, 1: LST}
    good = [TransactionEvents(OWNER, [paid, left])]
    invariants.check_payments(log, 1, good, VAULT, tokens, ENGINE)
    assert broken() == set()
    invariants.check_payments(log, 2, [TransactionEvents(OWNER, [left])], VAULT, tokens, ENGINE)
    assert broken() == {"CUS-2"}


@pytest.mark.parametrize(
    ("purpose", "tier", "expected"),
    [("reduce position", 3, {"GRD-1"}), ("reduce position", 4, set()), ("open long", 3, set())],
)
def test_breaker__reduction_refused(log, broken, purpose: str, tier: int, expected) -> None:
    refused = SimpleNamespace(
        transaction=SimpleNamespace(purpose=purpose), error="CircuitBreaker_Blocked"
    )
    invariants.check_breaker(log, 1, [refused], tier, halted_seconds=0, max_halt=60)
    assert broken() == expected


@pytest.mark.parametrize(("halted", "expected"), [(59, set()), (60, {"GRD-1"})])
def test_breaker__halt_outlasts_its_maximum(log, broken, halted: int, expected) -> None:
    invariants.check_breaker(log, 1, [], 4, halted_seconds=halted, max_halt=60)
    assert broken() == expected


def test_write_offs__insurance_paid_without_a_receipt__breaks(log, compartment, broken) -> None:
    invariants.check_write_offs(log, 1, compartment, [], insurance=21)
    assert broken() == {"INS-1"}


def replay_of(compartment: CompartmentState, account: AccountState) -> LedgerReplay:
    replay = LedgerReplay(ENGINE, 1)
    replay.pots |= {"principal": 100, "pool": 50, "insurance": 20, "fees": 1}
    entry = replay.entry(account.account)
    entry.cash, entry.collateral = account.cash, {1: account.collateral_tokens[0]}
    return replay


def test_replay__equal__holds(log, compartment, account, broken) -> None:
    invariants.check_replay(log, 1, compartment, [account], replay_of(compartment, account))
    assert broken() == set()


def test_replay__false_pot__breaks_evt_1(log, compartment, account, broken) -> None:
    replay = replay_of(compartment, account)
    invariants.check_replay(log, 1, replace(compartment, pool_cash=51), [account], replay)
    assert broken() == {"EVT-1"}


def test_replay__cash_fell_without_an_event__breaks_led_1(
    log, compartment, account, broken
) -> None:
    replay = replay_of(compartment, account)
    invariants.check_replay(log, 1, compartment, [replace(account, cash=99)], replay)
    assert {"EVT-1", "LED-1"} <= broken()


def test_log__results__tell_held_broken_and_unchecked(log) -> None:
    log.require("CUS-1", 1, True, "")
    log.require("INS-1", 1, False, "numbers")
    assert log.results["CUS-1"] == "held"
    assert log.results["INS-1"] == "broken"
    assert log.results["PNL-2"] == "not checked"
