"""One model per parameter struct of the contracts, with the contract's own bounds.

Files hold numbers as people write them (``taker_fee = "0.0005"``, ``vesting_period = "6h"``);
models hold the integers that contracts take: WAD, seconds, token units. A test probes the bounds on
both sides, so that nothing passes here that a contract would refuse.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Self

from eth_utils.address import is_address, is_checksum_address
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bulkhead.chain.codec import asset_id, checksum
from bulkhead.deployment.units import (
    UINT64_MAX,
    WAD,
    BasisPoints,
    Seconds,
    Wad,
    Whole,
    from_basis_points,
    from_wad,
)

MAX_MARKETS = 16
MAX_COLLATERALS = 8
MAX_WATCHED = 8
MAX_AMOUNT = str(10**18)
"""Greatest size or cap: 10^36 in WAD."""
MAX_UINT64 = from_wad(UINT64_MAX)
MAX_CAP_TOKENS = 10**36
MAX_DEPTH = 10**13
"""Greatest depth in whole tokens: 10^31 in WAD."""
ONE_UNIT = from_wad(1)
_LIQUIDATION = ("penalty", "keeperShare", "minNotional")

Threshold64 = Annotated[int, Wad(ONE_UNIT, MAX_UINT64)]
Threshold128 = Annotated[int, Wad(ONE_UNIT, MAX_AMOUNT)]
Name = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[!-~]+$")]
"""Names an asset, market or collateral; assets' names are their ids on chain."""
Reference = Annotated[str, Field(min_length=1, max_length=42, pattern=r"^[!-~]+$")]
"""A name of the environment, or an address."""


def _checked_address(text: str) -> str:
    digits = text[2:]
    is_mixed = digits not in (digits.lower(), digits.upper())
    if not is_address(text) or (is_mixed and not is_checksum_address(text)):
        raise ValueError(f"{text!r} is not an address, or its checksum is wrong")
    return checksum(text)


Address = Annotated[str, AfterValidator(_checked_address)]


class Model(BaseModel):
    """Base of all models here: immutable, and unknown fields are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def camel(model: BaseModel) -> dict[str, Any]:
    """Return a model's fields under the names that Solidity gives them."""
    fields = ((name, getattr(model, name)) for name in type(model).model_fields)
    return {_camel_case(name): value for name, value in fields}


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def at_least(field: str, value: int, limit: int, why: str) -> None:
    """Refuse a WAD value below a limit: ``ValueError`` with both, and why there is one."""
    if value < limit:
        raise ValueError(f"{field}: {from_wad(value)} is below the limit {from_wad(limit)} ({why})")


def at_most(field: str, value: int, limit: int, why: str) -> None:
    """Refuse a WAD value above a limit: ``ValueError`` with both, and why there is one."""
    if value > limit:
        raise ValueError(f"{field}: {from_wad(value)} is above the limit {from_wad(limit)} ({why})")


def rising(model: BaseModel, fields: tuple[str, ...]) -> None:
    """Refuse basis points that fall from one field to the next: ``ValueError`` with both."""
    for lower, higher in pairwise(fields):
        value, limit = getattr(model, higher), getattr(model, lower)
        if value < limit:
            shown = from_basis_points(value), from_basis_points(limit)
            raise ValueError(f"{higher}: {shown[0]} is below the limit {shown[1]} ({lower})")


class MarketParameters(Model):
    """A perpetual market. Fractions and amounts in WAD; ``min_notional`` in settlement units.

    ``skew_scale`` and ``max_open_interest`` are base units; the funding rate is per day, its
    velocity per day per day. See ``contracts/types/Parameters.sol`` for what each one does.
    """

    name: Name
    index_asset: Name
    skew_scale: Annotated[int, Wad(1, MAX_AMOUNT)]
    max_open_interest: Annotated[int, Wad(0, MAX_AMOUNT)]
    initial_margin_ratio: Annotated[int, Wad(0, 1)]
    maintenance_margin_ratio: Annotated[int, Wad("0.005", "0.5")]
    max_initial_margin_ratio: Annotated[int, Wad(0, 1)]
    volatility_multiplier: Annotated[int, Wad(0, 10)]
    max_premium: Annotated[int, Wad("0.001", "0.25")]
    taker_fee: Annotated[int, Wad(0, "0.01")]
    max_funding_rate: Annotated[int, Wad(0, "0.5")]
    max_funding_velocity: Annotated[int, Wad(0, 10)]
    premium_scale: Annotated[int, Wad("0.0001", 1)]
    funding_deadband: Annotated[int, Wad(0, "0.1")]
    maker_fee: Annotated[int, Wad(0, "0.01")]
    max_rebate: Annotated[int, Wad(0, "0.015")]
    price_band: Annotated[int, Wad("0.001", "0.1")]
    instant_spread: Annotated[int, Wad(0, "0.01")]
    max_pool_share_bps: Annotated[int, BasisPoints("0.01", 1_000)]
    premium_period: Annotated[int, Seconds("1m", "1d")]
    funding_gain1: Annotated[int, BasisPoints(1, 5)]
    funding_gain2: Annotated[int, BasisPoints(1, 5)]
    funding_gain3: Annotated[int, BasisPoints(1, 5)]
    funding_gain4: Annotated[int, BasisPoints(1, 5)]
    penalty: Annotated[int, Wad(0, 1)]
    keeper_share: Annotated[int, Wad(0, 1)]
    min_notional: Annotated[int, Wad(0, 10**6)]

    @model_validator(mode="after")
    def _margins(self) -> Self:
        at_most(
            "max_open_interest",
            self.max_open_interest,
            self.skew_scale * self.max_premium // WAD,
            "skew_scale · max_premium",
        )
        margin = self.maintenance_margin_ratio
        at_least("maintenance_margin_ratio", margin, 2 * self.max_premium, "twice max_premium")
        at_least(
            "initial_margin_ratio",
            self.initial_margin_ratio,
            margin * 5 // 4,
            "5/4 of maintenance_margin_ratio",
        )
        at_least(
            "max_initial_margin_ratio",
            self.max_initial_margin_ratio,
            self.initial_margin_ratio,
            "initial_margin_ratio",
        )
        half = "half of maintenance_margin_ratio"
        at_most("taker_fee", self.taker_fee, margin // 2, half)
        at_most("penalty", self.penalty, margin // 2, half)
        at_most("maker_fee", self.maker_fee, self.taker_fee, "taker_fee")
        at_most("max_rebate", self.max_rebate, self.taker_fee * 3 // 2, "3/2 of taker_fee")
        at_most("price_band", self.price_band, margin, "maintenance_margin_ratio")
        rising(self, ("funding_gain1", "funding_gain2", "funding_gain3", "funding_gain4"))
        return self

    def trading(self) -> dict[str, Any]:
        """Return the contract's ``MarketTrading``."""
        values = {name: value for name, value in camel(self).items() if name not in _LIQUIDATION}
        del values["name"]
        return {**values, "indexAsset": asset_id(self.index_asset)}

    def liquidation(self) -> dict[str, int]:
        """Return the contract's ``MarketLiquidation``."""
        return {name: value for name, value in camel(self).items() if name in _LIQUIDATION}


class CollateralParameters(Model):
    """A collateral token. ``haircut`` in WAD; ``cap`` in WAD of whole tokens, 0 stops deposits.

    ``depth`` is what the token's market holds at most, in WAD of whole tokens; 0: its amount does
    not matter. ``token`` is a symbol of the environment or an address.
    """

    name: Name
    token: Reference | None = None
    decimals: Annotated[int, Whole(0, 18)]
    asset: Name
    pegged: bool = False
    haircut: Annotated[int, Wad(0, "0.9")] = 0
    cap: Annotated[int, Wad(0, MAX_CAP_TOKENS)]
    depth: Annotated[int, Wad(0, MAX_DEPTH)] = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.pegged:
            at_most("haircut", self.haircut, 0, "a pegged token has that of the peg monitor")
        else:
            at_least("haircut", self.haircut, 10**16, "for a token that is not pegged")
        if self.cap_tokens > MAX_CAP_TOKENS:
            raise ValueError(f"cap: {self.cap_tokens} token units is above {MAX_CAP_TOKENS}")
        return self

    @property
    def symbol(self) -> str:
        """Symbol or address of the token."""
        return self.token or self.name

    @property
    def cap_tokens(self) -> int:
        """The cap in token units."""
        unit = 10 ** (18 - self.decimals)
        if self.cap % unit:
            raise ValueError(f"cap: {from_wad(self.cap)} has more than {self.decimals} decimals")
        return int(self.cap // unit)

    def config(self, token: str) -> dict[str, Any]:
        """Return the contract's ``CollateralConfig`` for the token at an address."""
        return {
            "token": token,
            "decimals": self.decimals,
            "pegged": self.pegged,
            "haircut": self.haircut,
            "asset": asset_id(self.asset),
            "cap": self.cap_tokens,
            "depth": self.depth,
        }


class CompartmentParameters(Model):
    """Parameters of the whole compartment. Durations in seconds, fractions in WAD.

    ``dust_units`` are whole settlement units.
    """

    vesting_period: Annotated[int, Seconds(0, "30d")]
    max_unrealized_age: Annotated[int, Seconds(1, "1d")]
    debt_initial_ratio: Annotated[int, Wad(0, 1)]
    debt_maintenance_ratio: Annotated[int, Wad("0.01", "0.5")]
    target_health: Annotated[int, Wad("1.01", 2)]
    insurance_fee_share: Annotated[int, Wad(0, 1)]
    pool_fee_share: Annotated[int, Wad(0, 1)]
    auction_start_premium: Annotated[int, Wad(0, "0.5")]
    auction_duration: Annotated[int, Seconds("1m", "1d")]
    dust_units: Annotated[int, Whole(1, 1_000_000)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        at_least(
            "debt_initial_ratio",
            self.debt_initial_ratio,
            self.debt_maintenance_ratio * 5 // 4,
            "5/4 of debt_maintenance_ratio",
        )
        at_most(
            "pool_fee_share",
            self.pool_fee_share,
            WAD - self.insurance_fee_share,
            "what insurance_fee_share leaves",
        )
        return self

    def struct(self) -> dict[str, int]:
        """Return the contract's ``CompartmentParameters``."""
        return camel(self)


class InterestParameters(Model):
    """What debt costs. Rates are WAD fractions per day; kink and multipliers basis points.

    In tier 0 the multiplier is 1.
    """

    kink_bps: Annotated[int, BasisPoints("0.1", "0.99")]
    rate_at_zero: Annotated[int, Wad(0, "0.01")]
    rate_at_kink: Annotated[int, Wad(0, "0.01")]
    rate_at_full: Annotated[int, Wad(0, "0.01")]
    tier1_bps: Annotated[int, BasisPoints(1, 5)]
    tier2_bps: Annotated[int, BasisPoints(1, 5)]
    tier3_bps: Annotated[int, BasisPoints(1, 5)]
    tier4_bps: Annotated[int, BasisPoints(1, 5)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for lower, higher in pairwise(("rate_at_zero", "rate_at_kink", "rate_at_full")):
            at_least(higher, getattr(self, higher), getattr(self, lower), lower)
        rising(self, ("tier1_bps", "tier2_bps", "tier3_bps", "tier4_bps"))
        return self

    def struct(self) -> dict[str, int]:
        """Return the contract's ``InterestParameters``."""
        return camel(self)


class BreakerTiming(Model):
    """How long the circuit breaker looks back and holds on. Seconds."""

    velocity_window: Annotated[int, Seconds("1m", "1d")]
    volume_window: Annotated[int, Seconds("1m", "7d")]
    min_dwell: Annotated[int, Seconds("1m", "1d")]
    max_halt: Annotated[int, Seconds("1m", "3d")]

    def struct(self) -> dict[str, int]:
        """Return the contract's ``BreakerTiming``."""
        return camel(self)


class BreakerThresholds(Model):
    """Least signals for tiers 1 to 4, rising strictly. WAD: fractions, then settlement units."""

    price_move: tuple[Threshold64, Threshold64, Threshold64, Threshold64]
    discount: tuple[Threshold64, Threshold64, Threshold64, Threshold64]
    liquidation_volume: tuple[Threshold128, Threshold128, Threshold128, Threshold128]
    bad_debt: tuple[Threshold128, Threshold128, Threshold128, Threshold128]

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for field in type(self).model_fields:
            values = getattr(self, field)
            for i in range(1, 4):
                if values[i] <= values[i - 1]:
                    raise ValueError(
                        f"{field}: {from_wad(values[i])} for tier {i + 1} is not above "
                        f"{from_wad(values[i - 1])} for tier {i}"
                    )
        return self

    def struct(self) -> dict[str, tuple[int, ...]]:
        """Return the contract's ``BreakerThresholds``."""
        return camel(self)


class BreakerParameters(Model):
    """The circuit breaker: timing, thresholds, and the assets that it watches."""

    timing: BreakerTiming
    thresholds: BreakerThresholds
    watched_prices: Annotated[tuple[Name, ...], Field(max_length=MAX_WATCHED)] = ()
    watched_pegs: Annotated[tuple[Name, ...], Field(max_length=MAX_WATCHED)] = ()
