"""One HTML file with everything in it: figures, their library, tables and styles."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from bulkhead.report import theme
from bulkhead.report.figures import panels
from bulkhead.report.files import write_text
from bulkhead.report.panel import Panel
from bulkhead.report.record import REPORT_FILE, RunRecord
from bulkhead.report.story import headline_numbers, story
from bulkhead.report.tables import (
    COLLATERAL_COLUMNS,
    LedgerRow,
    collateral_rows,
    ledger_rows,
    money,
)

_CONFIG = {"responsive": True, "displayModeBar": False}
POSTER_CHART_HEIGHT = 300
_POSTER_STYLE = """
header .inner, main { max-width: none; padding-left: 28px; padding-right: 28px; }
header .inner { padding-top: 22px; padding-bottom: 18px; }
.story { max-width: none; }
.tiles { grid-template-columns: repeat(10, minmax(0, 1fr)); }
.grid { grid-template-columns: repeat(3, minmax(0, 1fr)); margin-top: 16px; }
main { padding-bottom: 20px; }
"""


def write_report(record: RunRecord, folder: Path) -> Path:
    """Write the page into a folder and return its path.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / REPORT_FILE
    write_text(path, render(record))
    return path


def render(record: RunRecord) -> str:
    """Return the page as HTML. It loads nothing from anywhere."""
    shown = panels(record)
    return _document(
        record,
        [
            _header(record),
            "<main>",
            _section("What happened", [p for p in shown if p.is_timed]),
            _section("Who paid, and what was refused", [p for p in shown if not p.is_timed]),
            _ledger(record),
            _invariants(record),
            _notes(record),
            "</main>",
            _script(shown),
        ],
    )


_POSTER = ("peg", "health", "tier", "liquidations", "custody", "waterfall")


def render_poster(record: RunRecord) -> str:
    """Return the page that the picture is taken of: six figures, no scrolling."""
    by_id = {p.id: p for p in panels(record)}
    shown = [replace(by_id[name], wide=False, caption="") for name in _POSTER]
    for panel in shown:
        panel.figure.update_layout(height=POSTER_CHART_HEIGHT)
    grid = "".join(_card(p) for p in shown)
    body = [_header(record), f'<main><div class="grid">{grid}</div></main>', _script(shown)]
    return _document(record, body, _POSTER_STYLE)


def render_figures(title: str, text: str, shown: list[Panel]) -> str:
    """Return a page with nothing but figures side by side, for pictures.

    Args:
        title: its heading.
        text: a sentence or two below.
        shown: the figures.
    """
    header = (
        f'<header><div class="inner"><h1>{html.escape(title)}</h1>'
        f'<p class="story">{html.escape(text)}</p></div></header>'
    )
    grid = "".join(_card(p) for p in shown)
    style = _POSTER_STYLE + f".grid {{ grid-template-columns: repeat({len(shown)}, 1fr); }}"
    body = [header, f'<main><div class="grid">{grid}</div></main>', _script(shown)]
    return _html(title, body, style)


def _document(record: RunRecord, body: list[str], more_style: str = "") -> str:
    return _html(record.title, body, more_style)


def _html(title: str, body: list[str], more_style: str) -> str:
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{_style()}{more_style}</style>",
        f"<script>{get_plotlyjs()}</script>",
        "</head><body>",
        *body,
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


# ---------------------------------------------------------------------- parts


def _header(record: RunRecord) -> str:
    flag = ""
    if record.is_interrupted:
        flag = '<p class="flag">This run was interrupted: it shows what was recorded so far.</p>'
    tiles = "".join(
        f'<div class="tile {tone}"><div class="number">{html.escape(number)}</div>'
        f'<div class="label">{html.escape(label)}</div></div>'
        for number, label, tone in headline_numbers(record)
    )
    chips = "".join(
        f'<span class="chip" style="background:{color}">tier {tier}</span>'
        for tier, color in enumerate(theme.TIER_COLORS)
    )
    return (
        f'<header><div class="inner"><p class="kicker">Bulkhead · {html.escape(record.scenario)}'
        f"</p><h1>{html.escape(record.title)}</h1>{flag}"
        f'<p class="story">{html.escape(story(record))}</p>'
        f'<div class="tiles">{tiles}</div>'
        f'<p class="chips">Background of the charts: circuit breaker {chips}</p></div></header>'
    )


def _section(title: str, shown: list[Panel]) -> str:
    cards = "".join(_card(p) for p in shown)
    return f'<h2>{html.escape(title)}</h2><div class="grid">{cards}</div>'


def _card(p: Panel) -> str:
    caption = f"<p>{html.escape(p.caption)}</p>" if p.caption else ""
    entries = "".join(
        f'<button type="button" data-chart="chart-{p.id}" data-traces="{json.dumps(e.traces)}">'
        f'<i style="{e.css}"></i>{html.escape(e.name)}</button>'
        for e in p.legend
    )
    return (
        f'<section class="card{" wide" if p.wide else ""}" id="{p.id}">'
        f'<h3>{html.escape(p.title)}</h3>{caption}<div class="legend">{entries}</div>'
        f'<div class="chart" id="chart-{p.id}" style="height:{p.figure.layout.height}px"></div>'
        "</section>"
    )


def _ledger(record: RunRecord) -> str:
    rows = ledger_rows(record)
    if not rows:
        return ""
    heads = ("principal", "pool", "insurance", "fees", "all custody", "(debt", "claims)")
    head = "<th></th>" + "".join(f"<th>{h}</th>" for h in heads)
    body = "".join(_ledger_line(row) for row in rows)
    return (
        '<h2>Where every unit went</h2><section class="card wide"><p>Settlement tokens, in double '
        "entry, rebuilt from the event log alone and equal to the chain's own ledger. A row inside "
        "of the compartment sums to zero. Debt and claims are promises, not cash.</p>"
        f'<div class="scroll"><table class="ledger"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{_collateral(record)}</section>"
    )


def _collateral(record: RunRecord) -> str:
    rows = collateral_rows(record)
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in COLLATERAL_COLUMNS)
    body = "".join(
        f"<tr><th>{html.escape(token)}</th>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
        for token, cells in rows
    )
    return (
        "<p>Collateral in whole tokens: by the ledger, and what custody holds.</p>"
        f'<div class="scroll"><table class="ledger"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _ledger_line(row: LedgerRow) -> str:
    cells = "".join(
        f'<td title="{amount} wei">{money(amount) if amount else "·"}</td>'
        for amount in (*row.pots, row.total, row.debt, row.claims)
    )
    kind = " class='sum'" if row.is_sum else ""
    return f"<tr{kind}><th>{html.escape(row.label)}</th>{cells}</tr>"


def _invariants(record: RunRecord) -> str:
    lines = []
    for item in record.invariants:
        result = item["result"]
        tone = {"held": "good", "broken": "bad"}.get(result, "muted")
        first = f"<br><code>{html.escape(item['first'])}</code>" if item.get("first") else ""
        lines.append(
            f"<tr><th>{item['id']}</th><td>{html.escape(item['description'])}{first}</td>"
            f'<td class="number">{item["checks"]:,}</td><td class="{tone}">{result}</td></tr>'
        )
    return (
        '<h2>Invariants</h2><section class="card wide"><p>Evaluated on the state and events of '
        'every block.</p><div class="scroll"><table><thead><tr><th>id</th><th>statement</th>'
        f"<th>checks</th><th>result</th></tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        "</section>"
    )


def _notes(record: RunRecord) -> str:
    lines = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
        for name, text in record.notes.items()
    )
    return (
        f'<h2>What it was run with</h2><section class="card wide"><div class="scroll"><table>'
        f"<tbody>{lines}</tbody></table></div></section>"
    )


def _script(shown: list[Panel]) -> str:
    figures: list[dict[str, Any]] = [
        {"id": f"chart-{p.id}", "timed": p.is_timed, **json.loads(p.figure.to_json())}
        for p in shown
    ]
    # "</" would end the script early, wherever it stands.
    data = json.dumps(figures, separators=(",", ":")).replace("</", "<\\/")
    return (
        f"<script>const figures={data};const config={json.dumps(_CONFIG)};"
        """
const timed = figures.filter(f => f.timed).map(f => f.id);
const narrow = window.matchMedia("(max-width: 640px)").matches;
let linking = false;
for (const button of document.querySelectorAll(".legend button")) {
  button.addEventListener("click", () => {
    const hidden = button.classList.toggle("off");
    Plotly.restyle(button.dataset.chart, {visible: !hidden}, JSON.parse(button.dataset.traces));
  });
}
for (const f of figures) {
  if (narrow) f.layout.margin = Object.assign({}, f.layout.margin, {l: 44, r: 10});
  Plotly.newPlot(f.id, f.data, f.layout, config).then(chart => {
    if (!f.timed) return;
    chart.on("plotly_relayout", change => {
      if (linking) return;
      const from = change["xaxis.range[0]"], to = change["xaxis.range[1]"];
      const reset = change["xaxis.autorange"];
      if (from === undefined && !reset) return;
      linking = true;
      const range = reset ? figures.find(g => g.id === f.id).layout.xaxis.range : [from, to];
      const others = timed.filter(id => id !== f.id || reset);
      Promise.all(others.map(id => Plotly.relayout(id, {"xaxis.range": range.slice()})))
        .then(() => { linking = false; });
    });
  });
}
</script>"""
    )


def _style() -> str:
    return f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #f4f6f8; color: {theme.INK}; font: 15px/1.55 {theme.FONT}; }}
header {{ background: #17212b; color: #f3f6f9; }}
header .inner, main {{ max-width: 1240px; margin: 0 auto; padding: 0 20px; }}
header .inner {{ padding-top: 34px; padding-bottom: 26px; }}
.kicker {{ margin: 0; color: #8fa3b5; letter-spacing: .06em; text-transform: uppercase;
  font-size: 12px; font-weight: 600; }}
h1 {{ margin: 6px 0 12px; font-size: clamp(24px, 3.4vw, 36px); line-height: 1.15;
  letter-spacing: -.01em; }}
.story {{ max-width: 78ch; margin: 0 0 22px; color: #d3dce5; font-size: 16px; }}
.flag {{ background: {theme.INSURANCE}; color: #17212b; padding: 8px 12px; border-radius: 6px;
  font-weight: 600; }}
.tiles {{ display: grid; gap: 10px; grid-template-columns: repeat(5, minmax(0, 1fr)); }}
.tile {{ background: #22303d; border-radius: 8px; padding: 12px 14px;
  border-top: 3px solid #3f5366; }}
.tile.good {{ border-top-color: #48a877; }}
.tile.bad {{ border-top-color: {theme.DEBT}; }}
.tile .number {{ font-size: 22px; font-weight: 650; letter-spacing: -.01em;
  font-variant-numeric: tabular-nums; }}
.tile .label {{ color: #9fb1c1; font-size: 12.5px; line-height: 1.35; }}
.chips {{ margin: 18px 0 0; font-size: 12.5px; color: #9fb1c1; }}
.chip {{ color: {theme.INK}; border-radius: 10px; padding: 1px 9px; margin-left: 5px;
  white-space: nowrap; }}
h2 {{ margin: 34px 0 12px; font-size: 19px; }}
.grid {{ display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }}
.card {{ background: #fff; border: 1px solid #e3e8ee; border-radius: 10px; padding: 16px 18px 10px;
  min-width: 0; }}
.card.wide {{ grid-column: 1 / -1; }}
.card h3 {{ margin: 0; font-size: 16px; }}
.card p {{ margin: 3px 0 8px; color: {theme.MUTED}; font-size: 13.5px; max-width: 90ch; }}
.chart {{ width: 100%; }}
.legend {{ display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 2px 0 4px; }}
.legend button {{ display: inline-flex; align-items: center; gap: 6px; border: 0; padding: 1px 0;
  background: none; font: inherit; font-size: 12.5px; color: {theme.MUTED}; cursor: pointer; }}
.legend button.off {{ opacity: .35; text-decoration: line-through; }}
.legend i {{ display: inline-block; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: 13.5px; margin-bottom: 8px; }}
th, td {{ padding: 6px 10px; border-bottom: 1px solid #edf0f4; text-align: left;
  vertical-align: top; }}
thead th {{ color: {theme.MUTED}; font-weight: 600; font-size: 12.5px; }}
tbody th {{ font-weight: 600; white-space: nowrap; }}
td.number, .ledger td, .ledger thead th {{ text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }}
.ledger tbody th {{ font-weight: 400; }}
.ledger .sum th, .ledger .sum td {{ font-weight: 650; border-top: 2px solid #cfd7e0; }}
.good {{ color: {theme.GOOD}; font-weight: 600; }}
.bad {{ color: {theme.BAD}; font-weight: 700; }}
.muted {{ color: {theme.MUTED}; }}
.tile.good, .tile.bad {{ color: inherit; font-weight: inherit; }}
code {{ font-size: 12px; overflow-wrap: anywhere; }}
main {{ padding-bottom: 60px; }}
@media (max-width: 860px) {{ .grid {{ grid-template-columns: minmax(0, 1fr); }}
  .tiles {{ grid-template-columns: repeat(3, minmax(0, 1fr)); }} }}
@media (max-width: 640px) {{ header .inner, main {{ padding-left: 12px; padding-right: 12px; }}
  .card {{ padding: 12px 10px 6px; }} .tiles {{ grid-template-columns: repeat(2, 1fr); }} }}
"""
