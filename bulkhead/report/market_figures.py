"""Figures of the market: prices, peg, breaker, open interest, funding."""

from __future__ import annotations

from typing import Any

from bulkhead.report import theme
from bulkhead.report.panel import Panel
from bulkhead.report.record import RunRecord
from bulkhead.report.traces import line, timed


def peg_panel(record: RunRecord) -> Panel:
    """Prices and valuations of the pegged collateral, and the stress of its peg."""
    s, x = record.series, record.series["hours"]
    figure = timed(record, height=440)
    figure.add_traces(
        [
            line(x, s["ratio_outside"], "outside", theme.OUTSIDE, dash="dot"),
            line(x, s["ratio_spot"], "spot in its pool", theme.SPOT, width=1.4),
            line(x, s["ratio_market"], "market (TWAP) the monitor sees", theme.MARKET, width=2.2),
            line(x, s["ratio_maintenance"], "counted for maintenance", theme.VALUATION, width=2.2),
            line(x, s["ratio_initial"], "counted for opening", theme.VALUATION, dash="dash"),
            line(x, s["stress"], "stress", theme.STRESS, fill="tozeroy", axis="y2", width=1.2),
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
    figure = timed(record)
    figure.add_traces(
        [
            line(x, s["eth_outside"], "outside", theme.OUTSIDE, dash="dot"),
            line(x, s["eth_pool"], "spot pool", theme.SPOT, width=1.4),
            line(x, s["eth_index"], "index", theme.MARKET, width=2.2),
            line(x, s["eth_mark"], "mark", theme.VALUATION, width=1.2),
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
    figure = timed(record)
    figure.add_trace(line(x, s["tier"], "tier", theme.DEBT, shape="hv", fill="tozeroy", width=2))
    for change in _labelled_rises(record):
        figure.add_annotation(
            x=change["hours"],
            y=change["to"],
            text=change["cause"],
            showarrow=False,
            yshift=9,
            xanchor="left",
            font={"size": 10.5, "color": theme.MUTED},
            bgcolor="rgba(255,255,255,0.6)",
        )
    figure.update_layout(
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
    figure = timed(record)
    figure.add_traces(
        [
            line(x, s["oi_long"], "longs", theme.LONG, fill="tozeroy", width=1.2),
            line(x, [-v for v in s["oi_short"]], "shorts", theme.SHORT, fill="tozeroy", width=1.2),
            line(x, skew, "skew, which the pool carries", theme.VALUATION, width=2),
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
    figure = timed(record)
    figure.add_traces(
        [
            line(x, s["premium"], "premium ETH", theme.MARKET, width=1.4),
            line(x, s["btc_premium"], "premium BTC", theme.OUTSIDE, width=1.4),
            line(x, s["funding_rate"], "funding per day ETH", theme.DEBT, width=2.2),
            line(x, s["btc_funding_rate"], "funding per day BTC", theme.SPOT, width=1.4),
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


def _labelled_rises(record: RunRecord) -> list[dict[str, Any]]:
    """Return the rises whose labels do not overlap: one per height and sixth of the run."""
    hours = record.series["hours"]
    gap = (hours[-1] - hours[0]) / 6 if hours else 0.0
    chosen: list[dict[str, Any]] = []
    for change in record.tier_changes:
        near = [c for c in chosen if c["to"] == change["to"] and change["hours"] - c["hours"] < gap]
        if change["to"] > change["from"] and not near:
            chosen.append(change)
    return chosen
