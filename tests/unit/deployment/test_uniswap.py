"""Real pools at the price that was asked for, and swaps that move it as they should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import ensure_compiled
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, ContractReverted
from bulkhead.deployment.devnet import (
    DevnetOptions,
    confirm_price,
    deploy_devnet,
    publish_price,
    refresh_feeds,
)
from bulkhead.deployment.sender import RpcSender
from bulkhead.deployment.uniswap import (
    MAX_TICK,
    MIN_TICK,
    Token,
    price_of_sqrt,
    quote_exact_in,
    range_ticks,
    spot_price,
    sqrt_price_x96,
    swap_exact_in,
    swap_exact_in_path,
    swap_path,
)

WAD = 10**18
FEE = 500


@given(st.integers(10**9, 10**30), st.sampled_from([(18, 18), (18, 6), (6, 18), (8, 18)]))
def test_sqrt_price__there_and_back__same_price(price, decimals):
    root = sqrt_price_x96(price, *decimals)
    assert abs(price_of_sqrt(root, *decimals) - price) <= price // 10**8 + 1


def test_sqrt_price__one__is_two_to_the_96():
    assert sqrt_price_x96(WAD, 18, 18) == 2**96


@given(
    st.integers(10**12, 10**27),
    st.integers(WAD + 10**14, 10 * WAD),
    st.sampled_from([10, 60, 200]),
    st.sampled_from([(18, 18), (18, 6), (6, 18)]),
)
def test_range_ticks__around_the_price__contain_it(price, width, spacing, decimals):
    lower, upper = range_ticks(price, width, *decimals, spacing)
    assert MIN_TICK <= lower < upper <= MAX_TICK
    assert lower % spacing == upper % spacing == 0

    def price_at(tick: int) -> float:
        return 1.0001**tick * 10 ** (decimals[0] - decimals[1])

    assert price_at(lower) <= price / width * 1.000001
    assert price_at(upper) >= price * width / WAD / WAD * 0.999999


def test_range_ticks__no_width__everything():
    assert range_ticks(WAD, 0, 18, 18, 10) == (-887_270, 887_270)


@pytest.fixture(scope="module")
def spot():
    """A devnet with pools."""
    with Anvil(base_fee=0) as anvil:
        sender = RpcSender(anvil.rpc, anvil.accounts[0].address)
        options = DevnetOptions(spot_markets=True)
        yield anvil.rpc, deploy_devnet(sender, options, artifacts=ensure_compiled())


@pytest.fixture
def rpc(spot):
    snapshot = spot[0].snapshot()
    yield spot[0]
    spot[0].revert(snapshot)


@pytest.fixture
def book(spot):
    return spot[1]


@pytest.fixture
def price(rpc, book):
    def _price(name: str) -> int:
        base, quote = (Token(book.tokens[s], book.decimals[s]) for s in name.split("/"))
        return spot_price(rpc, book.pools[name], base, quote)

    return _price


@pytest.fixture
def sell(rpc, book):
    def _sell(token_in: str, token_out: str, amount: int, who: str = "alice") -> None:
        address = book.accounts[who]
        data = swap_exact_in(book.tokens[token_in], book.tokens[token_out], FEE, address, amount)
        assert rpc.send_sync(address, book.contracts["SwapRouter"], data).success

    return _sell


def test_pools__new__at_the_oracles_price(rpc, book, price):
    assert abs(price("WETH/USDB") - 3_000 * WAD) < 3_000 * WAD // 10**9
    assert price("LST/WETH") == WAD
    oracle = book.contract(rpc, "OracleAggregator")
    for asset, expected in (("ETH", 3_000 * WAD), ("BTC", 60_000 * WAD), ("LST/ETH", WAD)):
        answer = oracle.call("aggregate", asset_id(asset))
        assert answer.status == 3
        assert answer.price == expected


def test_twap_adapters__new_chain__answer_at_once(rpc, book):
    for asset, index in (("ETH", 2), ("LST/ETH", 0)):
        adapter = book.adapters[asset][index]
        abi = ensure_compiled()["UniswapV3TwapAdapter"].abi
        answer = Contract(rpc, adapter, abi, "twap").call("latest")
        assert abs(answer.oraclePrice / WAD - {"ETH": 3_000, "LST/ETH": 1}[asset]) < 1


def test_swap__small__moves_little(rpc, book, sell, price):
    sell("WETH", "USDB", WAD)
    assert 2_999 * WAD < price("WETH/USDB") < 3_000 * WAD


def test_swap__there_and_back__costs_the_fee_twice(rpc, book, sell):
    weth, usdb = book.contract(rpc, "WETH"), book.contract(rpc, "USDB")
    alice = book.accounts["alice"]
    ether, dollars = weth.call("balanceOf", alice), usdb.call("balanceOf", alice)
    amount = 30_000 * 10**6
    sell("USDB", "WETH", amount)
    sell("WETH", "USDB", weth.call("balanceOf", alice) - ether)
    paid = dollars - usdb.call("balanceOf", alice)
    # At most 1 − (1 − fee)²: what the fee kept back did not go all the way back down the curve.
    most = amount - amount * (10**6 - FEE) ** 2 // 10**12
    assert most * 999 // 1_000 <= paid <= most


def test_swap__large__slips_more_than_in_proportion(rpc, book):
    quoter = book.contract(rpc, "QuoterV2")
    path = swap_path(book.tokens["WETH"], FEE, book.tokens["USDB"])
    small, large = (quote_exact_in(quoter, path, n * WAD) / n for n in (10, 2_000))
    assert 2_900e6 < large < small < 3_000e6


def test_swap__path_over_two_pools__as_quoted(rpc, book):
    alice, quoter = book.accounts["alice"], book.contract(rpc, "QuoterV2")
    usdb = book.contract(rpc, "USDB")
    path = swap_path(book.tokens["LST"], FEE, book.tokens["WETH"], FEE, book.tokens["USDB"])
    quoted = quote_exact_in(quoter, path, 100 * WAD)
    before = usdb.call("balanceOf", alice)
    data = swap_exact_in_path(path, alice, 100 * WAD, minimum_out=quoted)
    assert rpc.send_sync(alice, book.contracts["SwapRouter"], data).success
    assert usdb.call("balanceOf", alice) - before == quoted


def test_quote__more_than_there_is__reverts(rpc, book):
    quoter = book.contract(rpc, "QuoterV2")
    with pytest.raises(ContractReverted):
        quote_exact_in(quoter, swap_path(book.tokens["LST"], 3_000, book.tokens["WETH"]), WAD)


def test_depeg__lasting_sale__reaches_peg_monitor_and_breaker(rpc, book, sell, price):
    """A forced sale moves the pool, the TWAP follows, the peg monitor and the breaker see it."""
    monitor, breaker = book.contract(rpc, "PegMonitor"), book.contract(rpc, "CircuitBreaker")
    keeper = book.accounts["keeper"]
    sell("LST", "WETH", 3_000 * WAD, who="alice")
    sell("LST", "WETH", 2_500 * WAD, who="bob")
    assert price("LST/WETH") < WAD * 96 // 100
    rpc.mine(rpc.timestamp() + 1_200)
    refresh_feeds(rpc, book)
    publish_price(rpc, book, "LST/ETH", price("LST/WETH"))
    confirm_price(rpc, book, "LST/ETH")
    monitor.transact("poke", asset_id("LST"), sender=keeper)
    assert monitor.call("valuation", asset_id("LST")).discount > WAD * 4 // 100
    breaker.transact("poke", sender=keeper)
    assert breaker.call("tier") >= 1


def test_observations__many_blocks__window_stays_covered(rpc, book, sell):
    """A swap in each of many blocks must not push the window's start out of the pool's memory."""
    pool = book.contract(rpc, "WETH/USDB")
    for _ in range(30):
        sell("WETH", "USDB", 10**15)
        rpc.mine(rpc.timestamp() + 20)
    cumulatives, _ = pool.call("observe", (600, 0))
    assert len(cumulatives) == 2
    assert pool.call("slot0").observationCardinalityNext == 720


def test_callee__deployed__knows_the_engine(rpc, book):
    callee = book.contract(rpc, "UniswapV3AuctionCallee")
    with pytest.raises(ContractReverted, match="NotLiquidationEngine"):
        callee.call("onAuctionTake", book.tokens["LST"], 1, 1, b"")


def test_positions__deployed__describe_themselves(rpc, book):
    positions = book.contract(rpc, "NonfungiblePositionManager")
    assert positions.call("tokenURI", 1).startswith("data:application/json;base64,")
