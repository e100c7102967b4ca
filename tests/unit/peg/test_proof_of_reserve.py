"""Backing out of a proof-of-reserve feed: decimals of both sides, rounding, what is no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.chain.contract import decode_error, interface_of
from bulkhead.chain.rpc import RpcError
from tests.unit.peg.story import DAY, GENESIS, HOUR, WAD, Stage, deploy, deploy_stage

NOW = GENESIS + DAY
GAS = 1_000_000
DECIMALS = (6, 8, 18)


class Reserves:
    """Feed, token and proof at chosen decimals; each question is one simulated block."""

    def __init__(self, stage: Stage, feed_decimals: int, token_decimals: int) -> None:
        self.stage = stage
        self.feed = deploy(stage.node, "DevAggregatorV3", feed_decimals, "Reserves")
        self.token = deploy(stage.node, "DevToken", "Wrapped", "W", token_decimals)
        self.proof = deploy(
            stage.node, "ProofOfReserve", self.feed.address, self.token.address, HOUR
        )

    def backing(self, answer: int, supply: int, updated_at: int = NOW, mode: int = 0):
        """What is backed, WAD; or the error's name and arguments."""
        calls = [
            (self.feed, "setRound", (1, answer, updated_at, updated_at, 1)),
            (self.feed, "setMode", (mode,)),
            (self.token, "mint", (self.stage.stranger, supply)),
            (self.proof, "backing", ()),
        ]
        block = {
            "blockOverrides": {"time": hex(NOW), "gasLimit": hex(10 * GAS)},
            "calls": [
                {
                    "from": self.stage.governor,
                    "to": contract.address,
                    "data": "0x" + contract.encode(method, *args).hex(),
                    "gas": hex(GAS),
                }
                for contract, method, args in calls
            ],
        }
        request = {"blockStateCalls": [block], "validation": False}
        [played] = self.stage.node.rpc.request("eth_simulateV1", [request, "latest"])
        *before, last = played["calls"]
        assert all(call["status"] == "0x1" for call in before)
        data = bytes.fromhex(last["returnData"][2:])
        if last["status"] == "0x1":
            return self.proof.decode("backing", data)
        error = decode_error(data)
        return (error.name, *error.args)


@pytest.fixture(scope="module")
def stage():
    """A node of these tests' own: others count on the time at which theirs was left."""
    with deploy_stage(GENESIS) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def reserves(stage):
    """Reserves by the decimals of feed and token."""
    made: dict[tuple[int, int], Reserves] = {}

    def _reserves(feed_decimals=8, token_decimals=18):
        key = (feed_decimals, token_decimals)
        if key not in made:
            made[key] = Reserves(stage, *key)
        return made[key]

    return _reserves


@pytest.fixture
def construct(stage, reserves):
    """Run the constructor; return how it reverts, or None."""

    def _construct(feed=None, token=None, heartbeat=HOUR):
        known = reserves()
        args = (feed or known.feed.address, token or known.token.address, heartbeat)
        artifact = ensure_compiled()["ProofOfReserve"]
        data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
        call = {"from": stage.governor, "data": "0x" + data.hex()}
        try:
            stage.node.rpc.request("eth_call", [call, "latest"])
        except RpcError as error:
            reverted = decode_error(error.data)
            return (reverted.name, *reverted.args)
        return None

    return _construct


# ---------------------------------------------------------------- what is backed


@pytest.mark.parametrize("feed_decimals", DECIMALS)
@pytest.mark.parametrize("token_decimals", DECIMALS)
@pytest.mark.parametrize(
    ("reserve", "supply", "expected"),
    [
        (1_000, 1_000, WAD),
        (999, 1_000, 999 * WAD // 1_000),
        (1_500, 1_000, 15 * WAD // 10),
        (1, 3, WAD // 3),
        (2, 3, 2 * WAD // 3),
        (0, 5, 0),
    ],
)
def test_backing__any_decimals__reserves_over_supply_rounded_down(
    reserves, feed_decimals, token_decimals, reserve, supply, expected
):
    asked = reserves(feed_decimals, token_decimals)
    raw = (reserve * 10**feed_decimals, supply * 10**token_decimals)
    assert asked.backing(*raw) == expected


def test_backing__one_raw_unit_more_in_circulation__is_not_full(reserves):
    assert reserves(18, 18).backing(WAD, WAD + 1) == WAD - 1
    assert reserves(8, 18).backing(10**8, WAD + 1) == WAD - 1
    assert reserves(18, 8).backing(WAD - 1, 10**8) == WAD - 1


def test_backing__extreme_decimals__zero_and_eighteen(reserves):
    assert reserves(0, 18).backing(3, 4 * WAD) == 3 * WAD // 4
    assert reserves(18, 0).backing(3 * WAD, 4) == 3 * WAD // 4


def test_backing__no_supply__is_full(reserves):
    assert reserves().backing(0, 0) == WAD
    assert reserves().backing(5, 0) == WAD


@given(
    decimals=st.tuples(st.sampled_from(DECIMALS), st.sampled_from(DECIMALS)),
    reserve=st.integers(0, 10**30),
    supply=st.integers(1, 10**30),
)
def test_backing__any_amounts__exact_quotient_rounded_down(reserves, decimals, reserve, supply):
    feed, token = decimals
    expected = reserve * 10**token * WAD // (supply * 10**feed)
    assert reserves(feed, token).backing(reserve, supply) == expected


# ---------------------------------------------------------------- no answer


@pytest.mark.parametrize("age", [0, 1, HOUR])
def test_backing__at_most_a_heartbeat_old__counts(reserves, age):
    assert reserves().backing(10**8, WAD, NOW - age) == WAD


@pytest.mark.parametrize("updated_at", [0, 1, NOW - HOUR - 1, NOW + 1, 2**256 - 1])
@pytest.mark.parametrize("supply", [0, WAD])
def test_backing__incomplete_old_or_future__reverts(reserves, updated_at, supply):
    error = reserves().backing(10**8, supply, updated_at)
    assert error == ("ProofOfReserve_Outdated", updated_at, NOW, HOUR)


@pytest.mark.parametrize("answer", [-1, -(2**255)])
def test_backing__negative__reverts(reserves, answer):
    assert reserves().backing(answer, WAD) == ("ProofOfReserve_NegativeReserves", answer)


@pytest.mark.parametrize(
    ("answer", "supply"), [(2**255 - 1, WAD), (2**255 - 1, 1), (1, 2**256 - 1)]
)
def test_backing__amounts_beyond_reason__reverts_rather_than_wraps(reserves, answer, supply):
    error = reserves(6, 6).backing(answer, supply)
    assert error == ("Panic", 0x11)


@pytest.mark.parametrize("mode", [1, 2])
def test_backing__feed_fails__reverts(reserves, mode):
    failed = reserves().backing(10**8, WAD, mode=mode)
    assert failed[0] == {1: "DevAggregatorV3_Down", 2: ""}[mode]


# ---------------------------------------------------------------- the constructor


def test_construct__what_it_was_given__is_read_back(reserves):
    known = reserves()
    assert known.proof.call("feed") == known.feed.address
    assert known.proof.call("token") == known.token.address
    assert known.proof.call("heartbeat") == HOUR


@pytest.mark.parametrize(
    ("heartbeat", "is_refused"), [(0, True), (1, False), (7 * DAY, False), (7 * DAY + 1, True)]
)
def test_construct__heartbeat__in_its_bounds(construct, heartbeat, is_refused):
    name = b"heartbeat".ljust(32, b"\0")
    expected = ("ProofOfReserve_OutOfBounds", name, heartbeat, 1, 7 * DAY)
    assert construct(heartbeat=heartbeat) == (expected if is_refused else None)


def test_construct__no_contract__reverts(construct, stage):
    nobody = stage.stranger
    assert construct(feed=nobody) == ("ProofOfReserve_NotAContract", nobody)
    assert construct(token=nobody) == ("ProofOfReserve_NotAContract", nobody)


def test_construct__more_than_18_decimals__reverts(construct, stage):
    feed = deploy(stage.node, "DevAggregatorV3", 19, "Reserves").address
    token = deploy(stage.node, "DevToken", "Wrapped", "W", 19).address
    for parameter, given_ in (
        ("feedDecimals", {"feed": feed}),
        ("tokenDecimals", {"token": token}),
    ):
        name = parameter.encode().ljust(32, b"\0")
        assert construct(**given_) == ("ProofOfReserve_OutOfBounds", name, 19, 0, 18)
