"""The token that its owner mints."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import outcome


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_deploy__any_decimals__shows_name_symbol_decimals(project, owner, decimals):
    token = owner.deploy(project.DevToken, "US Dollar", "USDX", decimals)
    assert (token.name(), token.symbol(), token.decimals()) == ("US Dollar", "USDX", decimals)
    assert token.totalSupply() == 0


def test_mint__owner__creates(project, owner, stranger):
    token = owner.deploy(project.DevToken, "T", "T", 18)
    token.mint(stranger, 7, sender=owner)
    assert token.balanceOf(stranger) == token.totalSupply() == 7


def test_mint__stranger__reverts(project, calls, owner, stranger):
    token = owner.deploy(project.DevToken, "T", "T", 18)
    error = outcome(lambda: calls.call(token, "mint", stranger, 7, sender=stranger))
    assert error == ("OwnableUnauthorizedAccount", stranger.address.lower())
