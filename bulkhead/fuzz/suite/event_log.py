"""EVT-1 in campaigns: what the chain logged since its first block, against what it stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Log, Rpc, parse_log
from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.suite import reading
from bulkhead.fuzz.suite.words import ORDERS
from bulkhead.model.delayed_order_types import DelayedOrder, Fixing
from bulkhead.model.delayed_orders import FIXINGS
from bulkhead.model.errors import ModelRevert
from bulkhead.model.rebuilt import EMITTERS, Rebuilt
from bulkhead.model.types import (
    AccountId,
    AccountLedger,
    Market,
    Position,
    Settlement,
    owner_of,
)

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

_LOW, _HALF, _WORD = (1 << 128) - 1, (1 << 64) - 1, (1 << 256) - 1
_SHOWN = 4


class EventLog:
    """Rebuilds a compartment's ledger from all that its contracts ever logged.

    Args:
        universe: deployed; what the node has logged so far is read once, and begins each sequence.
    """

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        book = universe.book
        self._emitters: Mapping[str, tuple[str, Contract]] = {
            book.contracts[name].lower(): (name, universe.contract(name)) for name in EMITTERS
        }
        self._first = Rebuilt(10 ** (18 - book.decimals[universe.settlement_symbol]))
        for log, timestamp in _logs_of(universe.node.rpc, list(self._emitters)):
            self._apply(self._first, log, timestamp)

    def begin(self) -> Rebuilt:
        """Return what the events before any sequence tell."""
        return self._first.copy()

    def review(self, judged: Sequence[Judged]) -> Iterator[tuple[int, Violation]]:
        """Yield the first call of a sequence after which the log does not tell what is stored.

        Only the end is compared; if that differs, every call is.
        """
        if not judged or not any(self._wrong(judged, [len(judged) - 1])):
            return
        yield from self._wrong(judged, range(len(judged)))

    def _wrong(
        self, judged: Sequence[Judged], compared: Sequence[int]
    ) -> Iterator[tuple[int, Violation]]:
        rebuilt, chosen = self.begin(), set(compared)
        for at, j in enumerate(judged):
            try:
                for log in j.outcome.logs:
                    self._apply(rebuilt, log, j.timestamp)
                found = self._compared(rebuilt, j) if at in chosen else []
            except (ModelRevert, KeyError, ValueError) as error:
                found = [f"the log contradicts itself: {error!r}"]
            if found:
                message = "; ".join(found[:_SHOWN])
                yield at, Violation("EVT-1", f"the log tells another ledger: {message}")
                return

    def _compared(self, rebuilt: Rebuilt, j: Judged) -> list[str]:
        return [*self.differences(rebuilt, j.after.stored), *self._of_shares(rebuilt, j)]

    def _of_shares(self, rebuilt: Rebuilt, j: Judged) -> Iterator[str]:
        """Yield whose vault shares are others than were transferred, where balances were read."""
        u = self._universe
        place = len(u.views) + [view.function for view in u.deep_views].index("balances")
        if len(j.outcome.views) <= place:
            return
        words = u.decode_view(place, j.outcome.views[place])
        # The vaults' shares are the last of the tokens.
        for vault, held in (
            ("InsuranceFund", words[-len(u.holders) :]),
            ("LiquidityVault", words[-2 * len(u.holders) : -len(u.holders)]),
        ):
            for holder, chain in zip(u.holders, held, strict=True):
                told = rebuilt.shares.get((vault, holder), 0)
                if told != chain:
                    yield f"{vault} shares of {holder}: events {told}, chain {chain}"

    def _apply(self, rebuilt: Rebuilt, log: Log, timestamp: int) -> None:
        known = self._emitters.get(log.address.lower())
        if known is None:
            return
        name, contract = known
        codec = contract.interface.events.get((log.topics[0], len(log.topics)))
        if codec is not None:
            rebuilt.apply(name, codec.name, codec.decode(log), timestamp)

    def differences(self, rebuilt: Rebuilt, stored: bytes) -> list[str]:
        """Return where what the events tell is not what ``StateProbe.stored`` says, encoded."""
        layout = self._universe.layout
        told = told_by(rebuilt, *layout, self._universe.grantees)
        body = stored[64:]
        words = [int.from_bytes(body[i : i + 32], "big") for i in range(0, len(body), 32)]
        found = []
        for word, label in zip(words, reading.labels(*layout), strict=True):
            halves = [word] if len(label) == 1 else [word & _LOW, word >> 128]
            for name, chain in zip(label, halves, strict=True):
                if name in told and told[name] != chain:
                    found.append(f"{name}: events {told[name]}, chain {chain}")
        return found


def told_by(
    r: Rebuilt, accounts: Sequence[AccountId], markets: int, collaterals: int, people: Sequence[str]
) -> dict[str, int]:
    """Return what events tell by the labels of ``reading.labels``, as unsigned words and halves."""
    t, u, b = r.totals, r.unrealized_totals, r.borrow
    told = {
        "P": t.principal,
        "D": t.debt,
        "J": t.claims,
        "L": t.pool_cash,
        "I": t.insurance_cash,
        "F": t.fee_reserve,
        "U+": u.positive,
        "U net": u.net & _LOW,
        "pool shares": r.supply("LiquidityVault"),
        "fund shares": r.supply("InsuranceFund"),
        "borrow index": b.index,
        "borrow rate and time": b.rate | b.updated_at << 64,
        "scaled debt": b.scaled_debt,
        "order escrow": r.order_escrow,
        "order count": r.order_count,
    }
    for i in range(ORDERS):
        told |= _order(f"order {i} from the last", r.orders.get(r.order_count - i, DelayedOrder()))
    for market in range(markets):
        told |= _market(r, market)
    for c in range(1, collaterals + 1):
        told[f"collateral {c} booked"] = r.total_collateral.get(c, 0)
    for account in accounts:
        told |= _account(r, account, markets, collaterals)
        told |= _rights(r, account, people)
    return told


def _order(short: str, o: DelayedOrder) -> dict[str, int]:
    times = o.settle_from << 96 | o.cancel_from << 136 | o.expires_at << 176
    return {
        f"{short}: account": o.account,
        f"{short}: size": o.size_delta & _LOW,
        f"{short}: acceptable price": o.acceptable_price,
        f"{short}: fee, times, market, flags": (
            o.executor_fee | times | o.market << 216 | o.flags << 224
        ),
        f"{short}: trigger": o.trigger_price,
    }


def _market(r: Rebuilt, market: int) -> dict[str, int]:
    m, short = r.markets.get(market, Market()), f"market {market}"
    end = r.settlements.get(market, Settlement())
    told = {
        f"{short} long": m.open_interest_long,
        f"{short} short": m.open_interest_short,
        f"{short} quote": m.quote & _LOW,
        f"{short} funding index": m.cumulative_funding_per_unit & _LOW,
        f"{short} funding rate and premium": (
            m.funding_rate & _HALF | (m.matched_premium & _HALF) << 64
        ),
        f"{short} funding and premium times, gain, phase": (
            m.funding_updated_at
            | m.funding_gain << 40
            | m.phase << 56
            | m.matched_premium_ends_at << 64
        ),
        f"{short} last price": end.price,
        f"{short} fixable at": end.fixable_at,
        f"{short} entry product": m.funding_entry_product & _WORD,
    }
    if market in r.unrealized:
        reported = r.unrealized[market]
        told[f"{short} reported U"] = reported.unrealized & _LOW
        told[f"{short} reported at"] = reported.updated_at
    fixings = r.fixings.get(market, [])
    told[f"{short} fixings"] = len(fixings)
    for place in range(FIXINGS):
        # The last one whose number falls on this place of the ring.
        last = [f for i, f in enumerate(fixings) if i % FIXINGS == place][-1:]
        told[f"{short} fixing {place}"] = _fixing(last[0]) if last else 0
    return told


def _fixing(f: Fixing) -> int:
    return f.price | f.published_at << 128 | f.recorded_at << 168 | int(f.status) << 208


def _account(r: Rebuilt, account: AccountId, markets: int, collaterals: int) -> dict[str, int]:
    a, short = r.accounts.get(account, AccountLedger()), f"account {account:#066x}"
    told = {
        f"{short} cash": a.cash & _LOW,
        f"{short} claim": a.claim,
        f"{short} debt index": r.debt_index.get(account, 0),
        f"{short} vesting": (
            a.unvested
            | a.vesting_updated_at << 128
            | a.vesting_ends_at << 168
            | r.mask(account, collaterals) << 208
            | r.raising(account) << 224
        ),
    }
    for c in range(1, collaterals + 1):
        told[f"{short} collateral {c}"] = r.collateral.get((account, c), 0)
    for market in range(markets):
        p = r.positions.get((account, market), Position())
        told[f"{short} size in {market}"] = p.size & _LOW
        told[f"{short} quote in {market}"] = p.quote & _LOW
        told[f"{short} funding entry in {market}"] = p.funding_entry & _LOW
    return told


def _rights(r: Rebuilt, account: AccountId, people: Sequence[str]) -> dict[str, int]:
    owner, short = owner_of(account), f"account {account:#066x}"
    shares, unlocks_at, expires_at = r.requests.get(owner, (0, 0, 0))
    grants = [r.grants.get((account, person), (0, 0)) for person in people]
    return {
        f"{short} exit request of the owner": shares | unlocks_at << 176 | expires_at << 216,
        f"{short} grants": sum((p | at << 8) << 48 * i for i, (p, at) in enumerate(grants)),
        f"{short} nonces of the owner": r.used_nonces.get((owner, 0), 0),
        f"{short} cancelled orders": r.cancelled.get((account, 0), 0),
        f"{short} least nonce of orders": r.least_nonces.get(account, 0),
    }


def _logs_of(rpc: Rpc, addresses: Sequence[str]) -> Iterator[tuple[Log, int]]:
    """Yield what contracts have logged since the first block, with the time of each block."""
    wanted = {"fromBlock": "0x0", "toBlock": "latest", "address": list(addresses)}
    found = rpc.request("eth_getLogs", [wanted])
    numbers = list(dict.fromkeys(raw["blockNumber"] for raw in found))
    blocks = rpc.batch([("eth_getBlockByNumber", [number, False]) for number in numbers])
    times = {n: int(b["timestamp"], 16) for n, b in zip(numbers, blocks, strict=True)}
    for raw in found:
        yield parse_log(raw), times[raw["blockNumber"]]
