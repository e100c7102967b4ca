"""Executors agree on what no contract of the suite does as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.fuzz.executors.base import (
    REVERTED,
    Executor,
    ExecutorError,
    Outcome,
    Transaction,
    digest,
)
from bulkhead.fuzz.executors.registry import EXECUTORS, make_executor
from bulkhead.fuzz.target import GENESIS, View
from tests.differential.odd_target import CONTRACTS, OddTarget

every_executor = pytest.mark.parametrize("name", EXECUTORS)


@pytest.fixture(scope="module")
def odd() -> Iterator[tuple[Anvil, OddTarget]]:
    """The odd contracts on a node of their own."""
    with Anvil(base_fee=0, timestamp=GENESIS) as node:
        node.rpc.request("anvil_setBlockTimestampInterval", [1])
        target = OddTarget()
        target.install(node)
        yield node, target


@pytest.fixture(scope="module")
def odd_executors(odd: tuple[Anvil, OddTarget]) -> Iterator[Mapping[str, Executor]]:
    """All executors by name, on that node."""
    made = {name: make_executor(name, *odd) for name in EXECUTORS}
    yield made
    for executor in made.values():
        executor.close()


def outcomes_of(
    executors: Mapping[str, Executor], transactions: Sequence[Transaction]
) -> list[Outcome]:
    """Return what the executor evm says, after comparing it with what the others say."""
    results = {name: executors[name].run(transactions) for name in EXECUTORS}
    for result in results.values():
        assert [replace(o, gas=None) for o in result] == results["evm"]
        assert digest(result) == digest(results["evm"])
    return results["evm"]


def words(data: bytes) -> list[int]:
    """Return data as numbers of 32 bytes."""
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_call__of_odd_contract__is_the_same_on_every_executor(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor], contract: str
) -> None:
    target = odd[1]
    calls = [target.call(contract, GENESIS + 1_000 + i, bytes(i)) for i in range(3)]
    outcomes = outcomes_of(odd_executors, calls)
    fails = contract in ("Long", "Silent", "Invalid", "Endless")
    assert [outcome.accepted for outcome in outcomes] == [not fails] * 3


def test_call__in_its_block__sees_number_time_chain_and_sender(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    node, target = odd
    times = [GENESIS + 1_000, GENESIS + 1_000, GENESIS + 9_999]
    outcomes = outcomes_of(odd_executors, [target.call("Block", time) for time in times])
    number, sender = node.rpc.block_number(), int(target.sender, 16)
    for i, (outcome, time) in enumerate(zip(outcomes, times, strict=True), 1):
        assert words(outcome.data) == [number + i, time, 31_337, sender]
        # Views look from the block of the call.
        assert words(outcome.views[0])[:3] == [number + i, time, 31_337]


def test_transient_storage__in_the_next_call__is_empty_again(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    outcomes = outcomes_of(odd_executors, [odd[1].call("Transient")] * 2)
    assert [words(outcome.data) for outcome in outcomes] == [[0], [0]]
    assert [words(outcome.views[1]) for outcome in outcomes] == [[0], [0]]


def test_storage__in_the_next_call__is_what_was_stored(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    outcomes = outcomes_of(odd_executors, [odd[1].call("Counter")] * 3)
    assert [words(outcome.data) for outcome in outcomes] == [[1], [2], [3]]


def test_created_contracts__of_creators_of_any_age__have_new_addresses(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    calls = [odd[1].call(name) for name in ("Creator", "OldCreator") * 2]
    created = [outcome.data for outcome in outcomes_of(odd_executors, calls)]
    assert len(set(created)) == 4
    assert bytes(32) not in created


def test_revert_data__of_ten_thousand_bytes__is_all_there(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    [outcome] = outcomes_of(odd_executors, [odd[1].call("Long", GENESIS + 1_000)])
    assert outcome.data == (GENESIS + 1_000).to_bytes(32, "big") + bytes(9_968)
    assert outcome.views[4] == REVERTED + outcome.data


def test_balance_and_code__of_contract__are_those_on_the_node(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    node, target = odd
    rich, code = outcomes_of(odd_executors, [target.call("Rich"), target.call("Code")])
    assert words(rich.data) == [5 * 10**18]
    size = len(node.rpc.code(target.contract("Code").address))
    assert words(code.data)[:2] == [size, size]


def test_logs__of_one_call__are_numbered_in_order(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    target = odd[1]
    [first, second] = outcomes_of(odd_executors, [target.call("Logger")] * 2)[1].logs
    assert (first.log_index, second.log_index) == (0, 1)
    assert (len(first.topics), len(second.topics)) == (0, 2)
    assert first.address == target.contract("Logger").address.lower()


@pytest.mark.parametrize("name", ["evm", "ape"])
def test_view__that_writes__leaves_nothing(
    odd: tuple[Anvil, OddTarget], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, target = odd
    monkeypatch.setattr(target, "views", (View("Counter", "look"),) * 2)
    executor = make_executor(name, node, target)
    outcomes = executor.run([target.call("Nothing")] * 2)
    assert {words(outcome.views[0])[0] for outcome in outcomes} == {1}
    executor.close()


@every_executor
def test_run__after_one_that_was_interrupted__begins_from_the_deployed_state(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor], name: str
) -> None:
    executor, count = odd_executors[name], odd[1].call("Counter")
    unsendable = replace(count, to="0x00")
    with pytest.raises((ExecutorError, TypeError, ValueError)):
        executor.run([count, count, unsendable])
    assert words(executor.run([count])[0].data) == [1]


def test_evm__sender_that_is_a_contract__is_refused_in_one_line(
    odd: tuple[Anvil, OddTarget], odd_executors: Mapping[str, Executor]
) -> None:
    target = odd[1]
    call = replace(target.call("Counter"), sender=target.contract("Rich").address)
    with pytest.raises(ExecutorError, match=r"^the in-process EVM .*$"):
        odd_executors["evm"].run([call])
