"""Outside market paths: what the rest of the world pays, step by step.

Generated paths are made of a planned course (calm, slide, crash, bottom, recovery) and seeded noise
around it; the numbers are invented, their shape follows public accounts of lasting discounts of
liquid staking tokens and of the days on which leveraged positions were unwound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from bulkhead.agents.view import OutsidePrices
from bulkhead.scenarios.prices import BTC, ETH, RATIO, PriceHistory

DEEPEST_DISCOUNT = 0.20
"""Outside discount of the pegged collateral at severity 1.0."""
LEAST_FALL, EXTRA_FALL = 0.10, 0.30
"""ETH falls by the first at severity 0, by both at severity 1.0."""
BTC_BETA = 0.6
"""How much of ETH's move BTC makes (log returns)."""

_Course = Sequence[tuple[float, float]]
# (part of the time after the warm-up, part of the depth)
_RATIO_COURSE: _Course = (
    (0.00, 0.00),
    (0.10, 0.02),
    (0.24, 0.30),
    (0.31, 0.42),
    (0.345, 0.88),
    (0.38, 1.00),
    (0.50, 0.82),
    (0.58, 0.62),
    (0.70, 0.30),
    (0.82, 0.09),
    (0.92, 0.03),
    (1.00, 0.02),
)
_ETH_COURSE: _Course = (
    (0.00, 0.00),
    (0.10, 0.03),
    (0.24, 0.33),
    (0.30, 0.40),
    (0.307, 0.62),
    (0.34, 0.66),
    (0.347, 0.93),
    (0.38, 1.00),
    (0.48, 0.86),
    (0.60, 0.72),
    (0.80, 0.52),
    (1.00, 0.46),
)


@dataclass(frozen=True, slots=True)
class MarketPath:
    """Outside prices for every step of a scenario.

    Attributes:
        step_seconds: chain time between steps.
        steps: the prices; the first ``warmup`` are calm, for positions to be opened.
        sources: where each of ``ETH``, ``BTC``, ``LST/ETH`` came from, for the report.
    """

    step_seconds: int
    steps: tuple[OutsidePrices, ...]
    warmup: int
    sources: dict[str, str]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: int) -> OutsidePrices:
        return self.steps[step]


def depeg_path(
    seed: int,
    steps: int,
    severity: float,
    start: OutsidePrices,
    step_seconds: int,
    warmup: int,
) -> MarketPath:
    """Return a path on which the collateral loses its peg while ETH falls, and recovers.

    Args:
        seed: of the noise; the planned course does not depend on it.
        steps: number of steps, the warm-up included.
        severity: 0 … 1, see ``DEEPEST_DISCOUNT`` and ``EXTRA_FALL``.
        start: prices of the calm beginning.
        step_seconds: chain time between steps.
        warmup: calm steps at the beginning.

    Raises:
        ValueError: severity outside of [0, 1], or no step after the warm-up.
    """
    if not 0 <= severity <= 1:
        raise ValueError(f"severity is within 0 and 1, not {severity}")
    if not 0 <= warmup < steps - 1:
        raise ValueError(f"{steps} steps leave none after a warm-up of {warmup}")
    rng = Random(f"path-{seed}")
    depth = DEEPEST_DISCOUNT * severity
    fall = -math.log(1 - LEAST_FALL - EXTRA_FALL * severity)
    noise = _Noise(rng, 0.0016, 0.0009 * (0.3 + severity))
    prices: list[OutsidePrices] = []
    for step in range(steps):
        part = max(0.0, (step - warmup) / (steps - 1 - warmup))
        noise.advance(1.0 if step >= warmup else 0.3)
        eth_log = -fall * _along(_ETH_COURSE, part) + noise.eth
        ratio = 1 - depth * _along(_RATIO_COURSE, part) + noise.ratio
        prices.append(
            OutsidePrices(
                eth=start.eth * math.exp(eth_log),
                btc=start.btc * math.exp(BTC_BETA * eth_log + noise.btc),
                ratio=start.ratio * min(1.0, max(0.05, ratio)),
            )
        )
    name = f"generated, seed {seed}, severity {severity:g}"
    return MarketPath(step_seconds, tuple(prices), warmup, {ETH: name, BTC: name, RATIO: name})


def replayed_path(history: PriceHistory, generated: MarketPath, start: OutsidePrices) -> MarketPath:
    """Return a path that follows a price file wherever the file has a column.

    The file's whole span is spread over the steps after the warm-up, in which its first prices
    hold; so a step takes as much chain time as the file says. ETH and BTC follow the file's
    *relative* moves from the scenario's start prices, which are those of the deployed pools.

    Args:
        history: the file.
        generated: gives the number of steps, and the prices that the file does not have.
        start: prices of the deployed pools.
    """
    count, warmup = len(generated), generated.warmup
    step_seconds = max(60, math.ceil(history.span_seconds / (count - 1 - warmup)))
    prices: list[OutsidePrices] = []
    for step, other in enumerate(generated.steps):
        time = history.first + max(0, step - warmup) * step_seconds
        values = {ETH: other.eth, BTC: other.btc, RATIO: other.ratio}
        for name, series in history.series.items():
            value = series.at(time)
            if name == RATIO:
                values[name] = value
            else:
                base = start.eth if name == ETH else start.btc
                values[name] = base * value / series.values[0]
        prices.append(OutsidePrices(values[ETH], values[BTC], values[RATIO]))
    sources = dict(generated.sources)
    for name, column in history.origin.items():
        relative = "" if name == RATIO else ", relative moves"
        sources[name] = f"column {column} of {history.path}{relative}"
    return MarketPath(step_seconds, tuple(prices), warmup, sources)


def _along(course: _Course, part: float) -> float:
    """Return a course's value at ``part`` (0 … 1), linear between its points."""
    for (x0, y0), (x1, y1) in pairwise(course):
        if part <= x1:
            return y0 + (y1 - y0) * (part - x0) / (x1 - x0)
    return course[-1][1]


class _Noise:
    """Mean-reverting noise around the course: log moves of ETH and BTC, moves of the ratio."""

    def __init__(self, rng: Random, eth_sigma: float, ratio_sigma: float) -> None:
        self._rng = rng
        self._eth_sigma = eth_sigma
        self._ratio_sigma = ratio_sigma
        self.eth = self.btc = self.ratio = 0.0

    def advance(self, scale: float) -> None:
        gauss = self._rng.gauss
        self.eth = 0.93 * self.eth + scale * gauss(0, self._eth_sigma)
        self.btc = 0.93 * self.btc + scale * gauss(0, 0.8 * self._eth_sigma)
        self.ratio = 0.90 * self.ratio + scale * gauss(0, self._ratio_sigma)
