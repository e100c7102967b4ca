"""Oracle and peg monitor as contracts: with authority and events, undone by reverts.

What they compute is in ``oracle`` and ``peg``; here is what a transaction to them does.
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model.context import Context, Contract, external
from bulkhead.model.oracle import (
    AssetConfig,
    Derivation,
    OracleAggregator,
    PriceData,
    SourceConfig,
)
from bulkhead.model.peg import PegMonitor
from bulkhead.model.peg_math import PegCondition, PegConfig, PegState
from bulkhead.model.roles import GOVERNOR, GUARDIAN, RoleRegistry
from bulkhead.model.types import ZERO_ADDRESS, Address


class OracleContract(Contract):
    """``OracleAggregator`` to those who send transactions; its adapters are named by addresses.

    Args:
        context, address: as of every twin.
        roles: knows governor and guardian.
        twin: what computes; its assets, with and without sources, and its uptime feed lie in
            ``Table``s of the context.
    """

    def __init__(
        self, context: Context, address: Address, roles: RoleRegistry, twin: OracleAggregator
    ) -> None:
        super().__init__(context, address)
        self._roles = roles
        self._twin = twin
        twin.on_record = self._recorded
        twin.on_reputation = self._judged

    @external
    def configure(
        self,
        sender: Address,
        asset: str,
        config: AssetConfig,
        sources: Sequence[tuple[Address, int]],
    ) -> None:
        """Set an asset's rules and sources, which are addresses of adapters and basis points.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            Else as ``OracleAggregator.configure``.
        """
        self._roles.require_role(GOVERNOR, sender)
        self._twin.configure(asset, config, [SourceConfig(*s) for s in sources], self._context.now)
        self._emit("AssetConfigured", asset=asset, config=config, sources=sources)

    @external
    def suspend(self, sender: Address, asset: str, adapter: Address) -> None:
        """Take a source's vote at once.

        Raises:
            RoleRegistry_MissingRole: the sender is neither guardian nor governor.
            OracleAggregator_UnknownSource: the asset has no such source.
        """
        if not self._roles.has_role(GUARDIAN, sender):
            self._roles.require_role(GOVERNOR, sender)
        self._twin.suspend(asset, adapter, self._context.now)
        self._emit("SourceSuspended", asset=asset, adapter=adapter, by=sender)

    @external
    def set_uptime_feed(self, sender: Address, feed: Address, grace_period: int) -> None:
        """Set the feed that tells of the sequencer; the zero address is none. Seconds.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            Else as ``OracleAggregator.set_uptime_feed``.
        """
        self._roles.require_role(GOVERNOR, sender)
        self._twin.set_uptime_feed("" if feed == ZERO_ADDRESS else feed, grace_period)
        self._emit("UptimeFeedSet", feed=feed, gracePeriod=grace_period)

    @external
    def derive(self, sender: Address, asset: str, derivation: Derivation) -> None:
        """Derive an asset from others, for good.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            Else as ``OracleAggregator.derive``.
        """
        self._roles.require_role(GOVERNOR, sender)
        self._twin.derive(asset, derivation)
        self._emit("AssetDerived", asset=asset, derivation=derivation)

    @external
    def record(self, sender: Address, asset: str) -> PriceData:  # noqa: ARG002
        """Aggregate live and cache the result. Anyone may call it."""
        return self._twin.record(asset, self._context.now)

    @external
    def fetch(self, sender: Address, asset: str) -> PriceData:  # noqa: ARG002
        """Return the cached aggregate if fresh, else refresh the cache. Anyone may call it."""
        return self._twin.fetch(asset, self._context.now)

    def _recorded(self, asset: str, data: PriceData) -> None:
        self._emit("PriceRecorded", asset=asset, data=data)

    def _judged(self, asset: str, adapter: str, reputation: int, is_counted: bool) -> None:
        self._emit(
            "ReputationChanged",
            asset=asset,
            adapter=adapter,
            reputation=reputation,
            isCounted=is_counted,
        )


class PegContract(Contract):
    """``PegMonitor`` to those who send transactions; its sources are named by addresses.

    Args:
        context, address: as of every twin.
        roles: knows the governor.
        twin: what computes; its rules and states lie in ``Table``s of the context.
    """

    def __init__(
        self, context: Context, address: Address, roles: RoleRegistry, twin: PegMonitor
    ) -> None:
        super().__init__(context, address)
        self._roles = roles
        self._twin = twin
        twin.on_configure = self._configured
        twin.on_clear = self._cleared
        twin.on_poke = self._poked

    @external
    def configure(self, sender: Address, asset: str, config: PegConfig) -> None:
        """Set an asset's rules; the zero address is no source.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            Else as ``PegMonitor.configure``.
        """
        self._roles.require_role(GOVERNOR, sender)
        self._twin.configure(asset, config, self._context.now)

    @external
    def clear(self, sender: Address, asset: str) -> None:
        """Let a broken peg be judged anew.

        Raises:
            RoleRegistry_MissingRole: the sender is not the governor.
            Else as ``PegMonitor.clear``.
        """
        self._roles.require_role(GOVERNOR, sender)
        self._twin.clear(asset, self._context.now)

    @external
    def poke(self, sender: Address, asset: str) -> PegState:  # noqa: ARG002
        """Record rates, reserves, delay, stress and condition. Anyone may call it."""
        return self._twin.poke(asset, self._context.now)

    def _configured(self, asset: str, config: PegConfig) -> None:
        self._emit("PegConfigured", asset=asset, config=config)

    def _cleared(self, asset: str) -> None:
        self._emit("PegCleared", asset=asset)

    def _poked(
        self, asset: str, state: PegState, discount: int, haircut: int, last: PegCondition
    ) -> None:
        self._emit("PegPoked", asset=asset, state=state, discount=discount, haircut=haircut)
        if state.condition != last:
            names = {"from": last, "to": state.condition}
            self._emit("PegConditionChanged", asset=asset, **names)
