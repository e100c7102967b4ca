"""Invariants that need an answer from the chain: what would happen if somebody tried."""

from __future__ import annotations

from random import Random
from typing import Any

from bulkhead.agents.view import WAD, AccountState, MarketView, Transaction
from bulkhead.chain.contract import decode_log
from bulkhead.chain.rpc import RpcError, parse_log
from bulkhead.scenarios.invariants import InvariantLog
from bulkhead.scenarios.world import TRANSACTION_GAS, World

HALT = 4
INCREASE_MAX_TIER = 1
_DEGRADED = 2


def check_liquidatable(
    log: InvariantLog, block: int, world: World, view: MarketView, keeper: str
) -> None:
    """LIQ-1: tries to liquidate every account, by simulated calls in one batch.

    On healthy accounts every path must be refused. Unhealthy ones must be open to at least one,
    unless the compartment is halted, or a market's price or that of a collateral of theirs is stale
    or not confirmed.

    Args:
        keeper: who tries; holds settlement tokens for auctions.
    """
    accounts = [a for a in view.accounts.values() if a.is_priced and (a.positions or a.debt)]
    tried = [(account, _paths(view, account, keeper)) for account in accounts]
    errors = iter(world.simulate([t for _, paths in tried for t in paths]))
    markets = view.compartment.markets
    blocked = view.compartment.tier >= HALT or any(m.status < _DEGRADED for m in markets)
    for account, paths in tried:
        results = [next(errors) for _ in paths]
        if not account.is_unhealthy:
            log.require(
                "LIQ-1",
                block,
                None not in results,
                f"healthy account 0x{account.account.hex()} (equity {account.equity_maintenance}, "
                f"requirement {account.maintenance_margin}): {results}",
            )
        elif not blocked and not _has_doubtful_collateral(view, account):
            log.require(
                "LIQ-1",
                block,
                None in results,
                f"unhealthy account 0x{account.account.hex()} (equity "
                f"{account.equity_maintenance}, requirement {account.maintenance_margin}) has no "
                f"path: {results}",
            )


def _has_doubtful_collateral(view: MarketView, account: AccountState) -> bool:
    """Return whether the price of a collateral that an account holds decides nothing yet."""
    held = zip(view.compartment.collaterals, account.collateral_tokens, strict=True)
    return any(tokens and state.status < _DEGRADED for state, tokens in held)


def _paths(view: MarketView, account: AccountState, keeper: str) -> list[Transaction]:
    """Return every way to act against an account."""

    def call(function: str, *args: Any) -> Transaction:
        return Transaction(keeper, "LiquidationEngine", function, args, f"try {function}")

    paths = [call("liquidate", account.account, p.market) for p in account.positions]
    if account.debt:
        for i, held in enumerate(account.collateral_tokens):
            if not held:
                continue
            key = (account.account, i + 1)
            paths.append(call("startAuction", *key))
            if key in view.auctions:
                lot = max(1, held // 1_000)
                paths.append(call("takeAuction", *key, lot, 2**255, keeper, b""))
        if not account.positions:
            paths.append(call("writeOff", account.account))
    return paths


def check_round_trip(
    log: InvariantLog,
    block: int,
    world: World,
    view: MarketView,
    trader: str,
    account: bytes,
    rng: Random,
) -> None:
    """PNL-2: opens and closes a position of random size in one simulated block.

    Price, funding and skew are those of the latest block; the fee is left out, so that the curve
    alone is judged. Where the breaker allows no new position there is nothing to try.
    """
    market = rng.choice(view.compartment.markets)
    value = rng.uniform(10, 40_000) * rng.choice((1, -1))
    if view.compartment.tier > INCREASE_MAX_TIER:
        return
    size = int(value * WAD) * WAD // market.index_price
    contract = world.contract("PerpExchange")
    calls = [
        {
            "from": trader,
            "to": contract.address,
            "gas": hex(TRANSACTION_GAS),
            "input": "0x"
            + contract.encode("trade", account, market.market, s, 2**255 if s > 0 else 0).hex(),
        }
        for s in (size, -size)
    ]
    moment = {"number": hex(block + 1), "time": hex(view.timestamp + 1)}
    try:
        answer = world.rpc.request(
            "eth_simulateV1", [{"blockStateCalls": [{"blockOverrides": moment, "calls": calls}]}]
        )
    except RpcError:
        return
    results = answer[0]["calls"]
    if any(r["status"] != "0x1" for r in results):
        return  # Caps and margin may refuse it; then there is no trip.
    closing = [decode_log(parse_log(raw)) for raw in results[1]["logs"]]
    [trade] = [e.args for e in closing if e is not None and e.name == "Traded"]
    log.require(
        "PNL-2",
        block,
        trade.realizedPnl <= 0 and trade.position.size == 0,
        f"market {market.market}: {size} and back realised {trade.realizedPnl}",
    )
