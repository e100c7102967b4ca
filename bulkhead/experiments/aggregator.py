"""The aggregator as experiments use it: the one place that knows its structs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkhead.chain.artifacts import Artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract
from bulkhead.deployment.sender import RpcSender
from bulkhead.deployment.units import WAD
from bulkhead.experiments.pool import deploy
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.policy import min_status
from bulkhead.model.types import Action

ASSET = asset_id("ETH")
WHOLE = 10_000
"""Sum of the weights of an asset's sources: shares in basis points."""
MAX_STALENESS = 7 * 86_400
MAX_DEVIATION = WAD // 20
MAX_MOVE = WAD // 10
CONFIRMATION_DELAY = 60
SEASONING = 86_400


class Reading(NamedTuple):
    """An aggregate: WAD of quote per 1.0 of base, and how far it can be trusted."""

    price: int
    status: PriceStatus


class Aggregator:
    """A deployed ``OracleAggregator`` with one asset.

    Args:
        sender: governor; the node mines each transaction at once.
        artifacts: what to deploy.

    Raises:
        DeploymentError: a step failed.
    """

    def __init__(self, sender: RpcSender, artifacts: Artifacts) -> None:
        self._sender = sender
        roles = deploy(sender, artifacts, "RoleRegistry", sender.address)
        self._contract: Contract = deploy(
            sender, artifacts, "OracleAggregator", roles.address, SEASONING
        )

    def configure(self, adapters: Sequence[str], weights: Sequence[int], quorum: int) -> None:
        """Set the asset's sources, and record a first price.

        Args:
            adapters: addresses.
            weights: of each, basis points, ``WHOLE`` together.
            quorum: least weight that must agree, basis points.

        Raises:
            ContractReverted: the aggregator refused.
        """
        config = {
            "maxStaleness": MAX_STALENESS,
            "maxCacheAge": 0,
            "quorum": quorum,
            "confirmationDelay": CONFIRMATION_DELAY,
            "maxDeviation": MAX_DEVIATION,
            "maxConfidence": MAX_DEVIATION,
            "maxMove": MAX_MOVE,
            "volatilityPeriod": 86_400,
            "initialVolatility": 0,
        }
        sources = list(zip(adapters, weights, strict=True))
        governor = self._sender.address
        self._contract.transact("configure", ASSET, config, sources, sender=governor)
        self._contract.transact("record", ASSET, sender=governor)

    def read(self) -> Reading:
        """Return the live aggregate."""
        data = self._contract.call("aggregate", ASSET)
        return Reading(int(data.price), PriceStatus(data.status))

    def hold(self) -> Reading:
        """Record, let the confirmation's delay pass, record again; return the live aggregate."""
        rpc, governor = self._sender.rpc, self._sender.address
        self._contract.transact("record", ASSET, sender=governor)
        rpc.mine(rpc.timestamp() + CONFIRMATION_DELAY)
        self._contract.transact("record", ASSET, sender=governor)
        return self.read()


def open_actions(status: PriceStatus) -> tuple[Action, ...]:
    """Return what may be done on a price of this status, in tier 0."""
    return tuple(action for action in Action if status >= min_status(action))
