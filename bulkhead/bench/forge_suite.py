"""Which of the suite's operations ``tests/forge`` has, and what its functions stand for.

A kind of operation that sends now more, now fewer transactions has a function for each number of
them, so that transactions can be counted from how often forge called which function.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from bulkhead.fuzz.suite.catalogue import OPERATIONS

CHOICES_PER_WEIGHT = 4
"""How many entries forge chooses from stand for a weight of 1, so that parts of kinds come out."""


class HandlerFunction(NamedTuple):
    """One function of the handler.

    Attributes:
        kind: of operation.
        share: part of the kind's draws that are of this function.
        transactions: that it sends.
    """

    kind: str
    share: Fraction = Fraction(1)
    transactions: int = 1


# How often the harness's kinds draw what: of three assets one is pegged, of four moves one pokes,
# of seven times five are long, and of sixteen long ones one is silent.
_PEGGED, _POKES, _REPORTS = Fraction(1, 3), Fraction(1, 4), Fraction(5, 7) * Fraction(15, 16)
_FRESH = Fraction(7, 8)

FUNCTIONS: dict[str, HandlerFunction] = {
    "wait": HandlerFunction("Wait", 1 - _REPORTS, 0),
    "waitAndReport": HandlerFunction("Wait", _REPORTS, 7),
    "deposit": HandlerFunction("Deposit"),
    "withdraw": HandlerFunction("Withdraw"),
    "trade": HandlerFunction("Trade"),
    "convert": HandlerFunction("Convert", 1 - _FRESH),
    "pokeAndConvert": HandlerFunction("Convert", _FRESH, 3),
    "movePrice": HandlerFunction("MovePrice", (1 - _PEGGED) * (1 - _POKES), 3),
    "movePriceAndPoke": HandlerFunction("MovePrice", (1 - _PEGGED) * _POKES, 4),
    "movePegPrice": HandlerFunction("MovePrice", _PEGGED * (1 - _POKES), 4),
    "movePegPriceAndPoke": HandlerFunction("MovePrice", _PEGGED * _POKES, 5),
    "squeeze": HandlerFunction("Squeeze", 1 - _POKES, 3),
    "squeezeAndPoke": HandlerFunction("Squeeze", _POKES, 4),
    "moveFeed": HandlerFunction("MoveFeed"),
    "liquidate": HandlerFunction("Liquidate"),
    "startAuction": HandlerFunction("StartAuction"),
    "takeAuction": HandlerFunction("TakeAuction"),
    "endAuction": HandlerFunction("EndAuction"),
    "writeOff": HandlerFunction("WriteOff"),
    "upkeep": HandlerFunction("Upkeep"),
    "enterVault": HandlerFunction("EnterVault"),
    "leaveVault": HandlerFunction("LeaveVault"),
    "donate": HandlerFunction("Donate"),
    "raiseTier": HandlerFunction("RaiseTier"),
    "intrude": HandlerFunction("Intrude"),
}
"""By the function's name."""

KINDS = tuple(dict.fromkeys(function.kind for function in FUNCTIONS.values()))
"""The harness's operations that are compared with forge's."""

TRANSACTIONS = {name: function.transactions for name, function in FUNCTIONS.items()}
"""How many transactions a function sends."""


def choices() -> dict[str, int]:
    """Return how often each function stands among what forge chooses from."""
    weights = {kind.__name__: kind.weight for kind in OPERATIONS}
    return {
        name: max(1, round(CHOICES_PER_WEIGHT * weights[function.kind] * function.share))
        for name, function in FUNCTIONS.items()
    }
