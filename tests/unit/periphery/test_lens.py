"""One call says what many direct reads say."""

from __future__ import annotations

import pytest

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import ContractReverted

WAD = 10**18


@pytest.fixture
def busy(world):
    """Positions, claims, debts and collateral of several accounts, and some time gone by."""
    world.set_interest(rateAtKink=WAD // 1_000, rateAtFull=WAD // 1_000)
    for who in ("alice", "bob"):
        world.deposit(who, 3_000_000 * 10**6)
    world.deposit("alice", WAD, 1)
    world.deposit("bob", 12_345, 2)
    world.trade("alice", 4_000 * WAD)
    world.trade("bob", -100 * WAD)
    world.trade("bob", 3 * WAD, market=1)
    world.settle("carol", 77 * WAD)
    world.settle("dave", -5 * WAD)
    world.skip(900)


def test_accounts__any__equal_direct_reads(world, busy):
    names = ("alice", "bob", "carol", "dave", "keeper")
    ids = [world.account(who) for who in names]
    views = world.lens.call("accounts", ids)
    assert [v.account for v in views] == ids
    for who, view in zip(names, views, strict=True):
        account = world.account(who)
        assert view.ledger == world.ledger(who)
        assert view.bookedDebt == world.margin.call("bookedDebt", account).debt
        assert view.maturedClaim == world.margin.call("maturedClaim", account)
        assert view.collateralTokens == tuple(
            world.margin.call("collateralBalance", account, i) for i in (1, 2, 3)
        )
        assert view.valuation == world.valuation(who)
        assert view.isPriced is True
        held = [m for m in (0, 1) if world.position(who, m).size]
        assert [p.market for p in view.positions] == held
        for p in view.positions:
            assert p.position == world.position(who, p.market)
            assert p.unrealizedPnl == world.perps.call("unrealizedPnlOf", account, p.market)
    assert [len(v.positions) for v in views] == [1, 2, 0, 0, 0]
    assert [v.bookedDebt for v in views] == [0, 0, 0, 5 * WAD, 0]
    assert views[3].ledger.cash < -5 * WAD


def test_accounts__none__is_empty(world):
    assert world.lens.call("accounts", []) == ()


def test_accounts__one_cannot_be_priced__does_not_hide_the_others(world, busy):
    # She deposits what the governor listed and the oracle does not know.
    odd, alice = world.deploy("DevToken", "Odd", "ODD", 18), world.address("alice")
    config = world.risk.call("collateralConfig", 3)
    config = config._replace(token=odd.address, asset=asset_id("ODD"))
    world.risk.transact("setCollateral", 4, config, sender=world.governor)
    odd.transact("mint", alice, WAD, sender=world.governor)
    odd.transact("approve", world.custody.address, WAD, sender=alice)
    world.deposit("alice", WAD, 4)
    with pytest.raises(ContractReverted):
        world.valuation("alice")
    alice, bob = world.lens.call("accounts", [world.account("alice"), world.account("bob")])
    assert (alice.isPriced, set(alice.valuation)) == (False, {0})
    assert alice.ledger == world.ledger("alice")
    assert alice.positions[0].position == world.position("alice")
    assert (bob.isPriced, bob.valuation) == (True, world.valuation("bob"))


def test_compartment__busy__equals_direct_reads(world, busy):
    world.usdb.transact("transfer", world.custody.address, 5, sender=world.address("bob"))
    world.raise_tier(1)
    view = world.lens.call("compartment")
    assert view.totals == world.totals()
    assert view.totals.debt < view.accruedDebt == -world.ledger("dave").cash
    assert view.borrowRate == world.margin.call("borrowState").rate > 0
    assert view.unrealized == world.margin.call("unrealizedTotals")
    assert view.haircutRatio == world.margin.call("haircutRatio")
    assert view.tier == 1
    assert view.custodyTokens == world.usdb.call("balanceOf", world.custody.address)
    assert view.custodySurplus == world.surplus()
    assert world.surplus() >= 5 * 10**12
    assert view.poolShares == world.pool.call("totalSupply")
    assert (view.poolToEnter, view.poolToLeave) == tuple(world.pool.call("netAssetValue"))
    assert view.fundShares == world.fund.call("totalSupply")
    for m, market in enumerate(view.markets):
        assert market.market == m
        assert market.state == world.perps.call("marketState", m)
        assert (market.indexPrice, market.status) == tuple(world.perps.call("indexPrice", m))
        assert market.markPrice == world.perps.call("markPrice", m)
        assert market.fundingRate == world.perps.call("fundingRate", m)
        assert market.reported == world.margin.call("marketUnrealized", m)
    assert len(view.markets) == 2
    for c, collateral in enumerate(view.collaterals, start=1):
        token = world.token(c)
        assert collateral.token == token.address
        assert collateral.custodyTokens == token.call("balanceOf", world.custody.address)
        assert collateral.bookedTokens == world.margin.call("totalCollateral", c)
        assert collateral.valuation == world.valuer.call("collateralValuation", c)
    assert len(view.collaterals) == 3


def test_compartment__market_view__has_the_close_out_figure(world, busy):
    for m, market in enumerate(world.lens.call("compartment").markets):
        assert market.unrealizedPnl in (
            world.perps.call("closeOutPnl", m),
            world.perps.call("unrealizedPnl", m),
        )
