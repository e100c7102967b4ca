"""What a devnet's oracle reads besides pools: feeds, and a Pyth that says what it is told."""

from __future__ import annotations

from collections.abc import Iterator

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.oracle_models import PythSource

USD_FEED_DECIMALS = 8
RATIO_FEED_DECIMALS = 18
PYTH_UPDATE_FEE = 1
"""Wei per update."""
PYTH_EXPONENT = -8
_PYTH_SCALE = 10 ** (18 + PYTH_EXPONENT)


def publish_price(rpc: Rpc, book: AddressBook, asset: str, price: int) -> None:
    """Let every feed of an asset answer a price now, and let the oracle record it.

    One that moved beyond ``max_move`` is recorded as unconfirmed: see ``confirm_price``.

    Args:
        rpc: the devnet's node.
        book: its address book.
        asset: ``"ETH"``, ``"BTC"`` or ``"LST/ETH"``.
        price: WAD.
    """
    for name in book.feeds:
        if name.rpartition("-")[0] == asset:
            feed = book.contract(rpc, name)
            answer = price // 10 ** (18 - feed_decimals(asset))
            feed.transact("setAnswer", answer, sender=book.deployer)
    for source in _pyth_sources(book, asset):
        update_pyth(rpc, book.contract(rpc, source.pyth), source.feed_id, price, book.deployer)
    oracle = book.contract(rpc, "OracleAggregator")
    oracle.transact("record", asset_id(asset), sender=book.deployer)


def confirm_price(rpc: Rpc, book: AddressBook, asset: str) -> None:
    """Let the oracle see a price again that it has not confirmed yet; the clock jumps until then.

    Does nothing if the price that the oracle has is confirmed.

    Args:
        rpc: the devnet's node.
        book: its address book.
        asset: one that has sources.
    """
    oracle = book.contract(rpc, "OracleAggregator")
    waiting = oracle.call("confirmation", asset_id(asset))
    if waiting.candidate == 0:
        return
    config, _ = oracle.call("assetConfig", asset_id(asset))
    rpc.set_next_timestamp(max(rpc.timestamp(), waiting.candidateAt + config.confirmationDelay))
    oracle.transact("record", asset_id(asset), sender=book.deployer)


def refresh_feeds(rpc: Rpc, book: AddressBook) -> None:
    """Let every feed publish its answer again, now: an untouched devnet would run out of prices."""
    for name in book.feeds:
        feed = book.contract(rpc, name)
        answer = feed.call("latestRoundData").answer
        feed.transact("setAnswer", answer, sender=book.deployer)
    for source in _pyth_sources(book):
        pyth = book.contract(rpc, source.pyth)
        mantissa = pyth.call("getPriceUnsafe", bytes.fromhex(source.feed_id[2:])).price
        update_pyth(rpc, pyth, source.feed_id, mantissa * _PYTH_SCALE, book.deployer)


def update_pyth(rpc: Rpc, pyth: Contract, feed_id: str, price: int, sender: str) -> None:
    """Let a devnet's Pyth have a price of a feed that is published now.

    Pyth keeps only what is newer than what it has: if it has a price of this second already, the
    next block is a second later.

    Args:
        rpc: the devnet's node.
        pyth: a ``DevPyth``.
        feed_id: 32 bytes, as 0x….
        price: WAD; what is finer than 10^-8 is cut off.
        sender: who pays Pyth's fee.
    """
    mantissa, identity = price // _PYTH_SCALE, bytes.fromhex(feed_id[2:])
    at = rpc.timestamp()
    if pyth.call("priceFeedExists", identity):
        last = pyth.call("getPriceUnsafe", identity).publishTime
        if last >= at:
            at = last + 1
            rpc.set_next_timestamp(at)
    fields = (identity, mantissa, 0, PYTH_EXPONENT, mantissa, 0, at, at - 1)
    update = pyth.call("createPriceFeedUpdateData", *fields)
    pyth.transact("updatePriceFeeds", [update], sender=sender, value=PYTH_UPDATE_FEE)


def feed_decimals(asset: str) -> int:
    """Return the decimals of an asset's devnet feeds."""
    return RATIO_FEED_DECIMALS if "/" in asset else USD_FEED_DECIMALS


def _pyth_sources(book: AddressBook, asset: str | None = None) -> Iterator[PythSource]:
    """Yield the feeds of the book's Pyth contracts, of one asset or of all."""
    for entry in book.parameters.oracle:
        for source in entry.sources:
            if not isinstance(source, PythSource) or source.pyth not in book.oracles:
                continue
            if asset in (None, entry.name):
                yield source
