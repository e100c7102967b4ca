"""Derived assets: inverse, product, quotient; as old and as good as the worst part; no cycles."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import outcome, storage_key
from bulkhead.model.oracle import (
    AssetConfig,
    Derivation,
    FixedSource,
    Operation,
    OracleAggregator,
    PriceData,
    PriceStatus,
    SourceConfig,
    combine,
    invert,
)

WAD = 10**18
MAX_PRICE = 2**96 - 1
HOUR = 3_600
STALE, UNCONFIRMED, DEGRADED, VALID = range(4)
INVERSE, PRODUCT, QUOTIENT = range(3)
RULES = (HOUR, 60, 10_000, 60, WAD // 20, WAD // 20, WAD, 24 * HOUR, 0)
ALL = 10_000

PER_EXAMPLE = settings(max_examples=120, deadline=None)


def asset(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


NOTHING = asset("")
A, B, C = asset("A"), asset("B"), asset("C")
TIMES, OVER, UPSIDE, TWICE, THRICE = (asset(n) for n in ("A*B", "A/B", "1/A", "2", "3"))


@pytest.fixture
def parts(aggregator, sources, governor, publish):
    """Assets A and B, with one source each; nothing is recorded yet."""
    for name, source in ((A, sources[0]), (B, sources[1])):
        aggregator.configure(name, RULES, [(source.address, ALL)], sender=governor)
    publish(sources[:2], [3_000 * WAD, 60_000 * WAD])


@pytest.fixture
def derived(parts, aggregator, governor):
    """Product, quotient and inverse of the parts."""
    aggregator.derive(TIMES, (A, B, PRODUCT), sender=governor)
    aggregator.derive(OVER, (A, B, QUOTIENT), sender=governor)
    aggregator.derive(UPSIDE, (A, NOTHING, INVERSE), sender=governor)


@pytest.fixture
def refused(calls, aggregator, governor):
    """How ``derive`` reverts."""

    def _refused(name, left, right, operation, sender=governor):
        derivation = (left, right, operation)
        return outcome(lambda: calls.call(aggregator, "derive", name, derivation, sender=sender))

    return _refused


# ------------------------------------------------------------------ configuration


def test_derive__not_governor__reverts(parts, refused, stranger):
    assert refused(TIMES, A, B, PRODUCT, stranger)[0] == "RoleRegistry_MissingRole"


@pytest.mark.parametrize("operation", [PRODUCT, QUOTIENT])
def test_derive__unknown_part__reverts(parts, refused, operation):
    unknown = ("OracleAggregator_UnknownAsset", C)
    assert refused(TIMES, C, A, operation) == unknown
    assert refused(TIMES, A, C, operation) == unknown
    assert refused(UPSIDE, C, NOTHING, INVERSE) == unknown


def test_derive__from_itself__reverts(parts, refused):
    """An asset that is not known yet is no part: the first step of every cycle."""
    assert refused(TIMES, TIMES, A, PRODUCT) == ("OracleAggregator_UnknownAsset", TIMES)


def test_derive__inverse_with_a_second_part__reverts(parts, refused):
    assert refused(UPSIDE, A, B, INVERSE) == ("OracleAggregator_UnusedPart", B)


def test_derive__known_asset__reverts(derived, refused):
    assert refused(A, B, B, PRODUCT) == ("OracleAggregator_AlreadyConfigured", A)
    # Else A*B could be made to come from what comes from A*B.
    assert refused(TIMES, A, A, PRODUCT) == ("OracleAggregator_AlreadyConfigured", TIMES)


def test_configure__derived_asset__reverts(derived, calls, aggregator, sources, governor):
    listed = [(sources[2].address, ALL)]
    error = outcome(
        lambda: calls.call(aggregator, "configure", TIMES, RULES, listed, sender=governor)
    )
    assert error == ("OracleAggregator_AlreadyConfigured", TIMES)


def test_derive__deeper_than_three__reverts(derived, aggregator, governor, refused, calls):
    aggregator.derive(THRICE, (A, TIMES, PRODUCT), sender=governor)
    assert calls.call(aggregator, "derivation", A) == ((NOTHING, NOTHING, INVERSE), 1)
    assert calls.call(aggregator, "derivation", TIMES) == ((A, B, PRODUCT), 2)
    assert calls.call(aggregator, "derivation", THRICE) == ((A, TIMES, PRODUCT), 3)
    for left, right in ((THRICE, A), (A, THRICE)):
        error = refused(TWICE, left, right, PRODUCT)
        assert error == ("OracleAggregator_TooDeep", TWICE, 4, 3)
    assert refused(TWICE, THRICE, NOTHING, INVERSE)[0] == "OracleAggregator_TooDeep"


def test_derive__valid__logs_and_shows_no_sources(parts, calls, aggregator, governor):
    receipt = aggregator.derive(OVER, (A, B, QUOTIENT), sender=governor)
    (event,) = receipt.decode_logs(aggregator.AssetDerived)
    assert (event.asset, tuple(event.derivation)) == (OVER, (A, B, QUOTIENT))
    assert calls.call(aggregator, "assetConfig", OVER) == ((0,) * 9, ())


@pytest.mark.parametrize(
    "method", ["derivation", "assetConfig", "latest", "fetch", "record", "aggregate"]
)
def test_any_call__unknown_asset__reverts(derived, calls, aggregator, method):
    error = outcome(lambda: calls.call(aggregator, method, C))
    assert error == ("OracleAggregator_UnknownAsset", C)


# ------------------------------------------------------------------ prices


@pytest.mark.parametrize("method", ["latest", "fetch", "record", "aggregate"])
def test_latest__each_operation__its_price(derived, calls, aggregator, method):
    assert calls.call(aggregator, method, TIMES)[0] == 180_000_000 * WAD
    assert calls.call(aggregator, method, OVER)[0] == WAD // 20
    assert calls.call(aggregator, method, UPSIDE)[0] == WAD // 3_000


def test_latest__quotient_not_whole__rounds_down(derived, calls, aggregator, sources, publish):
    publish(sources[:2], [3 * WAD, 2 * WAD - 1])
    assert calls.call(aggregator, "latest", UPSIDE)[0] == WAD // 3
    assert calls.call(aggregator, "latest", TIMES)[0] == 6 * WAD - 3
    assert calls.call(aggregator, "latest", OVER)[0] == 3 * WAD * WAD // (2 * WAD - 1)


def test_latest__staking_token_in_settlement_units__as_configured(
    aggregator, calls, sources, publish, governor
):
    """LST → ETH → settlement and a cross rate, as configuration: the quickstart's example."""
    eth, ratio, btc = asset("ETH!"), asset("LST/ETH!"), asset("BTC!")
    for name, source in zip((eth, ratio, btc), sources, strict=False):
        aggregator.configure(name, RULES, [(source.address, ALL)], sender=governor)
    publish(sources[:3], [3_000 * WAD, 11 * WAD // 10, 60_000 * WAD])
    aggregator.derive(asset("LST!"), (ratio, eth, PRODUCT), sender=governor)
    aggregator.derive(asset("LST/BTC!"), (asset("LST!"), btc, QUOTIENT), sender=governor)
    assert calls.call(aggregator, "latest", asset("LST!"))[0] == 3_300 * WAD
    assert calls.call(aggregator, "latest", asset("LST/BTC!"))[0] == 55 * WAD // 1_000


def test_record__derived__records_its_parts_and_logs(
    derived, calls, aggregator, governor, sources, publish
):
    aggregator.derive(THRICE, (TIMES, A, QUOTIENT), sender=governor)
    receipt = aggregator.record(THRICE, sender=governor)
    logged = [event.asset for event in receipt.decode_logs(aggregator.PriceRecorded)]
    assert logged == [A, B, TIMES, A, THRICE]
    publish(sources[:2], [WAD, WAD])
    # The parts answer from their caches, and so does what is made of them.
    assert calls.call(aggregator, "latest", THRICE)[0] == 60_000 * WAD
    assert calls.call(aggregator, "fetch", THRICE)[0] == 60_000 * WAD
    assert calls.call(aggregator, "aggregate", THRICE)[0] == WAD


def test_fetch__derived__refreshes_only_what_is_not_fresh(
    derived, aggregator, governor, calls, cache_of
):
    aggregator.record(A, sender=governor)
    receipt = aggregator.fetch(OVER, sender=governor)
    logged = [event.asset for event in receipt.decode_logs(aggregator.PriceRecorded)]
    assert logged == [B]
    assert cache_of(OVER) == 0
    assert not aggregator.fetch(OVER, sender=governor).events


def test_latest__one_part_stale_or_never_known__stale(
    derived, calls, aggregator, sources, governor
):
    sources[1].setMode(1, 0, sender=governor)
    assert calls.call(aggregator, "latest", TIMES)[::4] == (0, STALE)
    assert calls.call(aggregator, "latest", OVER)[::4] == (0, STALE)
    assert calls.call(aggregator, "latest", UPSIDE)[4] == VALID


def test_latest__part_stale_later__last_known_price_stale(
    derived, calls, aggregator, sources, governor, chain
):
    aggregator.record(TIMES, sender=governor)
    sources[1].setMode(1, 0, sender=governor)
    chain.mine(deltatime=61)
    assert calls.call(aggregator, "latest", TIMES)[::4] == (180_000_000 * WAD, STALE)


def test_latest__times__the_oldest_of_the_parts(derived, calls, aggregator, sources, publish):
    publish(sources[:1], [WAD], age=40)
    a = calls.call(aggregator, "aggregate", A)
    b = calls.call(aggregator, "aggregate", B)
    assert calls.call(aggregator, "aggregate", OVER)[2:4] == (min(a[2], b[2]), min(a[3], b[3]))
    assert a[2] < b[2]


prices = st.integers(0, 3) | st.integers(WAD // 2, 2 * WAD) | st.integers(0, MAX_PRICE)
times = st.integers(1_000, 2**40 - 1)
billionths = st.just(0) | st.integers(0, 2 * 10**9)


def priced(price, billionth, published_at, recorded_at, status):
    """An aggregate as the cache can hold it: of a whole number of billionths of confidence."""
    width = -(-price * billionth // 10**9)
    return PriceData(price, width, published_at, recorded_at, status), billionth


cached = st.builds(
    priced,
    prices | st.just(MAX_PRICE),
    billionths,
    times,
    times,
    st.sampled_from([PriceStatus.DEGRADED, PriceStatus.VALID]),
)


@PER_EXAMPLE
@given(left=cached, right=cached)
def test_latest__any_parts__equals_the_model(derived, calls, aggregator, left, right):
    slots = {}
    for name, (data, billionth) in ((A, left), (B, right)):
        fresh_until = 2**40 - 1
        slots[storage_key(0, name)] = (
            data.price
            | billionth << 96
            | data.published_at << 128
            | data.recorded_at << 168
            | fresh_until << 208
            | data.status << 248
        )
    left, right = left[0], right[0]
    expected = {
        TIMES: combine(Operation.PRODUCT, left, right),
        OVER: combine(Operation.QUOTIENT, left, right),
        UPSIDE: invert(left),
    }
    for name, data in expected.items():
        for method in ("latest", "fetch"):
            answer = calls.call(aggregator, method, name, overrides={aggregator.address: slots})
            assert answer == astuple(data)


@settings(max_examples=300, deadline=None)
@given(left=cached, right=cached)
def test_combine__any_parts__never_better_or_newer_than_a_part(left, right):
    left, right = left[0], right[0]
    for operation in (Operation.PRODUCT, Operation.QUOTIENT):
        data = combine(operation, left, right)
        assert data.status <= min(left.status, right.status)
        assert data.published_at <= min(left.published_at, right.published_at)
        assert 0 <= data.price <= MAX_PRICE
        if data.price in (0, MAX_PRICE):
            assert data.status == PriceStatus.STALE or data.price == MAX_PRICE


def test_derive__model__same_errors_and_answers():
    adapters = {"a": FixedSource(3 * WAD, 0, 100), "b": FixedSource(2 * WAD, 0, 90)}
    twin = OracleAggregator(adapters, 24 * HOUR)
    config = AssetConfig(*RULES)
    for name in ("A", "B"):
        twin.configure(name, config, [SourceConfig(name.lower(), ALL)], 100)
    twin.derive("A/B", Derivation("A", "B", Operation.QUOTIENT))
    twin.derive("B/A", Derivation("A/B"))
    for method in (twin.record, twin.fetch, twin.latest, twin.aggregate):
        assert method("A/B", 100) == PriceData(15 * WAD // 10, 0, 90, 100, PriceStatus.VALID)
        assert method("B/A", 100).price == WAD * WAD // (15 * WAD // 10)
    assert twin.asset_config("A/B") == (AssetConfig(*[0] * 9), ())
    attempts = [
        (lambda: twin.derive("A", Derivation("B")), "AlreadyConfigured"),
        (lambda: twin.derive("C", Derivation("C")), "UnknownAsset"),
        (lambda: twin.derive("C", Derivation("A", "B")), "UnusedPart"),
        (lambda: twin.derive("C", Derivation("B/A")), "TooDeep"),
        (lambda: twin.configure("A/B", config, [SourceConfig("a", ALL)], 100), "AlreadyConfigured"),
        (lambda: twin.latest("C", 0), "UnknownAsset"),
    ]
    for attempt, error in attempts:
        assert outcome(attempt)[0] == f"OracleAggregator_{error}"


def test_fetch__derived_from_fresh_parts__gas(derived, aggregator, governor, chain):
    aggregator.record(OVER, sender=governor)
    data = aggregator.fetch.encode_input(OVER)
    intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
    used = chain.provider.web3.eth.estimate_gas(
        {"to": aggregator.address, "data": "0x" + bytes(data).hex()}
    )
    print("fetch, quotient of two fresh parts:", used - intrinsic)
    assert used - intrinsic <= 25_000
