"""Traders with margin, and the pool's curve written out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from bulkhead.model import eip712

WAD = 10**18
ORDER_TYPE = (
    "SignedOrder(bytes32 account,address signer,uint8 market,int128 size,uint128 limitPrice,"
    "uint40 expiresAt,uint256 nonce,uint8 flags)"
)


class Order(NamedTuple):
    """A signed order in the ABI's order."""

    account: bytes
    signer: str
    market: int
    size: int
    limit: int
    expires_at: int
    nonce: int = 0
    flags: int = 0


def ceil_div(n: int, d: int) -> int:
    return -(-n // d)


@dataclass(frozen=True)
class Curve:
    """Prices and costs of one market at one index price; all WAD."""

    index: int
    scale: int

    def mark(self, skew: int) -> int:
        return self.index * (self.scale + skew) // self.scale

    def price(self, skew: int, size_delta: int) -> int:
        numerator = self.index * (2 * (self.scale + skew) + size_delta)
        if size_delta > 0:
            return ceil_div(numerator, 2 * self.scale)
        return numerator // (2 * self.scale)

    def cost(self, skew: int, size_delta: int) -> int:
        return ceil_div(size_delta * self.price(skew, size_delta), WAD)

    def close_out(self, skew: int, quote: int) -> int:
        """U_m while no funding has accrued: all positions closed on the curve, rounded up."""
        return ceil_div(skew * (2 * self.scale + skew) * self.index, 2 * self.scale * WAD) - quote


@pytest.fixture
def curve(world):
    """The curve of a market as it is now."""

    def _curve(market=0):
        return Curve(world.index(market), world.risk.call("marketTrading", market).skewScale)

    return _curve


@pytest.fixture
def fund(world):
    """Give accounts margin, in whole settlement units."""

    def _fund(*people, units=3_000_000):
        for who in people:
            world.deposit(who, units * 10**6)

    return _fund


@pytest.fixture
def fee_of(world):
    """A trade's fee, rounded up."""

    def _fee_of(notional, market=0):
        return ceil_div(notional * world.risk.call("marketTrading", market).takerFee, WAD)

    return _fee_of


class Desk:
    """Makes, signs and matches orders. The keeper brings them."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def order(self, who: str, size: int, limit: int, **changes: Any) -> Order:
        """Return an order in ETH that is good for an hour."""
        w = self._world
        made = Order(w.account(who), w.address(who), 0, size, limit, w.now + 3_600)
        return made._replace(**changes)

    def hash(self, order: Order, chain_id: int = 31_337, contract: str | None = None) -> bytes:
        """Return the digest of an order."""
        to = (contract or self._world.orders.address).lower()
        domain = eip712.domain_separator("Bulkhead SignedOrders", "1", chain_id, to)
        values = order._replace(signer=order.signer.lower(), size=order.size % 2**256)
        return eip712.digest(domain, ORDER_TYPE, values)

    def sign(self, order: Order, who: str | None = None, **domain: Any) -> bytes:
        """Return the signature of an order's signer, or of somebody else."""
        w = self._world
        key = w.keys[order.signer if who is None else w.address(who)]
        return eip712.sign(key, self.hash(order, **domain))

    def fill(self, order: Order, size: int | None = None, signature: bytes | None = None) -> Any:
        """Return what a maker's part is: all of it, properly signed."""
        signed = self.sign(order) if signature is None else signature
        return order, signed, abs(order.size) if size is None else size

    def send(self, taker: Order, *fills: Any, signature: bytes | None = None) -> Any:
        """Match; return the receipt."""
        w = self._world
        signed = self.sign(taker) if signature is None else signature
        return w.orders.transact("matchOrders", taker, signed, fills, sender=w.address("keeper"))

    def match(self, taker: Order, *makers: Order) -> Any:
        """Match one order with all of others; return the arguments of each ``Traded``."""
        receipt = self.send(taker, *map(self.fill, makers))
        return [event.args for event in self._world.perps.events(receipt, "Traded")]

    def pair(self, buyer: str, seller: str, size: int, price: int, nonce: int = 0) -> Any:
        """Let two people trade at a price; the buyer takes."""
        taker = self.order(buyer, size, price, nonce=nonce)
        return self.match(taker, self.order(seller, -size, price, nonce=nonce))


@pytest.fixture
def desk(world):
    """Make, sign and match orders."""
    return Desk(world)


@pytest.fixture
def index(world, fund):
    """Three traders with margin; the index price, which is the mark as well."""
    fund("alice", "bob", "carol")
    return world.index()


@pytest.fixture
def two(desk, index):
    """Alice buys two of Bob's, at the index."""
    return desk.order("alice", 2 * WAD, index), desk.order("bob", -2 * WAD, index)
