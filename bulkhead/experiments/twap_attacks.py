"""Attacks on the TWAP of a real pool, executed with swaps, beside what the closed form says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from bulkhead.deployment.units import WAD
from bulkhead.experiments.constant_product import Cost, hold, push_and_return, ticks_of
from bulkhead.experiments.pool import (
    BLOCK_SECONDS,
    FEE,
    QUOTE_DECIMALS,
    AttackedPool,
    Balance,
    SwapError,
)

ONE_BLOCK, HOLD, UNOPPOSED = "one block", "hold", "unopposed"
MODELS = (ONE_BLOCK, HOLD, UNOPPOSED)


@dataclass(frozen=True, slots=True)
class Measured:
    """One attack.

    Attributes:
        model: one of ``MODELS``.
        value: quote units on each side of the pool.
        window: seconds of the TWAP.
        move: fraction by which the TWAP was to rise.
        reached: fraction by which it did; None: the price that it takes does not exist.
        cost: what it took, measured; None likewise.
        predicted: what the closed form says; None likewise.
    """

    model: str
    value: int
    window: int
    move: Decimal
    reached: Decimal | None = None
    cost: Cost | None = None
    predicted: Cost | None = None

    @property
    def error(self) -> Decimal:
        """The greater relative difference between measurement and closed form."""
        if self.cost is None or self.predicted is None:
            return Decimal(0)
        return max(abs(m / p - 1) for m, p in zip(self.cost, self.predicted, strict=True))


def attack(
    pool: AttackedPool,
    value: int,
    windows: Sequence[int],
    moves: Sequence[Decimal],
    done: Callable[[], None],
) -> Iterator[Measured]:
    """Yield every attack on a pool; after each, the pool is as it was.

    Args:
        pool: with an adapter for each window.
        value: quote units on each side of it.
        windows: seconds, whole blocks.
        moves: fractions by which the TWAP is to rise.
        done: is called after each run on the chain: twice per window and once, for each move.

    Raises:
        SwapError: a swap failed.
    """
    for move in moves:
        for window in windows:
            with _undone(pool):
                yield _one_block(pool, value, window, move)
            done()
            with _undone(pool):
                yield _unopposed(pool, value, window, move)
            done()
        with _undone(pool):
            yield from _hold(pool, value, windows, move)
        done()


def _one_block(pool: AttackedPool, value: int, window: int, move: Decimal) -> Measured:
    """Push so far that one block is enough, and sell in the next."""
    ticks = ticks_of(move) * window // BLOCK_SECONDS
    if pool.is_beyond_range(ticks):
        return Measured(ONE_BLOCK, value, window, move)
    reached, cost = _push_and_return(pool, window, ticks, BLOCK_SECONDS)
    predicted = push_and_return(Decimal(value), FEE, ticks)
    return Measured(ONE_BLOCK, value, window, move, reached, cost, predicted)


def _unopposed(pool: AttackedPool, value: int, window: int, move: Decimal) -> Measured:
    """Push by the move, and sell after the window: nobody arbitrages meanwhile."""
    ticks = ticks_of(move)
    reached, cost = _push_and_return(pool, window, ticks, window)
    predicted = push_and_return(Decimal(value), FEE, ticks)
    return Measured(UNOPPOSED, value, window, move, reached, cost, predicted)


def _push_and_return(
    pool: AttackedPool, window: int, ticks: int, seconds: int
) -> tuple[Decimal, Cost]:
    before, start = pool.twap(window), pool.balance(pool.venue.attacker)
    pool.buy_up_to(pool.venue.attacker, pool.root_at(ticks))
    pool.mine()
    pushed = pool.balance(pool.venue.attacker)
    pool.mine(seconds)
    after = pool.twap(window)
    # In the block in which the price was read.
    pool.sell(pool.venue.attacker, pushed.base - start.base)
    pool.mine(0)
    end = pool.balance(pool.venue.attacker)
    if end.base != start.base:
        raise SwapError("the attacker could not sell all that he had bought")
    cost = Cost(units(start.quote - pushed.quote), units(start.quote - end.quote))
    return fraction(before, after), cost


def _hold(
    pool: AttackedPool, value: int, windows: Sequence[int], move: Decimal
) -> Iterator[Measured]:
    """Hold the spot for the longest window; the shorter ones are its beginning."""
    ticks = ticks_of(move)
    attacker, arbitrageur = pool.venue.attacker, pool.venue.arbitrageur
    top, rest = pool.root_at(ticks), pool.root_where_arbitrage_ends()
    before = {window: pool.twap(window) for window in windows}
    start = pool.balance(attacker)
    held: list[Balance] = []
    by_blocks = {window // BLOCK_SECONDS: window for window in windows}
    for block in range(max(by_blocks) + 1):
        if (window := by_blocks.get(block)) is not None:
            pool.mine()  # An empty block: the window ends here.
            reached = fraction(before[window], pool.twap(window))
            cost = _cost_of_holding(pool, start, held)
            predicted = hold(Decimal(value), FEE, ticks, block)
            yield Measured(HOLD, value, window, move, reached, cost, predicted)
        if block == max(by_blocks):
            return
        if block and rest < top:
            pool.sell_down_to(arbitrageur, rest)
        if not block or rest < top:
            pool.buy_up_to(attacker, top)
        pool.mine(0 if block in by_blocks else BLOCK_SECONDS)
        held.append(pool.balance(attacker))


def _cost_of_holding(pool: AttackedPool, start: Balance, held: Sequence[Balance]) -> Cost:
    """Return the cost so far if base is sold outside, at the first price, before the next block."""
    most, sold = Decimal(0), start
    for now in held:
        spent = units(start.quote - now.quote)
        most = max(most, spent - pool.value_of_base(sold.base - start.base))
        sold = now
    last = held[-1]
    loss = units(start.quote - last.quote) - pool.value_of_base(last.base - start.base)
    return Cost(most, loss)


def units(raw_quote: int) -> Decimal:
    """Return raw quote as quote units."""
    return Decimal(raw_quote) / Decimal(10**QUOTE_DECIMALS)


def fraction(before: int, after: int) -> Decimal:
    """Return by which fraction a price rose, cut to WAD."""
    return (Decimal(after * WAD // before) - WAD) / WAD


@contextmanager
def _undone(pool: AttackedPool) -> Iterator[None]:
    """Undo what is done to the chain inside, unless it fails: then nobody uses the chain again."""
    snapshot = pool.venue.rpc.snapshot()
    yield
    pool.venue.rpc.revert(snapshot)
