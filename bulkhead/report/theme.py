"""One palette and one layout for all figures."""

from __future__ import annotations

from typing import Any

INK = "#1c2733"
MUTED = "#66727f"
GRID = "#e8ecf1"
PAPER = "#ffffff"
FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"

PRINCIPAL = "#3a6ea5"
POOL = "#2a9d8f"
INSURANCE = "#e9a23b"
FEES = "#9a8fb5"
JUNIOR = "#7a5195"
DEBT = "#c8553d"
LONG = "#2a9d8f"
SHORT = "#d1615d"
OUTSIDE = "#98a4b3"
SPOT = "#e9a23b"
MARKET = "#3a6ea5"
VALUATION = "#1c2733"
STRESS = "#c8553d"
GOOD = "#2f855a"
BAD = "#c53030"

TIER_COLORS = ("#ffffff", "#fdf1d3", "#fadfb5", "#f4bfa3", "#e39a94")
"""Background by breaker tier: the redder, the less is allowed."""


HEALTH_COLORS = ("#8c1d18", "#d1615d", "#f2b279", "#f5dfa8", "#a9cfc4", "#5d9c92")
"""Classes of health, from negative equity to ample."""


def faded(color: str, alpha: float) -> str:
    """Return a ``#rrggbb`` colour as CSS ``rgba``."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def layout(**more: Any) -> dict[str, Any]:
    """Return the layout that every figure starts from."""
    base: dict[str, Any] = {
        "template": "none",
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "margin": {"l": 56, "r": 16, "t": 12, "b": 40},
        "hovermode": "x unified",
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        # The page draws its own legends: they wrap on narrow screens.
        "showlegend": False,
        "height": 340,
    }
    return base | more


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis with light grid lines."""
    base: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 11, "color": MUTED}, "standoff": 8},
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": GRID,
        "tickfont": {"size": 11, "color": MUTED},
        "automargin": True,
    }
    return base | more


def hours_axis(**more: Any) -> dict[str, Any]:
    """Return the time axis."""
    return axis("hours of chain time", showspikes=True, spikethickness=1, spikedash="dot", **more)
