"""What the governor changes in a compartment, within bounds and beyond them; who else tries."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from bulkhead.fuzz.operation import Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, COLLATERALS, MARKETS, UNLISTED
from bulkhead.fuzz.suite.token_operations import Who
from bulkhead.fuzz.suite.twins import role_id
from bulkhead.model.liquid_staking import OPERATOR
from bulkhead.model.math import WAD
from bulkhead.model.roles import GOVERNOR, GUARDIAN
from bulkhead.model.types import Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

D = TypeVar("D")

_FACTORS_BPS = (10_000, 9_000, 11_000, 8_000, 12_500, 5_000, 20_000, 0)
_UINT16, _UINT32, _UINT56, _UINT64 = 2**16 - 1, 2**32 - 1, 2**56 - 1, 2**64 - 1
_SHORT = frozenset(
    {
        *("vesting_period", "max_unrealized_age", "auction_duration", "dust_units"),
        *("velocity_window", "volume_window", "min_dwell", "max_halt"),
        *("max_age", "decay_period", "free_delay"),
        *("horizon", "max_ratio_rise", "max_stress_rise"),
        *("premium_period", "max_pool_share_bps", "min_delay", "max_delay", "cancel_delay"),
        *("cooldown", "redeem_window"),
    }
)
"""Parameters that have 32 bits; all others have 64 or more."""
_SHORTER = ("gross_floor", "ratio_tier", "stress_tier", "funding_gain")
"""What parameters begin with that have 16 bits."""
_TRADING = 22
"""Numbers of ``MarketTrading``, which come after its asset."""
_LIQUIDATION = 3
_COMPARTMENT = 10
_ORDERS = 4
_POOL = 3
_INTEREST = 8
_TIMING = 4
_ASSETS = ("ETH", "BTC")
_DEPTH = 1_000 * WAD
"""Of a collateral that had none."""

_POOL_FIRST = {"cooldown": 600, "coverage_ratio": WAD // 10}

_ROLES = (GUARDIAN, OPERATOR, "RISK_ADMIN", GUARDIAN, GOVERNOR, "NO_SUCH_ROLE")

Factor = Annotated[int, Index(2 * len(_FACTORS_BPS))]
"""The second half is as the first but for its last: far beyond every bound."""

_BOUNDS = frozenset({"RiskParameters_OutOfBounds"})


@dataclass(frozen=True, slots=True)
class SetMarket(Operation):
    """Change one parameter of a market."""

    weight = 2
    refusals = (
        may.NOT_YOURS | _BOUNDS | {"RiskParameters_Immutable", "RiskParameters_UnknownMarket"}
    )

    who: Who
    market: Annotated[int, Index(8 * MARKETS + 1)]
    parameter: Annotated[int, Index(1 + _TRADING + _LIQUIDATION)]
    """0: its asset, which cannot change."""
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        risk = u.model.risk_parameters
        market = self.market % MARKETS
        trading, liquidation = risk.market_trading(market), risk.market_liquidation(market)
        if self.parameter > _TRADING:
            liquidation = scaled_field(liquidation, self.parameter - _TRADING - 1, self.factor)
        elif self.parameter:
            trading = scaled_field(trading, self.parameter, self.factor)
        elif self.factor == 0:
            trading = replace(trading, index_asset=_ASSETS[1 - market])
        number = UNLISTED if self.market == 8 * MARKETS else market
        return by_governor(u, self.who, "setMarket", number, trading, liquidation)


@dataclass(frozen=True, slots=True)
class SetCollateral(Operation):
    """Change a collateral's haircut, cap or depth, or what cannot change."""

    weight = 2
    refusals = (
        may.NOT_YOURS | _BOUNDS | {"RiskParameters_Immutable", "RiskParameters_UnknownCollateral"}
    )

    who: Who
    collateral: Annotated[int, Index(COLLATERALS)]
    """0: the settlement token, which is no collateral."""
    what: Annotated[int, Index(10)]
    """0 to 2: cap; 3 to 5: haircut; 6: token; 7: decimals; 8, 9: depth."""
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.collateral_config(self.collateral or 1)
        if self.what == 7:
            changed = replace(known, decimals=known.decimals + 1)
        elif self.what == 6:
            changed = replace(known, token=u.model.addresses.settlement_token)
        elif self.what > 7:
            changed = replace(known, depth=times(known.depth or _DEPTH, self.factor))
        else:
            changed = scaled_field(known, (5, 3)[self.what // 3], self.factor)
        return by_governor(u, self.who, "setCollateral", self.collateral, changed)


@dataclass(frozen=True, slots=True)
class SetCompartment(Operation):
    """Change one parameter of the compartment."""

    weight = 2
    refusals = may.NOT_YOURS | _BOUNDS

    who: Who
    parameter: Annotated[int, Index(_COMPARTMENT)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.compartment_parameters()
        changed = scaled_field(known, self.parameter, self.factor)
        return by_governor(u, self.who, "setCompartment", changed)


@dataclass(frozen=True, slots=True)
class SetInterest(Operation):
    """Change one parameter of what debt costs."""

    weight = 2
    refusals = may.NOT_YOURS | _BOUNDS

    who: Who
    parameter: Annotated[int, Index(_INTEREST)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.interest_parameters()
        name = fields(known)[self.parameter].name
        most = _UINT16 if name.endswith("_bps") else _UINT56
        changed = replace(known, **{name: times(getattr(known, name), self.factor, most)})
        return by_governor(u, self.who, "setInterest", changed)


@dataclass(frozen=True, slots=True)
class SetOrders(Operation):
    """Change one parameter of how orders are settled."""

    weight = 1
    refusals = may.NOT_YOURS | _BOUNDS

    who: Who
    parameter: Annotated[int, Index(_ORDERS)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.order_parameters()
        changed = scaled_field(known, self.parameter, self.factor)
        return by_governor(u, self.who, "setOrders", changed)


@dataclass(frozen=True, slots=True)
class SetPool(Operation):
    """Change one parameter of how the pool is left."""

    weight = 1
    refusals = may.NOT_YOURS | _BOUNDS

    who: Who
    parameter: Annotated[int, Index(_POOL)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.pool_parameters()
        # Nothing comes of scaling nothing.
        name = fields(known)[self.parameter].name
        if not getattr(known, name):
            known = replace(known, **{name: _POOL_FIRST[name]})
        changed = scaled_field(known, self.parameter, self.factor)
        return by_governor(u, self.who, "setPool", changed)


@dataclass(frozen=True, slots=True)
class SetBreaker(Operation):
    """Change one window or one row of thresholds of the breaker, or what it watches."""

    weight = 2
    refusals = may.NOT_YOURS | _BOUNDS

    who: Who
    parameter: Annotated[int, Index(_TIMING + 6)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        risk = u.model.risk_parameters
        timing = risk.breaker_timing()
        thresholds, prices, pegs = risk.breaker_thresholds()
        if self.parameter < _TIMING:
            timing = scaled_field(timing, self.parameter, self.factor)
        elif self.parameter < _TIMING + 4:
            row = self.parameter - _TIMING
            name = fields(thresholds)[row].name
            scaled: Any = tuple(times(n, self.factor) for n in getattr(thresholds, name))
            thresholds = replace(thresholds, **{name: scaled})
        elif self.parameter == _TIMING + 4:
            prices = ("ETH", "BTC") if self.factor % 2 else ("ETH",)
        else:
            pegs = ("LST",) * (1 + 8 * (self.factor == 15))
        return by_governor(u, self.who, "setBreaker", timing, thresholds, prices, pegs)


@dataclass(frozen=True, slots=True)
class GrantRole(Operation):
    """Grant a role to somebody."""

    refusals = frozenset({"AccessControlUnauthorizedAccount"})

    who: Who
    role: Annotated[int, Index(6)]
    to: Annotated[int, Index(ACTORS + 2)]

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[0] if self.who == 15 else u.governor
        args = (_role(self.role), _person(u, self.to))
        return Step((Call(sender, "RoleRegistry", "grantRole", args),))


@dataclass(frozen=True, slots=True)
class RevokeRole(Operation):
    """Take a role away, or give it up; the governor stays governor but for a rare case."""

    refusals = frozenset({"AccessControlUnauthorizedAccount", "AccessControlBadConfirmation"})

    who: Who
    role: Annotated[int, Index(6)]
    to: Annotated[int, Index(ACTORS + 2)]
    renounces: Annotated[int, Index(4)]
    """2: gives it up; 3: gives it up in another's name."""

    def resolve(self, u: Questions) -> Step | None:
        role, person = _role(self.role), _person(u, self.to)
        holders = [p for p in _people(u) if u.model.roles.has_role(_ROLES[self.role], p)]
        if holders and self.renounces % 2 == 0:
            person = holders[self.to % len(holders)]
        if role == role_id(GOVERNOR) and person == u.governor and self.who != 14:
            person = u.guardian
        if self.renounces >= 2:
            named = u.actors[3] if self.renounces == 3 else person
            return Step((Call(person, "RoleRegistry", "renounceRole", (role, named)),))
        sender = u.actors[0] if self.who == 15 else u.governor
        return Step((Call(sender, "RoleRegistry", "revokeRole", (role, person)),))


def by_governor(u: Questions, who: int, function: str, *args: Any) -> Step:
    """Return a step in which the governor, or rarely somebody else, sets parameters."""
    sender = u.actors[0] if who == 15 else u.governor
    return Step((Call(sender, "RiskParameters", function, args),))


def scaled_field(values: D, index: int, factor: int) -> D:
    """Return parameters with one number scaled."""
    name = fields(values)[index].name  # type: ignore[arg-type]
    most = _UINT32 if is_short(name) else _UINT64
    if name.startswith(_SHORTER):
        most = _UINT16
    scaled = times(getattr(values, name), factor, most)
    return replace(values, **{name: scaled})  # type: ignore[type-var]


def is_short(name: str) -> bool:
    """Return whether a parameter has 32 bits; all others have 64 or more."""
    return name in _SHORT


def times(value: int, factor: int, most: int = _UINT64) -> int:
    """Return a number scaled; what fits the narrower of its types stays within it."""
    if factor == 2 * len(_FACTORS_BPS) - 1:
        return most
    scaled = value * _FACTORS_BPS[factor % len(_FACTORS_BPS)] // 10_000
    return scaled if value > most else min(scaled, most)


def _role(index: int) -> bytes:
    return role_id(_ROLES[index])


def _people(u: Questions) -> tuple[Address, ...]:
    return (*u.actors, u.guardian, u.governor)


def _person(u: Questions, index: int) -> Address:
    return _people(u)[index]
