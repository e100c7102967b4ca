"""How far an attacker moves the aggregate with some of its weight, by search on the contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from bulkhead.chain.artifacts import Artifacts
from bulkhead.chain.contract import Contract
from bulkhead.deployment.sender import RpcSender
from bulkhead.experiments.aggregator import MAX_STALENESS, WHOLE, Aggregator, Reading
from bulkhead.experiments.pool import deploy
from bulkhead.model.oracle import PriceStatus

FEED_DECIMALS = 8
PRICE: int = 3_000 * 10**FEED_DECIMALS
"""The true price, in a feed's units."""
LEAST, MOST = PRICE // 10, PRICE * 10
"""What the adapters accept, exclusive; and so what an attacker may answer."""
SPREAD_BPS = 10
"""Honest sources answer within so much of the true price, evenly spaced."""
RESOLUTION = PRICE // 100_000
"""The search ends with answers that are a tenth of a basis point apart."""
SILENT = 1
"""A feed's mode in which it reverts."""
_TO_WAD: int = 10 ** (18 - FEED_DECIMALS)
MINORITY, OUTAGE, HALF, MAJORITY = "minority", "minority in an outage", "half", "majority"
SHARES = (MINORITY, OUTAGE, HALF, MAJORITY)


class Case(NamedTuple):
    """Who has how much.

    Attributes:
        share: one of ``SHARES``.
        attackers: weights of the attacker's sources, basis points.
        honest: weights of those that answer honestly.
        quorum: least weight that must agree, basis points.
        silent: weights of those that do not answer.
    """

    share: str
    attackers: tuple[int, ...]
    honest: tuple[int, ...]
    quorum: int
    silent: tuple[int, ...] = ()

    @property
    def sources(self) -> int:
        """Number of sources."""
        return len(self.attackers) + len(self.honest) + len(self.silent)

    @property
    def weight(self) -> int:
        """The attacker's, basis points."""
        return sum(self.attackers)


class Reach(NamedTuple):
    """The farthest aggregate of a status: fraction of the true price, signed."""

    status: PriceStatus
    move: Decimal


@dataclass(frozen=True, slots=True)
class Found:
    """What an attacker can do in a case.

    Attributes:
        case: see ``Case``.
        up, down: the farthest aggregates, best status first; a status appears only if it allows
            to go farther than the better ones.
        is_bounded: whether it is the rules that end the movement, not what the adapters accept.
        targets: for each wanted rise, the best status with which it is reached; None: it is not.
        held: status of the farthest rise if the attacker holds it for the confirmation's delay.
        worst: the worst status that the attacker can force, by answers or by silence.
    """

    case: Case
    up: tuple[Reach, ...]
    down: tuple[Reach, ...]
    is_bounded: bool
    targets: dict[Decimal, PriceStatus | None]
    held: PriceStatus
    worst: PriceStatus


def split(weight: int, count: int) -> tuple[int, ...]:
    """Return a weight in so many parts that differ by one at most."""
    return tuple(weight // count + (i < weight % count) for i in range(count))


def cases(counts: Sequence[int], quorums: Sequence[int]) -> list[Case]:
    """Return the cases: equal weights; half: as many sources as a minority, but half the weight.

    In an outage as many honest sources are silent as the quorum permits; if it permits none, there
    is no such case. Where shares do not come out even, the attacker has the lighter ones.

    Args:
        counts: numbers of sources, odd.
        quorums: basis points.
    """
    found = []
    for count in counts:
        equal, few = split(WHOLE, count), count // 2
        for quorum in quorums:
            half = Case(HALF, split(WHOLE // 2, few), split(WHOLE // 2, count - few), quorum)
            attackers, honest = equal[-few:], equal[:-few]
            found.append(Case(MINORITY, attackers, honest, quorum))
            silent = _silenced(attackers, honest, quorum)
            if silent:
                rest = honest[silent:]
                found.append(Case(OUTAGE, attackers, rest, quorum, honest[:silent]))
            found += [
                half,
                Case(MAJORITY, equal[few:], equal[:few], quorum),
            ]
    return found


def _silenced(attackers: Sequence[int], honest: Sequence[int], quorum: int) -> int:
    """Return how many honest sources, first ones first, may be silent: one answers at least."""
    count = 0
    while count + 1 < len(honest) and sum(attackers) + sum(honest[count + 1 :]) >= quorum:
        count += 1
    return count


def honest_answers(count: int) -> list[int]:
    """Return honest answers, evenly spaced over the spread, in a feed's units."""
    reach = PRICE * SPREAD_BPS // 10_000
    if count == 1:
        return [PRICE]
    return [PRICE - reach + 2 * reach * i // (count - 1) for i in range(count)]


def explore(
    sender: RpcSender,
    artifacts: Artifacts,
    chosen: Sequence[Case],
    targets: Sequence[Decimal],
    done: Callable[[], None],
) -> list[Found]:
    """Return what an attacker can do in each case.

    Args:
        sender: runs feeds and aggregator; the node mines each transaction at once.
        artifacts: what to deploy.
        chosen: the cases.
        targets: wanted rises, fractions.
        done: is called after each case.

    Raises:
        DeploymentError, ContractReverted: the contracts refuse the set-up.
    """
    found = []
    for case in chosen:
        scene = Scene(sender, artifacts, case)
        up, down = scene.farthest(MOST - 1), scene.farthest(LEAST + 1)
        best = {target: scene.best_status(target) for target in targets}
        is_bounded = up[-1].move < Decimal(MOST - 1) / PRICE - 1
        held = scene.held_status()
        found.append(Found(case, up, down, is_bounded, best, held, scene.worst_status()))
        done()
    return found


class Scene:
    """One case on chain.

    Args:
        sender: runs feeds and aggregator; the node mines each transaction at once.
        artifacts: what to deploy.
        case: who has how much.

    Raises:
        DeploymentError, ContractReverted: the contracts refuse the set-up.
    """

    def __init__(self, sender: RpcSender, artifacts: Artifacts, case: Case) -> None:
        self._sender = sender
        self._feeds: list[Contract] = []
        adapters: list[str] = []
        answers = [PRICE] * len(case.attackers) + honest_answers(len(case.honest))
        answers += [PRICE] * len(case.silent)
        for answer in answers:
            feed = deploy(sender, artifacts, "DevAggregatorV3", FEED_DECIMALS, "ETH / USD")
            feed.transact("setAnswer", answer, sender=sender.address)
            limits = (LEAST, MOST, MAX_STALENESS)
            adapter = deploy(sender, artifacts, "ChainlinkAdapter", feed.address, *limits)
            self._feeds.append(feed)
            adapters.append(adapter.address)
        self._attacked = self._feeds[: len(case.attackers)]
        self._aggregator = Aggregator(sender, artifacts)
        weights = (*case.attackers, *case.honest, *case.silent)
        self._aggregator.configure(adapters, weights, case.quorum)
        self._silence(self._feeds[len(case.attackers) + len(case.honest) :])
        self._known: dict[int, Reading] = {}

    def read(self, answer: int) -> Reading:
        """Let all of the attacker's sources answer the same, and read the aggregate.

        Answers that differ get the median no farther: it grows with each of them.

        Args:
            answer: a feed's units.
        """
        if answer not in self._known:
            self._known[answer] = self.read_apart([answer] * len(self._attacked))
        return self._known[answer]

    def read_apart(self, answers: Sequence[int]) -> Reading:
        """Let each of the attacker's sources answer something else, and read the aggregate."""
        for feed, answer in zip(self._attacked, answers, strict=True):
            feed.transact("setAnswer", answer, sender=self._sender.address)
        return self._aggregator.read()

    def move(self, answer: int) -> Decimal:
        """Return how far the aggregate is from the true price then: a signed fraction."""
        return Decimal(self.read(answer).price) / (PRICE * _TO_WAD) - 1

    def held_status(self) -> PriceStatus:
        """Return the status of the farthest rise once it is held. The aggregator remembers it."""
        last = self._last(MOST - 1, partial(self._is_at_least, PriceStatus(PriceStatus.STALE + 1)))
        self.read_apart([PRICE if last is None else last] * len(self._attacked))
        return self._aggregator.hold().status

    def worst_status(self) -> PriceStatus:
        """Return the worst status that wild answers or silence lead to; the feeds stay silent."""
        worst = min(self.read(MOST - 1).status, self.read(LEAST + 1).status)
        self._silence(self._attacked)
        return min(worst, self._aggregator.read().status)

    def farthest(self, extreme: int) -> tuple[Reach, ...]:
        """Return the farthest aggregate of each status above stale, between truth and extreme.

        A worse answer never gives a better status, so each status ends somewhere.
        """
        found: list[Reach] = []
        statuses = sorted((s for s in PriceStatus if s != PriceStatus.STALE), reverse=True)
        for status in statuses:
            answer = self._last(extreme, partial(self._is_at_least, status))
            if answer is None:
                continue
            reach = Reach(self.read(answer).status, self.move(answer))
            if not found or abs(reach.move) > abs(found[-1].move):
                found.append(reach)
        return tuple(found)

    def best_status(self, target: Decimal) -> PriceStatus | None:
        """Return the best status of an aggregate that is higher by a fraction, or None."""
        last = self._last(MOST - 1, lambda a: self.read(a).status > PriceStatus.STALE)
        if last is None or self.move(last) < target:
            return None
        below = self._last(last, lambda a: self.move(a) < target)
        if below is None:
            return self.read(PRICE).status
        return self.read(min(below + RESOLUTION, last)).status

    def _silence(self, feeds: Sequence[Contract]) -> None:
        for feed in feeds:
            feed.transact("setMode", SILENT, sender=self._sender.address)

    def _is_at_least(self, status: PriceStatus, answer: int) -> bool:
        return self.read(answer).status >= status

    def _last(self, extreme: int, holds: Callable[[int], bool]) -> int | None:
        """Return the answer next to the extreme for which something holds; None if for none.

        It holds from the true price up to some point and no further.
        """
        if not holds(PRICE):
            return None
        if holds(extreme):
            return extreme
        good, bad = PRICE, extreme
        while abs(bad - good) > RESOLUTION:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if holds(middle) else (good, middle)
        return good
