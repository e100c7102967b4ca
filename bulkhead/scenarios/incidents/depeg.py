"""What the two depegs of a staking token share: the real pool, the sale, leveraged accounts.

The devnet's pool LST/WETH is a real Uniswap v3 pool, in which the governor provides most liquidity
near the peg. Its average over ten minutes outvotes the one feed in the price LST/ETH.
"""

from __future__ import annotations

from collections.abc import Mapping

from bulkhead.deployment.devnet import DECIMALS, POOL_FEE
from bulkhead.deployment.sender import RpcSender
from bulkhead.deployment.uniswap import (
    Token,
    quote_exact_in,
    spot_price,
    sqrt_price_x96,
    swap_exact_in,
    swap_path,
)
from bulkhead.deployment.units import WAD
from bulkhead.scenarios.incidents.votes import Vote
from bulkhead.scenarios.incidents.world import IncidentWorld

PEG = "LST"
POOL = "LST/WETH"
RATIO_ASSET = "LST/ETH"
BASE_HAIRCUT = WAD // 20
"""The devnet's; of the naive rules too."""
STOCK = 60_000 * WAD
"""LST and WETH that the governor has to move the pool with."""


class Depeg:
    """A world with spot markets in which LST is collateral.

    Attributes:
        world: the world.
        collateral: LST's id.
    """

    def __init__(self, world: IncidentWorld, collateral: int) -> None:
        self.world = world
        self.collateral = collateral
        self.lst = Token(world.book.tokens["LST"], DECIMALS["LST"])
        self.weth = Token(world.book.tokens["WETH"], DECIMALS["WETH"])
        self.pool = world.book.pools[POOL]

    def set_spot(self, ratio: int) -> None:
        """Let the governor trade until the pool's price is ``ratio``, WAD WETH per 1.0 LST."""
        token_in, token_out = (
            (self.lst, self.weth) if ratio < self.spot() else (self.weth, self.lst)
        )
        is_lst_first = int(self.lst.address, 16) < int(self.weth.address, 16)
        limit = sqrt_price_x96(ratio if is_lst_first else WAD * WAD // ratio, 18, 18)
        owner = self.world.governor
        data = swap_exact_in(
            token_in.address, token_out.address, POOL_FEE, owner, STOCK // 2, 0, limit
        )
        router = self.world.named("SwapRouter").address
        RpcSender(self.world.rpc, owner).send(router, data, "move LST/WETH")

    def spot(self) -> int:
        """Return the pool's price now, WAD WETH per 1.0 LST."""
        return spot_price(self.world.rpc, self.pool, self.lst, self.weth)

    def proceeds(self, amount: int) -> int:
        """Return what selling LST (raw units) into the pool would bring now, WAD dollars."""
        path = swap_path(self.lst.address, POOL_FEE, self.weth.address)
        ether = quote_exact_in(self.world.named("QuoterV2"), path, amount)
        return ether * int(self.world.latest("ETH").price) // WAD

    def look(self, seconds: int, *, feed_ratio: int) -> None:
        """Let time pass; feeds answer again, the peg is poked.

        Args:
            seconds: until then.
            feed_ratio: what the feed of LST/ETH answers, WAD.
        """
        self.world.skip(seconds)
        self.world.refresh({RATIO_ASSET: feed_ratio})
        self.world.poke_peg(PEG)

    def enter(self, amount: int, sizes: Mapping[str, int]) -> None:
        """Let people put LST (raw units) in and go long ETH, each by her size (WAD)."""
        for who, size in sizes.items():
            self.world.deposit(who, self.world.named("LST"), self.collateral, amount)
            self.world.trade(who, size).require(f"{who}'s trade")


def stock_up(world: IncidentWorld) -> None:
    """Give the governor LST and WETH to move the pool with."""
    lst, weth = world.named("LST"), world.named("WETH")
    world.send_ether(weth, "deposit", 2 * STOCK)
    world.approve(weth, "deployer", lst)
    world.send(lst, "deposit", STOCK, world.governor)


def at_redemption(world: IncidentWorld) -> int:
    """List LST at its redemption rate, past the peg monitor; return the collateral's id."""
    rate_kind, growth = 2, WAD // 1_000
    token = world.named("LST")
    adapter = world.deploy("ExchangeRateAdapter", token.address, rate_kind, growth)
    world.price("LST-RATE", [Vote(adapter.address)])
    world.derive_product("LST-PAR", "LST-RATE", "ETH")
    return world.list_collateral(PEG, token, "LST-PAR", haircut=BASE_HAIRCUT)
