"""Custom errors of ``IOracleAggregator``."""

from __future__ import annotations

from bulkhead.model.errors import ModelRevert


class OracleAggregator_UnknownAsset(ModelRevert):  # noqa: N801
    """``(asset)``: the asset has no configuration."""


class OracleAggregator_AlreadyConfigured(ModelRevert):  # noqa: N801
    """``(asset)``: it would be derived though known, or get sources though derived."""


class OracleAggregator_TooDeep(ModelRevert):  # noqa: N801
    """``(asset, depth, maximum)``: too many levels of derivation."""


class OracleAggregator_UnusedPart(ModelRevert):  # noqa: N801
    """``(part)``: an inverse names a second part."""


class OracleAggregator_SourceCount(ModelRevert):  # noqa: N801
    """``(count, maximum)``: no sources, or too many with those that are still leaving."""


class OracleAggregator_NotAContract(ModelRevert):  # noqa: N801
    """``(adapter)``: there is no code at a source's or a feed's address."""


class OracleAggregator_DuplicateSource(ModelRevert):  # noqa: N801
    """``(adapter)``: the same adapter is listed twice."""


class OracleAggregator_ZeroShare(ModelRevert):  # noqa: N801
    """``(adapter)``: a share is zero."""


class OracleAggregator_TotalShare(ModelRevert):  # noqa: N801
    """``(total, required)``: shares do not add up."""


class OracleAggregator_UnknownSource(ModelRevert):  # noqa: N801
    """``(asset, adapter)``: the adapter is no source of the asset."""


class OracleAggregator_OutOfBounds(ModelRevert):  # noqa: N801
    """``(parameter, value, minimum, maximum)``."""


class OracleAggregator_NoAverage(ModelRevert):  # noqa: N801
    """``(asset, average)``: of a derived asset, zero or too large."""


class OracleAggregator_HistoryTooShort(ModelRevert):  # noqa: N801
    """``(asset, known, window)``: less is known of the past than an average asks for."""


def require_bounds(parameter: str, value: int, minimum: int, maximum: int) -> None:
    """Revert unless a parameter is within its bounds.

    Raises:
        OracleAggregator_OutOfBounds: it is not.
    """
    if not minimum <= value <= maximum:
        raise OracleAggregator_OutOfBounds(parameter, value, minimum, maximum)
