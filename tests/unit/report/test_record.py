"""Runs are written whole, read back equal, and their tables add up."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bulkhead.report.files import write_json, write_text
from bulkhead.report.record import RunRecord, load_record
from bulkhead.report.tables import collateral_rows, exact, ledger_rows, money, waterfall_rows
from bulkhead.report.terminal import print_run

WAD = 10**18


def test_write__read_back__is_equal(record: RunRecord, tmp_path: Path) -> None:
    record.write(tmp_path)
    assert load_record(tmp_path) == record
    assert json.loads((tmp_path / "summary.json").read_text())["bad_debt"] == "100.5"


def test_load__of_another_format__is_refused(record: RunRecord, tmp_path: Path) -> None:
    record.write(tmp_path)
    (tmp_path / "series.json").write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(ValueError, match="was not written by this version"):
        load_record(tmp_path)


def test_write_text__failing_half_way__leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_write_json__ends_with_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"h": "§"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "h": "§"\n}\n'


def test_ledger_rows__add_up_to_custody(record: RunRecord) -> None:
    rows = ledger_rows(record)
    assert [r.label for r in rows] == [
        "opening balance",
        "trading losses",
        "closing balance",
        "surplus (rounding)",
        "tokens in custody",
    ]
    assert rows[1].total == 0
    assert rows[-1].total == 150 * WAD + 3


def test_waterfall_rows__leave_out_what_is_zero_but_not_the_proof(record: RunRecord) -> None:
    names = [name for name, *_ in waterfall_rows(record)]
    assert names == ["total", "from_cash", "outstanding", "insurance", "nobody"]


def test_collateral_rows__are_whole_tokens(record: RunRecord) -> None:
    [(token, cells)] = collateral_rows(record)
    assert (token, cells[0], cells[2]) == ("WBTC", "1.5000", "−0.5000")


@pytest.mark.parametrize(
    ("wad", "decimals", "text"),
    [
        (0, 2, "0.00"),
        (1_234_567 * WAD + WAD // 2, 2, "1,234,567.50"),
        (-5 * WAD, 0, "−5"),
        (-1, 2, "0.00"),
        (WAD - 1, 0, "1"),
    ],
)
def test_money(wad: int, decimals: int, text: str) -> None:
    assert money(wad, decimals) == text


@pytest.mark.parametrize(
    ("wad", "text"), [(0, "0"), (1, "0.000000000000000001"), (-15 * WAD // 10, "-1.5")]
)
def test_exact(wad: int, text: str) -> None:
    assert exact(wad) == text


@pytest.mark.parametrize("width", [80, 140])
def test_print_run__at_any_width__shows_balances_and_proof(record: RunRecord, width: int) -> None:
    console = Console(width=width, record=True, file=StringIO())
    print_run(record, console)
    text = console.export_text()
    for words in ("tokens in custody", "closing balance", "to the wei", "CircuitBreaker_Blocked"):
        assert words in text, words
    assert max(map(len, text.splitlines())) <= width


def test_print_run__broken__names_block_and_numbers(record: RunRecord) -> None:
    record.violations = [{"id": "CUS-1", "block": 3, "message": "5 WAD short"}]
    console = Console(width=100, record=True, file=StringIO())
    print_run(record, console)
    assert "CUS-1 broken in block 3: 5 WAD short" in console.export_text()
