"""The contract against its integer twin, over states written straight into storage."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import storage_key
from bulkhead.model.oracle import (
    AssetConfig,
    FixedSource,
    OracleAggregator,
    PriceData,
    PriceStatus,
    Sample,
    SourceConfig,
    median,
)

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
MAX_PRICE = 2**127 - 1
REVERT = 1

PER_EXAMPLE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

close_prices = st.integers(90, 110) | st.integers(99 * WAD, 101 * WAD)
prices = close_prices | st.integers(0, 2**128) | st.sampled_from([0, 1, MAX_PRICE, MAX_PRICE + 1])
weights = st.integers(1, 5) | st.integers(1, 2**29)
ages = st.integers(-2, 30) | st.integers(3_590, 3_610)
confidences = st.just(0) | st.integers(0, WAD) | st.integers(0, 2**256 - 1)
failures = st.sampled_from([False] * 7 + [True])
answers = st.tuples(prices, weights, ages, confidences, failures)


@st.composite
def worlds(draw):
    """Answers of one to seven sources, and rules that ``configure`` would accept."""
    drawn = draw(st.lists(answers, min_size=1, max_size=7))
    total = sum(answer[1] for answer in drawn)
    quorum = draw(st.integers(total // 2 + 1, total))
    deviation = draw(st.sampled_from([1, WAD // 100, WAD // 20, WAD]) | st.integers(1, WAD))
    last = draw(st.sampled_from([PriceData(), PriceData(7 * WAD, 1_000, 1_001, PriceStatus.VALID)]))
    return drawn, AssetConfig(3_600, 60, quorum, deviation), last


def rules_word(config: AssetConfig, count: int) -> int:
    """``OracleAggregator.Rules`` as its slot."""
    return (
        config.max_staleness
        | config.max_cache_age << 32
        | config.quorum_weight << 64
        | config.max_deviation << 96
        | count << 160
    )


def cache_word(data: PriceData) -> int:
    """``OracleAggregator.Cache`` as its slot, long expired."""
    return data.price | data.published_at << 128 | data.recorded_at << 168 | data.status << 208


@PER_EXAMPLE
@given(world=worlds())
def test_record__any_answers__equals_the_model(world, calls, aggregator, sources, chain):
    drawn, config, last = world
    now = chain.blocks.head.timestamp
    base = storage_key(0, ETH)
    slots = {base: cache_word(last), base + 1: rules_word(config, len(drawn))}
    overrides = {aggregator.address: slots}
    adapters, listed = {}, []
    for i, (price, weight, age, confidence, fails) in enumerate(drawn):
        source = sources[i]
        slots[base + 2 + i] = int(source.address, 16) | weight << 160
        state = {0: REVERT if fails else 0, 2: price, 3: confidence, 4: now - age}
        overrides[source.address] = state
        # The twin leaves a failing source out in the same place as one without a price.
        adapters[source.address] = FixedSource(0 if fails else price, confidence, now - age)
        listed.append(SourceConfig(source.address, weight))

    twin = OracleAggregator(adapters)
    twin.configure("ETH", config, listed)
    if last.price:
        twin._assets["ETH"] = type(twin._assets["ETH"])(config, tuple(listed), last)
    expected = twin.aggregate("ETH", now)

    for method in ("record", "fetch", "latest", "aggregate"):
        actual = calls.call(aggregator, method, ETH, overrides=overrides)
        assert actual == (
            expected.price,
            expected.published_at,
            expected.recorded_at,
            expected.status,
        ), method


samples = st.lists(
    st.tuples(st.integers(1, MAX_PRICE) | st.integers(90, 110), st.integers(1, 9), st.booleans()),
    min_size=1,
    max_size=7,
)


@settings(max_examples=500, deadline=None)
@given(drawn=samples)
def test_median__faulty_minority__inside_the_honest_range(drawn):
    """ORC-1: sources marked faulty say anything at all; the median stays between honest prices."""
    ordered = sorted(drawn)
    faulty = sum(weight for _, weight, is_faulty in ordered if is_faulty)
    total = sum(weight for _, weight, _ in ordered)
    if 2 * faulty >= total:
        return
    honest = [price for price, _, is_faulty in ordered if not is_faulty]
    price = median([Sample(p, 0, w) for p, w, _ in ordered])
    assert min(honest) <= price <= max(honest)
