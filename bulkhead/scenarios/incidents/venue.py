"""A real Uniswap v3 venue for one incident: pools, swaps, spot prices, TWAP sources."""

from __future__ import annotations

from bulkhead.chain.contract import Contract
from bulkhead.deployment.sender import RpcSender
from bulkhead.deployment.uniswap import (
    Range,
    Token,
    add_liquidity,
    create_pool,
    deploy_uniswap,
    spot_price,
    swap_exact_in,
)
from bulkhead.scenarios.incidents.votes import Vote
from bulkhead.scenarios.incidents.world import IncidentWorld

WHOLE_RANGE = (Range(0, 1),)
LEAST_CARDINALITY = 2


class Venue:
    """Factory, router and position manager, deployed by the governor, who provides liquidity."""

    def __init__(self, world: IncidentWorld) -> None:
        self.world = world
        self.sender = RpcSender(world.rpc, world.governor)
        self.uniswap = deploy_uniswap(self.sender, world.book.tokens["WETH"])

    def pool(
        self,
        base: Contract,
        quote: Contract,
        fee: int,
        price: int,
        amount: int,
        cardinality: int,
    ) -> Pool:
        """Create a pool of two tokens that the governor mints, with liquidity at every price.

        Args:
            base: the token that is priced.
            quote: the token in which it is priced.
            fee: millionths: 500, 3,000 or 10,000.
            price: WAD quote per 1.0 of base.
            amount: raw units of base; as much in value of quote.
            cardinality: observations that the pool keeps.
        """
        tokens = _token(base), _token(quote)
        pool = create_pool(self.sender, self.uniswap, *tokens, fee, price, cardinality)
        value = amount * price * 10 ** tokens[1].decimals // 10 ** (18 + tokens[0].decimals)
        # One more unit each: the position manager rounds what it takes up.
        self.world.give(base, "deployer", amount + 1)
        self.world.give(quote, "deployer", value + 1)
        # The pool remembers more than one observation once it is used in a later second.
        self.world.skip(1)
        add_liquidity(self.sender, self.uniswap, *tokens, fee, price, amount, WHOLE_RANGE)
        return Pool(self, pool.address, base, quote, fee)

    def let_trade(self, who: str, *tokens: Contract) -> None:
        """Let the router take a person's tokens."""
        for token in tokens:
            self.world.approve(token, who, self.uniswap.router)


class Pool:
    """One pool.

    Attributes:
        address: where it is.
        spot_after_push: spot price after the last purchase, WAD quote per 1.0 of base.
    """

    def __init__(
        self, venue: Venue, address: str, base: Contract, quote: Contract, fee: int
    ) -> None:
        self.venue = venue
        self.world = venue.world
        self.address = address
        self.base = base
        self.quote = quote
        self.fee = fee
        self.spot_after_push = 0

    def spot(self) -> int:
        """Return the price now, WAD quote per 1.0 of base."""
        return spot_price(self.world.rpc, self.address, _token(self.base), _token(self.quote))

    def twap(self, window: int, least_liquidity: int, votes: int = 1) -> Vote:
        """Deploy an adapter that averages over ``window`` seconds.

        Args:
            window: seconds.
            least_liquidity: the pool's units.
            votes: of the source.
        """
        adapter = self.world.deploy(
            "UniswapV3TwapAdapter",
            self.address,
            self.base.address,
            window,
            least_liquidity,
            LEAST_CARDINALITY,
        )
        return Vote(adapter.address, votes)

    def buy(self, token: Contract, amount_in: int, who: str) -> int:
        """Buy a token of the pool for ``amount_in`` raw units of the other; return how many."""
        other = self.quote if token is self.base else self.base
        bought = self._swap(other, token, amount_in, who)
        self.spot_after_push = self.spot()
        return bought

    def sell(self, token: Contract, amount_in: int, who: str) -> int:
        """Sell raw units of one of the pool's tokens; return how many of the other came back."""
        other = self.quote if token is self.base else self.base
        return self._swap(token, other, amount_in, who)

    def _swap(self, token_in: Contract, token_out: Contract, amount_in: int, who: str) -> int:
        owner = self.world.address(who)
        before = int(token_out.call("balanceOf", owner))
        data = swap_exact_in(token_in.address, token_out.address, self.fee, owner, amount_in)
        router = self.venue.uniswap.router.address
        RpcSender(self.world.rpc, owner).send(router, data, f"{who}: swap")
        return int(token_out.call("balanceOf", owner)) - before


def _token(contract: Contract) -> Token:
    return Token(contract.address, int(contract.call("decimals")))
