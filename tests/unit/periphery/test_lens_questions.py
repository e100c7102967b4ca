"""Prices and amounts that the lens finds by search are those at which contracts decide."""

from __future__ import annotations

import pytest

from bulkhead.chain.contract import ContractReverted

WAD = 10**18
UINT256_MAX = 2**256 - 1
USDB = 10**6
ETH, BTC = 0, 1
LST, WBTC, WETH = 1, 2, 3


def prices(world, who="alice", market=ETH, sub=0):
    return world.lens.call("liquidationPrices", world.account(who, sub), market)


def unhealthy_at(world, account, market, price):
    """Judge an account at a hypothetical index price by the risk engine's own functions."""
    standing = world.margin.call("standing", account)
    exposures = [
        world.perps.call("exposureAt", account, e.market, price) if e.market == market else e
        for e in world.perps.call("exposuresOf", account)
    ]
    v = world.valuer.call("valuationWith", standing, exposures)
    return v.equityMaintenance < v.maintenanceMargin and v.bufferAtIndex < 0


@pytest.fixture
def calm(world):
    """Markets whose margin does not follow volatility, so that a price can be tried out."""
    for market in (ETH, BTC):
        world.set_market(market, volatilityMultiplier=0)
    return world


def test_liquidation_prices__long__only_below(calm):
    calm.deposit("alice", 30_000 * USDB)
    calm.trade("alice", 60 * WAD)
    found = prices(calm)
    assert 0 < found.below < calm.index()
    assert found.above == UINT256_MAX
    account = calm.account("alice")
    assert unhealthy_at(calm, account, ETH, found.below)
    # One part in 2⁴⁰ above it she is healthy: the search is exact to 2⁻⁴⁸ of the present price.
    assert not unhealthy_at(calm, account, ETH, found.below + (calm.index() >> 40))


def test_liquidation_prices__short__only_above(calm):
    calm.deposit("alice", 30_000 * USDB)
    calm.trade("alice", -60 * WAD)
    found = prices(calm)
    assert found.below == 0
    assert calm.index() < found.above < 2 * calm.index()
    account = calm.account("alice")
    assert unhealthy_at(calm, account, ETH, found.above)
    assert not unhealthy_at(calm, account, ETH, found.above - (calm.index() >> 40))


def test_liquidation_prices__when_the_price_goes_there__liquidation_agrees(calm):
    calm.deposit("alice", 30_000 * USDB)
    calm.trade("alice", 60 * WAD)
    account = calm.account("alice")
    below = prices(calm).below
    calm.publish("ETH", below + below // 10_000)
    assert not calm.liquidation.call("isLiquidatable", account)
    calm.publish("ETH", below - below // 10_000)
    assert calm.liquidation.call("isLiquidatable", account)
    assert prices(calm) == (calm.index(), calm.index())


def test_liquidation_prices__margin_that_covers_a_price_of_nearly_zero__none_below(calm):
    calm.deposit("alice", 300_000 * USDB)
    calm.trade("alice", WAD)
    assert prices(calm) == (0, UINT256_MAX)


def test_liquidation_prices__hedged_in_another_market__other_positions_stay_as_they_are(calm):
    calm.deposit("alice", 30_000 * USDB)
    calm.trade("alice", 60 * WAD)
    alone = prices(calm).below
    calm.trade("alice", -2 * WAD, market=BTC)
    account = calm.account("alice")
    found = prices(calm).below
    assert unhealthy_at(calm, account, ETH, found)
    assert found != alone
    assert not unhealthy_at(calm, account, ETH, found + (calm.index() >> 40))


def test_liquidation_prices__no_position__refused(world, refuses):
    account = world.account("alice")
    with refuses("Lens_NoPosition", account, BTC):
        world.lens.call("liquidationPrices", account, BTC)


def withdraw(world, collateral, amount, who="alice"):
    address = world.address(who)
    world.margin.transact(
        "withdraw", world.account(who), collateral, amount, address, sender=address
    )


@pytest.mark.parametrize("collateral", [0, LST, WBTC])
def test_max_withdraw__amount_found__is_the_most_that_withdraw_allows(calm, collateral):
    calm.deposit("alice", 20_000 * USDB)
    calm.deposit("alice", 20 * WAD, LST)
    calm.deposit("alice", 10**8, WBTC)
    calm.trade("alice", 500 * WAD)
    account = calm.account("alice")
    calm.freeze()
    most = calm.lens.call("maxWithdraw", account, collateral)
    held = (
        calm.margin.call("collateralBalance", account, collateral) if collateral else 20_000 * USDB
    )
    assert 0 < most < held
    # Funding accrues by the second: ask once more in the block before the one that acts.
    with pytest.raises(ContractReverted):
        withdraw(calm, collateral, most + most // 100_000 + 1)
    most = calm.lens.call("maxWithdraw", account, collateral)
    withdraw(calm, collateral, most - most // 100_000)
    rest = calm.lens.call("maxWithdraw", account, collateral)
    assert rest <= most // 50_000


def test_max_withdraw__neither_position_nor_debt__everything(world):
    world.deposit("alice", 5 * USDB)
    world.deposit("alice", WAD, LST)
    world.silence("ETH")
    account = world.account("alice")
    assert world.lens.call("maxWithdraw", account, 0) == 5 * USDB
    assert world.lens.call("maxWithdraw", account, LST) == WAD
    assert world.lens.call("maxWithdraw", account, WETH) == 0


def test_max_withdraw__price_that_withdrawals_do_not_accept__nothing(world):
    world.deposit("alice", 50_000 * USDB)
    world.trade("alice", WAD)
    assert world.lens.call("maxWithdraw", world.account("alice"), 0) > 0
    world.degrade("ETH")
    assert world.lens.call("maxWithdraw", world.account("alice"), 0) == 0


def test_max_withdraw__tier_that_blocks_withdrawals__nothing(world):
    world.deposit("alice", 50_000 * USDB)
    world.raise_tier(3)
    assert world.lens.call("maxWithdraw", world.account("alice"), 0) == 0


def test_account__health_and_free_collateral__follow_from_the_valuation(world):
    world.deposit("alice", 30_000 * USDB)
    nothing_asked = world.lens.call("account", world.account("alice"))
    assert nothing_asked.healthRatio == UINT256_MAX
    assert nothing_asked.freeCollateral == 30_000 * WAD
    world.trade("alice", 60 * WAD)
    view, v = world.lens.call("account", world.account("alice")), world.valuation("alice")
    assert view.freeCollateral == v.equityInitial - v.initialMargin
    assert view.healthRatio == v.equityMaintenance * WAD // v.maintenanceMargin
    world.settle("bob", -5 * WAD)
    assert world.lens.call("account", world.account("bob")).healthRatio == 0
