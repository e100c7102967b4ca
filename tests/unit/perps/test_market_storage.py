"""A market written slot by slot is what the struct's own layout says, whatever is in it."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

ETH = 0
WAD = 10**18
FIELDS = (
    *((0, 0, 128), (0, 128, 128), (1, 0, 128), (1, 128, 64), (1, 192, 40)),
    *((1, 232, 16), (1, 248, 8)),
)
MORE = ((2, 0, 128), (2, 128, 64), (2, 192, 40), (3, 0, 256))


@pytest.fixture
def slot(world, fund):
    """Return where the market lies: the mapping whose entry has a trade's open interest."""
    fund("alice")
    world.trade("alice", 7 * WAD)
    for number in range(8):
        found = int.from_bytes(keccak(bytes(32) + number.to_bytes(32, "big")), "big")
        if read(world, found) == 7 * WAD:
            return found
    raise AssertionError("no slot has what was bought")


def read(world, place):
    """Return a storage word of the exchange."""
    raw = world.rpc.request("eth_getStorageAt", [world.perps.address, hex(place), "latest"])
    return int(raw, 16)


signed = st.integers(-(10**24), 10**24)
rates = st.integers(-(10**16), 10**16)


@given(
    st.tuples(
        *(st.integers(1, 10**24), st.integers(1, 10**24), signed, rates, signed),
        *(rates, st.integers(1, 10**6), st.integers(-(10**50), 10**50)),
    )
)
def test_poke__in_the_same_second__reads_and_writes_all_fields_as_they_are(world, slot, values):
    long, short, quote, rate, cumulative, premium, left, product = values
    now = world.now + 5
    # The gain is that of tier 0, in which a poke leaves it; the market is being wound down.
    fields = (long, short, quote, rate, now, 10_000, 1, cumulative, premium, now + left, product)
    words = [0] * 4
    for (word, shift, bits), value in zip((*FIELDS, *MORE), fields, strict=True):
        words[word] |= (value % 2**bits) << shift
    for i, word in enumerate(words):
        world.store(world.perps, slot + i, word)
    assert tuple(world.perps.call("marketState", ETH)) == fields
    world.rpc.set_next_timestamp(now)
    world.perps.transact("poke", ETH, sender=world.address("keeper"))
    assert [read(world, slot + i) for i in range(4)] == words
    assert tuple(world.perps.call("marketState", ETH)) == fields
