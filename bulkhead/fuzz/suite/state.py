"""A compartment's state between two calls, as the invariants read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from bulkhead.fuzz.suite.model import Model
from bulkhead.fuzz.suite.reading import MARK
from bulkhead.model import invariants
from bulkhead.model.errors import Violation
from bulkhead.model.invariants import Snapshot
from bulkhead.model.types import SETTLEMENT, AccountId, AccountLedger

_TIER = 32 * (2 + 7) - 1
"""Where it is in the encoded words: the last byte of the seventh."""
_NO_LEDGER = AccountLedger()


class State:
    """A state, and what it shows broken by itself, which is found out once.

    Args:
        stored: what ``StateProbe.stored`` returns, encoded.
        take: reads it as the invariants do.
    """

    def __init__(self, stored: bytes, take: Callable[[], Snapshot]) -> None:
        self.stored = stored
        self._take = take

    @property
    def tier(self) -> int:
        """The breaker's tier as it is stored; a halt that has expired is one still."""
        return self.stored[_TIER]

    @cached_property
    def snapshot(self) -> Snapshot:
        """The state as the invariants read it."""
        return self._take()

    @cached_property
    def broken(self) -> tuple[Violation, ...]:
        """The invariants that the state shows broken."""
        return tuple(invariants.check_state(self.snapshot))


def snapshot_of(m: Model, accounts: Sequence[AccountId]) -> Snapshot:
    """Return the model's state; nothing in it is changed later, as storage is replaced."""
    engine, exchange, custody = m.margin_engine, m.perp_exchange, m.collateral_vault.address
    held = {SETTLEMENT: m.settlement.balance_of(custody)}
    for collateral in range(1, m.risk_parameters.collateral_count + 1):
        token = m.tokens[m.risk_parameters.collateral_config(collateral).token]
        held[collateral] = token.balance_of(custody)
    markets = range(m.risk_parameters.market_count)
    return Snapshot(
        settlement_decimals=m.settlement.decimals,
        totals=engine.totals(),
        unrealized_totals=engine.unrealized_totals(),
        accounts={a: engine._accounts.get(a, _NO_LEDGER) for a in accounts},
        collateral={key: amount for key, amount in engine._collateral.items() if amount},
        total_collateral={c: engine.total_collateral(c) for c in held if c != SETTLEMENT},
        custody=held,
        markets={i: exchange.market_state(i) for i in markets},
        positions={key: p for key, p in exchange._positions.items() if p.size},
        market_unrealized={i: engine.market_unrealized(i) for i in markets},
        marks=dict.fromkeys(markets, MARK),
        borrow=engine.borrow_state(),
        debt_index={a: index for a, index in engine._debt_index.items() if index},
        order_escrow=engine.order_escrow(),
    )
