"""Figures of the ledger: health, liquidations, custody, cover of profit, losses, refusals."""

from __future__ import annotations

from collections import Counter

import plotly.graph_objects as go

from bulkhead.report import theme
from bulkhead.report.panel import Panel
from bulkhead.report.record import RunRecord
from bulkhead.report.tables import waterfall_rows
from bulkhead.report.traces import bars, binned, line, running, stacked, timed

_HEALTH_CLASSES = (
    ("health_negative", "below 0: worth less than nothing"),
    ("health_below_1", "0–1: liquidatable"),
    ("health_below_1_5", "1–1.5"),
    ("health_below_3", "1.5–3"),
    ("health_below_6", "3–6"),
    ("health_above_6", "above 6"),
)


def health_panel(record: RunRecord) -> Panel:
    """How many accounts are how healthy."""
    s, x = record.series, record.series["hours"]
    figure = timed(record, height=360, shaded=False)
    for (column, name), color in zip(_HEALTH_CLASSES, theme.HEALTH_COLORS, strict=True):
        figure.add_trace(stacked(x, s[column], name, color, shape="hv"))
    figure.update_layout(yaxis=theme.axis("accounts", rangemode="tozero"))
    return Panel(
        "health",
        "Margin health",
        "Accounts with positions or debt by equity over maintenance margin. Below 1 anyone may "
        "liquidate; below 0 what is owed is more than what is left.",
        figure,
        wide=True,
    )


_BARS = 70


def liquidation_panel(record: RunRecord) -> Panel:
    """Liquidations and auctions over time, and the running total."""
    s, x = record.series, record.series["hours"]
    figure = timed(record)
    width = (x[-1] - x[0]) / _BARS if x and x[-1] > x[0] else 1.0
    for column, name, color in (
        ("liquidations", "liquidations", theme.SHORT),
        ("auctions_taken", "auction purchases", theme.SPOT),
        ("write_offs", "write-offs", theme.INK),
    ):
        middles, counts = binned(x, s[column], width)
        figure.add_trace(bars(middles, counts, name, color, width))
    total = running(s["liquidated_notional"])
    figure.add_trace(
        line(x, total, "liquidated, running total (right)", theme.VALUATION, axis="y2")
    )
    figure.update_layout(
        barmode="stack",
        bargap=0.1,
        yaxis=theme.axis(f"per {60 * width:.0f} min", rangemode="tozero"),
        yaxis2=theme.axis(
            "USDB",
            overlaying="y",
            side="right",
            tickmode="auto",
            tickformat="~s",
            showgrid=False,
            rangemode="tozero",
        ),
        margin={"l": 56, "r": 60, "t": 12, "b": 40},
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
    figure = timed(record)
    stack = (
        ("principal", "traders' principal", theme.PRINCIPAL),
        ("pool_cash", "pool", theme.POOL),
        ("insurance_cash", "insurance", theme.INSURANCE),
        ("fee_reserve", "fee reserve", theme.FEES),
    )
    for column, name, color in stack:
        figure.add_trace(stacked(x, s[column], name, color))
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
    figure = timed(record, height=400)
    junior = [a + b for a, b in zip(s["claims"], s["unrealized_positive"], strict=True)]
    figure.add_traces(
        [
            line(x, s["haircut_ratio"], "h", theme.VALUATION, width=2.4),
            line(x, s["pool_cash"], "pool cash L", theme.POOL, width=1.8, axis="y2"),
            line(x, junior, "junior profit J + U⁺", theme.JUNIOR, width=1.8, axis="y2"),
            line(x, s["debt"], "traders' debt D", theme.DEBT, width=1.2, axis="y2"),
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


_TRANCHE_COLORS = {
    "from_claim": theme.JUNIOR,
    "from_cash": theme.PRINCIPAL,
    "forgiven_by_profit": theme.PRINCIPAL,
    "repaid_by_owner": theme.PRINCIPAL,
    "repaid_by_auction": theme.PRINCIPAL,
    "outstanding": theme.OUTSIDE,
    "insurance": theme.INSURANCE,
    "backstop": theme.FEES,
    "pool": theme.POOL,
    "junior": theme.JUNIOR,
    "nobody": theme.DEBT,
}


def waterfall_panel(record: RunRecord) -> Panel:
    """Who bore the losses, down to zero."""
    rows = waterfall_rows(record)
    rest = rows[0][2] if rows else 0
    bases: list[float] = []
    for i, (_, _, amount) in enumerate(rows):
        rest -= amount if i else 0
        bases.append(rest / 1e18 if i else 0.0)
    figure = go.Figure(
        go.Bar(
            y=[label for _, label, _ in rows],
            x=[amount / 1e18 for *_, amount in rows],
            base=bases,
            orientation="h",
            text=[f"{amount / 1e18:,.0f}" for *_, amount in rows],
            textposition="outside",
            textfont={"size": 12},
            constraintext="none",
            cliponaxis=False,
            marker={"color": [_TRANCHE_COLORS.get(name, theme.INK) for name, *_ in rows]},
            hovertemplate="%{y}: %{text} USDB<extra></extra>",
        ),
        theme.layout(height=70 + 34 * len(rows), hovermode="closest", bargap=0.3),
    )
    highest = max([amount / 1e18 for *_, amount in rows] or [1.0])
    figure.update_layout(
        xaxis=theme.axis("USDB", tickformat="~s", range=[0, 1.3 * highest]),
        yaxis=theme.axis(autorange="reversed", showgrid=False),
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


def _refused(errors: list[str], counts: list[int], purpose: str, color: str) -> go.Bar:
    return go.Bar(
        y=errors,
        x=counts,
        name=purpose,
        orientation="h",
        marker={"color": color},
        hovertemplate="%{x} × " + purpose + "<extra>%{y}</extra>",
    )
