"""The matcher against the contract: matches are settled, what the chain refuses is dropped."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.chain.codec import asset_id
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet
from bulkhead.deployment.sender import RpcSender
from bulkhead.matcher.book import State
from bulkhead.matcher.chain import ChainAuthority, ChainSettlement
from bulkhead.matcher.engine import Matcher
from bulkhead.matcher.orders import POST_ONLY, Domain, SignedOrder, sign
from bulkhead.matcher.settlement import Settler
from bulkhead.matcher.store import Store

WAD, USDB = 10**18, 10**6
PRICE = 3_000 * WAD


class Floor:
    """A devnet, three traders with margin, and a matcher on disk."""

    def __init__(self, anvil: Anvil, path) -> None:
        artifacts = ensure_compiled()
        self.rpc = anvil.rpc
        sender = RpcSender(self.rpc, anvil.accounts[0].address)
        book = deploy_devnet(sender, DevnetOptions(spot_markets=False), artifacts=artifacts)
        self.perps = book.contract(self.rpc, "PerpExchange", artifacts)
        self.orders = book.contract(self.rpc, "SignedOrders", artifacts)
        self.oracle = book.contract(self.rpc, "OracleAggregator", artifacts)
        operators = book.contract(self.rpc, "AccountOperators", artifacts)
        keys = {account.address: account.private_key for account in anvil.accounts}
        self.people = {name: book.accounts[name] for name in ("alice", "bob", "carol")}
        self.keys = {name: keys[address] for name, address in self.people.items()}
        engine = book.contract(self.rpc, "MarginEngine", artifacts)
        for name, address in self.people.items():
            amount = 100_000 * USDB if name != "carol" else USDB
            engine.transact("deposit", self.account(name), 0, amount, sender=address)
        self.domain = Domain(self.rpc.chain_id(), self.orders.address)
        self.settlement = ChainSettlement(self.orders, book.deployer)
        self.authority = ChainAuthority(self.rpc, operators)
        self.store = Store(path, self.domain)
        self.matcher = Matcher(self.store)
        self.deployer = book.deployer

    def account(self, name: str) -> bytes:
        return bytes.fromhex(self.people[name][2:]) + bytes(12)

    def order(self, name: str, size: int, price: int, nonce: int, flags: int = 0) -> SignedOrder:
        account = int.from_bytes(self.account(name), "big")
        until = self.rpc.timestamp() + 3_600
        return SignedOrder(account, self.people[name].lower(), 0, size, price, until, nonce, flags)

    def place(self, name: str, order: SignedOrder):
        digest = self.domain.order_hash(order)
        key = bytes.fromhex(self.keys[name].removeprefix("0x"))
        return self.matcher.place(order, digest, sign(key, digest), self.rpc.timestamp())

    def settle(self) -> int:
        async def flush() -> None:
            self.store.flush()

        async def in_background(call):
            return call()

        settler = Settler(
            self.matcher,
            self.settlement,
            flush=flush,
            in_background=in_background,
            clock=self.rpc.timestamp,
        )
        self.oracle.transact("record", asset_id("ETH"), sender=self.deployer)
        return asyncio.run(settler.round())

    def size(self, name: str) -> int:
        return self.perps.call("position", self.account(name), 0).size


@pytest.fixture
def floor(tmp_path):
    with Anvil() as anvil:
        yield Floor(anvil, tmp_path / "matcher.sqlite")


def test_hash__of_an_order__is_the_contracts(floor):
    order = floor.order("alice", -5 * WAD, PRICE, 2**255 + 7, POST_ONLY)
    assert floor.domain.order_hash(order) == floor.orders.call("hashOrder", order.as_tuple())
    other = replace(order, nonce=8)
    assert floor.domain.order_hash(order) != floor.orders.call("hashOrder", other.as_tuple())


def test_round__pair_and_rest__is_settled_on_the_chain_at_the_resting_price(floor):
    resting = floor.place("alice", floor.order("alice", 3 * WAD, PRICE, 0))
    taker = floor.place("bob", floor.order("bob", -2 * WAD, PRICE - 10 * WAD, 0))
    assert floor.settle() == 1
    assert (floor.size("alice"), floor.size("bob")) == (2 * WAD, -2 * WAD)
    held = floor.perps.call("position", floor.account("alice"), 0)
    assert held.quote == 2 * 3_000 * WAD
    assert floor.settlement.filled([resting.hash, taker.hash]) == [2 * WAD, 2 * WAD]
    assert floor.matcher.orders[resting.hash].state == State.OPEN
    # Nothing is sent twice.
    assert floor.settle() == 0
    assert floor.size("alice") == 2 * WAD


def test_round__order_without_margin__is_dropped_and_the_others_are_settled(floor):
    good = floor.place("alice", floor.order("alice", 2 * WAD, PRICE, 0))
    poor = floor.place("carol", floor.order("carol", 2 * WAD, PRICE + WAD, 0))
    floor.place("bob", floor.order("bob", -4 * WAD, PRICE - 10 * WAD, 0))
    for _ in range(3):
        floor.settle()
    assert floor.size("carol") == 0
    assert poor.state == State.REFUSED
    assert "MarginEngine_BelowInitialMargin" in poor.reason
    assert floor.settlement.filled([good.hash]) == [2 * WAD]
    assert (floor.size("alice"), floor.size("bob")) == (2 * WAD, -2 * WAD)


def test_may_trade__operator__is_asked_of_the_chain(floor):
    account = int.from_bytes(floor.account("alice"), "big")
    assert not floor.authority.may_trade(account, floor.people["bob"])
