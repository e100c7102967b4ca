"""What adaptive margin follows: a market's depth, parameters, correlations, sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import Call, Index, Operation, Step
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import COLLATERALS, DEPTH, Bps, Collateral, listed
from bulkhead.fuzz.suite.governance_operations import Factor, by_governor, scaled_field
from bulkhead.fuzz.suite.token_operations import Who
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.parameter_bounds import BPS
from bulkhead.model.types import ZERO_ADDRESS

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions

_MARGIN = 13
"""Numbers of ``MarginParameters``."""
_BOUNDS = frozenset({"RiskParameters_OutOfBounds"})


@dataclass(frozen=True, slots=True)
class MoveDepth(Operation):
    """A market becomes deeper or shallower, or cannot be measured any more."""

    what: Annotated[int, Index(16)]
    """13: nothing; 14: more than there can be; 15: it fails."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        depth = {13: 0, 14: UINT256_MAX}.get(self.what, 2 * DEPTH * self.share // BPS)
        return Step((Call(u.keeper, "ScriptedDepth", "set", (depth, self.what == 15)),))


@dataclass(frozen=True, slots=True)
class SetMargin(Operation):
    """Change one of the parameters by which margin adapts."""

    refusals = may.NOT_YOURS | _BOUNDS

    who: Who
    parameter: Annotated[int, Index(_MARGIN)]
    factor: Factor

    def resolve(self, u: Questions) -> Step | None:
        known = u.model.risk_parameters.margin_parameters()
        changed = scaled_field(known, self.parameter, self.factor)
        return by_governor(u, self.who, "setMargin", changed)


@dataclass(frozen=True, slots=True)
class SetCorrelations(Operation):
    """Change the markets' correlation, forget it, or say something that cannot be.

    Two markets can have any correlation: that of three that cannot is a unit test's.
    """

    refusals = may.NOT_YOURS | _BOUNDS | {"RiskParameters_PairCount"}

    who: Who
    what: Annotated[int, Index(16)]
    """12: none is known; 13, 14: too many pairs; 15: one too large."""
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        rho = min(self.share, BPS - 1)
        odd = {12: (), 13: (rho, rho), 14: (rho, rho, rho), 15: (BPS,)}
        return by_governor(u, self.who, "setCorrelations", odd.get(self.what, (rho,)))


@dataclass(frozen=True, slots=True)
class SetDepthSource(Operation):
    """Change who measures the depth of a collateral's market."""

    refusals = may.NOT_YOURS | {"RiskParameters_UnknownCollateral"}

    who: Who
    collateral: Collateral
    what: Annotated[int, Index(8)]
    """6: nobody; 7: somebody who cannot."""

    def resolve(self, u: Questions) -> Step | None:
        sources = {6: ZERO_ADDRESS, 7: u.model.addresses.settlement_token}
        source = sources.get(self.what, u.model.scripted_depth.address)
        number = listed(self.collateral, COLLATERALS)
        return by_governor(u, self.who, "setDepthSource", number, source)
