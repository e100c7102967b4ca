"""The common protocol of all agents."""

from __future__ import annotations

from random import Random
from typing import Protocol

from bulkhead.agents.view import MarketView, Transaction


class Agent(Protocol):
    """Somebody who acts on what she sees. Deterministic: all chance comes from ``rng``."""

    @property
    def address(self) -> str:
        """Where her transactions come from."""

    def act(self, view: MarketView, rng: Random, /) -> list[Transaction]:
        """Return what she sends now, in this order."""
