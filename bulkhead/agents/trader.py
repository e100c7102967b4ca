"""Leveraged traders, attentive or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bulkhead.agents.view import (
    WAD,
    AccountState,
    MarketView,
    PositionState,
    Transaction,
    account_id,
)

SETTLEMENT = 0
COLLATERALS = ("USDB", "LST", "WBTC", "WETH")
"""Token names by collateral id."""
_SLIPPAGE = 0.03
_LEAST_EQUITY = 200 * WAD
_LEAST_CLAIM = 20 * WAD
_OPENING_ATTEMPTS = 5
_CONVERT_MAX_TIER = 2


@dataclass(frozen=True, slots=True)
class TraderProfile:
    """What kind of trader somebody is.

    Attributes:
        market: where she trades.
        direction: 1 long, −1 short.
        collateral: id of what she posts, 0 the settlement token.
        leverage: notional over equity that she opens with.
        opens_at: step from which she opens.
        attention: chance per step that she reacts to low health; 0: never looks.
        take_profit: gain over equity at which she halves the position.
        target_health: health below which she would react.
    """

    market: int
    direction: int
    collateral: int
    leverage: float
    opens_at: int
    attention: float
    take_profit: float
    target_health: float = 1.5


@dataclass(slots=True)
class Trader:
    """Opens once, then defends, takes profit, converts what has matured, and comes back in calm.

    Attributes:
        address: owner of margin account 0.
        profile: her habits.
    """

    address: str
    profile: TraderProfile
    account: bytes = field(init=False)
    _attempts: int = field(default=0, init=False)
    _has_traded: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.account = account_id(self.address)

    def act(self, view: MarketView, rng: Random) -> list[Transaction]:
        """Return this step's transactions, at most two."""
        state = view.accounts.get(self.account)
        if state is None or not state.is_priced:
            return []
        # Drawn in any case, so that one trader's state does not shift what others draw.
        luck, size_luck = rng.random(), rng.random()
        sent: list[Transaction] = []
        # While the breaker holds conversions back, few keep trying.
        eager = 0.4 if view.compartment.tier <= _CONVERT_MAX_TIER else 0.04
        if state.matured_claim > _LEAST_CLAIM and luck < eager:
            sent.append(self._margin("convert", (self.account, state.matured_claim), "convert"))
        position = state.position(self.profile.market)
        if position is not None:
            self._has_traded = True
            return sent + self._hold(view, state, position, luck, size_luck)
        return sent + self._enter(view, state, luck)

    # ------------------------------------------------------------------ without a position

    def _enter(self, view: MarketView, state: AccountState, luck: float) -> list[Transaction]:
        if view.step < self.profile.opens_at or state.debt:
            return []
        if not self._has_traded:
            if self._attempts >= _OPENING_ATTEMPTS:
                return []
            self._attempts += 1
            return self._open(view, state, self.profile.leverage)
        # Closed or liquidated: some leave with their cash, some try again with less.
        if state.cash > _LEAST_EQUITY and luck < 0.05:
            tokens = state.cash // 10**12
            arguments = (self.account, SETTLEMENT, tokens, self.address)
            return [self._margin("withdraw", arguments, "withdraw")]
        if luck > 0.985:
            return self._open(view, state, 0.5 * self.profile.leverage)
        return []

    def _open(self, view: MarketView, state: AccountState, leverage: float) -> list[Transaction]:
        if state.equity_initial < _LEAST_EQUITY:
            return []
        index = view.compartment.markets[self.profile.market].index_price
        notional = state.equity_initial * round(leverage * 10_000) // 10_000
        size = self.profile.direction * (notional * WAD // index)
        return [self._trade(view, size, "open long" if size > 0 else "open short")]

    # ------------------------------------------------------------------ with a position

    def _hold(
        self,
        view: MarketView,
        state: AccountState,
        position: PositionState,
        luck: float,
        size_luck: float,
    ) -> list[Transaction]:
        if state.health < self.profile.target_health:
            return self._defend(view, position, luck, size_luck)
        gain = position.unrealized_pnl / max(1, state.equity_initial)
        if gain > self.profile.take_profit and luck < 0.5:
            return [self._trade(view, -position.size // 2, "take profit")]
        if luck > 0.99 and self.profile.attention > 0:
            return [self._trade(view, position.size // 5, "add to position")]
        if view.compartment.tier > 0 and luck < 0.03 and state.cash > _LEAST_EQUITY:
            arguments = (self.account, SETTLEMENT, state.cash // 4 // 10**12, self.address)
            return [self._margin("withdraw", arguments, "withdraw")]
        return []

    def _defend(
        self, view: MarketView, position: PositionState, luck: float, size_luck: float
    ) -> list[Transaction]:
        """Add margin from the wallet if there is any, else make the position smaller."""
        if luck >= self.profile.attention:
            return []
        reserve = view.balance(self.address, COLLATERALS[self.profile.collateral])
        if reserve > 0 and size_luck < 0.7:
            amount = max(1, int(reserve * (0.3 + size_luck)))
            arguments = (self.account, self.profile.collateral, min(reserve, amount))
            return [self._margin("deposit", arguments, "add margin")]
        part = int(abs(position.size) * (0.3 + 0.4 * size_luck))
        return [self._trade(view, -part if position.size > 0 else part, "reduce position")]

    # ------------------------------------------------------------------ calls

    def _trade(self, view: MarketView, size: int, purpose: str) -> Transaction:
        mark = view.compartment.markets[self.profile.market].mark_price
        worst = int(mark * (1 + _SLIPPAGE if size > 0 else 1 - _SLIPPAGE))
        arguments = (self.account, self.profile.market, size, worst)
        return Transaction(self.address, "PerpExchange", "trade", arguments, purpose)

    def _margin(self, function: str, arguments: tuple[object, ...], purpose: str) -> Transaction:
        return Transaction(self.address, "MarginEngine", function, arguments, purpose)
