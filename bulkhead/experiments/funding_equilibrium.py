"""How fast funding brings a market's mark back to its index, and whether it stays there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

import plotly.graph_objects as go

from bulkhead import ROOT
from bulkhead.experiments.document import markdown_table
from bulkhead.experiments.funding_market import FundingMarket, Habits, Hour
from bulkhead.experiments.registry import Experiment, Outcome, Tell
from bulkhead.model.math import WAD
from bulkhead.report import theme
from bulkhead.report.panel import Panel

VELOCITIES = (0, WAD // 64, WAD // 32, WAD // 16, WAD // 8, WAD // 4, WAD // 2, WAD, 2 * WAD)
"""WAD per day per day; the devnet's is a half."""
DEFAULT = WAD // 2
HABITS = {
    "little": Habits(elasticity=WAD // 10),
    "some": Habits(elasticity=WAD // 4),
    "much": Habits(elasticity=WAD),
}
"""Arbitrage capital: share of the skew scale per 100 % that a day pays."""
SHOCK_BPS = 150
"""The crowd's demand, basis points of the skew scale: three quarters of the largest premium."""
SHOCK_HOURS = 10 * 24
DAYS = 1_000
LONG_RUN = (0, DEFAULT, 4 * DEFAULT)
DAILY_VOLATILITY = 0.04
STEP_BPS = 6
"""Standard deviation of the crowd's change of mind within an hour, basis points of the scale."""
NEAR = 10
"""Basis points of premium within which a mark is called at its index."""
_COLORS = (theme.SPOT, theme.MARKET, theme.JUNIOR)
_BPS = 10**4
_TOLD_DAYS = 100


@dataclass(frozen=True, slots=True)
class Shock:
    """What became of a premium after the crowd had jumped in, at a standing index.

    Attributes:
        half_life: hours until the premium stays below half of its first peak; None: it does not.
        overshoot: WAD: the largest premium of the other sign, as a share of the first.
        rate: WAD per day: the funding rate at the end.
        path: the premium after each hour.
    """

    half_life: int | None
    overshoot: int
    rate: int
    path: Sequence[int]


@dataclass(frozen=True, slots=True)
class LongRun:
    """A market through years of a wandering crowd and index.

    Attributes:
        path: the premium after each hour.
        refused: trades of the crowd that a cap on open interest refused.
    """

    path: Sequence[int]
    refused: int

    @property
    def sizes(self) -> list[int]:
        """|premium| in hundredths of a basis point."""
        return [abs(p) * 100 * _BPS // WAD for p in self.path]


def shock(velocity: int, habits: Habits, hours: int = SHOCK_HOURS) -> Shock:
    """Let the crowd jump in and stay, and watch the premium."""
    market = FundingMarket(velocity, habits)
    demand = market.rules.skew_scale * SHOCK_BPS // _BPS
    seen: list[Hour] = [market.hour(demand) for _ in range(hours)]
    market.check()
    path = [hour.premium for hour in seen]
    first = WAD * SHOCK_BPS // _BPS
    above = [i for i, premium in enumerate(path, start=1) if 2 * abs(premium) > first]
    last = above[-1] if above else 0
    return Shock(
        half_life=None if last == hours else last + 1,
        overshoot=max(0, -min(path)) * WAD // first,
        rate=seen[-1].funding_rate,
        path=path,
    )


def long_run(velocity: int, days: int, tell: Tell, name: str) -> LongRun:
    """Let a crowd change its mind every hour while the index wanders, alike for each velocity."""
    market = FundingMarket(velocity, HABITS["some"], seed=days, volatility=DAILY_VOLATILITY)
    scale = market.rules.skew_scale
    most = market.rules.max_open_interest
    demand, path = 0, []
    for day in range(days):
        if day % _TOLD_DAYS == 0:
            tell(f"{name}: day {day:,}")
        for _ in range(24):
            step = int(market.random.gauss(0, 1) * STEP_BPS * scale / _BPS)
            demand = max(-most, min(most, demand + step))
            path.append(market.hour(demand).premium)
    market.check()
    return LongRun(path, market.refused)


def _run(quick: bool, tell: Tell) -> Outcome:
    velocities = VELOCITIES[::3] if quick else VELOCITIES
    shocks = {}
    for velocity in velocities:
        tell(f"velocity {_fraction(velocity)}")
        shocks[velocity] = {name: shock(velocity, habits) for name, habits in HABITS.items()}
    days = DAYS // 10 if quick else DAYS
    runs = {v: long_run(v, days, tell, f"velocity {_fraction(v)}") for v in LONG_RUN}
    chosen = shocks.get(DEFAULT, shocks[velocities[-1]])["some"]
    with_funding, without = (fmean(runs[v].sizes) / 100 for v in (DEFAULT, 0))
    return Outcome(
        headline=(
            f"A premium of {SHOCK_BPS / 100:g} % is halved for good after {_hours(chosen)} at the "
            "devnet's velocity with some arbitrage.",
            f"Over {days:,} days the mean distance of mark and index is {with_funding:.1f} basis "
            f"points, {without:.1f} without funding.",
        ),
        sections={"half-life": _half_lives(shocks), "long-run": _long_runs(runs)},
        data={
            "shock_bps": SHOCK_BPS,
            "half_life_hours": {
                str(v): {name: s.half_life for name, s in by.items()} for v, by in shocks.items()
            },
            "overshoot_wad": {
                str(v): {name: s.overshoot for name, s in by.items()} for v, by in shocks.items()
            },
            "days": days,
            "long_run": {
                str(v): {
                    "mean_bps_100": round(fmean(run.sizes)),
                    "p95_bps_100": round(_p95(run.sizes)),
                    "most_bps_100": max(run.sizes),
                    "last_tenth_mean_bps_100": round(fmean(run.sizes[-len(run.sizes) // 10 :])),
                    "refused": run.refused,
                }
                for v, run in runs.items()
            },
        },
        panels=(_by_velocity(shocks), _paths(shocks)),
    )


def _half_lives(shocks: dict[int, dict[str, Shock]]) -> str:
    head = ("velocity", *(f"{name}: half-life" for name in HABITS))
    head += tuple(f"{name}: overshoot" for name in HABITS)
    rows = [
        (
            _fraction(v),
            *(_hours(by[name]) for name in HABITS),
            *(f"{by[name].overshoot * 100 / WAD:.0f} %" for name in HABITS),
        )
        for v, by in shocks.items()
    ]
    return markdown_table(head, rows)


def _long_runs(runs: dict[int, LongRun]) -> str:
    head = ("velocity", "mean", "95 %", "most", "last tenth", "at the index", "refused")
    rows = []
    for velocity, run in runs.items():
        sizes = run.sizes
        near = sum(size <= NEAR * 100 for size in sizes) / len(sizes)
        rows.append(
            (
                _fraction(velocity),
                *(
                    f"{value / 100:.1f}"
                    for value in (
                        fmean(sizes),
                        _p95(sizes),
                        max(sizes),
                        fmean(sizes[-len(sizes) // 10 :]),
                    )
                ),
                f"{near * 100:.0f} %",
                f"{run.refused:,}",
            )
        )
    return markdown_table(head, rows)


def _by_velocity(shocks: dict[int, dict[str, Shock]]) -> Panel:
    figure = go.Figure(layout=theme.layout(height=430, hovermode="x unified"))
    for name, color in zip(HABITS, _COLORS, strict=True):
        known = [(v, by[name].half_life) for v, by in shocks.items() if by[name].half_life]
        figure.add_trace(
            go.Scatter(
                x=[v / WAD for v, _ in known],
                y=[hours for _, hours in known],
                mode="lines+markers",
                name=f"{name} arbitrage",
                line={"color": color, "width": 1.8},
            )
        )
    figure.update_xaxes(**theme.axis("funding velocity, per day per day", type="log"))
    figure.update_yaxes(**theme.axis("hours until halved for good", rangemode="tozero"))
    caption = "Without a point: not halved within ten days."
    return Panel("half-life", "Half-life of a premium by funding velocity", caption, figure)


def _paths(shocks: dict[int, dict[str, Shock]]) -> Panel:
    figure = go.Figure(layout=theme.layout(height=430, hovermode="x unified"))
    chosen = [v for v in (WAD // 32, DEFAULT, 4 * DEFAULT) if v in shocks] or list(shocks)[:3]
    for velocity, color in zip(chosen, _COLORS, strict=False):
        path = shocks[velocity]["some"].path
        figure.add_trace(
            go.Scatter(
                x=[i / 24 for i in range(1, len(path) + 1)],
                y=[p * 100 / WAD for p in path],
                mode="lines",
                name=f"velocity {_fraction(velocity)}",
                line={"color": color, "width": 1.8},
            )
        )
    figure.update_xaxes(**theme.axis("days after the crowd came"))
    figure.update_yaxes(**theme.axis("premium, %"))
    caption = "Some arbitrage. The crowd stays; what moves is who is paid to stand against it."
    return Panel("paths", "A premium after a shock", caption, figure)


def _hours(s: Shock) -> str:
    return "never" if s.half_life is None else f"{s.half_life} h"


def _p95(sizes: Sequence[int]) -> float:
    return quantiles(sizes, n=20)[-1]


def _fraction(value: int) -> str:
    return f"{value / WAD:g}"


def _steps(quick: bool) -> int:
    velocities = len(VELOCITIES[::3] if quick else VELOCITIES)
    days = DAYS // 10 if quick else DAYS
    return velocities + len(LONG_RUN) * (days // _TOLD_DAYS)


FUNDING_EQUILIBRIUM = Experiment(
    name="funding-equilibrium",
    summary="How fast funding brings mark back to index, and whether it stays there.",
    document=ROOT / "docs" / "spec" / "perps.md",
    image=ROOT / "docs" / "images" / "funding-equilibrium.png",
    steps=_steps,
    run=_run,
)
