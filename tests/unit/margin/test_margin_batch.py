"""Several acts at once: one check of margin in the end, all or nothing, and nobody in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.contract import ContractReverted

WAD = 10**18
USDB, WBTC = 0, 2
ETH = 0
ANY = 2**255
WITHDRAW, TRADE, DEPOSIT, ALL = 4, 2, 1, 31
DEGRADED, VALID = 2, 3
NOBODY = "0x" + "00" * 20
CASH = 10_000 * 10**6


@pytest.fixture
def batch(world):
    """Send a batch of named calls, listing the sender's first account unless told otherwise."""

    def _batch(*calls, sender="alice", accounts=None):
        listed = [world.account("alice")] if accounts is None else accounts
        return world.margin.transact(
            "batch", listed, acts(world, calls), sender=world.address(sender)
        )

    return _batch


def acts(world: Any, calls: Any) -> list[tuple[int, bytes]]:
    """Encode calls: name of the function, its arguments."""
    return [
        (
            int(name in EXCHANGE),
            (world.perps if name in EXCHANGE else world.margin).encode(name, *args),
        )
        for name, *args in calls
    ]


EXCHANGE = ("trade", "poke", "liquidatePosition", "refreshAll")


@pytest.fixture
def calls_of(world):
    """Calls on Alice's first account, by short names."""
    account, alice = world.account("alice"), world.address("alice")

    class Calls:
        """What she does."""

        @staticmethod
        def deposit(amount, sub=0):
            return ("deposit", world.account("alice", sub), USDB, amount)

        @staticmethod
        def withdraw(amount, to=alice):
            return ("withdraw", account, USDB, amount, to)

        @staticmethod
        def trade(size, sub=0):
            return ("trade", world.account("alice", sub), ETH, size, ANY if size > 0 else 0)

        @staticmethod
        def transfer(amount, back=False):
            accounts = [account, world.account("alice", 1)]
            return ("transfer", *(reversed(accounts) if back else accounts), USDB, amount)

    return Calls


# ---------------------------------------------------------------------- what it does


def test_batch__several_acts__happen_in_order_as_the_callers(world, batch, calls_of):
    receipt = batch(calls_of.deposit(CASH), calls_of.trade(WAD), calls_of.withdraw(10**6))
    assert world.position("alice").size == WAD
    names = [e.name for e in world.margin.events(receipt)]
    assert names[0] == "Deposited"
    assert names[-1] == "Withdrawn"
    assert world.perps.events(receipt)[0].name in ("Traded", "FundingAccrued")
    assert world.margin.call("actor") == NOBODY
    assert world.margin.call("isLocked") is False


def test_batch__what_the_calls_return__is_returned_encoded(world, calls_of):
    world.deposit("alice", CASH)
    alice = world.address("alice")
    calls = acts(world, [calls_of.trade(WAD), calls_of.withdraw(1)])
    found = world.margin.call("batch", [world.account("alice")], calls, sender=alice)
    fill = world.perps.call("trade", *calls_of.trade(WAD)[1:], sender=alice)
    assert world.perps.decode("trade", found[0]) == fill
    assert found[1] == b""
    view = [(0, world.margin.encode("totals")), (1, world.perps.encode("markPrice", ETH))]
    totals, mark = world.margin.call("batch", [], view, sender=alice)
    assert world.margin.decode("totals", totals) == world.totals()
    assert int.from_bytes(mark, "big") == world.perps.call("markPrice", ETH)


def test_batch__margin_after_the_trade__only_for_a_listed_account(world, batch, calls_of, refuses):
    calls = (calls_of.trade(WAD), calls_of.deposit(CASH))
    with refuses("MarginEngine_BelowInitialMargin"):
        batch(*calls, accounts=[])
    with refuses("MarginEngine_BelowInitialMargin"):
        batch(*calls, accounts=[world.account("alice", 1), world.account("bob")])
    assert world.position("alice").size == 0
    batch(*calls)
    assert world.position("alice").size == WAD


def test_batch__own_margin_out_and_in_again__is_a_loan_for_the_moment(world, batch, calls_of):
    world.deposit("alice", CASH)
    world.trade("alice", WAD)
    cash = world.ledger("alice").cash // 10**12
    world.freeze()
    before = world.ledger("alice")
    batch(calls_of.withdraw(cash), calls_of.deposit(cash))
    assert world.ledger("alice") == before


def test_batch__below_the_margin_in_the_end__refused_as_a_whole(world, batch, calls_of, refuses):
    world.deposit("alice", CASH)
    world.trade("alice", WAD)
    world.freeze()
    v, before = world.valuation("alice"), world.ledger("alice")
    free = (v.equityInitial - v.initialMargin) // 10**12
    cash = before.cash // 10**12
    account = world.account("alice")
    out = calls_of.withdraw(cash)
    left = v.equityInitial - (free + 1) * 10**12
    for accounts in ([account], [account, account], [account, world.account("bob"), account]):
        with refuses("MarginEngine_BelowInitialMargin", account, left, v.initialMargin):
            batch(out, calls_of.deposit(cash - free - 1), accounts=accounts)
        world.freeze()
    assert (world.ledger("alice"), world.margin.call("actor")) == (before, NOBODY)
    batch(out, calls_of.deposit(cash - free))
    assert world.ledger("alice").cash == before.cash - free * 10**12


def test_batch__listed_account_that_nobody_asks_about__is_not_checked(world, batch, calls_of):
    world.deposit("bob", CASH)
    world.trade("bob", WAD)
    world.settle("bob", -(world.valuation("bob").equityInitial))
    # Bob lacks margin; that is no matter of hers.
    batch(calls_of.deposit(5), accounts=[world.account("bob"), world.account("alice")])
    assert world.ledger("alice").cash == 5 * 10**12


@pytest.mark.parametrize("status", [0, 1, DEGRADED, VALID])
def test_batch__price_that_is_not_good_enough__refused_in_the_end(
    world, batch, calls_of, refuses, status
):
    world.deposit("alice", CASH)
    world.trade("alice", WAD)
    calls = (calls_of.withdraw(5), calls_of.deposit(5))
    if status == VALID:
        batch(*calls)
        return
    world.worsen("ETH", status)
    with refuses("ActionPolicy_PriceStatus", 1, status, VALID):
        batch(*calls)
    # Each act asks for itself: of a transfer and a withdrawal the first in the list of actions.
    with refuses("ActionPolicy_PriceStatus", 12, status, VALID):
        batch(calls_of.transfer(5), calls_of.deposit(5))
    with refuses("ActionPolicy_PriceStatus", 1, status, VALID):
        batch(calls_of.transfer(5), calls_of.withdraw(5))


def test_batch__closed_in_between__needs_no_margin(world, batch, calls_of):
    """A position that is gone in the end asks for nothing, whatever its price is worth."""
    world.deposit("alice", CASH)
    world.trade("alice", WAD)
    world.jolt("BTC")
    batch(calls_of.withdraw(CASH // 2), calls_of.trade(-WAD))
    assert world.position("alice").size == 0


def test_batch__isolated_margin__is_moved_and_used_at_once(world, batch, calls_of):
    world.deposit("alice", CASH)
    batch(
        calls_of.trade(WAD, sub=1),
        calls_of.transfer(CASH // 2),
        accounts=[world.account("alice", 1)],
    )
    assert world.position("alice", sub=1).size == WAD
    assert world.ledger("alice").cash == CASH // 2 * 10**12


def test_batch__by_an_operator__has_its_permissions_and_no_more(world, batch, calls_of, refuses):
    account, bob = world.account("alice"), world.address("bob")
    world.grant("alice", "bob", DEPOSIT | TRADE)
    batch(calls_of.deposit(CASH), calls_of.trade(WAD), sender="bob")
    assert world.position("alice").size == WAD
    assert world.usdb.call("balanceOf", bob) < world.usdb.call("balanceOf", world.address("alice"))
    with refuses("AccountOperators_NotAuthorized", account, bob, WITHDRAW):
        batch(calls_of.deposit(1), calls_of.withdraw(1), sender="bob")
    world.grant("alice", "bob", WITHDRAW)
    with refuses("MarginEngine_ReceiverNotOwner", account, bob):
        batch(calls_of.withdraw(1, to=bob), sender="bob")
    with refuses("AccountOperators_NotAuthorized", account, bob, TRADE):
        batch(calls_of.trade(-WAD), sender="bob")


def test_batch__next_transaction__is_ones_own_again(world, batch, calls_of, refuses):
    world.deposit("alice", CASH)
    batch(calls_of.deposit(1), calls_of.withdraw(1))
    account, bob = world.account("alice"), world.address("bob")
    with refuses("AccountOperators_NotAuthorized", account, bob, WITHDRAW):
        world.margin.call("withdraw", account, USDB, 1, bob, sender=bob)
    world.trade("alice", WAD)
    v = world.valuation("alice")
    with refuses("MarginEngine_BelowInitialMargin"):
        world.margin.call(
            *("withdraw", account, USDB, v.equityInitial // 10**12, world.address("alice")),
            sender=world.address("alice"),
        )


# ---------------------------------------------------------------------- what it refuses


def test_batch__lists_that_are_too_long_or_empty__refused(world, batch, calls_of, refuses):
    one = calls_of.deposit(1)
    with refuses("MarginEngine_CallCount", 0, 32):
        batch()
    with refuses("MarginEngine_CallCount", 33, 32):
        batch(*[one] * 33)
    with refuses("MarginEngine_AccountCount", 33, 32):
        batch(one, accounts=[world.account("alice")] * 33)
    batch(*[one] * 32, accounts=[world.account("alice")] * 32)
    assert world.ledger("alice").cash == 32 * 10**12


def test_batch__act_that_is_refused__reverts_all_with_its_own_words(
    world, batch, calls_of, refuses
):
    world.deposit("alice", 10)
    with refuses("MarginEngine_InsufficientBalance", world.account("alice"), USDB, 15, 16):
        batch(calls_of.deposit(5), calls_of.withdraw(16), calls_of.deposit(5))
    assert world.ledger("alice").cash == 10**13
    world.raise_tier(4)
    with refuses("CircuitBreaker_Blocked", 1, 4, 2):
        batch(calls_of.deposit(5), calls_of.withdraw(1))
    # An unknown selector, or none, is a revert without data.
    for data in (b"", b"\x12\x34\x56\x78"):
        for target in (0, 1, 2):
            with refuses(""):
                world.margin.call("batch", [], [(target, data)], sender=world.address("alice"))


def test_batch__within_a_batch__refused(world, calls_of, refuses):
    inner = acts(world, [calls_of.deposit(1)])
    alice = world.address("alice")
    for name, args in (("batch", ([], inner)), ("simulate", (alice, [], inner))):
        nested = [(0, world.margin.encode(name, *args))]
        with refuses("MarginEngine_NestedBatch"):
            world.margin.call("batch", [], nested, sender=alice)


PARTS_ONLY = {
    "enter": (),
    "exit": (),
    "settle": (bytes(32), 0, WAD, 0, 0, 0),
    "reportUnrealized": (0, WAD),
    "creditPool": (1,),
    "creditInsurance": (1,),
    "writeOff": (bytes(32),),
    "requireInitialMargin": (bytes(32), 1),
    "debitPool": (1, "0x" + "11" * 20),
    "chargePenalty": (bytes(32), 1, bytes(32), 1),
}


@pytest.mark.parametrize("function", PARTS_ONLY)
def test_batch__what_only_parts_may_call__stays_closed(world, refuses, function):
    alice = world.address("alice")
    data = world.margin.encode(function, *PARTS_ONLY[function])
    with refuses("CompartmentLock_NotAuthorized", alice):
        world.margin.call("batch", [], [(0, data)], sender=alice)
    # Nor does it help to play a part: what counts is who calls.
    with refuses("CompartmentLock_NotAuthorized", alice):
        world.margin.call("simulate", world.perps.address, [], [(0, data)], sender=alice)


def test_batch__what_only_parts_may_call_on_the_exchange__stays_closed(world, refuses):
    alice, engine = world.address("alice"), world.margin.address
    data = world.perps.encode("liquidatePosition", world.account("bob"), ETH, -WAD)
    with refuses("PerpExchange_NotLiquidationEngine", engine):
        world.margin.call("batch", [], [(1, data)], sender=alice)
    with refuses("PerpExchange_NotAuthorized", engine):
        world.margin.call("batch", [], [(1, world.perps.encode("refreshAll"))], sender=alice)


@pytest.fixture
def hostile(world):
    """Alice holds a token that calls whoever it is told to call while it moves."""
    token = world.corrupt(world.wbtc)
    world.deposit("alice", 1_000, WBTC)
    return token


@pytest.mark.parametrize(
    "call",
    [
        ("margin", "batch", lambda w: ([w.account("alice")], [(0, b"")])),
        ("margin", "simulate", lambda w: (w.address("alice"), [], [(0, b"")])),
        ("margin", "withdraw", lambda w: (w.account("alice"), USDB, 1, w.address("bob"))),
        ("margin", "transfer", lambda w: (w.account("alice"), w.account("alice", 1), USDB, 1)),
        ("perps", "trade", lambda w: (w.account("alice"), ETH, WAD, ANY)),
        ("perps", "poke", lambda w: (ETH,)),
        ("liquidation", "liquidate", lambda w: (w.account("alice"), ETH)),
    ],
    ids=lambda call: call[1],
)
def test_batch__token_that_calls_back__finds_the_lock_taken(world, hostile, attempts, batch, call):
    """Nobody acts as Alice, or liquidates her, while her batch is in the middle of an act."""
    part, function, arguments = call
    contract = getattr(world, part)
    data = contract.encode(function, *arguments(world))
    hostile.transact("setCallback", contract.address, data, sender=world.governor)
    account, alice = world.account("alice"), world.address("alice")
    receipt = batch(
        ("withdraw", account, WBTC, 10, alice),
        ("deposit", account, WBTC, 5),
        ("withdraw", account, WBTC, 5, alice),
    )
    assert attempts(receipt) == [(0, ("CompartmentLock_Locked", ()))] * 3
    assert world.margin.call("collateralBalance", account, WBTC) == 990


def test_batch__token_that_calls_back_in_a_plain_act__begins_no_batch(world, hostile, attempts):
    data = world.margin.encode("batch", [], [(0, world.margin.encode("isLocked"))])
    hostile.transact("setCallback", world.margin.address, data, sender=world.governor)
    receipt = world.deposit("alice", 1, WBTC)
    assert attempts(receipt) == [(0, ("CompartmentLock_Locked", ()))]


# ---------------------------------------------------------------------- simulations


def test_simulate__nobody__refused(world, calls_of, refuses):
    with refuses("MarginEngine_InvalidActor", NOBODY):
        world.margin.call("simulate", NOBODY, [], acts(world, [calls_of.deposit(1)]))


def test_simulate__anything__leaves_nothing(world, calls_of):
    world.deposit("alice", CASH)
    before = (
        world.ledger("alice"),
        world.totals(),
        world.usdb.call("balanceOf", world.custody.address),
    )
    calls = acts(world, [calls_of.deposit(5), calls_of.trade(WAD)])
    with pytest.raises(ContractReverted):
        world.margin.transact(
            "simulate", world.address("alice"), [], calls, sender=world.address("bob")
        )
    after = (
        world.ledger("alice"),
        world.totals(),
        world.usdb.call("balanceOf", world.custody.address),
    )
    assert after == before
    assert world.position("alice").size == 0


ONE = st.one_of(
    st.tuples(st.just("deposit"), st.integers(0, 2 * CASH)),
    st.tuples(st.just("withdraw"), st.integers(0, 2 * CASH)),
    st.tuples(st.just("transfer"), st.integers(0, 2 * CASH), st.booleans()),
    st.tuples(st.just("trade"), st.integers(-30, 30).map(WAD.__mul__), st.sampled_from([0, 1])),
    st.tuples(st.just("convert"), st.integers(0, 200).map(WAD.__mul__)),
    st.tuples(st.just("elsewhere")),
)


@given(
    st.lists(ONE, min_size=1, max_size=4),
    st.sampled_from(["both", "first", "none"]),
    st.sampled_from([0, 2, 3]),
    st.sampled_from(["alice", "bob"]),
)
def test_simulate__any_batch__says_what_then_happens(world, calls_of, plan, listed, tier, actor):
    """Results and valuations, or the refusal: word by word what the batch then returns or says."""
    snapshot = world.rpc.snapshot()
    try:
        _compare(world, calls_of, plan, listed, tier, actor)
    finally:
        world.rpc.revert(snapshot)


def _compare(world, calls_of, plan, listed, tier, actor):
    account, second = world.account("alice"), world.account("alice", 1)
    world.deposit("alice", CASH)
    world.trade("alice", 2 * WAD)
    world.settle("alice", 100 * WAD)
    world.grant("alice", "bob", DEPOSIT | TRADE | WITHDRAW)
    if tier:
        world.raise_tier(tier)
    made = []
    for name, *args in plan:
        if name == "convert":
            made.append(("convert", account, args[0]))
        elif name == "elsewhere":
            made.append(("withdraw", world.account("carol"), USDB, 1, world.address("carol")))
        else:
            made.append(getattr(calls_of, name)(*args))
    calls = acts(world, made)
    accounts = {"both": [account, second], "first": [account], "none": []}[listed]
    who = world.address(actor)
    with pytest.raises(ContractReverted) as caught:
        world.margin.call("simulate", who, accounts, calls, sender=world.address("keeper"))
    said = caught.value.error

    world.freeze()
    returned, refusal = None, None
    try:
        returned = world.margin.call("batch", accounts, calls, sender=who)
        world.margin.transact("batch", accounts, calls, sender=who)
    except ContractReverted as error:
        refusal = error.error
    if refusal is not None:
        assert said == refusal
        return said.name
    assert said.name == "MarginEngine_Simulated"
    assert list(said.args.results) == list(returned)
    now = [world.margin.call("valuation", a) for a in accounts]
    assert [tuple(v) for v in said.args.valuations] == [tuple(v) for v in now]
    return said.name


@pytest.mark.parametrize(
    ("plan", "outcome"),
    [
        ([("deposit", 5)], "MarginEngine_Simulated"),
        ([("withdraw", 5)], "MarginEngine_Simulated"),
        ([("transfer", 5)], "MarginEngine_Simulated"),
        ([("trade", WAD)], "MarginEngine_Simulated"),
        ([("trade", -WAD)], "MarginEngine_Simulated"),
        ([("withdraw", CASH // 2), ("deposit", CASH)], "MarginEngine_Simulated"),
        ([("trade", 90 * WAD), ("deposit", 3 * CASH)], "MarginEngine_Simulated"),
        ([("withdraw", CASH), ("deposit", CASH)], "MarginEngine_InsufficientBalance"),
        ([("trade", 90 * WAD)], "MarginEngine_BelowInitialMargin"),
        ([("convert", WAD)], "MarginEngine_NotMatured"),
        ([("elsewhere",)], "AccountOperators_NotAuthorized"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(act[0] for act in value),
)
def test_simulate__each_kind_of_act__says_what_then_happens(world, calls_of, plan, outcome):
    assert _compare(world, calls_of, plan, "both", 0, "alice") == outcome


def test_simulate__matured_profit__says_what_converting_pays(world, calls_of):
    world.settle("alice", 100 * WAD)
    world.skip(world.risk.call("compartmentParameters").vestingPeriod)
    calls = [("poke", 0), ("poke", 1), ("convert", world.account("alice"), 100 * WAD)]
    alice = world.address("alice")
    with pytest.raises(ContractReverted) as caught:
        world.margin.call("simulate", alice, [], acts(world, calls), sender=world.governor)
    paid = world.margin.decode("convert", caught.value.error.args.results[2])
    world.freeze()
    world.margin.transact("batch", [], acts(world, calls), sender=alice)
    assert world.ledger("alice").cash == paid > 0
