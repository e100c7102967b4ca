"""A real Uniswap v3 pool with one full-range position, adapters on it, and people who swap.

Blocks are mined by hand: what is sent before ``mine`` shares a block, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from bulkhead.chain.artifacts import Artifacts, uniswap_abi
from bulkhead.chain.contract import Contract, interface_of
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.sender import DeploymentError, RpcSender
from bulkhead.deployment.uniswap import (
    MAX_TICK,
    Q192,
    Range,
    Token,
    Uniswap,
    add_liquidity,
    create_pool,
    deploy_uniswap,
    swap_exact_in,
)
from bulkhead.deployment.units import WAD
from bulkhead.experiments.constant_product import PRECISION, resting_factor, root_factor

FEE = 500
BASE_DECIMALS, QUOTE_DECIMALS = 18, 6
PRICE = 3_000
BLOCK_SECONDS = 12
SPARE_OBSERVATIONS = 10
PURSE = 10**33
"""Raw units of either token that everybody has: no attack here is short of money."""
FULL_RANGE = (Range(0, 1),)
_TOUCH_TICKS = 1


class SwapError(Exception):
    """A swap of the experiment failed; the message says which."""


class Balance(NamedTuple):
    """Raw units of both tokens."""

    base: int
    quote: int


class Venue(NamedTuple):
    """What all pools of a run share."""

    rpc: Rpc
    sender: RpcSender
    artifacts: Artifacts
    uniswap: Uniswap
    attacker: str
    arbitrageur: str


def open_venue(rpc: Rpc, accounts: Sequence[str], artifacts: Artifacts) -> Venue:
    """Deploy Uniswap. The node must mine each transaction at once, and hold three accounts.

    Raises:
        DeploymentError: a step failed.
        ArtifactError: the npm packages are not installed.
    """
    sender = RpcSender(rpc, accounts[0])
    weth = deploy(sender, artifacts, "DevWETH9")
    return Venue(
        rpc, sender, artifacts, deploy_uniswap(sender, weth.address), accounts[1], accounts[2]
    )


def deploy(sender: RpcSender, artifacts: Artifacts, name: str, *args: Any) -> Contract:
    """Deploy a contract of the project.

    Raises:
        DeploymentError: its constructor reverted.
    """
    artifact = artifacts[name]
    data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
    sent = sender.send(None, data, f"deploy {name}")
    if sent.created is None:
        raise DeploymentError(f"deploy {name}: no contract was created")
    return Contract(sender.rpc, sent.created, artifact.abi, name)


class AttackedPool:
    """One pool and the adapters that read it.

    Args:
        venue: where.
        value: quote units on each side of the pool.
        windows: seconds of each adapter's TWAP, whole blocks.
        ranges: where the liquidity is.

    Attributes:
        liquidity: in range, the pool's units.
        root: of the first price, Q64.96.
        adapters: by window.

    Raises:
        DeploymentError: a step failed.
    """

    def __init__(
        self,
        venue: Venue,
        value: int,
        windows: Sequence[int],
        ranges: Sequence[Range] = FULL_RANGE,
    ) -> None:
        self.venue = venue
        rpc, sender = venue.rpc, venue.sender
        self.base, self.quote = _deploy_tokens(venue)
        longest = max(windows)
        observations = longest // BLOCK_SECONDS + SPARE_OBSERVATIONS
        args = (self.base, self.quote, FEE, PRICE * WAD)
        created = create_pool(sender, venue.uniswap, *args, observations)
        self.pool = Contract(rpc, created.address, uniswap_abi("UniswapV3Pool"), "UniswapV3Pool")
        amount = value * 10**BASE_DECIMALS // PRICE
        add_liquidity(sender, venue.uniswap, *args, amount, ranges)
        self.liquidity = int(self.pool.call("liquidity"))
        self.root, self.tick = self.spot()
        rpc.set_automine(False)
        # The ring of observations grows with the first swap; another one restores the price.
        rpc.mine(rpc.timestamp() + BLOCK_SECONDS)
        self.buy_up_to(venue.arbitrageur, self.root_at(_TOUCH_TICKS))
        self.mine()
        self.sell_down_to(venue.arbitrageur, self.root)
        self.mine()
        rpc.set_automine(True)
        self.adapters: Mapping[int, Contract] = {
            window: deploy(
                sender,
                venue.artifacts,
                "UniswapV3TwapAdapter",
                self.pool.address,
                self.base.address,
                window,
                max(2, self.liquidity // 2),
                window // BLOCK_SECONDS + 1,
            )
            for window in windows
        }
        rpc.set_automine(False)
        rpc.mine(rpc.timestamp() + longest + BLOCK_SECONDS)

    # ------------------------------------------------------------------ reading

    def spot(self) -> tuple[int, int]:
        """Return the root of the price, Q64.96, and its tick."""
        slot = self.pool.call("slot0")
        return int(slot.sqrtPriceX96), int(slot.tick)

    def twap(self, window: int) -> int:
        """Return what an adapter reports now: WAD of quote per 1.0 of base.

        Raises:
            ContractReverted: it refuses to answer.
        """
        return int(self.adapters[window].call("latest").oraclePrice)

    def root_at(self, ticks: int) -> int:
        """Return the root of a price some ticks above the first one, Q64.96."""
        with localcontext(prec=PRECISION):
            return int(Decimal(self.root) * root_factor(ticks))

    def root_where_arbitrage_ends(self) -> int:
        """Return the root of the least price at which selling base here still pays, Q64.96."""
        with localcontext(prec=PRECISION):
            return int(Decimal(self.root) * resting_factor(FEE)) + 1

    def is_beyond_range(self, ticks: int) -> bool:
        """Return whether a price so many ticks above the first one exists in no pool."""
        return self.tick + ticks >= MAX_TICK

    def balance(self, who: str) -> Balance:
        """Return what somebody holds."""
        held = [
            int(Contract(self.venue.rpc, token.address, _ERC20, "ERC20").call("balanceOf", who))
            for token in (self.base, self.quote)
        ]
        return Balance(*held)

    def value_of_base(self, raw_base: int) -> Decimal:
        """Return the value of base at the first price, in quote units."""
        with localcontext(prec=PRECISION):
            return Decimal(raw_base) * self.root**2 / Q192 / Decimal(10**QUOTE_DECIMALS)

    # ------------------------------------------------------------------ swaps

    def buy_up_to(self, who: str, root: int) -> None:
        """Send a swap of quote for base that ends at a price; it needs ``mine``."""
        self._swap(who, self.quote, self.base, PURSE // 2, root)

    def sell_down_to(self, who: str, root: int) -> None:
        """Send a swap of base for quote that ends at a price; it needs ``mine``."""
        self._swap(who, self.base, self.quote, PURSE // 2, root)

    def sell(self, who: str, raw_base: int) -> None:
        """Send a swap of exactly so much base for quote; it needs ``mine``."""
        self._swap(who, self.base, self.quote, raw_base, 0)

    def mine(self, seconds: int = BLOCK_SECONDS) -> None:
        """Mine what was sent in one block, so many seconds after the latest.

        Raises:
            SwapError: a swap failed.
        """
        rpc = self.venue.rpc
        rpc.mine(rpc.timestamp() + seconds)
        for receipt in rpc.block_receipts("latest"):
            if not receipt.success:
                raise SwapError(f"the swap {receipt.hash} of {receipt.sender} failed")

    def _swap(self, who: str, paid: Token, bought: Token, amount: int, root: int) -> None:
        data = swap_exact_in(paid.address, bought.address, FEE, who, amount, 0, root)
        self.venue.rpc.send(who, self.venue.uniswap.router.address, data)


def _deploy_tokens(venue: Venue) -> tuple[Token, Token]:
    """Return base and quote, in this order by address, so that a dearer base is a higher tick."""
    base = _token(venue, "BASE", BASE_DECIMALS)
    quote = _token(venue, "QUOTE", QUOTE_DECIMALS)
    while int(quote.address, 16) < int(base.address, 16):
        quote = _token(venue, "QUOTE", QUOTE_DECIMALS)
    for token in (base, quote):
        contract = Contract(venue.rpc, token.address, venue.artifacts["DevToken"].abi, "DevToken")
        for who in (venue.sender.address, venue.attacker, venue.arbitrageur):
            contract.transact("mint", who, PURSE, sender=venue.sender.address)
            contract.transact("approve", venue.uniswap.router.address, 2**256 - 1, sender=who)
    return base, quote


def _token(venue: Venue, symbol: str, decimals: int) -> Token:
    args = (symbol, symbol, decimals)
    return Token(deploy(venue.sender, venue.artifacts, "DevToken", *args).address, decimals)


_ERC20 = [
    {
        "type": "function",
        "name": "balanceOf",
        "inputs": [{"type": "address", "name": "account"}],
        "outputs": [{"type": "uint256", "name": ""}],
    }
]
