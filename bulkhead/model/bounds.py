"""Hard bounds of parameters, twin of ``Bounds``."""

from __future__ import annotations

from bulkhead.model.reverts import RiskParameters_OutOfBounds
from bulkhead.model.types import Thresholds

MAX_AMOUNT = 10**36
"""Greatest size, cap or threshold, WAD."""


def bound(parameter: str, value: int, minimum: int, maximum: int) -> None:
    """Check a parameter.

    Raises:
        RiskParameters_OutOfBounds: it leaves its bounds.
    """
    if not minimum <= value <= maximum:
        raise RiskParameters_OutOfBounds(parameter, value, minimum, maximum)


def ascending(parameter: str, thresholds: Thresholds) -> None:
    """Check that thresholds rise strictly from one.

    Raises:
        RiskParameters_OutOfBounds: one does not.
    """
    least = 1
    for threshold in thresholds:
        bound(parameter, threshold, least, MAX_AMOUNT)
        least = threshold + 1
