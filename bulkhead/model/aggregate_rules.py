"""Twin of ``AggregateRules``: an asset's rules, which are valid, and what they make of votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bulkhead.model.math import DAY, WAD, mul_div_up, mul_down
from bulkhead.model.oracle_reverts import (
    OracleAggregator_DuplicateSource,
    OracleAggregator_NotAContract,
    OracleAggregator_SourceCount,
    OracleAggregator_TotalShare,
    OracleAggregator_ZeroShare,
    require_bounds,
)
from bulkhead.model.prices import PriceStatus
from bulkhead.model.source_set import MAX_SAMPLES, TOTAL_SHARE, SourceConfig, Vote
from bulkhead.model.weighted_median import lower_median, median

BILLION = 10**9
HOUR = 3_600
MAX_STALENESS = 7 * DAY


@dataclass(frozen=True, slots=True)
class AssetConfig:
    """An asset's rules: seconds, basis points (quorum), WAD fractions, WAD per √day."""

    max_staleness: int
    max_cache_age: int
    quorum: int
    confirmation_delay: int
    max_deviation: int
    max_confidence: int
    max_move: int
    volatility_period: int
    initial_volatility: int


NO_CONFIG = AssetConfig(0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Formed:
    """An aggregate: WAD price and confidence, the oldest member's time, members by index."""

    price: int
    confidence: int
    published_at: int
    counted: frozenset[int]
    status: PriceStatus


def form(config: AssetConfig, votes: Sequence[Vote], quorum: int, now: int) -> Formed | None:
    """Return what votes come to, or None without a quorum (share in force)."""
    if not votes:
        return None
    price = median((v.price, v.weight) for v in votes)
    tolerance = mul_down(price, config.max_deviation)
    members = [v for v in votes if abs(v.price - price) <= tolerance]
    if sum(v.share for v in members) < quorum:
        return None
    width = max(
        lower_median((abs(v.price - price), v.weight) for v in members),
        lower_median((v.confidence, v.weight) for v in members),
    )
    billionths = mul_div_up(width, BILLION, price)
    is_wide = billionths * WAD > config.max_confidence * BILLION
    return Formed(
        price,
        mul_div_up(price, billionths, BILLION),
        min((v.published_at for v in members), default=now),
        frozenset(v.index for v in members),
        PriceStatus.DEGRADED if is_wide or len(members) < len(votes) else PriceStatus.VALID,
    )


def require_valid(
    config: AssetConfig, sources: Sequence[SourceConfig], is_contract: Callable[[str], bool]
) -> None:
    """Revert unless all parameters and the list of sources are valid in themselves.

    Raises:
        OracleAggregator_OutOfBounds: a parameter lies outside of its bounds.
        OracleAggregator_SourceCount: no sources, or more than seven.
        OracleAggregator_NotAContract: there is nothing at a source's address.
        OracleAggregator_ZeroShare: a source cannot vote.
        OracleAggregator_DuplicateSource: a source would vote twice.
        OracleAggregator_TotalShare: the shares do not add up.
    """
    require_bounds("maxStaleness", config.max_staleness, 1, MAX_STALENESS)
    require_bounds("maxCacheAge", config.max_cache_age, 0, config.max_staleness)
    require_bounds("quorum", config.quorum, TOTAL_SHARE // 2 + 1, TOTAL_SHARE)
    require_bounds("confirmationDelay", config.confirmation_delay, 1, HOUR)
    require_bounds("maxDeviation", config.max_deviation, 1, WAD)
    require_bounds("maxConfidence", config.max_confidence, 1, config.max_deviation)
    require_bounds("maxMove", config.max_move, config.max_deviation, WAD)
    require_bounds("volatilityPeriod", config.volatility_period, HOUR, 30 * DAY)
    require_bounds("initialVolatility", config.initial_volatility, 0, 10 * WAD)
    if not 1 <= len(sources) <= MAX_SAMPLES:
        raise OracleAggregator_SourceCount(len(sources), MAX_SAMPLES)
    seen: set[str] = set()
    for source in sources:
        if not is_contract(source.adapter):
            raise OracleAggregator_NotAContract(source.adapter)
        if source.share == 0:
            raise OracleAggregator_ZeroShare(source.adapter)
        if source.adapter in seen:
            raise OracleAggregator_DuplicateSource(source.adapter)
        seen.add(source.adapter)
    total = sum(source.share for source in sources)
    if total != TOTAL_SHARE:
        raise OracleAggregator_TotalShare(total, TOTAL_SHARE)
