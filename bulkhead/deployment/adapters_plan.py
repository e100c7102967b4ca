"""Which adapter reads a source, and what its constructor is given."""

from __future__ import annotations

from typing import Any, NamedTuple

from bulkhead.chain.codec import asset_id
from bulkhead.deployment.oracle_models import (
    RATE_KINDS,
    ChainlinkSource,
    ExchangeRateSource,
    OracleAssetParameters,
    PythSource,
    Source,
    UniswapV3TwapSource,
)
from bulkhead.deployment.survey import Survey

ADAPTERS = (
    "ChainlinkAdapter",
    "UniswapV3TwapAdapter",
    "PythAdapter",
    "ExchangeRateAdapter",
    "SignedReportAdapter",
)


class Adapter(NamedTuple):
    """A contract to deploy: its name, and the arguments of its constructor."""

    contract: str
    args: tuple[Any, ...]


def adapter_of(survey: Survey, asset: OracleAssetParameters, source: Source, where: str) -> Adapter:
    """Return the adapter of an asset's source.

    Args:
        survey: finds what the source names.
        asset: whose source it is.
        source: one of the asset's.
        where: what messages call the source.

    Raises:
        DeploymentError: what it names does not exist, or would have no vote.
    """
    match source:
        case ChainlinkSource():
            feed, bounds = survey.feed(source, asset.max_staleness, where)
            return Adapter("ChainlinkAdapter", (feed, *bounds, source.heartbeat))
        case UniswapV3TwapSource():
            pool, base = survey.pool(source, where)
            limits = source.min_liquidity, source.min_cardinality
            return Adapter("UniswapV3TwapAdapter", (pool, base, source.window, *limits))
        case PythSource():
            pyth = survey.pyth(source, asset, where)
            return Adapter("PythAdapter", (pyth, bytes.fromhex(source.feed_id[2:])))
        case ExchangeRateSource():
            token = survey.rated_token(source, where)
            kind = RATE_KINDS.index(source.rate_kind)
            return Adapter("ExchangeRateAdapter", (token, kind, source.max_growth_per_day))
        case _:
            signers = list(source.ascending)
            limits = source.threshold, source.max_age
            return Adapter("SignedReportAdapter", (asset_id(asset.name), signers, *limits))
