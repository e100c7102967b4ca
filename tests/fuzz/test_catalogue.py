"""The suite's operations: they reach every function, and can be written down and read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.artifacts import load_artifacts
from bulkhead.chain.contract import decode_error
from bulkhead.fuzz.catalogue import Catalogue, UnknownOperationError
from bulkhead.fuzz.operation import decode, encoded_size
from bulkhead.fuzz.sequence import generate
from bulkhead.fuzz.suite.catalogue import OPERATIONS
from bulkhead.fuzz.suite.feed_operations import RepairFeeds
from bulkhead.fuzz.suite.keeper_operations import Liquidate, TakeAuction
from bulkhead.fuzz.suite.market_operations import MovePrice, Squeeze, Wait
from bulkhead.fuzz.suite.outsider_operations import Extreme, Intrude
from bulkhead.fuzz.suite.user_operations import Deposit, Trade

CATALOGUE = Catalogue(OPERATIONS)
SEQUENCES = 150

DEVNET = "DevToken", "DevWETH9", "DevAggregatorV3", "HostileToken"
OWNERSHIP = "the owner of a devnet contract is taken as given"
NOT_CALLED = {
    (
        "DevWETH9",
        "deposit",
    ): "takes ether, which calls do not carry; tokens are there from the start",
    ("DevWETH9", "withdraw"): "pays out ether, which nothing here looks at",
    **{(kind, "renounceOwnership"): OWNERSHIP for kind in DEVNET if kind != "DevWETH9"},
    **{(kind, "transferOwnership"): OWNERSHIP for kind in DEVNET if kind != "DevWETH9"},
}
IN_CONTRACTS_WORDS = {"Panic", "Overflow", "FullMulDivFailed"}


def changing(abi) -> set[str]:
    """The state-changing functions of an ABI."""
    return {
        entry["name"]
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def kind_of(universe, name: str) -> str:
    """The contract that a name stands for."""
    if name in universe.book.feeds:
        return "DevAggregatorV3"
    tokens = {"WETH": "DevWETH9", "LST": "LiquidStakingToken", "ODD": "HostileToken"}
    return tokens.get(name, "DevToken") if name in universe.book.tokens else name


def random_sequences(universe, count: int, seed: int) -> Iterator[list]:
    """Sequences as a campaign draws them, epilogues and all."""
    rng = Random(seed)
    openings = universe.openings()
    for number in range(count):
        tape = [rng.randbytes(CATALOGUE.tape_bytes) for _ in range(rng.randint(10, 60))]
        opening = openings[rng.randrange(len(openings))]
        yield [*opening, *CATALOGUE.from_tape(tape), *universe.epilogue(number)]


@pytest.fixture(scope="module")
def played(universe):
    """Calls of random sequences, as the model plays them."""
    return [
        p
        for operations in random_sequences(universe, SEQUENCES, 1)
        for p in generate(universe, operations, deep_every=10**6).played
    ]


@pytest.fixture(scope="module")
def called(universe, played) -> set[tuple[str, str]]:
    """Functions that are called: in random sequences, or by many of one kind in a row."""
    found = {(kind_of(universe, p.call.contract), p.call.function) for p in played}
    for kind in OPERATIONS:
        rng = Random(kind.__name__)
        for _ in range(4):
            many = [decode(kind, rng.randbytes(encoded_size(kind))) for _ in range(60)]
            calls = generate(universe, many, deep_every=10**6).played
            found |= {(kind_of(universe, p.call.contract), p.call.function) for p in calls}
    return found


class TestFunctions:
    """Every function that changes anything is called by some operation."""

    def declared(self, universe) -> set[tuple[str, str]]:
        return {
            (kind_of(universe, name), function)
            for name, contract in universe.deployment.contracts.items()
            for function in changing(contract.abi)
        }

    def test_every_function_is_called_but_for_those_listed(self, universe, called):
        assert self.declared(universe) - called == NOT_CALLED.keys()

    def test_nothing_listed_as_not_called_is_called(self, called):
        assert not called & NOT_CALLED.keys()

    def test_contracts_of_the_suite_have_no_exceptions(self):
        assert {kind for kind, _ in NOT_CALLED} <= set(DEVNET)

    def test_no_contract_that_changes_state_is_left_out(self, universe):
        """A new contract of the deployment has to come under the same test."""
        assert set(universe.book.contracts) <= universe.deployment.contracts.keys()


class TestAcceptance:
    """Sequences reach where something happens."""

    def test_every_operation_is_accepted_at_times(self, played):
        accepted = {type(p.operation) for p in played if p.expected.error is None}
        assert {kind for kind in OPERATIONS if not kind.is_refused} == accepted

    def test_most_calls_are_accepted(self, played):
        assert sum(p.expected.error is None for p in played) > 0.55 * len(played)

    def test_calls_of_users_and_keepers_are_mostly_accepted(self, played):
        own = ("MarginEngine", "PerpExchange", "LiquidationEngine", "LiquidityVault")
        calls = [p for p in played if p.call.contract in own]
        assert sum(p.expected.error is None for p in calls) > 0.55 * len(calls)

    def test_only_intrusions_and_absurdities_are_never_accepted(self):
        assert {kind for kind in OPERATIONS if kind.is_refused} == {Intrude, Extreme}

    @pytest.mark.parametrize("regime", ["tier 1", "tier 2", "tier 3", "tier 4", "h < 1", "stale"])
    def test_regimes_are_reached(self, played, regime):
        assert sum(regime in p.regime for p in played) > 0.01 * len(played)

    @pytest.mark.parametrize("function", ["liquidate", "takeAuction", "writeOff", "convert"])
    def test_rare_functions_succeed(self, played, function):
        done = [p for p in played if p.call.function == function and p.expected.error is None]
        assert len(done) >= 10

    def test_claims_are_converted_below_par(self, played):
        done = [p for p in played if p.call.function == "convert" and p.expected.error is None]
        assert any("h < 1" in p.regime for p in done)

    @pytest.mark.parametrize("tranche", ["insurance", "pool", "junior"])
    def test_write_offs_reach_every_tranche(self, played, tranche):
        done = [p for p in played if p.call.function == "writeOff" and p.expected.error is None]
        assert any(getattr(p.expected.returned, tranche) for p in done)


class TestRefusals:
    """What operations list as refusals."""

    def test_the_model_refuses_nothing_else(self, played):
        wrong = {
            (type(p.operation).__name__, p.expected.error.name)
            for p in played
            if p.expected.error and p.expected.error.name not in p.operation.refusals
        }
        assert wrong == set()

    def test_every_refusal_is_an_error_that_some_contract_declares(self):
        artifacts = load_artifacts(check=False)
        declared = {
            entry["name"]
            for name in artifacts
            for entry in artifacts[name].abi
            if entry["type"] == "error"
        }
        known = declared | IN_CONTRACTS_WORDS | {decode_error(b"").name}
        listed = set().union(*(kind.refusals for kind in OPERATIONS))
        assert listed <= known

    def test_only_absurd_arguments_may_end_in_the_compilers_checks(self):
        careless = [kind for kind in OPERATIONS if kind.refusals & IN_CONTRACTS_WORDS]
        assert careless == [Extreme]

    def test_nothing_may_say_that_the_lock_was_taken(self):
        assert not [k for k in OPERATIONS if "CompartmentLock_Locked" in k.refusals]


class TestWeights:
    """How often operations are drawn."""

    def test_each_is_drawn(self):
        assert all(kind.weight >= 1 for kind in OPERATIONS)

    def test_all_fit_into_a_byte(self):
        assert sum(kind.weight for kind in OPERATIONS) <= 256

    def test_users_keepers_and_markets_come_up_most(self):
        parts = ("user", "order", "delayed", "access", "keeper", "market", "vault")
        core = {f"{part}_operations" for part in parts}
        weight = sum(k.weight for k in OPERATIONS if k.__module__.rpartition(".")[2] in core)
        assert weight > 0.7 * sum(kind.weight for kind in OPERATIONS)

    def test_the_first_is_the_plainest(self):
        assert OPERATIONS[0] is Wait
        assert CATALOGUE.from_bytes(bytes(CATALOGUE.tape_bytes)) == Wait(0, 0)


operations = st.binary(min_size=CATALOGUE.tape_bytes, max_size=CATALOGUE.tape_bytes).map(
    CATALOGUE.from_bytes
)


class TestWriting:
    """Tapes and JSON say what was played."""

    @given(st.lists(operations, max_size=20))
    def test_a_tape_is_read_as_it_was_written(self, chosen):
        assert CATALOGUE.from_tape(CATALOGUE.to_tape(chosen)) == chosen

    @given(operations)
    def test_json_is_read_as_it_was_written(self, operation):
        text = json.dumps(CATALOGUE.to_json(operation))
        assert CATALOGUE.from_json(json.loads(text)) == operation

    @pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
    def test_every_kind_can_be_written_on_a_tape(self, kind):
        rng = Random(kind.__name__)
        for _ in range(50):
            operation = decode(kind, rng.randbytes(encoded_size(kind)))
            assert CATALOGUE.from_tape(CATALOGUE.to_tape([operation])) == [operation]

    @pytest.mark.parametrize(
        "operation",
        [
            Wait(6, 15),
            Deposit(3, 1, 40, 23, 10_500),
            Trade(7, 16, 3, 31, 15, 10_000),
            MovePrice(2, 17, 7),
            Squeeze(9, 1, 17, 7),
            Liquidate(4, 9, 16, 15),
            TakeAuction(3, 9, 40, 15, 31, 10_500),
            RepairFeeds(),
        ],
        ids=lambda operation: type(operation).__name__,
    )
    def test_greatest_values_fit(self, operation):
        assert CATALOGUE.from_json(CATALOGUE.to_json(operation)) == operation


class TestMistakes:
    """What is no operation is refused by name."""

    @pytest.mark.parametrize("name", ["", "Deposits", "wait", "None"])
    def test_an_unknown_kind(self, name):
        with pytest.raises(UnknownOperationError, match="choose from Wait, Deposit"):
            CATALOGUE.from_json({"kind": name})

    def test_no_kind_at_all(self):
        with pytest.raises(UnknownOperationError, match="there is no operation"):
            CATALOGUE.from_json({"how_long": 0, "silent": 0})

    def test_a_missing_field(self):
        with pytest.raises(UnknownOperationError, match="Wait: fields missing or too many: silent"):
            CATALOGUE.from_json({"kind": "Wait", "how_long": 0})

    def test_a_field_too_many(self):
        with pytest.raises(UnknownOperationError, match="too many: speed"):
            CATALOGUE.from_json({"kind": "Wait", "how_long": 0, "silent": 0, "speed": 1})

    @pytest.mark.parametrize("value", [-1, 7, "0", 1.0, None, True])
    def test_a_value_out_of_range(self, value):
        with pytest.raises(UnknownOperationError, match=r"Wait.how_long is .* from 0 to 6"):
            CATALOGUE.from_json({"kind": "Wait", "how_long": value, "silent": 0})

    @pytest.mark.parametrize("share", [-1, 10_001, 10_499, 10_501])
    def test_a_share_out_of_range(self, share):
        raw = CATALOGUE.to_json(Deposit(0, 0, 0, 0, 10_000)) | {"share": share}
        with pytest.raises(UnknownOperationError, match=r"Deposit.share is"):
            CATALOGUE.from_json(raw)

    def test_a_subset_of_unknown_names(self):
        with pytest.raises(UnknownOperationError, match="Depositt"):
            CATALOGUE.subset(["Wait", "Depositt"])
