"""Real Uniswap v3: the contracts of its npm packages, pools with liquidity, and swaps.

Prices are WAD of quote per 1.0 of base unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext
from math import isqrt
from typing import Any, NamedTuple

from bulkhead.chain.artifacts import Artifact, uniswap_abi, uniswap_artifact
from bulkhead.chain.contract import Contract, Function, interface_of
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.sender import DeploymentError, RpcSender
from bulkhead.deployment.units import WAD

Q192 = 1 << 192
MIN_TICK, MAX_TICK = -887_272, 887_272
TICK_SPACINGS = {500: 10, 3_000: 60, 10_000: 200}
"""Tick spacing by fee, in millionths, as the factory has them."""
NO_DEADLINE = 2**48
CARDINALITY_STEP = 200
"""Observation slots added per transaction: 20,000 gas each."""


class Token(NamedTuple):
    """A token of a pool: where it is, and its decimals."""

    address: str
    decimals: int


class Range(NamedTuple):
    """A part of a pool's liquidity.

    Attributes:
        width: the range reaches from price / width to price · width, WAD > 1.0; 0: everything.
        share: parts of the pool's value.
    """

    width: int
    share: int


def _width(text: str) -> int:
    return int(Decimal(text) * WAD)


CORRELATED_RANGES = (
    Range(_width("1.005"), 40),
    Range(_width("1.03"), 30),
    Range(_width("1.15"), 20),
    Range(_width("2"), 7),
    Range(0, 3),
)
"""For two tokens that should trade near their rate: dense there, thin further out."""

VOLATILE_RANGES = (
    Range(_width("1.03"), 25),
    Range(_width("1.12"), 35),
    Range(_width("1.5"), 25),
    Range(0, 15),
)
"""For a pair whose price moves: broader, and some liquidity at every price."""


@dataclass(frozen=True, slots=True)
class Uniswap:
    """The deployed venue. All attributes are contracts ready to call."""

    factory: Contract
    router: Contract
    positions: Contract
    quoter: Contract

    @property
    def contracts(self) -> dict[str, str]:
        """Addresses by contract name."""
        return {c.name: c.address for c in (self.factory, self.router, self.positions, self.quoter)}


def deploy_uniswap(sender: RpcSender, weth: str) -> Uniswap:
    """Deploy factory, router, position manager (with its descriptor) and quoter.

    Raises:
        DeploymentError: a step failed.
        ArtifactError: the npm packages are not installed.
    """
    factory = _deploy(sender, uniswap_artifact("UniswapV3Factory"))
    library = _deploy(sender, uniswap_artifact("NFTDescriptor"))
    descriptor = _deploy(
        sender,
        uniswap_artifact("NonfungibleTokenPositionDescriptor", {"NFTDescriptor": library.address}),
        weth,
        b"ETH".ljust(32, b"\0"),
    )
    return Uniswap(
        factory=factory,
        router=_deploy(sender, uniswap_artifact("SwapRouter"), factory.address, weth),
        positions=_deploy(
            sender,
            uniswap_artifact("NonfungiblePositionManager"),
            factory.address,
            weth,
            descriptor.address,
        ),
        quoter=_deploy(sender, uniswap_artifact("QuoterV2"), factory.address, weth),
    )


def create_pool(
    sender: RpcSender,
    uniswap: Uniswap,
    base: Token,
    quote: Token,
    fee: int,
    price: int,
    cardinality: int = 1,
) -> Contract:
    """Create and initialise a pool.

    Args:
        sender: pays.
        uniswap: the venue.
        base, quote: its tokens.
        fee: millionths: 500, 3,000 or 10,000.
        price: WAD quote per 1.0 of base.
        cardinality: observations to keep: a TWAP reaches back over as many blocks with swaps.

    Raises:
        DeploymentError: a step failed; such a pool exists already, say.
    """
    _transact(sender, uniswap.factory, "createPool", base.address, quote.address, fee)
    address = uniswap.factory.call("getPool", base.address, quote.address, fee)
    pool = Contract(sender.rpc, address, uniswap_abi("UniswapV3Pool"), "UniswapV3Pool")
    token0, token1, price0 = _ordered(base, quote, price)
    _transact(sender, pool, "initialize", sqrt_price_x96(price0, token0.decimals, token1.decimals))
    for size in (*range(CARDINALITY_STEP, cardinality, CARDINALITY_STEP), cardinality):
        if size > 1:
            _transact(sender, pool, "increaseObservationCardinalityNext", size)
    return pool


def add_liquidity(
    sender: RpcSender,
    uniswap: Uniswap,
    base: Token,
    quote: Token,
    fee: int,
    price: int,
    amount_base: int,
    ranges: Sequence[Range],
) -> None:
    """Mint a pool's liquidity in several ranges around its price.

    Args:
        sender: holds and provides both tokens, and keeps the positions.
        uniswap: the venue.
        base, quote: the pool's tokens.
        fee: the pool's fee, in millionths.
        price: WAD quote per 1.0 of base: the pool's price.
        amount_base: raw units of base over all ranges; as much in value of quote is added.
        ranges: how it is spread.

    Raises:
        DeploymentError: a step failed.
    """
    amount_quote = amount_base * price * 10**quote.decimals // (WAD * 10**base.decimals)
    for token in (base, quote):
        contract = Contract(sender.rpc, token.address, _ERC20, "ERC20")
        _transact(sender, contract, "approve", uniswap.positions.address, 2**256 - 1)
    token0, token1, price0 = _ordered(base, quote, price)
    whole = sum(part.share for part in ranges)
    for part in ranges:
        share_base = amount_base * part.share // whole
        share_quote = amount_quote * part.share // whole
        is_base_first = token0.address == base.address
        lower, upper = range_ticks(
            price0, part.width, token0.decimals, token1.decimals, TICK_SPACINGS[fee]
        )
        parameters = {
            "token0": token0.address,
            "token1": token1.address,
            "fee": fee,
            "tickLower": lower,
            "tickUpper": upper,
            "amount0Desired": share_base if is_base_first else share_quote,
            "amount1Desired": share_quote if is_base_first else share_base,
            "amount0Min": 0,
            "amount1Min": 0,
            "recipient": sender.address,
            "deadline": NO_DEADLINE,
        }
        _transact(sender, uniswap.positions, "mint", parameters)


# ---------------------------------------------------------------------- prices


def sqrt_price_x96(price: int, decimals0: int, decimals1: int) -> int:
    """Return √(raw token1 / raw token0) in Q64.96, rounded down.

    Args:
        price: WAD of token1 per 1.0 of token0.
        decimals0: of token0.
        decimals1: of token1.
    """
    return isqrt(price * 10**decimals1 * Q192 // (WAD * 10**decimals0))


def price_of_sqrt(sqrt_price: int, decimals0: int, decimals1: int) -> int:
    """Return WAD of token1 per 1.0 of token0, rounded down: the inverse of ``sqrt_price_x96``."""
    return int(sqrt_price**2 * WAD * 10**decimals0 // (10**decimals1 * Q192))


def spot_price(rpc: Rpc, pool: str, base: Token, quote: Token) -> int:
    """Return a pool's price now, WAD of quote per 1.0 of base, rounded down."""
    contract = Contract(rpc, pool, uniswap_abi("UniswapV3Pool"), "UniswapV3Pool")
    root = int(contract.call("slot0").sqrtPriceX96)
    if int(base.address, 16) < int(quote.address, 16):
        return price_of_sqrt(root, base.decimals, quote.decimals)
    # WAD · (raw base / raw quote) of one base, all in one quotient.
    return int(WAD * 10**base.decimals * Q192 // (root**2 * 10**quote.decimals))


def range_ticks(
    price: int, width: int, decimals0: int, decimals1: int, spacing: int
) -> tuple[int, int]:
    """Return the ticks of price / width and price · width, on the pool's spacing, never the same.

    Args:
        price: WAD of token1 per 1.0 of token0.
        width: WAD factor; 0: the whole range.
        decimals0: of token0.
        decimals1: of token1.
        spacing: the pool's tick spacing.
    """
    lowest = -(MAX_TICK // spacing) * spacing
    if width == 0:
        return lowest, -lowest
    with localcontext(prec=50):
        raw = Decimal(price) * 10**decimals1 / (Decimal(WAD) * 10**decimals0)
        step = Decimal("1.0001").ln()
        middle = raw.ln() / step
        reach = (Decimal(width) / WAD).ln() / step
        lower = _floor((middle - reach) / spacing) * spacing
        upper = (_floor((middle + reach) / spacing) + 1) * spacing
    return max(lower, lowest), min(upper, -lowest)


def _floor(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_FLOOR))


# ---------------------------------------------------------------------- swaps


def swap_exact_in(
    token_in: str,
    token_out: str,
    fee: int,
    recipient: str,
    amount_in: int,
    minimum_out: int = 0,
    sqrt_price_limit: int = 0,
) -> bytes:
    """Return the router's calldata that sells exactly ``amount_in`` in one pool.

    Args:
        token_in, token_out: addresses.
        fee: the pool's, in millionths.
        recipient: gets what is bought.
        amount_in: raw units; the router needs an allowance.
        minimum_out: raw units; less reverts.
        sqrt_price_limit: Q64.96 root at which to stop selling; 0: none.
    """
    parameters = {
        "tokenIn": token_in,
        "tokenOut": token_out,
        "fee": fee,
        "recipient": recipient,
        "deadline": NO_DEADLINE,
        "amountIn": amount_in,
        "amountOutMinimum": minimum_out,
        "sqrtPriceLimitX96": sqrt_price_limit,
    }
    return _router("exactInputSingle").encode((parameters,))


def swap_exact_in_path(path: bytes, recipient: str, amount_in: int, minimum_out: int = 0) -> bytes:
    """Return the router's calldata that sells exactly ``amount_in`` along a path of pools."""
    parameters = {
        "path": path,
        "recipient": recipient,
        "deadline": NO_DEADLINE,
        "amountIn": amount_in,
        "amountOutMinimum": minimum_out,
    }
    return _router("exactInput").encode((parameters,))


def swap_path(*hops: str | int) -> bytes:
    """Return a path for router and quoter: token, fee, token, fee, …, token."""
    return b"".join(
        hop.to_bytes(3, "big") if isinstance(hop, int) else bytes.fromhex(hop[2:]) for hop in hops
    )


def quote_exact_in(quoter: Contract, path: bytes, amount_in: int) -> int:
    """Return what selling ``amount_in`` along a path would bring now, in raw units.

    Raises:
        ContractReverted: the pools cannot fill it.
    """
    return int(quoter.call("quoteExactInput", path, amount_in).amountOut)


# ---------------------------------------------------------------------- internal


def _router(function: str) -> Function:
    return interface_of(uniswap_abi("SwapRouter")).function(function)


def _ordered(base: Token, quote: Token, price: int) -> tuple[Token, Token, int]:
    """Return token0, token1 and the WAD price of token0 in token1."""
    if int(base.address, 16) < int(quote.address, 16):
        return base, quote, price
    return quote, base, WAD * WAD // price


def _deploy(sender: RpcSender, artifact: Artifact, *args: Any) -> Contract:
    data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
    sent = sender.send(None, data, f"deploy {artifact.name}")
    if sent.created is None:
        raise DeploymentError(f"deploy {artifact.name}: no contract was created")
    return Contract(sender.rpc, sent.created, artifact.abi, artifact.name)


def _transact(sender: RpcSender, contract: Contract, function: str, *args: Any) -> None:
    data = contract.encode(function, *args)
    sender.send(contract.address, data, f"{contract.name}.{function}")


_ERC20 = [
    {
        "type": "function",
        "name": "approve",
        "inputs": [{"type": "address", "name": "spender"}, {"type": "uint256", "name": "value"}],
        "outputs": [{"type": "bool", "name": ""}],
    }
]
