"""A liquid staking token loses its peg while ETH falls, and leveraged positions unwind.

Stakers sell into the token's real Uniswap pool rather than wait for redemption; the oracle follows,
margin shrinks, keepers close positions and auction collateral into the same pools; arbitrageurs buy
the discount and redeem; the market recovers. What must hold at every block is in ``invariants``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bulkhead.agents.view import OutsidePrices
from bulkhead.chain.artifacts import Artifacts
from bulkhead.deployment.devnet import DevnetOptions
from bulkhead.report.record import RunRecord
from bulkhead.scenarios.cast import Sizes, assemble
from bulkhead.scenarios.funding import Funding
from bulkhead.scenarios.invariants import DESCRIPTIONS
from bulkhead.scenarios.node import deploy_world, scenario_node
from bulkhead.scenarios.paths import MarketPath, depeg_path, replayed_path
from bulkhead.scenarios.prices import PriceHistory
from bulkhead.scenarios.runner import Progress, Run
from bulkhead.scenarios.world import World

NAME = "depeg-cascade"
TITLE = "Depeg cascade: a staking token loses its peg"
START = OutsidePrices(eth=3_000.0, btc=60_000.0, ratio=1.0)
"""Prices of the devnet's pools and feeds."""
STEP_SECONDS = 300
WARMUP_STEPS = 12
MUST_HOLD = tuple(DESCRIPTIONS)
"""Ids of the invariants that no block may break: all that can be seen from outside."""
MIN_STEPS = 2 * WARMUP_STEPS


@dataclass(frozen=True, slots=True)
class DepegOptions:
    """How to play it.

    Attributes:
        seed: of every draw.
        steps: two blocks each; at least ``MIN_STEPS``.
        traders: how many leveraged traders.
        severity: 0 … 1, how deep the peg breaks and ETH falls.
        history: outside prices to replay; None generates them.
        sizes: how much money takes part.
        lst_pool_ether, weth_pool_ether: depth per side of the spot pools, whole ether.
    """

    seed: int = 7
    steps: int = 170
    traders: int = 48
    severity: float = 0.6
    history: PriceHistory | None = None
    sizes: Sizes = field(default_factory=Sizes)
    lst_pool_ether: int = 4_000
    weth_pool_ether: int = 5_000


def market_path(options: DepegOptions) -> MarketPath:
    """Return the prices outside for every step.

    Raises:
        ValueError: steps or severity out of range.
    """
    if options.steps < MIN_STEPS:
        raise ValueError(f"a depeg needs at least {MIN_STEPS} steps, not {options.steps}")
    path = depeg_path(
        options.seed, options.steps, options.severity, START, STEP_SECONDS, WARMUP_STEPS
    )
    return path if options.history is None else replayed_path(options.history, path, START)


@dataclass(slots=True)
class DepegCascade:
    """The scenario, ready to be played once.

    Attributes:
        options: how.
        rpc_url: a running Anvil node; None starts one.
        artifacts: contracts to deploy; None: the last build.
    """

    options: DepegOptions
    rpc_url: str | None = None
    artifacts: Artifacts | None = None
    _run: Run | None = field(default=None, init=False)
    _path: MarketPath | None = field(default=None, init=False)
    _began: float = field(default=0.0, init=False)

    def play(self, progress: Progress | None = None) -> RunRecord:
        """Play it from the first block to the last and return what was recorded.

        ``MUST_HOLD`` is judged after every block; what broke is in the record.

        Interrupted by any exception, what was recorded so far is still there: ``record``.
        """
        o = self.options
        self._began = time.monotonic()
        self._path = path = market_path(o)
        with scenario_node(self.rpc_url) as rpc:
            world = deploy_world(rpc, self._devnet(), self.artifacts)
            funding = Funding(world)
            cast = assemble(world, funding, o.seed, o.traders, WARMUP_STEPS, START, o.sizes)
            self._run = Run(world, cast, path, o.seed, funding)
            self._run.play(progress)
        return self.record("complete")

    @property
    def world(self) -> World:
        """The chain it plays on, while it plays.

        Raises:
            RuntimeError: it has not begun.
        """
        if self._run is None:
            raise RuntimeError("the scenario has not begun")
        return self._run.world

    def record(self, status: str) -> RunRecord:
        """Return the run as recorded so far.

        Args:
            status: ``complete`` or ``interrupted``.

        Raises:
            RuntimeError: not a single block was recorded.
        """
        if self._run is None or self._path is None or not self._run.recorder.series["block"]:
            raise RuntimeError("nothing was recorded")
        o = self.options
        facts = {
            "status": status,
            "seed": o.seed,
            "steps": o.steps,
            "traders": o.traders,
            "severity": o.severity,
            "duration_seconds": round(time.monotonic() - self._began, 2),
        }
        return self._run.recorder.finish(NAME, TITLE, facts, self._notes())

    def _devnet(self) -> DevnetOptions:
        return DevnetOptions(
            spot_markets=True,
            seed_accounts=False,
            lst_pool_ether=self.options.lst_pool_ether,
            weth_pool_ether=self.options.weth_pool_ether,
        )

    def _notes(self) -> dict[str, str]:
        assert self._path is not None
        o, s = self.options, self.options.sizes
        notes = {f"prices of {name}": source for name, source in self._path.sources.items()}
        notes |= {
            "seed, severity": f"{o.seed}, {o.severity:g}",
            "time": f"{len(self._path)} steps of {self._path.step_seconds} s, two blocks each",
            "spot pools": (
                f"Uniswap v3: LST/WETH {o.lst_pool_ether:,} ether per side, WETH/USDB "
                f"{o.weth_pool_ether:,} ether per side, each in several ranges"
            ),
            "capital": (
                f"traders' margin {s.margin:,} USDB, pool {s.pool:,}, insurance {s.insurance:,}; "
                f"{s.staked_ether:,} LST with stakers, {s.redeemer_ether:,} WETH with redeemers"
            ),
        }
        if o.history is not None:
            gaps = o.history.gaps
            longest = max((g.seconds for g in gaps), default=0.0)
            notes["price file"] = (
                f"{o.history.rows} observations over {o.history.span_seconds / 3600:.1f} h; "
                + (f"{len(gaps)} gaps, the longest {longest / 3600:.1f} h" if gaps else "no gaps")
            )
        return notes


def describe_sources(path: MarketPath) -> list[str]:
    """Return a line per price saying where it comes from."""
    return [f"{name}: {source}" for name, source in path.sources.items()]
