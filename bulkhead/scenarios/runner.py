"""The loop of a scenario: two blocks per step, everything recorded and judged after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from bulkhead.agents.base import Agent
from bulkhead.agents.view import MarketView, Transaction, account_id
from bulkhead.scenarios import invariants, probes
from bulkhead.scenarios.cast import Cast
from bulkhead.scenarios.funding import Funding
from bulkhead.scenarios.invariants import InvariantLog, TransactionEvents
from bulkhead.scenarios.ledger import LedgerReplay
from bulkhead.scenarios.paths import MarketPath
from bulkhead.scenarios.recorder import Recorder
from bulkhead.scenarios.world import Block, World

Progress = Callable[[int, MarketView], None]
"""Is told the number of the step that is done, and the state after it."""

HALT = 4
_SETUP_CHUNK = 200


class Run:
    """One run of a cast on a path.

    Args:
        world: the chain.
        cast: everybody.
        path: prices outside.
        seed: of the agents' choices; each agent has a generator of her own.
        funding: what sets the cast up; mined first.
    """

    def __init__(
        self, world: World, cast: Cast, path: MarketPath, seed: int, funding: Funding
    ) -> None:
        self.world = world
        self.cast = cast
        self.path = path
        self.log = InvariantLog()
        book = world.book
        scale = 10 ** (18 - book.decimals[book.settlement_token])
        self.replay = LedgerReplay(book.contracts["MarginEngine"], scale)
        self._rngs = {id(a): Random(f"{seed}-{a.address}") for a in (*cast.market, *cast.users)}
        self._halted_at: int | None = None
        self._probe_rng = Random(f"{seed}-probe")
        self._prober = account_id(cast.prober)
        self._tokens = {0: book.tokens[book.settlement_token]} | {
            i: book.tokens[name] for name, i in book.collaterals.items() if i
        }
        self._set_up(funding)
        self._start = world.timestamp
        symbols = sorted((i, name) for name, i in book.collaterals.items() if i)
        self.recorder = Recorder(
            self._start, self.replay, self.log, [(name, book.decimals[name]) for _, name in symbols]
        )

    def play(self, progress: Progress | None = None) -> None:
        """Play all steps. Whatever interrupts it, the recorder holds every whole block."""
        view = self.world.view(0, self.path[0])
        seconds = self.path.step_seconds
        for step in range(len(self.path)):
            time = self._start + (step + 1) * seconds
            view = replace(view, step=step, outside=self.path[step])
            view = self._block(self.cast.market, view, time)
            # Users and keepers answer to what they have just seen, a fifth of a step later.
            view = self._block(self.cast.users, view, time + max(1, seconds // 5))
            if progress is not None:
                progress(step + 1, view)

    # ------------------------------------------------------------------ parts

    def _set_up(self, funding: Funding) -> None:
        self.world.give_ether(funding.addresses, funding.ether_needed())
        for i in range(0, len(funding.transactions), _SETUP_CHUNK):
            part = funding.transactions[i : i + _SETUP_CHUNK]
            block = self.world.mine(part, self.world.timestamp + 1)
            for outcome in block.outcomes:
                if outcome.error is not None:
                    purpose = outcome.transaction.purpose
                    raise RuntimeError(f"{purpose} failed: {outcome.error}")
            self.replay.apply_all(block.events)
        self.replay.close_books()

    def _block(self, agents: Sequence[Agent], view: MarketView, time: int) -> MarketView:
        transactions: list[Transaction] = []
        for agent in agents:
            transactions += agent.act(view, self._rngs[id(agent)])
        block = self.world.mine(transactions, time)
        conversions, write_offs = len(self.replay.conversions), len(self.replay.write_offs)
        self.replay.apply_all(block.events)
        after = self.world.view(view.step, view.outside)
        self._judge(block, after, conversions, write_offs)
        self.recorder.record(block, after)
        return after

    def _judge(self, block: Block, view: MarketView, conversions: int, write_offs: int) -> None:
        """Evaluate every invariant on the block and the state after it."""
        log, number, c = self.log, block.number, view.compartment
        accounts = list(view.accounts.values())
        book = self.world.book
        engine, vault = book.contracts["MarginEngine"], book.contracts["CollateralVault"]
        max_halt = book.parameters.breaker.timing.max_halt
        done = [
            TransactionEvents(o.transaction.sender, o.events)
            for o in block.outcomes
            if o.error is None
        ]
        invariants.check_custody(log, number, c)
        invariants.check_haircut(log, number, c, self.replay.conversions[conversions:])
        invariants.check_unrealized(log, number, c, accounts)
        invariants.check_write_offs(
            log, number, c, self.replay.write_offs[write_offs:], self.replay.pots["insurance"]
        )
        invariants.check_attribution(log, number, done, engine)
        invariants.check_payments(log, number, done, vault, self._tokens, engine)
        invariants.check_replay(log, number, c, accounts, self.replay)
        tiers = self._tiers_of(block, view)
        invariants.check_breaker(
            log, number, block.outcomes, max(tiers), self._halted_seconds(tiers, block), max_halt
        )
        probes.check_liquidatable(log, number, self.world, view, self.cast.keeper)
        probes.check_round_trip(
            log, number, self.world, view, self.cast.prober, self._prober, self._probe_rng
        )

    @staticmethod
    def _tiers_of(block: Block, view: MarketView) -> list[int]:
        """Return all tiers that held at any time during the block, the last one last."""
        changes = [e.args for e in block.events if e.name == "TierChanged"]
        return [*(int(t) for args in changes for t in args[:2]), view.compartment.tier]

    def _halted_seconds(self, tiers: Sequence[int], block: Block) -> int:
        """Return how long the running halt has lasted at the end of a block."""
        if tiers[-1] != HALT:
            self._halted_at = None
            return 0
        if self._halted_at is None:
            self._halted_at = block.timestamp
        return block.timestamp - self._halted_at
