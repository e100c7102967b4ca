"""The staking token against its integer twin: quotes in any state, and whole histories."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome, storage_key
from bulkhead.model.context import Context
from bulkhead.model.liquid_staking import (
    MINIMUM_SHARES,
    NOBODY,
    OPERATOR,
    LiquidStakingToken,
)
from bulkhead.model.parts import Parts
from bulkhead.model.roles import RoleRegistry
from bulkhead.model.tokens import Token
from bulkhead.model.types import Addresses, address

WAD = 10**18
DAY = 86_400
HOUR = 3_600
CAPACITY = 100 * WAD
BALANCES, SUPPLY, POOLED, BUSY_UNTIL = 0, 2, 5, 6

pytestmark = pytest.mark.usefixtures("_deployed")

ALICE, BOB, GOVERNOR, STAKED, ETHER = map(address, (1, 2, 3, 4, 5))
PLENTY = 2**200


def make_twin(now=0, pooled=0, supply=0, busy_until=0):
    """A twin in any state; everybody has plenty of ether and lets the twin take it."""
    context = Context(now)
    roles = RoleRegistry(Parts(context, Addresses()), GOVERNOR)
    roles.grant_role(GOVERNOR, OPERATOR, GOVERNOR)
    ether = Token(context, ETHER, 18)
    for holder in (ALICE, BOB, GOVERNOR):
        ether.mint(holder, PLENTY)
        ether.approve(holder, STAKED, PLENTY)
    ether.mint(STAKED, pooled)
    twin = LiquidStakingToken(context, STAKED, ether, roles, CAPACITY, HOUR)
    twin.restore(pooled, supply, busy_until, 0)
    return twin


amounts = st.integers(0, 10) | st.integers(0, 10**24)
totals = st.tuples(st.integers(0, 10**25), st.integers(0, 10**25)) | st.tuples(
    st.integers(10**18, 10**20), st.integers(10**18, 10**20)
)


@settings(max_examples=120, deadline=None)
@given(totals=totals, amount=amounts, busy=st.integers(-DAY, 30 * DAY))
def test_quotes__any_state__equal_the_model(totals, amount, busy, calls, lst, alice, chain):
    supply, pooled = totals
    now = chain.blocks.head.timestamp
    twin = make_twin(now, pooled, supply, now + busy)
    balance = storage_key(BALANCES, bytes.fromhex(alice.address[2:]))
    slots = {SUPPLY: supply, POOLED: pooled, BUSY_UNTIL: now + busy, balance: supply}
    overrides = {lst.address: slots}

    def ask(method, *args):
        return outcome(lambda: calls.call(lst, method, *args, sender=alice, overrides=overrides))

    assert ask("rate") == twin.rate()
    assert ask("convertToAssets", amount) == twin.convert_to_assets(amount)
    assert ask("queueDelay", amount) == twin.queue_delay(amount)
    assert ask("previewDeposit", amount) == outcome(lambda: twin.preview_deposit(amount))
    owner = alice.address.lower()
    twin.balances[owner] = supply
    twin.underlying.mint(owner, PLENTY)
    twin.underlying.approve(owner, STAKED, PLENTY)
    expected = outcome(lambda: twin.request_withdrawal(owner, amount, owner))
    assert ask("requestWithdrawal", amount, alice) == expected
    assert ask("deposit", amount, alice) == outcome(lambda: twin.deposit(owner, amount, owner))


steps = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "request", "claim", "reward", "slash"]),
        st.integers(1, 999),
        st.integers(1, 2 * DAY),
    ),
    min_size=4,
    max_size=9,
)


@settings(max_examples=8, deadline=None)
@given(steps=steps)
def test_history__any_steps__equals_the_model_and_stays_covered(
    steps, staked, chain, alice, bob, operator, weth
):
    # Not `chain.isolate()`, which swallows assertions.
    snapshot = chain.snapshot()
    twin = make_twin()
    twin.deposit(ALICE, 1_000 * WAD, ALICE)
    requests = 0
    for kind, part, wait in steps:
        now = chain.blocks.head.timestamp + wait
        chain.pending_timestamp = twin._context.now = now
        if kind == "deposit":
            assets = part * WAD + part
            staked.deposit(assets, alice, sender=alice)
            twin.deposit(ALICE, assets, ALICE)
        elif kind == "request":
            shares = twin.balance_of(ALICE) * part // 1_000
            staked.requestWithdrawal(shares, alice, sender=alice)
            twin.request_withdrawal(ALICE, shares, ALICE)
            requests += 1
        elif kind == "claim":
            for i in range(1, requests + 1):
                request = twin.withdrawal_request(i)
                if request is not None and request.claimable_at <= now:
                    staked.claim(i, sender=bob)
                    twin.claim(BOB, i)
                    break
        elif kind == "reward":
            assets = twin.total_pooled * part // 100_000
            staked.reportRewards(assets, sender=operator)
            twin.report_rewards(GOVERNOR, assets)
        else:
            assets = twin.total_pooled * part // 10_000
            staked.slash(assets, bob, sender=operator)
            twin.slash(GOVERNOR, assets, BOB)
        assert (staked.totalPooled(), staked.totalSupply(), staked.rate(), staked.busyUntil()) == (
            twin.total_pooled,
            twin.total_supply,
            twin.rate(),
            twin.busy_until,
        )
        assert staked.balanceOf(alice) == twin.balance_of(ALICE)
        assert weth.balanceOf(staked) == twin.total_pooled
    chain.restore(snapshot)


@settings(max_examples=300, deadline=None)
@given(
    first=st.integers(MINIMUM_SHARES + 1, 10**20),
    victim=st.integers(10**12, 10**22),
    rounds=st.lists(st.integers(1, 10**6), max_size=20),
)
def test_deposit__attacker_inflates_by_rounding__victim_loses_next_to_nothing(
    first, victim, rounds
):
    twin = make_twin()
    twin.deposit(ALICE, first, ALICE)
    for assets in rounds:
        outcome(lambda assets=assets: twin.deposit(ALICE, assets, ALICE))
    shares = twin.deposit(BOB, victim, BOB)
    assert victim - twin.convert_to_assets(shares) <= 1 + twin.rate() // WAD
    assert sum(twin.balances.values()) == twin.total_supply
    assert twin.balance_of(NOBODY) == MINIMUM_SHARES
