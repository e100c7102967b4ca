"""Orders that are cancelled, acts of a batch, and what the log says of both."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bulkhead.scenarios.books import EventBooks

WAD = 10**18
TRADE, MANAGE_ORDERS = 2, 16


def test_cancel_orders__a_mask__voids_those_nonces_alone(world, desk, index, refuses):
    alice = world.account("alice")
    receipt = world.orders.transact("cancelOrders", alice, 1, 0b101, sender=world.address("alice"))
    [event] = world.orders.events(receipt, "OrdersCancelled")
    assert tuple(event.args) == (alice, 1, 0b101, world.address("alice"))
    world.orders.transact("cancelOrders", alice, 1, 0b100000, sender=world.address("alice"))
    assert world.orders.call("cancelledNonces", alice, 1) == 0b100101
    maker = desk.order("bob", -9 * WAD, index)
    for nonce in range(255, 263):
        order = desk.order("alice", WAD, index, nonce=nonce)
        is_void = nonce in (256, 258, 261)
        assert world.orders.call("isCancelled", alice, nonce) is is_void
        if is_void:
            with refuses("SignedOrders_Cancelled", alice, nonce):
                desk.send(order, desk.fill(maker, WAD))
        else:
            desk.send(order, desk.fill(maker, WAD))
    assert world.position("alice").size == 5 * WAD
    # Of that account alone.
    assert not world.orders.call("isCancelled", world.account("alice", 1), 256)


def test_cancel_orders__half_filled__keeps_what_was_filled(world, desk, two, refuses):
    taker, maker = two
    desk.send(taker, desk.fill(maker, WAD))
    world.orders.transact("cancelOrders", maker.account, 0, 1, sender=maker.signer)
    with refuses("SignedOrders_Cancelled", maker.account, 0):
        desk.send(taker, desk.fill(maker, WAD))
    assert world.orders.call("filled", desk.hash(maker)) == WAD
    assert world.position("bob").size == -WAD


def test_cancel_orders_below__voids_all_lower_nonces(world, desk, two, index, refuses):
    alice, sender = world.account("alice"), world.address("alice")
    _, maker = two
    receipt = world.orders.transact("cancelOrdersBelow", alice, 1_000, sender=sender)
    [event] = world.orders.events(receipt, "OrdersCancelledBelow")
    assert tuple(event.args) == (alice, 1_000, sender)
    assert world.orders.call("leastNonce", alice) == 1_000
    for nonce in (0, 999):
        with refuses("SignedOrders_Cancelled", alice, nonce):
            desk.match(desk.order("alice", WAD, index, nonce=nonce), maker)
    for nonce in (0, 999, 1_000):
        with refuses("SignedOrders_NonceNotHigher", alice, nonce, 1_000):
            world.orders.transact("cancelOrdersBelow", alice, nonce, sender=sender)
    desk.send(desk.order("alice", WAD, index, nonce=1_000), desk.fill(maker, WAD))


@pytest.mark.parametrize(
    ("function", "args"), [("cancelOrders", (0, 1)), ("cancelOrdersBelow", (1,))]
)
def test_cancel__by_whom(world, refuses, function, args):
    alice, bob = world.account("alice"), world.address("bob")
    refused = "AccountOperators_NotAuthorized", alice, bob, MANAGE_ORDERS
    for permissions in (0, TRADE):
        world.grant("alice", "bob", permissions)
        with refuses(*refused):
            world.orders.transact(function, alice, *args, sender=bob)
    world.grant("alice", "bob", MANAGE_ORDERS)
    world.orders.transact(function, alice, *args, sender=bob)
    assert world.orders.call("isCancelled", alice, 0)
    # Grants and nonces are of one account.
    with refuses("AccountOperators_NotAuthorized", world.account("alice", 1), bob, MANAGE_ORDERS):
        world.orders.transact(function, world.account("alice", 1), *args, sender=bob)


# ---------------------------------------------------------------------- in a batch


def test_batch__may_match_and_cancel_as_the_actor(world, desk, two, refuses):
    taker, maker = two
    alice = world.address("alice")
    match = world.orders.encode("matchOrders", taker, desk.sign(taker), [desk.fill(maker)])
    cancel = world.orders.encode("cancelOrders", taker.account, 0, 1)
    world.margin.transact("batch", [], [(2, match), (2, cancel)], sender=alice)
    assert world.position("alice").size == 2 * WAD
    assert world.orders.call("isCancelled", taker.account, 0)
    with refuses("AccountOperators_NotAuthorized", taker.account, world.address("bob"), 16):
        world.margin.transact("batch", [], [(2, cancel)], sender=world.address("bob"))


def test_batch__margin_of_a_match_may_come_in_after_it(world, desk, index, refuses):
    dave = world.address("dave")
    account = world.account("dave")
    taker = desk.order("dave", WAD, index)
    fill = desk.fill(desk.order("bob", -WAD, index))
    match = (2, world.orders.encode("matchOrders", taker, desk.sign(taker), [fill]))
    deposit = (0, world.margin.encode("deposit", account, 0, 1_000 * 10**6))
    with refuses("MarginEngine_BelowInitialMargin"):
        world.margin.transact("batch", [], [match, deposit], sender=dave)
    with refuses("MarginEngine_BelowInitialMargin"):
        world.margin.transact("batch", [account], [match], sender=dave)
    world.margin.transact("batch", [account], [match, deposit], sender=dave)
    assert world.position("dave").size == WAD


def test_events__rebuild_fills_and_cancelled_nonces(world, desk, index):
    """EVT-1: the log alone says what is filled of which order, and what is cancelled."""
    taker = desk.order("alice", 5 * WAD, index)
    makers = [desk.order(who, -3 * WAD, index) for who in ("bob", "carol")]
    account, sender = taker.account, taker.signer
    receipts = [
        desk.send(taker, desk.fill(makers[0], WAD), desk.fill(makers[1], 2 * WAD)),
        desk.send(taker, desk.fill(makers[0], 2 * WAD)),
        world.orders.transact("cancelOrders", account, 0, 6, sender=sender),
        world.orders.transact("cancelOrders", account, 0, 9, sender=sender),
        world.orders.transact("cancelOrdersBelow", account, 77, sender=sender),
    ]
    address = world.orders.address
    books = EventBooks({}, "", "", address, "")
    for receipt in receipts:
        decoded = [
            world.orders.decode_log(log)
            for log in receipt.logs
            if log.address.lower() == address.lower()
        ]
        books.apply_all(SimpleNamespace(name=e.name, address=address, args=e.args) for e in decoded)
    for order in (taker, *makers):
        hash_ = desk.hash(order)
        assert books.filled[hash_] == world.orders.call("filled", hash_)
    assert books.cancelled[account, 0] == world.orders.call("cancelledNonces", account, 0) == 15
    assert books.least_nonces[account] == world.orders.call("leastNonce", account)
