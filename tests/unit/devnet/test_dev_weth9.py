"""Ether as a token."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import outcome


@pytest.fixture(scope="module")
def weth(project, owner):
    return owner.deploy(project.DevWETH9)


def test_deposit__ether__is_wrapped_one_for_one(weth, stranger):
    receipt = weth.deposit(value=5, sender=stranger)
    assert weth.balanceOf(stranger) == weth.balance == weth.totalSupply() == 5
    assert len(receipt.decode_logs(weth.Deposit)) == 1


def test_receive__ether__is_wrapped(weth, stranger):
    stranger.transfer(weth, 5)
    assert weth.balanceOf(stranger) == 5


def test_withdraw__held__pays_ether(weth, stranger):
    weth.deposit(value=5, sender=stranger)
    receipt = weth.withdraw(3, sender=stranger)
    assert weth.balanceOf(stranger) == weth.balance == 2
    assert len(receipt.decode_logs(weth.Withdrawal)) == 1


def test_withdraw__more_than_held__reverts(weth, calls, stranger):
    error = outcome(lambda: calls.call(weth, "withdraw", 1, sender=stranger))
    assert error == ("ERC20InsufficientBalance", stranger.address.lower(), 0, 1)
