"""A Pyth feed as a price source: sign, exponent, rounding, times; updates and what they cost.

Pyth is its own SDK's mock: updates are what its ``createPriceFeedUpdateData`` makes. Where a test
goes through many prices, the mock's storage is replaced instead, in single calls.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulkhead.chain.eth_call import Reverted, outcome, storage_key
from bulkhead.model.adapters import PythAdapter, pyth_refund
from tests.unit.oracle.conftest import DEFAULTS, as_tuple

WAD = 10**18
STALE, VALID = 0, 3
FEED = b"\xff" * 32
FEE = 7
INT64_MAX, UINT64_MAX = 2**63 - 1, 2**64 - 1

PER_EXAMPLE = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def pyth(project, governor):
    return governor.deploy(project.DevPyth, FEE)


@pytest.fixture(scope="module")
def adapter(project, governor, pyth):
    return governor.deploy(project.PythAdapter, pyth, FEED)


@pytest.fixture(scope="module", autouse=True)
def _deployed(adapter, aggregator):
    """Deploy before any test's own state."""


@pytest.fixture
def update_of(calls, pyth):
    """Make one update; the moving average in it is another price, which nobody is to read."""

    def _update_of(price, conf=0, expo=-8, publish_time=1_000, feed=FEED):
        average = 777, 77
        fields = feed, price, conf, expo, *average, publish_time, publish_time - 1
        return calls.call(pyth, "createPriceFeedUpdateData", *fields)

    return _update_of


def stored(pyth, price, conf, expo, publish_time):
    """Overrides under which Pyth knows a price: its id, three numbers in one word, its time."""
    slot = storage_key(0, FEED)
    word = price % 2**64 | conf << 64 | (expo % 2**32) << 128
    return {pyth.address: {slot: int.from_bytes(FEED), slot + 1: word, slot + 2: publish_time}}


@pytest.fixture
def read(calls, pyth, adapter):
    """What the adapter answers over what Pyth has stored."""

    def _read(price, conf=0, expo=-8, publish_time=1_000):
        overrides = stored(pyth, price, conf, expo, publish_time)
        return outcome(lambda: calls.call(adapter, "latest", overrides=overrides))

    return _read


def test_deploy__pyth_without_code__reverts(project, calls, stranger):
    error = outcome(lambda: calls.deploy(project.PythAdapter, stranger, FEED))
    assert error == ("PythAdapter_NotAContract", stranger.address.lower())


def test_deploy__zero_feed__reverts(project, calls, pyth):
    error = outcome(lambda: calls.deploy(project.PythAdapter, pyth, b"\0" * 32))
    assert error == ("PythAdapter_ZeroFeedId",)


def test_deploy__valid__shows_its_parameters(calls, adapter, pyth):
    assert calls.call(adapter, "pyth") == pyth.address.lower()
    assert calls.call(adapter, "feedId") == FEED


def test_latest__never_updated__reverts_as_pyth_does(calls, adapter):
    assert outcome(lambda: calls.call(adapter, "latest")) == ("PriceFeedNotFound",)


@pytest.mark.parametrize("price", [0, -1, -(2**63)])
def test_latest__price_not_positive__reverts(read, price):
    assert read(price) == ("PythAdapter_NonPositivePrice", price)


@pytest.mark.parametrize(
    ("expo", "price", "conf"),
    [
        (-8, 3_000 * 10**8, 5 * 10**8),
        (0, 3_000, 5),
        (-18, 3_000 * 10**15, 5 * 10**15),
        (2, 30, 1),
        (-20, 3 * 10**18, 5),
    ],
)
def test_latest__any_exponent__scales_to_wad(read, expo, price, conf):
    exact = Fraction(10) ** (18 + expo)
    expected = (int(price * exact), ceil(conf * exact), 1_234)
    assert read(price, conf, expo, 1_234) == expected


def test_latest__mantissas_not_whole_at_wad__price_down_confidence_up(read):
    assert read(1_999, 1_001, -21)[:2] == (1, 2)
    assert read(2_000, 1_000, -21)[:2] == (2, 1)
    assert read(2_000, 0, -21)[:2] == (2, 0)


@pytest.mark.parametrize(("price", "expo"), [(999, -21), (1, -19), (10**18 - 1, -36)])
def test_latest__price_below_the_smallest__reverts(read, price, expo):
    assert read(price, 0, expo) == ("PythAdapter_PriceTooSmall", price, expo)


@pytest.mark.parametrize("expo", [-37, 19, -(2**31), 2**31 - 1])
def test_latest__exponent_out_of_range__reverts(read, expo):
    assert read(1, 0, expo) == ("PythAdapter_ExponentOutOfRange", expo, -36, 18)


def test_latest__largest_everything__does_not_overflow(read):
    expected = (INT64_MAX * 10**36, UINT64_MAX * 10**36, 2**256 - 1)
    assert read(INT64_MAX, UINT64_MAX, 18, 2**256 - 1) == expected
    assert read(INT64_MAX, UINT64_MAX, -36)[:2] == (9, 19)


@PER_EXAMPLE
@given(
    price=st.integers(-2, 1_200) | st.integers(-(2**63), INT64_MAX),
    conf=st.integers(0, 1_200) | st.integers(0, UINT64_MAX),
    expo=st.integers(-40, 20) | st.integers(-(2**31), 2**31 - 1),
    publish_time=st.integers(1, 2**40) | st.integers(1, 2**256 - 1),
)
@example(price=1_999, conf=1_001, expo=-21, publish_time=1)
def test_latest__any_price__equals_the_model(read, price, conf, expo, publish_time):
    twin = PythAdapter(price, conf, expo, publish_time)
    assert read(price, conf, expo, publish_time) == outcome(lambda: twin.latest(0))


@pytest.mark.parametrize(
    ("age", "conf", "status"),
    [
        (0, 0, VALID),
        (3_600, 0, VALID),
        (3_601, 0, STALE),
        (-1, 0, STALE),  # From the future: not counted until its time has come.
        (0, 5 * 10**8, VALID),
        (0, 5 * 10**8 + 1, STALE),
    ],
)
def test_aggregate__age_and_confidence__judged_by_the_aggregator(
    calls, aggregator, governor, adapter, pyth, chain, age, conf, status
):
    asset = b"PYTH".ljust(32, b"\0")
    rules = as_tuple(replace(DEFAULTS, max_staleness=3_600, max_cache_age=0))
    aggregator.configure(asset, rules, [(adapter.address, 10_000)], sender=governor)
    overrides = stored(pyth, 100 * 10**8, conf, -8, chain.blocks.head.timestamp - age)
    assert calls.call(aggregator, "aggregate", asset, overrides=overrides)[4] == status


@pytest.mark.parametrize(
    ("price", "conf", "expo"),
    [
        (3_000 * 10**8, 5 * 10**8, -8),
        (30, 1, 2),
        (3 * 10**18, 5, -20),
        (INT64_MAX, UINT64_MAX, 18),
        (-(2**63), 1, -8),
        (1, 0, -19),
    ],
)
def test_update__any_price__is_read_as_the_model_says(
    calls, adapter, update_of, stranger, price, conf, expo
):
    """Through Pyth's own encoding and storage; ``stored`` above is no better than this test."""
    adapter.update([update_of(price, conf, expo, 2**40)], sender=stranger, value=FEE)
    twin = PythAdapter(price, conf, expo, 2**40)
    assert outcome(lambda: calls.call(adapter, "latest")) == outcome(lambda: twin.latest(0))


def test_stored__same_price__is_what_an_update_leaves(calls, pyth, adapter, update_of, stranger):
    fields = -123, 45, -6, 2**40 + 7
    adapter.update([update_of(*fields)], sender=stranger, value=FEE)
    left = calls.call(pyth, "queryPriceFeed", FEED)
    other = stored(pyth, *fields)
    assert left[:2] == (FEED, fields)
    assert calls.call(pyth, "queryPriceFeed", FEED, overrides=other) == left


def test_aggregate__updated_feed__priced_until_stale(
    calls, aggregator, governor, adapter, update_of, stranger, chain
):
    asset = b"PYTH".ljust(32, b"\0")
    rules = as_tuple(replace(DEFAULTS, max_staleness=3_600, max_cache_age=0))
    aggregator.configure(asset, rules, [(adapter.address, 10_000)], sender=governor)
    now = chain.blocks.head.timestamp
    adapter.update([update_of(2_000 * 10**8, 10**8, -8, now)], sender=stranger, value=FEE)
    price, _, published_at, _, status = calls.call(aggregator, "aggregate", asset)
    assert (price, published_at, status) == (2_000 * WAD, now, VALID)
    chain.pending_timestamp = now + 3_601
    chain.mine()
    assert calls.call(aggregator, "aggregate", asset)[4] == STALE


def test_update__anyone__pays_the_fee_and_gets_back_the_rest(
    calls, adapter, pyth, update_of, stranger, chain
):
    other = b"\x01" * 32
    now = chain.blocks.head.timestamp
    updates = [update_of(3 * 10**8, 9, publish_time=now), update_of(1, feed=other)]
    before = stranger.balance
    receipt = adapter.update(updates, sender=stranger, value=1_000)
    spent = before - stranger.balance - receipt.total_fees_paid
    assert spent == 2 * FEE
    assert pyth.balance == 2 * FEE
    assert adapter.balance == 0
    assert receipt.return_value == 2 * FEE
    assert calls.call(adapter, "latest") == (3 * WAD, 9 * 10**10, now)


def test_update__older_than_what_is_known__changes_nothing(calls, adapter, update_of, stranger):
    adapter.update([update_of(5 * 10**8, publish_time=2_000)], sender=stranger, value=FEE)
    adapter.update([update_of(4 * 10**8, publish_time=2_000)], sender=stranger, value=FEE)
    adapter.update([update_of(3 * 10**8, publish_time=1_999)], sender=stranger, value=FEE)
    assert calls.call(adapter, "latest")[::2] == (5 * WAD, 2_000)


@pytest.mark.parametrize("value", [0, FEE, 2 * FEE - 1])
def test_update__value_below_the_fee__reverts_with_both(calls, adapter, update_of, stranger, value):
    updates = [update_of(1), update_of(2)]
    error = outcome(lambda: calls.call(adapter, "update", updates, sender=stranger, value=value))
    assert error == ("PythAdapter_FeeNotCovered", value, 2 * FEE)
    assert error == outcome(lambda: pyth_refund(value, 2 * FEE))


def test_update__exact_fee__sends_nothing_back(calls, adapter, pyth, update_of, chain):
    """A sender that cannot be paid, such as Pyth itself here, is not asked to take nothing."""
    chain.provider.set_balance(pyth.address, WAD)
    updates = [update_of(1)]
    assert calls.call(adapter, "update", updates, sender=pyth, value=FEE) == FEE


def test_update__sender_refuses_the_refund__reverts_with_the_sender(
    calls, adapter, pyth, update_of, chain
):
    chain.provider.set_balance(pyth.address, WAD)
    error = outcome(lambda: calls.call(adapter, "update", [update_of(1)], sender=pyth, value=9))
    assert error == ("PythAdapter_RefundFailed", pyth.address.lower(), 9 - FEE)


def test_update__nothing_to_update__gives_all_back(calls, adapter, stranger):
    assert calls.call(adapter, "update", [], sender=stranger, value=123) == 0


def test_update__ether_forced_into_the_adapter__is_nobodys(
    calls, adapter, update_of, chain, stranger
):
    """The refund comes from what was sent along, whatever the adapter's balance is."""
    chain.provider.set_balance(adapter.address, WAD)
    error = outcome(
        lambda: calls.call(adapter, "update", [update_of(1)], sender=stranger, value=FEE - 1)
    )
    assert error == ("PythAdapter_FeeNotCovered", FEE - 1, FEE)
    adapter.update([update_of(1)], sender=stranger, value=FEE + 5)
    assert adapter.balance == WAD


def test_update__reentered_from_the_refund__each_call_pays_for_itself(
    project, governor, adapter, pyth, update_of
):
    greedy = governor.deploy(project.GreedyUpdater, adapter)
    updates = [update_of(10**8, publish_time=5_000)]
    greedy.update(updates, 3, sender=governor, value=1_000)
    assert pyth.balance == 4 * FEE
    assert adapter.balance == 0
    assert greedy.balance == 1_000 - 4 * FEE


def test_update__garbage__reverts(calls, adapter, stranger):
    with pytest.raises(Reverted):
        calls.call(adapter, "update", [b"\x01\x02"], sender=stranger, value=FEE)


def test_latest__gas(adapter, update_of, stranger, governor):
    adapter.update([update_of(3 * 10**8)], sender=stranger, value=FEE)
    used = adapter.latest.estimate_gas_cost(sender=governor) - 21_000
    print("PythAdapter.latest:", used)
    assert used < 25_000
