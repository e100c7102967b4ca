"""Sources of an asset's price, what part of the vote each has, and when a price is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkhead.deployment.oracle_models import TOTAL_SHARE
from bulkhead.deployment.units import WAD

LOOK_SECONDS = 12
"""Between two looks at a price that moved."""


class Asking(NamedTuple):
    """When a price that moved has to be seen twice; None: as on the devnet.

    Attributes:
        max_move: WAD beyond which a move waits for confirmation.
        delay: seconds that it waits.
    """

    max_move: int | None = None
    delay: int | None = None


AS_ON_DEVNET = Asking()
AT_NEXT_LOOK = Asking(delay=LOOK_SECONDS)
"""What most replays have: a false price that can be held is confirmed, so this defends nothing."""
HARDLY = Asking(max_move=WAD, delay=LOOK_SECONDS)
"""The largest ``max_move``."""


class Vote(NamedTuple):
    """A source of an asset's price, and its votes."""

    adapter: str
    votes: int = 1


def shares_of(votes: Sequence[int]) -> list[int]:
    """Return votes as shares of all; what does not divide goes to the first."""
    total = sum(votes)
    shares = [TOTAL_SHARE * vote // total for vote in votes]
    shares[0] += TOTAL_SHARE - sum(shares)
    return shares
