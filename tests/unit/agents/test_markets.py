"""Arbitrageurs, stakers and providers act only where it pays, or where they are afraid."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pytest

from bulkhead.agents.arbitrage import PegArbitrageur, SpotArbitrageur
from bulkhead.agents.providers import InsuranceStaker, LiquidityProvider
from bulkhead.agents.stakers import Staker
from bulkhead.agents.view import Exit, OutsidePrices, Redemption

ALICE = "0x" + "a1" * 20
RNG = Random(0)
EAGER = SimpleNamespace(
    random=lambda: 0.0, uniform=lambda low, high: low, choice=lambda options: options[0]
)
RICH = {(ALICE, token): 10**24 for token in ("USDB", "WETH", "LST")}


def limit_of(view, name: str, transaction) -> float:
    root = transaction.args[0][7]
    return replace(view.pools[name], sqrt_price_x96=root).price


def test_spot__inside_the_fee_band__rests(at_price) -> None:
    seen = replace(at_price("WETH/USDB", 3_001.0), balances=RICH)
    assert SpotArbitrageur(ALICE).act(seen, RNG) == []


@pytest.mark.parametrize(
    ("price", "token_in", "edge"), [(2_900.0, "quote", 2_998.5), (3_100.0, "base", 3_001.5)]
)
def test_spot__outside_the_band__trades_to_its_near_edge(
    at_price, price: float, token_in: str, edge: float
) -> None:
    seen = replace(at_price("WETH/USDB", price), balances=RICH)
    [sent] = SpotArbitrageur(ALICE).act(seen, RNG)
    assert sent.args[0][0] == getattr(seen.pools["WETH/USDB"], token_in)
    assert limit_of(seen, "WETH/USDB", sent) == pytest.approx(edge, rel=1e-6)


def test_peg__discount_pays__buys_to_the_outside_price_at_most(at_price) -> None:
    seen = replace(
        at_price("LST/WETH", 0.90), balances=RICH, outside=OutsidePrices(3_000.0, 60_000.0, 0.92)
    )
    sent = PegArbitrageur(ALICE, edge=0.0).act(seen, RNG)
    buy = sent[-1]
    assert buy.purpose == "buy the discount"
    assert limit_of(seen, "LST/WETH", buy) == pytest.approx(0.92, rel=1e-6)
    assert buy.args[0][5] == 8 * 10**22


def test_peg__long_queue__asks_for_more(at_price) -> None:
    seen = replace(at_price("LST/WETH", 0.98), balances={(ALICE, "WETH"): 10**20})
    assert PegArbitrageur(ALICE).act(seen, RNG)
    waiting = replace(seen, queue_delay_seconds=60 * 86_400)
    assert PegArbitrageur(ALICE).act(waiting, RNG) == []


def test_peg__holding__is_queued_and_claimed_when_due(view) -> None:
    due = Redemption(7, ALICE, view.timestamp)
    later = Redemption(8, ALICE, view.timestamp + 1)
    other = Redemption(9, "0x" + "b0" * 20, view.timestamp)
    seen = replace(view, balances={(ALICE, "LST"): 10**18}, redemptions=(due, later, other))
    sent = PegArbitrageur(ALICE).act(seen, RNG)
    assert [(t.function, t.args) for t in sent] == [
        ("claim", (7,)),
        ("requestWithdrawal", (10**18, ALICE)),
    ]


def test_staker__bears_the_discount__holds(view) -> None:
    seen = replace(view, balances=RICH, outside=OutsidePrices(3_000.0, 60_000.0, 0.99))
    assert Staker(ALICE, nerve=0.02, haste=0.5).act(seen, EAGER) == []


def test_staker__lost_her_nerve__sells_a_part_down_to_the_outside_price(view) -> None:
    seen = replace(view, balances=RICH, outside=OutsidePrices(3_000.0, 60_000.0, 0.90))
    [sent] = Staker(ALICE, nerve=0.02, haste=0.5).act(seen, EAGER)
    assert 0 < sent.args[0][5] <= 10**24 // 2
    assert limit_of(seen, "LST/WETH", sent) == pytest.approx(0.90, rel=1e-6)


def test_staker__pool_below_the_outside__does_not_sell(at_price) -> None:
    seen = replace(
        at_price("LST/WETH", 0.89), balances=RICH, outside=OutsidePrices(3_000.0, 60_000.0, 0.90)
    )
    assert Staker(ALICE, nerve=0.02, haste=0.5).act(seen, EAGER) == []


@pytest.mark.parametrize(
    ("kind", "contract"),
    [(LiquidityProvider, "LiquidityVault"), (InsuranceStaker, "InsuranceFund")],
)
def test_provider__loss_beyond_her_nerve__tries_to_leave(view, kind, contract: str) -> None:
    provider = kind(ALICE, 0.1)
    holding = replace(view, balances={(ALICE, contract): 1_000})
    assert provider.act(holding, EAGER) == []
    c = holding.compartment
    lower = replace(
        c, pool_to_leave=c.pool_to_leave * 8 // 10, insurance_cash=c.insurance_cash * 8 // 10
    )
    fallen = replace(holding, compartment=lower)
    [sent] = provider.act(fallen, EAGER)
    assert sent.contract == contract
    if kind is InsuranceStaker:
        assert (sent.function, sent.args) == ("redeem", (200, ALICE, ALICE))
        return
    assert (sent.function, sent.args) == ("requestRedeem", (200,))
    now = view.timestamp
    for wait, found in ((1, []), (0, [("redeem", (200, ALICE, ALICE))])):
        asked = {(ALICE, contract): Exit(200, now + wait, now + 10)}
        sent = provider.act(replace(fallen, exits=asked), EAGER)
        assert [(s.function, s.args) for s in sent] == found
    lapsed = {(ALICE, contract): Exit(200, now - 9, now - 1)}
    [sent] = provider.act(replace(fallen, exits=lapsed), EAGER)
    assert sent.function == "requestRedeem"


def test_provider__calm_and_cash_in_hand__comes_back(view) -> None:
    seen = replace(view, balances={(ALICE, "USDB"): 10_000 * 10**6})
    [sent] = LiquidityProvider(ALICE, 0.1).act(seen, EAGER)
    assert (sent.function, sent.args) == ("deposit", (5_000 * 10**6, ALICE))
