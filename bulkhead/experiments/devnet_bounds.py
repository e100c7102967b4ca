"""What the devnet's own TWAP sources ask for, and what moving them costs at that bound."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from bulkhead.deployment.devnet import DECIMALS, POOL_FEE, DevnetOptions, devnet_parameters
from bulkhead.deployment.oracle_models import TOTAL_SHARE
from bulkhead.deployment.units import WAD
from bulkhead.experiments.constant_product import Cost, hold, ticks_of, value_of
from bulkhead.experiments.pool import BLOCK_SECONDS


class Bound(NamedTuple):
    """A TWAP source of the devnet, at the least liquidity with which it answers.

    Attributes:
        asset: oracle asset.
        quote: symbol of the quote token, the unit of what follows.
        share: of the vote.
        window: seconds.
        min_liquidity: the pool's units.
        value: on each side of a full-range pool of this liquidity.
        costs: of holding it for a window, by the closed form; one per move.
    """

    asset: str
    quote: str
    share: Decimal
    window: int
    min_liquidity: int
    value: Decimal
    costs: tuple[Cost, ...]


def devnet_bounds(moves: Sequence[Decimal]) -> list[Bound]:
    """Return the TWAP sources of the devnet's parameters.

    Args:
        moves: fractions by which a TWAP is to rise.
    """
    found = []
    prices = DevnetOptions().prices
    for asset in devnet_parameters().oracle:
        for source in asset.sources:
            if source.kind != "uniswap_v3_twap":
                continue
            base, quote = source.pool.split("/")
            price = Decimal(prices[asset.name]) / WAD
            value = value_of(source.min_liquidity, price, DECIMALS[base], DECIMALS[quote])
            blocks = source.window // BLOCK_SECONDS
            found.append(
                Bound(
                    asset.name,
                    quote,
                    Decimal(source.share) / TOTAL_SHARE,
                    source.window,
                    source.min_liquidity,
                    value,
                    tuple(hold(value, POOL_FEE, ticks_of(move), blocks) for move in moves),
                )
            )
    return found
