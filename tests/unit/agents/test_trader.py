"""Traders open, defend, take profit and convert, each by what they see."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pytest

from bulkhead.agents.trader import Trader, TraderProfile
from bulkhead.agents.view import WAD, PositionState

ALICE = "0x" + "a1" * 20
LONG = TraderProfile(
    market=0, direction=1, collateral=1, leverage=5.0, opens_at=3, attention=1.0, take_profit=0.5
)


def luck(*values: float) -> Random:
    """Draws these numbers, in this order."""
    draws = iter(values)
    return SimpleNamespace(random=lambda: next(draws))  # type: ignore[return-value]


def test_open__before_its_step__waits(view, account) -> None:
    rich = account(ALICE, equity_initial=10_000 * WAD)
    early = replace(view, step=2, accounts={rich.account: rich})
    assert Trader(ALICE, LONG).act(early, luck(0.5, 0.5)) == []


def test_open__sizes_by_leverage_on_initial_equity(view, account) -> None:
    rich = account(ALICE, equity_initial=30_000 * WAD)
    [sent] = Trader(ALICE, LONG).act(replace(view, accounts={rich.account: rich}), luck(0.5, 0.5))
    assert (sent.contract, sent.function, sent.purpose) == ("PerpExchange", "trade", "open long")
    _, market, size, worst = sent.args
    assert (market, size) == (0, 50 * WAD)
    assert worst == pytest.approx(3_090 * WAD)


def test_open__refused_again_and_again__gives_up(view, account) -> None:
    rich = account(ALICE, equity_initial=30_000 * WAD)
    seen = replace(view, accounts={rich.account: rich})
    trader = Trader(ALICE, LONG)
    attempts = [trader.act(seen, luck(0.5, 0.5)) for _ in range(8)]
    assert [bool(sent) for sent in attempts] == [True] * 5 + [False] * 3


def holder(account, health: float, **changes):
    margin = 1_000 * WAD
    position = PositionState(0, 10 * WAD, 30_000 * WAD, changes.pop("pnl", 0))
    return account(
        ALICE,
        positions=(position,),
        maintenance_margin=margin,
        equity_maintenance=int(health * margin),
        equity_initial=10_000 * WAD,
        **changes,
    )


def test_low_health__adds_margin_from_the_wallet(view, account) -> None:
    state = holder(account, 1.1)
    seen = replace(view, accounts={state.account: state}, balances={(ALICE, "LST"): 100})
    [sent] = Trader(ALICE, LONG).act(seen, luck(0.5, 0.2))
    assert (sent.function, sent.purpose) == ("deposit", "add margin")
    assert sent.args[1:] == (1, 50)


def test_low_health__without_reserve__reduces_against_the_position(view, account) -> None:
    state = holder(account, 1.1)
    [sent] = Trader(ALICE, LONG).act(replace(view, accounts={state.account: state}), luck(0.5, 0.5))
    assert sent.purpose == "reduce position"
    assert -state.positions[0].size < sent.args[2] < 0


def test_low_health__of_one_who_never_looks__is_left_alone(view, account) -> None:
    state = holder(account, 1.1)
    absent = Trader(ALICE, replace(LONG, attention=0.0))
    assert absent.act(replace(view, accounts={state.account: state}), luck(0.0, 0.5)) == []


def test_profit__is_halved_at_its_target(view, account) -> None:
    state = holder(account, 5.0, pnl=6_000 * WAD)
    [sent] = Trader(ALICE, LONG).act(replace(view, accounts={state.account: state}), luck(0.1, 0.5))
    assert (sent.purpose, sent.args[2]) == ("take profit", -5 * WAD)


def test_matured_claim__is_converted_in_full(view, account) -> None:
    state = account(ALICE, matured_claim=500 * WAD)
    trader = Trader(ALICE, LONG)
    [sent] = trader.act(replace(view, accounts={state.account: state}), luck(0.1, 0.5))
    assert (sent.function, sent.args) == ("convert", (state.account, 500 * WAD))


def test_unpriced_account__does_nothing(view, account) -> None:
    state = account(ALICE, equity_initial=30_000 * WAD, is_priced=False)
    assert Trader(ALICE, LONG).act(replace(view, accounts={state.account: state}), luck()) == []
