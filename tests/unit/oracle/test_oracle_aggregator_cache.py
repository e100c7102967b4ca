"""The cache: when it answers, when it is refreshed, when it must not be trusted any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
HOUR = 3_600


@pytest.fixture
def recorded(aggregator, configure, publish, sources, governor, chain):
    """Three sources at 100, published ``age`` seconds before the aggregate was recorded."""

    def _recorded(age=0):
        configure(sources[:3])
        publish(sources[:3], [100 * WAD] * 3, age=age)
        aggregator.record(ETH, sender=governor)
        return chain.blocks.head.timestamp

    return _recorded


@pytest.fixture
def at(chain):
    """Mine a block at the given time."""

    def _at(timestamp):
        chain.mine(timestamp=timestamp)

    return _at


def test_latest__cache_at_its_age_limit__answers_cached(
    recorded, at, calls, aggregator, sources, publish
):
    then = recorded()
    publish(sources[:3], [101 * WAD] * 3)
    at(then + 60)
    assert calls.call(aggregator, "latest", ETH) == (
        100 * WAD,
        0,
        calls.call(aggregator, "latest", ETH)[2],
        then,
        VALID,
    )


def test_latest__cache_past_its_age_limit__answers_live(
    recorded, at, calls, aggregator, sources, publish
):
    then = recorded()
    publish(sources[:3], [101 * WAD] * 3)
    at(then + 61)
    price, _, _, recorded_at, status = calls.call(aggregator, "latest", ETH)
    assert (price, recorded_at, status) == (101 * WAD, then + 61, VALID)


def test_latest__oldest_member_past_its_limit__answers_live(
    recorded, at, calls, aggregator, sources, publish
):
    """Caching must not let a price outlive ``maxStaleness``."""
    then = recorded(age=HOUR - 20)
    (_, _, published_at, _, _) = calls.call(aggregator, "latest", ETH)
    at(published_at + HOUR)
    assert calls.call(aggregator, "latest", ETH) == (100 * WAD, 0, published_at, then, VALID)
    # The sources were published a second apart: now the oldest is out, and two are a quorum.
    now = published_at + HOUR + 1
    at(now)
    assert now < then + 60
    assert calls.call(aggregator, "latest", ETH) == (100 * WAD, 0, published_at + 1, now, VALID)
    at(now + 1)
    assert calls.call(aggregator, "latest", ETH)[::4] == (100 * WAD, STALE)


def test_latest__cache_expired_and_no_quorum__stale_in_the_view(
    recorded, at, calls, aggregator, sources, governor
):
    then = recorded()
    for source in sources[:2]:
        source.setMode(1, 0, sender=governor)
    assert calls.call(aggregator, "latest", ETH)[4] == VALID
    at(then + 61)
    price, _, _, recorded_at, status = calls.call(aggregator, "latest", ETH)
    assert (price, recorded_at, status) == (100 * WAD, then, STALE)


def test_fetch__fresh_cache__writes_nothing(recorded, aggregator, sources, publish, governor):
    recorded()
    publish(sources[:3], [101 * WAD] * 3)
    receipt = aggregator.fetch(ETH, sender=governor)
    assert not receipt.events


def test_fetch__expired_cache__records(
    recorded, at, calls, aggregator, sources, publish, governor, cache_of
):
    then = recorded()
    publish(sources[:3], [101 * WAD] * 3)
    at(then + 100)
    receipt = aggregator.fetch(ETH, sender=governor)
    (event,) = receipt.decode_logs(aggregator.PriceRecorded)
    assert event.data[0] == 101 * WAD
    assert cache_of() % 2**96 == 101 * WAD


def test_fetch__stale_cache__asks_again_at_once(recorded, calls, aggregator, sources, governor):
    recorded()
    for source in sources[:2]:
        source.setMode(1, 0, sender=governor)
    aggregator.record(ETH, sender=governor)
    assert calls.call(aggregator, "latest", ETH)[4] == STALE
    for source in sources[:2]:
        source.setMode(0, 0, sender=governor)
    aggregator.fetch(ETH, sender=governor)
    assert calls.call(aggregator, "latest", ETH)[4] == VALID


def test_record__no_quorum__keeps_price_and_times(recorded, calls, aggregator, sources, governor):
    then = recorded(age=7)
    before = calls.call(aggregator, "latest", ETH)
    for source in sources[:2]:
        source.setMode(1, 0, sender=governor)
    aggregator.record(ETH, sender=governor)
    assert calls.call(aggregator, "latest", ETH) == (*before[:4], STALE)
    assert before[3] == then


def test_record__degraded__is_cached_too(aggregator, configure, publish, sources, governor, calls):
    configure(sources[:3])
    publish(sources[:3], [100 * WAD, 100 * WAD, 200 * WAD])
    aggregator.record(ETH, sender=governor)
    publish(sources[:3], [101 * WAD] * 3)
    assert calls.call(aggregator, "latest", ETH)[::4] == (100 * WAD, DEGRADED)


def test_record__cache__fills_one_slot(recorded, cache_of, calls, aggregator):
    then = recorded(age=7)
    price, _, published_at, recorded_at, status = calls.call(aggregator, "latest", ETH)
    word = price | published_at << 128 | recorded_at << 168 | status << 248
    assert cache_of() == word | (then + 60) << 208


def test_record__cache__keeps_billionths_of_confidence(
    aggregator, configure, publish, sources, governor, cache_of, calls
):
    """A third of a wei in 100: the billionths are rounded up, and so is what they come to."""
    configure(sources[:3])
    publish(sources[:3], [3 * WAD] * 3, confidence=WAD // 10**9 + 1)
    aggregator.record(ETH, sender=governor)
    assert cache_of() >> 96 & (2**32 - 1) == 1
    assert calls.call(aggregator, "latest", ETH)[1] == 3 * 10**9


def test_fetch__zero_cache_age__answers_cached_within_the_block_only(
    aggregator, configure, sources, governor, publish, calls, at, chain, defaults
):
    configure(sources[:3], config=replace(defaults, max_cache_age=0))
    publish(sources[:3], [100 * WAD] * 3)
    aggregator.record(ETH, sender=governor)
    then = chain.blocks.head.timestamp
    changed = {source.address: {2: 101 * WAD} for source in sources[:3]}
    assert calls.call(aggregator, "latest", ETH, overrides=changed)[0] == 100 * WAD
    at(then + 1)
    assert calls.call(aggregator, "latest", ETH, overrides=changed)[0] == 101 * WAD


def test_fetch__fresh_cache__within_gas_budget(recorded, aggregator, chain, calls):
    """8k gas beyond what any transaction pays for existing: 21,000 and its data."""
    recorded()
    data = aggregator.fetch.encode_input(ETH)
    intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
    used = chain.provider.web3.eth.estimate_gas(
        {"to": aggregator.address, "data": "0x" + bytes(data).hex()}
    )
    print("fetch, fresh cache:", used - intrinsic)
    assert used - intrinsic <= 8_000
