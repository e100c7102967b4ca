"""Outside prices from a CSV file: read, checked line by line, and resampled to a scenario's steps.

Format: a header line, then one line per observation. ``timestamp`` is Unix seconds or ISO 8601 (UTC
unless it says otherwise), strictly ascending, at any spacing. Every other column is a price:

* ``ETH``, ``BTC``: settlement units per 1.0;
* ``LST/ETH``: the pegged collateral's market price as a fraction of what it redeems for (1.0: at
  par); ``LST``: its price in settlement units, divided by ``ETH`` of the same line;
* exactly one column of another name (``USDC``, say) stands for that fraction.

An empty cell is a missing observation. Between observations prices are interpolated linearly; gaps
beyond a limit are bridged the same way and reported.
"""

from __future__ import annotations

import csv
import io
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TIMESTAMP = "timestamp"
ETH = "ETH"
BTC = "BTC"
RATIO = "LST/ETH"
LST = "LST"
MAX_GAP_SECONDS = 6 * 3600
MAX_PRICE = 1e9
"""Settlement units: beyond this a cell is a slip, and would not fit a feed."""
MAX_RATIO = 2.0
"""A pegged token at twice its fair value is a column of something else."""
MAX_FILE_BYTES = 50_000_000


class PriceFileError(ValueError):
    """A price file that cannot be used; the message is one line and names the line at fault."""

    def __init__(self, path: Path | str, message: str, line: int | None = None) -> None:
        where = f"{path}, line {line}" if line is not None else str(path)
        super().__init__(f"{where}: {message}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without observations. ``line`` is where it ends, ``seconds`` how long it is."""

    column: str
    line: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """One column: Unix seconds, strictly ascending, and the price at each."""

    times: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, time: float) -> float:
        """Return the price at ``time`` (Unix seconds): linear between, flat outside."""
        right = bisect_right(self.times, time)
        if right == 0:
            return self.values[0]
        if right == len(self.times):
            return self.values[-1]
        before, after = self.times[right - 1], self.times[right]
        weight = (time - before) / (after - before)
        return self.values[right - 1] * (1 - weight) + self.values[right] * weight


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """A whole file.

    Attributes:
        series: ``ETH``, ``BTC``, ``LST/ETH`` as far as the file has them.
        origin: which column each series came from.
        first, last: Unix seconds of the first and last observation.
        gaps: those beyond the limit.
        rows: number of observations.
    """

    path: str
    series: dict[str, PriceSeries]
    origin: dict[str, str]
    first: float
    last: float
    gaps: tuple[Gap, ...]
    rows: int

    @property
    def span_seconds(self) -> float:
        """Seconds from the first to the last observation."""
        return self.last - self.first


def load_prices(
    path: Path | str,
    ratio_column: str | None = None,
    max_gap_seconds: float = MAX_GAP_SECONDS,
) -> PriceHistory:
    """Read and check a price file.

    Args:
        path: the CSV file, UTF-8.
        ratio_column: the column to use as the pegged collateral's fraction of fair value.
        max_gap_seconds: longer stretches without an observation are reported.

    Raises:
        PriceFileError: the file cannot be used.
    """
    path = Path(path)
    table = _Table(path, _read_text(path))
    mapping = _choose_columns(path, table.header, ratio_column)
    series: dict[str, PriceSeries] = {}
    gaps: list[Gap] = []
    for name, column in mapping.items():
        times, values, lines = table.column(column)
        if len(times) < 2:
            raise PriceFileError(path, f"column {column!r} has fewer than two observations")
        gaps += [
            Gap(column, line, later - earlier)
            for earlier, later, line in zip(times, times[1:], lines[1:], strict=False)
            if later - earlier > max_gap_seconds
        ]
        series[name] = PriceSeries(tuple(times), tuple(values))
    origin = dict(mapping)
    if LST in series:
        series[RATIO] = _ratio_of_prices(path, table, mapping)
        origin[RATIO] = f"{mapping[LST]} / {mapping[ETH]}"
        del series[LST], origin[LST]
    if RATIO in series:
        _require_ratio(path, series[RATIO], origin[RATIO])
    return PriceHistory(
        str(path), series, origin, table.times[0], table.times[-1], tuple(gaps), len(table.times)
    )


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise PriceFileError(path, "is a folder, a CSV file is expected")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PriceFileError(path, f"is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise PriceFileError(path, f"cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PriceFileError(path, "is not UTF-8 text", line) from error
    if "\0" in text:
        raise PriceFileError(path, "is not text", text[: text.index("\0")].count("\n") + 1)
    return text


class _Table:
    """Header and rows of a file, with the line number of each row."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        reader = csv.reader(io.StringIO(text), strict=True)
        try:
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
        except csv.Error as error:
            raise PriceFileError(path, f"is not CSV: {error}", reader.line_num) from error
        if not rows:
            raise PriceFileError(path, "is empty")
        self.header = [cell.strip() for cell in rows[0][1]]
        self._check_header(rows[0][0])
        if len(rows) < 3:
            raise PriceFileError(path, "has fewer than two observations")
        self._rows = rows[1:]
        self.lines = [line for line, _ in self._rows]
        self.times = self._times()

    def _check_header(self, line: int) -> None:
        if TIMESTAMP not in self.header:
            raise PriceFileError(
                self._path, f"no column {TIMESTAMP!r} in the header {','.join(self.header)!r}", line
            )
        seen: set[str] = set()
        for name in self.header:
            if not name:
                raise PriceFileError(self._path, "a column has no name", line)
            if name in seen:
                raise PriceFileError(self._path, f"column {name!r} appears twice", line)
            seen.add(name)
        if len(self.header) < 2:
            raise PriceFileError(self._path, "there is no price column", line)

    def _times(self) -> list[float]:
        where = self.header.index(TIMESTAMP)
        times: list[float] = []
        for line, row in self._rows:
            if len(row) != len(self.header):
                raise PriceFileError(
                    self._path, f"{len(row)} cells, the header has {len(self.header)}", line
                )
            time = _parse_time(self._path, line, row[where].strip())
            if times and time == times[-1]:
                raise PriceFileError(self._path, f"timestamp {row[where]} appears twice", line)
            if times and time < times[-1]:
                raise PriceFileError(
                    self._path, f"timestamp {row[where]} goes back from the line before", line
                )
            times.append(time)
        return times

    def column(self, name: str) -> tuple[list[float], list[float], list[int]]:
        """Return times, prices and line numbers of a column's observations."""
        where = self.header.index(name)
        times: list[float] = []
        values: list[float] = []
        lines: list[int] = []
        for (line, row), time in zip(self._rows, self.times, strict=True):
            cell = row[where].strip()
            if not cell:
                continue
            values.append(_parse_price(self._path, line, name, cell))
            times.append(time)
            lines.append(line)
        return times, values, lines


def _parse_time(path: Path, line: int, cell: str) -> float:
    if not cell:
        raise PriceFileError(path, "the timestamp is missing", line)
    try:
        time = float(cell)
    except ValueError:
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError:
            raise PriceFileError(
                path, f"timestamp {cell!r} is neither Unix seconds nor ISO 8601", line
            ) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(time) or time < 0:
        raise PriceFileError(path, f"timestamp {cell!r} is no point in time", line)
    if time > 1e11:
        raise PriceFileError(path, f"timestamp {cell!r} looks like milliseconds, not seconds", line)
    return time


def _parse_price(path: Path, line: int, column: str, cell: str) -> float:
    try:
        # Python reads "1_000" as a number; a price file with that is a slip.
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        raise PriceFileError(path, f"{column} is {cell!r}, not a number", line) from None
    if not math.isfinite(value):
        raise PriceFileError(path, f"{column} is {cell!r}, not a finite number", line)
    if value <= 0:
        raise PriceFileError(path, f"{column} is {cell}, a price is above zero", line)
    if value > MAX_PRICE:
        raise PriceFileError(path, f"{column} is {cell}, above the limit of {MAX_PRICE:g}", line)
    return value


def _choose_columns(path: Path, header: Sequence[str], ratio_column: str | None) -> dict[str, str]:
    """Return series name → column name."""
    columns = [name for name in header if name != TIMESTAMP]
    mapping = {name: name for name in (ETH, BTC, RATIO, LST) if name in columns}
    unknown = [name for name in columns if name not in mapping]
    if ratio_column is not None:
        if ratio_column not in columns:
            raise PriceFileError(
                path, f"no column {ratio_column!r}; there are {', '.join(columns)}", 1
            )
        mapping = {n: c for n, c in mapping.items() if n not in (RATIO, LST) and c != ratio_column}
        mapping[RATIO] = ratio_column
        return mapping
    if RATIO in mapping:
        mapping.pop(LST, None)  # The ratio says the same without rounding.
    elif LST in mapping and ETH not in mapping:
        raise PriceFileError(path, f"column {LST!r} needs column {ETH!r} to give the ratio", 1)
    elif LST not in mapping and unknown:
        if len(unknown) > 1:
            raise PriceFileError(
                path,
                f"columns {', '.join(unknown)} are unknown: choose one with --ratio-column",
                1,
            )
        mapping[RATIO] = unknown[0]
    return mapping


def _ratio_of_prices(path: Path, table: _Table, mapping: dict[str, str]) -> PriceSeries:
    times, prices, lines = table.column(mapping[LST])
    eth = dict(zip(*table.column(mapping[ETH])[:2], strict=True))
    values: list[float] = []
    for time, price, line in zip(times, prices, lines, strict=True):
        if time not in eth:
            raise PriceFileError(path, f"{LST} without {ETH} on the same line", line)
        values.append(price / eth[time])
    return PriceSeries(tuple(times), tuple(values))


def _require_ratio(path: Path, series: PriceSeries, origin: str) -> None:
    highest = max(series.values)
    if highest > MAX_RATIO:
        raise PriceFileError(
            path,
            f"{origin} reaches {highest:g}: as a fraction of fair value it should stay near 1.0",
        )
