"""Rules and sources: every bound, and what a change does to the cache."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import Reverted

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
WEEK = 7 * 86_400
RULES = (3_600, 60, 2, WAD // 20)


def error_of(calls, aggregator, sender, rules, sources):
    """The error with which ``configure`` reverts, as (name, *arguments)."""
    with pytest.raises(Reverted) as caught:
        calls.call(aggregator, "configure", ETH, rules, sources, sender=sender)
    return (caught.value.name, *caught.value.args)


@pytest.fixture
def votes(sources):
    """One vote for each of three sources."""
    return [(source.address, 1) for source in sources[:3]]


def named(parameter: str) -> bytes:
    return parameter.encode().ljust(32, b"\0")


def test_configure__not_governor__reverts(calls, aggregator, stranger, votes):
    from eth_utils import keccak

    assert error_of(calls, aggregator, stranger, RULES, votes) == (
        "RoleRegistry_MissingRole",
        stranger.address.lower(),
        keccak(text="GOVERNOR"),
    )


@pytest.mark.parametrize(
    ("rules", "parameter", "value", "minimum", "maximum"),
    [
        ((0, 0, 2, 1), "maxStaleness", 0, 1, WEEK),
        ((WEEK + 1, 0, 2, 1), "maxStaleness", WEEK + 1, 1, WEEK),
        ((60, 61, 2, 1), "maxCacheAge", 61, 0, 60),
        ((60, 60, 2, 0), "maxDeviation", 0, 1, WAD),
        ((60, 60, 2, WAD + 1), "maxDeviation", WAD + 1, 1, WAD),
    ],
)
def test_configure__parameter_out_of_bounds__reverts(
    calls, aggregator, governor, votes, rules, parameter, value, minimum, maximum
):
    assert error_of(calls, aggregator, governor, rules, votes) == (
        "OracleAggregator_OutOfBounds",
        named(parameter),
        value,
        minimum,
        maximum,
    )


@pytest.mark.parametrize("rules", [(1, 0, 2, 1), (WEEK, WEEK, 3, WAD)])
def test_configure__parameters_at_their_bounds__accepts(calls, aggregator, governor, votes, rules):
    calls.call(aggregator, "configure", ETH, rules, votes, sender=governor)


def test_configure__no_sources__reverts(calls, aggregator, governor):
    error = error_of(calls, aggregator, governor, RULES, [])
    assert error == ("OracleAggregator_SourceCount", 0, 7)


def test_configure__eight_sources__reverts(calls, aggregator, governor, sources, roles):
    votes = [(source.address, 1) for source in [*sources, roles]]
    error = error_of(calls, aggregator, governor, RULES, votes)
    assert error == ("OracleAggregator_SourceCount", 8, 7)


def test_configure__adapter_without_code__reverts(calls, aggregator, governor, stranger, votes):
    error = error_of(calls, aggregator, governor, RULES, [*votes, (stranger.address, 1)])
    assert error == ("OracleAggregator_NotAContract", stranger.address.lower())


def test_configure__adapter_listed_twice__reverts(calls, aggregator, governor, votes):
    error = error_of(calls, aggregator, governor, RULES, [*votes, votes[0]])
    assert error == ("OracleAggregator_DuplicateSource", votes[0][0].lower())


def test_configure__zero_weight__reverts(calls, aggregator, governor, votes):
    error = error_of(calls, aggregator, governor, RULES, [*votes[:2], (votes[2][0], 0)])
    assert error == ("OracleAggregator_ZeroWeight", votes[2][0].lower())


@pytest.mark.parametrize(
    ("quorum", "weights"), [(0, (1,)), (1, (1, 1)), (2, (1, 3)), (4, (1, 2)), (2**32 - 1, (1, 1))]
)
def test_configure__quorum_no_majority_or_too_large__reverts(
    calls, aggregator, governor, sources, quorum, weights
):
    rules = (*RULES[:2], quorum, RULES[3])
    votes = [(s.address, w) for s, w in zip(sources, weights, strict=False)]
    error = error_of(calls, aggregator, governor, rules, votes)
    assert error == ("OracleAggregator_Quorum", quorum, sum(weights))


@pytest.mark.parametrize(("quorum", "weights"), [(1, (1,)), (2, (1, 1)), (3, (1, 3)), (4, (1, 3))])
def test_configure__quorum_above_half__accepts(
    calls, aggregator, governor, sources, quorum, weights
):
    rules = (*RULES[:2], quorum, RULES[3])
    votes = [(s.address, w) for s, w in zip(sources, weights, strict=False)]
    calls.call(aggregator, "configure", ETH, rules, votes, sender=governor)


def test_configure__valid__is_read_back_and_logged(calls, aggregator, governor, votes):
    receipt = aggregator.configure(ETH, RULES, votes, sender=governor)
    lower = tuple((address.lower(), weight) for address, weight in votes)
    assert calls.call(aggregator, "assetConfig", ETH) == (RULES, lower)
    (event,) = receipt.decode_logs(aggregator.AssetConfigured)
    assert event.asset == ETH
    logged = [(adapter.lower(), weight) for adapter, weight in event.sources]
    assert logged == list(lower)


def test_configure__fewer_sources_than_before__forgets_the_rest(
    calls, aggregator, governor, sources, publish
):
    seven = [(source.address, 1) for source in sources]
    aggregator.configure(ETH, (*RULES[:2], 4, RULES[3]), seven, sender=governor)
    aggregator.configure(ETH, (*RULES[:2], 1, RULES[3]), seven[:1], sender=governor)
    publish(sources, [5 * WAD] + [9 * WAD] * 6)
    assert calls.call(aggregator, "aggregate", ETH)[0] == 5 * WAD
    assert len(calls.call(aggregator, "assetConfig", ETH)[1]) == 1


def test_configure__price_cached__keeps_it_as_stale(
    calls, aggregator, governor, sources, publish, votes
):
    aggregator.configure(ETH, RULES, votes, sender=governor)
    publish(sources[:3], [5 * WAD] * 3)
    aggregator.record(ETH, sender=governor)
    publish(sources[:3], [0] * 3)
    assert calls.call(aggregator, "latest", ETH)[3] == 2
    aggregator.configure(ETH, RULES, votes, sender=governor)
    assert calls.call(aggregator, "latest", ETH)[::3] == (5 * WAD, 0)


@pytest.mark.parametrize("method", ["assetConfig", "aggregate", "latest", "fetch", "record"])
def test_any_call__unknown_asset__reverts(calls, aggregator, method):
    with pytest.raises(Reverted) as caught:
        calls.call(aggregator, method, b"NONE".ljust(32, b"\0"))
    assert caught.value.name == "OracleAggregator_UnknownAsset"
    assert caught.value.args == (b"NONE".ljust(32, b"\0"),)
