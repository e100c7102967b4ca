"""Twin of ``PortfolioMargin``: the requirement of several positions together. Amounts WAD."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.model.margin_rates import sqrt_up
from bulkhead.model.math import mul_div_up
from bulkhead.model.types import PortfolioTerms

BPS = 10**4
STRESS_UNIT = 10**8
WEIGHT_UNIT = BPS * STRESS_UNIT
WEIGHT_ROOT = 10**6
MAX_BITS = 100


def requirement(
    n: Sequence[int], markets: Sequence[int], rows: Sequence[int], stress: int, floor_bps: int
) -> int:
    """Return max(√(Σ ρᵢⱼ nᵢ nⱼ), floor · Σ|nᵢ|) for signed weighted notionals, rounded up.

    Args:
        n: signed notional times rate, of each position.
        markets: their ids.
        rows: their correlation rows: 16 bits per other market, basis points plus one, 0: unknown.
        stress: WAD in [0, 1].
        floor_bps: basis points.
    """
    if not n:
        return 0
    if len(n) == 1:
        return abs(n[0])
    t = terms(n, markets, rows, stress, 0, floor_bps)
    return of_terms(t, t.own)


def terms(
    n: Sequence[int],
    markets: Sequence[int],
    rows: Sequence[int],
    stress: int,
    k: int,
    floor_bps: int = 0,
    rate: int = 0,
) -> PortfolioTerms:
    """Return what position ``k`` has to do with the others."""
    shift = max(0, max(abs(x) for x in n).bit_length() - MAX_BITS)
    sizes = [(abs(x) + (1 << shift) - 1) >> shift for x in n]
    units = (stress + 10**10 - 1) // 10**10

    def pair(i: int, j: int) -> int:
        return weight(rows[i], markets[j], (n[i] >= 0) == (n[j] >= 0), units)

    others = [i for i in range(len(n)) if i != k]
    rest = sum(sizes[i] ** 2 * WEIGHT_UNIT for i in others)
    rest += sum(2 * pair(i, j) * sizes[i] * sizes[j] for i in others for j in others if i < j)
    return PortfolioTerms(
        rate=rate,
        gross_floor=floor_bps,
        own=sizes[k],
        cross=sum(pair(i, k) * sizes[i] for i in others),
        rest=max(0, rest),
        gross_rest=sum(sizes[i] for i in others),
        shift=shift,
    )


def of_terms(t: PortfolioTerms, own: int) -> int:
    """Return the requirement if the position of these terms had |n| = ``own``, rounded up."""
    form = t.rest + 2 * t.cross * own + own * own * WEIGHT_UNIT
    root = -(-sqrt_up(form) // WEIGHT_ROOT) if form > 0 else 0
    return max(root, mul_div_up(t.gross_rest + own, t.gross_floor, BPS)) << t.shift


def weight(row: int, market: int, same_side: bool, stress_units: int) -> int:
    """Return the signed weight of a pair in ``WEIGHT_UNIT``s; > 0: the two add up."""
    entry = row >> 16 * market & 0xFFFF
    if entry == 0:
        return WEIGHT_UNIT
    rho = entry - 1
    if same_side:
        return rho * STRESS_UNIT + (BPS - rho) * stress_units
    return -rho * (STRESS_UNIT - stress_units)
