"""Twin of ``TokenScale``: token units (0 to 18 decimals) to WAD and back."""

from __future__ import annotations

from bulkhead.model.math import checked_uint


def to_wad(amount_tokens: int, decimals: int) -> int:
    """Return WAD of token units, exactly.

    Raises:
        Panic: 0x11, the result exceeds 256 bits.
    """
    return checked_uint(amount_tokens * 10 ** (18 - decimals))


def to_tokens_down(amount: int, decimals: int) -> int:
    """Return whole token units of a WAD amount: payouts."""
    return amount // 10 ** (18 - decimals)


def to_tokens_up(amount: int, decimals: int) -> int:
    """Return token units that are worth no less than a WAD amount: payments due.

    Raises:
        Panic: 0x11, the sum before the division exceeds 256 bits.
    """
    unit = 10 ** (18 - decimals)
    return checked_uint(amount + unit - 1) // unit
