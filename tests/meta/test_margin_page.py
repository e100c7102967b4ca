"""The worked examples of the page on margin are what the model computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bulkhead.model.correlations import row
from bulkhead.model.margin_rates import follow, initial_rate, maintenance_target
from bulkhead.model.math import WAD, mul_div_down
from bulkhead.model.portfolio_margin import requirement
from bulkhead.model.presets import MARGIN
from bulkhead.model.types import MarketMargin

PAGE = (Path(__file__).parents[2] / "docs" / "spec" / "margin.md").read_text(encoding="utf-8")
HOUR = 3_600
PERCENT = WAD // 100


def table(first_head: str) -> list[list[str]]:
    """Return the cells of the table whose first column is named so."""
    lines = PAGE.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_head} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = line.replace("\\|", "¦").strip("|").split("|")
        rows.append([cell.strip() for cell in cells])
    return rows


def percent(cell: str) -> int:
    """Return ``7.5 %`` as WAD."""
    return round(float(cell.removesuffix(" %")) * 10**4) * PERCENT // 10**4


def test_rates__worked_example__gives_the_numbers_stated() -> None:
    market = MarketMargin(6 * PERCENT, 4 * PERCENT, 30 * PERCENT, WAD * 3 // 2)
    rows = table("σ")
    assert len(rows) == 4
    for sigma, multiplier, initial, target, after in rows:
        rules = replace(MARGIN, horizon=24 * HOUR, ratio_tier1=round(float(multiplier) * 10**4))
        found = initial_rate(market, rules, round(float(sigma) * 10**4) * WAD // 10**4, 1)
        assert found == percent(initial)
        assert maintenance_target(market, found) == percent(target)
        moved = follow(4 * PERCENT, HOUR, maintenance_target(market, found), 1_200)
        assert max(4 * PERCENT, moved) == percent(after)


def test_two_markets__worked_example__gives_the_numbers_stated() -> None:
    rows = [row((7_500,), 2, i) for i in range(2)]
    stated = table("stress")
    assert len(stated) == 3
    for stress, _, _, floor, total in stated:
        t = round(float(stress) * 10) * WAD // 10
        found = requirement((300 * WAD, -400 * WAD), (0, 1), rows, t, 2_000)
        assert f"{found / WAD:.2f}".rstrip("0").rstrip(".") == total
        assert int(floor) == 700 * 2_000 // 10**4


def test_collateral__worked_example__gives_the_numbers_stated() -> None:
    (_, initial), (_, maintenance) = table("valuation | value")
    worth = 100 * 10 * WAD
    assert initial.endswith(f"= {mul_div_down(worth, 900 * WAD, 1_200 * WAD) // WAD}")
    assert maintenance.endswith(f"= {mul_div_down(worth, 900 * WAD, 1_000 * WAD) // WAD}")
