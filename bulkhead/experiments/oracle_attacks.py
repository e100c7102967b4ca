"""What it costs to move a price: the TWAP of a pool, and the aggregate of several sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from bulkhead import ROOT
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.deployment.sender import RpcSender
from bulkhead.experiments import oracle_attacks_report as report
from bulkhead.experiments.concentrated import Cliff, attack_cliff
from bulkhead.experiments.devnet_bounds import devnet_bounds
from bulkhead.experiments.pool import BLOCK_SECONDS, FEE, AttackedPool, open_venue
from bulkhead.experiments.registry import Experiment, Outcome, Tell
from bulkhead.experiments.twap_attacks import HOLD, ONE_BLOCK, Measured, attack
from bulkhead.experiments.weights import Found, cases, explore

GENESIS = 1_800_000_000
MILLION = 10**6


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        values: quote units on each side of the pools.
        windows: seconds of the TWAPs, whole blocks.
        moves: fractions.
        sources: numbers of sources.
        quorums: basis points.
        cliff: value, window and move of the attacks past the end of the liquidity.
    """

    values: tuple[int, ...]
    windows: tuple[int, ...]
    moves: tuple[Decimal, ...]
    sources: tuple[int, ...]
    quorums: tuple[int, ...]
    cliff: tuple[int, int, Decimal]

    @property
    def steps(self) -> int:
        """Steps of progress."""
        attacks = len(self.values) * len(self.moves) * (2 * len(self.windows) + 1)
        return attacks + len(cases(self.sources, self.quorums)) + 2


FULL = Sizes(
    values=(MILLION // 10, MILLION, 10 * MILLION, 100 * MILLION),
    windows=(60, 600, 1_800, 3_600),
    moves=(Decimal("0.01"), Decimal("0.05"), Decimal("0.1")),
    sources=(3, 5, 7),
    quorums=(5_001, 6_667),
    cliff=(10 * MILLION, 1_800, Decimal("0.1")),
)
QUICK = Sizes(
    values=(MILLION, 10 * MILLION),
    windows=(60, 600),
    moves=FULL.moves,
    sources=(3,),
    quorums=FULL.quorums,
    cliff=FULL.cliff,
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured.

    Attributes:
        sizes: how much.
        attacks: on the TWAP of full-range pools.
        liquidity: of each pool in its own units, by value.
        cliffs: on a pool whose liquidity ends: without and with liquidity of the attacker's.
        weights: on the aggregate.
    """

    sizes: Sizes
    attacks: Sequence[Measured]
    liquidity: dict[int, int]
    cliffs: Sequence[Cliff]
    weights: Sequence[Found]


def measure(sizes: Sizes, artifacts: Artifacts, tell: Tell) -> Findings:
    """Execute all attacks on local chains.

    Args:
        sizes: how much.
        artifacts: what to deploy.
        tell: is told what was done, once per step.

    Raises:
        AnvilError: no node.
        DeploymentError, ContractReverted, SwapError: the contracts refuse what should work.
    """
    attacks: list[Measured] = []
    liquidity: dict[int, int] = {}
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        anvil.rpc.request("anvil_setBlockTimestampInterval", [BLOCK_SECONDS])
        venue = open_venue(anvil.rpc, [a.address for a in anvil.accounts], artifacts)
        for value in sizes.values:
            anvil.rpc.set_automine(True)
            pool = AttackedPool(venue, value, sizes.windows)
            liquidity[value] = pool.liquidity
            label = f"pool with {report.short(value)} on each side"
            attacks += attack(pool, value, sizes.windows, sizes.moves, partial(tell, label))
        cliffs = []
        for adds_liquidity in (False, True):
            cliffs.append(attack_cliff(venue, *sizes.cliff, adds_liquidity=adds_liquidity))
            tell("past the end of the liquidity")
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        anvil.rpc.request("anvil_setBlockTimestampInterval", [1])
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        chosen = cases(sizes.sources, sizes.quorums)
        weights = explore(sender, artifacts, chosen, sizes.moves, partial(tell, "weights"))
    return Findings(sizes, attacks, liquidity, cliffs, weights)


def outcome(findings: Findings) -> Outcome:
    """Return what was found as tables, figures and data."""
    f = findings
    return Outcome(
        headline=report.headline(f.attacks, f.cliffs, f.weights),
        sections={
            "weights": report.weights_table(f.weights, f.sizes.moves),
            "actions": report.actions_table(),
            **{
                model.replace(" ", "-"): report.attacks_table(f.attacks, model, f.sizes.values)
                for model in (ONE_BLOCK, HOLD)
            },
            "unopposed": report.unopposed_table(f.attacks, f.sizes.values),
            "agreement": report.agreement(f.attacks),
            "liquidity": report.liquidity_table(f.liquidity),
            "devnet": report.devnet_table(devnet_bounds(f.sizes.moves), f.sizes.moves),
            "cliff": report.cliff_table(f.cliffs, f.attacks),
            "harmonic": report.harmonic_finding(f.cliffs),
            "silence": report.silence_finding(f.weights),
        },
        data=_data(f),
        panels=report.panels(f.attacks, max(f.sizes.moves)),
    )


def _data(f: Findings) -> dict[str, Any]:
    """Return everything as JSON: amounts as decimal strings in quote units."""

    def cost(c: Any) -> Any:
        return None if c is None else {"capital": f"{c.capital:.2f}", "loss": f"{c.loss:.2f}"}

    return {
        "experiment": ORACLE_ATTACKS.name,
        "fee_millionths": FEE,
        "block_seconds": BLOCK_SECONDS,
        "twap": [
            {
                "model": a.model,
                "value": a.value,
                "window": a.window,
                "move": str(a.move),
                "reached": None if a.reached is None else f"{a.reached:.6f}",
                "measured": cost(a.cost),
                "predicted": cost(a.predicted),
            }
            for a in f.attacks
        ],
        "liquidity": {str(value): str(units) for value, units in f.liquidity.items()},
        "cliff": [
            {
                "value": c.value,
                "window": c.window,
                "move": str(c.move),
                "own_value": f"{c.own_value:.2f}",
                "reached": None if c.reached is None else f"{c.reached:.6f}",
                "refusal": c.refusal,
                "measured": cost(c.cost),
            }
            for c in f.cliffs
        ],
        "weights": [
            {
                **w.case._asdict(),
                "up": [[r.status.name, f"{r.move:.6f}"] for r in w.up],
                "down": [[r.status.name, f"{r.move:.6f}"] for r in w.down],
                "is_bounded": w.is_bounded,
                "targets": {str(t): s and s.name for t, s in w.targets.items()},
                "held": w.held.name,
                "worst": w.worst.name,
            }
            for w in f.weights
        ],
    }


def _run(quick: bool, tell: Tell) -> Outcome:
    return outcome(measure(QUICK if quick else FULL, load_artifacts(check=False), tell))


ORACLE_ATTACKS = Experiment(
    name="oracle-attacks",
    summary="What it costs to move a pool's TWAP, and an aggregate of sources, by 1, 5 and 10 %.",
    document=ROOT / "docs" / "spec" / "oracle-attacks.md",
    image=ROOT / "docs" / "images" / "oracle-attacks.png",
    steps=lambda quick: (QUICK if quick else FULL).steps,
    run=_run,
)
