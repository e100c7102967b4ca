"""Which of the suite's operations ``tests/forge`` has, one function of its handler for each."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from bulkhead.fuzz.suite.catalogue import OPERATIONS

KINDS = (
    "Wait",
    "Deposit",
    "Withdraw",
    "Trade",
    "Convert",
    "MovePrice",
    "Squeeze",
    "MoveFeed",
    "Liquidate",
    "StartAuction",
    "TakeAuction",
    "EndAuction",
    "WriteOff",
    "Upkeep",
    "EnterVault",
    "LeaveVault",
    "Donate",
    "RaiseTier",
    "Intrude",
)
"""By their names in the harness."""

_FEEDS, _ALL_FEEDS, _MARKETS = 2, 6, 2
_RECORDED, _POKED, _PEGGED = Fraction(1, 2), Fraction(1, 4), Fraction(1, 3)
_SPEAKS, _LONG, _TEN_MINUTES, _FRESH = (Fraction(*f) for f in ((7, 8), (4, 7), (1, 7), (7, 8)))

TRANSACTIONS: Mapping[str, Fraction] = {
    "wait": _SPEAKS * (_LONG * (_ALL_FEEDS + 1) + _TEN_MINUTES),
    "movePrice": _FEEDS + _RECORDED * (1 + _PEGGED) + _POKED,
    "squeeze": _FEEDS + _RECORDED + _POKED,
    "convert": 1 + _FRESH * _MARKETS,
}
"""How many transactions a function sends on average, by the shares of what it chooses from.

All others send one.
"""


def function_of(kind: str) -> str:
    """Return the handler's function of a kind of operation."""
    return kind[0].lower() + kind[1:]


def choices() -> dict[str, int]:
    """Return how often each function stands among what forge chooses from: the kind's weight."""
    weights = {kind.__name__: kind.weight for kind in OPERATIONS}
    return {function_of(kind): weights[kind] for kind in KINDS}
