"""Twin of ``TokenScale``: token units (0 to 18 decimals) to WAD and back."""

from __future__ import annotations

from bulkhead.model.math import checked_uint

# 10^(18 − decimals), for decimals 0 to 18.
_UNIT = [1]
for _ in range(18):
    _UNIT.insert(0, 10 * _UNIT[0])


def to_wad(amount_tokens: int, decimals: int) -> int:
    """Return WAD of token units, exactly.

    Raises:
        Panic: 0x11, the result exceeds 256 bits.
    """
    return checked_uint(amount_tokens * _UNIT[decimals])


def to_tokens_down(amount: int, decimals: int) -> int:
    """Return whole token units of a WAD amount: payouts."""
    return amount // _UNIT[decimals]


def to_tokens_up(amount: int, decimals: int) -> int:
    """Return token units that are worth no less than a WAD amount: payments due.

    Raises:
        Panic: 0x11, the sum before the division exceeds 256 bits.
    """
    unit = _UNIT[decimals]
    return checked_uint(amount + unit - 1) // unit
