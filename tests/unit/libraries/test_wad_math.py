"""Full-width arithmetic against Python's integers, above all its rounding of negative numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
UINT256_MAX = 2**256 - 1
INT256_MAX = 2**255 - 1
INT256_MIN = -(2**255)

uints = st.one_of(st.integers(0, 5), st.integers(0, UINT256_MAX), st.integers(0, 2**128))
ints = st.one_of(
    st.integers(-5, 5), st.integers(INT256_MIN, INT256_MAX), st.integers(-(2**128), 2**128)
)

by_module = settings(max_examples=60, deadline=None)


def ceil_div(n, d):
    return -(-n // d)


@by_module
@given(x=uints, y=uints, d=uints)
def test_mul_div__any_operands__floor_and_ceiling_or_overflow(harness, refuses, x, y, d):
    for function, divide in (
        ("mulDivDown", lambda n: n // d),
        ("mulDivUp", lambda n: ceil_div(n, d)),
    ):
        if d == 0 or divide(x * y) > UINT256_MAX:
            with refuses("FullMulDivFailed"):
                harness.call(function, x, y, d)
        else:
            assert harness.call(function, x, y, d) == divide(x * y)


@by_module
@given(x=uints, y=st.integers(0, WAD))
def test_mul__by_a_fraction__rounds_as_its_name_says(harness, x, y):
    assert harness.call("mulDown", x, y) == x * y // WAD
    assert harness.call("mulUp", x, y) == ceil_div(x * y, WAD)


@by_module
@given(x=ints, y=uints, d=st.integers(1, UINT256_MAX))
def test_signed_mul_div__any_operands__floor_towards_minus_infinity_and_ceil_to_plus(
    harness, x, y, d
):
    for function, result in (("mulDivFloor", x * y // d), ("mulDivCeil", ceil_div(x * y, d))):
        if abs(result) <= INT256_MAX:
            assert harness.call(function, x, y, d) == result


@pytest.mark.parametrize(("function", "x"), [("mulDivFloor", 1), ("mulDivCeil", -1)])
def test_signed_mul_div__result_beyond_int256__refused(harness, refuses, function, x):
    with refuses("Overflow"):
        harness.call(function, x, 2**255, 1)


@by_module
@given(x=ints, y=st.integers(0, 2 * WAD))
def test_mul_floor__signed__towards_minus_infinity(harness, x, y):
    if abs(x * y // WAD) <= INT256_MAX:
        assert harness.call("mulFloor", x, y) == x * y // WAD


@by_module
@given(n=ints, d=st.integers(1, INT256_MAX))
def test_div_floor__signed__is_pythons_floor(harness, n, d):
    assert harness.call("divFloor", n, d) == n // d


@pytest.mark.parametrize(
    ("n", "d", "quotient"),
    [
        (7, 2, 3),
        (-7, 2, -4),
        (-8, 2, -4),
        (-1, WAD, -1),
        (0, 3, 0),
        (INT256_MIN, 3, INT256_MIN // 3),
    ],
)
def test_div_floor__around_zero__steps_down_only_with_a_remainder(harness, n, d, quotient):
    assert harness.call("divFloor", n, d) == quotient


def test_div_floor__divisor_of_zero_or_beyond_int256__refused(harness, refuses):
    with refuses("Panic", 0x12):
        harness.call("divFloor", 1, 0)
    with refuses("Overflow"):
        harness.call("divFloor", 1, 2**255)


@pytest.mark.parametrize("x", [0, 1, -1, INT256_MAX, INT256_MIN, INT256_MIN + 1])
def test_abs__edges__including_the_minimum(harness, x):
    assert harness.call("abs", x) == abs(x)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 2), (2, 1), (UINT256_MAX, 0)])
def test_min_and_max__either_order(harness, a, b):
    assert (harness.call("min", a, b), harness.call("max", a, b)) == (min(a, b), max(a, b))
