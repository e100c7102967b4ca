"""What the outside world does: prices, feeds and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

_FACTORS_BPS = (10_000, 10_010, 9_990, 10_100, 9_900, 10_500, 9_500, 11_500, 8_500, 13_000, 7_000)
_SECONDS = (BLOCK_SECONDS, 60, 600, 3_600, 6 * 3_600, 86_400, 3 * 86_400)


@dataclass(frozen=True, slots=True)
class Wait(Operation):
    """Time passes; after an hour or more every feed reports its last price again, unless silent."""

    weight = 6

    how_long: Annotated[int, Index(len(_SECONDS))]
    silent: Annotated[int, Index(8)]

    def resolve(self, u: Universe) -> Step | None:
        seconds = _SECONDS[self.how_long]
        if self.silent == 7 or seconds < _SECONDS[3]:
            return Step((), seconds)
        return Step(
            tuple(u.report(feed, u.answer(feed)) for feed in u.feed_names),
            seconds,
        )


@dataclass(frozen=True, slots=True)
class MovePrice(Operation):
    """All feeds of an asset move together."""

    weight = 10

    asset: Annotated[int, Index(3)]
    factor: Annotated[int, Index(len(_FACTORS_BPS))]

    def resolve(self, u: Universe) -> Step | None:
        asset = ("ETH", "BTC", "LST/ETH")[self.asset]
        feeds = u.feeds_of(asset)
        answer = max(1, u.answer(feeds[0]) * _FACTORS_BPS[self.factor] // 10_000)
        calls = [u.report(feed, answer) for feed in feeds]
        calls.append(Call(u.keeper, "OracleAggregator", "record", (asset,)))
        if asset == "LST/ETH":
            calls.append(Call(u.keeper, "PegMonitor", "poke", ("LST",)))
        return Step(tuple(calls))


@dataclass(frozen=True, slots=True)
class MoveFeed(Operation):
    """One feed alone reports something else: an outlier, zero, or less."""

    feed: Annotated[int, Index(8)]
    factor: Annotated[int, Index(len(_FACTORS_BPS) + 2)]

    def resolve(self, u: Universe) -> Step | None:
        feed = u.feed_names[self.feed % len(u.feed_names)]
        if self.factor >= len(_FACTORS_BPS):
            answer = len(_FACTORS_BPS) - self.factor  # 0, or −1
        else:
            answer = u.answer(feed) * _FACTORS_BPS[self.factor] // 10_000
        return Step((u.report(feed, answer),))
