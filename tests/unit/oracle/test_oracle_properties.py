"""What holds of the contract whatever its sources do: ORC-1, ORC-2, and how often is recorded."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

WAD = 10**18
BILLION = 10**9
HOUR = 3_600
DAY = 86_400
PERIOD = 300
ETH = b"ETH".ljust(32, b"\0")
STALE = 0
NOISE = WAD // 300
"""Honest sources are this far from the truth at most: a fraction, WAD."""

NORMAL, REVERT, BURN_GAS, RETURN_BOMB, REVERT_BOMB, SHORT_ANSWER, GAS_DEPENDENT = range(7)
SILENT = {
    "revert": REVERT,
    "out of gas": BURN_GAS,
    "return bomb": RETURN_BOMB,
    "revert bomb": REVERT_BOMB,
    "short answer": SHORT_ANSWER,
    "wants more gas": GAS_DEPENDENT,
}
SPEAKING = (
    *("stuck", "floor", "spike", "drift", "zero", "one", "negative", "huge", "largest"),
    *("future", "past", "distant past", "wide", "wider", "absurdly wide", "just inside"),
)
FAULTS = (*SILENT, *SPEAKING)
CASES, PARTS, ROUNDS = 21_000, 10, 30


def faulty(lab, random: Random, fault: str, truth: int):
    """What a source says that fails in some way, while the truth is a WAD price."""
    fresh = lab.now - random.randint(0, 30)
    said = lab.script_of(truth, 0, fresh, SILENT.get(fault, NORMAL))
    changed = {
        "stuck": {"price": 100 * WAD},
        "floor": {"price": truth // 10},
        "spike": {"price": truth * random.choice([2, 10, 10**6])},
        "drift": {"price": truth * random.randint(900, 1_100) // 1_000},
        "zero": {"price": 0},
        "one": {"price": 1},
        "negative": {"price": 2**256 - random.randint(1, 10**30)},
        "huge": {"price": 2 ** random.randint(96, 255)},
        "largest": {"price": 2**96 - 1, "confidence": random.choice([0, 2**90, 2**96])},
        "future": {"published_at": lab.now + random.choice([1, HOUR, 2**40, 2**250])},
        "past": {"published_at": lab.now - random.choice([HOUR, HOUR + 1, DAY])},
        "distant past": {"published_at": random.randint(0, 1)},
        "wide": {"confidence": truth // 20},
        "wider": {"confidence": truth // 20 + 1},
        "absurdly wide": {"confidence": 2**256 - 1},
        "just inside": {"price": truth * random.choice([951, 1_049]) // 1_000},
    }
    return replace(said, **changed.get(fault, {}))


def honest(lab, random: Random, truth: int):
    off = random.randint(-NOISE, NOISE)
    confidence = random.choice([0, random.randint(0, truth // 100)])
    return lab.script_of(truth + truth * off // WAD, confidence, lab.now - random.randint(0, 60))


def drawn_shares(random: Random) -> list[int]:
    count = random.randint(1, 7)
    if random.random() < 0.5:
        return [10_000 - 10_000 // count * (count - 1)] + [10_000 // count] * (count - 1)
    cuts = [0, *sorted(random.sample(range(1, 10_000), count - 1)), 10_000]
    return [after - before for before, after in pairwise(cuts)]


def up(value: int, price: int) -> int:
    """A width as a whole number of billionths of the price, rounded up twice as it is kept."""
    billionths = -(-value * BILLION // price)
    return -(-price * billionths // BILLION)


def check(case: str, data, good: list, votes: dict, bad: set, quorum: int, shares: list[int]):
    """ORC-1 and the other half of ORC-2, given that nothing reverted. Return what was asserted."""
    if not good or 2 * sum(votes[i] for i in bad) >= sum(votes.values()):
        return 0
    low, high = min(s.price for s in good), max(s.price for s in good)
    has_quorum = sum(share for i, share in enumerate(shares) if i not in bad) >= quorum
    assert data.status != STALE or not has_quorum, f"ORC-2: stale with a quorum: {case}"
    if data.status == STALE:
        return 1
    assert low <= data.price <= high, f"ORC-1: {data.price} not in [{low}, {high}]: {case}"
    distances = [abs(s.price - data.price) for s in good]
    widths = [s.confidence for s in good]
    most = up(max(*distances, *widths), data.price)
    least = up(max(min(distances), min(widths)), data.price)
    assert least <= data.confidence <= most, f"confidence {data.confidence}: {case}"
    return 2


@pytest.mark.parametrize("part", range(PARTS))
def test_record__generated_source_behaviour__within_the_honest_range_or_stale(shared_lab, part):
    """ORC-1 and ORC-2, with repute as it comes to be: sources change sides between the rounds."""
    lab, cases, asserted = shared_lab, 0, 0
    seed = part
    while cases < CASES // PARTS:
        random = Random(seed)
        with lab.chain.undone():
            lab.reset()
            shares = drawn_shares(random)
            quorum = random.choice([5_001, 5_001, 6_000, 6_666, 9_000])
            config = replace(lab.defaults, quorum=quorum, max_move=random.choice([WAD // 20, WAD]))
            lab.configure(shares, config)
            truth, is_bad = 100 * WAD, [random.random() < 0.2 for _ in shares]
            for _ in range(ROUNDS):
                truth = truth * random.randint(990, 1_010) // 1_000
                fault = {i: random.choice(FAULTS) for i, bad in enumerate(is_bad) if bad}
                for i in range(len(shares)):
                    bad = fault.get(i)
                    said = faulty(lab, random, bad, truth) if bad else honest(lab, random, truth)
                    lab.script(i, said)
                states = lab.view("sources", ETH)
                votes = {i: s.share * s.reputation for i, s in enumerate(states)}
                good = [lab.scripts[i] for i in range(len(shares)) if i not in fault]
                case = f"seed {seed}, at {lab.now}, shares {shares}, {fault}: {lab.scripts}"
                aggregate = lab.view("aggregate", ETH)
                recorded = lab.transact("record", ETH)[0]
                assert aggregate == recorded, case
                asserted += check(case, recorded, good, votes, set(fault), quorum, shares) > 1
                cases += 1
                lab.skip(random.choice([0, 1, 12, 60, 240, HOUR]))
                if random.random() < 0.1:
                    is_bad[random.randrange(len(shares))] ^= True
        seed += PARTS
    assert asserted > cases // 2


# ------------------------------------------------------------------ how often is recorded


def drawn_path(random: Random, start: int) -> list[tuple[int, int]]:
    """Times and prices: changes at any second, within a quarter of 100, for up to six hours."""
    path, time = [], start
    for _ in range(random.randint(2, 25)):
        path.append((time, random.randint(85 * WAD, 110 * WAD)))
        time += random.choice([1, random.randint(1, 200), PERIOD, random.randint(200, 3_000)])
    return path


def played(lab, path, times, end: int, windows):
    """Averages at the end, if the path is recorded at these times; volatility one record later.

    Samples are taken by records, averages need none.
    """
    with lab.chain.undone():
        lab.reset()
        wide = WAD // 2
        lab.configure((10_000,), replace(lab.defaults, max_move=WAD, max_deviation=wide))
        for time in sorted(t for t in times if t <= end):
            lab.skip(time - lab.now)
            price = max((t, p) for t, p in path if t <= time)[1]
            data = lab.record(price)
            assert data.status == 3
        lab.skip(end - lab.now)
        averages = [lab.view("twap", ETH, w) for w in windows]
        lab.record(max((t, p) for t, p in path if t <= end)[1])
        return averages, lab.view("volatility", ETH)


def drawn_times(random: Random, path) -> set[int]:
    """Times of additional records, at which the price is what it was, and the end."""
    start, end = path[0][0], path[-1][0] + random.choice([0, 10, PERIOD, 5 * PERIOD, 2 * HOUR])
    extra = {random.randint(start, end) for _ in range(random.choice([1, 5, 40]))}
    if random.random() < 0.3:
        extra |= set(range(start, end, PERIOD))
    return {*extra, end}


def aligned(random: Random, start: int, end: int) -> list[int]:
    """Windows that begin with a sample period, with the series, or after its last change."""
    longest = min(4_500, end - start)
    begins = range(-(-(end - longest) // PERIOD) * PERIOD, end, PERIOD)
    return [end - begin for begin in begins][:6]


def is_same_volatility(a: int, b: int, period: int = DAY) -> bool:
    """Equal but for 1e-9 of it, and for a wei of variance per sample, whose mean age is known."""
    difference = abs(a * a - b * b) // WAD
    return difference <= 2 * max(a, b) ** 2 // WAD // BILLION + 2 * period // PERIOD


@pytest.mark.parametrize("part", range(4))
def test_series__more_records_of_the_same_prices__change_nothing(shared_lab, part):
    lab = shared_lab
    for seed in range(part, 240, 4):
        random = Random(seed)
        path = drawn_path(random, lab.now + 7)
        extra = drawn_times(random, path)
        end = max(extra)
        longest = min(4_500, end - path[0][0])
        windows = [random.randint(1, longest) for _ in range(6)]
        windows += aligned(random, path[0][0], end)
        changes = {time for time, _ in path}
        averages, volatility = played(lab, path, changes, end, windows)
        often, volatility_often = played(lab, path, changes | extra, end, windows)
        assert often == averages, (seed, windows)
        assert is_same_volatility(volatility, volatility_often), (seed, volatility_often)
        assert volatility > 0


@pytest.mark.parametrize("slow", [12, 60, 240])
def test_series__a_slow_recorder__is_off_by_what_it_saw_late(shared_lab, slow):
    """Prices seen up to ``slow`` seconds late: no average off by more than their total movement,
    for as long as that, over the window; as |∫ p(t) − p(t − lag(t)) dt| ≤ slow · Σ |Δp|.
    """
    lab = shared_lab
    for seed in range(60):
        random = Random(seed)
        path = drawn_path(random, lab.now + 7)
        end = path[-1][0] + random.choice([slow, 5 * PERIOD])
        windows = aligned(random, path[0][0], end)
        times = set(range(path[0][0], end + 1, slow))
        exact, _ = played(lab, path, {time for time, _ in path}, end, windows)
        seen, _ = played(lab, path, times, end, windows)
        moved = sum(abs(b - a) for (_, a), (_, b) in pairwise(path))
        for window, a, b in zip(windows, exact, seen, strict=True):
            assert abs(a - b) <= slow * moved // window + 1, (seed, window)
