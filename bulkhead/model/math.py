"""Twin of ``WadMath``: fixed-point arithmetic at WAD (1e18), rounding direction in every name.

Unsigned helpers end in ``down``/``up``; signed ones in ``floor`` (towards −∞) or ``ceil`` (towards
+∞). Arguments are taken to be in the range of their Solidity type; results are checked against it.
Where the EVM truncates towards zero, use ``div_trunc`` and ``rem_trunc``: Python's ``//`` and ``%``
floor.
"""

from __future__ import annotations

from math import isqrt

from bulkhead.model.errors import (
    ARITHMETIC,
    DIVISION_BY_ZERO,
    FullMulDivFailed,
    Panic,
    RPowOverflow,
    SafeCastOverflow,
)

WAD = 10**18
DAY = 86_400

UINT256_MAX = 2**256 - 1
INT256_MAX = 2**255 - 1
INT256_MIN = -(2**255)


def to_uint(value: int, bits: int = 256) -> int:
    """Return ``value`` if it fits ``uint{bits}``.

    Raises:
        SafeCastOverflow: it does not.
    """
    if not 0 <= value < 1 << bits:
        raise SafeCastOverflow()
    return value


def to_int(value: int, bits: int = 256) -> int:
    """Return ``value`` if it fits ``int{bits}``.

    Raises:
        SafeCastOverflow: it does not.
    """
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise SafeCastOverflow()
    return value


def checked_uint(value: int, bits: int = 256) -> int:
    """Return the result of checked unsigned arithmetic.

    Raises:
        Panic: 0x11, the result is negative or too large.
    """
    if not 0 <= value < 1 << bits:
        raise Panic(ARITHMETIC)
    return value


def checked_int(value: int, bits: int = 256) -> int:
    """Return the result of checked signed arithmetic.

    Raises:
        Panic: 0x11, the result is out of range.
    """
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise Panic(ARITHMETIC)
    return value


def div_trunc(n: int, d: int) -> int:
    """``n / d`` as the EVM's SDIV does it: rounded towards zero.

    Raises:
        Panic: 0x12, ``d`` is zero.
    """
    if d == 0:
        raise Panic(DIVISION_BY_ZERO)
    q = abs(n) // abs(d)
    return q if (n < 0) == (d < 0) else -q


def rem_trunc(n: int, d: int) -> int:
    """``n % d`` as the EVM's SMOD does it: the sign of the numerator.

    Raises:
        Panic: 0x12, ``d`` is zero.
    """
    return n - d * div_trunc(n, d)


def mul_div_down(x: int, y: int, d: int) -> int:
    """⌊x·y / d⌋.

    Raises:
        FullMulDivFailed: ``d`` is zero or the quotient exceeds 256 bits.
    """
    if d == 0:
        raise FullMulDivFailed()
    q = x * y // d
    if q > UINT256_MAX:
        raise FullMulDivFailed()
    return q


def mul_div_up(x: int, y: int, d: int) -> int:
    """⌈x·y / d⌉.

    Raises:
        FullMulDivFailed: ``d`` is zero or the quotient exceeds 256 bits.
    """
    if d == 0:
        raise FullMulDivFailed()
    q = -(-x * y // d)
    if q > UINT256_MAX:
        raise FullMulDivFailed()
    return q


def mul_down(x: int, y: int) -> int:
    """⌊x·y⌋ for WAD factors."""
    return mul_div_down(x, y, WAD)


def mul_up(x: int, y: int) -> int:
    """⌈x·y⌉ for WAD factors."""
    return mul_div_up(x, y, WAD)


def mul_div_floor(x: int, y: int, d: int) -> int:
    """⌊x·y / d⌋ for a signed ``x``, rounded towards −∞.

    Raises:
        FullMulDivFailed: ``d`` is zero or the quotient exceeds 256 bits.
        SafeCastOverflow: the quotient's magnitude exceeds the maximum of int256.
    """
    return to_int(mul_div_down(x, y, d)) if x >= 0 else -to_int(mul_div_up(-x, y, d))


def mul_div_ceil(x: int, y: int, d: int) -> int:
    """⌈x·y / d⌉ for a signed ``x``, rounded towards +∞.

    Raises:
        FullMulDivFailed: ``d`` is zero or the quotient exceeds 256 bits.
        SafeCastOverflow: the quotient's magnitude exceeds the maximum of int256.
    """
    return to_int(mul_div_up(x, y, d)) if x >= 0 else -to_int(mul_div_down(-x, y, d))


def mul_floor(x: int, y: int) -> int:
    """⌊x·y⌋ for WAD factors and a signed ``x``, towards −∞."""
    return mul_div_floor(x, y, WAD)


def mul_ceil(x: int, y: int) -> int:
    """⌈x·y⌉ for WAD factors and a signed ``x``, towards +∞."""
    return mul_div_ceil(x, y, WAD)


def mul_away(x: int, y: int) -> int:
    """x·y for WAD factors, signed ``x``, rounded away from zero."""
    product = to_int(mul_up(abs(x), y))
    return product if x >= 0 else -product


def div_floor(n: int, d: int) -> int:
    """⌊n / d⌋ towards −∞ for a signed numerator and an unsigned divisor.

    Raises:
        SafeCastOverflow: ``d`` exceeds the maximum of int256.
        Panic: 0x12, ``d`` is zero.
    """
    to_int(d)
    if d == 0:
        raise Panic(DIVISION_BY_ZERO)
    return n // d


def div_ceil(n: int, d: int) -> int:
    """⌈n / d⌉ towards +∞ for a signed numerator and an unsigned divisor.

    Raises:
        SafeCastOverflow: ``d`` exceeds the maximum of int256.
        Panic: 0x12, ``d`` is zero.
    """
    to_int(d)
    if d == 0:
        raise Panic(DIVISION_BY_ZERO)
    return -(-n // d)


def sqrt(x: int) -> int:
    """⌊√x⌋, as solady's for all of 256 bits."""
    return isqrt(x)


def rpow(x: int, n: int, base: int) -> int:
    """``(x / base)ⁿ · base`` by squaring, each product rounded half up, as solady's.

    Raises:
        RPowOverflow: an intermediate product does not fit.
    """
    if x == 0:
        return 0 if n else base
    z = x if n & 1 else base
    half = base >> 1
    n >>= 1
    while n:
        if x >> 128 or x * x + half > UINT256_MAX:
            raise RPowOverflow()
        x = (x * x + half) // base
        if n & 1:
            if x and z * x + half > UINT256_MAX:
                raise RPowOverflow()
            z = (z * x + half) // base
        n >>= 1
    return z
