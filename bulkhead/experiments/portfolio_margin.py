"""What positions in two markets need as margin, as correlation and stress vary."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from bulkhead import ROOT
from bulkhead.experiments.document import markdown_table
from bulkhead.experiments.registry import Experiment, Outcome, Tell
from bulkhead.model.correlations import row
from bulkhead.model.math import WAD
from bulkhead.model.portfolio_margin import requirement
from bulkhead.report import theme
from bulkhead.report.panel import Panel

FIRST = 100 * WAD
"""Weighted notional of the position in the first market: what it needs alone."""
FLOOR_BPS = 2_000
CORRELATIONS = (0, 3_000, 6_000, 7_500, 9_000, 9_900)
SHOWN = (3_000, 7_500, 9_900)
STRESSES = (0, WAD // 4, WAD // 2, WAD * 3 // 4, WAD)
_COLORS = (theme.SPOT, theme.MARKET, theme.JUNIOR)
_STEPS = 160


def pair(second: int, correlation: int, stress: int) -> int:
    """Return the requirement of ``FIRST`` and a second weighted notional, WAD.

    Args:
        second: signed, WAD.
        correlation: basis points.
        stress: WAD in [0, 1].
    """
    rows = [row((correlation,), 2, i) for i in range(2)]
    return requirement((FIRST, second), (0, 1), rows, stress, FLOOR_BPS)


def _run(quick: bool, tell: Tell) -> Outcome:
    tell("pairs of positions")
    tables = {"same-side": _table(FIRST), "hedged": _table(-FIRST)}
    tell("curves")
    steps = _STEPS // 8 if quick else _STEPS
    panels = (_by_hedge(steps), _by_stress(steps))
    calm = pair(-FIRST, 9_000, 0)
    tense = pair(-FIRST, 9_000, WAD)
    return Outcome(
        headline=(
            "A position that needs 100 alone and an equal one against it, correlation 0.9, need "
            f"{_units(calm)} together in calm markets and {_units(tense)} under full stress.",
        ),
        sections=tables,
        data={
            "first": FIRST,
            "floor_bps": FLOOR_BPS,
            "requirement": {
                f"{second // WAD}": {
                    str(rho): [pair(second, rho, t) for t in STRESSES] for rho in CORRELATIONS
                }
                for second in (FIRST, -FIRST)
            },
        },
        panels=panels,
    )


def _table(second: int) -> str:
    head = ("correlation", *(f"stress {_fraction(t)}" for t in STRESSES))
    rows = [
        (_fraction(rho * WAD // 10**4), *(_units(pair(second, rho, t)) for t in STRESSES))
        for rho in CORRELATIONS
    ]
    return markdown_table(head, rows)


def _by_hedge(steps: int) -> Panel:
    figure = go.Figure(layout=theme.layout(height=430, hovermode="x unified"))
    seconds = [FIRST * (2 * i - steps) * 2 // steps for i in range(steps + 1)]
    for rho, color in zip(SHOWN, _COLORS, strict=True):
        for stress, dash in ((0, "solid"), (WAD // 2, "dash"), (WAD, "dot")):
            name = f"ρ {rho / 10**4:g}, stress {stress / WAD:g}"
            needed = [pair(second, rho, stress) / WAD for second in seconds]
            _line(figure, [s / WAD for s in seconds], needed, name, color, dash)
    _line(
        figure,
        [s / WAD for s in seconds],
        [(FIRST + abs(s)) * FLOOR_BPS / 10**4 / WAD for s in seconds],
        "floor",
        theme.MUTED,
        "dot",
    )
    figure.update_xaxes(**theme.axis("second position, weighted notional (< 0: against the first)"))
    figure.update_yaxes(**theme.axis("required", rangemode="tozero"))
    caption = "The first position needs 100 alone. Stress lifts the left side towards the right."
    return Panel("by-hedge", "Two markets: margin by size of the second position", caption, figure)


def _by_stress(steps: int) -> Panel:
    figure = go.Figure(layout=theme.layout(height=430, hovermode="x unified"))
    stresses = [WAD * i // steps for i in range(steps + 1)]
    for rho, color in zip(SHOWN, _COLORS, strict=True):
        for second, dash, side in ((FIRST, "solid", "same side"), (-FIRST, "dash", "hedged")):
            needed = [pair(second, rho, t) / WAD for t in stresses]
            name = f"ρ {rho / 10**4:g}, {side}"
            _line(figure, [t / WAD for t in stresses], needed, name, color, dash)
    figure.update_xaxes(**theme.axis("stress"))
    figure.update_yaxes(**theme.axis("required", rangemode="tozero"))
    caption = "Two positions that need 100 each. Neither curve ever falls."
    return Panel("by-stress", "Two equal positions: margin by stress", caption, figure)


def _line(
    figure: go.Figure, x: Sequence[float], y: Sequence[float], name: str, color: str, dash: str
) -> None:
    line = {"color": color, "width": 1.8, "dash": dash}
    figure.add_trace(go.Scatter(x=list(x), y=list(y), mode="lines", name=name, line=line))


def _units(amount: int) -> str:
    return f"{amount / WAD:.2f}"


def _fraction(value: int) -> str:
    return f"{value / WAD:g}"


PORTFOLIO_MARGIN = Experiment(
    name="portfolio-margin",
    summary="What positions in two markets need as margin, by correlation and stress.",
    document=ROOT / "docs" / "spec" / "margin.md",
    image=ROOT / "docs" / "images" / "portfolio-margin.png",
    steps=lambda quick: 2,  # noqa: ARG005
    run=_run,
)
