"""Shares, rate, rewards, slashing, the withdrawal queue."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from bulkhead.chain.eth_call import outcome
from bulkhead.model.liquid_staking import (
    MINIMUM_SHARES,
)

WAD = 10**18
DAY = 86_400
HOUR = 3_600
CAPACITY = 100 * WAD
ZERO = "0x" + "00" * 20
DEAD = "0x000000000000000000000000000000000000dEaD"
BALANCES, SUPPLY, POOLED, BUSY_UNTIL = 0, 2, 5, 6

pytestmark = pytest.mark.usefixtures("_deployed")


@pytest.fixture
def error_of(calls, lst, alice):
    """How a call by Alice (or another) reverts."""

    def _error_of(method, *args, sender=alice, overrides=None):
        return outcome(lambda: calls.call(lst, method, *args, sender=sender, overrides=overrides))

    return _error_of


@pytest.fixture
def custody_holds(lst, weth):
    """The pooled amount is always covered by tokens."""
    yield
    assert weth.balanceOf(lst) >= lst.totalPooled()


@pytest.fixture
def mine_at(chain):
    def _mine_at(timestamp):
        chain.pending_timestamp = timestamp

    return _mine_at


# --- deployment


def test_deploy__underlying_without_18_decimals__reverts(project, calls, governor, roles):
    six = governor.deploy(project.DevToken, "Six", "SIX", 6)
    arguments = (roles, six, "L", "L", 1, 0)
    error = outcome(lambda: calls.deploy(project.LiquidStakingToken, *arguments))
    assert error == ("LiquidStakingToken_UnsupportedDecimals", 6, 18)


def test_deploy__no_capacity__reverts(project, calls, roles, weth):
    error = outcome(lambda: calls.deploy(project.LiquidStakingToken, roles, weth, "L", "L", 0, 0))
    assert error == ("LiquidStakingToken_ZeroCapacity",)


# --- deposit and rate


def test_rate__empty__is_one(lst):
    assert lst.rate() == WAD


def test_deposit__first__leaves_minimum_shares_to_nobody(lst, alice, bob, custody_holds):
    receipt = lst.deposit(10 * WAD, bob, sender=alice)
    assert lst.balanceOf(bob) == 10 * WAD - MINIMUM_SHARES
    assert lst.balanceOf(DEAD) == MINIMUM_SHARES
    assert (lst.rate(), lst.totalPooled(), lst.totalSupply()) == (WAD, 10 * WAD, 10 * WAD)
    (event,) = receipt.decode_logs(lst.Deposited)
    assert (event.sender, event.receiver) == (alice, bob)
    assert (event.assets, event.shares) == (10 * WAD, 10 * WAD - MINIMUM_SHARES)


@pytest.mark.parametrize("assets", [0, 1, MINIMUM_SHARES])
def test_deposit__first_too_small__reverts(error_of, alice, assets):
    expected = ("LiquidStakingToken_DepositTooSmall", assets)
    assert error_of("deposit", assets, alice) == expected


def test_deposit__worth_less_than_a_share__reverts(staked, error_of, alice):
    overrides = {staked.address: {SUPPLY: WAD, POOLED: WAD + 1}}
    expected = ("LiquidStakingToken_DepositTooSmall", 1)
    assert error_of("deposit", 1, alice, overrides=overrides) == expected


def test_deposit__shares_not_whole__rounds_down(staked, calls):
    overrides = {staked.address: {SUPPLY: 3 * WAD, POOLED: 4 * WAD}}
    assert calls.call(staked, "previewDeposit", 2, overrides=overrides) == 1
    assert calls.call(staked, "previewDeposit", 3, overrides=overrides) == 2


@pytest.mark.parametrize("method", ["deposit", "requestWithdrawal"])
def test_deposit_or_request__receiver_zero_or_the_token__reverts(staked, error_of, method):
    for receiver in (ZERO, staked.address):
        expected = ("LiquidStakingToken_InvalidReceiver", receiver.lower())
        assert error_of(method, WAD, receiver) == expected


def test_deposit__after_total_slashing__reverts(staked, error_of, operator, bob, alice):
    staked.slash(staked.totalPooled(), bob, sender=operator)
    assert staked.rate() == 0
    assert error_of("deposit", WAD, alice) == ("LiquidStakingToken_WipedOut",)


def test_donation__any_amount__changes_nothing(staked, weth, bob, alice):
    """VLT-1."""
    before = (staked.rate(), staked.totalPooled(), staked.previewDeposit(WAD))
    weth.transfer(staked, 500 * WAD, sender=bob)
    assert (staked.rate(), staked.totalPooled(), staked.previewDeposit(WAD)) == before


def test_deposit__first_depositor_donates__later_ones_keep_theirs(lst, weth, alice, bob):
    """VLT-1: the classic inflation attempt, with the smallest pool there can be."""
    lst.deposit(MINIMUM_SHARES + 1, bob, sender=bob)
    weth.transfer(lst, 1_000 * WAD, sender=bob)
    lst.deposit(10 * WAD, alice, sender=alice)
    assert lst.convertToAssets(lst.balanceOf(alice)) == 10 * WAD


# --- rewards and slashing


@pytest.mark.parametrize(("method", "extra"), [("reportRewards", ()), ("slash", ("bob",))])
def test_report_or_slash__not_operator__reverts(
    staked, error_of, governor, bob, stranger, method, extra
):
    arguments = [bob for _ in extra]
    for sender in (stranger, governor):
        error = error_of(method, 1, *arguments, sender=sender)
        expected = ("RoleRegistry_MissingRole", sender.address.lower(), keccak(text="LST_OPERATOR"))
        assert error == expected


def test_report_rewards__at_the_cap__raises_the_rate(staked, operator, weth, custody_holds):
    held = weth.balanceOf(operator)
    receipt = staked.reportRewards(10 * WAD, sender=operator)
    assert staked.rate() == WAD * 101 // 100
    assert weth.balanceOf(operator) == held - 10 * WAD
    (event,) = receipt.decode_logs(staked.RewardsReported)
    assert (event.assets, event.rate) == (10 * WAD, WAD * 101 // 100)


def test_report_rewards__above_the_cap__reverts(staked, error_of, operator):
    expected = ("LiquidStakingToken_RewardTooLarge", 10 * WAD + 1, 10 * WAD)
    assert error_of("reportRewards", 10 * WAD + 1, sender=operator) == expected


def test_report_rewards__cap_not_whole__rounds_down(staked, error_of, operator):
    overrides = {staked.address: {POOLED: 199}}
    expected = ("LiquidStakingToken_RewardTooLarge", 2, 1)
    assert error_of("reportRewards", 2, sender=operator, overrides=overrides) == expected


def test_slash__part__lowers_the_rate_at_once(staked, operator, bob, weth, custody_holds):
    held = weth.balanceOf(bob)
    receipt = staked.slash(250 * WAD, bob, sender=operator)
    assert staked.rate() == WAD * 3 // 4
    assert weth.balanceOf(bob) == held + 250 * WAD
    (event,) = receipt.decode_logs(staked.Slashed)
    assert (event.recipient, event.assets, event.rate) == (bob, 250 * WAD, WAD * 3 // 4)


def test_slash__more_than_pooled__reverts(staked, error_of, operator, bob):
    expected = ("LiquidStakingToken_SlashTooLarge", 1_000 * WAD + 1, 1_000 * WAD)
    assert error_of("slash", 1_000 * WAD + 1, bob, sender=operator) == expected


def test_slash__to_the_token_itself__reverts(staked, error_of, operator):
    expected = ("LiquidStakingToken_InvalidReceiver", staked.address.lower())
    assert error_of("slash", 1, staked.address, sender=operator) == expected


# --- the queue


def test_request__empty_queue__waits_its_own_time_and_the_delay(staked, alice, bob, chain):
    receipt = staked.requestWithdrawal(50 * WAD, bob, sender=alice)
    now = chain.blocks.head.timestamp
    assert staked.busyUntil() == now + DAY // 2
    assert tuple(staked.withdrawalRequest(1)) == (
        50 * WAD,
        50 * WAD,
        bob.address,
        now + DAY // 2 + HOUR,
    )
    assert staked.balanceOf(staked) == 50 * WAD
    assert staked.rate() == WAD
    (event,) = receipt.decode_logs(staked.WithdrawalRequested)
    assert (event.id, event.owner, event.receiver) == (1, alice, bob)
    assert event.claimableAt == now + DAY // 2 + HOUR


def test_request__behind_others__waits_for_their_turn(staked, alice, chain):
    staked.requestWithdrawal(200 * WAD, alice, sender=alice)
    busy = staked.busyUntil()
    staked.requestWithdrawal(100 * WAD, alice, sender=alice)
    assert staked.busyUntil() == busy + DAY
    assert staked.withdrawalRequest(2).claimableAt == busy + DAY + HOUR


def test_request__idle_queue__capacity_does_not_accumulate(staked, alice, chain):
    chain.mine(deltatime=30 * DAY)
    staked.requestWithdrawal(100 * WAD, alice, sender=alice)
    assert staked.busyUntil() == chain.blocks.head.timestamp + DAY


def test_queue_delay__any_amount__is_what_a_request_waits(staked, calls, alice, chain):
    staked.requestWithdrawal(70 * WAD, alice, sender=alice)
    now = chain.blocks.head.timestamp
    delay = calls.call(staked, "queueDelay", 30 * WAD)
    assert delay == DAY * 7 // 10 + DAY * 3 // 10 + HOUR
    chain.pending_timestamp = now + 100
    staked.requestWithdrawal(30 * WAD, alice, sender=alice)
    assert staked.withdrawalRequest(2).claimableAt == now + delay


def test_queue_delay__time_not_whole__rounds_up(staked, calls):
    assert calls.call(staked, "queueDelay", 0) == HOUR
    assert calls.call(staked, "queueDelay", 1) == HOUR + 1
    assert calls.call(staked, "queueDelay", CAPACITY // DAY + 1) == HOUR + 2


@pytest.mark.parametrize(("supply", "pooled", "shares"), [(WAD, WAD, 0), (WAD, WAD - 1, 1)])
def test_request__worth_nothing__reverts(staked, error_of, alice, supply, pooled, shares):
    overrides = {staked.address: {SUPPLY: supply, POOLED: pooled}}
    expected = ("LiquidStakingToken_WithdrawalTooSmall", shares)
    assert error_of("requestWithdrawal", shares, alice, overrides=overrides) == expected


def test_request__more_than_held__reverts(staked, error_of, bob):
    error = error_of("requestWithdrawal", WAD, bob, sender=bob)
    assert error == ("ERC20InsufficientBalance", bob.address.lower(), 0, WAD)


def test_claim__before_its_turn__reverts(staked, error_of, alice, chain):
    staked.requestWithdrawal(50 * WAD, alice, sender=alice)
    ready = staked.withdrawalRequest(1).claimableAt
    chain.mine(timestamp=ready - 1)
    assert error_of("claim", 1) == ("LiquidStakingToken_NotClaimable", 1, ready - 1, ready)


def test_claim__in_its_turn__pays_the_receiver_whoever_calls(
    staked, alice, bob, stranger, weth, mine_at, custody_holds
):
    staked.requestWithdrawal(50 * WAD, bob, sender=alice)
    held = weth.balanceOf(bob)
    mine_at(staked.withdrawalRequest(1).claimableAt)
    receipt = staked.claim(1, sender=stranger)
    assert weth.balanceOf(bob) == held + 50 * WAD
    assert (staked.totalSupply(), staked.totalPooled()) == (950 * WAD, 950 * WAD)
    assert staked.balanceOf(staked) == 0
    (event,) = receipt.decode_logs(staked.WithdrawalClaimed)
    assert (event.id, event.receiver, event.assets) == (1, bob, 50 * WAD)


def test_claim__unknown_or_twice__reverts(staked, error_of, alice, mine_at):
    assert error_of("claim", 1) == ("LiquidStakingToken_UnknownRequest", 1)
    staked.requestWithdrawal(WAD, alice, sender=alice)
    mine_at(staked.withdrawalRequest(1).claimableAt)
    staked.claim(1, sender=alice)
    assert error_of("claim", 1) == ("LiquidStakingToken_UnknownRequest", 1)


def test_claim__rewards_while_waiting__stay_with_the_holders(
    staked, alice, operator, weth, mine_at, custody_holds
):
    staked.requestWithdrawal(500 * WAD, alice, sender=alice)
    staked.reportRewards(10 * WAD, sender=operator)
    mine_at(staked.withdrawalRequest(1).claimableAt)
    held = weth.balanceOf(alice)
    staked.claim(1, sender=alice)
    assert weth.balanceOf(alice) == held + 500 * WAD
    assert staked.rate() == WAD * 102 // 100


def test_claim__slashed_while_waiting__bears_its_share(
    staked, alice, operator, bob, weth, mine_at, custody_holds
):
    staked.requestWithdrawal(500 * WAD, alice, sender=alice)
    staked.slash(100 * WAD, bob, sender=operator)
    mine_at(staked.withdrawalRequest(1).claimableAt)
    held = weth.balanceOf(alice)
    staked.claim(1, sender=alice)
    assert weth.balanceOf(alice) == held + 450 * WAD
    assert staked.rate() == WAD * 9 // 10


def test_claim__everything_slashed__pays_nothing_and_clears(
    staked, alice, operator, bob, weth, mine_at
):
    staked.requestWithdrawal(500 * WAD, alice, sender=alice)
    staked.slash(1_000 * WAD, bob, sender=operator)
    mine_at(staked.withdrawalRequest(1).claimableAt)
    staked.claim(1, sender=alice)
    assert staked.totalSupply() == 500 * WAD
    assert tuple(staked.withdrawalRequest(1))[:2] == (0, 0)


def test_claim__assets_not_whole__rounds_down(staked, calls):
    overrides = {staked.address: {SUPPLY: 3 * WAD, POOLED: 4 * WAD}}
    assert calls.call(staked, "convertToAssets", 1, overrides=overrides) == 1
    assert calls.call(staked, "convertToAssets", 2, overrides=overrides) == 2
    assert calls.call(staked, "convertToAssets", 3, overrides=overrides) == 4


def test_rate__not_whole__rounds_down(staked, calls):
    overrides = {staked.address: {SUPPLY: 3 * WAD, POOLED: 2 * WAD}}
    assert calls.call(staked, "rate", overrides=overrides) == 2 * WAD // 3
