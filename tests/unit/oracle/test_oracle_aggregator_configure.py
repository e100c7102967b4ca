"""Rules and sources: every bound, and what a change does to the cache."""

from __future__ import annotations

import pytest

from bulkhead.chain.eth_call import Reverted

ETH = b"ETH".ljust(32, b"\0")
WAD = 10**18
WEEK = 7 * 86_400
HOUR, DAY = 3_600, 86_400
FIELDS = (
    *("maxStaleness", "maxCacheAge", "quorum", "confirmationDelay", "maxDeviation"),
    *("maxConfidence", "maxMove", "volatilityPeriod", "initialVolatility"),
)
RULES = (HOUR, 60, 6_666, 60, WAD // 20, WAD // 20, WAD // 10, DAY, WAD // 20)
THIRDS = (3_334, 3_333, 3_333)


def rules(**changed):
    """The rules with some parameters changed, by their names."""
    return tuple({**dict(zip(FIELDS, RULES, strict=True)), **changed}.values())


def error_of(calls, aggregator, sender, rules, sources):
    """The error with which ``configure`` reverts, as (name, *arguments)."""
    with pytest.raises(Reverted) as caught:
        calls.call(aggregator, "configure", ETH, rules, sources, sender=sender)
    return (caught.value.name, *caught.value.args)


@pytest.fixture
def votes(sources):
    """A third for each of three sources."""
    return [(s.address, share) for s, share in zip(sources, THIRDS, strict=False)]


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
    ("changed", "parameter", "minimum", "maximum"),
    [
        ({"maxStaleness": 0}, "maxStaleness", 1, WEEK),
        ({"maxStaleness": WEEK + 1}, "maxStaleness", 1, WEEK),
        ({"maxStaleness": 60, "maxCacheAge": 61}, "maxCacheAge", 0, 60),
        ({"quorum": 0}, "quorum", 5_001, 10_000),
        ({"quorum": 5_000}, "quorum", 5_001, 10_000),
        ({"quorum": 10_001}, "quorum", 5_001, 10_000),
        ({"confirmationDelay": 0}, "confirmationDelay", 1, HOUR),
        ({"confirmationDelay": HOUR + 1}, "confirmationDelay", 1, HOUR),
        ({"maxDeviation": 0}, "maxDeviation", 1, WAD),
        ({"maxDeviation": WAD + 1}, "maxDeviation", 1, WAD),
        ({"maxConfidence": 0}, "maxConfidence", 1, WAD // 20),
        ({"maxConfidence": WAD // 20 + 1}, "maxConfidence", 1, WAD // 20),
        ({"maxMove": WAD // 20 - 1}, "maxMove", WAD // 20, WAD),
        ({"maxMove": WAD + 1}, "maxMove", WAD // 20, WAD),
        ({"volatilityPeriod": HOUR - 1}, "volatilityPeriod", HOUR, 30 * DAY),
        ({"volatilityPeriod": 30 * DAY + 1}, "volatilityPeriod", HOUR, 30 * DAY),
        ({"initialVolatility": 10 * WAD + 1}, "initialVolatility", 0, 10 * WAD),
    ],
)
def test_configure__parameter_out_of_bounds__reverts(
    calls, aggregator, governor, votes, changed, parameter, minimum, maximum
):
    assert error_of(calls, aggregator, governor, rules(**changed), votes) == (
        "OracleAggregator_OutOfBounds",
        named(parameter),
        changed[parameter],
        minimum,
        maximum,
    )


@pytest.mark.parametrize(
    "chosen",
    [
        (1, 0, 5_001, 1, 1, 1, 1, HOUR, 0),
        (WEEK, WEEK, 10_000, HOUR, WAD, WAD, WAD, 30 * DAY, 10 * WAD),
    ],
)
def test_configure__parameters_at_their_bounds__accepts(calls, aggregator, governor, votes, chosen):
    calls.call(aggregator, "configure", ETH, chosen, votes, sender=governor)


@pytest.mark.parametrize("seasoning", [HOUR - 1, 30 * DAY + 1])
def test_constructor__seasoning_out_of_bounds__reverts(calls, project, roles, seasoning):
    with pytest.raises(Reverted) as caught:
        calls.deploy(project.OracleAggregator, roles.address, seasoning)
    assert caught.value.name == "OracleAggregator_OutOfBounds"
    assert caught.value.args == (named("seasoning"), seasoning, HOUR, 30 * DAY)


def test_configure__no_sources__reverts(calls, aggregator, governor):
    error = error_of(calls, aggregator, governor, RULES, [])
    assert error == ("OracleAggregator_SourceCount", 0, 7)


def test_configure__eight_sources__reverts(calls, aggregator, governor, sources, roles):
    votes = [(source.address, 1_250) for source in [*sources, roles]]
    error = error_of(calls, aggregator, governor, RULES, votes)
    assert error == ("OracleAggregator_SourceCount", 8, 7)


def test_configure__adapter_without_code__reverts(calls, aggregator, governor, stranger, votes):
    error = error_of(calls, aggregator, governor, RULES, [*votes, (stranger.address, 1)])
    assert error == ("OracleAggregator_NotAContract", stranger.address.lower())


def test_configure__adapter_listed_twice__reverts(calls, aggregator, governor, votes):
    error = error_of(calls, aggregator, governor, RULES, [*votes, votes[0]])
    assert error == ("OracleAggregator_DuplicateSource", votes[0][0].lower())


def test_configure__zero_share__reverts(calls, aggregator, governor, votes):
    error = error_of(calls, aggregator, governor, RULES, [*votes[:2], (votes[2][0], 0)])
    assert error == ("OracleAggregator_ZeroShare", votes[2][0].lower())


@pytest.mark.parametrize("shares", [(9_999,), (10_001,), (5_000, 5_001), (1, 9_998), (65_535,) * 7])
def test_configure__shares_do_not_add_up__reverts(calls, aggregator, governor, sources, shares):
    votes = [(s.address, share) for s, share in zip(sources, shares, strict=False)]
    error = error_of(calls, aggregator, governor, RULES, votes)
    assert error == ("OracleAggregator_TotalShare", sum(shares), 10_000)


@pytest.mark.parametrize("quorum", [5_001, 10_000])
@pytest.mark.parametrize("shares", [(10_000,), (5_000, 5_000), (2_500, 7_500)])
def test_configure__quorum_above_half__accepts(
    calls, aggregator, governor, sources, quorum, shares
):
    votes = [(s.address, share) for s, share in zip(sources, shares, strict=False)]
    calls.call(aggregator, "configure", ETH, rules(quorum=quorum), votes, sender=governor)


def test_configure__valid__is_read_back_and_logged(calls, aggregator, governor, votes):
    receipt = aggregator.configure(ETH, RULES, votes, sender=governor)
    lower = tuple((address.lower(), weight) for address, weight in votes)
    assert calls.call(aggregator, "assetConfig", ETH) == (RULES, lower)
    (event,) = receipt.decode_logs(aggregator.AssetConfigured)
    assert event.asset == ETH
    logged = [(adapter.lower(), weight) for adapter, weight in event.sources]
    assert logged == list(lower)


def test_configure__fewer_sources_than_before__forgets_the_rest_in_time(
    calls, aggregator, governor, sources, publish, chain
):
    """What is left out votes until its share is gone, but is not shown any more."""
    asset = b"FEWER".ljust(32, b"\0")
    seven = [(s.address, 1_428 + 4 * (i == 6)) for i, s in enumerate(sources)]
    aggregator.configure(asset, RULES, seven, sender=governor)
    aggregator.configure(asset, RULES, [(sources[0].address, 10_000)], sender=governor)
    publish(sources, [5 * WAD] + [9 * WAD] * 6)
    assert calls.call(aggregator, "aggregate", asset)[0] == 9 * WAD
    assert len(calls.call(aggregator, "assetConfig", asset)[1]) == 1
    chain.mine(deltatime=DAY)
    publish(sources, [5 * WAD] + [9 * WAD] * 6)
    assert calls.call(aggregator, "aggregate", asset)[0] == 5 * WAD
    aggregator.configure(asset, RULES, [(sources[0].address, 10_000)], sender=governor)
    assert len(calls.call(aggregator, "sources", asset)) == 1


def test_configure__price_cached__keeps_it_as_stale(
    calls, aggregator, governor, sources, publish, votes
):
    aggregator.configure(ETH, RULES, votes, sender=governor)
    publish(sources[:3], [5 * WAD] * 3)
    aggregator.record(ETH, sender=governor)
    publish(sources[:3], [0] * 3)
    assert calls.call(aggregator, "latest", ETH)[4] == 3
    aggregator.configure(ETH, RULES, votes, sender=governor)
    assert calls.call(aggregator, "latest", ETH)[::4] == (5 * WAD, 0)


@pytest.mark.parametrize(
    "method",
    [
        "assetConfig",
        "aggregate",
        "latest",
        "fetch",
        "record",
        "sources",
        "confirmation",
        "volatility",
    ],
)
def test_any_call__unknown_asset__reverts(calls, aggregator, method):
    with pytest.raises(Reverted) as caught:
        calls.call(aggregator, method, b"NONE".ljust(32, b"\0"))
    assert caught.value.name == "OracleAggregator_UnknownAsset"
    assert caught.value.args == (b"NONE".ljust(32, b"\0"),)
