"""What the governor changes, within bounds and beyond them, and who else tries to."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from bulkhead.fuzz.operation import Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import ACTORS, COLLATERALS, MARKETS, UNLISTED
from bulkhead.fuzz.suite.token_operations import Who
from bulkhead.fuzz.suite.twins import role_id
from bulkhead.model.liquid_staking import OPERATOR
from bulkhead.model.math import WAD
from bulkhead.model.oracle import AssetConfig, Derivation
from bulkhead.model.oracle import Operation as Formula
from bulkhead.model.roles import GOVERNOR, GUARDIAN
from bulkhead.model.types import ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

D = TypeVar("D")

_FACTORS_BPS = (10_000, 9_000, 11_000, 8_000, 12_500, 5_000, 20_000, 0)
_UINT32, _UINT64 = 2**32 - 1, 2**64 - 1
_SHORT = frozenset(
    {
        *("vesting_period", "max_unrealized_age", "auction_duration", "dust_units"),
        *("velocity_window", "volume_window", "min_dwell", "max_halt", "max_age", "decay_period"),
    }
)
"""Parameters that have 32 bits; all others have 64 or more."""
_TRADING = 10
"""Numbers of ``MarketTrading``, which come after its asset."""
_LIQUIDATION = 3
_COMPARTMENT = 10
_TIMING = 4
_ASSETS = ("ETH", "BTC", "LST/ETH")
_DERIVED = ("X-1", "X-2", "X-3", "X-4")
"""Assets that may come to be derived: enough for a chain that is too deep."""
_PARTS = 16
_PEG = 8
_PEG_NUMBERS = 3
"""Fields of ``PegConfig`` that come before its numbers."""

_ROLES = (GUARDIAN, OPERATOR, "RISK_ADMIN", GUARDIAN, GOVERNOR, "NO_SUCH_ROLE")

Factor = Annotated[int, Index(2 * len(_FACTORS_BPS))]
"""The second half is as the first but for its last: far beyond every bound."""

_BOUNDS = frozenset({"RiskParameters_OutOfBounds"})


@dataclass(frozen=True, slots=True)
class SetMarket(Operation):
    """Change one parameter of a market."""

    weight = 3
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
            liquidation = _scaled(liquidation, self.parameter - _TRADING - 1, self.factor)
        elif self.parameter:
            trading = _scaled(trading, self.parameter, self.factor)
        elif self.factor == 0:
            trading = replace(trading, index_asset=_ASSETS[1 - market])
        number = UNLISTED if self.market == 8 * MARKETS else market
        return _governor(u, self.who, "setMarket", number, trading, liquidation)


@dataclass(frozen=True, slots=True)
class SetCollateral(Operation):
    """Change a collateral's haircut or cap, or what cannot change."""

    weight = 2
    refusals = (
        may.NOT_YOURS | _BOUNDS | {"RiskParameters_Immutable", "RiskParameters_UnknownCollateral"}
    )

    who: Who
    collateral: Annotated[int, Index(COLLATERALS)]
    """0: the settlement token, which is no collateral."""
    what: Annotated[int, Index(8)]
    """0 to 2: cap; 3 to 5: haircut; 6: token; 7: decimals."""
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.collateral_config(self.collateral or 1)
        if self.what == 7:
            changed = replace(known, decimals=known.decimals + 1)
        elif self.what == 6:
            changed = replace(known, token=u.model.addresses.settlement_token)
        else:
            changed = _scaled(known, (5, 3)[self.what // 3], self.factor)
        return _governor(u, self.who, "setCollateral", self.collateral, changed)


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
        return _governor(u, self.who, "setCompartment", _scaled(known, self.parameter, self.factor))


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
            timing = _scaled(timing, self.parameter, self.factor)
        elif self.parameter < _TIMING + 4:
            row = self.parameter - _TIMING
            name = fields(thresholds)[row].name
            scaled: Any = tuple(_times(n, self.factor) for n in getattr(thresholds, name))
            thresholds = replace(thresholds, **{name: scaled})
        elif self.parameter == _TIMING + 4:
            prices = ("ETH", "BTC") if self.factor % 2 else ("ETH",)
        else:
            pegs = ("LST",) * (1 + 8 * (self.factor == 15))
        return _governor(u, self.who, "setBreaker", timing, thresholds, prices, pegs)


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


@dataclass(frozen=True, slots=True)
class ConfigureOracle(Operation):
    """Change an asset's rules or the weights of its feeds, sensibly or not."""

    weight = 2
    refusals = may.NOT_YOURS | {
        "OracleAggregator_OutOfBounds",
        "OracleAggregator_SourceCount",
        "OracleAggregator_NotAContract",
        "OracleAggregator_ZeroWeight",
        "OracleAggregator_DuplicateSource",
        "OracleAggregator_Quorum",
    }

    who: Who
    asset: Annotated[int, Index(len(_ASSETS))]
    rules: Annotated[int, Index(4 * 5 + 3)]
    """The last three are out of bounds."""
    sources: Annotated[int, Index(3 * 4 + 6)]
    """The last six are refused."""

    def resolve(self, u: Questions) -> Step | None:
        asset = _ASSETS[self.asset]
        listed, quorum = self._sources(u, asset)
        rules = (
            *(_sensible(self.rules, quorum),) * 20,
            AssetConfig(0, 0, quorum, WAD // 20),
            AssetConfig(3_600, 3_601, quorum, WAD // 20),
            AssetConfig(7 * 86_400 + 1, 15, quorum, WAD + 1),
        )[self.rules]
        sender = u.actors[0] if self.who == 15 else u.governor
        args = (asset, rules, listed)
        return Step((Call(sender, "OracleAggregator", "configure", args),))

    def _sources(self, u: Questions, asset: str) -> tuple[tuple[tuple[Address, int], ...], int]:
        """Return sources with their weights, and a quorum."""
        first, second = map(str.lower, u.book.adapters[asset])
        nobody = u.actors[0]
        equal = ((first, 1), (second, 1))
        sensible = (
            (equal, 2),
            (((first, 2), (second, 1)), 2),
            (((first, 1), (second, 3)), 4),
            (((second, 1), (first, 2)), 3),
        )
        return (
            *(3 * sensible),
            (equal, 1),
            (equal, 3),
            ((), 1),
            (((first, 1), (nobody, 1)), 2),
            (((first, 1), (second, 0)), 1),
            (((first, 1), (first, 1)), 2),
        )[self.sources]


@dataclass(frozen=True, slots=True)
class Derive(Operation):
    """Derive an asset from others, or from what is no part; then ask for it, or give it sources."""

    refusals = may.NOT_YOURS | {
        "OracleAggregator_AlreadyConfigured",
        "OracleAggregator_TooDeep",
        "OracleAggregator_UnknownAsset",
        "OracleAggregator_UnusedPart",
    }

    who: Who
    asset: Annotated[int, Index(2 * len(_DERIVED) + 1)]
    """The greatest: one that has sources."""
    left: Annotated[int, Index(_PARTS)]
    right: Annotated[int, Index(_PARTS)]
    """Of both, the last two are the asset itself, and what nobody knows."""
    operation: Annotated[int, Index(len(Formula))]
    then: Annotated[int, Index(8)]
    """0 to 2: fetched; 3 to 5: recorded; 6: given sources; 7: the others are derived from it, one
    from the other, which is too deep in the end."""

    def resolve(self, u: Questions) -> Step | None:
        asset = (*_DERIVED, *_DERIVED, _ASSETS[0])[self.asset]
        formula = Formula(self.operation)
        right = self._part(u, self.right, asset)
        if formula == Formula.INVERSE and self.right < _PARTS - 2:
            right = ""
        derivation = Derivation(self._part(u, self.left, asset), right, formula)
        sender = u.actors[0] if self.who == 15 else u.governor
        calls = [Call(sender, "OracleAggregator", "derive", (asset, derivation))]
        if self.then < 6:
            function = ("fetch", "record")[self.then // 3]
            calls.append(Call(u.keeper, "OracleAggregator", function, (asset,)))
        elif self.then == 6:
            sources = tuple((adapter.lower(), 1) for adapter in u.book.adapters[_ASSETS[0]])
            args = (asset, _sensible(0, len(sources)), sources)
            calls.append(Call(u.governor, "OracleAggregator", "configure", args))
        else:
            chain = (asset, *(name for name in _DERIVED if name != asset))
            for part, name in pairwise(chain):
                link = name, Derivation(part, "", Formula.INVERSE)
                calls.append(Call(u.governor, "OracleAggregator", "derive", link))
                calls.append(Call(u.keeper, "OracleAggregator", "fetch", (name,)))
        return Step(tuple(calls))

    def _part(self, u: Questions, index: int, asset: str) -> str:
        known = (*_ASSETS, *(name for name in _DERIVED if u.model.oracle.sourced(name)))
        if index >= _PARTS - 2:
            return (asset, "NONE")[index - _PARTS]
        return known[index % len(known)]


@dataclass(frozen=True, slots=True)
class ConfigurePeg(Operation):
    """Change one of a pegged asset's rules, or where its rate comes from."""

    weight = 2
    refusals = may.NOT_YOURS | {
        "PegMonitor_OutOfBounds",
        "PegMonitor_NotAContract",
        "OracleAggregator_UnknownAsset",
        "",  # The rate source has no such function.
    }

    who: Who
    parameter: Annotated[int, Index(_PEG + 4)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.peg.peg_config("LST")
        changed = replace(known, rate_source=known.rate_source or ZERO_ADDRESS)
        if self.parameter < _PEG:
            changed = _scaled(changed, self.parameter + _PEG_NUMBERS, self.factor)
        elif self.parameter == _PEG:
            sources = (
                u.model.lst.address,
                ZERO_ADDRESS,
                u.actors[0],
                u.model.addresses.settlement_token,
            )
            changed = replace(changed, rate_source=sources[self.factor % 4])
        elif self.parameter == _PEG + 1:
            changed = replace(changed, underlying="NONE")
        elif self.parameter == _PEG + 2:
            changed = replace(changed, market_ratio="NONE")
        sender = u.actors[0] if self.who == 15 else u.governor
        return Step((Call(sender, "PegMonitor", "configure", ("LST", changed)),))


def _sensible(index: int, quorum: int) -> AssetConfig:
    return (
        AssetConfig(3_600, 15, quorum, WAD // 20),
        AssetConfig(3_600, 0, quorum, WAD // 20),
        AssetConfig(7_200, 60, quorum, WAD // 10),
        AssetConfig(1_800, 600, quorum, WAD // 100),
        AssetConfig(3_600, 3_600, quorum, WAD // 2),
    )[index % 5]


def _governor(u: Questions, who: int, function: str, *args: Any) -> Step:
    sender = u.actors[0] if who == 15 else u.governor
    return Step((Call(sender, "RiskParameters", function, args),))


def _scaled(values: D, index: int, factor: int) -> D:
    """Return parameters with one number scaled."""
    name = fields(values)[index].name  # type: ignore[arg-type]
    most = _UINT32 if name in _SHORT else _UINT64
    scaled = _times(getattr(values, name), factor, most)
    return replace(values, **{name: scaled})  # type: ignore[type-var]


def _times(value: int, factor: int, most: int = _UINT64) -> int:
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
