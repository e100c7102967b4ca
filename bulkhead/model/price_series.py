"""Twin of ``PriceSeries``: a price's integral over time, an average of it, its volatility.

Prices WAD, times Unix seconds, variances WAD per day. A price holds from when it is set to when
the next one is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bulkhead.model.math import DAY, WAD, mul_div_down, mul_div_up, mul_up, rpow, sqrt

SAMPLE_PERIOD = 300
CHECKPOINTS = 16
MAX_WINDOW = (CHECKPOINTS - 1) * SAMPLE_PERIOD
VARIANCE_SECONDS = 3 * DAY // 2

Checkpoint = tuple[int, int]
"""Time, and Σ price · seconds up to it."""


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """What is known of a price's past.

    Attributes:
        volatility_period: mean age of the samples, seconds.
        initial_volatility: WAD per square root of a day.
        cumulative: Σ price · seconds up to ``accrued_at``.
        accrued_at: Unix seconds; 0 before the first price.
        sampled_to: number of the period before which all are in the variance.
        variance: WAD per day.
        last_mean: average of the last sampled period.
        checkpoints: the newest last, at most ``CHECKPOINTS``.
    """

    volatility_period: int
    initial_volatility: int
    cumulative: int = 0
    accrued_at: int = 0
    sampled_to: int = 0
    variance: int = 0
    last_mean: int = 0
    checkpoints: tuple[Checkpoint, ...] = ()

    def begin(self, price: int, now: int) -> PriceSeries:
        """Return the series that starts with the first price ever."""
        return replace(
            self,
            accrued_at=now,
            sampled_to=now // SAMPLE_PERIOD,
            last_mean=price,
            variance=mul_up(self.initial_volatility, self.initial_volatility),
            checkpoints=((now, 0),),
        )

    def is_due(self, now: int) -> bool:
        """Return whether a period has ended since the last sample."""
        return now // SAMPLE_PERIOD > self.sampled_to

    def advance(self, price: int, now: int) -> PriceSeries:
        """Return the series with the time since ``accrued_at``, during which ``price`` held."""
        cumulative = self.cumulative + price * (now - self.accrued_at)
        if not self.is_due(now):
            return replace(self, cumulative=cumulative, accrued_at=now)
        period = now // SAMPLE_PERIOD
        variance, mean, checkpoints = self._sampled(price, period)
        return PriceSeries(
            self.volatility_period,
            self.initial_volatility,
            cumulative,
            now,
            period,
            variance,
            mean,
            checkpoints,
        )

    def average(self, price: int, window: int, now: int) -> tuple[int | None, int]:
        """Return the average of the last ``window`` seconds, rounded down, and how many are known.

        ``price`` has held since ``accrued_at``. Within a past period only its average is known.
        None if too little is known.
        """
        start = now - window
        total = self.cumulative + price * (now - self.accrued_at)
        later = (self.accrued_at, self.cumulative)
        if self.is_due(now):
            end = (self.sampled_to + 1) * SAMPLE_PERIOD
            later = (end, total - price * (now - end))
        if start >= later[0]:
            return price, window
        for earlier in reversed(self.checkpoints):
            if earlier[0] <= start:
                before = earlier[1] + mul_div_down(
                    later[1] - earlier[1], start - earlier[0], later[0] - earlier[0]
                )
                return (total - before) // window, now - earlier[0]
            later = earlier
        return None, now - later[0]

    def volatility(self) -> int:
        """Return the square root of the variance, WAD per square root of a day, rounded up."""
        square = self.variance * WAD
        root = sqrt(square)
        return root + 1 if root * root < square else root

    def _sampled(self, price: int, period: int) -> tuple[int, int, tuple[Checkpoint, ...]]:
        """Return variance, last mean and checkpoints when all periods before ``period`` ended.

        In the first of them prices were mixed; in the others ``price`` held.
        """
        end = (self.sampled_to + 1) * SAMPLE_PERIOD
        cumulative = self.cumulative + price * (end - self.accrued_at)
        last = self.checkpoints[-1]
        mean = (cumulative - last[1]) // (end - last[0])
        tau = self.volatility_period
        variance = _step(self.variance, self.last_mean, mean, tau)
        checkpoints = (*self.checkpoints, (end, cumulative))
        idle = period - self.sampled_to - 1
        if idle > 0:
            variance = _step(variance, mean, price, tau)
            kept = rpow(WAD - SAMPLE_PERIOD * WAD // tau, idle - 1, WAD)
            variance = mul_up(variance, kept)
            mean = price
            cumulative += price * idle * SAMPLE_PERIOD
            checkpoints = (*checkpoints, (period * SAMPLE_PERIOD, cumulative))
        return variance, mean, checkpoints[-CHECKPOINTS:]


def _step(variance: int, before: int, after: int, tau: int) -> int:
    """Return v·(1 − Δ/τ) + 1.5·r²·day/τ, rounded up; r the relative change, at most 1."""
    r = min(WAD, mul_div_up(abs(after - before), WAD, before))
    added = mul_div_up(r * r, VARIANCE_SECONDS, tau * WAD)
    return variance - variance * SAMPLE_PERIOD // tau + added
