"""Tokens whose balances change by themselves are not listed, as far as they say so."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from bulkhead.model import presets
from bulkhead.model.reverts import TokenScreen_Rebasing
from bulkhead.model.types import address
from bulkhead.model.world import World

QUESTIONS = (
    "sharesOf(address)",
    "scaledBalanceOf(address)",
    "rebasingCreditsPerToken()",
    "scaledTotalSupply()",
)


def selector(signature: str) -> bytes:
    """The first four bytes of a signature's hash."""
    return bytes(keccak(text=signature)[:4])


@pytest.mark.parametrize("question", QUESTIONS)
def test_require_constant_balances__token_answers__refused(world, risk_harness, refuses, question):
    token = world.deploy("RebasingToken", selector(question))
    with refuses("TokenScreen_Rebasing", token.address, selector(question)):
        risk_harness.call("requireConstantBalances", token.address)


@pytest.mark.parametrize("question", QUESTIONS)
def test_set_collateral__token_answers__is_not_listed(world, refuses, question):
    token = world.deploy("RebasingToken", selector(question))
    config = world.risk.call("collateralConfig", 2)._asdict()
    config |= {"token": token.address, "decimals": 18}
    with refuses("TokenScreen_Rebasing", token.address, selector(question)):
        world.risk.transact("setCollateral", 4, config, sender=world.governor)
    assert world.risk.call("collateralCount") == 3


def test_require_constant_balances__tokens_in_use__pass(world, risk_harness):
    hostile = world.deploy("HostileToken", "Odd", "ODD", 3)
    other = world.deploy("RebasingToken", selector("symbolOf(address)"))
    tokens = (world.usdb, world.weth, world.wbtc, world.lst, world.pool, world.fund)
    for token in (*tokens, hostile, other):
        risk_harness.call("requireConstantBalances", token.address)


def test_set_collateral__changed_later__is_not_asked_again(world):
    world.set_collateral(1, cap=5)
    assert world.risk.call("collateralConfig", 1).cap == 5


def test_twin__token_that_rebases__is_not_listed():
    world = World()
    token = world.create_token(address(0xA5), 18)
    token.rebases = selector(QUESTIONS[0])
    config = presets.collateral(token.address, 18, "CBTC")
    with pytest.raises(TokenScreen_Rebasing) as caught:
        world.risk_parameters.set_collateral(world.governor, 1, config)
    assert caught.value.args == (token.address, selector("sharesOf(address)"))
    assert world.risk_parameters.collateral_count == 0
