"""The model's state as the words of ``StateProbe``.

Both sides pack two 128-bit numbers into one word, the first in the low half.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bulkhead.model import types
from bulkhead.model.errors import ModelRevert
from bulkhead.model.operators import Grant
from bulkhead.model.types import AccountId, AccountLedger, Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.model import Model

ORDERS = 6
"""Of delayed orders, so many are read: the last ones."""
_LOW = (1 << 128) - 1
_HALF = (1 << 64) - 1
_WORD = (1 << 256) - 1
_THIRTY_TWO = (32).to_bytes(32, "big")
_NO_LEDGER = AccountLedger()
_FLAT = types.Position()
_NO_GRANT = Grant()


def pair(low: int, high: int) -> int:
    """Return two numbers, each of 128 bits, in one word."""
    return low & _LOW | (high & _LOW) << 128


def word(value: int) -> bytes:
    """Return what a function returns that returns one number."""
    return value.to_bytes(32, "big")


def encode(words: Sequence[int]) -> bytes:
    """Return what a function returns that returns ``uint256[] memory``."""
    return _array(_words(words))


def _words(words: Iterable[int]) -> bytes:
    return b"".join([(word & _WORD).to_bytes(32, "big") for word in words])


def _array(body: bytes) -> bytes:
    return _THIRTY_TWO + (len(body) // 32).to_bytes(32, "big") + body


class Stored:
    """Writes ``StateProbe.stored``; what did not change since the last time is not written again.

    What changed is read from the log that undoes it, which the model keeps for a whole sequence.

    Args:
        model: what is written, between calls.
        accounts: in order.
        people: whose grants the probe reads, in order.

    Attributes:
        touched: the accounts that changed when ``data`` was last asked for, and perhaps None.
    """

    def __init__(
        self, model: Model, accounts: Sequence[AccountId], people: Sequence[Address]
    ) -> None:
        self._model = model
        self._accounts = accounts
        self._people = people
        self._undo = model.context.undo
        self._seen: int | None = None
        self._written: dict[AccountId, bytes] = {}
        self._data = b""
        self.touched: set[Any] = set()
        self._watch(model)

    def restore(self, data: bytes) -> None:
        """Take note that the model was brought back to the state in which these were the words."""
        self._data = data
        self._seen = len(self._undo)
        self._written.clear()
        self.touched = set()

    def data(self) -> bytes:
        """Return what the function returns, encoded; the same object until something changes."""
        if self._seen is None:
            touched: set[Any] = set(self._accounts)
        else:
            touched = self._touched(self._undo[self._seen :])
        self._seen = len(self._undo)
        self.touched = touched
        if not touched:
            return self._data
        markets = range(self._model.risk_parameters.market_count)
        collaterals = range(1, self._model.risk_parameters.collateral_count + 1)
        for account in self._accounts:
            if account in touched or account not in self._written:
                self._written[account] = self._account(account, markets, collaterals)
        shared = _words(self._shared(markets, collaterals))
        accounts = [self._written[account] for account in self._accounts]
        self._data = _array(b"".join([shared, *accounts]))
        return self._data

    def excerpt(self, places: Iterable[int]) -> bytes:
        """Return what the function returns for some of the accounts, by their places, ascending."""
        markets = self._model.risk_parameters.market_count
        collaterals = self._model.risk_parameters.collateral_count
        shared = 32 * (12 + 4 * ORDERS + 25 * markets + 2 * collaterals)
        each = 32 * (8 + (collaterals + 1) // 2 + 2 * markets)
        body = self._data[64:]
        parts = [body[:shared]]
        parts += [body[shared + i * each : shared + (i + 1) * each] for i in places]
        return _array(b"".join(parts))

    def _watch(self, m: Model) -> None:
        """Note which places of storage end up in the words, and where keys name accounts."""
        engine, exchange, risk = m.margin_engine, m.perp_exchange, m.risk_engine
        delayed = m.delayed_orders
        tokens = [token.balances for token in m.tokens.values()]
        shared = (
            *(engine._totals, engine._unrealized_totals, engine._unrealized, engine._borrow),
            *(engine._total_collateral, exchange._markets, m.circuit_breaker._state),
            *(m.liquidity_vault._supply, m.insurance_fund._supply, *tokens),
            *(risk._ratios, risk._stress, risk._depths, m.risk_parameters._correlations),
            *(delayed._orders, delayed._count, delayed._fixings, delayed._fixing_count),
            *(engine._order_escrow, exchange._settlements),
        )
        self._shared_places = {id(place) for place in shared}
        orders = m.signed_orders
        self._account_places = {
            *(id(engine._accounts), id(engine._debt_index), id(engine._raising_orders)),
            id(orders._least_nonce),
        }
        operators = m.account_operators
        self._pair_places = {
            *(id(engine._collateral), id(exchange._positions), id(operators._grants)),
            id(orders._cancelled),
        }
        self._owner_pair_places = {id(operators._used_nonces)}
        self._owner_places = {id(m.liquidity_vault._requests)}

    def _touched(self, entries: Sequence[tuple[Any, Any, Any]]) -> set[Any]:
        """Return the accounts that changed, and something more if anything else did."""
        touched: set[Any] = set()
        for place, key, _ in entries:
            where = id(place)
            if where in self._account_places:
                touched.add(key)
            elif where in self._pair_places:
                touched.add(key[0])
            elif where in self._owner_pair_places:
                touched.update(a for a in self._accounts if types.owner_of(a) == key[0])
            elif where in self._owner_places:
                touched.update(a for a in self._accounts if types.owner_of(a) == key)
            elif where in self._shared_places:
                touched.add(None)
        return touched

    def _shared(self, markets: range, collaterals: range) -> list[int]:
        m = self._model
        engine, exchange = m.margin_engine, m.perp_exchange
        risk = m.risk_engine
        t, u, b = engine.totals(), engine.unrealized_totals(), m.circuit_breaker.breaker_state()
        borrow = engine.borrow_state()
        stress = risk.followed_stress()
        custody = m.collateral_vault.address
        words = [
            pair(t.principal, t.debt),
            pair(t.claims, t.pool_cash),
            pair(t.insurance_cash, t.fee_reserve),
            pair(u.positive, u.net),
            m.settlement.balance_of(custody),
            pair(m.liquidity_vault.total_supply, m.insurance_fund.total_supply),
            b.tier
            | b.since << 8
            | b.halted_at << 48
            | b.guardian_tier << 88
            | b.guardian_until << 96,
            pair(borrow.index, borrow.rate | borrow.updated_at << 64),
            borrow.scaled_debt,
            pair(stress.value, stress.moved_at),
            engine.order_escrow(),
            *_orders(m),
        ]
        rows = m.risk_parameters.correlation_rows(markets)
        for i in markets:
            s, r = exchange.market_state(i), engine.market_unrealized(i)
            f, end = risk.followed_ratio(i), exchange.settlement(i)
            words += (
                pair(s.open_interest_long, s.open_interest_short),
                pair(s.quote, s.cumulative_funding_per_unit),
                pair(
                    s.funding_rate & _HALF | (s.matched_premium & _HALF) << 64,
                    s.funding_updated_at
                    | s.funding_gain << 40
                    | s.phase << 56
                    | s.matched_premium_ends_at << 64,
                ),
                s.funding_entry_product & _WORD,
                pair(r.unrealized, r.updated_at),
                pair(end.price, end.fixable_at),
                pair(f.value, f.moved_at),
                rows[i],
                *_fixings(m, i),
            )
        for c in collaterals:
            token = m.tokens[m.risk_parameters.collateral_config(c).token]
            d = risk.depth_state(c)
            words += (
                pair(token.balance_of(custody), engine.total_collateral(c)),
                d.measured | d.kept << 104 | d.measured_at << 208,
            )
        return words

    def _account(self, account: AccountId, markets: range, collaterals: range) -> bytes:
        engine, exchange = self._model.margin_engine, self._model.perp_exchange
        ledger = engine._accounts.get(account, _NO_LEDGER)
        positions = [exchange._positions.get((account, i), _FLAT) for i in markets]
        held = [engine._collateral.get((account, c), 0) for c in collaterals]
        index = engine._debt_index.get(account, 0)
        words = _account_words(ledger, index, positions, held)
        words[2] |= engine.raising_orders(account) << 224
        return _words([*words, *self._access(account)])

    def _access(self, account: AccountId) -> tuple[int, int, int, int, int]:
        """Return what is kept for an account or its owner besides the ledger.

        That is the owner's request to leave the pool, grants of 48 bits each, the owner's first
        word of nonces, and that and the least nonce of orders.
        """
        owner = types.owner_of(account)
        r = self._model.liquidity_vault.exit_request(owner)
        request = r.shares | r.unlocks_at << 176 | r.expires_at << 216
        operators, orders = self._model.account_operators, self._model.signed_orders
        grants = [operators._grants.get((account, p), _NO_GRANT) for p in self._people]
        word = sum((g.permissions | g.expires_at << 8) << 48 * i for i, g in enumerate(grants))
        return (
            *(request, word, operators.used_nonces(owner, 0)),
            *(orders.cancelled_nonces(account, 0), orders.least_nonce(account)),
        )


def _account_words(
    a: AccountLedger, index: int, positions: Sequence[types.Position], held: Sequence[int]
) -> list[int]:
    words = [
        pair(a.cash, a.claim),
        index,
        a.unvested
        | a.vesting_updated_at << 128
        | a.vesting_ends_at << 168
        | a.collateral_mask << 208,
    ]
    words += [pair(*held[i : i + 2], *(0,) * (i + 2 - len(held))) for i in range(0, len(held), 2)]
    for p in positions:
        words += (pair(p.size, p.quote), p.funding_entry & _LOW)
    return words


def _orders(m: Model) -> Iterator[int]:
    """Yield how many delayed orders there were, and the last of them."""
    count = m.delayed_orders.order_count()
    yield count
    for order_id in range(count, count - ORDERS, -1):
        o = m.delayed_orders.order(order_id)
        times = o.settle_from << 96 | o.cancel_from << 136 | o.expires_at << 176
        yield o.account
        yield pair(o.size_delta, o.acceptable_price)
        yield o.executor_fee | times | o.market << 216 | o.flags << 224
        yield o.trigger_price


def _fixings(m: Model, market: int) -> Iterator[int]:
    """Yield the prices recorded for orders in a market."""
    ring, count = m.delayed_orders.fixings(market)
    yield count
    for f in ring:
        yield f.price | f.published_at << 128 | f.recorded_at << 168 | int(f.status) << 208


def derived(
    m: Model, accounts: Sequence[AccountId], assets: Sequence[str], pegs: Sequence[str]
) -> list[int]:
    """Return the words of ``StateProbe.derived``."""
    engine, exchange = m.margin_engine, m.perp_exchange
    collaterals = range(1, m.risk_parameters.collateral_count + 1)
    to_enter, to_leave = m.liquidity_vault.net_asset_value()
    words = [engine.haircut_ratio(), m.circuit_breaker.tier(), to_enter, to_leave]
    words.append(pair(*m.risk_engine.stress_levels()))
    pool, nobody = m.liquidity_vault, m.collateral_vault.address
    words += (pool.max_deposit(nobody), m.insurance_fund.max_deposit(nobody), pool.coverage())
    for i in range(m.risk_parameters.market_count):
        price, status = exchange.index_price(i)
        words += (
            price,
            int(status),
            exchange.mark_price(i),
            exchange.funding_rate(i),
            exchange.unrealized_pnl(i),
            pair(*m.risk_engine.margin_rates(i)),
        )
    for c in collaterals:
        v = m.risk_engine.collateral_valuation(c)
        words += (v.initial_price, v.maintenance_price, v.market_price, int(v.status))
        words += m.risk_engine.depths(c)
    for asset in assets:
        d, r = m.oracle.latest(asset, m.now), m.circuit_breaker.price_reference(asset)
        compared = m.oracle.confirmation(asset, m.now)
        words += (
            pair(d.price, d.confidence),
            d.published_at
            | d.recorded_at << 40
            | int(d.status) << 80
            | compared.candidate_at << 88,
            pair(compared.anchor, compared.candidate),
            pair(m.oracle.volatility(asset), _votes(m, asset)),
            pair(r.price, r.taken_at),
            pair(r.previous_price, r.previous_taken_at),
        )
    for peg in pegs:
        p = m.peg.peg_state(peg)
        words += (
            pair(p.fair_rate, p.market_rate),
            pair(p.stress, p.poked_at << 16 | int(p.condition) << 8 | int(p.status)),
            pair(p.highest_rate, p.backing),
            pair(p.redemption_delay, p.intrinsic_haircut),
        )
    for account in accounts:
        words += _valuation(m, account)
        words += [m.liquidation_engine.auction_started_at(account, c) for c in collaterals]
        owner = types.owner_of(account)
        words += (pool.max_redeem(owner), pool.max_withdraw(owner))
    return words


def _votes(m: Model, asset: str) -> int:
    votes = 0
    for i, s in enumerate(m.oracle.sources(asset, m.now), start=1):
        votes += i * (2 * (s.share + s.reputation // 4 + s.target_share) + s.is_counted)
    return votes


def _valuation(m: Model, account: AccountId) -> list[int]:
    matured = m.margin_engine.matured_claim(account)
    try:
        v = m.margin_engine.valuation(account)
    except ModelRevert:
        return [matured] + [0] * 10
    return [
        matured,
        1,
        v.equity_initial,
        v.equity_maintenance,
        v.initial_margin,
        v.maintenance_margin,
        v.collateral_maintenance,
        v.unrealized_pnl,
        v.buffer_at_index,
        v.uncertain,
        int(v.status),
    ]


def balances(tokens: Sequence[Any], holders: Sequence[Address]) -> list[int]:
    """Return the words of ``StateProbe.balances``; ``tokens`` are twins."""
    return [token.balance_of(holder) for token in tokens for holder in holders]
