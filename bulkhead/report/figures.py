"""The figures of a run, each made from its record alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from bulkhead.report import theme
from bulkhead.report.record import RunRecord
from bulkhead.report.tables import waterfall_rows


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure and the words around it.

    Attributes:
        id: anchor on the page.
        title: heading.
        caption: what to see, in a sentence or two.
        figure: the Plotly figure.
        wide: whether it takes the whole width.
        is_timed: whether its x axis is the run's time.
    """

    id: str
    title: str
    caption: str
    figure: go.Figure
    wide: bool = False
    is_timed: bool = True


def panels(record: RunRecord) -> list[Panel]:
    """Return every panel of the report, in the order of the page."""
    makers: tuple[Callable[[RunRecord], Panel], ...] = (
        peg_panel,
        eth_panel,
        tier_panel,
        interest_panel,
        funding_panel,
        health_panel,
        liquidation_panel,
        custody_panel,
        haircut_panel,
        waterfall_panel,
        refusal_panel,
    )
    return [maker(record) for maker in makers]


def peg_panel(record: RunRecord) -> Panel:
    """Prices and valuations of the pegged collateral, and the stress of its peg."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record, height=440)
    figure.add_traces(
        [
            _line(x, s["ratio_outside"], "outside", theme.OUTSIDE, dash="dot"),
            _line(x, s["ratio_spot"], "spot in its pool", theme.SPOT, width=1.4),
            _line(x, s["ratio_market"], "market (TWAP) the monitor sees", theme.MARKET, width=2.2),
            _line(x, s["ratio_maintenance"], "counted for maintenance", theme.VALUATION, width=2.2),
            _line(x, s["ratio_initial"], "counted for opening", theme.VALUATION, dash="dash"),
            _line(x, s["stress"], "stress", theme.STRESS, fill="tozeroy", axis="y2", width=1.2),
        ]
    )
    figure.update_layout(
        yaxis=theme.axis("fraction of fair value", domain=[0.30, 1], tickformat=".0%"),
        yaxis2=theme.axis("peg stress", domain=[0, 0.22], tickformat=".0%", rangemode="tozero"),
        xaxis_anchor="y2",
    )
    return Panel(
        "peg",
        "The peg",
        "What the collateral trades for, and what it counts for as margin, as fractions of what "
        "it redeems for. Valuation follows the market only as stress builds up: size of the "
        "discount times its duration.",
        figure,
        wide=True,
    )


def eth_panel(record: RunRecord) -> Panel:
    """Prices of ETH."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record)
    figure.add_traces(
        [
            _line(x, s["eth_outside"], "outside", theme.OUTSIDE, dash="dot"),
            _line(x, s["eth_pool"], "spot pool", theme.SPOT, width=1.4),
            _line(x, s["eth_index"], "index", theme.MARKET, width=2.2),
            _line(x, s["eth_mark"], "mark", theme.VALUATION, width=1.2),
        ]
    )
    figure.update_layout(yaxis=theme.axis("USDB", tickformat=",.0f"))
    return Panel(
        "eth",
        "ETH",
        "Index is what the oracle says, mark what the pool's skew makes of it.",
        figure,
    )


def tier_panel(record: RunRecord) -> Panel:
    """The circuit breaker's tier, with the cause of every rise."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record)
    figure.add_trace(
        _line(x, s["tier"], "tier", theme.DEBT, shape="hv", fill="tozeroy", width=2)
    )
    for change in _labelled_rises(record):
        figure.add_annotation(
            x=change["hours"],
            y=change["to"],
            text=change["cause"],
            showarrow=False,
            yshift=9,
            xanchor="left",
            font={"size": 10.5, "color": theme.MUTED},
        )
    figure.update_layout(
        showlegend=False,
        yaxis=theme.axis("tier", range=[0, 4.4], tickvals=[0, 1, 2, 3, 4]),
    )
    return Panel(
        "tier",
        "Circuit breaker",
        "0 normal · 1 above: no new risk and no pool exits from 2 · no withdrawals from 3 · "
        "4 halt. It rises at once and falls one tier at a time. Every chart is shaded with it.",
        figure,
    )


def interest_panel(record: RunRecord) -> Panel:
    """Open interest on both sides."""
    s, x = record.series, record.series["hours"]
    skew = [a - b for a, b in zip(s["oi_long"], s["oi_short"], strict=True)]
    figure = _timed(record)
    figure.add_traces(
        [
            _line(x, s["oi_long"], "longs", theme.LONG, fill="tozeroy", width=1.2),
            _line(x, [-v for v in s["oi_short"]], "shorts", theme.SHORT, fill="tozeroy", width=1.2),
            _line(x, skew, "skew, which the pool carries", theme.VALUATION, width=2),
        ]
    )
    figure.update_layout(yaxis=theme.axis("USDB", tickformat="~s"))
    return Panel(
        "interest",
        "Open interest",
        "Both markets at the index price; shorts below the line. The pool is the counterparty of "
        "the difference.",
        figure,
    )


def funding_panel(record: RunRecord) -> Panel:
    """Premium and funding rate of both markets."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record)
    figure.add_traces(
        [
            _line(x, s["premium"], "premium ETH", theme.MARKET, width=1.4),
            _line(x, s["btc_premium"], "premium BTC", theme.OUTSIDE, width=1.4),
            _line(x, s["funding_rate"], "funding per day ETH", theme.DEBT, width=2.2),
            _line(x, s["btc_funding_rate"], "funding per day BTC", theme.SPOT, width=1.4),
        ]
    )
    figure.update_layout(yaxis=theme.axis("fraction", tickformat=".2%"))
    return Panel(
        "funding",
        "Premium and funding",
        "The premium (skew over depth) moves the funding rate's speed, not the rate itself: longs "
        "pay while it is above zero.",
        figure,
    )


def health_panel(record: RunRecord) -> Panel:
    """Quantiles of health ratios."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record, height=380)
    band = theme.PRINCIPAL
    figure.add_traces(
        [
            _line(x, s["health_p95"], "5–95 %", band, width=0, legend=False),
            _line(x, s["health_p05"], "5–95 %", band, width=0, fill="tonexty", alpha=0.14),
            _line(x, s["health_p75"], "25–75 %", band, width=0, legend=False),
            _line(x, s["health_p25"], "25–75 %", band, width=0, fill="tonexty", alpha=0.28),
            _line(x, s["health_p50"], "median", band, width=2.2),
            _line(
                x,
                s["accounts_unhealthy"],
                "accounts below 1.0",
                theme.DEBT,
                fill="tozeroy",
                axis="y2",
                shape="hv",
                width=1.2,
            ),
        ]
    )
    figure.add_hline(y=1, line={"color": theme.DEBT, "width": 1, "dash": "dash"})
    top = max([v for v in s["health_p95"] if v is not None] or [4])
    figure.update_layout(
        yaxis=theme.axis("equity / maintenance margin", domain=[0.26, 1], range=[0, min(top, 8)]),
        yaxis2=theme.axis("accounts", domain=[0, 0.18], rangemode="tozero"),
        xaxis_anchor="y2",
    )
    return Panel(
        "health",
        "Margin health",
        "Distribution over all accounts with positions or debt. Below 1.0 anyone may liquidate.",
        figure,
        wide=True,
    )


def liquidation_panel(record: RunRecord) -> Panel:
    """Liquidations and auctions per block, and their running total."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record)
    figure.add_traces(
        [
            _bars(x, s["liquidations"], "liquidations", theme.SHORT),
            _bars(x, s["auctions_taken"], "auction purchases", theme.SPOT),
            _bars(x, s["write_offs"], "write-offs", theme.INK),
            _line(
                x,
                _running(s["liquidated_notional"]),
                "liquidated, running total",
                theme.VALUATION,
                axis="y2",
                width=1.6,
            ),
        ]
    )
    figure.update_layout(
        barmode="stack",
        yaxis=theme.axis("per block"),
        yaxis2=theme.axis(
            "USDB", overlaying="y", side="right", tickformat="~s", showgrid=False, anchor="x"
        ),
        margin={"l": 56, "r": 56, "t": 28, "b": 40},
    )
    return Panel(
        "liquidations",
        "Liquidations and auctions",
        "Positions are closed on the pool's curve by the least size that restores health; seized "
        "collateral is sold into Uniswap within the auction's call.",
        figure,
    )


def custody_panel(record: RunRecord) -> Panel:
    """What custody holds, and for whom."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record)
    stack = (
        ("principal", "traders' principal", theme.PRINCIPAL),
        ("pool_cash", "pool", theme.POOL),
        ("insurance_cash", "insurance", theme.INSURANCE),
        ("fee_reserve", "fee reserve", theme.FEES),
    )
    for column, name, color in stack:
        figure.add_trace(
            go.Scatter(
                x=x,
                y=s[column],
                name=name,
                mode="lines",
                line={"width": 0.6, "color": color},
                fillcolor=theme.faded(color, 0.75),
                stackgroup="custody",
                hovertemplate="%{y:,.0f}",
            )
        )
    figure.update_layout(yaxis=theme.axis("USDB", tickformat="~s", rangemode="tozero"))
    return Panel(
        "custody",
        "Who owns what is in custody",
        "Settlement tokens in custody by owner: principal is senior, the pool backs the junior "
        "profit claims, insurance pays before the pool does.",
        figure,
    )


def haircut_panel(record: RunRecord) -> Panel:
    """h, and what it is made of."""
    s, x = record.series, record.series["hours"]
    figure = _timed(record, height=400)
    junior = [a + b for a, b in zip(s["claims"], s["unrealized_positive"], strict=True)]
    figure.add_traces(
        [
            _line(x, s["haircut_ratio"], "h", theme.VALUATION, width=2.4),
            _line(x, s["pool_cash"], "pool cash L", theme.POOL, width=1.8, axis="y2"),
            _line(x, junior, "junior profit J + U⁺", theme.JUNIOR, width=1.8, axis="y2"),
            _line(x, s["debt"], "traders' debt D", theme.DEBT, width=1.2, axis="y2"),
        ]
    )
    lowest = min([*s["haircut_ratio"], 0.9])
    figure.update_layout(
        yaxis=theme.axis("h", domain=[0.64, 1], tickformat=".0%", range=[lowest - 0.02, 1.02]),
        yaxis2=theme.axis("USDB", domain=[0, 0.56], tickformat="~s", rangemode="tozero"),
        xaxis_anchor="y2",
    )
    return Panel(
        "haircut",
        "Is profit covered?",
        "h = min(1, L / (J + U⁺)) is what a unit of profit pays now. It dips where profit outruns "
        "the pool's cash, for everyone alike, and heals as losers' debt is collected.",
        figure,
        wide=True,
    )


def waterfall_panel(record: RunRecord) -> Panel:
    """Who bore the losses, down to zero."""
    rows = waterfall_rows(record)
    labels = [label for label, _ in rows]
    values = [(1 if i == 0 else -1) * amount / 1e18 for i, (_, amount) in enumerate(rows)]
    measures = ["absolute", *["relative"] * (len(rows) - 2), "total"][: len(rows)]
    texts = [f"{amount / 1e18:,.0f}" for _, amount in rows]
    figure = go.Figure(
        go.Waterfall(
            x=labels,
            y=values,
            measure=measures,
            text=texts,
            textposition="outside",
            cliponaxis=False,
            connector={"line": {"color": theme.GRID, "width": 1}},
            decreasing={"marker": {"color": theme.PRINCIPAL}},
            increasing={"marker": {"color": theme.DEBT}},
            totals={"marker": {"color": theme.INK}},
            hovertemplate="%{x}: %{text} USDB<extra></extra>",
        ),
        theme.layout(height=400, hovermode="closest", showlegend=False),
    )
    figure.update_layout(
        xaxis=theme.axis(tickangle=-30),
        yaxis=theme.axis("USDB", tickformat="~s"),
    )
    return Panel(
        "waterfall",
        "Who bore the losses",
        "Every loss and fee of the run, and what it was met with, in the order in which the "
        "protocol asks. The bars end at zero: nothing is unexplained, to the wei.",
        figure,
        wide=True,
        is_timed=False,
    )


_PURPOSE_COLORS = (
    theme.PRINCIPAL,
    theme.POOL,
    theme.INSURANCE,
    theme.JUNIOR,
    theme.SHORT,
    theme.FEES,
    theme.OUTSIDE,
)


def refusal_panel(record: RunRecord) -> Panel:
    """Refused transactions by error and by what was tried."""
    refusals = record.refusals
    errors = sorted(refusals, key=lambda e: sum(refusals[e].values()))
    totals: Counter[str] = Counter()
    for by_purpose in refusals.values():
        totals.update(by_purpose)
    shown = [purpose for purpose, _ in totals.most_common(len(_PURPOSE_COLORS))]
    figure = go.Figure(layout=theme.layout(hovermode="closest", barmode="stack"))
    for purpose, color in zip([*shown, None], [*_PURPOSE_COLORS, theme.GRID], strict=False):
        counts = [
            refusals[e].get(purpose, 0)
            if purpose
            else sum(n for p, n in refusals[e].items() if p not in shown)
            for e in errors
        ]
        if any(counts):
            figure.add_trace(_refused(errors, counts, purpose or "other", color))
    height = max(240, 110 + 30 * len(errors))
    figure.update_layout(
        height=height,
        xaxis=theme.axis("transactions", rangemode="tozero"),
        yaxis=theme.axis(),
        legend={**theme.layout()["legend"], "traceorder": "normal"},
    )
    if not errors:
        figure.add_annotation(text="no transaction was refused", showarrow=False)
    return Panel(
        "refusals",
        "What was refused, and why",
        "Agents try what people would try. The protocol's answers, by custom error.",
        figure,
        wide=True,
        is_timed=False,
    )


# ---------------------------------------------------------------------- parts


def _labelled_rises(record: RunRecord) -> list[dict[str, Any]]:
    """Return the rises whose labels do not overlap: one per height and sixth of the run."""
    hours = record.series["hours"]
    gap = (hours[-1] - hours[0]) / 6 if hours else 0.0
    chosen: list[dict[str, Any]] = []
    for change in record.tier_changes:
        near = [
            c for c in chosen if c["to"] == change["to"] and change["hours"] - c["hours"] < gap
        ]
        if change["to"] > change["from"] and not near:
            chosen.append(change)
    return chosen


def _timed(record: RunRecord, height: int = 340) -> go.Figure:
    """Return an empty figure over the run's time, shaded by breaker tier."""
    hours = record.series["hours"]
    figure = go.Figure(layout=theme.layout(height=height))
    last = hours[-1] if hours else 1
    figure.update_layout(xaxis=theme.hours_axis(range=[hours[0] if hours else 0, last]))
    for begin, end, tier in _tier_spans(record):
        figure.add_vrect(
            x0=begin,
            x1=end,
            fillcolor=theme.TIER_COLORS[tier],
            opacity=0.55,
            line_width=0,
            layer="below",
        )
    return figure


def _tier_spans(record: RunRecord) -> list[tuple[float, float, int]]:
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


def _line(
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
    legend: bool = True,
) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        name=name,
        mode="lines",
        line={"color": color, "width": width, "dash": dash, "shape": shape},
        fill=fill,
        fillcolor=theme.faded(color, alpha),
        yaxis=axis,
        showlegend=legend,
        hoverinfo="skip" if not legend else None,
    )


def _refused(errors: list[str], counts: list[int], purpose: str, color: str) -> go.Bar:
    return go.Bar(
        y=errors,
        x=counts,
        name=purpose,
        orientation="h",
        marker={"color": color},
        hovertemplate="%{x} × " + purpose + "<extra>%{y}</extra>",
    )


def _bars(x: list[Any], y: list[Any], name: str, color: str) -> go.Bar:
    return go.Bar(x=x, y=y, name=name, marker={"color": color, "line": {"width": 0}})


def _running(values: list[float]) -> list[float]:
    total, sums = 0.0, []
    for value in values:
        total += value
        sums.append(total)
    return sums
