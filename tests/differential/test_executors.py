"""All executors bring back the same of the same transactions, whatever they do."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.rpc import Rpc, RpcError
from bulkhead.fuzz import sequence
from bulkhead.fuzz.executors import anvil_sim
from bulkhead.fuzz.executors.anvil_sim import AnvilSimulation
from bulkhead.fuzz.executors.base import (
    Executor,
    ExecutorError,
    Outcome,
    Transaction,
    digest,
    state_digest,
)
from bulkhead.fuzz.executors.registry import EXECUTORS, make_executor
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.sequence import generate
from bulkhead.fuzz.session import Session
from bulkhead.fuzz.target import Target

BATCHES, TRACES_IN_A_BATCH = 13, 40
ETHER_FEEDS = ("ETH-1", "ETH-2")
every_executor = pytest.mark.parametrize("name", EXECUTORS)


def transactions_of(target: Target, seed: int, operations: int) -> list[Transaction]:
    """Return a generated sequence that begins with one of the target's openings."""
    rng = random.Random(seed)
    openings = target.openings()
    tape = [rng.randbytes(target.catalogue.tape_bytes) for _ in range(operations)]
    chosen = [*openings[seed % len(openings)], *target.catalogue.from_tape(tape)]
    return generate(target, chosen).transactions


def seen(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return outcomes without gas, which is not a chain's everywhere."""
    return [replace(outcome, gas=None) for outcome in outcomes]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_traces__five_hundred_generated__the_same_on_every_executor(
    executors: Mapping[str, Executor], session_target: Target, batch: int
) -> None:
    statuses, logs = set(), 0
    for seed in range(batch * TRACES_IN_A_BATCH, (batch + 1) * TRACES_IN_A_BATCH):
        transactions = transactions_of(session_target, seed, operations=1 + seed % 4)
        results = {name: executors[name].run(transactions) for name in EXECUTORS}
        reference = results["anvil-sim"]
        for name in EXECUTORS:
            assert seen(results[name]) == seen(reference), (name, seed)
            assert digest(results[name]) == digest(reference)
            assert state_digest(results[name]) == state_digest(reference)
        statuses |= {outcome.accepted for outcome in reference}
        logs += sum(len(outcome.logs) for outcome in reference)
    assert statuses == {True, False}
    assert logs > 100


def test_traces__in_the_test_above__are_five_hundred_or_more() -> None:
    assert BATCHES * TRACES_IN_A_BATCH >= 500


# ---------------------------------------------------------------------- every executor by itself


@every_executor
def test_run__twice__gives_the_same(
    executors: Mapping[str, Executor], session_target: Target, name: str
) -> None:
    transactions = transactions_of(session_target, 1, operations=10)
    assert executors[name].run(transactions) == executors[name].run(transactions)


@every_executor
def test_run__after_another_one__begins_from_the_deployed_state(
    executors: Mapping[str, Executor], session_target: Target, name: str
) -> None:
    first, second = (transactions_of(session_target, seed, operations=8) for seed in (1, 2))
    alone = executors[name].run(second)
    executors[name].run(first)
    assert executors[name].run(second) == alone


@every_executor
def test_run__any__leaves_the_node_as_it_was(
    executors: Mapping[str, Executor], session: Session, name: str
) -> None:
    session.node.rpc.set_automine(True)
    before = state_of(session.node)
    executors[name].run(transactions_of(session.target, 3, operations=10))
    assert state_of(session.node) == before


@every_executor
def test_run__nothing__brings_nothing(executors: Mapping[str, Executor], name: str) -> None:
    assert executors[name].run([]) == []


def test_gas__of_each_executor__is_a_chains_or_none(
    executors: Mapping[str, Executor], session_target: Target
) -> None:
    transactions = transactions_of(session_target, 1, operations=10)
    gas = {name: [o.gas for o in executors[name].run(transactions)] for name in EXECUTORS}
    assert set(gas["evm"]) == {None}
    assert min(used for used in gas["anvil-sim"] if used is not None) > 21_000
    assert gas["ape"] == gas["anvil-sim"]


def state_of(node: Anvil) -> tuple[Any, ...]:
    """Return all that a run could leave behind."""
    rpc = node.rpc
    return (
        rpc.block(),
        rpc.request("anvil_dumpState"),
        rpc.request("txpool_status"),
        rpc.request("anvil_getAutomine"),
    )


# ---------------------------------------------------------------------- what digests notice

CHANGES: Mapping[str, Callable[[Outcome], Outcome]] = {
    "status": lambda o: replace(o, accepted=not o.accepted),
    "returned data": lambda o: replace(o, data=flipped(o.data)),
    "no logs": lambda o: replace(o, logs=()),
    "a log twice": lambda o: replace(o, logs=(*o.logs, o.logs[-1])),
    "log data": lambda o: with_log(o, data=flipped(o.logs[0].data)),
    "log address": lambda o: with_log(o, address="0x" + flipped(b"\0" * 20).hex()),
    "topic": lambda o: with_log(o, topics=(flipped(o.logs[0].topics[0]), *o.logs[0].topics[1:])),
    "no topics": lambda o: with_log(o, topics=()),
    "view": lambda o: replace(o, views=(flipped(o.views[0]), *o.views[1:])),
    "no views": lambda o: replace(o, views=()),
}


def flipped(data: bytes) -> bytes:
    """Return data of which the last bit is another."""
    return data[:-1] + bytes([data[-1] ^ 1])


def with_log(outcome: Outcome, **changes: Any) -> Outcome:
    """Return an outcome of which the first log is another."""
    return replace(outcome, logs=(outcome.logs[0]._replace(**changes), *outcome.logs[1:]))


@pytest.mark.parametrize("change", CHANGES)
def test_digest__of_anything_else_than_gas__notices_one_bit(
    executors: Mapping[str, Executor], session_target: Target, change: str
) -> None:
    outcomes = executors["evm"].run(transactions_of(session_target, 1, operations=6))
    at = next(i for i, outcome in enumerate(outcomes) if outcome.logs and outcome.data)
    changed = [*outcomes[:at], CHANGES[change](outcomes[at]), *outcomes[at + 1 :]]
    assert digest(changed) != digest(outcomes)
    assert state_digest(changed) == state_digest(outcomes)


def test_digest__of_gas__notices_nothing(
    executors: Mapping[str, Executor], session_target: Target
) -> None:
    outcomes = executors["anvil-sim"].run(transactions_of(session_target, 1, operations=6))
    assert digest(seen(outcomes)) == digest(outcomes)


def test_state_digest__of_the_last_views__notices_one_bit(
    executors: Mapping[str, Executor], session_target: Target
) -> None:
    outcomes = executors["evm"].run(transactions_of(session_target, 1, operations=6))
    changed = [*outcomes[:-1], CHANGES["view"](outcomes[-1])]
    assert state_digest(changed) != state_digest(outcomes)


# ---------------------------------------------------------------------- long sequences


class CountingRpc(Rpc):
    """Counts the blocks of every simulation, and in how many of all there is a look."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.blocks: list[int] = []
        self.looks = 0

    def request(self, method: str, params: Sequence[Any] | None = None) -> Any:
        """Pass it on."""
        if method == "eth_simulateV1":
            assert params is not None
            blocks = params[0]["blockStateCalls"]
            self.blocks.append(len(blocks))
            self.looks += sum(len(block["calls"]) > 1 for block in blocks)
        return super().request(method, params)


@pytest.fixture
def counted(session: Session) -> Iterator[tuple[AnvilSimulation, CountingRpc]]:
    """An executor anvil-sim, and the connection that it uses."""
    rpc = CountingRpc(session.node.url)
    node: Any = SimpleNamespace(rpc=rpc)
    executor = AnvilSimulation(node, session.target)
    rpc.blocks.clear()
    rpc.looks = 0
    yield executor, rpc
    rpc.close()


@pytest.fixture
def long(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[Transaction]:
    """A sequence of more transactions than a request has blocks."""
    monkeypatch.setattr(sequence, "MAX_CALLS", 320)
    transactions = transactions_of(session.target, 5, operations=400)
    assert len(transactions) > anvil_sim.MAX_BLOCKS + 40
    return transactions


def test_anvil_sim__more_blocks_than_a_request_has__agrees_with_evm(
    executors: Mapping[str, Executor],
    counted: tuple[AnvilSimulation, CountingRpc],
    long: list[Transaction],
) -> None:
    executor, rpc = counted
    outcomes = executor.run(long)
    assert len(outcomes) == len(long)
    assert seen(outcomes) == executors["evm"].run(long)
    assert len(rpc.blocks) > 2
    assert all(blocks <= anvil_sim.MAX_BLOCKS for blocks in rpc.blocks[:-1])


@pytest.mark.parametrize(("limit", "most"), [("MAX_GAS", 5_000_000), ("MAX_BLOCKS", 7)])
def test_anvil_sim__in_many_requests__says_what_it_says_in_one(
    counted: tuple[AnvilSimulation, CountingRpc],
    session_target: Target,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    most: int,
) -> None:
    executor, rpc = counted
    transactions = transactions_of(session_target, 6, operations=9)
    whole = executor.run(transactions)
    assert rpc.blocks == [len(transactions)]
    monkeypatch.setattr(anvil_sim, limit, most)
    assert executor.run(transactions) == whole
    assert len(rpc.blocks) > 2
    assert rpc.looks == 2 * len(transactions)


# ---------------------------------------------------------------------- traces of ape


def test_trace__of_accepted_transaction__names_functions_arguments_and_results(
    executors: Mapping[str, Executor], session: Session
) -> None:
    transactions = transactions_of(session.target, 1, operations=0)
    before = state_of(session.node)
    outcomes = executors["evm"].run(transactions)
    at = next(i for i, o in enumerate(outcomes) if o.accepted and len(o.logs) > 2)
    text = trace_of(executors, transactions, at)
    assert "LiquidationEngine.liquidate(" in text
    assert "MarginEngine.valuation(account=" in text
    assert "unrealizedPnl=" in text
    assert state_of(session.node) == before


def test_trace__of_refused_transaction__names_the_error(
    executors: Mapping[str, Executor], session_target: Target
) -> None:
    transactions = transactions_of(session_target, 1, operations=40)
    outcomes = executors["evm"].run(transactions)
    at = next(i for i, o in enumerate(outcomes) if not o.accepted and len(o.data) > 4)
    error = trace_of(executors, transactions, at).partition("reverted with message")[2]
    assert "_" in error.split("(")[0]


def test_trace__of_several__does_not_mix_them_up(
    executors: Mapping[str, Executor], session_target: Target
) -> None:
    transactions = transactions_of(session_target, 1, operations=6)
    assert trace_of(executors, transactions, 0) != trace_of(executors, transactions, 1)
    assert trace_of(executors, transactions, 1) == trace_of(executors, transactions, 1)


def test_trace__of_the_same_transaction_elsewhere__shows_the_events_of_there(
    executors: Mapping[str, Executor], session_target: Target
) -> None:
    governor = session_target.deployment.accounts["deployer"]
    for dollars in (2_345, 2_346):
        calls = [Call(governor, feed, "setAnswer", (dollars * 10**8,)) for feed in ETHER_FEEDS]
        calls.append(Call(governor, "OracleAggregator", "record", ("ETH",)))
        text = trace_of(executors, [sent(session_target, call) for call in calls], 2)
        events, _, tree = text.partition("OracleAggregator.record(")
        assert "log PriceRecorded" in events
        assert f"{dollars * 10**18}" in events
        assert f"price={dollars * 10**18}" in tree


def sent(target: Target, call: Call) -> Transaction:
    """Return a call as a transaction of the second after the deployment."""
    return Transaction(call.sender, *target.encode_call(call), target.now + 1)


@pytest.mark.parametrize("at", [-1, 2])
def test_trace__of_none_of_them__is_refused(
    executors: Mapping[str, Executor], session_target: Target, at: int
) -> None:
    transactions = transactions_of(session_target, 1, operations=3)[:2]
    with pytest.raises(ExecutorError, match=f"no transaction {at} among 2"):
        trace_of(executors, transactions, at)


def trace_of(
    executors: Mapping[str, Executor], transactions: Sequence[Transaction], at: int
) -> str:
    """Return what ape shows of one transaction."""
    ape: Any = executors["ape"]
    text: str = ape.trace(transactions, at)
    return text


# ---------------------------------------------------------------------- what is missing


def test_make_executor__unknown_name__lists_the_known(session: Session) -> None:
    with pytest.raises(ExecutorError, match="no executor 'geth': choose from anvil-sim, evm, ape"):
        make_executor("geth", session.node, session.target)


@every_executor
def test_make_executor__known_name__has_that_name(
    executors: Mapping[str, Executor], name: str
) -> None:
    assert executors[name].name == name


def test_evm__without_pyrevm__says_what_remains_in_one_line(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyrevm", None)
    with pytest.raises(ExecutorError, match=r"needs pyrevm.*use anvil-sim or ape$"):
        make_executor("evm", session.node, session.target)


def test_anvil_sim__node_without_simulation__says_so_in_one_line(session: Session) -> None:
    class OldRpc(Rpc):
        def request(self, method: str, params: Sequence[Any] | None = None) -> Any:
            if method == "eth_simulateV1":
                raise RpcError(-32601, "Method not found", b"", method)
            return super().request(method, params)

    rpc = OldRpc(session.node.url)
    node: Any = SimpleNamespace(rpc=rpc)
    with pytest.raises(ExecutorError, match=r"^this node does not know eth_simulateV1: use .*$"):
        AnvilSimulation(node, session.target)
    rpc.close()


def test_ape__node_with_a_base_fee__is_refused(session: Session) -> None:
    with (
        Anvil(base_fee=7) as node,
        pytest.raises(ExecutorError, match="start the node with base_fee=0"),
    ):
        make_executor("ape", node, session.target)


def test_ape__transaction_that_cannot_be_mined__leaves_the_node_as_it_was(
    executors: Mapping[str, Executor], session: Session
) -> None:
    [first, *_] = transactions_of(session.target, 1, operations=3)
    before = state_of(session.node)
    with pytest.raises(ExecutorError, match="the node refused evm_mine"):
        executors["ape"].run([first, replace(first, timestamp=first.timestamp - 1)])
    assert state_of(session.node) == before
