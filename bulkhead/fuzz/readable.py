"""Addresses and account numbers in messages as the names of people."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEX = re.compile(r"0x([0-9a-fA-F]{40})([0-9a-fA-F]{24})?(?![0-9a-fA-F])")
_LONG = re.compile(r"\b\d{68,78}\b")
_UINT256_MAX = str(2**256 - 1)


def with_names(text: str, accounts: Mapping[str, str]) -> str:
    """Return a text in which addresses of ``accounts`` are names; ``alice/1`` is her sub-account 1.

    Args:
        text: messages of any kind.
        accounts: addresses by name.
    """
    names = {address.lower()[2:]: name for name, address in accounts.items()}

    def of_hex(match: re.Match[str]) -> str:
        name = names.get(match[1].lower())
        if name is None:
            return match[0]
        return name if match[2] is None else f"{name}/{int(match[2], 16)}"

    def of_number(match: re.Match[str]) -> str:
        if match[0] == _UINT256_MAX:
            return "2**256-1"
        number = int(match[0])
        name = names.get(f"{number >> 96:040x}")
        return match[0] if name is None else f"{name}/{number & (1 << 96) - 1}"

    return _LONG.sub(of_number, _HEX.sub(of_hex, text))
