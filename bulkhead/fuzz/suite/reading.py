"""The words of ``StateProbe`` read back: as a snapshot for invariants, and by their names."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from bulkhead.fuzz.suite.words import ORDERS
from bulkhead.model import types
from bulkhead.model.delayed_orders import FIXINGS
from bulkhead.model.interest_curve import BorrowState
from bulkhead.model.invariants import Snapshot
from bulkhead.model.types import SETTLEMENT, AccountId, AccountLedger

_LOW = (1 << 128) - 1
_HALF = (1 << 64) - 1
MARK = 1_234_567_890_123_456_789_012
"""PNL-1 holds at any mark price, WAD; this one is as good as any."""


def snapshot(
    words: Sequence[int],
    accounts: Sequence[AccountId],
    markets: int,
    collaterals: int,
    settlement_decimals: int,
) -> Snapshot:
    """Return the state that ``stored`` words say, as the invariants read it."""
    take = iter(words)
    principal, debt = _unpair(next(take))
    claims, pool_cash = _unpair(next(take))
    insurance_cash, fee_reserve = _unpair(next(take))
    positive, net = _unpair(next(take))
    custody = {SETTLEMENT: next(take)}
    next(take), next(take)  # Shares and the breaker: no invariant of a state reads them.
    index, rate = _unpair(next(take))
    borrow = BorrowState(index, rate & (1 << 64) - 1, rate >> 64, next(take))
    next(take)  # Stress: none reads it either.
    order_escrow = next(take)
    deque(islice(take, 1 + 4 * ORDERS), 0)
    indices: dict[AccountId, int] = {}
    states: dict[int, types.Market] = {}
    reported: dict[int, types.MarketUnrealized] = {}
    for i in range(markets):
        states[i], reported[i] = _market(take)
    booked: dict[int, int] = {}
    for c in range(1, collaterals + 1):
        custody[c], booked[c] = _unpair(next(take))
        next(take)  # Depth.
    ledgers: dict[AccountId, AccountLedger] = {}
    collateral: dict[tuple[AccountId, int], int] = {}
    positions: dict[tuple[AccountId, int], types.Position] = {}
    for account in accounts:
        balances = next(take)
        if last := next(take):
            indices[account] = last
        ledgers[account] = _ledger(balances, next(take))
        held = [amount for _ in range((collaterals + 1) // 2) for amount in _unpair(next(take))]
        collateral |= {(account, c + 1): n for c, n in enumerate(held[:collaterals]) if n}
        for i in range(markets):
            size, quote = map(_signed, _unpair(next(take)))
            entry = _signed(next(take))
            if size:
                positions[account, i] = types.Position(size, quote, entry)
        for _ in range(5):
            next(take)  # Requests, grants, nonces and orders move nothing by themselves.
    return Snapshot(
        settlement_decimals=settlement_decimals,
        totals=types.LedgerTotals(principal, debt, claims, pool_cash, insurance_cash, fee_reserve),
        unrealized_totals=types.UnrealizedTotals(positive, _signed(net)),
        accounts=ledgers,
        collateral=collateral,
        total_collateral=booked,
        custody=custody,
        markets=states,
        positions=positions,
        market_unrealized=reported,
        marks=dict.fromkeys(states, MARK),
        borrow=borrow,
        debt_index=indices,
        order_escrow=order_escrow,
    )


def labels(
    accounts: Sequence[AccountId], markets: int, collaterals: int
) -> list[tuple[str, str] | tuple[str]]:
    """Return what each ``stored`` word holds: the names of its halves, or of the whole."""
    names: list[tuple[str, str] | tuple[str]] = [
        ("P", "D"),
        ("J", "L"),
        ("I", "F"),
        ("U+", "U net"),
        ("custody of S",),
        ("pool shares", "fund shares"),
        ("breaker state",),
        ("borrow index", "borrow rate and time"),
        ("scaled debt",),
        ("stress", "stress moved at"),
        ("order escrow",),
        ("order count",),
    ]
    for i in range(ORDERS):
        short = f"order {i} from the last"
        names += [(f"{short}: account",), (f"{short}: size", f"{short}: acceptable price")]
        names += [(f"{short}: fee, times, market, flags",), (f"{short}: trigger",)]
    for i in range(markets):
        names += [
            (f"market {i} long", f"market {i} short"),
            (f"market {i} quote", f"market {i} funding index"),
            (
                f"market {i} funding rate and premium",
                f"market {i} funding and premium times, gain, phase",
            ),
            (f"market {i} entry product",),
            (f"market {i} reported U", f"market {i} reported at"),
            (f"market {i} last price", f"market {i} fixable at"),
            (f"market {i} maintenance rate", f"market {i} rate moved at"),
            (f"market {i} correlations",),
            (f"market {i} fixings",),
            *((f"market {i} fixing {place}",) for place in range(FIXINGS)),
        ]
    for c in range(1, collaterals + 1):
        names += [
            (f"collateral {c} in custody", f"collateral {c} booked"),
            (f"collateral {c} depth",),
        ]
    for account in accounts:
        short = f"account {account:#066x}"
        names += [(f"{short} cash", f"{short} claim"), (f"{short} debt index",)]
        names += [(f"{short} vesting",)]
        names += [
            (f"{short} collateral {c}", f"{short} collateral {c + 1}")
            for c in range(1, collaterals + 1, 2)
        ]
        for i in range(markets):
            names += [
                (f"{short} size in {i}", f"{short} quote in {i}"),
                (f"{short} funding entry in {i}",),
            ]
        names += [(f"{short} exit request of the owner",)]
        names += [(f"{short} grants",), (f"{short} nonces of the owner",)]
        names += [(f"{short} cancelled orders",), (f"{short} least nonce of orders",)]
    return names


def differences(
    model: Sequence[int], chain: Sequence[int], names: Sequence[tuple[str, ...]]
) -> Iterator[str]:
    """Yield which of the labelled words differ, with their values."""
    for mine, other, label in zip(model, chain, names, strict=True):
        if mine == other:
            continue
        if len(label) == 1:
            yield f"{label[0]}: model {mine}, chain {other}"
            continue
        for name, x, y in zip(label, _unpair(mine), _unpair(other), strict=True):
            if x != y:
                yield f"{name}: model {_signed(x)}, chain {_signed(y)}"


def _market(take: Iterator[int]) -> tuple[types.Market, types.MarketUnrealized]:
    long, short = _unpair(next(take))
    quote, cumulative = map(_signed, _unpair(next(take)))
    rates, times = _unpair(next(take))
    rate, premium = (half - ((half >> 63) << 64) for half in (rates & _HALF, rates >> 64))
    updated, gain, ends_at = times & (1 << 40) - 1, times >> 40 & (1 << 16) - 1, times >> 64
    phase = types.MarketPhase(times >> 56 & 3)
    product = next(take)
    product -= (product >> 255) << 256
    unrealized, reported_at = _unpair(next(take))
    next(take), next(take), next(take)  # Settlement, rate and correlations.
    deque(islice(take, 1 + FIXINGS), 0)
    rest = cumulative, premium, ends_at, product
    state = types.Market(long, short, quote, rate, updated, gain, phase, *rest)
    return state, types.MarketUnrealized(_signed(unrealized), reported_at)


def _ledger(first: int, second: int) -> AccountLedger:
    cash, claim = _unpair(first)
    return AccountLedger(
        _signed(cash),
        claim,
        second & _LOW,
        second >> 128 & (1 << 40) - 1,
        second >> 168 & (1 << 40) - 1,
        second >> 208 & (1 << 16) - 1,
    )


def _unpair(word: int) -> tuple[int, int]:
    return word & _LOW, word >> 128


def _signed(half: int) -> int:
    return half - ((half >> 127) << 128)
