"""Parts that figures are made of."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from bulkhead.report import theme
from bulkhead.report.record import RunRecord


def timed(record: RunRecord, height: int = 340, shaded: bool = True) -> go.Figure:
    """Return an empty figure over the run's time, by default shaded by breaker tier."""
    hours = record.series["hours"]
    figure = go.Figure(layout=theme.layout(height=height))
    last = hours[-1] if hours else 1
    figure.update_layout(xaxis=theme.hours_axis(range=[hours[0] if hours else 0, last]))
    for begin, end, tier in tier_spans(record) if shaded else ():
        figure.add_vrect(
            x0=begin,
            x1=end,
            fillcolor=theme.TIER_COLORS[tier],
            opacity=0.55,
            line_width=0,
            layer="below",
        )
    return figure


def tier_spans(record: RunRecord) -> list[tuple[float, float, int]]:
    """Return (from, to, tier) in hours for every stretch above tier 0."""
    hours, tiers = record.series["hours"], record.series["tier"]
    spans: list[tuple[float, float, int]] = []
    begin = 0
    for i in range(1, len(hours) + 1):
        if i == len(hours) or tiers[i] != tiers[begin]:
            if tiers[begin]:
                spans.append((hours[begin], hours[min(i, len(hours) - 1)], int(tiers[begin])))
            begin = i
    return spans


def line(
    x: list[Any],
    y: list[Any],
    name: str,
    color: str,
    *,
    width: float = 1.6,
    dash: str = "solid",
    shape: str = "linear",
    fill: str | None = None,
    alpha: float = 0.16,
    axis: str = "y",
) -> go.Scatter:
    """Return a line over time."""
    return go.Scatter(
        x=x,
        y=y,
        name=name,
        mode="lines",
        line={"color": color, "width": width, "dash": dash, "shape": shape},
        fill=fill,
        fillcolor=theme.faded(color, alpha),
        yaxis=axis,
    )


def stacked(x: list[Any], y: list[Any], name: str, color: str, shape: str = "linear") -> go.Scatter:
    """Return one layer of a stack."""
    return go.Scatter(
        x=x,
        y=y,
        name=name,
        mode="lines",
        line={"width": 0.5, "color": color, "shape": shape},
        fillcolor=theme.faded(color, 0.8),
        stackgroup="all",
        hovertemplate="%{y:,.0f}",
    )


def bars(x: list[float], y: list[float], name: str, color: str, width: float) -> go.Bar:
    """Return bars of a width in hours."""
    marker = {"color": color, "line": {"width": 0}}
    return go.Bar(x=x, y=y, name=name, marker=marker, width=0.9 * width)


def binned(x: list[float], y: list[float], width: float) -> tuple[list[float], list[float]]:
    """Return the middles of the bins that are not empty, and the sum in each."""
    sums: dict[int, float] = {}
    for time, value in zip(x, y, strict=True):
        if value:
            place = int((time - x[0]) / width)
            sums[place] = sums.get(place, 0) + value
    return [x[0] + (place + 0.5) * width for place in sums], list(sums.values())


def running(values: list[float]) -> list[float]:
    """Return running totals."""
    total, sums = 0.0, []
    for value in values:
        total += value
        sums.append(total)
    return sums
