"""Balances, auctions and redemptions follow from events."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bulkhead.agents.view import PendingOrder, Redemption
from bulkhead.scenarios.books import EventBooks

USDB, LST, ENGINE, ORDERS = "0xUsdb", "0xLst", "0xEngine", "0xOrders"
DELAYED = "0xDelayed"
ACCOUNT = b"a" * 32


@pytest.fixture
def books() -> EventBooks:
    return EventBooks({USDB: "USDB", LST: "LST"}, LST, ENGINE, ORDERS, DELAYED)


def transfer(token: str, sender: str, receiver: str, amount: int) -> Any:
    return SimpleNamespace(name="Transfer", address=token, args=(sender, receiver, amount))


def event(name: str, address: str, **args: Any) -> Any:
    return SimpleNamespace(name=name, address=address, args=SimpleNamespace(**args))


def test_transfers__add_up(books: EventBooks) -> None:
    books.apply_all(
        [transfer(USDB, "0x0", "alice", 10), transfer(USDB, "alice", "bob", 4)],
    )
    assert books.balances["alice", "USDB"] == 6
    assert books.balances["bob", "USDB"] == 4
    assert ("0x0", "USDB") not in books.balances


def test_transfers__of_unknown_tokens__are_passed_over(books: EventBooks) -> None:
    books.apply_all([transfer("0xOther", "0x0", "alice", 10)])
    assert books.balances == {}


def test_auctions__start_and_end(books: EventBooks) -> None:
    started = event("AuctionStarted", ENGINE, account=ACCOUNT, collateral=1, startedAt=99)
    books.apply_all([started])
    assert books.auctions == {(ACCOUNT, 1): 99}
    books.apply_all([event("AuctionEnded", ENGINE, account=ACCOUNT, collateral=1)])
    assert books.auctions == {}


def test_redemptions__are_queued_until_claimed(books: EventBooks) -> None:
    asked = event("WithdrawalRequested", LST, id=3, receiver="alice", claimableAt=50)
    books.apply_all([asked])
    assert list(books.redemptions.values()) == [Redemption(3, "alice", 50)]
    books.apply_all([event("WithdrawalClaimed", LST, id=3)])
    assert books.redemptions == {}


def test_signed_orders__fills_and_cancelled_nonces_follow(books: EventBooks) -> None:
    books.apply_all(
        [
            event("OrdersMatched", ORDERS, takerHash=b"t", makerHash=b"m", size=3),
            event("OrdersMatched", ORDERS, takerHash=b"t", makerHash=b"n", size=2),
            event("OrdersMatched", "0xOther", takerHash=b"t", makerHash=b"n", size=9),
            event("OrdersCancelled", ORDERS, account=ACCOUNT, word=1, mask=5),
            event("OrdersCancelled", ORDERS, account=ACCOUNT, word=1, mask=7),
            event("OrdersCancelledBelow", ORDERS, account=ACCOUNT, nonce=40),
        ]
    )
    assert books.filled == {b"t": 5, b"m": 3, b"n": 2}
    assert books.cancelled == {(ACCOUNT, 1): 7}
    assert books.least_nonces == {ACCOUNT: 40}


def test_delayed_orders__are_open_from_commitment_to_close(books: EventBooks) -> None:
    terms = {"sizeDelta": -5, "settleFrom": 0, "expiresAt": 99, "triggerPrice": 7, "flags": 3}
    ids = {"orderId": 4, "account": ACCOUNT}
    committed = event("OrderCommitted", DELAYED, market=1, order=SimpleNamespace(**terms), **ids)
    books.apply_all([committed])
    assert books.orders == {4: PendingOrder(4, ACCOUNT, 1, -5, 0, 99, 7, True)}
    books.apply_all([event("OrderTriggered", DELAYED, settleFrom=50, expiresAt=80, **ids)])
    assert books.orders == {4: PendingOrder(4, ACCOUNT, 1, -5, 50, 80, 7, True)}
    books.apply_all([event("OrderClosed", DELAYED, **ids)])
    assert books.orders == {}
