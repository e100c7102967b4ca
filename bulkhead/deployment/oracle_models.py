"""What the oracle is told: sources, assets and derived assets, with the contracts' bounds.

A source's model holds what its adapter's constructor takes. What depends on the chain (a feed's
decimals, a token's rate) is looked at by ``bulkhead.deployment.survey``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from bulkhead.chain.codec import asset_id
from bulkhead.deployment.models import (
    ONE_UNIT,
    Address,
    Model,
    Name,
    Reference,
    at_least,
    at_most,
    camel,
)
from bulkhead.deployment.units import (
    UINT16_MAX,
    UINT32_MAX,
    BasisPoints,
    Seconds,
    Wad,
    Whole,
    from_basis_points,
    from_wad,
)

MAX_SOURCES = 7
TOTAL_SHARE = 10_000
MAX_ANSWER = str(10**18)
"""Greatest bound of a feed's answers: in any decimals up to 18 it fits what a feed reports."""
MAX_RATE = 2**127 - 1
"""WAD: the largest rate that an exchange rate adapter starts from."""
MAX_GROWTH_DIVISOR = 100
"""A rate may grow by at most this part of itself per day."""
MAX_SIGNERS = 15
MAX_DEPTH = 3
"""An asset with sources, and two levels of derivation above it."""
OPERATIONS = ("inverse", "product", "quotient")
"""In the order of the contract's ``Operation``."""
RATE_KINDS = ("vault", "steth_per_token", "rate")
"""In the order of the contract's ``RateKind``."""
_NO_PART = b"\0" * 32
_ZERO_ADDRESS = "0x" + "00" * 20


def _checked_feed_id(text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise ValueError(f"{text!r} is not a feed's id: 0x and 64 hexadecimal digits")
    if int(text, 16) == 0:
        raise ValueError("zero is no feed's id")
    return text.lower()


FeedId = Annotated[str, AfterValidator(_checked_feed_id)]
Share = BasisPoints("0.0001", 1)
"""A source's part of the vote."""


class ChainlinkSource(Model):
    """A Chainlink feed: a name of the environment, or an address.

    Answers count strictly between ``min_answer`` and ``max_answer`` (WAD quote units), which are to
    be the feed's own limits or inside of them, and for ``heartbeat`` seconds.
    """

    kind: Literal["chainlink"]
    feed: Reference
    min_answer: Annotated[int, Wad(0, MAX_ANSWER)]
    max_answer: Annotated[int, Wad(ONE_UNIT, MAX_ANSWER)]
    heartbeat: Annotated[int, Seconds(1, "7d")]
    share: Annotated[int, Share]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        at_least("max_answer", self.max_answer, self.min_answer + 1, "above min_answer")
        return self

    def bounds(self, decimals: int) -> tuple[int, int]:
        """Return both bounds at the feed's decimals.

        Raises:
            ValueError: one has more decimals.
        """
        unit = 10 ** (18 - decimals)
        for name in ("min_answer", "max_answer"):
            if getattr(self, name) % unit:
                value = from_wad(getattr(self, name))
                raise ValueError(f"{name}: {value} has more than {decimals} decimals")
        return self.min_answer // unit, self.max_answer // unit

    @property
    def reads(self) -> str:
        """What it reads, for telling two sources apart."""
        return f"feed {self.feed}"


class UniswapV3TwapSource(Model):
    """The TWAP of a Uniswap v3 pool: a name of the environment, or an address.

    ``min_liquidity`` is in the pool's own units (√(amount0·amount1) of raw tokens);
    ``min_cardinality`` is the number of observations that the pool must keep: as many as there are
    blocks in a window.
    """

    kind: Literal["uniswap_v3_twap"]
    pool: Reference
    base: Reference
    window: Annotated[int, Seconds(1, UINT32_MAX)]
    min_liquidity: Annotated[int, Whole(2, 2**128 - 1)]
    min_cardinality: Annotated[int, Whole(2, UINT16_MAX)]
    share: Annotated[int, Share]

    @property
    def reads(self) -> str:
        """What it reads, for telling two sources apart."""
        return f"pool {self.pool}"


class PythSource(Model):
    """A Pyth feed: the name or address of Pyth's contract, and Pyth's id of the feed."""

    kind: Literal["pyth"]
    pyth: Reference
    feed_id: FeedId
    share: Annotated[int, Share]

    @property
    def reads(self) -> str:
        """What it reads, for telling two sources apart."""
        return f"feed {self.feed_id} of {self.pyth}"


class ExchangeRateSource(Model):
    """The redemption rate of a token: a symbol of the environment, or an address.

    ``rate_kind`` is how the token tells it: ``"vault"`` (ERC-4626), ``"steth_per_token"`` or
    ``"rate"``. ``max_growth_per_day`` is WAD, underlying per 1.0 share: at most one percent of the
    rate, which only the survey knows.
    """

    kind: Literal["exchange_rate"]
    token: Reference
    rate_kind: Literal["vault", "steth_per_token", "rate"]
    max_growth_per_day: Annotated[int, Wad(ONE_UNIT, from_wad(MAX_RATE // MAX_GROWTH_DIVISOR))]
    share: Annotated[int, Share]

    @property
    def reads(self) -> str:
        """What it reads, for telling two sources apart."""
        return f"the rate of {self.token}"


class SignedReportSource(Model):
    """The median of what ``threshold`` or more of the ``signers`` report.

    The signers' order does not matter. A report counts for ``max_age`` seconds.
    """

    kind: Literal["signed_report"]
    signers: Annotated[tuple[Address, ...], Field(min_length=1, max_length=MAX_SIGNERS)]
    threshold: Annotated[int, Whole(1, MAX_SIGNERS)]
    max_age: Annotated[int, Seconds(1, "1d")]
    share: Annotated[int, Share]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if _ZERO_ADDRESS in self.signers:
            raise ValueError("signers: the zero address cannot sign")
        for before, after in zip(self.ascending, self.ascending[1:], strict=False):
            if before == after:
                raise ValueError(f"signers: {after} is listed twice")
        count = len(self.signers)
        if not count < 2 * self.threshold <= 2 * count:
            raise ValueError(
                f"threshold: {self.threshold} is not above half of the {count} signers "
                "and at most all of them"
            )
        return self

    @property
    def ascending(self) -> tuple[str, ...]:
        """The signers in the order that the contract wants."""
        return tuple(sorted(self.signers, key=lambda signer: int(signer, 16)))

    @property
    def reads(self) -> str:
        """What it reads, for telling two sources apart."""
        return f"what {', '.join(self.ascending)} report"


Source = Annotated[
    ChainlinkSource | UniswapV3TwapSource | PythSource | ExchangeRateSource | SignedReportSource,
    Field(discriminator="kind"),
]
SOURCE_KINDS = ("chainlink", "uniswap_v3_twap", "pyth", "exchange_rate", "signed_report")


class OracleAssetParameters(Model):
    """An asset of the oracle: rules and sources. Durations in seconds, fractions in WAD.

    ``quorum`` and the sources' shares are ten-thousandths of the vote. ``initial_volatility`` is
    per square root of a day.
    """

    name: Name
    max_staleness: Annotated[int, Seconds(1, "7d")]
    max_cache_age: Annotated[int, Seconds(0, "7d")]
    quorum: Annotated[int, BasisPoints("0.5001", 1)]
    confirmation_delay: Annotated[int, Seconds(1, "1h")]
    max_deviation: Annotated[int, Wad(ONE_UNIT, 1)]
    max_confidence: Annotated[int, Wad(ONE_UNIT, 1)]
    max_move: Annotated[int, Wad(ONE_UNIT, 1)]
    volatility_period: Annotated[int, Seconds("1h", "30d")]
    initial_volatility: Annotated[int, Wad(0, 10)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=MAX_SOURCES)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.max_cache_age > self.max_staleness:
            raise ValueError(
                f"max_cache_age: {self.max_cache_age} is above the limit {self.max_staleness} "
                "(max_staleness)"
            )
        at_most("max_confidence", self.max_confidence, self.max_deviation, "max_deviation")
        at_least("max_move", self.max_move, self.max_deviation, "max_deviation")
        total = sum(source.share for source in self.sources)
        if total != TOTAL_SHARE:
            raise ValueError(f"sources: shares add up to {from_basis_points(total)}, not to 1")
        seen: set[str] = set()
        for source in self.sources:
            if source.reads in seen:
                raise ValueError(f"sources: {source.reads} would vote twice")
            seen.add(source.reads)
        return self

    @property
    def awaits_reports(self) -> bool:
        """Whether it can have no price until somebody has reported one to its new adapters.

        A signed report names the adapter that it is for, so there is none before a deployment.
        """
        others = (s.share for s in self.sources if not isinstance(s, SignedReportSource))
        return sum(others) < self.quorum

    def config(self) -> dict[str, int]:
        """Return the contract's ``AssetConfig``."""
        values = camel(self)
        del values["name"], values["sources"]
        return values

    def votes(self, adapters: Sequence[str]) -> list[dict[str, Any]]:
        """Return the contract's ``SourceConfig``s for adapters in the order of the sources."""
        return [
            {"adapter": adapter, "share": source.share}
            for adapter, source in zip(adapters, self.sources, strict=True)
        ]


class DerivedParameters(Model):
    """An asset priced by other assets' prices: 1 / left, left · right or left / right."""

    name: Name
    operation: Literal["inverse", "product", "quotient"]
    left: Name
    right: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.operation == "inverse" and self.right is not None:
            raise ValueError(f"right: {self.right} is not used: an inverse has one part")
        if self.operation != "inverse" and self.right is None:
            raise ValueError(f"right: is missing: a {self.operation} has two parts")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The assets that it is derived from."""
        return (self.left,) if self.right is None else (self.left, self.right)

    def derivation(self) -> dict[str, Any]:
        """Return the contract's ``Derivation``."""
        return {
            "left": asset_id(self.left),
            "right": _NO_PART if self.right is None else asset_id(self.right),
            "operation": OPERATIONS.index(self.operation),
        }


class Derivation(NamedTuple):
    """A derived asset and its depth: one more than its deepest part's; with sources it is 1."""

    asset: DerivedParameters
    depth: int


def in_order(derived: Iterable[DerivedParameters], sourced: Iterable[str]) -> list[Derivation]:
    """Return derived assets so that each comes after its parts, else in the order given.

    Args:
        derived: no two of one name.
        sourced: names of the assets that have sources.

    Raises:
        ValueError: a part is unknown, an asset depends on itself, or is too deep; the message shows
            the way from the asset down.
    """
    entries = {asset.name: asset for asset in derived}
    bottom = set(sourced)
    found: dict[str, Derivation] = {}

    def place(name: str, way: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """Return depth and deepest chain of an asset; ``way`` leads to it, and ends with it."""
        if name in bottom:
            return 1, (name,)
        if name in way[:-1]:
            raise ValueError(f"derived.{name}: depends on itself: {_chain(way[way.index(name) :])}")
        chains = []
        for field, part in zip(("left", "right"), entries[name].parts, strict=False):
            if part not in entries and part not in bottom:
                choice = ", ".join(sorted({*entries, *bottom} - {name}))
                raise ValueError(
                    f"derived.{name}.{field}: {part} is not in oracle or derived, "
                    f"which have {choice}"
                )
            chains.append(place(part, (*way, part)))
        depth, chain = max(chains, key=lambda deepest: deepest[0])
        depth, chain = depth + 1, (name, *chain)
        if depth > MAX_DEPTH:
            raise ValueError(
                f"derived.{name}: depth {depth} is above the limit {MAX_DEPTH} ({_chain(chain)})"
            )
        found.setdefault(name, Derivation(entries[name], depth))
        return depth, chain

    for name in entries:
        place(name, (name,))
    return list(found.values())


def _chain(names: Iterable[str]) -> str:
    return " → ".join(names)
