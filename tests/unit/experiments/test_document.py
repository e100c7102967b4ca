"""The page shows what the command's formatter writes, and nothing else between its markers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bulkhead.deployment.devnet import devnet_parameters
from bulkhead.experiments import oracle_attacks_report as report
from bulkhead.experiments.document import DocumentError, markdown_table, numbers_in, with_numbers
from bulkhead.experiments.oracle_attacks import FULL, ORACLE_ATTACKS, QUICK, outcome
from bulkhead.experiments.weights import Reach, cases
from bulkhead.model.oracle import PriceStatus

TEXT = """before
<!-- numbers: begin; one -->
old
<!-- numbers: end -->
between
<!-- numbers: begin; two -->
<!-- numbers: end -->
after
"""


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    """The numbers of the committed page."""
    return numbers_in(ORACLE_ATTACKS.document.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def quick(findings) -> dict[str, str]:
    """The tables of a quick run, by the same formatter."""
    return dict(outcome(findings).sections)


def rows(table: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|") and not line.startswith("| ---")
    ]


def cells(table: str, words: int) -> dict[tuple[str, ...], str]:
    """The cells of a table by the words of their row, and their column."""
    head, *body = rows(table)
    return {
        (*row[:words], column): cell
        for row in body
        for column, cell in zip(head[words:], row[words:], strict=True)
    }


def test_with_numbers__twice__is_as_once():
    sections = {"one": "| 1 |", "two": "2 \\1 {x}"}
    once = with_numbers(TEXT, sections)
    assert numbers_in(once) == sections
    assert with_numbers(once, sections) == once
    assert "old" not in once
    assert [w for w in ("before", "between", "after") if w not in once] == []


@pytest.mark.parametrize(
    ("text", "sections", "named"),
    [
        (TEXT, {"one": ""}, "two"),
        (TEXT, {"one": "", "two": "", "three": ""}, "three"),
        (TEXT.replace("; two", "; one"), {"one": ""}, "same name"),
        (TEXT.replace("; two", ""), {"one": "", "two": ""}, "two"),
    ],
)
def test_with_numbers__markers_that_do_not_fit__are_refused(text, sections, named):
    with pytest.raises(DocumentError, match=named):
        with_numbers(text, sections)


def test_page__its_markers__are_the_sections(page, quick):
    assert set(page) == set(quick)
    assert [name for name, text in page.items() if not text] == []


@pytest.mark.parametrize(("section", "words"), [("one-block", 2), ("hold", 2), ("unopposed", 1)])
def test_page__costs__are_what_is_measured_now(page, quick, section, words):
    shown, measured = cells(page[section], words), cells(quick[section], words)
    assert len(measured) >= len(QUICK.values) * len(QUICK.moves)
    assert {key: shown.get(key) for key in measured} == measured
    windows = len(FULL.windows) if words == 2 else 1
    assert len(shown) == len(FULL.values) * len(FULL.moves) * windows


def test_page__weights__are_what_is_measured_now(page, quick):
    shown, measured = rows(page["weights"]), rows(quick["weights"])
    assert len(measured) == 1 + len(cases(QUICK.sources, QUICK.quorums))
    assert [row for row in measured if row not in shown] == []
    assert len(shown) == 1 + len(cases(FULL.sources, FULL.quorums))


def test_page__liquidity_and_cliff__are_what_is_measured_now(page, quick):
    for section in ("liquidity", "cliff"):
        measured = rows(quick[section])
        assert len(measured) >= 3
        assert [row for row in measured if row not in rows(page[section])] == []


def test_page__harmonic_mean__is_satisfied_by_the_attackers_own_position(page, quick, findings):
    assert page["harmonic"] == quick["harmonic"]
    refused, answered = findings.cliffs
    assert (refused.own_value, refused.reached) == (0, None)
    assert 0 < answered.own_value < 1 < answered.cost.loss
    own, capital, loss = map(
        report.short, (answered.own_value, answered.cost.capital, answered.cost.loss)
    )
    assert f"refused with `{refused.refusal}`. With {own} of the attacker's" in page["harmonic"]
    assert page["harmonic"].endswith(f"It took {capital} of capital and lost {loss}.")


def test_silence_finding__some_honest_sources_silent__names_the_farthest(quick, findings):
    silent = [f for f in findings.weights if f.case.silent]
    farthest = max(f.up[-1].move for f in silent)
    # What an honest source is within 5 % of.
    assert Decimal("0.0526") <= farthest <= 1 / Decimal("0.95") - 1 + Decimal("0.0001")
    assert f"by up to {farthest * 100:.2f} % up" in quick["silence"]
    assert "0.10 % up and 0.10 % down, with status Valid" in quick["silence"]


def test_page__silence__is_the_farthest_of_its_table(page):
    head, *body = rows(page["weights"])
    silent, up, down = (head.index(n) for n in ("silent", "farthest up", "farthest down"))
    chosen = [row for row in body if row[silent] != "none"]
    assert all(row[up].endswith("Valid") and ";" not in row[up] for row in chosen)
    ups = sorted(row[up].removeprefix("+").removesuffix(" Valid") for row in chosen)
    downs = sorted(row[down].removeprefix("−").removesuffix(" Valid") for row in chosen)
    words = f"by up to {ups[-1]} up and {downs[-1]} down, with status Valid ({len(chosen)} cases)"
    assert words in page["silence"]


def test_devnet__one_faulty_and_one_silent_source__are_enough_for_eth():
    (eth,) = [a for a in devnet_parameters().oracle if a.name == "ETH"]
    shares = sorted(source.share for source in eth.sources)
    assert len(shares) == 3
    assert shares[-1] < eth.quorum <= shares[0] + shares[1]


def test_page__policy_and_devnet__are_those_of_the_code(page, quick):
    assert page["actions"] == quick["actions"]
    assert page["devnet"] == quick["devnet"]
    assert {row[0] for row in rows(quick["devnet"])} == {"asset", "ETH", "LST/ETH"}


def test_page__picture__is_there_and_shown():
    assert ORACLE_ATTACKS.image is not None
    assert ORACLE_ATTACKS.image.read_bytes().startswith(b"\x89PNG")
    text = ORACLE_ATTACKS.document.read_text(encoding="utf-8")
    assert f"](../images/{ORACLE_ATTACKS.image.name})" in text


def test_panels__of_each_window__show_measured_losses(findings):
    panels = report.panels(findings.attacks, Decimal("0.1"))
    assert [p.id for p in panels] == ["one-block", "hold"]
    for panel in panels:
        assert (panel.figure.layout.xaxis.type, panel.figure.layout.yaxis.type) == ("log", "log")
        points = [t for t in panel.figure.data if t.mode == "markers"]
        assert len(points) == len(QUICK.windows)
        shown = {(t.name, x, y) for t in points for x, y in zip(t.x, t.y, strict=True)}
        model = panel.id.replace("-", " ")
        assert shown == {
            (report.minutes(a.window), a.value, float(a.cost.loss))
            for a in findings.attacks
            if a.model == model and a.move == Decimal("0.1")
        }


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.0014", "0.0014"),
        ("0.5", "0.50"),
        ("2.5", "2.50"),
        ("999.6", "1.00 k"),
        ("98626992", "98.6 M"),
        ("100000000", "100 M"),
        ("16393068572137", "16.4 tn"),
        ("1234000000000000", "1,230 tn"),
    ],
)
def test_short__any_amount__has_three_digits(amount, text):
    assert report.short(Decimal(amount)) == text


def test_markdown_table__words_and_numbers__are_aligned():
    table = markdown_table(["a", "b"], [["x", "1"]])
    assert table == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_reach__as_printed__has_a_sign():
    found = Reach(PriceStatus.DEGRADED, Decimal("-0.04857"))
    assert report.reaches([found], is_bounded=True) == "−4.86 % Degraded"
    assert report.reaches([found], is_bounded=False) == "the adapters' bounds, Degraded"
