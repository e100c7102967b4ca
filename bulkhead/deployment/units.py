"""Numbers as people write them, as the exact integers that contracts take. No floats anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

WAD = 10**18
UINT16_MAX = 2**16 - 1
UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1
UINT128_MAX = 2**128 - 1

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
_DURATION = re.compile(r"^(\d+)\s*([smhd]?)$")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def to_decimal(value: Any) -> Decimal:
    """Return a number as an exact decimal.

    Args:
        value: a decimal, an integer, or either in a string (``"0.05"``, ``"1_000"``).

    Raises:
        ValueError: anything else, floats above all.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError(f"{value!r} is not a number written as decimal, integer or string")
    try:
        number = Decimal(value.replace("_", "") if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return number


def scaled(value: Any, decimals: int) -> int:
    """Return ``value · 10^decimals``, which must be whole.

    Raises:
        ValueError: no number, or more digits than ``decimals``.
    """
    number = to_decimal(value)
    try:
        with localcontext(_EXACT):
            shifted = number.scaleb(decimals)
            if shifted != shifted.to_integral_value():
                raise ValueError(f"{value} has more than {decimals} decimals")
            return int(shifted)
    except (Inexact, InvalidOperation):
        raise ValueError(f"{value} has too many digits") from None


def to_wad(value: Any) -> int:
    """Return a number in WAD (1.0 = 10^18)."""
    return scaled(value, 18)


def to_basis_points(value: Any) -> int:
    """Return a fraction in ten-thousandths (1.0 = 10,000)."""
    return scaled(value, 4)


def from_basis_points(amount: int) -> str:
    """Return ten-thousandths as a decimal number in full."""
    return unscaled(amount, 4)


def unscaled(amount: int, decimals: int) -> str:
    """Return ``amount / 10^decimals`` in full, without an exponent."""
    with localcontext(_EXACT):
        text = f"{Decimal(amount).scaleb(-decimals):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_wad(amount: int) -> str:
    """Return a WAD amount as a decimal number in full."""
    return unscaled(amount, 18)


def to_seconds(value: Any) -> int:
    """Return a duration in seconds, from seconds or from ``"90s"``, ``"5m"``, ``"12h"``, ``"7d"``.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _DURATION.match(value.replace("_", "")) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration: write seconds, or 90s, 5m, 12h, 7d")
    return int(match[1]) * _SECONDS[match[2]]


def _whole(value: Any) -> int:
    return scaled(value, 0)


@dataclass(frozen=True)
class _Quantity:
    """Base of the annotations below: parses, checks the bounds, writes back what it read.

    Attributes:
        minimum: least value, as people write it.
        maximum: greatest value, likewise.
    """

    minimum: str | int
    maximum: str | int

    @property
    def lowest(self) -> int:
        """The least value as contracts take it."""
        return self._parse()(self.minimum)

    @property
    def highest(self) -> int:
        """The greatest value as contracts take it."""
        return self._parse()(self.maximum)

    def _parse(self) -> Callable[[Any], int]:
        raise NotImplementedError

    def _format(self) -> Callable[[int], Any]:
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        parse, write = self._parse(), self._format()
        lowest, highest = self.lowest, self.highest

        def validate(value: Any) -> int:
            number = parse(value)
            if number < lowest:
                raise ValueError(f"{write(number)} is below the limit {write(lowest)}")
            if number > highest:
                raise ValueError(f"{write(number)} is above the limit {write(highest)}")
            return number

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(write),
        )


class Wad(_Quantity):
    """A number with up to 18 decimals in the file, an integer in WAD in Python."""

    def _parse(self) -> Callable[[Any], int]:
        return to_wad

    def _format(self) -> Callable[[int], Any]:
        return from_wad


class BasisPoints(_Quantity):
    """A fraction with up to four decimals in the file, in ten-thousandths in Python."""

    def _parse(self) -> Callable[[Any], int]:
        return to_basis_points

    def _format(self) -> Callable[[int], Any]:
        return from_basis_points


class Seconds(_Quantity):
    """A duration in seconds; the file may say ``"5m"``."""

    def _parse(self) -> Callable[[Any], int]:
        return to_seconds

    def _format(self) -> Callable[[int], Any]:
        return int


class Whole(_Quantity):
    """A whole number without a unit."""

    def _parse(self) -> Callable[[Any], int]:
        return _whole

    def _format(self) -> Callable[[int], Any]:
        return int
