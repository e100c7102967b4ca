"""Experiments by name, and what one hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkhead.report.panel import Panel

Tell = Callable[[str], None]
"""Is told what comes next, once per step."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment found.

    Attributes:
        headline: sentences for the terminal.
        sections: Markdown by the name of the markers in the experiment's document.
        data: everything, for ``json``.
        panels: figures for the picture.
    """

    headline: Sequence[str]
    sections: Mapping[str, str]
    data: Mapping[str, Any]
    panels: Sequence[Panel] = field(default=())


@dataclass(frozen=True, slots=True)
class Experiment:
    """Something that can be run.

    Attributes:
        name: on the command line.
        summary: what it answers, in a line.
        document: the page that shows its numbers.
        image: the picture of its figures.
        steps: how many steps there are, by whether it is the quick version.
        run: measures; is told of each step.
    """

    name: str
    summary: str
    document: Path
    image: Path | None
    steps: Callable[[bool], int]
    run: Callable[[bool, Tell], Outcome]


class UnknownExperimentError(Exception):
    """There is no experiment of a name; the message lists those that there are."""


def experiments() -> dict[str, Experiment]:
    """Return all experiments by name."""
    from bulkhead.experiments.funding_equilibrium import FUNDING_EQUILIBRIUM
    from bulkhead.experiments.oracle_attacks import ORACLE_ATTACKS
    from bulkhead.experiments.portfolio_margin import PORTFOLIO_MARGIN

    return {e.name: e for e in (FUNDING_EQUILIBRIUM, ORACLE_ATTACKS, PORTFOLIO_MARGIN)}


def find_experiment(name: str) -> Experiment:
    """Return an experiment.

    Raises:
        UnknownExperimentError: there is none of this name.
    """
    known = experiments()
    if name not in known:
        raise UnknownExperimentError(f"no experiment {name!r}; there are: {', '.join(known)}")
    return known[name]
