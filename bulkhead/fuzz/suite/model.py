"""The model of the whole devnet: one compartment, what it shares with others, tokens and feeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from bulkhead.model import oracle, peg, peg_math
from bulkhead.model.aggregator import DevAggregatorV3
from bulkhead.model.context import Cell, Context, Contract, Table, external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.hostile_token import HostileToken
from bulkhead.model.liquid_staking import LiquidStakingToken
from bulkhead.model.math import DAY
from bulkhead.model.shared import OracleContract, PegContract
from bulkhead.model.sources import ChainlinkAdapter
from bulkhead.model.types import Address
from bulkhead.model.world import Compartment


@dataclass(slots=True)
class Outside:
    """What lies around the compartment.

    Attributes:
        context: of the world.
        feeds: by their adapters' addresses.
        rounds: feeds by their own addresses.
        seasoning: of the oracle, seconds.
        rates: rate sources by address.
        queues: redemption queues by address.
        contracts: addresses with code.
    """

    context: Context
    feeds: dict[Address, DevAggregatorV3] = field(default_factory=dict)
    rounds: dict[Address, DevAggregatorV3] = field(default_factory=dict)
    rates: dict[Address, Callable[[], int]] = field(default_factory=dict)
    queues: dict[Address, Callable[[int], int]] = field(default_factory=dict)
    contracts: frozenset[Address] = frozenset()
    seasoning: int = DAY

    def is_contract(self, address: Address) -> bool:
        """Return whether there is code at an address."""
        return address in self.contracts

    def prices(self) -> oracle.OracleAggregator:
        """Return an oracle over the feeds, without assets."""
        assets: Table[str, Any] = Table(self.context)
        derived: Table[str, Any] = Table(self.context)
        uptime: Table[str, Any] = Table(self.context)
        return oracle.OracleAggregator(
            self.feeds,
            self.seasoning,
            assets,
            self.is_contract,
            self.rounds,
            _derived=derived,
            _uptime=uptime,
        )

    def pegs(self, prices: oracle.OracleAggregator) -> peg.PegMonitor:
        """Return a peg monitor over the rates, without assets."""
        configs: Table[str, peg_math.PegConfig] = Table(self.context)
        states: Table[str, peg_math.PegState] = Table(self.context)
        return peg.PegMonitor(
            prices, self.rates, configs, states, self.is_contract, queues=self.queues
        )


class ScriptedDepth(Contract):
    """Twin of ``ScriptedDepth``."""

    def __init__(self, context: Context, address: Address) -> None:
        super().__init__(context, address)
        self._answer: Cell[tuple[int, bool]] = Cell(context, (0, False))

    @external
    def set(self, sender: Address, depth: int, fails: bool) -> None:  # noqa: ARG002
        """Set what it answers, WAD, and whether it fails."""
        self._answer.set((depth, fails))

    def depth(self) -> int | None:
        """Return the depth; None: it fails."""
        depth, fails = self._answer.value
        return None if fails else depth


class Model(Compartment[oracle.OracleAggregator, peg.PegMonitor]):
    """Everything that a fuzzed transaction can reach.

    Args:
        outside: what lies around the compartment.
        oracle_address, peg_address: of the contracts.
        arguments: as for ``Compartment``.

    Attributes:
        oracle_aggregator, peg_monitor: to those who send transactions.
        feeds: by name.
        callbacks: what the hostile token's calldata does, by callee and calldata.
    """

    lst: LiquidStakingToken
    odd: HostileToken
    scripted_depth: ScriptedDepth

    def __init__(
        self, outside: Outside, oracle_address: Address, peg_address: Address, **arguments: Any
    ) -> None:
        prices = outside.prices()
        super().__init__(
            prices,
            outside.pegs(prices),
            now=outside.context.now,
            context=outside.context,
            **arguments,
        )
        self.outside = outside
        context, roles = outside.context, self.roles
        self.oracle_aggregator = OracleContract(context, oracle_address, roles, prices)
        self.peg_monitor = PegContract(context, peg_address, roles, self.peg)
        self.feeds: dict[str, DevAggregatorV3] = {}
        self.callbacks: dict[tuple[Address, bytes], Callable[[], object]] = {}
        self._kept = self.now

    def list_feed(
        self, name: str, adapter: Address, feed: Address, source: ChainlinkAdapter
    ) -> None:
        """Put up a feed, which the governor owns, with the adapter that reads it."""
        twin = DevAggregatorV3(self.context, feed, self.governor, source)
        self.feeds[name] = self.outside.feeds[adapter] = self.outside.rounds[feed] = twin

    def list_uptime_feed(self, name: str, feed: Address) -> None:
        """Put up the feed of the sequencer's uptime, which the governor owns."""
        source = ChainlinkAdapter(0, 0, 0, 0, 0)
        twin = DevAggregatorV3(self.context, feed, self.governor, source)
        self.feeds[name] = self.outside.rounds[feed] = twin

    def create_lst(self, token: Address, underlying: Address, capacity: int, delay: int) -> None:
        """Create the staking token, which is its own rate source."""
        self.lst = LiquidStakingToken(
            self.context, token, self.tokens[underlying], self.roles, capacity, delay
        )
        self.tokens[token] = self.lst
        self.outside.rates[token] = self.lst.rate
        self.outside.queues[token] = self.lst.queue_delay

    def create_odd(self, token: Address, decimals: int) -> None:
        """Create the hostile token, which the governor owns."""
        self.odd = HostileToken(self.context, token, decimals, self.governor, self._call_back)
        self.tokens[token] = self.odd

    def create_depth(self, address: Address) -> None:
        """Put up the depth source that says what it is told."""
        self.scripted_depth = ScriptedDepth(self.context, address)
        self.risk_engine.depth_sources[address] = self.scripted_depth.depth

    def keep(self) -> None:
        """Make this the state to which ``rewind`` returns."""
        self.context.keep()
        self._kept = self.now

    def rewind(self) -> None:
        """Return to the state that was kept."""
        self.context.rewind()
        self.events.clear()
        self.now = self._kept

    def _call_back(self, callee: Address, data: bytes) -> tuple[bool, object]:
        """Return success, and what is returned: a word, or an error's selector."""
        call = self.callbacks.get((callee, data))
        if call is None:
            return True, b""  # Nobody is there.
        try:
            return True, call()
        except ModelRevert as error:
            return False, _selector(error)


def _selector(error: ModelRevert) -> bytes:
    """Return an error's encoding; only errors without arguments come out of callbacks."""
    if error.args:
        raise ValueError(f"a callback reverted with arguments: {error}")
    return bytes(keccak(text=f"{error.name}()")[:4])
