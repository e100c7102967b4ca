"""Twin of ``InterestCurve``: what debt costs, and what it has grown to; rounded against the debtor.

Debt and cash are WAD, rates WAD per day, indices RAY (1e27), times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.model.math import DAY, WAD, checked_uint, mul_div_up

RAY = 10**27
BASIS_POINTS = 10_000
SCALED_UNIT = 10**45
"""Digits of scaled debt at an index of 1: 18 more than debt has."""
MAX_INDEX = 10**35
"""Interest stops when a debt has grown 10^8 times."""


@dataclass(frozen=True, slots=True)
class BorrowState:
    """What debt has cost so far (``index``, RAY) and costs now (``rate``, WAD per day)."""

    index: int = RAY
    rate: int = 0
    updated_at: int = 0
    scaled_debt: int = 0


@dataclass(frozen=True, slots=True)
class InterestParameters:
    """What debt costs: rates WAD per day, the kink and the tiers' multipliers in basis points."""

    kink_bps: int
    rate_at_zero: int
    rate_at_kink: int
    rate_at_full: int
    tier1_bps: int
    tier2_bps: int
    tier3_bps: int
    tier4_bps: int


def utilisation(debt: int, pool_cash: int) -> int:
    """Return u = D / (D + L) as a WAD fraction, rounded up; 0 without debt."""
    return 0 if debt == 0 else mul_div_up(debt, WAD, debt + pool_cash)


def rate(p: InterestParameters, utilised: int, tier: int) -> int:
    """Return the curve at a utilisation, times the tier's multiplier; each step rounded up."""
    kink = p.kink_bps * (WAD // BASIS_POINTS)
    if utilised <= kink:
        per_day = p.rate_at_zero + mul_div_up(p.rate_at_kink - p.rate_at_zero, utilised, kink)
    else:
        steep, beyond = p.rate_at_full - p.rate_at_kink, checked_uint(utilised - kink)
        per_day = p.rate_at_kink + mul_div_up(steep, beyond, WAD - kink)
    return mul_div_up(per_day, multiplier(p, tier), BASIS_POINTS)


def multiplier(p: InterestParameters, tier: int) -> int:
    """Return the tier's multiplier in basis points."""
    tiers = (BASIS_POINTS, p.tier1_bps, p.tier2_bps, p.tier3_bps)
    return tiers[tier] if tier < len(tiers) else p.tier4_bps


def current_index(b: BorrowState, now: int) -> int:
    """Return the index with its simple interest since the last accrual, rounded up, or its end."""
    earned = b.rate * checked_uint(now - b.updated_at)
    return min(b.index + mul_div_up(b.index, earned, WAD * DAY), MAX_INDEX)


def grown(debt: int, from_index: int, to_index: int) -> int:
    """Return what a debt has grown to from one index to another, rounded up."""
    return mul_div_up(debt, to_index, from_index)


def scaled(debt: int, index: int) -> int:
    """Return an account's part of the scaled sum, rounded up; of no debt, nothing."""
    return 0 if debt == 0 else mul_div_up(debt, SCALED_UNIT, index)


def total(scaled_debt: int, index: int) -> int:
    """Return what all accounts owe together at an index, rounded up."""
    return mul_div_up(scaled_debt, index, SCALED_UNIT)
