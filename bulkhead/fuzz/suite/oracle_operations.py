"""What the governor tells oracle and peg monitor, within bounds and beyond them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.governance_operations import Factor, is_short, times
from bulkhead.fuzz.suite.origin import SEQUENCER
from bulkhead.fuzz.suite.token_operations import Who
from bulkhead.model.math import DAY, WAD
from bulkhead.model.oracle import AssetConfig, Derivation
from bulkhead.model.oracle import Operation as Formula
from bulkhead.model.types import ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

HOUR = 3_600
_UINT32, _UINT64 = 2**32 - 1, 2**64 - 1
_ASSETS = ("ETH", "BTC", "LST/ETH")
_DERIVED = ("X-1", "X-2", "X-3", "X-4")
"""Assets that may come to be derived: enough for a chain that is too deep."""
_PARTS = 16
_PEG_SOURCES = ("rate_source", "backing_source", "queue")


@dataclass(frozen=True, slots=True)
class ConfigureOracle(Operation):
    """Change an asset's rules or the weights of its feeds, sensibly or not."""

    weight = 1
    refusals = may.NOT_YOURS | {
        "OracleAggregator_OutOfBounds",
        "OracleAggregator_SourceCount",
        "OracleAggregator_NotAContract",
        "OracleAggregator_ZeroShare",
        "OracleAggregator_DuplicateSource",
        "OracleAggregator_TotalShare",
    }

    who: Who
    asset: Annotated[int, Index(len(_ASSETS))]
    rules: Annotated[int, Index(4 * 5 + 3)]
    """The last three are out of bounds."""
    sources: Annotated[int, Index(3 * 4 + 7)]
    """The last seven are refused."""

    def resolve(self, u: Questions) -> Step | None:
        asset = _ASSETS[self.asset]
        listed, quorum = self._sources(u, asset)
        rules = (
            *(_sensible(self.rules, quorum),) * 20,
            replace(_sensible(0, quorum), max_staleness=0),
            replace(_sensible(1, quorum), confirmation_delay=0),
            replace(_sensible(2, quorum), max_deviation=WAD + 1),
        )[self.rules]
        sender = u.actors[0] if self.who == 15 else u.governor
        args = (asset, rules, listed)
        return Step((Call(sender, "OracleAggregator", "configure", args),))

    def _sources(self, u: Questions, asset: str) -> tuple[tuple[tuple[Address, int], ...], int]:
        """Return sources with their weights, and a quorum."""
        first, second = map(str.lower, u.book.adapters[asset])
        nobody = u.actors[0]
        equal = ((first, 5_000), (second, 5_000))
        sensible = (
            (equal, 10_000),
            (((first, 6_700), (second, 3_300)), 6_000),
            (((first, 2_500), (second, 7_500)), 10_000),
            (((second, 10_000),), 5_001),
        )
        return (
            *(3 * sensible),
            (equal, 5_000),
            (equal, 10_001),
            ((), 6_000),
            (((first, 5_000), (nobody, 5_000)), 6_000),
            (((first, 10_000), (second, 0)), 6_000),
            (((first, 5_000), (first, 5_000)), 6_000),
            (((first, 5_000), (second, 4_999)), 6_000),
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
            sources = tuple((adapter.lower(), 5_000) for adapter in u.book.adapters[_ASSETS[0]])
            args = (asset, _sensible(0, 10_000), sources)
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
class SuspendSource(Operation):
    """Take a source's vote, and give it back in time: shares begin to move to equal ones."""

    refusals = may.NOT_YOURS | {"OracleAggregator_UnknownSource"}

    who: Who
    """13: the guardian; 14: the guardian, of what is no source; 15: nobody who may."""
    asset: Annotated[int, Index(len(_ASSETS))]
    source: Annotated[int, Index(2)]
    restores: Annotated[int, Index(2)]

    def resolve(self, u: Questions) -> Step | None:
        asset = _ASSETS[self.asset]
        listed = [adapter.lower() for adapter in u.book.adapters[asset]]
        if self.restores and self.who < 13:
            votes = tuple((adapter, 5_000) for adapter in listed)
            args = (asset, _sensible(0, 10_000), votes)
            return Step((Call(u.governor, "OracleAggregator", "configure", args),))
        special = {13: u.guardian, 14: u.guardian, 15: u.actors[0]}
        sender = special.get(self.who, u.governor)
        adapter = u.actors[0] if self.who == 14 else listed[self.source]
        return Step((Call(sender, "OracleAggregator", "suspend", (asset, adapter)),))


@dataclass(frozen=True, slots=True)
class Sequencer(Operation):
    """The sequencer goes down or comes back, or the oracle begins or ceases to ask about it."""

    refusals = may.NOT_YOURS | {"OracleAggregator_OutOfBounds", "OracleAggregator_NotAContract"}

    who: Who
    what: Annotated[int, Index(10)]
    """Asked after a grace period of a minute, an hour, too long, of nobody; not asked, twice; down;
    up, up for long, in the future."""

    def resolve(self, u: Questions) -> Step | None:
        feed = u.book.feeds[SEQUENCER].lower()
        sender = u.actors[0] if self.who == 15 else u.governor
        asked = (
            (feed, 60),
            (feed, 3_600),
            (feed, 86_401),
            (u.actors[0], 60),
            (ZERO_ADDRESS, 0),
            (ZERO_ADDRESS, 0),
        )
        if self.what < len(asked):
            args = asked[self.what]
            return Step((Call(sender, "OracleAggregator", "setUptimeFeed", args),))
        down = self.what == len(asked)
        since = (u.now, u.now, u.now - 7_200, u.now + 7_200)[self.what - len(asked)]
        number = u.model.feeds[SEQUENCER].round.round_id + 1
        round_ = (number, int(down), since, since, number)
        return Step((Call(u.governor, SEQUENCER, "setRound", round_),))


@dataclass(frozen=True, slots=True)
class ConfigurePeg(Operation):
    """Change one of a pegged asset's rules, or where its rate comes from."""

    weight = 2
    refusals = may.NOT_YOURS | {
        "PegMonitor_OutOfBounds",
        "PegMonitor_NotAContract",
        "PegMonitor_SourceFailed",
        "OracleAggregator_UnknownAsset",
    }

    who: Who
    parameter: Annotated[int, Index(24)]
    """Its numbers, its sources, its underlying, its market, nothing."""
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        changed = u.model.peg.peg_config("LST")
        numbers = [f.name for f in fields(changed) if f.type == "int"]
        where = self.parameter - len(numbers)
        if where < 0:
            name = numbers[self.parameter]
            most = _UINT32 if is_short(name) else _UINT64
            scaled = times(getattr(changed, name), self.factor, most)
            changed = replace(changed, **{name: scaled})  # type: ignore[arg-type]
        elif where < len(_PEG_SOURCES):
            sources = (
                u.model.lst.address,
                ZERO_ADDRESS,
                u.actors[0],
                u.model.addresses.settlement_token,
            )
            named = {_PEG_SOURCES[where]: sources[self.factor % 4]}
            changed = replace(changed, **named)  # type: ignore[arg-type]
        elif where == len(_PEG_SOURCES):
            changed = replace(changed, underlying=("NONE", "", "ETH")[self.factor % 3])
        elif where == len(_PEG_SOURCES) + 1:
            changed = replace(changed, market_ratio="NONE")
        sender = u.actors[0] if self.who == 15 else u.governor
        return Step((Call(sender, "PegMonitor", "configure", ("LST", changed)),))


@dataclass(frozen=True, slots=True)
class ClearPeg(Operation):
    """Governance judges a broken peg anew, or tries to where there is none."""

    refusals = may.NOT_YOURS | {"PegMonitor_UnknownAsset"}

    who: Who
    """14: of an asset that is not pegged; 15: nobody who may."""

    def resolve(self, u: Questions) -> Step | None:
        sender = u.actors[0] if self.who == 15 else u.governor
        asset = "NONE" if self.who == 14 else "LST"
        return Step((Call(sender, "PegMonitor", "clear", (asset,)),))


def _sensible(index: int, quorum: int) -> AssetConfig:
    return (
        AssetConfig(3_600, 15, quorum, 30, WAD // 20, WAD // 50, WAD // 10, DAY, WAD // 20),
        AssetConfig(3_600, 0, quorum, 30, WAD // 20, WAD // 20, WAD // 5, HOUR, 0),
        AssetConfig(7_200, 60, quorum, 60, WAD // 10, WAD // 50, WAD // 10, DAY, WAD // 20),
        AssetConfig(1_800, 600, quorum, 1, WAD // 100, WAD // 200, WAD // 20, DAY, WAD),
        AssetConfig(3_600, 3_600, quorum, 3_600, WAD // 2, WAD // 2, WAD, 30 * DAY, 10 * WAD),
    )[index % 5]
