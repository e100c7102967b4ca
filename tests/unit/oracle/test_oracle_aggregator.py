"""Aggregation: who votes, the median, outliers, quorum, status; hostile sources; the gas rule."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import outcome

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
MAX_PRICE = 2**96 - 1
STALE, DEGRADED, VALID = 0, 2, 3
NORMAL, REVERT, BURN_GAS, RETURN_BOMB, REVERT_BOMB, SHORT_ANSWER, GAS_DEPENDENT = range(7)
HOUR = 3_600


def rules(quorum, deviation=WAD // 20):
    return (HOUR, 60, quorum, 60, deviation, deviation, WAD, 24 * HOUR, 0)


def majority(shares):
    """The least quorum that two of three thirds reach, or a majority of unequal sources."""
    return 6_666 if shares == [3_334, 3_333, 3_333] else 5_001


@pytest.fixture
def of(project, calls, roles, governor, sources, publish):
    """Configure as many sources as there are prices, let them answer, aggregate.

    Each time another oracle: only an asset's first shares are in force at once.
    """

    def _of(prices, shares=None, quorum=None, deviation=WAD // 20):
        count = len(prices)
        votes = shares or [10_000 - 10_000 // count * (count - 1)] + [10_000 // count] * (count - 1)
        chosen = sources[:count]
        listed = [(s.address, w) for s, w in zip(chosen, votes, strict=True)]
        _of.oracle = governor.deploy(project.OracleAggregator, roles, 24 * HOUR)
        _of.oracle.configure(
            ETH, rules(quorum or majority(votes), deviation), listed, sender=governor
        )
        publish(chosen, prices)
        return calls.call(_of.oracle, "aggregate", ETH)

    return _of


@pytest.fixture
def oracle(of):
    """The oracle that ``of`` configured last."""

    class Latest:
        def __getattr__(self, name):
            return getattr(of.oracle, name)

    return Latest()


@pytest.mark.parametrize(
    ("prices", "shares", "expected"),
    [
        ([100], [10_000], 100),
        ([100, 102, 101], [3_334, 3_333, 3_333], 101),
        ([100, 101, 102], [6_000, 2_000, 2_000], 100),
        ([100, 101, 102], [2_000, 2_000, 6_000], 102),
        # An exact split: the mean of the two prices next to the cut.
        ([100, 102], [5_000, 5_000], 101),
        ([102, 100], [5_000, 5_000], 101),
        ([100, 101, 102], [5_000, 2_500, 2_500], 100),  # 100.5, in whole units below
        ([100, 101, 102, 103], [2_500] * 4, 101),
        ([100, 101, 103], [2_500, 2_500, 5_000], 102),
        # The same price twice around the cut.
        ([100, 100], [5_000, 5_000], 100),
        ([100, 101, 101, 102], [2_500] * 4, 101),
        ([100, 101, 102, 103, 104, 105, 106], [1_432] + [1_428] * 6, 103),
        ([100, 101], [9_999, 1], 100),
    ],
)
def test_aggregate__agreeing_sources__weighted_median(of, prices, shares, expected):
    price, _, _, _, status = of(prices, shares, quorum=10_000)
    assert (price, status) == (expected, VALID)


def test_aggregate__split_mean_not_whole__rounds_down(of):
    assert of([WAD, WAD + 1])[0] == WAD


def test_aggregate__outlier__dropped_and_degraded(of):
    assert of([100 * WAD, 101 * WAD, 200 * WAD])[::4] == (101 * WAD, DEGRADED)
    assert of([1, 100 * WAD, 101 * WAD])[::4] == (100 * WAD, DEGRADED)


@pytest.mark.parametrize("sign", [1, -1])
def test_aggregate__deviation_at_the_limit__kept(of, sign):
    # 5 % of 101 wei is 5.05: 5 away is a member, 6 away is not.
    assert of([101, 101, 101 + 5 * sign])[4] == VALID
    assert of([101, 101, 101 + 6 * sign])[4] == DEGRADED


def test_aggregate__outliers_leave_no_quorum__stale(of):
    assert of([100, 200, 300])[4] == STALE
    assert of([100, 200])[4] == STALE


def test_aggregate__outlier_dropped__median_not_moved(of):
    """ORC-1: a second median over the rest would be 104, above both honest prices."""
    assert of([90, 100, 109], [2_000, 4_000, 4_000], deviation=95 * WAD // 1000)[::4] == (
        100,
        DEGRADED,
    )


def test_aggregate__published_at__oldest_member(of, calls, oracle, sources, publish):
    of([100 * WAD] * 3)
    publish(sources[1:2], [101 * WAD], age=30)
    publish(sources[2:3], [300 * WAD], age=50)
    _, _, published_at, recorded_at, status = calls.call(oracle, "aggregate", ETH)
    assert status == DEGRADED
    member = calls.call(sources[1], "latest")[2]
    assert published_at == member
    assert recorded_at > published_at


def test_aggregate__source_missing_but_quorum__valid(of, sources, governor):
    assert of([100, 100, 0])[::4] == (100, VALID)


@pytest.mark.parametrize("shares", [[3_334, 3_333, 3_333], [6_000, 2_000, 2_000]])
def test_aggregate__too_many_missing__stale(of, shares):
    assert of([0, 0, 100], shares)[4] == STALE


@pytest.mark.parametrize(
    ("price", "counts"),
    [(0, False), (1, True), (MAX_PRICE, True), (MAX_PRICE + 1, False), (2**256 - 1, False)],
)
def test_aggregate__price_bounds__counted_or_left_out(of, price, counts):
    assert of([price])[::4] == ((price, VALID) if counts else (0, STALE))


def test_aggregate__maximal_prices_split__mean_does_not_overflow(of):
    assert of([MAX_PRICE, MAX_PRICE - 1])[0] == MAX_PRICE - 1


@pytest.mark.parametrize(
    ("offset", "counts"), [(0, True), (1, False), (-HOUR, True), (-HOUR - 1, False)]
)
def test_aggregate__publication_time__future_and_stale_left_out(
    of, calls, oracle, sources, chain, offset, counts
):
    of([100])
    now = chain.blocks.head.timestamp
    overrides = {sources[0].address: {4: now + offset}}
    data = calls.call(oracle, "aggregate", ETH, overrides=overrides)
    assert data[4] == (VALID if counts else STALE)


def test_aggregate__publication_time_huge__left_out(of, calls, oracle, sources):
    of([100])
    for time in (2**40, 2**128, 2**256 - 1):
        overrides = {sources[0].address: {4: time}}
        assert calls.call(oracle, "aggregate", ETH, overrides=overrides)[4] == STALE


@pytest.mark.parametrize(("confidence", "counts"), [(5, True), (6, False), (2**256 - 1, False)])
def test_aggregate__confidence__left_out_above_the_share(
    of, calls, oracle, sources, confidence, counts
):
    of([101])
    overrides = {sources[0].address: {3: confidence}}
    data = calls.call(oracle, "aggregate", ETH, overrides=overrides)
    assert data[4] == (VALID if counts else STALE)


@pytest.mark.parametrize("mode", [REVERT, BURN_GAS, RETURN_BOMB, REVERT_BOMB, SHORT_ANSWER])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_aggregate__one_hostile_source__loses_its_vote_only(
    of, calls, oracle, sources, mode, position
):
    """ORC-2. A bomb of zeros is an answer of price zero."""
    of([100, 100, 100])
    overrides = {sources[position].address: {0: mode}}
    data = calls.call(oracle, "aggregate", ETH, overrides=overrides)
    assert data[::4] == (100, VALID)


def test_record__all_sources_burn_gas__stale_within_the_allowance(of, oracle, sources, governor):
    of([100] * 7)
    oracle.record(ETH, sender=governor)
    for source in sources:
        source.setMode(BURN_GAS, 0, sender=governor)
    receipt = oracle.record(ETH, sender=governor, gas_limit=3_000_000)
    (event,) = receipt.decode_logs(oracle.PriceRecorded)
    assert event.data[::4] == [100, STALE]
    assert 7 * 150_000 < receipt.gas_used < 7 * 150_000 + 100_000


def test_aggregate__return_bombs__copy_nothing(of, calls, oracle, sources):
    of([100] * 3)
    overrides = {source.address: {0: RETURN_BOMB} for source in sources}
    data = calls.call(oracle, "aggregate", ETH, overrides=overrides, gas=400_000)
    assert data[4] == STALE


def test_aggregate__adapter_without_code_now__left_out(of, calls, oracle, sources, chain):
    of([100] * 3)
    code = chain.provider.web3.eth.get_code(sources[0].address)
    chain.provider.set_code(sources[0].address, b"")
    try:
        assert calls.call(oracle, "aggregate", ETH)[::4] == (100, VALID)
    finally:
        chain.provider.set_code(sources[0].address, bytes(code))


def test_aggregate__caller_sends_little_gas__reverts_or_hears_every_source(
    of, calls, oracle, sources
):
    """No gas limit makes an honest source that needs its whole allowance look silent."""
    of([100])
    overrides = {sources[0].address: {0: GAS_DEPENDENT, 1: 150_000 - 300}}
    required = 150_000 * 64 // 63 + 3_600
    heard = 0
    for gas in range(175_000, 195_000, 250):
        name, *rest = outcome(
            lambda gas=gas: calls.call(oracle, "aggregate", ETH, overrides=overrides, gas=gas)
        )
        if name == "BoundedCall_InsufficientGas":
            assert rest[0] < rest[1] == required
        else:
            assert (name, rest[3]) == (100, VALID)
            heard += 1
    assert 0 < heard < 80


def test_record__anyone__writes_and_logs(of, calls, oracle, sources, stranger, chain):
    of([100, 100, 102], deviation=WAD // 1000)
    receipt = oracle.record(ETH, sender=stranger)
    (event,) = receipt.decode_logs(oracle.PriceRecorded)
    assert event.data[::4] == [100, DEGRADED]
    assert event.data[3] == chain.blocks.head.timestamp
    assert calls.call(oracle, "latest", ETH)[0] == 100


def test_record__three_sources_warm__within_gas_budget(of, oracle, governor, chain):
    of([100] * 3)
    oracle.record(ETH, sender=governor)
    chain.mine()
    receipt = oracle.record(ETH, sender=governor)
    print("record, 3 sources:", receipt.gas_used)
    assert receipt.gas_used <= 110_000
