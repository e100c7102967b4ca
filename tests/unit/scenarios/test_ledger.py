"""The replay books every event in double entry."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import pytest

from bulkhead.scenarios.ledger import CASH_POTS, INNER_ROWS, LedgerReplay

ENGINE = "0xEngine"
ALICE, BOB = b"a" * 32, b"b" * 32
UNIT = 10**12
"""WAD per raw unit of a settlement token of six decimals."""


def event(name: str, address: str = ENGINE, **args: Any) -> Any:
    return SimpleNamespace(name=name, address=address, args=SimpleNamespace(**args))


@pytest.fixture
def replay() -> LedgerReplay:
    return LedgerReplay(ENGINE, UNIT)


def deposit(account: bytes, tokens: int, repaid: int = 0) -> Any:
    return event("Deposited", account=account, collateral=0, amountTokens=tokens, debtRepaid=repaid)


def test_deposit__of_cash__is_principal(replay: LedgerReplay) -> None:
    replay.apply_all([deposit(ALICE, 5)])
    assert replay.pots["principal"] == 5 * UNIT
    assert replay.entry(ALICE).cash == 5 * UNIT


def test_deposit__repays_debt_first(replay: LedgerReplay) -> None:
    loss = event("LossApplied", account=ALICE, loss=3, fromClaim=0, fromCash=0, toDebt=3 * UNIT)
    replay.apply_all([loss, deposit(ALICE, 5, repaid=3 * UNIT)])
    assert replay.pots == {
        "principal": 2 * UNIT,
        "pool": 3 * UNIT,
        "insurance": 0,
        "fees": 0,
        "debt": 0,
        "claims": 0,
    }
    assert replay.losses.repaid_by_owner == 3 * UNIT


def test_fee__passes_its_shares_on(replay: LedgerReplay) -> None:
    fee = event(
        "FeeCharged",
        account=ALICE,
        fee=10,
        fromCash=10,
        fromClaim=0,
        toDebt=0,
        toInsurance=3,
        toPool=5,
    )
    replay.apply_all([deposit(ALICE, 1), fee])
    assert replay.entry(ALICE).cash == UNIT - 10
    assert (replay.pots["fees"], replay.pots["insurance"], replay.pots["pool"]) == (2, 3, 5)


def test_conversion__remembers_what_h_was_made_of(replay: LedgerReplay) -> None:
    replay.apply_all(
        [
            event("PoolCashChanged", delta=80, poolCash=80),
            event("UnrealizedReported", market=0, unrealized=0, positiveTotal=60, netTotal=60),
            event(
                "ProfitApplied",
                account=ALICE,
                market=0,
                profit=100,
                debtForgiven=0,
                claimed=100,
                vestingEndsAt=0,
            ),
            event("Converted", account=ALICE, amount=40, paid=20),
        ]
    )
    [conversion] = replay.conversions
    assert (conversion.pool_before, conversion.junior_before) == (80, 160)
    assert replay.pots["pool"] == 60
    assert replay.pots["principal"] == 20
    assert replay.pots["claims"] == 60


def test_write_off__moves_insurance_into_the_pool(replay: LedgerReplay) -> None:
    receipt = SimpleNamespace(debt=50, insurance=30, backstop=0, pool=20, junior=0)
    replay.apply_all(
        [
            event("InsuranceCashChanged", delta=30, insuranceCash=30),
            event("LossApplied", account=BOB, loss=50, fromClaim=0, fromCash=0, toDebt=50),
            event("BadDebtWrittenOff", account=BOB, receipt=receipt),
        ]
    )
    assert replay.entry(BOB).cash == 0
    assert (replay.pots["insurance"], replay.pots["pool"], replay.pots["debt"]) == (0, 30, 0)
    [write_off] = replay.write_offs
    assert (write_off.debt_before, write_off.insurance_before) == (50, 30)


def test_collateral__is_followed_by_row(replay: LedgerReplay) -> None:
    def moved(name: str, tokens: int) -> Any:
        return event(name, account=ALICE, collateral=2, amountTokens=tokens)

    replay.apply_all(
        [
            moved("Deposited", 9),
            moved("Withdrawn", 2),
            moved("CollateralSeized", 4),
            moved("CollateralForfeited", 1),
        ]
    )
    assert replay.booked_collateral(2) == 2
    assert replay.collateral_flows[2] == {
        "deposited": 9,
        "withdrawn": -2,
        "auctioned": -4,
        "forfeited": -1,
    }


def transferred(collateral: int, tokens: int, repaid: int = 0) -> Any:
    """From Alice to Bob; ``from`` is no name in Python."""
    names = ["from", "to", "collateral", "amountTokens", "debtRepaid"]
    args = namedtuple("Transferred", names, rename=True)(ALICE, BOB, collateral, tokens, repaid)
    return SimpleNamespace(name="Transferred", address=ENGINE, args=args)


def test_transfer__of_cash__moves_only_what_repays_between_the_pots(replay: LedgerReplay) -> None:
    replay.apply_all([deposit(ALICE, 9)])
    before = dict(replay.pots)
    replay.apply_all([transferred(0, 4)])
    assert (replay.entry(ALICE).cash, replay.entry(BOB).cash) == (5 * UNIT, 4 * UNIT)
    assert dict(replay.pots) == before
    lost = event(
        "LossApplied", account=BOB, loss=7 * UNIT, fromClaim=0, fromCash=4 * UNIT, toDebt=3 * UNIT
    )
    replay.apply_all([lost, transferred(0, 5, 3 * UNIT)])
    assert (replay.entry(ALICE).cash, replay.entry(BOB).cash) == (0, 2 * UNIT)
    assert (replay.pots["principal"], replay.pots["pool"], replay.pots["debt"]) == (
        2 * UNIT,
        7 * UNIT,
        0,
    )


def test_transfer__of_collateral__is_no_flow(replay: LedgerReplay) -> None:
    arrived = event("Deposited", account=ALICE, collateral=2, amountTokens=9)
    replay.apply_all([arrived, transferred(2, 4)])
    assert (replay.entry(ALICE).collateral[2], replay.entry(BOB).collateral[2]) == (5, 4)
    assert replay.booked_collateral(2) == 9


def test_events__of_another_address__are_passed_over(replay: LedgerReplay) -> None:
    stranger = event("PoolCashChanged", address="0xOther", delta=5, poolCash=5)
    replay.apply_all([stranger, event("Unknown")])
    assert replay.cash_total == 0


def test_inner_rows__of_any_movement__sum_to_zero(replay: LedgerReplay) -> None:
    replay.apply_all(
        [
            event("PoolCashChanged", delta=1_000, poolCash=1_000),
            deposit(ALICE, 1),
            event("LossApplied", account=ALICE, loss=9, fromClaim=0, fromCash=7, toDebt=2),
            event("KeeperRewarded", account=BOB, amount=4, debtRepaid=0),
        ]
    )
    for row in INNER_ROWS:
        assert sum(replay.flows[row][pot] for pot in CASH_POTS) == 0, row


def test_close_books__keeps_balances_and_starts_flows_anew(replay: LedgerReplay) -> None:
    replay.apply_all([deposit(ALICE, 5)])
    replay.close_books()
    assert replay.pots["principal"] == 5 * UNIT
    assert all(not any(flow.values()) for flow in replay.flows.values())


def test_order_fee__is_in_the_reserve_until_the_order_is_closed(replay: LedgerReplay) -> None:
    escrowed = event("OrderFeeEscrowed", account=ALICE, fee=7)
    replay.apply_all([deposit(ALICE, 1), escrowed])
    assert replay.entry(ALICE).cash == UNIT - 7
    assert (replay.pots["principal"], replay.pots["fees"]) == (UNIT - 7, 7)
    replay.apply_all([event("KeeperRewarded", account=BOB, amount=7, debtRepaid=0)])
    assert replay.entry(BOB).cash == 7
    assert (replay.pots["principal"], replay.pots["fees"]) == (UNIT, 0)
    assert replay.cash_total == UNIT
