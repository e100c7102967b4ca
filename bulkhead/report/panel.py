"""A figure and the words around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A name of a legend: ``css`` draws its swatch; ``traces`` are what it shows and hides."""

    name: str
    css: str
    traces: tuple[int, ...]


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

    @property
    def legend(self) -> list[LegendEntry]:
        """Return an entry per name, if there is more than one."""
        entries: dict[str, LegendEntry] = {}
        for i, trace in enumerate(self.figure.data):
            if trace.name is not None:
                known = entries.get(trace.name)
                traces = (*known.traces, i) if known else (i,)
                entries[trace.name] = LegendEntry(trace.name, _swatch(trace), traces)
        return list(entries.values()) if len(entries) > 1 else []


def _swatch(trace: Any) -> str:
    """Return the CSS of a trace's mark in a legend."""
    if trace.type == "bar":
        return f"height:10px;width:10px;border-radius:2px;background:{trace.marker.color}"
    if getattr(trace, "stackgroup", None):
        return f"height:10px;width:14px;border-radius:2px;background:{trace.fillcolor}"
    style = {"dot": "dotted", "dash": "dashed"}.get(trace.line.dash or "", "solid")
    width = max(2, min(3, round(trace.line.width or 2)))
    return f"width:18px;border-top:{width}px {style} {trace.line.color}"
