"""Fields that operations share, and how their small integers pick something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

from bulkhead.fuzz.operation import Index, Share
from bulkhead.model.math import WAD
from bulkhead.model.types import Action

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions
    from bulkhead.model.types import AccountId

T = TypeVar("T")

ACTORS = 4
SUB_ACCOUNTS = 2
COLLATERALS = 5
"""The settlement token and four collaterals."""
ODD_ID = 4
"""The collateral that misbehaves when told to."""
DEEP_ID = 2
"""The collateral whose depth is measured in the beginning."""
DEPTH = 400 * WAD
"""What the governor believes its market to hold at most."""
MARKETS = 2
UNLISTED = 200
"""A market or collateral that is not listed and never will be."""
_RARE = 8

Actor = Annotated[int, Index(ACTORS)]
SubAccount = Annotated[int, Index(SUB_ACCOUNTS)]
Collateral = Annotated[int, Index(COLLATERALS * _RARE + 1)]
"""Mostly one that is listed: see ``listed``."""
Market = Annotated[int, Index(MARKETS * _RARE + 1)]
Bps = Annotated[int, Share()]
Anyone = Annotated[int, Index(2 * (ACTORS + 1))]
Stray = Annotated[int, Index(16)]
"""15: anything, fitting or not; 13, 14: what nearly fits; 14, 15: also what is forbidden."""
STRAY = 15


def gives_up(u: Questions, action: Action, stray: int) -> bool:
    """Return whether the breaker forbids an act and an operation may not try it anyway."""
    return stray < STRAY - 1 and not u.model.circuit_breaker.is_allowed(action)


def listed(value: int, count: int) -> int:
    """Return one of ``count`` ids; of the greatest value of a field, one that is not listed."""
    return UNLISTED if value == count * _RARE else value % count


def choose(stray: int, index: int, fitting: Sequence[T], others: Sequence[T]) -> T | None:
    """Return one of those that fit, or of the others if the operation strays; None: nobody."""
    found = others if stray == STRAY else fitting
    return found[index % len(found)] if found else None


def account_for(
    u: Questions,
    stray: int,
    index: int,
    fits: Callable[[AccountId], bool],
    nearly: Callable[[AccountId], bool] | None = None,
) -> AccountId | None:
    """Return an account that an operation is meant for, or nearly so, or any if it strays."""
    if STRAY - 3 < stray < STRAY and nearly is not None:
        fits = nearly
    fitting = [] if stray == STRAY else u.those(fits)
    return choose(stray, index, fitting, u.accounts)
