"""All parameters of a deployment, and the TOML or JSON file that they are read from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from bulkhead.deployment.margin_models import (
    CorrelationParameters,
    MarginParameters,
    lower_triangle,
)
from bulkhead.deployment.models import (
    MAX_COLLATERALS,
    MAX_MARKETS,
    Address,
    BreakerParameters,
    BreakerThresholds,
    BreakerTiming,
    CollateralParameters,
    CompartmentParameters,
    InterestParameters,
    MarketParameters,
    Model,
    Reference,
)
from bulkhead.deployment.oracle_models import (
    SOURCE_KINDS,
    ChainlinkSource,
    Derivation,
    DerivedParameters,
    ExchangeRateSource,
    OracleAssetParameters,
    PythSource,
    SignedReportSource,
    Source,
    UniswapV3TwapSource,
    in_order,
)
from bulkhead.deployment.peg_models import BackingParameters, PegParameters
from bulkhead.deployment.trading_models import OrderParameters, PoolParameters
from bulkhead.deployment.units import Seconds

__all__ = [
    "BackingParameters",
    "BreakerParameters",
    "BreakerThresholds",
    "BreakerTiming",
    "ChainlinkSource",
    "CollateralParameters",
    "CompartmentParameters",
    "CorrelationParameters",
    "DeploymentParameters",
    "Derivation",
    "DerivedParameters",
    "ExchangeRateSource",
    "ExternalAddresses",
    "InterestParameters",
    "MarginParameters",
    "MarketParameters",
    "OracleAssetParameters",
    "OrderParameters",
    "ParameterError",
    "PegParameters",
    "PoolParameters",
    "PythSource",
    "RoleParameters",
    "SignedReportSource",
    "Source",
    "UniswapV3TwapSource",
    "UptimeParameters",
    "load_parameters",
    "validated",
]


_PRICED = "oracle or derived"


class ParameterError(Exception):
    """A parameter file is wrong: one line per mistake, with file, field, value and limit."""


class RoleParameters(Model):
    """Who holds which role in the end. Without a governor the deployer stays it."""

    governor: Address | None = None
    risk_admins: tuple[Address, ...] = ()
    guardians: tuple[Address, ...] = ()


class ExternalAddresses(Model):
    """What a real network already has, by the names used elsewhere.

    Attributes:
        tokens: tokens, vaults among them, by symbol.
        feeds: Chainlink feeds.
        oracles: Pyth's contracts, of which a network has one.
        pools: Uniswap v3 pools.
    """

    tokens: dict[Reference, Address] = Field(default_factory=dict)
    feeds: dict[Reference, Address] = Field(default_factory=dict)
    oracles: dict[Reference, Address] = Field(default_factory=dict)
    pools: dict[Reference, Address] = Field(default_factory=dict)


class UptimeParameters(Model):
    """A rollup's feed of its sequencer's uptime, by name or address, and the seconds to wait."""

    feed: Reference
    grace_period: Annotated[int, Seconds(0, "1d")]


class DeploymentParameters(Model):
    """Everything that a deployment needs to know.

    Markets get the ids 0, 1, … and collaterals 1, 2, … in the order of their lists.

    Attributes:
        settlement_token: symbol in the environment, or an address.
        chain_id: only deploy to this chain; None: to any.
        external: addresses of what exists already, for real networks.
        seasoning: seconds that the shares of an asset's sources take to move to new ones.
        uptime: of the chain's sequencer; None where there is none.
        derived: assets that come from others; their order says nothing.
    """

    settlement_token: Reference
    chain_id: int | None = None
    roles: RoleParameters = RoleParameters()
    external: ExternalAddresses = ExternalAddresses()
    seasoning: Annotated[int, Seconds("1h", "30d")]
    uptime: UptimeParameters | None = None
    oracle: tuple[OracleAssetParameters, ...]
    derived: tuple[DerivedParameters, ...] = ()
    pegs: tuple[PegParameters, ...] = ()
    compartment: CompartmentParameters
    interest: InterestParameters
    margin: MarginParameters
    orders: OrderParameters
    pool: PoolParameters
    breaker: BreakerParameters
    markets: Annotated[tuple[MarketParameters, ...], Field(min_length=1, max_length=MAX_MARKETS)]
    collaterals: Annotated[tuple[CollateralParameters, ...], Field(max_length=MAX_COLLATERALS)] = ()
    correlations: tuple[CorrelationParameters, ...] = ()

    @model_validator(mode="after")
    def _references(self) -> Self:
        priced = self._priced()
        pegged = _unique("pegs", (peg.name for peg in self.pegs))
        _unique("markets", (market.name for market in self.markets))
        _unique("collaterals", (collateral.name for collateral in self.collaterals))
        tokens = [collateral.symbol for collateral in self.collaterals]
        _unique("collaterals.token", [self.settlement_token, *tokens])
        _unique("breaker.watched_prices", self.breaker.watched_prices)
        _unique("breaker.watched_pegs", self.breaker.watched_pegs)

        lower_triangle([market.name for market in self.markets], self.correlations)
        for peg in self.pegs:
            if peg.underlying is not None:
                _known(f"pegs.{peg.name}.underlying", peg.underlying, priced, _PRICED)
            _known(f"pegs.{peg.name}.market_ratio", peg.market_ratio, priced, _PRICED)
        for market in self.markets:
            _known(f"markets.{market.name}.index_asset", market.index_asset, priced, _PRICED)
        for collateral in self.collaterals:
            known, where = (pegged, "pegs") if collateral.pegged else (priced, _PRICED)
            _known(f"collaterals.{collateral.name}.asset", collateral.asset, known, where)
        for name in self.breaker.watched_prices:
            _known("breaker.watched_prices", name, priced, _PRICED)
        for name in self.breaker.watched_pegs:
            _known("breaker.watched_pegs", name, pegged, "pegs")
        return self

    def _priced(self) -> set[str]:
        """Return the names of all assets that the oracle prices."""
        sourced = _unique("oracle", (asset.name for asset in self.oracle))
        derived = _unique("derived", (asset.name for asset in self.derived))
        for name in sorted(sourced & derived):
            raise ValueError(f"derived: {name} is in oracle already")
        in_order(self.derived, sourced)
        return sourced | derived

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """Derived assets with their depths, each after its parts."""
        return tuple(in_order(self.derived, (asset.name for asset in self.oracle)))

    @property
    def awaiting_reports(self) -> frozenset[str]:
        """Assets that can have no price until somebody has reported one after the deployment."""
        found = {asset.name for asset in self.oracle if asset.awaits_reports}
        for asset, _ in self.derivations:
            if not found.isdisjoint(asset.parts):
                found.add(asset.name)
        return frozenset(found)

    @property
    def lower_triangle(self) -> tuple[int, ...]:
        """Correlations of the first markets, basis points, row by row."""
        return lower_triangle([market.name for market in self.markets], self.correlations)

    @property
    def market_ids(self) -> dict[str, int]:
        """Market ids by name."""
        return {market.name: i for i, market in enumerate(self.markets)}

    @property
    def collateral_ids(self) -> dict[str, int]:
        """Collateral ids by name; the settlement token, id 0, is not among them."""
        return {collateral.name: i for i, collateral in enumerate(self.collaterals, start=1)}


def load_parameters(path: Path | str) -> DeploymentParameters:
    """Read and validate a parameter file, ``.toml`` or ``.json``.

    Decimals are read exactly, whether quoted or not.

    Raises:
        ParameterError: it is missing, not TOML or JSON, or a value is wrong.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            raw = json.loads(text, parse_float=Decimal)
        else:
            raw = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise ParameterError(f"{file}: {error.strerror or error}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise ParameterError(f"{file}: {error}") from None
    return validated(raw, str(file))


def validated(raw: Any, origin: str = "parameters") -> DeploymentParameters:
    """Return parameters from plain data, as a file would hold it.

    Args:
        raw: nested mappings and lists.
        origin: what the messages call it.

    Raises:
        ParameterError: a value is wrong.
    """
    try:
        return DeploymentParameters.model_validate(raw)
    except ValidationError as error:
        mistakes = (dict(details) for details in error.errors())
        lines = [f"{origin}: {_mistake(raw, d)}" for d in mistakes if not _is_echo(d)]
        raise ParameterError("\n".join(lines)) from None


def _is_echo(details: dict[str, Any]) -> bool:
    """Whether a list is called too short just because its wrong entries do not count."""
    if details["type"] != "too_short":
        return False
    return bool(len(details["input"]) >= details["ctx"]["min_length"])


def _mistake(raw: Any, details: dict[str, Any]) -> str:
    """Return one mistake as ``field: what is wrong``, list entries by their names."""
    words: list[str] = []
    here = raw
    before: tuple[Any, ...] = (None, None)
    for step in details["loc"]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int) and isinstance(here, dict) and "name" in here:
            words.append(str(here["name"]))
        elif before[0] != "sources" or step not in SOURCE_KINDS:
            # After a source's number Pydantic names its kind, which is no field.
            words.append(str(step))
        before = before[1], step
    field = ".".join(words)
    kind = details["type"]
    if kind == "missing":
        text = "is missing"
    elif kind == "extra_forbidden":
        text = "is not a parameter"
    else:
        text = str(details["msg"]).removeprefix("Value error, ")
        if kind != "value_error":
            text += f" (got {details['input']!r})"
    return f"{field}: {text}" if field else text


def _unique(where: str, names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{where}: {name} is listed twice")
        seen.add(name)
    return seen


def _known(where: str, name: str, known: set[str], section: str) -> None:
    if name not in known:
        choice = ", ".join(sorted(known)) or "nothing"
        raise ValueError(f"{where}: {name} is not in {section}, which has {choice}")
