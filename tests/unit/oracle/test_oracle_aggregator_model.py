"""The contract against its integer twin: generated calls, answers and times, compared in full."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random

import pytest

from bulkhead.model.oracle import AssetConfig, Derivation, Operation, SourceConfig

WAD = 10**18
HOUR = 3_600
DAY = 86_400
SEQUENCES = 2_400
STEPS = 14
SOURCED = ("A", "B")
DERIVED = ("A*B", "1/A*B", "A/B")
ASSETS = (*SOURCED, *DERIVED)
NORMAL = 0
ZERO_ADDRESS = "0x" + "0" * 40


def asset(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


def drawn_config(random: Random) -> AssetConfig:
    """Mostly valid rules; now and then one parameter at a bound or beyond it."""
    staleness = random.choice([60, 600, HOUR, DAY, 7 * DAY])
    deviation = random.choice([1, WAD // 200, WAD // 20, WAD])
    config = AssetConfig(
        max_staleness=staleness,
        max_cache_age=random.choice([0, 1, 30, staleness]),
        quorum=random.choice([5_001, 6_666, 7_500, 10_000]),
        confirmation_delay=random.choice([1, 30, 60, HOUR]),
        max_deviation=deviation,
        max_confidence=random.choice([deviation, max(1, deviation // 10), 1]),
        max_move=random.choice([deviation, max(deviation, WAD // 10), WAD]),
        volatility_period=random.choice([HOUR, DAY, 30 * DAY]),
        initial_volatility=random.choice([0, WAD // 20, 10 * WAD]),
    )
    if random.random() < 0.08:
        name = random.choice(list(AssetConfig.__dataclass_fields__))
        values = [0, 1, 5_000, 10_001, 3_601, 7 * DAY + 1, WAD + 1, 10 * WAD + 1]
        fits = 2**16 if name in ("quorum", "confirmation_delay") else 2**32
        fits = 2**64 if name.startswith(("max_d", "max_conf", "max_m", "initial")) else fits
        config = replace(config, **{name: random.choice([v for v in values if v < fits])})
    return config


def drawn_sources(random: Random, lab) -> list[tuple[str, int]]:
    """Mostly valid lists; now and then one that is refused."""
    count = random.choice([1, 2, 3, 3, 4, 5, 7])
    chosen = random.sample(
        lab.adapters[:4] if random.random() < 0.5 else lab.adapters, min(count, 4)
    )
    cuts = sorted(random.sample(range(1, 10_000), len(chosen) - 1))
    edges = [0, *cuts, 10_000]
    listed = [(a, edges[i + 1] - edges[i]) for i, a in enumerate(chosen)]
    trouble = random.random()
    if trouble < 0.02:
        listed[0] = (listed[0][0], 0)
    elif trouble < 0.04:
        listed[-1] = (listed[-1][0], listed[-1][1] + 1)
    elif trouble < 0.05:
        listed.append(listed[0])
    elif trouble < 0.06:
        listed.append(("0x" + "ab" * 20, 1))
    elif trouble < 0.07:
        listed = []
    return listed


def drawn_price(random: Random, level: int) -> int:
    kind = random.random()
    if kind < 0.7:
        return level * random.randint(995, 1_005) // 1_000
    if kind < 0.85:
        return level * random.choice([50, 85, 94, 106, 115, 150, 300]) // 100
    if kind < 0.95:
        return level
    return random.choice([0, 1, 2, 7, 2**96 - 1, 2**96, 2**127, 2**255, 2**256 - 1])


class Walk:
    """One generated sequence; every step is done to both, and what they say is compared."""

    def __init__(self, lab, seed: int) -> None:
        self.lab = lab
        self.random = Random(seed)
        self.level = self.random.choice([WAD, 100 * WAD, 3_000 * WAD, 50])
        self.said: list[str] = []

    def compare(self, what: str, actual: object, expected: object) -> None:
        assert actual == expected, f"{what}\nafter {'; '.join(self.said)}"

    def transact(self, function: str, args: tuple, call, sender: str = "governor") -> None:
        self.said.append(f"+{self.lab.now} {sender}.{function}{args}")
        self.compare(
            function, self.lab.outcome(function, *args, sender=sender), self.lab.expected(call)
        )

    def view(self, function: str, args: tuple, call) -> None:
        actual, _ = self.lab.outcome(function, *args)
        self.compare(f"{function}{args}", actual, self.lab.expected(call)[0])

    def begin(self) -> None:
        for name in SOURCED:
            self.configure(name)
        for index in range(len(self.lab.adapters)):
            if self.random.random() < 0.9:
                self.lab.answer(index, drawn_price(self.random, self.level))
        for name, derivation in (
            ("A*B", Derivation("A", "B", Operation.PRODUCT)),
            ("1/A*B", Derivation("A*B")),
            ("A/B", Derivation("A", "B", Operation.QUOTIENT)),
        ):
            self.derive(name, derivation)

    def derive(self, name: str, derivation: Derivation) -> None:
        twin, who = self.lab.contract_twin, self.lab.oracle
        sender = self.lab.who["governor"]
        args = (asset(derivation.left), asset(derivation.right), int(derivation.operation))
        self.transact("derive", (asset(name), args), lambda: twin.derive(sender, name, derivation))
        assert who.address

    def configure(self, name: str, sender: str = "governor") -> None:
        config, listed = drawn_config(self.random), drawn_sources(self.random, self.lab)
        twin, who = self.lab.contract_twin, self.lab.who[sender]
        self.transact(
            "configure",
            (asset(name), astuple(config), listed),
            lambda: twin.configure(who, name, config, listed),
            sender,
        )

    def step(self) -> None:
        random, lab = self.random, self.lab
        kind = random.random()
        name = random.choice(SOURCED)
        if kind < 0.36:
            self.feeds()
        elif kind < 0.50:
            self.record(random.choice(ASSETS), "fetch")
        elif kind < 0.84:
            self.record("A" if random.random() < 0.6 else random.choice(ASSETS), "record")
        elif kind < 0.90:
            self.configure(name, random.choice(["governor"] * 9 + ["guardian", "stranger"]))
        elif kind < 0.93:
            sender = random.choice(["governor", "guardian", "guardian", "stranger"])
            adapter, who = random.choice(lab.adapters[:5]), lab.who[sender]
            target = random.choice([*SOURCED, "A*B", "C"])
            self.transact(
                "suspend",
                (asset(target), adapter),
                lambda: lab.contract_twin.suspend(who, target, adapter),
                sender,
            )
        else:
            self.uptime()
        lab.skip(
            random.choice(
                [
                    0,
                    0,
                    1,
                    1,
                    7,
                    29,
                    30,
                    31,
                    59,
                    60,
                    61,
                    150,
                    299,
                    300,
                    301,
                    650,
                    1_000,
                    3_600,
                    5_000,
                    random.randint(1, 600),
                    43_200,
                    90_000,
                ]
            )
        )

    def record(self, name: str, function: str) -> None:
        call = getattr(self.lab.contract_twin, function)
        self.transact(function, (asset(name),), lambda: call(ZERO_ADDRESS, name))

    def feeds(self) -> None:
        random, lab = self.random, self.lab
        if random.random() < 0.15:
            self.level = max(1, self.level * random.choice([90, 99, 101, 110, 130]) // 100)
        for index in range(5):
            if random.random() < 0.25:
                continue
            script = lab.script_of(
                price=drawn_price(random, self.level),
                confidence=random.choice(
                    [0, 0, 0, self.level // 1_000, self.level // 50, self.level // 10, 2**256 - 1]
                ),
                published_at=lab.now
                - random.choice([0, 0, 0, 1, 30, 59, 60, 61, 3_600, 3_601, -1, -9]),
                mode=random.choice([NORMAL] * 19 + [random.randint(1, 6)]),
            )
            lab.script(index, script)
            self.said.append(f"+{lab.now} {index}: {script}")

    def uptime(self) -> None:
        random, lab = self.random, self.lab
        if random.random() < 0.5:
            feed = random.choice(
                [lab.feed, lab.feed, lab.silent, lab.short, ZERO_ADDRESS, "0x" + "ab" * 20]
            )
            grace = random.choice([0, 0, 60, HOUR, DAY, DAY + 1])
            sender = random.choice(["governor"] * 5 + ["guardian"])
            who = lab.who[sender]
            self.transact(
                "setUptimeFeed",
                (feed, grace),
                lambda: lab.contract_twin.set_uptime_feed(who, feed, grace),
                sender,
            )
            return
        lab.sequencer(
            random.choice([0, 0, 0, 1, -1]),
            random.choice([0, lab.now, lab.now - 60, lab.now - HOUR, lab.now + 5, 2**255]),
            random.random() < 0.1,
        )
        self.said.append(f"+{lab.now} sequencer {lab.feed_script}")

    def look(self, thoroughly: bool) -> None:
        """Compare the views."""
        lab, twin, now, random = self.lab, self.lab.twin, self.lab.now, self.random
        name = random.choice(ASSETS)
        key = asset(name)
        window = random.choice([1, 60, 299, 300, 301, 900, 4_499, 4_500, random.randint(0, 4_600)])
        self.view("latest", (key,), lambda: twin.latest(name, now))
        self.view("aggregate", (key,), lambda: twin.aggregate(name, now))
        self.view("twap", (key, window), lambda: twin.twap(name, window, now))
        self.view("volatility", (key,), lambda: twin.volatility(name))
        self.view("confirmation", (key,), lambda: twin.confirmation(name, now))
        if thoroughly:
            self.view("sources", (key,), lambda: twin.sources(name, now))
            self.view("assetConfig", (key,), lambda: twin.asset_config(name))
            self.view("derivation", (key,), lambda: twin.derivation(name))
            feed, grace = twin.uptime_feed()
            actual, _ = lab.outcome("uptimeFeed")
            self.compare("uptimeFeed", actual, (feed or ZERO_ADDRESS, grace))


@pytest.mark.parametrize("part", range(8))
def test_any_sequence__every_answer_event_and_view__equals_the_model(shared_lab, part):
    lab = shared_lab
    for seed in range(part, SEQUENCES, 8):
        with lab.chain.undone():
            lab.reset()
            walk = Walk(lab, seed)
            walk.said.append(f"seed {seed}")
            walk.begin()
            for step in range(STEPS):
                walk.step()
                walk.look(step % 4 == 3)
