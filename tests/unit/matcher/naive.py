"""A book that is a list, searched from end to end for every step: slow, and plain to see."""

from __future__ import annotations

from dataclasses import dataclass, field

from bulkhead.matcher.orders import SignedOrder


@dataclass
class Resting:
    """An order in the list."""

    sequence: int
    order: SignedOrder
    remaining: int
    is_open: bool = True


@dataclass
class NaiveBook:
    """Orders in the order of their arrival, and the pairs (taker, maker, size) made of them."""

    orders: list[Resting] = field(default_factory=list)
    made: list[tuple[int, int, int]] = field(default_factory=list)

    def resting(self, is_buy: bool) -> list[Resting]:
        """One side in its priority: better price first, then earlier."""
        found = [o for o in self.orders if o.is_open and o.remaining and o.order.is_buy is is_buy]
        sign = -1 if is_buy else 1
        return sorted(found, key=lambda o: (sign * o.order.limit_price, o.sequence))

    def may_rest(self, order: SignedOrder) -> bool:
        """Whether a post-only order finds nothing to take."""
        limit = order.limit_price
        others = [o.order.limit_price for o in self.resting(not order.is_buy)]
        return not any(limit >= p if order.is_buy else limit <= p for p in others)

    def place(self, order: SignedOrder) -> None:
        """Add an order and match."""
        self.orders.append(Resting(len(self.orders) + 1, order, order.quantity))
        self.match()

    def undo(self, pair: tuple[int, int, int], guilty: int) -> None:
        """Give a pair's size back, and take one of the two out."""
        taker, maker, size = pair
        for sequence in (taker, maker):
            self.orders[sequence - 1].remaining += size
        self.orders[guilty - 1].is_open = False

    def match(self) -> None:
        """Match until nothing crosses."""
        while True:
            bids, asks = self.resting(True), self.resting(False)
            if not bids or not asks:
                return
            bid, ask = bids[0], asks[0]
            if bid.order.limit_price < ask.order.limit_price:
                return
            early, late = sorted((bid, ask), key=lambda o: o.sequence)
            if early.order.owner == late.order.owner:
                late.is_open = False
                continue
            if late.order.is_post_only and early.order.is_post_only:
                late.is_open = False
                continue
            maker, taker = (late, early) if late.order.is_post_only else (early, late)
            size = min(maker.remaining, taker.remaining)
            maker.remaining -= size
            taker.remaining -= size
            self.made.append((taker.sequence, maker.sequence, size))
