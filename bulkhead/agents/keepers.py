"""Keepers: whatever must happen regularly, anyone may do; these do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bulkhead.agents.view import (
    WAD,
    AccountState,
    MarketView,
    PendingOrder,
    Transaction,
    account_id,
)
from bulkhead.deployment.uniswap import swap_path

USD_DECIMALS, RATIO_DECIMALS = 8, 18
"""Decimals of a feed's answer: of prices in settlement units, and of ratios."""


@dataclass(slots=True)
class FeedPublisher:
    """Runs the price feeds: publishes on deviation or after a heartbeat.

    Attributes:
        address: owner of the feeds.
        feeds: names of the feed contracts by asset (``ETH``, ``BTC``, ``LST/ETH``).
        deviation: fraction of the last answer.
        heartbeat_seconds: longest silence.
    """

    address: str
    feeds: dict[str, tuple[str, ...]]
    deviation: float = 0.002
    heartbeat_seconds: int = 1_800
    _last: dict[str, tuple[float, int]] = field(default_factory=dict, init=False)

    def act(self, view: MarketView, _rng: Random) -> list[Transaction]:
        """Publish the outside price of every asset that has moved or been silent."""
        sent: list[Transaction] = []
        for asset, names in self.feeds.items():
            price = self._price(view, asset)
            last, at = self._last.get(asset, (0.0, 0))
            moved = last == 0 or abs(price / last - 1) >= self.deviation
            if not moved and view.timestamp - at < self.heartbeat_seconds:
                continue
            self._last[asset] = (price, view.timestamp)
            decimals = RATIO_DECIMALS if "/" in asset else USD_DECIMALS
            answer = round(price * 10**decimals)
            sent += [
                Transaction(self.address, name, "setAnswer", (answer,), f"publish {asset}")
                for name in names
            ]
        return sent

    @staticmethod
    def _price(view: MarketView, asset: str) -> float:
        if asset == "LST/ETH":
            return view.outside.ratio * view.peg.fair_rate / WAD
        return view.outside.eth if asset == "ETH" else view.outside.btc


@dataclass(slots=True)
class OracleKeeper:
    """Records aggregates, pokes the peg monitor and the markets.

    Attributes:
        address: of the keeper.
        assets: oracle asset ids to record.
        pegs: peg asset ids to poke.
        markets: market ids to poke.
    """

    address: str
    assets: Sequence[bytes]
    pegs: Sequence[bytes]
    markets: Sequence[int]

    def act(self, _view: MarketView, _rng: Random) -> list[Transaction]:
        """Poke everything: each call is idempotent."""
        return [
            *(self._call("OracleAggregator", "record", a, "record price") for a in self.assets),
            *(self._call("PegMonitor", "poke", p, "poke peg") for p in self.pegs),
            *(self._call("PerpExchange", "poke", m, "poke market") for m in self.markets),
        ]

    def _call(self, contract: str, function: str, argument: object, purpose: str) -> Transaction:
        return Transaction(self.address, contract, function, (argument,), purpose)


@dataclass(slots=True)
class BreakerKeeper:
    """Pokes the circuit breaker.

    Attributes:
        address: of the keeper.
    """

    address: str

    def act(self, _view: MarketView, _rng: Random) -> list[Transaction]:
        """Let the breaker look at its signals."""
        return [Transaction(self.address, "CircuitBreaker", "poke", (), "poke breaker")]


@dataclass(slots=True)
class LiquidationKeeper:
    """Closes positions of unhealthy accounts, largest shortfall first; tries each call beforehand.

    Attributes:
        address: earns the rewards.
        capacity: most liquidations that she sends in one block.
    """

    address: str
    capacity: int = 12

    def act(self, view: MarketView, _rng: Random) -> list[Transaction]:
        """Send those liquidations that work on the latest block."""
        unhealthy = [a for a in view.accounts.values() if a.is_unhealthy and a.positions]
        unhealthy.sort(key=lambda a: (a.equity_maintenance - a.maintenance_margin, a.account))
        wanted = [
            self._liquidate(account, market)
            for account in unhealthy
            for market in _markets_to_close(view, account)
        ]
        return working(view, wanted)[: self.capacity]

    def _liquidate(self, account: AccountState, market: int) -> Transaction:
        arguments = (account.account, market)
        return Transaction(
            self.address, "LiquidationEngine", "liquidate", arguments, "liquidate position"
        )


@dataclass(slots=True)
class AuctionKeeper:
    """Starts auctions, takes them when they pay, ends stale ones, and has bad debt written off.

    Collateral that trades on Uniswap is sold within the call, so no capital is needed; other
    collateral is bought with her own settlement tokens.

    Attributes:
        address: of the keeper.
        margin: least gain over the payment, a fraction.
        dust: WAD of collateral below which a bankrupt account may be written off.
        largest_lot: most of a collateral that she takes at once, raw units by collateral id.
    """

    address: str
    dust: int
    margin: float = 0.001
    largest_lot: dict[int, int] = field(default_factory=dict)

    def act(self, view: MarketView, _rng: Random) -> list[Transaction]:
        """Return what works on the latest block."""
        wanted: list[Transaction] = []
        taken: list[Transaction] = []
        for account in sorted(view.accounts.values(), key=lambda a: a.account):
            if not account.debt or not account.is_priced:
                continue
            if not account.positions and account.collateral_maintenance < self.dust:
                wanted.append(self._engine("writeOff", (account.account,), "write off"))
                continue
            for i, held in enumerate(account.collateral_tokens):
                if not held or not account.is_unhealthy:
                    continue
                key = (account.account, i + 1)
                # One that nobody took in time may be started anew: trying tells.
                wanted.append(self._engine("startAuction", key, "start auction"))
                if key in view.auctions:
                    taken += self._best_take(view, account, i + 1, held)
        indebted = {a.account for a in view.accounts.values() if a.debt}
        for key in sorted(view.auctions):
            owner = view.accounts.get(key[0])
            if key[0] not in indebted or (owner is not None and not owner.is_unhealthy):
                wanted.append(self._engine("endAuction", key, "end auction"))
        return working(view, wanted) + taken

    def _best_take(
        self, view: MarketView, account: AccountState, collateral: int, held: int
    ) -> list[Transaction]:
        """Return the largest take that pays, of four sizes."""
        lot = min(held, self.largest_lot.get(collateral, held))
        sizes = sorted({lot, lot // 2, lot // 5, lot // 20} - {0}, reverse=True)
        wanted = [self._take(view, account, collateral, size) for size in sizes]
        return working(view, wanted)[:1]

    def _take(
        self, view: MarketView, account: AccountState, collateral: int, amount: int
    ) -> Transaction:
        state = view.compartment.collaterals[collateral - 1]
        # What the account counts the lot for: the auction's floor, so a fair scale for the gain.
        value = amount * state.maintenance_price // WAD
        path = self._path(view, state.token)
        if path is None:
            most = int(view.outside.btc * (1 - self.margin) * WAD)
            lot = (account.account, collateral, amount, most, self.address, b"")
            return self._engine("takeAuction", lot, "take auction")
        gain = int(min(value, account.debt) // 10**12 * self.margin)
        arguments = (account.account, collateral, amount, path, gain)
        return Transaction(
            self.address, "UniswapV3AuctionCallee", "take", arguments, "take auction"
        )

    @staticmethod
    def _path(view: MarketView, token: str) -> bytes | None:
        """Return the way from a token to the settlement token, None if no pool trades it."""
        lst, eth = view.pools["LST/WETH"], view.pools["WETH/USDB"]
        if token == lst.base:
            return swap_path(lst.base, lst.fee, lst.quote, eth.fee, eth.quote)
        if token == eth.base:
            return swap_path(eth.base, eth.fee, eth.quote)
        return None

    def _engine(self, function: str, arguments: tuple[object, ...], purpose: str) -> Transaction:
        return Transaction(self.address, "LiquidationEngine", function, arguments, purpose)


@dataclass(slots=True)
class OrderKeeper:
    """Triggers and settles delayed orders, as soon as it works: then no price is chosen.

    Attributes:
        address: whose account earns the executor fees.
        capacity: most orders that she settles in one block.
    """

    address: str
    capacity: int = 20

    def act(self, view: MarketView, _rng: Random) -> list[Transaction]:
        """Trigger what was reached, and settle in one call all that can be settled by itself."""
        triggers = [
            self._call("trigger", (order.id,), "trigger order")
            for order in view.orders
            if self._is_reached(view, order)
        ]
        keeper = account_id(self.address)
        due = [
            order
            for order in view.orders
            if 0 < order.settle_from <= view.timestamp or order.expires_at < view.timestamp
        ]
        tries = [self._call("settle", (order.id, keeper), "settle order") for order in due]
        ids = [t.args[0] for t in working(view, tries)][: self.capacity]
        settles = [self._call("settleMany", (ids, keeper), "settle orders")] if ids else []
        return working(view, triggers) + settles

    @staticmethod
    def _is_reached(view: MarketView, order: PendingOrder) -> bool:
        if order.settle_from or order.expires_at < view.timestamp:
            return False
        index = next(m.index_price for m in view.compartment.markets if m.market == order.market)
        return index >= order.trigger_price if order.is_above else index <= order.trigger_price

    def _call(self, function: str, arguments: tuple[object, ...], purpose: str) -> Transaction:
        return Transaction(self.address, "DelayedOrders", function, arguments, purpose)


def working(view: MarketView, wanted: Sequence[Transaction]) -> list[Transaction]:
    """Return those transactions that succeed on their own against the latest block."""
    if not wanted:
        return []
    outcomes = view.simulate(wanted)
    return [t for t, error in zip(wanted, outcomes, strict=True) if error is None]


def _markets_to_close(view: MarketView, account: AccountState) -> list[int]:
    """Return the largest position's market first; all of them if the account is bankrupt."""
    index = {m.market: m.index_price for m in view.compartment.markets}
    order = sorted(account.positions, key=lambda p: (-abs(p.size) * index[p.market], p.market))
    chosen = order if account.equity_maintenance <= 0 else order[:1]
    return [p.market for p in chosen]
