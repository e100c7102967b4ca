"""What the outside world does: prices and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step
from bulkhead.fuzz.suite.fields import MARKETS, Anyone
from bulkhead.model.math import WAD, mul_div_down

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions
    from bulkhead.model.types import AccountId

_FACTORS_BPS = (
    *(10_000, 10_010, 9_990, 10_050, 9_950, 10_100, 9_900, 10_200, 9_800),
    *(10_300, 9_700, 10_500, 9_500, 11_500, 8_500, 13_000, 7_000),
)
_SECONDS = (BLOCK_SECONDS, 60, 600, 3_600, 6 * 3_600, 86_400, 3 * 86_400)
_ASSETS = ("ETH", "BTC", "LST/ETH")
_DEPTHS_BPS = (9_900, 10_010, 10_050, 10_200, 11_000, 15_000, 20_000, 30_000, -5_000)
"""Of what a position's account lacks to its maintenance margin, or of what it is worth."""
_LEAST_BPS, _MOST_BPS = 5_000, 20_000


@dataclass(frozen=True, slots=True)
class Wait(Operation):
    """Time passes; feeds report again what would grow old, and the breaker is poked in the end."""

    weight = 7

    how_long: Annotated[int, Index(len(_SECONDS))]
    silent: Annotated[int, Index(16)]
    """14, 15: nothing is said at all."""

    def resolve(self, u: Questions) -> Step | None:
        seconds = _SECONDS[self.how_long]
        if self.silent >= 14:
            return Step((), seconds)
        later = u.now + seconds + _SECONDS[2]
        calls = [
            u.report(feed, u.answer(feed))
            for asset in u.assets
            if not u.is_good(asset, later)
            for feed in u.feeds_of(asset)
        ]
        if seconds >= _SECONDS[2]:
            calls.append(Call(u.keeper, "CircuitBreaker", "poke"))
        return Step(tuple(calls), seconds)


@dataclass(frozen=True, slots=True)
class MovePrice(Operation):
    """All feeds of an asset move together; then the oracle, and perhaps the breaker, takes note."""

    weight = 9

    asset: Annotated[int, Index(len(_ASSETS))]
    factor: Annotated[int, Index(len(_FACTORS_BPS) + 1)]
    """The greatest: back to the price from which the sequence began."""
    poke: Annotated[int, Index(8)]
    """0 to 3: nobody is told; 4, 5: the oracle; 6, 7: the breaker, too."""

    def resolve(self, u: Questions) -> Step | None:
        asset = _ASSETS[self.asset]
        answer = u.answer(u.feeds_of(asset)[0])
        if self.factor == len(_FACTORS_BPS):
            answer = u.first_answer(u.feeds_of(asset)[0])
        else:
            answer = answer * _FACTORS_BPS[self.factor] // 10_000
        return Step(tuple(_move(u, asset, max(1, answer), told=self.poke)))


@dataclass(frozen=True, slots=True)
class Squeeze(Operation):
    """A price moves so far that an account just misses its maintenance margin, or owes money."""

    weight = 7

    target: Anyone
    market: Annotated[int, Index(MARKETS)]
    depth: Annotated[int, Index(2 * len(_DEPTHS_BPS))]
    """The second half is measured on all that the account is worth."""
    poke: Annotated[int, Index(8)]
    """0 to 3: nobody is told; 4, 5: the oracle; 6, 7: the breaker, too."""

    def resolve(self, u: Questions) -> Step | None:
        exposed = u.those(lambda a: bool(u.markets_of(a)))
        if not exposed:
            return None
        account = exposed[self.target % len(exposed)]
        markets = u.markets_of(account)
        market = markets[self.market % len(markets)]
        asset = u.model.risk_parameters.market_trading(market).index_asset
        bps = self._bps(u, account, market)
        feed = u.feeds_of(asset)[0]
        answer = u.answer(feed) * bps // 10_000
        return Step(tuple(_move(u, asset, max(1, answer), told=self.poke)))

    def _bps(self, u: Questions, account: AccountId, market: int) -> int:
        """Return the price that does it, of the price now."""
        v = u.valuation(account)
        price, _ = u.model.perp_exchange.index_price(market)
        size = u.model.perp_exchange.position(account, market).size
        if v is None or not price:
            return 10_000
        worth = v.equity_maintenance
        notional = max(1, mul_div_down(abs(size), price, WAD))
        if self.depth < len(_DEPTHS_BPS):
            worth -= v.maintenance_margin
            # The margin asked for moves with the price, too.
            trading = u.model.risk_parameters.market_trading(market)
            margin = mul_div_down(notional, trading.maintenance_margin_ratio, WAD)
            notional += -margin if size > 0 else margin
        change = worth * _DEPTHS_BPS[self.depth % len(_DEPTHS_BPS)] // max(1, notional)
        moved = 10_000 - change if size > 0 else 10_000 + change
        return min(_MOST_BPS, max(_LEAST_BPS, moved))


def _move(u: Questions, asset: str, answer: int, *, told: int) -> Iterator[Call]:
    for feed in u.feeds_of(asset):
        yield u.report(feed, answer)
    if told >= 4:
        yield Call(u.keeper, "OracleAggregator", "record", (asset,))
        if asset == "LST/ETH":
            yield Call(u.keeper, "PegMonitor", "poke", ("LST",))
    if told >= 6:
        yield Call(u.keeper, "CircuitBreaker", "poke")
