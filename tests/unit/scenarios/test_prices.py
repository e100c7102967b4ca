"""Price files are used as they are meant or refused in one line, before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bulkhead.scenarios.prices import PriceFileError, load_prices

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Put text into a file and return its path."""

    def _write(text: str) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def test_load__unix_seconds_and_known_columns__keeps_every_cell(write: Write) -> None:
    history = load_prices(
        write("timestamp,ETH,BTC,LST/ETH\n100,2000,50000,1\n160,1900,49000,0.9\n")
    )
    assert history.series["ETH"].values == (2000.0, 1900.0)
    assert history.series["BTC"].times == (100.0, 160.0)
    assert history.series["LST/ETH"].values == (1.0, 0.9)
    assert (history.first, history.last, history.rows) == (100.0, 160.0, 2)
    assert history.gaps == ()


def test_load__iso_timestamps__are_utc_unless_they_say_otherwise(write: Write) -> None:
    history = load_prices(
        write("timestamp,ETH\n2023-03-10T12:00:00,1\n2023-03-10T14:00:00+01:00,2\n")
    )
    assert history.span_seconds == 3600


def test_load__one_unknown_column__is_the_ratio_and_says_so(write: Write) -> None:
    history = load_prices(write("timestamp,USDC\n1,1.0\n2,0.9\n"))
    assert history.origin == {"LST/ETH": "USDC"}


def test_load__two_unknown_columns__asks_for_the_option(write: Write) -> None:
    path = write("timestamp,USDC,DAI\n1,1,1\n2,1,1\n")
    with pytest.raises(PriceFileError, match=r"line 1: columns USDC, DAI are unknown.*--ratio-col"):
        load_prices(path)
    assert load_prices(path, "DAI").origin == {"LST/ETH": "DAI"}


def test_load__ratio_column_that_is_not_there__names_those_that_are(write: Write) -> None:
    with pytest.raises(PriceFileError, match="no column 'X'; there are ETH, USDC"):
        load_prices(write("timestamp,ETH,USDC\n1,1,1\n2,1,1\n"), "X")


def test_load__lst_price__is_divided_by_eth_of_the_same_line(write: Write) -> None:
    history = load_prices(write("timestamp,ETH,LST\n1,2000,1900\n2,1000,800\n"))
    assert history.series["LST/ETH"].values == pytest.approx((0.95, 0.8))
    assert history.origin["LST/ETH"] == "LST / ETH"
    assert "LST" not in history.series


def test_load__lst_price_without_eth__is_refused(write: Write) -> None:
    with pytest.raises(PriceFileError, match="'LST' needs column 'ETH'"):
        load_prices(write("timestamp,LST\n1,1900\n2,1800\n"))
    with pytest.raises(PriceFileError, match="line 3: LST without ETH"):
        load_prices(write("timestamp,ETH,LST\n1,2,1\n2,,1\n3,2,1\n"))


def test_load__long_gap__is_reported_with_its_line(write: Write) -> None:
    history = load_prices(write("timestamp,ETH\n0,1\n3600,1\n90000,1\n"), max_gap_seconds=7200)
    [gap] = history.gaps
    assert (gap.column, gap.line, gap.seconds) == ("ETH", 4, 86_400)


def test_load__empty_cells__are_missing_observations(write: Write) -> None:
    history = load_prices(write("timestamp,ETH,USDC\n0,100,1\n10,,1\n20,200,1\n"))
    assert history.series["ETH"].times == (0.0, 20.0)
    assert history.series["ETH"].at(10) == pytest.approx(150)


def test_at__between_and_outside__is_linear_and_flat(write: Write) -> None:
    series = load_prices(write("timestamp,ETH\n10,100\n20,200\n")).series["ETH"]
    assert [series.at(t) for t in (0, 10, 15, 20, 99)] == pytest.approx([100, 100, 150, 200, 200])


def test_load__byte_order_mark_blank_lines_and_spaces__are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbftimestamp, ETH\r\n1, 5\r\n\r\n2, 6\r\n")
    assert load_prices(path).series["ETH"].values == (5.0, 6.0)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "is empty"),
        ("\n\n", None, "is empty"),
        ("time,ETH\n1,1\n2,1\n", 1, "no column 'timestamp'"),
        ("timestamp\n1\n2\n", 1, "no price column"),
        ("timestamp,,ETH\n1,1,1\n2,1,1\n", 1, "a column has no name"),
        ("timestamp,ETH,ETH\n1,1,1\n2,1,1\n", 1, "'ETH' appears twice"),
        ("timestamp,ETH\n1,1\n", None, "fewer than two observations"),
        ("timestamp,ETH\n1,abc\n2,1\n", 2, "ETH is 'abc', not a number"),
        ("timestamp,ETH\n1,1\n2,1_000\n", 3, "not a finite number"),
        ("timestamp,ETH\n1,1\n2,-5\n", 3, "a price is above zero"),
        ("timestamp,ETH\n1,1\n2,0\n", 3, "a price is above zero"),
        ("timestamp,ETH\n1,1\n2,nan\n", 3, "not a finite number"),
        ("timestamp,ETH\n1,1\n2,inf\n", 3, "not a finite number"),
        ("timestamp,ETH\n1,1\n2,1e12\n", 3, "above the limit"),
        ("timestamp,ETH\n1,1\n1,2\n", 3, "appears twice"),
        ("timestamp,ETH\n5,1\n4,2\n", 3, "goes back"),
        ("timestamp,ETH\n,1\n4,2\n", 2, "the timestamp is missing"),
        ("timestamp,ETH\nyesterday,1\n4,2\n", 2, "neither Unix seconds nor ISO 8601"),
        ("timestamp,ETH\nnan,1\n4,2\n", 2, "no point in time"),
        ("timestamp,ETH\n1678456947000,1\n1678456948000,2\n", 2, "milliseconds"),
        ("timestamp,ETH\n1,1\n2\n", 3, "1 cells, the header has 2"),
        ("timestamp,ETH\n1,1\n2,2,3\n", 3, "3 cells, the header has 2"),
        ('timestamp,ETH\n1,"1\n', 2, "is not CSV"),
        ("timestamp,ETH\n1,1\n2,\0\n", 3, "is not text"),
        ("timestamp,USDC\n1,1\n2,1700\n", None, "near 1.0"),
        ("timestamp,ETH\n1,1\n2,\n3,\n", None, "'ETH' has fewer than two observations"),
    ],
)
def test_load__unusable_file__is_refused_with_its_line(
    write: Write, text: str, line: int | None, words: str
) -> None:
    with pytest.raises(PriceFileError) as caught:
        load_prices(write(text))
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert caught.value.line == line
    assert (f"line {line}:" in message) == (line is not None)


def test_load__other_encoding__names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"timestamp,ETH\n1,1\n2,\xb51\n")
    with pytest.raises(PriceFileError, match="line 3: is not UTF-8"):
        load_prices(path)


def test_load__missing_file_or_folder__is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="cannot be read"):
        load_prices(tmp_path / "nowhere.csv")
    with pytest.raises(PriceFileError, match="is a folder"):
        load_prices(tmp_path)
