"""What attacks on a full-range Uniswap v3 pool cost, in closed form.

Such a pool is a constant product. With ``value`` quote units on each side, moving its price from
``a²`` to ``b²`` times the first price takes ``value · (b − a)`` of quote in, before the fee, and
gives ``value · (1/a − 1/b)`` of base, valued at the first price. Everything below follows. Moves
are in ticks, since a TWAP is a mean of ticks. All amounts are quote units.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, localcontext
from typing import NamedTuple

PRECISION = 60
TICK_BASE = Decimal("1.0001")
MILLION = 1_000_000
"""Fees are in millionths."""


class Cost(NamedTuple):
    """What an attack takes: quote units.

    Attributes:
        capital: the most that is out of the attacker's pocket at once.
        loss: what is gone afterwards, base counted at the price before the attack.
    """

    capital: Decimal
    loss: Decimal


def ticks_of(move: Decimal) -> int:
    """Return the least whole number of ticks that raises a price by a fraction, > 0."""
    with localcontext(prec=PRECISION):
        return int(((1 + move).ln() / TICK_BASE.ln()).to_integral_value(ROUND_CEILING))


def root_factor(ticks: int) -> Decimal:
    """Return the factor by which the root of a price changes over some ticks."""
    with localcontext(prec=PRECISION):
        return (TICK_BASE.ln() * ticks / 2).exp()


def resting_factor(fee: int) -> Decimal:
    """Return the root of the price, in the outside price, at which arbitrage stops to pay.

    An arbitrageur who sells into a pool that is too dear gets its price less the fee.

    Args:
        fee: millionths.
    """
    with localcontext(prec=PRECISION):
        return 1 / (1 - Decimal(fee) / MILLION).sqrt()


def push_and_return(value: Decimal, fee: int, ticks: int) -> Cost:
    """Return what it costs to buy a pool up by some ticks and to sell it all back, unopposed.

    Args:
        value: quote units on each side of the pool.
        fee: millionths.
        ticks: of the spot price.
    """
    with localcontext(prec=PRECISION):
        kept = 1 - Decimal(fee) / MILLION
        top = root_factor(ticks)
        paid = value * (top - 1) / kept
        bottom = 1 / (1 / top + (1 - 1 / top) * kept)
        return Cost(paid, paid - value * (top - bottom))


def hold(value: Decimal, fee: int, ticks: int, blocks: int) -> Cost:
    """Return what it costs to hold the spot for some blocks against arbitrage in each of them.

    In every block arbitrageurs sell as long as it pays them, and the attacker buys up again as the
    last one. He sells what he got outside, at the first price, before the next block.

    Args:
        value: quote units on each side of the pool.
        fee: millionths.
        ticks: by which the spot is held above its first price.
        blocks: > 0.
    """
    with localcontext(prec=PRECISION):
        kept = 1 - Decimal(fee) / MILLION
        top, rest = root_factor(ticks), resting_factor(fee)
        first = value * (top - 1) / kept
        first_loss = first - value * (1 - 1 / top)
        if rest >= top:  # The fee keeps arbitrageurs away: one push lasts.
            return Cost(first, first_loss)
        later = value * (top - rest) / kept
        later_loss = later - value * (1 / rest - 1 / top)
        last = later + first_loss + (blocks - 2) * later_loss if blocks > 1 else first
        return Cost(max(first, last), first_loss + (blocks - 1) * later_loss)


def value_of(liquidity: int, price: Decimal, base_decimals: int, quote_decimals: int) -> Decimal:
    """Return what a full-range pool holds on each side, in quote units.

    Args:
        liquidity: the pool's units, √(raw base · raw quote), as ``minLiquidity`` counts.
        price: quote per 1.0 of base.
        base_decimals, quote_decimals: of the tokens.
    """
    with localcontext(prec=PRECISION):
        raw_price = price.scaleb(quote_decimals - base_decimals)
        return (liquidity * raw_price.sqrt()).scaleb(-quote_decimals)
