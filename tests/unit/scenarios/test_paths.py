"""Paths depend on their seed alone, break the peg as deep as asked, and follow price files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkhead.agents.view import OutsidePrices
from bulkhead.scenarios.paths import (
    DEEPEST_DISCOUNT,
    EXTRA_FALL,
    LEAST_FALL,
    MarketPath,
    depeg_path,
    replayed_path,
)
from bulkhead.scenarios.prices import load_prices

START = OutsidePrices(eth=3_000.0, btc=60_000.0, ratio=1.0)


def generate(seed: int = 1, steps: int = 150, severity: float = 0.6) -> MarketPath:
    return depeg_path(seed, steps, severity, START, step_seconds=300, warmup=12)


def test_depeg_path__same_seed__is_the_same() -> None:
    assert generate(5) == generate(5)
    assert generate(5) != generate(6)


def test_depeg_path__warmup__is_calm() -> None:
    for prices in generate().steps[:12]:
        assert prices.ratio > 0.995
        assert prices.eth == pytest.approx(START.eth, rel=0.02)


@pytest.mark.parametrize("severity", [0.0, 0.3, 0.6, 1.0])
def test_depeg_path__severity__sets_discount_and_fall(severity: float) -> None:
    path = generate(severity=severity)
    deepest = 1 - min(p.ratio for p in path.steps)
    assert deepest == pytest.approx(DEEPEST_DISCOUNT * severity, abs=0.012)
    fall = 1 - min(p.eth for p in path.steps) / START.eth
    assert fall == pytest.approx(LEAST_FALL + EXTRA_FALL * severity, abs=0.02)


def test_depeg_path__end__has_recovered() -> None:
    assert generate().steps[-1].ratio > 0.98


def test_depeg_path__any_seed__stays_a_price() -> None:
    for seed in range(30):
        for prices in generate(seed, steps=60, severity=1.0).steps:
            assert 0 < prices.ratio <= 1
            assert prices.eth > 0
            assert prices.btc > 0


@pytest.mark.parametrize("severity", [-0.1, 1.1])
def test_depeg_path__severity_out_of_range__is_refused(severity: float) -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        generate(severity=severity)


def test_depeg_path__no_step_after_warmup__is_refused() -> None:
    with pytest.raises(ValueError, match="leave none"):
        generate(steps=13)


def test_replayed_path__ratio_column__replaces_only_the_ratio(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("timestamp,USDC\n0,1\n82800,0.9\n", encoding="utf-8")
    generated = generate(steps=36)
    path = replayed_path(load_prices(file), generated, START)
    assert path.step_seconds == 3_600
    assert [p.eth for p in path.steps] == [p.eth for p in generated.steps]
    assert all(p.ratio == 1 for p in path.steps[:13])
    assert path.steps[-1].ratio == pytest.approx(0.9)
    assert "USDC" in path.sources["LST/ETH"]
    assert path.sources["ETH"] == generated.sources["ETH"]


def test_replayed_path__eth_column__follows_relative_moves(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("timestamp,ETH\n0,1000\n23,2000\n", encoding="utf-8")
    path = replayed_path(load_prices(file), generate(steps=36), START)
    assert path.steps[0].eth == pytest.approx(START.eth)
    assert path.steps[-1].eth == pytest.approx(2 * START.eth)
    assert path.step_seconds == 60, "a step is never shorter than a minute"
