"""One-block attacks on a pool whose liquidity ends: beyond the end, the price costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext

from bulkhead.chain.contract import Contract, ContractReverted
from bulkhead.deployment.uniswap import NO_DEADLINE, TICK_SPACINGS, Range
from bulkhead.deployment.units import WAD
from bulkhead.experiments.constant_product import (
    MILLION,
    PRECISION,
    Cost,
    root_factor,
    ticks_of,
)
from bulkhead.experiments.pool import (
    BLOCK_SECONDS,
    FEE,
    AttackedPool,
    Venue,
)
from bulkhead.experiments.twap_attacks import fraction, units

WIDTH = 2
RANGES = (Range(WIDTH * WAD, 1),)
"""Liquidity from half the price to twice the price, and none elsewhere."""
_SURPLUS = Decimal("1.01")
"""Liquidity that the attacker adds, in what the adapter's bound asks for."""


@dataclass(frozen=True, slots=True)
class Cliff:
    """An attack past the end of the liquidity.

    Attributes:
        value: quote units on each side of the pool.
        window: seconds of the TWAP.
        move: fraction by which the TWAP was to rise.
        own_value: base that the attacker adds as liquidity, valued at the first price, quote units.
        reached: fraction by which it rose; None: the adapter refused to answer.
        refusal: the adapter's error; empty if it answered.
        cost: measured. The attacker's liquidity is his own and counts as capital only.
        predicted: capital without the attacker's liquidity: what buys the pool's whole base.
    """

    value: int
    window: int
    move: Decimal
    own_value: Decimal
    reached: Decimal | None
    refusal: str
    cost: Cost
    predicted: Decimal


def attack_cliff(
    venue: Venue, value: int, window: int, move: Decimal, *, adds_liquidity: bool
) -> Cliff:
    """Push a pool past the end of its liquidity for one block, and sell back in the next.

    Args:
        venue: where.
        value: quote units on each side of the pool.
        window: seconds, whole blocks.
        move: fraction by which the TWAP is to rise; it must take the spot past the end.
        adds_liquidity: whether the attacker puts liquidity of his own around the far price, as
            much as the adapter's bound on the harmonic mean asks for in one block.

    Raises:
        SwapError: a swap failed.
        ValueError: the move ends within the pool's liquidity.
    """
    blocks = window // BLOCK_SECONDS
    ticks = ticks_of(move) * blocks
    if root_factor(ticks) ** 2 <= WIDTH + 1:
        raise ValueError(f"{move} over {blocks} blocks ends where the pool has liquidity")
    venue.rpc.set_automine(True)
    pool = AttackedPool(venue, value, [window], RANGES)
    attacker = venue.attacker
    before, start = pool.twap(window), pool.balance(attacker)
    provided = 0
    if adds_liquidity:
        spacing = TICK_SPACINGS[FEE]
        # Where a range may begin, so that little of it is crossed.
        ticks = -(-(pool.tick + ticks) // spacing) * spacing - pool.tick
        _mint_above(pool, pool.tick + ticks, _liquidity_needed(pool, window))
        pool.mine()
        provided = start.base - pool.balance(attacker).base
    pool.buy_up_to(attacker, pool.root_at(ticks))
    pool.mine()
    pushed = pool.balance(attacker)
    pool.mine()
    reached, refusal = None, ""
    try:
        reached = fraction(before, pool.twap(window))
    except ContractReverted as error:
        refusal = error.name
    pool.sell_down_to(attacker, pool.root)
    pool.mine(0)
    end = pool.balance(attacker)
    own = pool.value_of_base(provided)
    spent_base = start.base - end.base - provided
    loss = units(start.quote - end.quote) + pool.value_of_base(spent_base)
    capital = units(start.quote - pushed.quote) + own
    with localcontext(prec=PRECISION):
        # On [p / w, p · w], one side's value is L·√p·(1 − 1/√w), crossing it L·√p·(√w − 1).
        predicted = Decimal(value) * Decimal(WIDTH).sqrt() / (1 - Decimal(FEE) / MILLION)
    return Cliff(value, window, move, own, reached, refusal, Cost(capital, loss), predicted)


def _liquidity_needed(pool: AttackedPool, window: int) -> int:
    """Return the liquidity that one block needs, for the window's harmonic mean to be enough."""
    blocks = window // BLOCK_SECONDS
    bound = int(pool.adapters[window].call("minLiquidity"))
    with localcontext(prec=PRECISION):
        rest = Decimal(blocks) / bound - Decimal(blocks - 1) / pool.liquidity
        return int((_SURPLUS / rest).to_integral_value(ROUND_CEILING))


def _mint_above(pool: AttackedPool, lower: int, liquidity: int) -> None:
    """Send a mint of the attacker's on one tick spacing, from a tick above the price upwards."""
    upper = lower + TICK_SPACINGS[FEE]
    with localcontext(prec=PRECISION):
        low, high = (root_factor(t) for t in (lower, upper))
        raw_base = Decimal(liquidity) * (1 / low - 1 / high)
        amount = int(raw_base.to_integral_value(ROUND_CEILING)) + 1
    positions, venue = pool.venue.uniswap.positions, pool.venue
    token = Contract(venue.rpc, pool.base.address, venue.artifacts["DevToken"].abi, "DevToken")
    approve = token.encode("approve", positions.address, 2**256 - 1)
    parameters = {
        "token0": pool.base.address,
        "token1": pool.quote.address,
        "fee": FEE,
        "tickLower": lower,
        "tickUpper": upper,
        "amount0Desired": amount,
        "amount1Desired": 0,
        "amount0Min": 0,
        "amount1Min": 0,
        "recipient": venue.attacker,
        "deadline": NO_DEADLINE,
    }
    venue.rpc.send(venue.attacker, token.address, approve)
    venue.rpc.send(venue.attacker, positions.address, positions.encode("mint", parameters))
