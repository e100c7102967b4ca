"""Swaps in Uniswap v3 pools with a limit on the price that they leave behind."""

from __future__ import annotations

from bulkhead.agents.view import PoolState, Transaction
from bulkhead.deployment.uniswap import NO_DEADLINE


def sell_base(
    sender: str, pool: PoolState, amount_tokens: int, limit: float, purpose: str
) -> Transaction:
    """Sell at most ``amount_tokens`` of base, until the pool's price has fallen to ``limit``."""
    return _swap(sender, pool, pool.base, pool.quote, amount_tokens, limit, purpose)


def buy_base(
    sender: str, pool: PoolState, quote_tokens: int, limit: float, purpose: str
) -> Transaction:
    """Spend at most ``quote_tokens`` on base, until the pool's price has risen to ``limit``."""
    return _swap(sender, pool, pool.quote, pool.base, quote_tokens, limit, purpose)


def _swap(
    sender: str,
    pool: PoolState,
    token_in: str,
    token_out: str,
    amount_tokens: int,
    limit: float,
    purpose: str,
) -> Transaction:
    parameters = (
        token_in,
        token_out,
        pool.fee,
        sender,
        NO_DEADLINE,
        amount_tokens,
        0,
        pool.sqrt_price_at(limit),
    )
    return Transaction(sender, "SwapRouter", "exactInputSingle", (parameters,), purpose)
