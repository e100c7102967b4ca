"""The small world of tests and fuzzing: who holds what, and whose word is a price."""

from __future__ import annotations

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.codec import asset_id
from bulkhead.deployment.devnet import (
    ACCOUNTS,
    DevnetOptions,
    confirm_price,
    deploy_devnet,
    devnet_parameters,
    publish_price,
    refresh_feeds,
)
from bulkhead.deployment.parameters import validated
from bulkhead.deployment.sender import DeploymentError, RpcSender

WAD = 10**18
STALE, UNCONFIRMED, VALID = 0, 1, 3


def test_accounts__seeded__rich_and_ready(world):
    assert tuple(world.book.accounts) == ACCOUNTS
    ether = 10_000_000 * WAD // 3_000
    for name in ("alice", "keeper", "arbitrageur"):
        address = world.address(name)
        assert world.rpc.balance(address) > 100_000 * WAD
        assert world.usdb.call("balanceOf", address) == 10_000_000 * 10**6
        assert world.weth.call("balanceOf", address) == ether
        assert world.lst.call("balanceOf", address) == ether
        assert world.wbtc.call("balanceOf", address) == 10_000_000 * 10**8 // 60_000


def test_vaults__seeded__hold_what_was_put_in(world):
    totals = world.totals()
    assert totals.poolCash == 20_000_000 * WAD
    assert totals.insuranceCash == 1_000_000 * WAD
    assert world.pool.call("balanceOf", world.address("lp")) > 0
    assert world.surplus() == 0


def test_prices__new__valid_and_exact(world):
    for asset, price in (("ETH", 3_000 * WAD), ("BTC", 60_000 * WAD), ("LST/ETH", WAD)):
        latest = world.oracle.call("latest", asset_id(asset))
        assert (latest.price, latest.status) == (price, VALID)
    assert world.breaker.call("tier") == 0


def test_prices__derived__of_the_devnet_follow_their_parts(world):
    world.publish("LST/ETH", 9 * WAD // 10)
    latest = world.oracle.call("latest", asset_id("LST/USDB"))
    assert (latest.price, latest.status) == (2_700 * WAD, VALID)


FEED = "0x" + "0a" * 32


@pytest.fixture
def pyth_devnet(world):
    """A devnet of its own, on which ETH is priced by Pyth alone; its node and its book."""
    parameters = devnet_parameters(spot_markets=False).model_dump()
    pyth = {"kind": "pyth", "pyth": "Pyth", "feed_id": FEED, "share": 1}
    oracle = [dict(entry) for entry in parameters["oracle"]]
    oracle[0] |= {"sources": [pyth]}
    options = DevnetOptions(
        seed_accounts=False, parameters=validated({**parameters, "oracle": oracle})
    )
    with Anvil(accounts=1) as anvil:
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        yield anvil.rpc, deploy_devnet(sender, options, artifacts=world.artifacts)


def test_deploy__pyth_in_the_file__has_prices_that_can_be_moved(pyth_devnet):
    rpc, book = pyth_devnet
    assert set(book.oracles) == {"Pyth"}
    oracle = book.contract(rpc, "OracleAggregator")
    assert oracle.call("latest", asset_id("ETH")).price == 3_000 * WAD
    assert oracle.call("latest", asset_id("LST/USDB")).price == 3_000 * WAD
    for price in (2_500 * WAD, 2_600 * WAD):
        publish_price(rpc, book, "ETH", price)
        assert oracle.call("latest", asset_id("ETH")).price == price


def test_refresh_feeds__pyth__valid_again_at_the_same_price(pyth_devnet):
    rpc, book = pyth_devnet
    oracle = book.contract(rpc, "OracleAggregator")
    rpc.mine(rpc.timestamp() + 7_200)
    assert oracle.call("latest", asset_id("ETH")).status == STALE
    refresh_feeds(rpc, book)
    latest = oracle.call("latest", asset_id("ETH"))
    assert (latest.price, latest.status) == (3_000 * WAD, VALID)


def test_publish_price__new_price__is_the_markets(world):
    world.publish("ETH", 2_500 * WAD)
    assert world.index() == 2_500 * WAD


def test_publish_price__moved_far__waits_until_it_is_confirmed(world):
    world.skip(600)
    world.quote("ETH", 2_699 * WAD)
    quoted = world.now
    latest = world.oracle.call("latest", asset_id("ETH"))
    assert (latest.price, latest.status) == (2_699 * WAD, UNCONFIRMED)
    confirm_price(world.rpc, world.book, "ETH")
    assert world.now == quoted + 30
    latest = world.oracle.call("latest", asset_id("ETH"))
    assert (latest.price, latest.status) == (2_699 * WAD, VALID)


def test_confirm_price__nothing_waits__no_block(world):
    world.quote("ETH", 2_700 * WAD)
    block = world.rpc.block_number()
    confirm_price(world.rpc, world.book, "ETH")
    assert world.rpc.block_number() == block
    assert world.oracle.call("latest", asset_id("ETH")).status == VALID


def test_refresh_feeds__hours_later__valid_again(world):
    world.skip(7_200)
    assert world.oracle.call("latest", asset_id("BTC")).status == STALE
    refresh_feeds(world.rpc, world.book)
    assert world.oracle.call("latest", asset_id("BTC")).status == VALID


def test_operator__deployer__slashes(world):
    pooled, supply = world.lst.call("totalPooled"), world.lst.call("totalSupply")
    world.lst.transact("slash", pooled // 10, world.address("dave"), sender=world.governor)
    assert world.lst.call("rate") == (pooled - pooled // 10) * WAD // supply


def test_deploy__bare__without_money(world):
    with Anvil(accounts=1) as anvil:
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        book = deploy_devnet(sender, DevnetOptions(seed_accounts=False), artifacts=world.artifacts)
        margin = book.contract(anvil.rpc, "MarginEngine")
        assert margin.call("totals").poolCash == 0
        assert book.pools == {}
        assert set(book.feeds) == {f"{a}-{i}" for a in ("ETH", "BTC", "LST/ETH") for i in (1, 2)}


def test_deploy__too_few_accounts__said(world):
    with Anvil(accounts=3) as anvil:
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        with pytest.raises(DeploymentError, match="no accounts for lp, staker"):
            deploy_devnet(sender, artifacts=world.artifacts)


def test_deploy__by_another_account__said(world):
    sender = RpcSender(world.rpc, world.address("bob"))
    with pytest.raises(DeploymentError, match="first account"):
        deploy_devnet(sender, artifacts=world.artifacts)
