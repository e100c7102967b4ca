"""The page stands alone: nothing is loaded, nothing is missing, nothing breaks out of its place."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bulkhead.report.figures import panels
from bulkhead.report.page import render, render_poster, write_report
from bulkhead.report.record import RunRecord

PANELS = {
    "peg",
    "eth",
    "tier",
    "interest",
    "funding",
    "health",
    "liquidations",
    "custody",
    "haircut",
    "waterfall",
    "refusals",
}


class _Page(HTMLParser):
    """Collects what a browser would fetch, and the ids and text that it would show."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.text = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._inside.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "poster", "data") or (name == "href" and tag == "link"):
                self.fetched.append(f"{tag} {name}={value}")
            if name == "id" and value:
                self.ids.add(value)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text += data


def test_render__loads_nothing(record: RunRecord) -> None:
    page = render(record)
    assert _Page(page).fetched == []
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles


def test_render__every_figure_has_its_place_and_its_data(record: RunRecord) -> None:
    page = render(record)
    assert {p.id for p in panels(record)} == PANELS
    assert {f"chart-{name}" for name in PANELS} <= _Page(page).ids
    data = re.search(r"const figures=(\[.*?\]);const config", page, re.DOTALL)
    assert data is not None
    figures = json.loads(data[1].replace("<\\/", "</"))
    assert {f["id"] for f in figures} == {f"chart-{name}" for name in PANELS}
    assert all(f["data"] for f in figures)


def test_render__words_of_the_run__cannot_become_markup(record: RunRecord) -> None:
    record.refusals = {"</script><b>": {"<i>": 1}}
    record.notes = {"<img src=x>": "<script>alert(1)</script>"}
    page = render(record)
    parsed = _Page(page)
    assert parsed.fetched == []
    assert "Depeg <cascade> & more" in parsed.text
    assert "<script>alert(1)</script>" in parsed.text


def test_render__key_numbers_and_tables__are_in_the_text(record: RunRecord) -> None:
    text = _Page(render(record)).text
    for words in ("12.3 %", "12,346 USDB", "closing balance", "150.00", "CUS-1", "WBTC", "1.5000"):
        assert words in text, words


def test_render__interrupted__says_so(record: RunRecord) -> None:
    assert "was interrupted" not in render(record)
    record.summary["status"] = "interrupted"
    assert "was interrupted" in render(record)


def test_render__broken_invariant__shows_its_numbers(record: RunRecord) -> None:
    record.invariants[0] |= {"result": "broken", "first": "block 3: 5 WAD short"}
    page = render(record)
    assert "block 3: 5 WAD short" in page
    assert "1 broken" in _Page(page).text


@pytest.mark.parametrize("rows", [0, 1])
def test_render__hardly_anything_recorded__still_works(record: RunRecord, rows: int) -> None:
    record.series = {name: values[:rows] for name, values in record.series.items()}
    record.refusals, record.tier_changes, record.flows, record.losses = {}, [], {}, {}
    assert _Page(render(record)).fetched == []


def test_render_poster__shows_six_figures(record: RunRecord) -> None:
    assert len([i for i in _Page(render_poster(record)).ids if i.startswith("chart-")]) == 6


def test_write_report__into_a_new_folder__is_whole(record: RunRecord, tmp_path: Path) -> None:
    path = write_report(record, tmp_path / "new" / "folder")
    assert path.read_text(encoding="utf-8").endswith("</body></html>\n")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
