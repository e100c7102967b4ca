"""Twins of the adapters for Pyth feeds, redemption rates and signed reports.

Prices and rates are WAD, times Unix seconds. What an adapter would call for (Pyth's storage, a
token's rate, whether a signature is valid) is given to the twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import DAY, checked_uint, mul_div_up, mul_down

MAX_PRICE = 2**127 - 1
MIN_EXPONENT = -36
MAX_EXPONENT = 18
MAX_GROWTH_RATIO = 10**16
MAX_SIGNERS = 15
MAX_DRIFT = 15
MAX_MAX_AGE = DAY


class PythAdapter_NonPositivePrice(ModelRevert):  # noqa: N801
    """``(price)``."""


class PythAdapter_ExponentOutOfRange(ModelRevert):  # noqa: N801
    """``(expo, minimum, maximum)``."""


class PythAdapter_PriceTooSmall(ModelRevert):  # noqa: N801
    """``(price, expo)``: it rounds to zero."""


class PythAdapter_FeeNotCovered(ModelRevert):  # noqa: N801
    """``(value, fee)``, wei."""


class ExchangeRateAdapter_ZeroRate(ModelRevert):  # noqa: N801
    """The token's rate is zero."""


class ExchangeRateAdapter_RateOutOfRange(ModelRevert):  # noqa: N801
    """``(rate, maximum)``: the first rate is too large."""


class ExchangeRateAdapter_GrowthOutOfBounds(ModelRevert):  # noqa: N801
    """``(maxGrowthPerDay, minimum, maximum)``."""


class SignedReportAdapter_SignerCount(ModelRevert):  # noqa: N801
    """``(count, maximum)``."""


class SignedReportAdapter_NotAscending(ModelRevert):  # noqa: N801
    """``(previous, signer)``."""


class SignedReportAdapter_Threshold(ModelRevert):  # noqa: N801
    """``(threshold, signerCount)``: no majority, or more than everyone."""


class SignedReportAdapter_MaxAge(ModelRevert):  # noqa: N801
    """``(maxAge, minimum, maximum)``."""


class SignedReportAdapter_ReportCount(ModelRevert):  # noqa: N801
    """``(count, threshold, signerCount)``."""


class SignedReportAdapter_UnknownSigner(ModelRevert):  # noqa: N801
    """``(signer)``."""


class SignedReportAdapter_PriceOutOfRange(ModelRevert):  # noqa: N801
    """``(signer, price, maximum)``."""


class SignedReportAdapter_FromTheFuture(ModelRevert):  # noqa: N801
    """``(signer, timestamp, maximum)``."""


class SignedReportAdapter_TooOld(ModelRevert):  # noqa: N801
    """``(signer, timestamp, minimum)``."""


class SignedReportAdapter_BadSignature(ModelRevert):  # noqa: N801
    """``(signer)``."""


class SignedReportAdapter_NotNewer(ModelRevert):  # noqa: N801
    """``(timestamp, recorded)``."""


class SignedReportAdapter_NoReport(ModelRevert):  # noqa: N801
    """Nothing is recorded yet."""


class SignedReportAdapter_Expired(ModelRevert):  # noqa: N801
    """``(age, maxAge)``."""


ZERO_ADDRESS = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class PythAdapter:
    """Twin of ``PythAdapter``, over the last price that Pyth knows of its feed."""

    price: int
    conf: int
    expo: int
    publish_time: int

    def latest(self, now: int) -> tuple[int, int, int]:  # noqa: ARG002
        """Return price (down) and confidence (up) scaled to WAD, and the publish time.

        Raises:
            PythAdapter_NonPositivePrice: zero or negative.
            PythAdapter_ExponentOutOfRange: the exponent cannot be scaled.
            PythAdapter_PriceTooSmall: the price rounds to zero.
        """
        if self.price <= 0:
            raise PythAdapter_NonPositivePrice(self.price)
        if not MIN_EXPONENT <= self.expo <= MAX_EXPONENT:
            raise PythAdapter_ExponentOutOfRange(self.expo, MIN_EXPONENT, MAX_EXPONENT)
        if self.expo >= -18:
            factor = 10 ** (18 + self.expo)
            return self.price * factor, self.conf * factor, self.publish_time
        divisor = 10 ** -(18 + self.expo)
        price = self.price // divisor
        if price == 0:
            raise PythAdapter_PriceTooSmall(self.price, self.expo)
        return price, mul_div_up(self.conf, 1, divisor), self.publish_time


def pyth_refund(value: int, fee: int) -> int:
    """Return what ``PythAdapter.update`` sends back of the wei sent along.

    Raises:
        PythAdapter_FeeNotCovered: less than the fee was sent.
    """
    if value < fee:
        raise PythAdapter_FeeNotCovered(value, fee)
    return value - fee


@dataclass(slots=True)
class ExchangeRateAdapter:
    """Twin of ``ExchangeRateAdapter``; ``raw`` is what the token's rate is now, WAD."""

    raw: int
    max_growth_per_day: int
    ratio: int = 0
    recorded_at: int = 0

    @classmethod
    def deploy(cls, raw: int, max_growth_per_day: int, now: int) -> ExchangeRateAdapter:
        """Record the first rate.

        Raises:
            ExchangeRateAdapter_ZeroRate: there is none.
            ExchangeRateAdapter_RateOutOfRange: it is too large.
            ExchangeRateAdapter_GrowthOutOfBounds: zero, or above one percent of the rate.
        """
        adapter = cls(raw, max_growth_per_day)
        if adapter.raw_rate() > MAX_PRICE:
            raise ExchangeRateAdapter_RateOutOfRange(raw, MAX_PRICE)
        maximum = mul_down(raw, MAX_GROWTH_RATIO)
        if not 1 <= max_growth_per_day <= maximum:
            raise ExchangeRateAdapter_GrowthOutOfBounds(max_growth_per_day, 1, maximum)
        adapter.ratio, adapter.recorded_at = raw, now
        return adapter

    def raw_rate(self) -> int:
        """Return the token's rate.

        Raises:
            ExchangeRateAdapter_ZeroRate: it is zero.
        """
        if self.raw == 0:
            raise ExchangeRateAdapter_ZeroRate()
        return self.raw

    def cap(self, now: int) -> int:
        """Return the line's height: the most that is believed."""
        return self.ratio + self.max_growth_per_day * (now - self.recorded_at) // DAY

    def poke(self, now: int) -> int:
        """Record the rate if it is at or below the line; return what ``latest`` answers."""
        answer = min(self.raw_rate(), self.cap(now))
        if answer == self.raw:
            self.ratio, self.recorded_at = self.raw, now
        return answer

    def latest(self, now: int) -> tuple[int, int, int]:
        """Return the rate, at most the line, published now."""
        return min(self.raw_rate(), self.cap(now)), 0, now


def vault_rate(assets: int, asset_decimals: int) -> int:
    """Return WAD underlying per share, from what a vault says 1.0 share converts to.

    Raises:
        Panic: it overflows.
    """
    return checked_uint(assets * 10 ** (18 - asset_decimals))


@dataclass(frozen=True, slots=True)
class Report:
    """One signer's report; ``is_signed`` says whether its signature is valid."""

    signer: str
    price: int
    timestamp: int
    is_signed: bool = True


def median_of(prices: Sequence[int]) -> int:
    """Return the median; of an even number the mean of the two in the middle, rounded down."""
    ordered = sorted(prices)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) >> 1


@dataclass(slots=True)
class SignedReportAdapter:
    """Twin of ``SignedReportAdapter``. Signers are lower-case addresses, which sort as numbers."""

    signers: tuple[str, ...]
    threshold: int
    max_age: int
    price: int = 0
    timestamp: int = 0

    def __post_init__(self) -> None:
        """Check what the constructor checks."""
        count = len(self.signers)
        if not 1 <= count <= MAX_SIGNERS:
            raise SignedReportAdapter_SignerCount(count, MAX_SIGNERS)
        if self.threshold > count or 2 * self.threshold <= count:
            raise SignedReportAdapter_Threshold(self.threshold, count)
        if not 1 <= self.max_age <= MAX_MAX_AGE:
            raise SignedReportAdapter_MaxAge(self.max_age, 1, MAX_MAX_AGE)
        previous = ZERO_ADDRESS
        for signer in self.signers:
            if signer <= previous:
                raise SignedReportAdapter_NotAscending(previous, signer)
            previous = signer

    def submit(self, reports: Sequence[Report], now: int) -> tuple[int, int]:
        """Record the median and the oldest time; return both.

        Raises:
            SignedReportAdapter_ReportCount: too few, or more than there are signers.
            SignedReportAdapter_NotAscending: a signer twice, or out of order.
            SignedReportAdapter_UnknownSigner: not one of the signers.
            SignedReportAdapter_PriceOutOfRange: zero or too large.
            SignedReportAdapter_FromTheFuture: later than now and the drift.
            SignedReportAdapter_TooOld: older than the maximum age.
            SignedReportAdapter_BadSignature: not the signer's.
            SignedReportAdapter_NotNewer: the oldest is not newer than what is recorded.
        """
        if not self.threshold <= len(reports) <= len(self.signers):
            raise SignedReportAdapter_ReportCount(len(reports), self.threshold, len(self.signers))
        previous = ZERO_ADDRESS
        for report in reports:
            if report.signer <= previous:
                raise SignedReportAdapter_NotAscending(previous, report.signer)
            previous = report.signer
            self._require_valid(report, now)
        timestamp = min(report.timestamp for report in reports)
        if timestamp <= self.timestamp:
            raise SignedReportAdapter_NotNewer(timestamp, self.timestamp)
        self.price = median_of([report.price for report in reports])
        self.timestamp = timestamp
        return self.price, timestamp

    def latest(self, now: int) -> tuple[int, int, int]:
        """Return the recorded median; a time that is still ahead counts as now.

        Raises:
            SignedReportAdapter_NoReport: nothing is recorded yet.
            SignedReportAdapter_Expired: too old.
        """
        if self.timestamp == 0:
            raise SignedReportAdapter_NoReport()
        published_at = min(self.timestamp, now)
        if now - published_at > self.max_age:
            raise SignedReportAdapter_Expired(now - published_at, self.max_age)
        return self.price, 0, published_at

    def _require_valid(self, report: Report, now: int) -> None:
        signer = report.signer
        if signer not in self.signers:
            raise SignedReportAdapter_UnknownSigner(signer)
        if not 1 <= report.price <= MAX_PRICE:
            raise SignedReportAdapter_PriceOutOfRange(signer, report.price, MAX_PRICE)
        if report.timestamp > now + MAX_DRIFT:
            raise SignedReportAdapter_FromTheFuture(signer, report.timestamp, now + MAX_DRIFT)
        if report.timestamp < now - self.max_age:
            raise SignedReportAdapter_TooOld(signer, report.timestamp, now - self.max_age)
        if not report.is_signed:
            raise SignedReportAdapter_BadSignature(signer)
