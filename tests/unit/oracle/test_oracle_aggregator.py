"""Aggregation: who votes, the median, outliers, quorum, status; hostile sources; the gas rule."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import outcome

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
MAX_PRICE = 2**127 - 1
STALE, DEGRADED, VALID = 0, 1, 2
NORMAL, REVERT, BURN_GAS, RETURN_BOMB, REVERT_BOMB, SHORT_ANSWER, GAS_DEPENDENT = range(7)
HOUR = 3_600


def rules(quorum, deviation=WAD // 20):
    return (HOUR, 60, quorum, deviation)


@pytest.fixture
def of(calls, aggregator, governor, sources, publish):
    """Configure as many sources as there are prices, let them answer, aggregate."""

    def _of(prices, weights=None, quorum=None, deviation=WAD // 20):
        votes = weights or [1] * len(prices)
        chosen = sources[: len(prices)]
        listed = [(s.address, w) for s, w in zip(chosen, votes, strict=True)]
        needed = quorum or sum(votes) // 2 + 1
        aggregator.configure(ETH, rules(needed, deviation), listed, sender=governor)
        publish(chosen, prices)
        return calls.call(aggregator, "aggregate", ETH)

    return _of


@pytest.mark.parametrize(
    ("prices", "weights", "expected"),
    [
        ([100], [1], 100),
        ([100, 102, 101], [1, 1, 1], 101),
        ([100, 101, 102], [3, 1, 1], 100),
        ([100, 101, 102], [1, 1, 3], 102),
        # An exact split: the mean of the two prices next to the cut.
        ([100, 102], [1, 1], 101),
        ([102, 100], [1, 1], 101),
        ([100, 101, 102], [2, 1, 1], 100),  # 100.5, in whole units below
        ([100, 101, 102, 103], [1, 1, 1, 1], 101),
        ([100, 101, 103], [1, 1, 2], 102),
        # The same price twice around the cut.
        ([100, 100], [1, 1], 100),
        ([100, 101, 101, 102], [1, 1, 1, 1], 101),
        ([100, 101, 102, 103, 104, 105, 106], [1] * 7, 103),
        ([100, 101], [2**32 - 1, 1], 100),
    ],
)
def test_aggregate__agreeing_sources__weighted_median(of, prices, weights, expected):
    # Quorum weights are 32 bits wide: scale the test's quorum to what fits.
    price, _, _, status = of(prices, weights, quorum=min(sum(weights), 2**32 - 1))
    assert (price, status) == (expected, VALID)


def test_aggregate__split_mean_not_whole__rounds_down(of):
    assert of([WAD, WAD + 1])[0] == WAD


def test_aggregate__outlier__dropped_and_degraded(of):
    assert of([100 * WAD, 101 * WAD, 200 * WAD])[::3] == (101 * WAD, DEGRADED)
    assert of([1, 100 * WAD, 101 * WAD])[::3] == (100 * WAD, DEGRADED)


@pytest.mark.parametrize("sign", [1, -1])
def test_aggregate__deviation_at_the_limit__kept(of, sign):
    # 5 % of 101 wei is 5.05: 5 away is a member, 6 away is not.
    assert of([101, 101, 101 + 5 * sign])[3] == VALID
    assert of([101, 101, 101 + 6 * sign])[3] == DEGRADED


def test_aggregate__outliers_leave_no_quorum__stale(of):
    assert of([100, 200, 300])[3] == STALE
    assert of([100, 200])[3] == STALE


def test_aggregate__outlier_dropped__median_not_moved(of):
    """ORC-1: a second median over the rest would be 104, above both honest prices."""
    assert of([90, 100, 109], weights=[1, 2, 2], deviation=95 * WAD // 1000)[::3] == (100, DEGRADED)


def test_aggregate__published_at__oldest_member(of, calls, aggregator, sources, publish):
    of([100 * WAD] * 3)
    publish(sources[1:2], [101 * WAD], age=30)
    publish(sources[2:3], [300 * WAD], age=50)
    _, published_at, recorded_at, status = calls.call(aggregator, "aggregate", ETH)
    assert status == DEGRADED
    member = calls.call(sources[1], "latest")[2]
    assert published_at == member
    assert recorded_at > published_at


def test_aggregate__source_missing_but_quorum__valid(of, sources, governor):
    assert of([100, 100, 0])[::3] == (100, VALID)


@pytest.mark.parametrize("weights", [[1, 1, 1], [3, 1, 1]])
def test_aggregate__too_many_missing__stale(of, weights):
    assert of([0, 0, 100], weights)[3] == STALE


@pytest.mark.parametrize(
    ("price", "counts"),
    [(0, False), (1, True), (MAX_PRICE, True), (MAX_PRICE + 1, False), (2**256 - 1, False)],
)
def test_aggregate__price_bounds__counted_or_left_out(of, price, counts):
    assert of([price])[::3] == ((price, VALID) if counts else (0, STALE))


def test_aggregate__maximal_prices_split__mean_does_not_overflow(of):
    assert of([MAX_PRICE, MAX_PRICE - 1])[0] == MAX_PRICE - 1


@pytest.mark.parametrize(
    ("offset", "counts"), [(0, True), (1, False), (-HOUR, True), (-HOUR - 1, False)]
)
def test_aggregate__publication_time__future_and_stale_left_out(
    of, calls, aggregator, sources, chain, offset, counts
):
    of([100])
    now = chain.blocks.head.timestamp
    overrides = {sources[0].address: {4: now + offset}}
    data = calls.call(aggregator, "aggregate", ETH, overrides=overrides)
    assert data[3] == (VALID if counts else STALE)


def test_aggregate__publication_time_huge__left_out(of, calls, aggregator, sources):
    of([100])
    for time in (2**40, 2**128, 2**256 - 1):
        overrides = {sources[0].address: {4: time}}
        assert calls.call(aggregator, "aggregate", ETH, overrides=overrides)[3] == STALE


@pytest.mark.parametrize(("confidence", "counts"), [(5, True), (6, False), (2**256 - 1, False)])
def test_aggregate__confidence__left_out_above_the_share(
    of, calls, aggregator, sources, confidence, counts
):
    of([101])
    overrides = {sources[0].address: {3: confidence}}
    data = calls.call(aggregator, "aggregate", ETH, overrides=overrides)
    assert data[3] == (VALID if counts else STALE)


@pytest.mark.parametrize("mode", [REVERT, BURN_GAS, RETURN_BOMB, REVERT_BOMB, SHORT_ANSWER])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_aggregate__one_hostile_source__loses_its_vote_only(
    of, calls, aggregator, sources, mode, position
):
    """ORC-2. A bomb of zeros is an answer of price zero."""
    of([100, 100, 100])
    overrides = {sources[position].address: {0: mode}}
    data = calls.call(aggregator, "aggregate", ETH, overrides=overrides)
    assert data[::3] == (100, VALID)


def test_record__all_sources_burn_gas__stale_within_the_allowance(
    of, aggregator, sources, governor
):
    of([100] * 7)
    aggregator.record(ETH, sender=governor)
    for source in sources:
        source.setMode(BURN_GAS, 0, sender=governor)
    receipt = aggregator.record(ETH, sender=governor, gas_limit=3_000_000)
    (event,) = receipt.decode_logs(aggregator.PriceRecorded)
    assert event.data[::3] == [100, STALE]
    assert 7 * 150_000 < receipt.gas_used < 7 * 150_000 + 100_000


def test_aggregate__return_bombs__copy_nothing(of, calls, aggregator, sources):
    of([100] * 3)
    overrides = {source.address: {0: RETURN_BOMB} for source in sources}
    data = calls.call(aggregator, "aggregate", ETH, overrides=overrides, gas=400_000)
    assert data[3] == STALE


def test_aggregate__adapter_without_code_now__left_out(of, calls, aggregator, sources, chain):
    of([100] * 3)
    code = chain.provider.web3.eth.get_code(sources[0].address)
    chain.provider.set_code(sources[0].address, b"")
    try:
        assert calls.call(aggregator, "aggregate", ETH)[::3] == (100, VALID)
    finally:
        chain.provider.set_code(sources[0].address, bytes(code))


def test_aggregate__caller_sends_little_gas__reverts_or_hears_every_source(
    of, calls, aggregator, sources
):
    """No gas limit makes an honest source that needs its whole allowance look silent."""
    of([100])
    overrides = {sources[0].address: {0: GAS_DEPENDENT, 1: 150_000 - 300}}
    assert calls.call(aggregator, "REQUIRED_GAS") > 150_000 * 64 // 63
    heard = 0
    for gas in range(175_000, 195_000, 250):
        name, *rest = outcome(
            lambda gas=gas: calls.call(aggregator, "aggregate", ETH, overrides=overrides, gas=gas)
        )
        if name == "OracleAggregator_InsufficientGas":
            assert rest[0] < rest[1] == calls.call(aggregator, "REQUIRED_GAS")
        else:
            assert (name, rest[2]) == (100, VALID)
            heard += 1
    assert 0 < heard < 80


def test_record__anyone__writes_and_logs(of, calls, aggregator, sources, stranger, chain):
    of([100, 100, 102], deviation=WAD // 1000)
    receipt = aggregator.record(ETH, sender=stranger)
    (event,) = receipt.decode_logs(aggregator.PriceRecorded)
    assert event.data[::3] == [100, DEGRADED]
    assert event.data[2] == chain.blocks.head.timestamp
    assert calls.call(aggregator, "latest", ETH)[0] == 100


def test_record__three_sources_warm__within_gas_budget(of, aggregator, governor, chain):
    of([100] * 3)
    aggregator.record(ETH, sender=governor)
    chain.mine()
    receipt = aggregator.record(ETH, sender=governor)
    print("record, 3 sources:", receipt.gas_used)
    assert receipt.gas_used <= 110_000
