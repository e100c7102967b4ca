"""Signed orders: what is signed, who may sign, how much is filled, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.contract import ContractReverted
from bulkhead.model import eip712

WAD = 10**18
TRADE, MANAGE_ORDERS = 2, 16
POST_ONLY, REDUCE_ONLY = 1, 2
NAME, ADDRESS = "Bulkhead SignedOrders", "0x" + "77" * 20


def stored(world):
    """Return all that a match could change."""
    people = ("alice", "bob", "carol")
    return (
        world.totals(),
        world.perps.call("marketState", 0)[:4],
        *(world.ledger(who) for who in people),
        *(world.position(who) for who in people),
    )


# ---------------------------------------------------------------------- what is signed


def test_hash_order__is_the_eip712_digest(world, desk, two):
    domain = eip712.domain_separator(NAME, "1", 31_337, world.orders.address.lower())
    assert world.orders.call("domainSeparator") == domain
    for order in two:
        assert world.orders.call("hashOrder", order) == desk.hash(order)


def test_match__a_pair__trades_at_the_makers_price(world, desk, index):
    taker = desk.order("alice", 2 * WAD, index * 101 // 100)
    price = index * 1_001 // 1_000
    maker = desk.order("bob", -2 * WAD, price)
    receipt = desk.send(taker, desk.fill(maker))
    assert world.position("alice")[:2] == (2 * WAD, 2 * price)
    assert world.position("bob")[:2] == (-2 * WAD, -2 * price)
    fees = [2 * price * rate // WAD for rate in (5 * 10**14, 0)]
    assert [world.ledger(who).cash for who in ("alice", "bob")] == [
        3_000_000 * WAD - fee for fee in fees
    ]
    [event] = world.orders.events(receipt, "OrdersMatched")
    hashes = desk.hash(taker), desk.hash(maker)
    assert tuple(event.args) == (*hashes, 0, 2 * WAD, price, 2 * WAD, 2 * WAD)
    assert [world.orders.call("filled", h) for h in hashes] == [2 * WAD] * 2


def test_match__several_makers__each_at_her_own_price(world, desk, index):
    world.set_market(makerFee=10**14)
    taker = desk.order("carol", -3 * WAD, index * 99 // 100)
    prices = index, index * 995 // 1_000
    makers = [desk.order(who, 2 * WAD, p) for who, p in zip(("alice", "bob"), prices, strict=True)]
    receipt = desk.send(taker, desk.fill(makers[0]), desk.fill(makers[1], WAD))
    assert world.position("alice")[:2] == (2 * WAD, 2 * prices[0])
    assert world.position("bob")[:2] == (WAD, prices[1])
    got = 2 * prices[0] + prices[1]
    assert world.position("carol")[:2] == (-3 * WAD, -got)
    paid = [3_000_000 * WAD - world.ledger(who).cash for who in ("alice", "bob", "carol")]
    assert paid == [2 * prices[0] // 10**4, prices[1] // 10**4, got * 5 // 10**4]
    sums = [event.args[5:] for event in world.orders.events(receipt, "OrdersMatched")]
    assert sums == [(2 * WAD, 2 * WAD), (3 * WAD, WAD)]


# ---------------------------------------------------------------------- how much


def test_match__parts__add_up_to_the_whole_and_no_more(world, desk, index, refuses):
    taker = desk.order("alice", 5 * WAD, index)
    maker = desk.order("bob", -3 * WAD, index)
    desk.send(taker, desk.fill(maker, WAD))
    with refuses("SignedOrders_Overfill", desk.hash(maker), WAD, 2 * WAD + 1, 3 * WAD):
        desk.send(taker, desk.fill(maker, 2 * WAD + 1))
    desk.send(taker, desk.fill(maker, WAD), desk.fill(maker, WAD))
    with refuses("SignedOrders_Overfill", desk.hash(maker), 3 * WAD, 1, 3 * WAD):
        desk.send(taker, desk.fill(maker, 1))
    other = desk.order("carol", -9 * WAD, index)
    with refuses("SignedOrders_Overfill", desk.hash(taker), 3 * WAD, 2 * WAD + 1, 5 * WAD):
        desk.send(taker, desk.fill(other, 2 * WAD + 1))
    desk.send(taker, desk.fill(other, 2 * WAD))
    assert world.position("alice").size == 5 * WAD


def test_match__one_maker_twice_in_a_call__counts_both(desk, index, refuses):
    taker = desk.order("alice", 9 * WAD, index)
    maker = desk.order("bob", -3 * WAD, index)
    with refuses("SignedOrders_Overfill", desk.hash(maker), 2 * WAD, 2 * WAD, 3 * WAD):
        desk.send(taker, desk.fill(maker, 2 * WAD), desk.fill(maker, 2 * WAD))


def test_match__once_more__refused(desk, two, refuses):
    desk.match(*two)
    with refuses("SignedOrders_Overfill", desk.hash(two[0]), 2 * WAD, 2 * WAD, 2 * WAD):
        desk.match(*two)


# ---------------------------------------------------------------------- refused


def test_match__until_the_expiry__and_not_at_it(world, desk, two, refuses):
    taker, maker = two
    world.rpc.set_next_timestamp(taker.expires_at)
    with refuses("SignedOrders_Expired", desk.hash(taker), taker.expires_at, taker.expires_at):
        desk.match(taker, maker)
    world.rpc.set_next_timestamp(taker.expires_at + 1)
    longer = taker._replace(expires_at=taker.expires_at + 100)
    now = taker.expires_at + 1
    with refuses("SignedOrders_Expired", desk.hash(maker), maker.expires_at, now):
        desk.match(longer, maker)


def test_match__in_the_last_second__counts(world, desk, index):
    expires_at = world.now + 10
    orders = (
        desk.order(who, size * WAD, index, expires_at=expires_at)
        for who, size in (("alice", 1), ("bob", -1))
    )
    world.after(9)
    assert len(desk.match(*orders)) == 2


def test_match__orders_that_do_not_go_together__refused(world, desk, two, index, refuses):
    taker, maker = two
    with refuses("SignedOrders_NoMakers"):
        desk.match(taker)
    with refuses("SignedOrders_OtherMarket", 0, 1):
        desk.match(taker, maker._replace(market=1))
    with refuses("SignedOrders_SameSide", 2 * WAD, WAD):
        desk.match(taker, maker._replace(size=WAD))
    with refuses("SignedOrders_NotCrossing", index, index + 1):
        desk.match(taker, maker._replace(limit=index + 1))
    with refuses("SignedOrders_NotCrossing", index - 1, index):
        desk.match(maker, taker._replace(limit=index - 1))
    own = maker._replace(account=world.account("alice", 1), signer=world.address("alice"))
    with refuses("SignedOrders_SelfTrade", taker.account, own.account):
        desk.match(taker, own)
    for size in (taker._replace(size=0), maker._replace(size=0)):
        pair = (size, maker) if size.account == taker.account else (taker, size)
        with refuses("SignedOrders_ZeroSize", desk.hash(size)):
            desk.match(*pair)
    with refuses("SignedOrders_ZeroSize", desk.hash(maker)):
        desk.send(taker, desk.fill(maker, 0))
    unlisted = [order._replace(market=9) for order in two]
    with refuses("RiskParameters_UnknownMarket", 9):
        desk.match(*unlisted)


@pytest.mark.parametrize("flags", [4, 7, 128, 255])
def test_match__flags_that_mean_nothing__refused(desk, two, refuses, flags):
    for i in (0, 1):
        orders = list(two)
        orders[i] = orders[i]._replace(flags=flags)
        with refuses("SignedOrders_UnknownFlags", desk.hash(orders[i]), flags, 3):
            desk.match(*orders)


def test_match__post_only__rests_and_never_takes(desk, two, refuses):
    taker, maker = two
    resting = maker._replace(flags=POST_ONLY)
    with refuses("SignedOrders_PostOnly", desk.hash(resting)):
        desk.match(resting, taker)
    assert len(desk.match(taker, resting)) == 2


def test_match__reduce_only__never_opens_or_crosses(world, desk, two, index, refuses):
    taker, maker = two
    only = maker._replace(flags=REDUCE_ONLY)
    with refuses("PerpExchange_NotReducing", maker.account, 0, 0, -2 * WAD):
        desk.match(taker, only)
    world.trade("bob", WAD)
    mark = world.perps.call("markPrice", 0)
    taker = taker._replace(limit=mark)
    only = only._replace(limit=mark)
    with refuses("PerpExchange_NotReducing", maker.account, 0, WAD, -2 * WAD):
        desk.match(taker, only)
    # Each part is small enough, but not the second after the first.
    with refuses("PerpExchange_NotReducing", maker.account, 0, WAD // 2, -WAD):
        desk.send(taker, desk.fill(only, WAD // 2), desk.fill(only, WAD))
    desk.send(taker, desk.fill(only, WAD // 2), desk.fill(only, WAD // 2))
    assert world.position("bob").size == 0
    taking = only._replace(nonce=1, size=-WAD)
    with refuses("PerpExchange_NotReducing", maker.account, 0, 0, -WAD):
        desk.match(taking, taker._replace(nonce=1, size=WAD))


# ---------------------------------------------------------------------- whose signature


@given(data=st.data())
def test_match__any_field_altered_after_signing__refused_and_nothing_changes(
    world, desk, index, data
):
    """Another field, another digest: no order is as good as one that was signed."""
    orders = [desk.order("alice", 2 * WAD, index), desk.order("bob", -2 * WAD, index)]
    signatures = list(map(desk.sign, orders))
    i, field = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 7))
    old = orders[i][field]
    others = {
        0: st.integers(1, 2**96 - 1).map(lambda n: old[:20] + n.to_bytes(12, "big")),
        1: st.sampled_from(("carol", "keeper", "bob", "alice")).map(world.address),
        2: st.integers(0, 255),
        3: st.integers(-(2**127), 2**127 - 1),
        4: st.integers(0, 2**128 - 1),
        5: st.integers(0, 2**40 - 1),
        6: st.integers(0, 2**256 - 1),
        7: st.integers(0, 3),
    }
    new = data.draw(others[field].filter(lambda value: value != old))
    name = orders[i]._fields[field]
    orders[i] = orders[i]._replace(**{name: new})
    before = stored(world)
    with pytest.raises(ContractReverted) as caught:
        desk.send(orders[0], desk.fill(orders[1], WAD, signatures[1]), signature=signatures[0])
    allowed = {
        1: {"AccountOperators_NotAuthorized"},
        3: {"SignedOrders_ZeroSize"},
        5: {"SignedOrders_Expired"},
    }.get(field, set())
    assert caught.value.error.name in {"SignedOrders_InvalidSignature", *allowed}
    assert stored(world) == before


def test_match__signed_by_another_or_for_elsewhere__refused(desk, two, refuses):
    taker, maker = two
    odd = (
        desk.sign(taker, "bob"),
        desk.sign(taker, chain_id=1),
        desk.sign(taker, contract=ADDRESS),
        desk.sign(taker)[:-1],
        desk.sign(maker),
        bytes(65),
        b"",
    )
    for signature in odd:
        with refuses("SignedOrders_InvalidSignature", desk.hash(taker), taker.signer):
            desk.send(taker, desk.fill(maker), signature=signature)
    with refuses("SignedOrders_InvalidSignature", desk.hash(maker), maker.signer):
        desk.send(taker, desk.fill(maker, signature=desk.sign(maker, "alice")))


def test_match__operator_signs__while_she_may_trade(world, desk, two, refuses):
    taker, maker = two
    carol = world.address("carol")
    signed = taker._replace(signer=carol)
    refused = "AccountOperators_NotAuthorized", taker.account, carol, TRADE
    with refuses(*refused):
        desk.match(signed, maker)
    world.grant("alice", "carol", MANAGE_ORDERS)
    with refuses(*refused):
        desk.match(signed, maker)
    world.grant("alice", "carol", TRADE)
    desk.send(signed, desk.fill(maker, WAD))
    world.grant("alice", "carol", 0)
    with refuses(*refused):
        desk.send(signed, desk.fill(maker, WAD))
    assert world.position("alice").size == WAD


def test_match__owner_is_a_contract__is_asked_and_not_believed_blindly(
    world, desk, two, index, refuses
):
    _, maker = two
    wallet = world.deploy("HostileSigner", world.address("carol"))
    world.rpc.set_balance(wallet.address, 10**18)
    account = bytes.fromhex(wallet.address[2:]) + bytes(12)
    world.grant("alice", "carol", 1)
    world.usdb.transact("mint", wallet.address, 10**12, sender=world.governor)
    world.usdb.transact("approve", world.custody.address, 10**12, sender=wallet.address)
    world.margin.transact("deposit", account, 0, 10**11, sender=wallet.address)
    order = desk.order("alice", 2 * WAD, index, account=account, signer=wallet.address)
    signature = desk.sign(order, "carol")
    desk.send(order, desk.fill(maker, WAD), signature=signature)
    assert world.perps.call("position", account, 0).size == WAD
    with refuses("SignedOrders_InvalidSignature", desk.hash(order), wallet.address):
        desk.send(order, desk.fill(maker, WAD), signature=desk.sign(order, "bob"))
    for mode in (2, 4, 5, 6, 7, 8):
        wallet.transact("setMode", mode, sender=world.governor)
        with refuses("SignedOrders_InvalidSignature", desk.hash(order), wallet.address):
            desk.send(order, desk.fill(maker, WAD), signature=signature)
    # It says yes to anything: that is its owner's affair, but not more often than once.
    wallet.transact("setMode", 1, sender=world.governor)
    desk.send(order, desk.fill(maker, WAD), signature=b"")
    with refuses("SignedOrders_Overfill"):
        desk.send(order, desk.fill(maker, WAD), signature=b"")
