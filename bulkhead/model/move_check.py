"""Twin of ``MoveCheck``: whether a price may be acted on, or must be seen twice."""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.model.math import mul_down


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a new aggregate is compared with: WAD prices, Unix seconds; candidate 0: none waits."""

    anchor: int = 0
    candidate: int = 0
    candidate_at: int = 0


def judge(
    state: Confirmation, price: int, max_move: int, delay: int, now: int
) -> tuple[bool, Confirmation]:
    """Return whether a price is accepted, and what the next one is compared with.

    Accepted is what lies within ``max_move`` (WAD fraction) of the anchor, or of a candidate that
    was first seen ``delay`` seconds ago or earlier.
    """
    if is_near(price, state.anchor, max_move):
        return True, Confirmation(state.anchor)
    if state.candidate == 0 or not is_near(price, state.candidate, max_move):
        return False, Confirmation(state.anchor, price, now)
    if now - state.candidate_at < delay:
        return False, state
    return True, Confirmation(price)


def is_near(price: int, reference: int, max_move: int) -> bool:
    """Return whether a price lies within a fraction (WAD) of another."""
    return abs(price - reference) <= mul_down(reference, max_move)
