"""A target's operations come one call at a time, with the model in step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any

import pytest

from bulkhead.bench.target_workload import TargetWorkload
from bulkhead.bench.workload import Action, Look
from bulkhead.chain.codec import checksum
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc
from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Index, Operation, Step
from bulkhead.fuzz.target import GENESIS, Deployment, Logged, Target, View
from bulkhead.model.errors import ModelRevert

ANN = "0x" + "ab" * 20
ABI = [
    {
        "type": "function",
        "name": "put",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "who", "type": "address"}, {"name": "account", "type": "bytes32"}],
        "outputs": [],
    },
    {"type": "function", "name": "look", "stateMutability": "view", "inputs": [], "outputs": []},
]


class Model:
    """Remembers what was put; refuses 13."""

    def __init__(self) -> None:
        self.put_: list[int] = []

    def put(self, _: str, __: str, account: int) -> None:
        if account == 13:
            raise ModelRevert("Unlucky")
        self.put_.append(account)


def put(account: int) -> Call:
    return Call(ANN, "box", "put", (ANN, account))


class Play(Operation):
    """Plays the steps that the test lines up."""


@dataclass(frozen=True, slots=True)
class Next(Play):
    ignored: Annotated[int, Index(2)]

    def resolve(self, u: Box) -> Step | None:
        return u.steps.pop(0)


class Other(Next):
    """Never drawn where only ``Next`` is."""

    def resolve(self, u: Box) -> Step | None:
        raise AssertionError


class Box(Target):
    name, kinds = "box", (Next, Other)

    def __init__(self) -> None:
        super().__init__()
        contract = Contract(Rpc("http://localhost"), ANN, ABI, "box")
        self.deployment = Deployment({"box": contract}, {})
        self.views = (View("box", "look"),)
        self.steps: list[Step | None] = []
        self.events = ["left by the model"]
        self.reset()

    def deploy(self, node: Any) -> Deployment:
        return self.deployment

    def reset(self) -> None:
        self.model = Model()

    def expected(self) -> list[Any]:
        return [len(self.model.put_)]

    def take_events(self) -> list[Logged]:
        self.events.clear()
        return []


class Workload(TargetWorkload):
    def __init__(self, target: Box) -> None:
        super().__init__(target, ("Next",))
        self.judged: list[tuple[bool, bool, Any]] = []

    def judge(self, action: Action, accepted: bool, expected: bool, seen: Any) -> None:
        self.judged.append((accepted, expected, seen))


class Node:
    """As much of a node as is asked when something is deployed."""

    @property
    def rpc(self) -> Node:
        return self

    def request(self, *_: Any) -> None:
        pass

    def timestamp(self) -> int:
        return GENESIS


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def workload(box: Box) -> Workload:
    workload = Workload(box)
    workload.deploy(Node())  # type: ignore[arg-type]
    return workload


def play(workload: Workload, accepted: bool = True) -> Action:
    action = workload.next_call(Random(0))
    workload.check(action, accepted, None)
    return action


def test_view__is_the_targets_only_one(workload: Workload) -> None:
    assert workload.view == Look("box", "look", ())


def test_call__has_arguments_as_the_abi_wants_them(box: Box, workload: Workload) -> None:
    box.steps = [Step((put(7),))]
    word = (7).to_bytes(32, "big")
    assert play(workload) == Action("box", "put", (checksum(ANN), word), checksum(ANN))


def test_operations__with_nothing_to_do__are_drawn_again(box: Box, workload: Workload) -> None:
    box.steps = [None, Step(()), None, Step((put(1),))]
    play(workload)
    assert box.model.put_ == [1]


def test_calls__of_one_operation__come_after_the_model_played_the_one_before(
    box: Box, workload: Workload
) -> None:
    def calls() -> Iterator[Call]:
        yield put(1)
        yield put(10 * len(box.model.put_))

    box.steps = [Step(calls()), Step((put(3),))]
    for _ in range(3):
        play(workload)
    assert box.model.put_ == [1, 10, 3]


def test_times__that_the_node_keeps_by_itself__are_left_to_it(box: Box, workload: Workload) -> None:
    box.steps = [Step((put(1), put(2)))]
    assert [play(workload).at, play(workload).at] == [None, None]
    assert box.now == GENESIS + 2 * BLOCK_SECONDS


def test_time__that_passes_with_and_without_calls__is_set(box: Box, workload: Workload) -> None:
    box.steps = [Step((), seconds=3_600), Step((put(1),), seconds=60)]
    assert play(workload).at == GENESIS + 3_660
    assert box.now == GENESIS + 3_660


def test_calls__of_one_second__get_blocks_of_their_own(box: Box, workload: Workload) -> None:
    box.steps = [Step((put(1), put(2)), apart=0)]
    play(workload)
    assert play(workload).at == GENESIS + BLOCK_SECONDS + 1


def test_judge__is_told_what_chain_and_model_did(box: Box, workload: Workload) -> None:
    box.steps = [Step((put(1), put(13)))]
    play(workload)
    play(workload)
    assert workload.judged == [(True, True, None), (True, False, None)]
    assert box.events == []


def test_begin__forgets_what_was_left_to_do(box: Box, workload: Workload) -> None:
    box.steps = [Step((put(1), put(2)), seconds=900), Step((put(3),))]
    play(workload)
    workload.begin()
    assert play(workload).at is None
    assert box.model.put_ == [3]
    assert box.now == GENESIS + BLOCK_SECONDS
